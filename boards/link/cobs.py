"""Consistent overhead byte stuffing: bytes of the line to bytes of a frame, and back."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..protocol import BLOCK


class Decoder(wiring.Component):
    """Decodes one byte of the line after another.

    A byte of the line gives at most one byte of the frame, in the same clock; what it gives is
    there before it is taken.

    Members
    -------
    start : In(1)
        A new frame is to come.
    take : In(1), byte : In(8)
        A byte of the line; it is used up where `take` is high.
    put : Out(1), zero : Out(1)
        It gives a byte of the frame: that same one, or a zero.
    end : Out(1)
        The byte is the delimiter, and the frame had bytes.
    complete : Out(1)
        With `end`: no byte of the last block is missing.
    """

    def __init__(self):
        super().__init__(
            {
                "start": In(1),
                "take": In(1),
                "byte": In(unsigned(8)),
                "put": Out(1),
                "zero": Out(1),
                "end": Out(1),
                "complete": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left = Signal(8)  # of the block
        began = Signal()
        joint = Signal()  # a zero stands between this block and the next
        ends = Signal()
        m.d.comb += [
            self.complete.eq(left == 0),
            ends.eq(self.byte == 0),
            self.end.eq(ends & began),
            self.put.eq(~ends & (~self.complete | joint)),
            self.zero.eq(self.complete),
        ]
        with m.If(self.start):
            m.d.sync += [left.eq(0), joint.eq(0), began.eq(0)]
        with m.Elif(self.take & ~ends):
            with m.If(self.complete):
                m.d.sync += [left.eq(self.byte - 1), joint.eq(self.byte != BLOCK + 1), began.eq(1)]
            with m.Else():
                m.d.sync += left.eq(left - 1)
        return m


class Encoder(wiring.Component):
    """Writes a frame into a memory, encoded: a code byte is written when its block is complete.

    Latency: a byte that is put while `ready` is written in the same clock; where it completes a
    block of 254, one clock more passes before the next.

    Parameters
    ----------
    depth : int
        Bytes of the memory, a power of two.
    first : int
        Address of the first byte, an even number; after the last address comes 0.

    Members
    -------
    start : In(1)
        A new frame is to come.
    plain : In(1)
        With `start` and with the bytes: they are written as they are.
    put : In(1), byte : In(8)
        A byte of the frame.
    finish : In(1)
        The frame is complete: two clocks with it high write the last code byte, the delimiter.
    ready : Out(1)
    place : Out
        Address of the next byte.
    write : Out(1), address : Out, value : Out(8)
        Into the memory.
    """

    def __init__(self, depth, first=0):
        self.depth, self.first = depth, first
        super().__init__(
            {
                "start": In(1),
                "plain": In(1),
                "put": In(1),
                "byte": In(unsigned(8)),
                "finish": In(1),
                "ready": Out(1),
                "place": Out(range(depth)),
                "write": Out(1),
                "address": Out(range(depth)),
                "value": Out(unsigned(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        place = self.place
        code = Signal(range(self.depth))  # of the block's code byte
        count = Signal(8)  # bytes of the block, its code byte included
        full = Signal()
        closes = Signal()  # the code byte is written, its block ends
        closed = Signal()  # by `finish`
        m.d.comb += [
            full.eq((count == BLOCK + 1) & ~self.plain),
            self.ready.eq(~full),
            closes.eq(full | (self.put & (self.byte == 0) & ~self.plain) | (self.finish & ~closed)),
            self.write.eq(closes | self.put | self.finish),
            self.address.eq(Mux(closes, code, place)),
            self.value.eq(Mux(closes, count, Mux(self.finish, 0, self.byte))),
        ]
        with m.If(self.start):
            m.d.sync += [
                place.eq(self.first | ~self.plain),
                code.eq(self.first),
                count.eq(1),
                closed.eq(0),
            ]
        with m.Elif(self.finish):
            m.d.sync += closed.eq(1)
        with m.Elif(self.write):
            # plain bytes are of no block: none is full, and closed, after the last of them
            m.d.sync += [place.eq(place + 1), count.eq(count + ~self.plain)]
            with m.If(closes):
                m.d.sync += [code.eq(place), count.eq(1)]
        return m
