"""Class memories as the modulator reads them: brought to unit scale by a shift, plus codes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.layers.normalise import unit_thresholds
from ...golden.program import widths
from ...golden.program.layout import word_width
from ..lanes.fixed import saturate, shift_round, shift_saturate_by
from ..shapes import index


def _octave(config, units, n):
    """Of sums in ``2**n .. 2**(n + 1) - 1``: thresholds reached by all, and one reached by some."""
    thresholds = unit_thresholds(units, config.stored.width).tolist()
    below = sum(threshold <= 1 << n for threshold in thresholds)
    borders = [threshold for threshold in thresholds if 1 << n < threshold < 2 << n]
    assert len(borders) <= 1, "thresholds less than a factor of 2 apart"
    return below, borders[0] if borders else 2 << n


def first_rows(config):
    """Number of each layer's first row, of the rows of all class memories."""
    return Array(layer * config.classes for layer in range(len(config.hidden)))


class Gains(wiring.Component):
    """``g_c = round(log2 rms(M_c))`` of each row, found from ``sum |M_c|`` when the row is written.

    Latency: three clocks from `found` to the gain.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    found : In(1)
        `total` is the sum of magnitudes of row `row` of `layer`.
    query : In
        Gain to read, ``layer * classes + row``; `gain` follows in the same clock.
    set : In(1)
        Overwrites that gain with `value` (by command).
    clear : In(1)
        Sets all gains to 0.
    """

    def __init__(self, config):
        self.config = config
        layers, rows = index(len(config.hidden)), range(config.classes)
        gains = range(config.stored.width)
        super().__init__(
            {
                "found": In(1),
                "total": In(signed(widths.total(config))),
                "layer": In(layers),
                "row": In(rows),
                "query": In(index(len(config.hidden) * config.classes)),
                "gain": Out(gains),
                "set": In(1),
                "value": In(gains),
                "clear": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        classes = cfg.classes
        gains = Array(
            Signal.like(self.gain, name=f"gain_{layer}_{row}")
            for layer in range(len(cfg.hidden))
            for row in range(classes)
        )
        # 1: the leading one of the sum; a row's magnitudes cannot add up to more bits
        bits = (max(cfg.hidden) << (cfg.stored.width - 1)).bit_length()
        octave, leading = Signal(range(bits)), Signal(range(bits))
        for n in range(1, bits):
            with m.If(self.total[n]):
                m.d.comb += leading.eq(n)
        total, found = Signal(bits), Signal()
        place = Signal(range(len(gains)))
        layer = Signal.like(self.layer)
        m.d.sync += [
            octave.eq(leading),
            total.eq(self.total),
            found.eq(self.found),
            place.eq(first_rows(cfg)[self.layer] + self.row),
            layer.eq(self.layer),
        ]
        # 2: thresholds lie a factor of 2 apart, so only one of them is left; 3: compare with it
        octaves = [[_octave(cfg, units, n) for n in range(bits)] for units in cfg.hidden]

        def found_in(part):
            return Array(Array(each[part] for each in of)[octave] for of in octaves)[layer]

        base, border = Signal.like(self.gain), Signal(bits + 1)
        sum_3, place_3, found_3 = Signal.like(total), Signal.like(place), Signal()
        m.d.sync += [
            base.eq(found_in(0)),
            border.eq(found_in(1)),
            sum_3.eq(total),
            place_3.eq(place),
            found_3.eq(found),
        ]
        m.d.comb += self.gain.eq(gains[self.query])
        with m.If(found_3):
            m.d.sync += gains[place_3].eq(base + (sum_3 >= border))
        with m.If(self.set):
            m.d.sync += gains[self.query].eq(self.value)
        with m.If(self.clear):
            m.d.sync += [gain.eq(0) for gain in gains]
        return m


class ReadScale(wiring.Component):
    """``E = sat(M * 2**-shift + kappa * code)`` for some lanes; as `hebbware.golden.Core.read`.

    Latency: one clock.

    Parameters
    ----------
    config : CoreConfig
    lanes : int

    Members
    -------
    word : In
        Class-memory word of the lanes, code bits on top of each lane.
    gain : In
        Of the row, for kinds that scale themselves.
    read : Out
        E of the lanes.
    """

    def __init__(self, config, lanes):
        self.config, self.lanes = config, lanes
        super().__init__(
            {
                "word": In(lanes * word_width(config)),
                "gain": In(range(config.stored.width)),
                "read": Out(lanes * config.read.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        low, _ = widths.read_shifts(cfg)
        offset = int(cfg.memory.kappa * cfg.read.one)
        outputs = []
        for lane in range(self.lanes):
            word = self.word.word_select(lane, word_width(cfg))
            value = Const(0, signed(2))
            if cfg.writes_memory:
                stored = word[: cfg.stored.width].as_signed()
                if cfg.memory.self_scaling:
                    read = shift_saturate_by(m, stored, self.gain, low, cfg.read, f"lane_{lane}", 2)
                    outputs.append(read)
                    continue  # such kinds read no codes
                value = shift_round(stored, low)
            if offset:
                value = value + Mux(word[-1], -offset, offset)
            scaled = Signal.like(value, name=f"scaled_{lane}")
            m.d.comb += scaled.eq(value)
            held = Signal(signed(cfg.read.width), name=f"held_{lane}")
            m.d.sync += held.eq(saturate(scaled, cfg.read))
            outputs.append(held)
        m.d.comb += self.read.eq(Cat(outputs))
        return m
