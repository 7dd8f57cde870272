"""The list of the units of a recurrent layer that spiked in a tick."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.layout import Layout
from ..shapes import index


class Spikes(wiring.Component):
    """Collects spikes block by block, then writes the numbers of the units that spiked into a list.

    Latency: ``golden.program.program.spikes_latency``: from the second clock after the last block
    has come, a block takes a clock for each of its spikes, at least one. The list is read while a
    pass walks it, which ends before the next one is written.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    en, last : In(1)
        The spikes of a block are here; those of the last one.
    block, bits : In
        Number of the block; a bit for each lane.
    rest : In(1)
        No unit spiked in the tick before.
    count : Out
        How many units are in the list.
    done : Out(1)
        High for one clock; the list is complete in it.
    address : In
        Entry to read; `unit` follows two clocks later.
    unit : Out
    """

    def __init__(self, config):
        self.config = config
        self.layout, units = Layout(config), config.hidden[0]
        super().__init__(
            {
                "en": In(1),
                "last": In(1),
                "block": In(index(self.layout.blocks(0))),
                "bits": In(config.lanes),
                "rest": In(1),
                "count": Out(range(units + 1)),
                "done": Out(1),
                "address": In(index(units)),
                "unit": Out(index(units)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes, blocks, units = self.config.lanes, self.layout.blocks(0), self.config.hidden[0]
        m.submodules.words = words = memory.Memory(shape=lanes, depth=max(blocks, 2), init=[])
        m.submodules.list = kept = memory.Memory(shape=index(units), depth=units, init=[])
        keep, look = words.write_port(), words.read_port()
        put, get = kept.write_port(), kept.read_port()
        starts, running, fresh = Signal(), Signal(), Signal()
        at, left = Signal(range(blocks + 1)), Signal(lanes)
        first = Signal(range(blocks * lanes + lanes))  # unit of lane 0
        count = Signal.like(self.count)
        bits, rest = Signal(lanes), Signal(lanes)
        ends = Signal()  # of a block
        m.d.comb += [
            keep.en.eq(self.en),
            keep.addr.eq(self.block),
            keep.data.eq(self.bits),
            bits.eq(Mux(fresh, look.data, left)),
            rest.eq(bits & (bits - 1)),
            ends.eq(running & (rest == 0)),
            look.addr.eq(at + ends),
            put.en.eq(running & bits.any()),
            put.addr.eq(count),
            put.data.eq(first + _lowest(bits)),
            self.count.eq(Mux(self.rest, 0, count)),
            get.addr.eq(self.address),
        ]
        m.d.sync += [
            self.unit.eq(get.data),
            starts.eq(self.en & self.last),
            left.eq(rest),
            fresh.eq(starts | ends),
            count.eq(count + put.en),
            self.done.eq(ends & (at == blocks - 1)),
        ]
        with m.If(starts):
            m.d.sync += [running.eq(1), count.eq(0)]
        with m.Elif(ends):
            with m.If(at == blocks - 1):
                m.d.sync += [running.eq(0), at.eq(0), first.eq(0)]
            with m.Else():
                m.d.sync += [at.eq(at + 1), first.eq(first + lanes)]
        return m


def _lowest(bits):
    """Number of the lowest bit that is set."""
    found = Const(len(bits) - 1)
    for lane in reversed(range(len(bits) - 1)):
        found = Mux(bits[lane], lane, found)
    return Cat(found)
