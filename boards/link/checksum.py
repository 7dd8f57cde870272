"""The checksum of frames: CRC-32/ISO-HDLC, a bit a clock, which takes a third of the logic."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import crc, wiring
from amaranth.lib.wiring import In, Out


class Checksum(wiring.Component):
    """Takes bytes into a CRC, lowest bit first.

    Latency: a byte that is put while not `busy` is in the CRC 9 clocks later; `busy` until then.

    Members
    -------
    start : In(1)
        Begin anew.
    put : In(1), byte : In(8)
    busy : Out(1)
    value : Out(32)
    matches : Out(1)
        What was put ends in the CRC of what was put before it.
    """

    def __init__(self):
        super().__init__(
            {
                "start": In(1),
                "put": In(1),
                "byte": In(unsigned(8)),
                "busy": Out(1),
                "value": Out(unsigned(32)),
                "matches": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = serial = crc.catalog.CRC32_ISO_HDLC(data_width=1).create()
        shift = Signal(9)  # what is left to put in, below a one that marks the end
        m.d.comb += [
            self.busy.eq(shift > 1),
            serial.start.eq(self.start),
            serial.data.eq(shift[0]),
            serial.valid.eq(self.busy),
            self.value.eq(serial.crc),
            self.matches.eq(serial.match_detected),
        ]
        with m.If(self.put):
            m.d.sync += shift.eq(self.byte | 0x100)
        with m.Elif(self.busy):
            m.d.sync += shift.eq(shift >> 1)
        return m
