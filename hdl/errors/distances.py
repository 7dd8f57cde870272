"""Distances in input space between the sample at hand and those of the window."""

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.modulators.hsic import distance_bits
from ..shapes import index, value_shape
from ..walks.step import kinds_of


class Distances(wiring.Component):
    """``|x_0 - x_p|^2 = |x_0|^2 + |x_p|^2 - 2 x_0 x_p`` of the N samples of a window.

    A ring holds the inputs of N + 1 samples: N - 1 of the past, the one at hand, and the one
    arriving meanwhile. Each sample's ``|x|^2`` is summed while it arrives; the dot products with
    all others while the first block of the first layer is walked, one input a clock, non-zero ones
    only. Samples that are only inferred are overwritten by the next.

    Latency: dot products are complete two clocks after the last step of the block is in stage 2;
    `distance` follows `age` in the same clock.

    Resources: N + 1 multipliers and one more of ``input.bits``, as many accumulators; a memory of
    ``inputs`` words of N + 1 inputs.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    put : In(1), put_index, put_value : In
        An input of the arriving sample.
    put_label, put_class : In(1)
        Its label arrives; the label is a class.
    index : In
        Stage 1: which input is walked.
    walks : In(1), first : In(1), value : In
        Stage 2: an input or the bias of the first block is walked, the first one; the input, 0 for
        the bias.
    learned : In(1)
        The sample at hand is finished and was learned.
    rewind, back : In(1)
        Select the sample at hand; select the one before the selected sample.
    distance : Out
        Of the selected sample.
    """

    def __init__(self, config):
        self.config = config
        entries, value = index(config.inputs), value_shape(config)
        super().__init__(
            {
                "put": In(1),
                "put_index": In(entries),
                "put_value": In(value),
                "put_label": In(1),
                "put_class": In(1),
                "index": In(entries),
                "walks": In(1),
                "first": In(1),
                "value": In(value),
                "learned": In(1),
                "rewind": In(1),
                "back": In(1),
                "distance": Out(unsigned(distance_bits(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, slots = self.config, self.config.memory.window + 1
        value, norm = value_shape(cfg), unsigned(distance_bits(cfg))
        m.submodules.ring = ring = memory.Memory(
            shape=data.ArrayLayout(value, slots),
            depth=max(cfg.inputs, 2),  # Verilog has no address of no bits
            init=[],
        )
        m.submodules.norms = norms = memory.Memory(shape=norm, depth=slots, init=[])
        write, read = ring.write_port(granularity=1), ring.read_port()
        keep, own, other = norms.write_port(), *(norms.read_port(domain="comb") for _ in "12")

        # the arriving sample, one clock late: its slot is known one clock after the last label
        loading = Signal(range(slots))
        late, closes, stays = Signal(), Signal(), Signal()
        entry, pixel = Signal.like(self.put_index), Signal(value)
        square, total = Signal(unsigned(2 * cfg.input.bits)), Signal(norm)
        m.d.sync += [
            late.eq(self.put),
            entry.eq(self.put_index),
            pixel.eq(self.put_value),
            square.eq(self.put_value * self.put_value),
            closes.eq(self.put_label),
            stays.eq(self.put_class),
        ]
        m.d.comb += [
            write.addr.eq(entry),
            write.en.eq(Mux(late, 1 << loading, 0)[:slots]),
            *(write.data[slot].eq(pixel) for slot in range(slots)),
            keep.en.eq(closes & stays),
            keep.addr.eq(loading),
            keep.data.eq(total),
        ]
        with m.If(late):
            m.d.sync += total.eq(total + square)
        with m.If(closes):
            m.d.sync += total.eq(0)
        with m.If(keep.en):
            m.d.sync += loading.eq(Mux(loading == slots - 1, 0, loading + 1))

        # the sample at hand: products with all slots in stage 3, sums after it
        m.d.comb += read.addr.eq(self.index)
        begins, adds = Signal(), Signal()
        m.d.sync += [begins.eq(self.walks & self.first), adds.eq(self.walks)]
        dots = []
        for slot in range(slots):
            product = Signal(signed(2 * cfg.input.bits + 1), name=f"product_{slot}")
            dot = Signal(signed(len(self.distance) + 1), name=f"dot_{slot}")
            m.d.sync += product.eq(self.value * read.data[slot])
            with m.If(adds):
                m.d.sync += dot.eq(Mux(begins, 0, dot) + product)
            dots.append(dot)

        # the selected slot
        current, at = Signal(range(slots)), Signal(range(slots))
        with m.If(self.learned):
            m.d.sync += current.eq(Mux(current == slots - 1, 0, current + 1))
        with m.If(self.rewind):
            m.d.sync += at.eq(current)
        with m.Elif(self.back):
            m.d.sync += at.eq(Mux(at == 0, slots - 1, at - 1))
        m.d.comb += [
            own.addr.eq(current),
            other.addr.eq(at),
            self.distance.eq(own.data + other.data - (Array(dots)[at] << 1)),
        ]
        return m


def walks_inputs(config, step):
    """Whether `step` belongs to the walk in which dot products of inputs are made."""
    walked = (
        step.valid
        & (step.kind == kinds_of(config).Kind.FORWARD)
        & (step.layer == 0)
        & (step.block == 0)
    )
    return walked & step.rest if config.leaky else walked
