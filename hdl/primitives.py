"""Cells of the vendors, each behind `match platform` beside a portable description.

What a cell computes is held against the same predictions as the portable description, in
simulation, with the models in `hebbware.cosim.models`.
"""

from amaranth.hdl import Array, Cat, ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.vendor import LatticeICE40Platform

SPRAM_DEPTH, SPRAM_WIDTH = 1 << 14, 16


class SinglePortRam(wiring.Component):
    """Memory that is either read or written in a clock.

    Latency: `word` one clock after `address`, if `write_en` was low then; undefined otherwise.

    On an iCE40UP5K ``ceil(width / 16) * ceil(depth / 16384)`` SB_SPRAM256KA, whose contents are
    undefined at first. Elsewhere one port of a block RAM, which starts at 0.

    Parameters
    ----------
    width, depth : int

    Members
    -------
    address, write_en, written : In
    word : Out
    """

    def __init__(self, *, width, depth):
        self.width, self.depth = width, depth
        super().__init__(
            {
                "address": In(range(depth)),
                "write_en": In(1),
                "written": In(width),
                "word": Out(width),
            }
        )

    def elaborate(self, platform):
        match platform:
            case LatticeICE40Platform(device="iCE40UP5K"):
                return self._spram()
        m = Module()
        m.submodules.ram = ram = memory.Memory(shape=self.width, depth=self.depth, init=[])
        read, write = ram.read_port(), ram.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(~self.write_en),
            self.word.eq(read.data),
            write.addr.eq(self.address),
            write.en.eq(self.write_en),
            write.data.eq(self.written),
        ]
        return m

    def _spram(self):
        m = Module()
        banks = -(-self.depth // SPRAM_DEPTH)
        slices = -(-self.width // SPRAM_WIDTH)
        bits = SPRAM_DEPTH.bit_length() - 1
        low = Cat(self.address, Const(0, bits))[:bits]
        bank = self.address[bits:] if banks > 1 else Const(0, 1)
        asked = Signal(range(max(banks, 2)))
        m.d.sync += asked.eq(bank)
        words = []
        for number in range(banks):
            chosen = bank == number if banks > 1 else Const(1)
            parts = []
            for at in range(slices):
                part = Signal(SPRAM_WIDTH, name=f"word_{number}_{at}")
                m.submodules[f"spram_{number}_{at}"] = Instance(
                    "SB_SPRAM256KA",
                    i_ADDRESS=low,
                    i_DATAIN=Cat(self.written, Const(0, SPRAM_WIDTH * slices - self.width))[
                        SPRAM_WIDTH * at : SPRAM_WIDTH * (at + 1)
                    ],
                    i_MASKWREN=0b1111,
                    i_WREN=self.write_en & chosen,
                    i_CHIPSELECT=chosen,
                    i_CLOCK=ClockSignal(),
                    i_STANDBY=0,
                    i_SLEEP=0,
                    i_POWEROFF=1,  # active low
                    o_DATAOUT=part,
                )
                parts.append(part)
            words.append(Cat(parts)[: self.width])
        m.d.comb += self.word.eq(Array(words)[asked] if banks > 1 else words[0])
        return m
