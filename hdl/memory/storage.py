"""Memories that become block RAM, or small RAM made of LUTs, without logic around them."""

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.vendor import LatticePlatform

from ...golden.estimate.devices import FAMILIES
from ..primitives import SinglePortRam


class Storage(wiring.Component):
    """One read and one write port, or one port for both.

    Latency: `data` one clock after `address`. A word that is read in the clock in which it is
    written is undefined after synthesis (the old one in simulation); promising the old one would
    cost a LUT and two flip-flops for each bit on most devices. Nothing may depend on it. With one
    port nothing is read in a clock in which `en` is high; see `SinglePortRam`. On an ECP5 words are
    cut into parts of a block RAM each (`hebbware.golden.estimate.devices.Family`).

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
        cut = None
        match platform:
            case LatticePlatform(family="ecp5"):
                cut = FAMILIES["ecp5"].part_bits(self.depth)
        if cut is None or cut >= self.word.width:
            m.submodules.words = self._part(m, self.data, self.written)
            return m
        for at in range(0, self.word.width, cut):
            data, written = (word[at : at + cut] for word in (self.data, self.written))
            m.submodules[f"words_{at}"] = self._part(m, data, written)
        return m

    def _part(self, m, read_data, written):
        """A memory of some bits of all words; their data are read to `read_data`."""
        words = memory.Memory(
            shape=read_data.shape(), depth=self.depth, init=[], attrs={"no_rw_check": 1}
        )
        # the register behind the port becomes the RAM's own; it has no reset, as those have none
        read, write = words.read_port(domain="comb"), words.write_port()
        data = Signal.like(read_data, name="data", reset_less=True)
        m.d.sync += data.eq(read.data)
        m.d.comb += [
            read.addr.eq(self.address),
            read_data.eq(data),
            write.en.eq(self.en),
            write.addr.eq(self.place),
            write.data.eq(written),
        ]
        return words
