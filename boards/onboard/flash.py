"""Flash at a serial interface: reads words, erases and programs them.

The chip's model, `cosim/models/Flash.sv`, holds every simulation to the data sheet.
"""

from dataclasses import dataclass
from math import ceil

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..protocol import BLOCK_WORDS, ERASE, WORD
from .memory import BITS, members

ADDRESS_BITS = 24
PAGE = 256 // WORD  # words that are programmed at once


@dataclass(frozen=True)
class Chip:
    """A chip: its sizes, and its times in ns.

    Attributes
    ----------
    name : str
        And where the times are from.
    size : int
        Bytes.
    first : int
        Where samples begin; before that is the bitstream.
    high : int
        Between two commands.
    wake : int
        After RELEASE POWER-DOWN.
    cycle : int
        Of the serial clock, while reading.
    program, erase : int
        A page, a block of 64 KiB, as is usual.
    """

    name: str
    size: int = 1 << 24
    first: int = 1 << 20
    high: int = 50
    wake: int = 3_000
    cycle: int = 10
    program: int = 400_000
    erase: int = 150_000_000

    @property
    def kib(self) -> int:
        """KiB of samples that it holds."""
        return (self.size - self.first) // 1024

    @property
    def words(self) -> int:
        """Words of a command's data."""
        return self.kib * 1024 // WORD

    @property
    def pins(self) -> wiring.Signature:
        """The chip's; `cs` is high where it is low on the chip."""
        return wiring.Signature({"cs": Out(1), "clk": Out(1), "copi": Out(1), "cipo": In(1)})

    def memory(self, clock_hz: float) -> "Flash":
        """The controller, in a domain of that clock."""
        return Flash(self, clock_hz)


# of the iCEBreaker, by Winbond. A chip that programs or erases more slowly is asked until it is
# done: of those two times nothing depends but the model's.
W25Q128JV = Chip("W25Q128JV")


class Flash(wiring.Component):
    """Words of a chip, from an address on; its clock is half of the domain's.

    A word that is written changes bits from 1 to 0 alone. That of all ones (`ERASE`), written to
    the first word of `BLOCK_WORDS`, erases them. What is written at consecutive addresses is
    programmed a page at a time: once it is full, something else is wanted, or nothing was written
    for a while.

    Latency: the first word comes 150 clocks after `start` and a pause between commands, and what is
    on its way before that; then one in each 66 clocks.

    Parameters
    ----------
    chip : Chip
    clock_hz : float
        Of the domain ``sync``.

    Members
    -------
    pins : Out
        See `Chip.pins`; a register each.
    see `hebbware.boards.onboard.memory.members`
    """

    def __init__(self, chip: Chip, clock_hz: float):
        self.chip, self.clock_hz = chip, clock_hz
        super().__init__({"pins": Out(chip.pins), **members(chip.words)})

    def elaborate(self, platform):
        m = Module()
        chip, pins = self.chip, self.pins
        high, wake = (ceil(n * 1e-9 * self.clock_hz) + 1 for n in (chip.high, chip.wake))
        longest = 40  # bits of a command
        out, taken = Signal(longest), Signal(BITS)
        left = Signal(range(longest + 1))  # bits
        wait = Signal(range(max(high, wake) + 1), init=wake)
        # fmt: off
        then = {name: n for n, name in enumerate((
            "WOKEN", "STATUS", "ENABLED", "ERASED", "OPENED", "WRITTEN", "FOUND", "WORD",
        ))}
        # fmt: on
        after = Signal(range(len(then)))
        wanted = Signal()  # words from another address on
        at, following, place = (Signal.like(self.address) for _ in range(3))
        writes, value = Signal(), Signal(BITS)
        opened, busy, enabled = Signal(), Signal(), Signal()  # a page; the chip; it may be changed
        idle = Signal(16)  # clocks since the last word
        number = Signal.like(place)
        address = Const(chip.first, ADDRESS_BITS) + Cat(Const(0, 2), number)
        m.d.comb += [self.ready.eq(~writes), number.eq(Mux(writes, place, at))]
        m.d.sync += pins.copi.eq(out[-1])
        with m.If(self.write & self.ready):
            m.d.sync += [writes.eq(1), place.eq(self.place), value.eq(self.value)]
        with m.If(self.words.ready):
            m.d.sync += self.words.valid.eq(0)

        def send(bits, count, what):
            """Put bits on the wire, the highest first; `what` comes after them."""
            data = Signal(longest)
            m.d.comb += data.eq(bits << longest - count)
            m.d.sync += [out.eq(data), left.eq(count), after.eq(then[what]), pins.cs.eq(1)]
            m.next = "LOW"

        def release():
            m.d.sync += [pins.cs.eq(0), wait.eq(high)]
            m.next = "REST"

        with m.FSM(init="WAKE"):
            with m.State("WAKE"):
                send(Const(0xAB, 8), 8, "WOKEN")
            with m.State("REST"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.sync += idle.eq(idle + 1)
                follows = (place == following) & (following % PAGE != 0)
                with m.If(opened & Mux(writes, ~follows, wanted | idle.all())):
                    m.d.sync += [opened.eq(0), busy.eq(1)]
                    release()
                with m.Elif(opened & writes):
                    send(value, BITS, "WRITTEN")
                with m.Elif(busy & (writes | wanted)):
                    send(Cat(Const(0, 8), Const(0x05, 8)), 16, "STATUS")
                with m.Elif(writes & ~enabled):
                    send(Const(0x06, 8), 8, "ENABLED")
                with m.Elif(writes):
                    with m.If((value == ERASE) & (place % BLOCK_WORDS == 0)):
                        send(Cat(address[:ADDRESS_BITS], Const(0xD8, 8)), 32, "ERASED")
                    with m.Else():
                        send(Cat(address[:ADDRESS_BITS], Const(0x02, 8)), 32, "OPENED")
                with m.Elif(wanted):
                    m.d.sync += wanted.eq(0)
                    send(Cat(Const(0, 8), address[:ADDRESS_BITS], Const(0x0B, 8)), 40, "FOUND")
            with m.State("LOW"):
                m.next = "HIGH"
            with m.State("HIGH"):
                m.d.sync += [
                    pins.clk.eq(1), taken.eq(Cat(pins.cipo, taken)), left.eq(left - 1),
                    out.eq(out << 1),
                ]  # fmt: skip
                m.next = "FALL"
            with m.State("FALL"):
                m.d.sync += pins.clk.eq(0)
                with m.If(left != 0):
                    m.next = "HIGH"
                with m.Else():
                    m.next = "DONE"
            with m.State("DONE"):
                with m.Switch(after):
                    with m.Case(then["WOKEN"]):
                        m.d.sync += [pins.cs.eq(0), wait.eq(wake)]
                        m.next = "REST"
                    with m.Case(then["STATUS"]):
                        m.d.sync += busy.eq(taken[0])
                        release()
                    with m.Case(then["ENABLED"]):
                        m.d.sync += enabled.eq(1)
                        release()
                    with m.Case(then["ERASED"]):
                        m.d.sync += [enabled.eq(0), busy.eq(1), writes.eq(0)]
                        release()
                    with m.Case(then["OPENED"]):
                        m.d.sync += [enabled.eq(0), opened.eq(1)]
                        send(value, BITS, "WRITTEN")
                    with m.Case(then["WRITTEN"]):
                        m.d.sync += [writes.eq(0), following.eq(place + 1), idle.eq(0)]
                        m.next = "DECIDE"
                    with m.Case(then["FOUND"], then["WORD"]):
                        with m.If(writes | wanted):
                            release()
                        with m.Elif(after == then["FOUND"]):
                            send(Const(0, BITS), BITS, "WORD")
                        with m.Elif(~self.words.valid | self.words.ready):
                            m.d.sync += [self.words.payload.eq(taken), self.words.valid.eq(1)]
                            send(Const(0, BITS), BITS, "WORD")
        with m.If(self.start):
            m.d.sync += [wanted.eq(1), at.eq(self.address), self.words.valid.eq(0)]
        return m
