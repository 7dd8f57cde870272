"""The serial line: 8 data bits, no parity, one stop bit, lowest bit first."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ...golden.errors import InputError

SLOWEST = 4  # clocks of a bit, at least
TOLERANCE = 0.02  # a receiver samples up to 9.5 bits after the edge; both ends may be off


def clocks_per_bit(clock_hz: float, baud: int) -> int:
    """Whole clocks of a bit.

    Raises
    ------
    InputError
        No whole number comes near enough to `baud`, or fewer than `SLOWEST` would be left.
    """
    if not baud > 0:
        raise InputError(f"baud must be positive, not {baud!r}")
    divisor = round(clock_hz / baud)
    if divisor < SLOWEST:
        raise InputError(
            f"baud must be at most {clock_hz / SLOWEST:.0f} at a clock of {clock_hz:.0f} Hz "
            f"({SLOWEST} clocks a bit), not {baud}"
        )
    if abs(clock_hz / divisor / baud - 1) > TOLERANCE:
        raise InputError(
            f"baud must be within {TOLERANCE:.0%} of the clock {clock_hz:.0f} Hz over a whole "
            f"number; the nearest is {clock_hz / divisor:.0f}, not {baud}"
        )
    return divisor


class Receiver(wiring.Component):
    """Bytes from the line.

    A bit is sampled in its middle. A byte without a stop bit is dropped; so is one that is complete
    before the last was taken.

    Latency: a byte is offered 3 clocks after the middle of its stop bit.

    Parameters
    ----------
    divisor : int
        Clocks of a bit.
    fast : int, optional
        Clocks of a bit while `faster` is high.

    Members
    -------
    rx : In(1)
    bytes : Out(stream)
    faster : In(1)
        With `fast`.
    broken : Out(1)
        With `fast`: a byte of zeros has no stop bit, as where it comes at a slower speed.
    """

    def __init__(self, divisor, fast=None):
        self.divisor, self.fast = divisor, fast
        members = {"rx": In(1, init=1), "bytes": Out(stream.Signature(unsigned(8)))}
        if fast:
            members |= {"faster": In(1), "broken": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules += FFSynchronizer(self.rx, line, init=1)
        bit, half = self.divisor - 1, self.divisor // 2 - 1
        if self.fast:
            bit = Mux(self.faster, self.fast - 1, bit)
            half = Mux(self.faster, self.fast // 2 - 1, half)
        timer = Signal(range(self.divisor))
        bits = Signal(range(10))  # left to sample; 0: waiting for a start bit
        shift = Signal(8)
        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)
        with m.If(bits == 0):
            m.d.sync += timer.eq(half)
            with m.If(~line):
                m.d.sync += bits.eq(10)
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(bit), bits.eq(bits - 1)]
            with m.If(bits == 1):
                if self.fast:
                    m.d.comb += self.broken.eq(~line & (shift == 0))
                with m.If(~self.bytes.valid | self.bytes.ready):
                    m.d.sync += [self.bytes.payload.eq(shift), self.bytes.valid.eq(line)]
            with m.Elif((bits == 10) & line):  # a glitch, no start bit
                m.d.sync += bits.eq(0)
            with m.Elif(bits != 10):
                m.d.sync += shift.eq(Cat(shift[1:], line))
        return m


class Sender(wiring.Component):
    """Bytes onto the line.

    Initiation interval: 10 bits a byte.

    Parameters
    ----------
    divisor : int
        Clocks of a bit.
    fast : int, optional
        Clocks of a bit while `faster` is high.

    Members
    -------
    bytes : In(stream)
    tx : Out(1)
    faster : In(1)
        With `fast`.
    idle : Out(1)
        With `fast`: the last stop bit is over.
    """

    def __init__(self, divisor, fast=None):
        self.divisor, self.fast = divisor, fast
        members = {"bytes": In(stream.Signature(unsigned(8))), "tx": Out(1, init=1)}
        if fast:
            members |= {"faster": In(1), "idle": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        bit = self.divisor - 1
        timer = Signal(range(self.divisor))
        shift = Signal(9)  # what is left to send below a one that marks the end; 0: idle
        done = timer == 0
        taken = self.bytes.valid & self.bytes.ready
        if self.fast:
            bit = Mux(self.faster, self.fast - 1, bit)
            m.d.comb += self.idle.eq(done & (shift == 0) & ~taken)
        m.d.sync += self.bytes.ready.eq((timer[1:] == 0) & (shift == 0) & ~taken)
        with m.If(~done):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(shift != 0):
            # the mark goes out as the stop bit
            m.d.sync += [timer.eq(bit), self.tx.eq(shift[0]), shift.eq(shift >> 1)]
        with m.Elif(taken):
            m.d.sync += [timer.eq(bit), self.tx.eq(0), shift.eq(Cat(self.bytes.payload, 1))]
        return m
