"""The class memory: its words, and the scaling with which the modulator reads them."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program import widths
from ...golden.program.layout import Layout, word_width
from ...golden.program.pipeline import clusters
from ..lanes.clusters import Banks, spread
from ..shapes import index
from ..walks.step import is_any, kinds_of
from .gains import Gains, ReadScale, first_rows


class ClassMemory(wiring.Component):
    """Words of all lanes, row after row of each hidden layer, with the read scaling.

    Latency: `word` and `read` four clocks after `address`; `writes` and `place` in the clock of
    `written`. With several clusters, five clocks, and `writes`/`place` precede `written` by one.

    Parameters
    ----------
    config : CoreConfig
        Whose class memory has at least one bit (`word_width`).
    step_layout : Step

    Members
    -------
    address, layer, row : In
        The word to read, and the row whose scale it is read with.
    word, read : Out
        The stored word, and E of all lanes.
    writes : In(1), place, written : In
        `written` goes to `place`.
    total_step, total : In
        Sums over the lanes: magnitudes of written rows give the gains.
    asks_gain, gain_place, set_gain, value, clear : In, gain : Out
        Of the commander: reads a gain (while no step is under way), valid two clocks later;
        overwrites the gain read in the clock before; sets all gains to 0.
    """

    def __init__(self, config, step_layout):
        self.config = config
        self.layout = Layout(config)
        width, depth = config.lanes * word_width(config), self.layout.memory_bases[-1]
        layers, rows = index(len(config.hidden)), range(self.layout.memory_rows)
        super().__init__(
            {
                "address": In(range(depth)),
                "layer": In(layers),
                "row": In(rows),
                "word": Out(width),
                "read": Out(config.lanes * config.read.width),
                "writes": In(1),
                "place": In(range(depth)),
                "written": In(width),
                "total_step": In(step_layout),
                "total": In(signed(widths.total(config))),
                "asks_gain": In(1),
                "gain_place": In(index(len(config.hidden) * config.classes)),
                "set_gain": In(1),
                "value": In(range(config.stored.width)),
                "clear": In(1),
                "gain": Out(range(config.stored.width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        width = word_width(cfg)
        m.submodules.store = store = Banks(
            lanes=cfg.lanes, width=width, depth=self.layout.memory_bases[-1]
        )
        word_3, word_4, word_5 = (Signal.like(self.word, reset_less=True) for _ in range(3))
        read, read_5 = Signal.like(self.read), Signal.like(self.read, reset_less=True)
        gain_3 = Signal(self.gain.shape(), reset_less=True)
        parts = zip(
            clusters(cfg.lanes, width),
            clusters(cfg.lanes, cfg.read.width),
            spread(m, gain_3, cfg.lanes),
            strict=True,
        )
        for words, reads, gain in parts:
            m.submodules += (scale := ReadScale(cfg, (words.stop - words.start) // width))
            m.d.comb += [
                scale.word.eq(word_3[words]),
                scale.gain.eq(gain),
                read[reads].eq(scale.read),
            ]
        m.d.comb += [
            store.address.eq(self.address),
            self.word.eq(word_5),
            self.read.eq(read_5),
            store.en.eq(self.writes),
            store.place.eq(self.place),
            store.written.eq(self.written),
        ]
        m.d.sync += [
            word_3.eq(store.data),
            word_4.eq(word_3),
            word_5.eq(word_4),
            read_5.eq(read),
        ]
        if cfg.memory.self_scaling:
            m.submodules.gains = gains = Gains(cfg)
            step = self.total_step
            m.d.sync += gains.query.eq(
                Mux(self.asks_gain, self.gain_place, first_rows(cfg)[self.layer] + self.row)
            )
            m.d.sync += gain_3.eq(gains.gain)
            m.d.comb += [
                gains.found.eq(
                    step.valid & step.sum_last & is_any(step.kind, kinds_of(cfg).remembers)
                ),
                gains.total.eq(self.total),
                gains.layer.eq(step.layer),
                gains.row.eq(step.row),
                gains.set.eq(self.set_gain),
                gains.value.eq(self.value),
                gains.clear.eq(self.clear),
                self.gain.eq(gain_3),
            ]
        return m
