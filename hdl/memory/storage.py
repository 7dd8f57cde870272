"""Memories that become block RAM, or small RAM made of LUTs, without logic around them."""

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..primitives import SinglePortRam


class Storage(wiring.Component):
    """One read and one write port, or one port for both.

    Latency: `data` one clock after `address`. A word that is read in the clock in which it is
    written is undefined after synthesis (the old one in simulation); promising the old one would
    cost a LUT and two flip-flops for each bit on most devices. Nothing may depend on it. With one
    port nothing is read in a clock in which `en` is high; see `SinglePortRam`.

    Parameters
    ----------
    shape : shape
    depth : int
    ports : int
        1 or 2.

    Members
    -------
    address : In, data : Out
    en : In(1), place, written : In
    """

    def __init__(self, shape, depth, ports=2):
        self.word, self.depth, self.ports = Shape.cast(shape), max(depth, 2), ports
        super().__init__(
            {
                "address": In(range(self.depth)),
                "data": Out(self.word),
                "en": In(1),
                "place": In(range(self.depth)),
                "written": In(self.word),
            }
        )

    def elaborate(self, platform):
        m = Module()
        if self.ports == 1:
            m.submodules.ram = ram = SinglePortRam(width=self.word.width, depth=self.depth)
            m.d.comb += [
                ram.address.eq(Mux(self.en, self.place, self.address)),
                ram.write_en.eq(self.en),
                ram.written.eq(self.written),
                self.data.eq(ram.word),
            ]
            return m
        m.submodules.words = words = memory.Memory(
            shape=self.word, depth=self.depth, init=[], attrs={"no_rw_check": 1}
        )
        # the register behind the port becomes the RAM's own; it has no reset, as those have none
        read, write = words.read_port(domain="comb"), words.write_port()
        data = Signal.like(self.data, reset_less=True)
        m.d.sync += data.eq(read.data)
        m.d.comb += [
            read.addr.eq(self.address),
            self.data.eq(data),
            write.en.eq(self.en),
            write.addr.eq(self.place),
            write.data.eq(self.written),
        ]
        return m
