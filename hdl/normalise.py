"""LayerNorm statistics: from the sums over a layer to mean, mantissa and exponent."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden.arithmetic.tables import rsqrt_table
from ..golden.layers.normalise import (
    MANTISSA_BITS,
    ROOT_HALF,
    VAR_MIN,
    exponent_range,
    reciprocal_of_size,
)
from ..golden.program import widths
from ..golden.program.layout import Layout
from ..golden.program.program import NORMALISE_LATENCY, done_latency, total_latency
from ..golden.program.walk import Kind
from .lanes.fixed import shift_round
from .shapes import index


def mean_shape(config):
    """Shape of the mean activation: negative only where the non-linearity lets through."""
    return signed(config.u.width) if config.neuron.signed else unsigned(config.u.width - 1)


class Normalise(wiring.Component):
    """``1 / sqrt(var a)`` as ``mantissa * 2**-(10 + exponent)``, with the mean.

    The sum comes first, the sum of squares one or more clocks later; as in
    `hebbware.golden.layers.normalise.statistics`. The exponent is output as ``exponent - lowest``.

    Latency: `NORMALISE_LATENCY` clocks from the sum of squares to the results, which stay until the
    next layer's. A new layer may begin each ``NORMALISE_LATENCY`` clocks.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    total : In, signed
    sum, squares : In(1)
        `total` is the sum, or the sum of squares.
    layer : In
        Hidden layer that it belongs to.
    mean, mantissa, exponent, power : Out
        `power` is the exponent of the scale rounded to a power of two, also less the lowest.
    last : In(1)
        Of cores with convolutions: the sum of squares is that of the last position.
    found : Out(1)
        The results are valid in the next clock.
    done : Out(1)
        In the next clock a step that uses them may be issued.
    """

    def __init__(self, config):
        self.config = config
        self.low, self.high = exponent_range(config)
        exponents = range(self.high - self.low + 2)
        super().__init__(
            {
                "total": In(signed(widths.total(config))),
                "sum": In(1),
                "squares": In(1),
                "layer": In(index(len(config.hidden))),
                "mean": Out(mean_shape(config)),
                "mantissa": Out(unsigned(MANTISSA_BITS)),
                "exponent": Out(range(self.high - self.low + 1)),
                "power": Out(exponents),
                "found": Out(1),
                "done": Out(1),
            }
            | ({"last": In(1)} if config.convolves else {})
        )

    @property
    def latency(self):
        """Clocks from the sum of squares to the results."""
        return NORMALISE_LATENCY

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.table = table = memory.Memory(
            shape=unsigned(MANTISSA_BITS),
            depth=1 << cfg.formats.rsqrt_bits,
            init=rsqrt_table(cfg.formats.rsqrt_bits, MANTISSA_BITS).tolist(),
        )
        lookup = table.read_port()

        mean_square, stage = self._means(m)
        lasts = stage
        if cfg.convolves:
            lasts = Signal.like(stage, name="lasts")
            m.d.sync += lasts.eq(lasts << 1 | (self.squares & self.last))

        # 3: variance
        raw = Signal(signed(2 * cfg.u.width - 1))
        var = Signal.like(mean_square)
        squared = Signal.like(mean_square)  # the mean is there a clock before it is needed
        m.d.comb += raw.eq(mean_square - squared)
        m.d.sync += [
            squared.eq(self.mean * self.mean),
            var.eq(Mux(raw < VAR_MIN, VAR_MIN, raw)),
        ]
        found, moved = self._octave(m, var)
        found_6, found_7 = (Signal.like(found, name=f"found_{n}") for n in (6, 7))
        m.d.sync += [found_6.eq(found), found_7.eq(found_6)]

        # 6: the shift; 7: the table
        steps = range(self.high - self.low + 1)
        drops = [
            2 * (cfg.u.fraction + self.low + step) - (cfg.formats.rsqrt_bits - 2) for step in steps
        ]
        m.d.sync += lookup.addr.eq(
            Array(
                (moved >> drop if drop >= 0 else moved << -drop)[: cfg.formats.rsqrt_bits]
                for drop in drops
            )[found]
        )

        # 8: out, to stay
        with m.If(stage[-1]):
            m.d.sync += [
                self.mantissa.eq(lookup.data),
                self.exponent.eq(found_7),
                self.power.eq(found_7 + (lookup.data < ROOT_HALF)),
            ]
        m.d.comb += [
            self.found.eq(stage[-1]),
            # the walk begins a clock after the total, and `done` comes a clock before
            self.done.eq(lasts[done_latency(cfg, Kind.SQUARES.walk) - total_latency(cfg) - 2]),
        ]
        return m

    def _means(self, m):
        """Clocks 1 and 2: times the constant 1/m of the layer, rounded.

        Returns the mean of squares, and the one-hot walk of the sum of squares.
        """
        cfg = self.config
        constants = [reciprocal_of_size(units) for units in Layout(cfg).normalised]
        per_layer = Array(Const(factor, unsigned(17)) for factor, _ in constants)
        product = Signal(signed(widths.total(cfg) + 18))
        layer = Signal.like(self.layer)
        quotient = Array(shift_round(product, shift) for _, shift in constants)[layer]
        # no activation is as low as the format's least
        mean_square = Signal(unsigned(2 * cfg.u.width - 2))
        stage = Signal(NORMALISE_LATENCY - 1)
        had_sum = Signal()
        scaled = self.total
        if any(factor != 1 for factor, _ in constants):  # sizes that are no powers of two
            scaled = self.total * per_layer[self.layer]
        m.d.sync += [
            product.eq(scaled),
            layer.eq(self.layer),
            had_sum.eq(self.sum),
            stage.eq(stage << 1 | self.squares),
        ]
        with m.If(had_sum):
            m.d.sync += self.mean.eq(quotient)
        with m.If(stage[0]):
            m.d.sync += mean_square.eq(quotient)
        return mean_square, stage

    def _octave(self, m, var):
        """Clocks 4 and 5: which even shift brings the variance into [1, 4); the variance then.

        In each step the two bits that are over 4**(low + step) in units of u squared; the highest
        step that has one says how many times 4 the variance is.
        """
        steps = range(self.high - self.low + 1)
        reached, var_4 = Signal(len(steps)), Signal.like(var)
        places = [max(2 * (self.config.u.fraction + self.low + step), 0) for step in steps]
        m.d.sync += [
            reached.eq(
                Cat(
                    var[low:high].any()
                    for low, high in zip(places, [*places[1:], len(var)], strict=True)
                )
            ),
            var_4.eq(var),
        ]
        exponent = Signal(steps)
        for step in steps:
            with m.If(reached[step]):
                m.d.comb += exponent.eq(step)
        found, moved = Signal.like(exponent, name="found_5"), Signal.like(var)
        m.d.sync += [found.eq(exponent), moved.eq(var_4)]
        return found, moved


class Powers(wiring.Component):
    """Keeps the power of each hidden layer's own scale until its direction is rounded.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    squares, layer : In
        The sum of squares of `layer` arrives in this clock.
    found, power : In
        Of `Normalise`.
    asked : In
        The layer of a direction; `kept` is its power, in the same clock.
    """

    def __init__(self, config):
        self.config = config
        low, high = exponent_range(config)
        layers, powers = index(len(config.hidden)), range(high - low + 2)
        super().__init__(
            {
                "squares": In(1),
                "layer": In(layers),
                "found": In(1),
                "power": In(powers),
                "asked": In(layers),
                "kept": Out(powers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        powers = Array(
            Signal.like(self.power, name=f"power_{layer}")
            for layer in range(len(self.config.hidden))
        )
        layer = Signal.like(self.layer)
        settled = Signal()  # the statistics are valid
        m.d.sync += settled.eq(self.found)
        with m.If(self.squares):
            m.d.sync += layer.eq(self.layer)
        with m.If(settled):
            m.d.sync += powers[layer].eq(self.power)
        m.d.comb += self.kept.eq(powers[self.asked])
        return m
