"""SDRAM of single data rate, 16 or 32 bits wide: times, and a controller of words.

The chip's model, `cosim/models/Sdram.sv`, holds every simulation to the same times.
"""

from dataclasses import dataclass
from math import ceil

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from ..protocol import WORD
from .memory import BITS, members

AHEAD = 16  # words that are read ahead, a power of two


@dataclass(frozen=True)
class Chip:
    """A chip's size and times: in ns, but those in clocks.

    Attributes
    ----------
    name : str
        And where the times are from.
    width : int
        Bits of a column: 16 or 32.
    bank_bits, row_bits, column_bits : int
        Of an address.
    power_up : int
        Before the first command.
    rc, ras, ras_most, rp, rcd, rrd, rfc : int
        From ACTIVATE of a bank to the next one; to PRECHARGE, at least and at most; from there to
        ACTIVATE; from ACTIVATE to READ or WRITE, and to that of another bank; from REFRESH to the
        next command.
    refi : int
        Between two refreshes, on average.
    mrd, wr : int
        Clocks: from the mode register to the next command; from the last datum to PRECHARGE.
    refreshes : int
        Before it is used.
    cas : int
        Clocks from READ to the first datum.
    lag : int
        Clocks that the device's pins take (`hebbware.boards.platforms.chips`): from a command that
        is given to one that the chip takes, half a clock in, and from a datum there to when
        `pins.in_` has it.
    """

    name: str
    width: int = 16
    bank_bits: int = 2
    row_bits: int = 13
    column_bits: int = 9
    power_up: int = 200_000
    rc: int = 70
    ras: int = 45
    ras_most: int = 100_000
    rp: int = 20
    rcd: int = 20
    rrd: int = 15
    rfc: int = 70
    refi: int = 7_812
    mrd: int = 2
    wr: int = 2
    refreshes: int = 8
    cas: int = 3
    lag: int = 4

    @property
    def burst(self) -> int:
        """Columns of a word."""
        return BITS // self.width

    @property
    def kib(self) -> int:
        """KiB of samples that it holds."""
        return (self.width // 8 << self.bank_bits + self.row_bits + self.column_bits) // 1024

    @property
    def words(self) -> int:
        """Words of a command's data."""
        return self.kib * 1024 // WORD

    @property
    def pins(self) -> wiring.Signature:
        """All of the chip but its clock; those that are low when active on the chip are high."""
        return wiring.Signature(
            {
                **{name: Out(1) for name in ("cke", "cs", "ras", "cas", "we", "drive")},
                "ba": Out(self.bank_bits),
                "a": Out(self.row_bits),
                "dqm": Out(self.width // 8),
                "out": Out(self.width),
                "in_": In(self.width),
            }
        )

    def memory(self, clock_hz: float) -> "Sdram":
        """The controller, in a domain of that clock."""
        return Sdram(self, clock_hz)


# no faster than the slowest grade, -75, of the parts of 256 Mbit that boards carry: Winbond
# W9825G6JH (data sheet A04 of 2011, 9.5: tRC 65, tRAS 45, tRCD and tRP 20 ns; tWR, tRRD and tRSC
# 2 clocks; 8192 refreshes in 64 ms), with 70 ns for tRC and tRFC, which is more than others ask for
SDRAM_256 = Chip("W9825G6JH-75")

# in the package of the GW2AR-18 (Gowin, DS226): EtronTech EM638325, 64 Mbit (data sheet rev. 1.4 of
# 2005: 4 banks of 512K words; 4096 refreshes in 64 ms; grades from 200 down to 100 MHz). Its grade
# is not known here, so no time is shorter than what SDRAM of 100 MHz by others asks for
# (Spectek -8A: tRC 80, tRAS 50, tRCD and tRP 30, tRRD 20 ns). LiteX has for this board the times of
# ESMT's M12L64322A: tRC 55, tRAS 40, tRCD and tRP 15, tRRD 10 ns.
SDRAM_64 = Chip(
    "EM638325", width=32, row_bits=11, column_bits=8, rc=90, ras=60, rp=30, rcd=30, rrd=20, rfc=90,
    refi=15_625, lag=2,
)  # fmt: skip


class Sdram(wiring.Component):
    """Words of a chip, from an address on, refreshed.

    One row is open at a time and stays open. Reads of a word each, a burst of two columns or a
    column, follow each other in each second clock, until `AHEAD` words are there or on their way.

    Latency: with the row open the first word comes ``cas + lag + burst + 3`` clocks after `start`,
    then one in each second clock; another row costs tRP and tRCD, a refresh tRP and tRFC. The first
    start or word to write waits until the chip is initialised.

    Parameters
    ----------
    chip : Chip
    clock_hz : float
        Of the domain ``sync`` and of the chip.

    Members
    -------
    pins : Out
        See `Chip.pins`; a register each.
    see `memory.members`
    """

    def __init__(self, chip: Chip, clock_hz: float):
        self.chip, self.clock_hz = chip, clock_hz
        super().__init__({"pins": Out(chip.pins), **members(chip.words)})

    def clocks(self, nanoseconds: float) -> int:
        """That take at least so long."""
        return max(ceil(nanoseconds * 1e-9 * self.clock_hz - 1e-9), 1)

    def elaborate(self, platform):
        m = Module()
        chip, clocks, width, burst = self.chip, self.clocks, self.chip.width, self.chip.burst
        start_up, rp, rcd, rfc = (clocks(n) for n in (chip.power_up, chip.rp, chip.rcd, chip.rfc))
        # the bank's next ACTIVATE comes after PRECHARGE
        ras = max(clocks(chip.ras), clocks(chip.rc) - rp)
        m.submodules.buffer = buffer = ResetInserter(self.start)(
            fifo.SyncFIFOBuffered(width=BITS, depth=AHEAD)
        )
        wait = Signal(range(start_up + 1))  # clocks before the next command
        open_, row = Signal(), Signal(chip.bank_bits + chip.row_bits)  # bank and row
        recovery = chip.wr + burst - 2  # clocks after the one that follows WRITE
        held = Signal(range(max(ras, recovery) + 1))  # clocks before the row may be closed
        reading, at = Signal(), Signal(range(chip.words))
        room = Signal(range(AHEAD + 1), init=AHEAD)  # for words that are not asked for yet
        place, value, writes = Signal.like(at), Signal(BITS), Signal()
        target = Signal.like(at)
        # whether the open row is another one is known a clock after the address
        far, far_place = Signal(), Signal()
        fresh, settled = Signal(), Signal()
        due = Signal()  # a refresh
        interval = int(chip.refi * 1e-9 * self.clock_hz)
        ticks = Signal(range(interval))
        refreshes = Signal(range(chip.refreshes + 1))
        flight = Signal(chip.cas + chip.lag + burst)  # reads; the lowest: its last datum is there
        wires = Signal.like(flight)  # the same, reads of an earlier start as well
        low = Signal(width)  # the first datum of a word of two
        word_bits = chip.column_bits - (burst - 1)
        pins = self.pins
        # of a command: ras, cas, we
        none, activate, read, write, precharge, refresh, mode = (
            Const(n, 3) for n in (0b000, 0b001, 0b010, 0b110, 0b101, 0b011, 0b111)
        )
        command, line, bank = Signal(3), Signal(chip.row_bits), Signal(chip.bank_bits)
        reads = Signal()
        column = Cat(Const(0, burst - 1), target[:word_bits])
        taken = self.words.valid & self.words.ready
        m.d.comb += [
            target.eq(Mux(writes, place, at)),
            self.ready.eq(~writes),
            self.words.valid.eq(buffer.r_rdy),
            self.words.payload.eq(buffer.r_data),
            buffer.r_en.eq(self.words.ready),
            buffer.w_en.eq(flight[0]),
            buffer.w_data.eq(Cat(low, pins.in_) if burst == 2 else pins.in_),
            pins.dqm.eq(0),
        ]
        m.d.sync += [
            pins.cke.eq(1),
            pins.cs.eq(command.any()),
            Cat(pins.ras, pins.cas, pins.we).eq(command),
            pins.a.eq(line),
            pins.ba.eq(bank),
            pins.drive.eq(0),
            low.eq(pins.in_),
            flight.eq(Cat(flight[1:], reads)),
            wires.eq(Cat(wires[1:], reads)),
            room.eq(room - reads + taken),
            held.eq(held - held.any()),
            far.eq(row != at[word_bits:]),
            far_place.eq(row != place[word_bits:]),
            fresh.eq(self.start),
            settled.eq(writes),
        ]
        with m.If(self.write & self.ready):
            m.d.sync += [writes.eq(1), place.eq(self.place), value.eq(self.value)]
        with m.If(self.start):
            m.d.sync += [at.eq(self.address), reading.eq(1), room.eq(AHEAD), flight.eq(0)]
        with m.Elif(reads):
            m.d.sync += at.eq(at + 1)
        with m.If(wait.any()):
            m.d.sync += wait.eq(wait - 1)

        def give(code, then, pause, *, a=0, ba=0):
            """A command, and how many clocks later the state `then` may give the next one."""
            m.d.comb += [command.eq(code), line.eq(a), bank.eq(ba)]
            m.d.sync += wait.eq(pause - 1)
            m.next = then

        everything = 1 << 10  # PRECHARGE: of all banks
        with m.FSM(init="OFF"):
            with m.State("OFF"):
                m.d.sync += wait.eq(start_up)
                m.next = "WAKE"
            with m.State("WAKE"):
                with m.If(~wait.any()):
                    give(precharge, "PREPARE", rp, a=everything)
            with m.State("PREPARE"):
                with m.If(~wait.any()):
                    m.d.sync += refreshes.eq(refreshes + 1)
                    with m.If(refreshes == chip.refreshes):
                        # bursts of a word's columns, one after the other
                        give(mode, "RUN", chip.mrd, a=chip.cas << 4 | burst - 1)
                    with m.Else():
                        give(refresh, "PREPARE", rfc)
            with m.State("RUN"):
                # (a read in the clock of a start is forgotten with all others)
                wanted = Mux(writes, settled, reading & room.any() & ~fresh)
                with m.If(~wait.any()):
                    with m.If(due | (wanted & open_ & Mux(writes, far_place, far))):
                        with m.If(~open_):
                            m.next = "CLOSED"
                        with m.Elif(~held.any()):
                            m.d.sync += open_.eq(0)
                            give(precharge, "CLOSED", rp, a=everything)
                    with m.Elif(wanted & ~open_):
                        m.next = "CLOSED"
                    with m.Elif(writes & settled):
                        # the data of reads before are off the wires
                        with m.If(~wires.any()):
                            m.d.sync += [
                                pins.drive.eq(1),
                                pins.out.eq(value[:width]),
                                held.eq(Mux(held > recovery, held, recovery)),
                            ]
                            after = "SECOND" if burst == 2 else "RUN"
                            give(write, after, 1, a=column, ba=target[word_bits:])
                            if burst == 1:
                                m.d.sync += writes.eq(0)
                    with m.Elif(wanted):
                        m.d.comb += reads.eq(1)
                        # (whether the next word is of another row is known by then)
                        give(read, "RUN", 2, a=column, ba=target[word_bits:])
            if burst == 2:
                with m.State("SECOND"):
                    m.d.sync += [pins.drive.eq(1), pins.out.eq(value[width:]), writes.eq(0)]
                    m.next = "RUN"
            with m.State("CLOSED"):
                with m.If(~wait.any()):
                    with m.If(due):
                        m.d.sync += due.eq(0)
                        give(refresh, "RUN", rfc)
                    with m.Else():
                        m.d.sync += [open_.eq(1), row.eq(target[word_bits:]), held.eq(ras - 1)]
                        number = target[word_bits:]
                        give(activate, "RUN", max(rcd, 2), a=number[chip.bank_bits :], ba=number)
        # the time goes on while a refresh waits: on average none is late
        m.d.sync += ticks.eq(Mux(ticks == interval - 1, 0, ticks + 1))
        with m.If(ticks == interval - 1):
            m.d.sync += due.eq(1)
        return m
