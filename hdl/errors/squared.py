"""Errors of a signal: how far scores are from their targets."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory
from amaranth.lib.wiring import In

from ...golden.layers.squared import TARGET
from ...golden.program.program import SQUARED
from ..lanes.fixed import shift_round
from .arrivals import value_width
from .source import ErrorSource


class Squared(ErrorSource):
    """``e_c = clip(o_c - y_c, -1, 1)``: `hebbware.golden.layers.squared`.

    Scores arrive output after output, each target a clock after its score. Each error is written
    two clocks after its score arrived.

    Latency: `SQUARED` clocks from the clock after the last arrival to the one in which the errors
    are complete.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step, optional
        Not used; all error sources are constructed alike.

    Members
    -------
    target : In
        Of the output that arrived in the clock before.
    """

    name = "squared"
    similarities = False

    def __init__(self, config, step_layout=None):
        super().__init__(
            config,
            rows=config.classes,
            value=value_width(config),
            error=config.e.width,
            others={"target": In(signed(TARGET.width))},
        )

    @property
    def latency(self):
        """Clocks from the last score to the errors."""
        return SQUARED

    def elaborate(self, platform):
        m = Module()
        cfg, rows = self.config, range(self.config.classes)
        valid, last = Signal(3), Signal(3)  # so many clocks after the score, less one
        value, error = Signal.like(self.value), Signal(signed(cfg.e.width))
        row, late_row = Signal(rows), Signal(rows)
        found = shift_round(value, cfg.u.fraction - cfg.e.fraction)
        wanted = shift_round(self.target, TARGET.fraction - cfg.e.fraction)
        far = Signal(signed(max(len(found), len(wanted)) + 1))
        one = cfg.e.one
        m.d.comb += far.eq(found - wanted)
        m.d.sync += [
            valid.eq(valid << 1 | (self.arrive & self.learn)),
            last.eq(last << 1 | self.last),
            value.eq(self.value),
            row.eq(self.row),
            late_row.eq(row),
            error.eq(Mux(far > one, one, Mux(far < -one, -one, far))),
        ]
        self._keep(m, valid[1], late_row, error)
        finish = valid[2] & last[2]
        m.d.comb += self.done.eq(Mux(finish, 1 << self.readout, 0)[: self.jobs])
        return m

    def _keep(self, m, writes, row, error):
        """The errors, and a list of those that are not zero."""
        classes = self.config.classes
        m.submodules.errors = errors = memory.Memory(
            shape=signed(self.config.e.width), depth=classes, init=[]
        )
        m.submodules.kept = kept = memory.Memory(shape=range(classes), depth=classes, init=[])
        keep, ask, note, recall = (
            errors.write_port(), errors.read_port(), kept.write_port(), kept.read_port()
        )  # fmt: skip
        count, before = Signal(self.count_width), Signal(self.count_width)
        listed = error != 0
        m.d.comb += [
            before.eq(Mux(row == 0, 0, count)),
            keep.en.eq(writes),
            keep.addr.eq(row),
            keep.data.eq(error),
            ask.addr.eq(self.query_row),
            self.error.eq(ask.data),
            note.en.eq(writes & listed),
            note.addr.eq(before),
            note.data.eq(row),
            recall.addr.eq(self.list_entry),
            self.list_row.eq(recall.data),
            self.counts.word_select(self.readout, self.count_width).eq(count),
            self.trace_en.eq(writes),
            self.trace_job.eq(self.readout),
            self.trace_row.eq(row),
            self.trace_error.eq(error),
        ]
        with m.If(writes):
            m.d.sync += count.eq(before + listed)
