"""Statistics of every position of a map, kept for the passes that use them."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden.layers.normalise import MANTISSA_BITS, exponent_range
from ..golden.program.layout import Layout
from ..golden.program.program import NORMALISE_LATENCY
from .normalise import mean_shape
from .primitives import late
from .shapes import index


class Statistics(wiring.Component):
    """Mean, mantissa, exponent and power of each position, of all hidden layers.

    Latency: what is asked for is there two clocks later, the mean three. It may be asked for
    ``NORMALISE_LATENCY`` clocks after its sum of squares has arrived.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    squares : In(1)
        A sum of squares arrives in this clock,
    spot : In
        of this position; positions of all hidden layers are counted one after another.
    mean, mantissa, exponent, power : In
        Of `hebbware.hdl.normalise.Normalise`.
    asked : In
    mean_kept, mantissa_kept, exponent_kept, power_kept : Out
    """

    def __init__(self, config):
        self.config = config
        self.depth = Layout(config).spots[-1]
        low, high = exponent_range(config)
        self.shapes = {
            "mean": mean_shape(config),
            "mantissa": unsigned(MANTISSA_BITS),
            "exponent": range(high - low + 1),
            "power": range(high - low + 2),
        }
        spot = index(self.depth)
        super().__init__(
            {"squares": In(1), "spot": In(spot), "asked": In(spot)}
            | {name: In(shape) for name, shape in self.shapes.items()}
            | {f"{name}_kept": Out(shape) for name, shape in self.shapes.items()}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.kept = kept = memory.Memory(
            shape=data.StructLayout(self.shapes), depth=max(self.depth, 2), init=[]
        )
        write = kept.write_port()
        read = kept.read_port(transparent_for=[write])
        asked = late(m, read.data, name="asked_{}")  # block RAM is slow
        # the mean is there two clocks after the squares, when the next sum cannot have come yet
        mean = late(m, self.mean, NORMALISE_LATENCY - 2, name="mean_{}")
        m.d.comb += [
            write.en.eq(late(m, self.squares, NORMALISE_LATENCY, name="squares_{}")),
            write.addr.eq(late(m, self.spot, NORMALISE_LATENCY, name="spot_{}")),
            write.data.mean.eq(mean),
            write.data.mantissa.eq(self.mantissa),
            write.data.exponent.eq(self.exponent),
            write.data.power.eq(self.power),
            read.addr.eq(self.asked),
            self.mean_kept.eq(late(m, asked.mean, name="mean_asked")),
            self.mantissa_kept.eq(asked.mantissa),
            self.exponent_kept.eq(asked.exponent),
            self.power_kept.eq(asked.power),
        ]
        return m
