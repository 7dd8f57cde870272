"""Vendor cells, each behind `match platform` next to a portable description.

In simulation, cells are compared with the same predictions as the portable description, by the
models in `hebbware.cosim.models`.
"""

from amaranth.hdl import Array, Cat, ClockSignal, Const, Instance, Module, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.vendor import LatticeICE40Platform, LatticePlatform

SPRAM_DEPTH, SPRAM_WIDTH = 1 << 14, 16


def late(m, value, clocks: int = 1, *, name: str = "late"):
    """`value` so many clocks later, through registers without reset.

    Each register has the given name, in which ``{}`` stands for its number.
    """
    for number in range(clocks):
        register = Signal.like(value, name=name.format(number), reset_less=True)
        m.d.sync += register.eq(value)
        value = register
    return value


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


class Multiplier(wiring.Component):
    """Product of two signed numbers, with registers before and behind it.

    Latency: two clocks. On an ECP5, where both have at most 18 bits, one MULT18X18D with its own
    registers. Elsewhere the registers are written out, without reset, so that synthesis can put
    them into its multiplier.

    Parameters
    ----------
    a_width, b_width : int

    Members
    -------
    a, b : In
    product : Out
    """

    def __init__(self, a_width, b_width):
        self.a_width, self.b_width = a_width, b_width
        super().__init__(
            {
                "a": In(signed(a_width)),
                "b": In(signed(b_width)),
                "product": Out(signed(a_width + b_width)),
            }
        )

    def elaborate(self, platform):
        match platform:
            case LatticePlatform(family="ecp5") if max(self.a_width, self.b_width) <= 18:
                return self._mult18x18d()
        m = Module()
        left, right = (Signal.like(v, reset_less=True) for v in (self.a, self.b))
        product = Signal.like(self.product, reset_less=True)
        m.d.sync += [left.eq(self.a), right.eq(self.b), product.eq(left * right)]
        m.d.comb += self.product.eq(product)
        return m

    def _mult18x18d(self):
        m = Module()
        operands = {"A": Signal(signed(18)), "B": Signal(signed(18))}
        product = Signal(36)
        m.d.comb += [
            operands["A"].eq(self.a),
            operands["B"].eq(self.b),
            self.product.eq(product),
        ]
        ports = {f"i_{of}{n}": value[n] for of, value in operands.items() for n in range(18)}
        ports |= {f"i_SIGNED{of}": Const(1) for of in operands}
        ports |= {f"o_P{n}": product[n] for n in range(36)}
        for register in ("INPUTA", "INPUTB", "OUTPUT"):
            ports |= {
                f"p_REG_{register}_CLK": "CLK0",
                f"p_REG_{register}_CE": "CE0",
                f"p_REG_{register}_RST": "RST0",
            }
        m.submodules.mult = Instance(
            "MULT18X18D",
            i_CLK0=ClockSignal(),
            i_CE0=Const(1),
            i_RST0=Const(0),
            i_SOURCEA=Const(0),
            i_SOURCEB=Const(0),
            **ports,
        )
        return m


class Copy(wiring.Component):
    """A register that synthesis does not merge with others of the same value.

    Copies of a signal, each placed near its users, would be merged otherwise. Latency: one clock.
    Without reset. On an ECP5 one TRELLIS_FF for each bit; elsewhere a register like others.

    Parameters
    ----------
    width : int

    Members
    -------
    value : In
    copy : Out
    """

    def __init__(self, width):
        super().__init__({"value": In(width), "copy": Out(width)})

    def elaborate(self, platform):
        m = Module()
        match platform:
            case LatticePlatform(family="ecp5"):
                for bit in range(len(self.value)):
                    m.submodules += Instance(
                        "TRELLIS_FF",
                        p_GSR="DISABLED",
                        p_CEMUX="1",
                        p_CLKMUX="CLK",
                        p_LSRMUX="LSR",
                        p_REGSET="RESET",
                        i_CLK=ClockSignal(),
                        i_LSR=Const(0),
                        i_DI=self.value[bit],
                        o_Q=self.copy[bit],
                    )
            case _:
                register = Signal.like(self.copy, reset_less=True)
                m.d.sync += register.eq(self.value)
                m.d.comb += self.copy.eq(register)
        return m
