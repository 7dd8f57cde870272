"""Groups of lanes that hold different positions of a convolution in one step."""

from types import SimpleNamespace

from amaranth.hdl import Array, Mux, Signal

from ...golden.layers.init import GROUP
from ..primitives import late
from .control import own_of

SCALED = ("scalar", "mean", "exponent", "power")  # what groups of lanes have of their own


def taking_part(dense, own, group):
    """The lanes' own operand in stage 4, or 0 where a group of lanes does not take part."""
    if not dense.config.convolves:
        return own
    step = dense.stage(4)
    return Mux(step.valid & step.on[group], own, 0)


def signals(m, dense, control, group):
    """Control signals, scalar and start of the accumulator of another group than the first."""
    own = Signal(control.shape(), name=f"control_{group}")
    for name, _ in own.shape():
        if name not in ("own_5", "slice_8"):
            m.d.comb += getattr(own, name).eq(getattr(control, name))
    chosen = own_of(m, dense.config, dense.stage(4))
    m.d.sync += own.own_5.eq(taking_part(dense, chosen, group))
    given = SimpleNamespace(**{name: getattr(dense, f"{name}_{group}") for name in SCALED})
    return own, *dense.scale(m, own, given)


def gather(m, dense, lanes):
    """Sums of the accumulators of lanes that hold the same feature, for each of them.

    Groups are added pair by pair, those that lie furthest apart first.
    """
    cfg, layout = dense.config, dense.layout
    levels = layout.spans.bit_length() - 1
    sums = [[lane.held for lane in lanes]]
    for level in range(levels):
        far, found = cfg.span * layout.spans >> level + 1, []
        for number, held in enumerate(sums[-1]):
            name = f"held_{level}_{number}"
            register = Signal.like(lanes[0].held, name=name, reset_less=True)
            m.d.sync += register.eq(held + sums[-1][number ^ far])
            found.append(register)
        sums.append(found)
    # positions that have one of the groups each, two, four
    folds = [layout.fold(n) for n in range(len(cfg.windows))]
    of_layers = Array([*folds, *[levels] * (len(cfg.layer) - len(folds))])
    fold = Signal(range(levels + 1))
    m.d.sync += fold.eq(of_layers[dense.stage(6).layer])
    fold = late(m, fold)  # the lanes lag
    for number, lane in enumerate(lanes):
        choices = Array(sums[levels - n][number] for n in range(levels + 1))
        m.d.comb += lane.gathered.eq(choices[fold if len({*folds}) > 1 else folds[0]])


def target(dense, number, step):
    """Lane, or at the start group of lanes, whose value a lane takes, of its layer; stage 8."""
    cfg, layout, layers = dense.config, dense.layout, range(len(dense.config.layer))
    like = [number % layout.map_form(n).width if n < len(cfg.windows) else number for n in layers]
    hosts, starts = Array(like), Array(lane // GROUP for lane in like)
    return Mux(step.hosts_8, hosts[step.layer_8], starts[step.layer_8])


def counted(m, dense, step):
    """Whether each group of lanes counts in the magnitudes of words that are written a clock after
    `step` is here: one of those that hold the same does.
    """
    found = []
    for group in range(dense.layout.spans):
        counts = [group >> dense.layout.fold(n) == 0 for n in range(len(dense.config.layer))]
        found.append(Signal(name=f"counted_{group}"))
        m.d.sync += found[-1].eq(Array(counts)[step.layer])
    return found
