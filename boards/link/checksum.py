"""The checksum of frames: CRC-32/ISO-HDLC, a bit a clock."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import crc, wiring
from amaranth.lib.wiring import In, Out

CRC = crc.catalog.CRC32_ISO_HDLC
POLYNOMIAL = int(f"{CRC.polynomial:032b}"[::-1], 2)  # bits reversed: the lowest goes first
RESIDUE = CRC(data_width=1).residue()  # left of every message that is followed by its checksum


class Checksum(wiring.Component):
    """Takes bits into a CRC, or gives it out, lowest bit first.

    Latency: `matches` follows two clocks after the bits; so does the first bit that is given out: a
    clock without `shift` has to be between.

    Members
    -------
    start : In(1)
        Begin anew.
    shift : In(1)
        A bit is taken in, or the next one is given out.
    data : In(1)
    drain : In(1)
        Bits are given out.
    low : Out(1)
        The bit to be given out.
    matches : Out(1)
        What was taken in ends in the CRC of what came before it.
    """

    def __init__(self):
        super().__init__(
            {
                "start": In(1),
                "shift": In(1),
                "data": In(1),
                "drain": In(1),
                "low": Out(1),
                "matches": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        register = Signal(32)
        taken, data = Signal(), Signal()  # a bit comes from far
        feedback = Signal()
        m.d.comb += [
            self.low.eq(~register[0]),
            feedback.eq((register[0] ^ data) & taken),
        ]
        m.d.sync += [
            taken.eq(self.shift & ~self.drain),
            data.eq(self.data),
            self.matches.eq(register == RESIDUE),
        ]
        with m.If(self.start):
            m.d.sync += register.eq(CRC.initial_crc)
        with m.Elif(taken | (self.shift & self.drain)):
            m.d.sync += register.eq(register >> 1 ^ Mux(feedback, POLYNOMIAL, 0))
        return m
