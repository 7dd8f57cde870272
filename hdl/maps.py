"""What cores with convolutions have beside others: statistics of many positions, and, where several
positions share a step, all that groups of lanes have of their own.
"""

from amaranth.hdl import Array, Const, Mux, Signal

from ..golden.program.layout import Layout
from .errors.source import take
from .lanes.copies import MapCopies
from .primitives import late
from .statistics import Statistics
from .walks.operand import CommonOperand, source_shape
from .walks.step import is_any

KEPT = ("mean", "mantissa", "exponent", "power")


def others(config) -> range:
    """Groups of lanes besides the first one."""
    return range(1, Layout(config).spans)


def kept(m, parts):
    """Statistics of each position are kept until it is normalised, and its direction is rounded.

    Returns
    -------
    list of tuple
        For each group of lanes mean, mantissa, exponent and power of the step in stage 3 (the mean:
        in stage 4).
    """
    normalise, step = parts.normalise, parts.dense.total_step
    config, asks, found = normalise.config, parts.pipeline.stage(1), []
    layout = Layout(config)
    m.d.comb += normalise.last.eq(step.end)
    for group in range(layout.spans):
        further = [group >> layout.fold(n) for n in range(len(config.hidden) + 1)]
        m.submodules[f"statistics_{group}"] = statistics = Statistics(config)
        m.d.comb += [
            statistics.squares.eq(normalise.squares),
            statistics.spot.eq(step.spot),
            statistics.asked.eq(asks.spot + (Array(further)[asks.layer] if any(further) else 0)),
            *take(statistics, normalise, *KEPT),
        ]
        found.append(tuple(getattr(statistics, f"{name}_kept") for name in KEPT))
    return found


def sources(m, parts):
    """Stages 1 to 3: numbers that each group of lanes reads, instead of one for all.

    Returns
    -------
    list of Signal
        In stage 3.
    """
    pipeline, loader, sequencer, dense = (
        parts.pipeline,
        parts.loader,
        parts.sequencer,
        parts.dense,
    )
    config, step = pipeline.config, pipeline.stage(2)
    layout, hidden = Layout(config), len(config.hidden)
    maps, found = len(layout.copy_bases) - 1, []
    if maps:
        m.submodules.copies = parts.copies = copies = MapCopies(config)
        m.d.comb += [
            copies.lane.eq(sequencer.source_lane),
            copies.place.eq(dense.out.spot),
            copies.layer.eq(dense.out.layer),
            copies.written.eq(dense.vector_out),
        ]
    ones = Array(Const(config.source(n).one, source_shape(config)) for n in range(hidden + 1))
    copied = Array(int(0 < n <= maps) for n in range(hidden + 1))[step.layer]
    for group in range(layout.spans):
        address = getattr(sequencer, f"address_{group}") if group else sequencer.list_address
        value = parts.pipeline.own.part[: config.z.width].as_signed()
        if maps:
            m.d.comb += getattr(copies, f"address_{group}").eq(address)
            value = Mux(copied, getattr(copies, f"part_{group}").as_signed(), value)
        if group:
            m.d.comb += getattr(loader, f"address_{group}").eq(address)
        pixel = getattr(loader, f"value_{group}") if group else loader.value
        value = Mux(step.layer == 0, late(m, pixel, pipeline.at.source), value)
        source = Signal(source_shape(config), name=f"source_3_{group}")
        m.d.sync += source.eq(Mux(step.bias, ones[step.layer], Mux(step.inside[group], value, 0)))
        found.append(source)
    return found


def copy(m, parts, due):
    """The step whose words are there two clocks later: of a pooled map, each group keeps them."""
    if hasattr(parts, "copies"):
        kinds, read = parts.pipeline.kinds, due.layer < len(parts.copies.maps)
        ends = due.valid & due.sum_last & is_any(due.kind, kinds.maps)
        m.d.sync += parts.copies.en.eq(ends & read)  # not that of the readout


def operands(m, parts, given, statistics):
    """Stages 3 and 4: what each other group of lanes multiplies with, and scales by.

    Parameters
    ----------
    given : CommonOperand
        That of the first group.
    statistics : list
        See `kept`.
    """
    config, dense = given.config, parts.dense
    for group in others(config):
        m.submodules[f"operand_{group}"] = operand = CommonOperand(config, parts.step_layout)
        mean, mantissa, exponent, power = statistics[group]
        m.d.comb += [
            *take(operand, given, "step", "ahead", "error", "jacobians", "extra"),
            operand.source.eq(parts.sources[group]),
            operand.mantissa.eq(mantissa),
            getattr(dense, f"scalar_{group}").eq(late(m, operand.scalar)),
            getattr(dense, f"mean_{group}").eq(mean),
            getattr(dense, f"exponent_{group}").eq(exponent),
            getattr(dense, f"power_{group}").eq(power),
        ]
