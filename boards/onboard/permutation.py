"""The order of samples: the permutation of `hebbware.golden.arithmetic.permutation`."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.permutation import KEY_BITS, ROUNDS, TURN
from ...hdl.shapes import index


class Permutation(wiring.Component):
    """Gives the place of one number after another.

    Latency: 4 clocks, and two for each of `ROUNDS`; three and the rounds again for each time that a
    number is changed further. A key of 0 takes 4 clocks.

    Parameters
    ----------
    bits : int
        Of a half of a number, at most.

    Members
    -------
    count : In
        Numbers that are permuted.
    half : In
        Bits of a half of them (`hebbware.golden.arithmetic.permutation.half_bits`).
    key : In
    start : In(1), number : In
        Find the place of `number`, below `count`; not while another one is looked for.
    ready : Out(1), place : Out
        It is found.
    """

    def __init__(self, bits):
        self.bits = bits
        super().__init__(
            {
                "count": In(2 * bits),
                "half": In(index(bits + 1)),
                "key": In(KEY_BITS),
                "start": In(1),
                "number": In(2 * bits),
                "ready": Out(1),
                "place": Out(2 * bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left, right = Signal(self.bits), Signal(self.bits)
        own = Signal(KEY_BITS)
        round_ = Signal(range(ROUNDS))
        number = Signal(2 * self.bits)
        mask, plain = Signal(self.bits), Signal()
        byte = own[:8]
        added, spread, product = (Signal(self.bits, name=n) for n in ("added", "spread", "product"))
        m.d.sync += [mask.eq((1 << self.half) - 1), plain.eq(self.key == 0)]  # both stay for long
        m.d.comb += [
            added.eq((right + byte) & mask),
            spread.eq(added ^ ((added << 3) & mask)),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += number.eq(self.number)
                with m.If(self.start):
                    m.d.sync += self.ready.eq(0)
                    m.next = "HALVE"
            with m.State("HALVE"):
                m.d.sync += [left.eq(number >> self.half), right.eq(number & mask)]
                m.d.sync += [round_.eq(0), own.eq(self.key)]
                m.next = "ADD"
                with m.If(plain):
                    m.next = "JOIN"
            with m.State("ADD"):
                m.d.sync += product.eq((spread + (spread << 1) + byte[3:]) & mask)
                m.next = "MIX"
            with m.State("MIX"):
                m.d.sync += [
                    left.eq(right),
                    right.eq(left ^ product ^ (product >> (self.half >> 1))),
                    own.eq(Cat(own[TURN:], own[:TURN])),
                    round_.eq(round_ + 1),
                ]
                m.next = "ADD"
                with m.If(round_ == ROUNDS - 1):
                    m.next = "JOIN"
            with m.State("JOIN"):
                m.d.sync += number.eq(left << self.half | right)
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.next = "HALVE"
                with m.If(plain | (number < self.count)):
                    m.d.sync += [self.place.eq(number), self.ready.eq(1)]
                    m.next = "IDLE"
        return m
