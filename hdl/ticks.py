"""Ticks of a sequence: each takes the place of a sample in the core."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.neurons.spiking import rest_word
from ..golden.program.layout import Layout, kept_width
from ..golden.program.pipeline import stages
from ..golden.program.walk import Common, Rows, Store
from .errors.source import take
from .lanes.vectors import each_lane
from .primitives import late
from .walks.sequencer import TICK
from .walks.step import is_any


class Ticks(wiring.Component):
    """Counts the ticks of a sequence.

    Latency: all that is put out holds from the clock after `finish` on.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    finish, has_label : In(1)
        A tick is finished; it had a target.
    first, last : Out(1)
        The tick at hand is the first, or the last one of its sequence.
    opens, summed, closes : Out(1)
        Its scores are the first that are summed, are summed, or the last ones, after which they are
        put out; of signals the scores of each such tick are put out.
    learned : Out(1)
        A tick so far, this one included, has a target.
    drop, calm : In(1)
        The sequence at hand is to end with the ticks that are complete; none is left.
    dropping : Out(1)
        Until it has ended.
    """

    def __init__(self, config):
        self.config = config
        inputs = "finish", "has_label", "drop", "calm"
        outputs = "first", "last", "opens", "summed", "closes", "learned", "dropping"
        super().__init__(dict.fromkeys(inputs, In(1)) | dict.fromkeys(outputs, Out(1)))

    def elaborate(self, platform):
        m = Module()
        ticks = self.config.neuron.ticks
        begins = ticks - self.config.neuron.target
        time, learned = Signal(range(max(ticks, 2))), Signal()
        m.d.comb += [
            self.first.eq(time == 0),
            self.last.eq(time == ticks - 1),
            self.opens.eq(self.summed if self.config.signal else time == begins),
            self.summed.eq(time >= begins),
            self.closes.eq(self.summed if self.config.signal else self.last),
            self.learned.eq(learned | self.has_label),
        ]
        with m.If(self.finish):
            m.d.sync += [time.eq(time + 1), learned.eq(self.learned)]
            with m.If(self.last):
                m.d.sync += [time.eq(0), learned.eq(0)]
        ends = self.dropping & self.calm
        m.d.sync += self.dropping.eq(self.drop | self.dropping & ~ends)
        with m.If(ends):
            m.d.sync += [time.eq(0), learned.eq(0)]
        return m


def between(m, parts, free, go, finish):
    """What of a sample goes for whole sequences, while one of their ticks takes its place.

    Returns when commands may be carried out, when the next tick may start, when a sequence is
    finished, and whether it was learned.
    """
    sequencer, ticks, spikes, leaks = parts.sequencer, parts.ticks, parts.spikes, parts.leaks
    m.d.comb += [
        ticks.finish.eq(finish),
        ticks.has_label.eq(parts.loader.has_label),
        ticks.calm.eq(free & ~parts.loader.full),
        *take(sequencer, ticks, *TICK),
        sequencer.spikes.eq(Mux(ticks.first, 0, spikes.count)),
        sequencer.silent.eq(ticks.first | spikes.empty),
        leaks.set.eq(go & ticks.first),
        leaks.value.eq(rest_word(ticks.config)),
    ]
    starts = free & (parts.commander.yields | ~ticks.first)
    return free & ticks.first, starts, finish & ticks.last, ticks.learned


def leak(m, parts, kinds):
    """Stages 3 to 5 of what leaks, and the spikes of stage 10."""
    dense, spikes, leaks = parts.dense, parts.spikes, parts.leaks
    those, queried, out = kinds.those, parts.pipeline.stage(2), parts.dense.out
    each = is_any(queried.kind, those(lambda walk: walk.leaks and not walk.row_inner))
    of_sums = is_any(queried.kind, those(lambda walk: walk.leaks and walk.row_inner))
    m.d.sync += leaks.step.eq(queried.valid & (each | of_sums & queried.sum_last))
    of_spikes = is_any(out.kind, those(lambda walk: walk.rows is Rows.SPIKES))
    # without spikes in the tick before there is no second sum: the first one makes the new ones
    first = is_any(out.kind, those(lambda walk: walk.leaks and Store.A in walk.writes))
    alone = first & (out.rest | spikes.empty)
    ends = out.valid & (of_spikes | alone)
    m.d.comb += [
        parts.loader.block.eq(parts.pipeline.stage(4).block),
        dense.arriving.eq(parts.loader.word),
        dense.leak_random.eq(late(m, leaks.word)),
        spikes.en.eq(ends & out.sum_last),
        spikes.last.eq(out.end),
        spikes.block.eq(out.block),
        spikes.bits.eq(dense.spikes_out),
        spikes.address.eq(parts.sequencer.list_address),
    ]
    if parts.traced is not None:
        _traces(m, parts, kinds)


def _traces(m, parts, kinds):
    """Rows that updates walk are listed in ticks with a target."""
    cfg, dense, traced, out = parts.ticks.config, parts.dense, parts.traced, parts.dense.out
    sequencer, words = parts.sequencer, each_lane(cfg, dense.vector_out)
    of_units = kinds.those(lambda w: Store.TRACES in w.writes and w.common is Common.SPIKE)
    walked = kinds.those(lambda walk: walk.rows is Rows.TRACED)
    at = stages(cfg)
    m.d.comb += [
        sequencer.traced_inputs.eq(traced.inputs),
        sequencer.traced_units.eq(traced.units),
        traced.en.eq(out.valid & out.learn & is_any(out.kind, kinds.traces)),
        traced.last.eq(out.end & is_any(out.kind, of_units)),
        traced.block.eq(out.place - Layout(cfg).trace_bases[0]),
        traced.bits.eq(Cat(word[: kept_width(cfg)].any() for word in words)),
        traced.address.eq(sequencer.list_address),
        traced.of_units.eq(sequencer.of_units),
    ]
    step = parts.pipeline.stage(2)
    m.d.sync += parts.random.twice.eq(
        late(m, traced.skips, 1 + at.source) & is_any(step.kind, walked)
    )
