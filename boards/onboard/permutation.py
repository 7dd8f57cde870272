"""The order of samples: the permutation of `hebbware.golden.arithmetic.permutation`."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.permutation import KEY_BITS, ROUNDS, TURN
from ...hdl.shapes import index


class Permutation(wiring.Component):
    """Gives the place of one number after another.

    Latency: `ROUNDS` clocks and one for each time that a number is changed, at least one; a key
    of 0 takes one clock.

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
        Find the place of `number`, below `count`.
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
        round_ = Signal(range(ROUNDS + 1))
        busy = Signal()
        mask, shifted = Signal(self.bits), Signal(2 * self.bits)
        byte = own[:8]
        added, spread, tripled, mixed = (Signal(self.bits, name=n) for n in "abcd")
        m.d.comb += [
            mask.eq((1 << self.half) - 1),
            added.eq((right + byte) & mask),
            spread.eq(added ^ ((added << 3) & mask)),
            tripled.eq((spread + (spread << 1) + byte[3:]) & mask),
            mixed.eq(tripled ^ (tripled >> (self.half >> 1))),
            shifted.eq(left << self.half | right),
        ]
        found = Mux(self.key == 0, 1, shifted < self.count)
        with m.If(self.start):
            m.d.sync += [
                left.eq(self.number >> self.half),
                right.eq(self.number & mask),
                round_.eq(Mux(self.key == 0, ROUNDS, 0)),
                own.eq(self.key),
                busy.eq(1),
                self.ready.eq(0),
            ]
        with m.Elif(busy & (round_ != ROUNDS)):
            m.d.sync += [
                left.eq(right),
                right.eq(left ^ mixed),
                own.eq(Cat(own[TURN:], own[:TURN])),
                round_.eq(round_ + 1),
            ]
        with m.Elif(busy):
            m.d.sync += [round_.eq(0), own.eq(self.key), self.place.eq(shifted)]
            with m.If(found):
                m.d.sync += [busy.eq(0), self.ready.eq(1)]
        return m
