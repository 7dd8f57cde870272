"""The header of a request: read a bit a clock, and judged."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .. import protocol
from ..protocol import Message
from .states import either


class Header(wiring.Component):
    """Whether a request is sound, and what is to be done with it.

    While a request comes in, only its bytes are counted. Then its header is read twice: once to
    `examine` it and, where it is carried out, once to `adopt` its number.

    Parameters
    ----------
    buffer : int
        Bytes of a frame buffer. A frame's payload is at its addresses from ``-CHECK`` on, so that
        it ends at the address that is the payload's length.

    Members
    -------
    start : In(1)
        A new request is to come.
    receive : In(1), place : In
        It comes in; where the next byte will be.
    put : In(1)
        With `receive`: a byte is written there.
    cut : In(1)
        With `receive`: the frame ended within a block.
    matches : In(1)
        Its checksum is right.
    examine, adopt : In(1)
    shift : In(1), index : In(6), byte : In(8)
        Bit `index` of the header is the lowest of `byte`; with the first, all of the byte is there.
    accept : Out(1), again : Out(1)
        When it is examined: it is to be carried out; its reply is to be sent again. Else refused.
    slot : Out
        When it is examined: the lowest bits of its number, which tell where its reply is kept.
    accepted : In(1)
        It is carried out.
    message : Out
        Number of the message; 0: there is no such one.
    end : Out
        Address of the payload's end.
    answer : In(1), wanted : Out(1)
        A byte of the answer's payload has been given; another one is to be.
    """

    def __init__(self, buffer):
        self.buffer = buffer
        super().__init__(
            {
                "start": In(1),
                "receive": In(1),
                "place": In(range(buffer)),
                "put": In(1),
                "cut": In(1),
                "matches": In(1),
                "examine": In(1),
                "adopt": In(1),
                "shift": In(1),
                "index": In(6),
                "byte": In(unsigned(8)),
                "accept": Out(1),
                "again": Out(1),
                "slot": Out(range(protocol.window(buffer))),
                "accepted": In(1),
                "message": Out(range(max(Message) + 1)),
                "end": Out(range(buffer)),
                "answer": In(1),
                "wanted": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        index, bit, end = self.index, self.byte[0], self.end
        largest = protocol.largest_payload(self.buffer)
        examines = self.shift & self.examine
        # bytes of `protocol.REQUEST`: message, sequence, two of the length, two of the answer
        in_sequence = index[3] & ~index[4] & ~index[5]
        in_length, in_answer = index[4], index[5]
        within = Signal()  # of the 16 bits, one that a number of bytes may have
        m.d.comb += within.eq(index[:4] < len(end))

        broken, short = Signal(), Signal()
        with m.If(self.start):
            m.d.sync += [broken.eq(0), short.eq(1)]
        with m.Elif(self.receive & self.put):
            with m.If(self.place == self.buffer - 1):
                m.d.sync += short.eq(0)
            with m.If(self.place == largest):
                m.d.sync += broken.eq(1)
        with m.Elif(self.receive & self.cut):
            m.d.sync += broken.eq(1)
        with m.Elif(examines):
            wrong = Mux(within, in_length & (bit != end[0]), (in_length | in_answer) & bit)
            m.d.sync += broken.eq(broken | wrong)

        with m.If(self.examine & (index == 0)):
            known = (self.byte != 0) & (self.byte <= max(Message))
            m.d.sync += self.message.eq(Mux(known, self.byte, 0))

        number = Signal(8)  # of the request that was carried out last
        recent, follows = Signal(), Signal()  # this one is of the window before, or the next
        carry = Signal()  # of what is added, a bit a clock
        borrow = Signal()  # of the request's number taken from the last one's
        small = index[1:4] == 0
        distance = number[0] ^ bit ^ borrow
        with m.If(self.start):
            m.d.sync += [recent.eq(1), follows.eq(1), borrow.eq(0)]
        with m.Elif(examines & in_sequence):
            in_slot = index[:3] < len(self.slot)
            m.d.sync += [
                recent.eq(recent & ~(distance & ~in_slot)),
                borrow.eq(Mux(number[0] ^ bit, bit, borrow)),
                follows.eq(follows & (bit == (number[0] ^ carry))),
            ]
            with m.If(in_slot):
                m.d.sync += self.slot.eq(Cat(self.slot[1:], bit))
        with m.If(self.shift & in_sequence & (self.examine | self.adopt)):
            m.d.sync += number.eq(Cat(number[1:], Mux(self.adopt, bit, number[0])))
        # the frame ends behind its checksum, the payload 4 bytes before
        with m.If(self.receive):
            m.d.sync += end.eq(self.place)
        with m.Elif(examines & in_length & within):
            m.d.sync += end.eq(Cat(end[1:], end[0] ^ (carry & ~small)))
        with m.If(self.receive):
            m.d.sync += carry.eq(1)
        with m.Elif(self.shift):
            m.d.sync += carry.eq(
                either(
                    in_length & (small | (carry & ~end[0])),
                    ~in_length & carry & (number[0] | ~in_sequence),
                )
            )

        left = Signal(range(self.buffer))  # bytes of the answer
        m.d.sync += self.wanted.eq((left[1:] != 0) | (left[0] & ~self.answer))
        with m.If(examines & in_answer & within):
            m.d.sync += left.eq(Cat(left[1:], bit))
        with m.Elif(self.answer):
            m.d.sync += left.eq(left - 1)
        excess = Signal()  # more than the largest payload, which is 0 in its lowest bits only
        low = (protocol.MARGIN - 1).bit_length()
        m.d.sync += excess.eq(left[low:].all() & left[:low].any())

        greeted = Signal()  # since power-up
        with m.If(self.accepted):
            m.d.sync += greeted.eq(1)
        sound = Signal()
        greets = self.message == Message.IDENTITY
        m.d.comb += [
            sound.eq(~broken & ~short & self.matches & ~excess),
            self.accept.eq(sound & (greets | (greeted & follows & (self.message != 0)))),
            self.again.eq(sound & ~greets & greeted & recent),
        ]
        return m
