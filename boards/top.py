"""The top level of every board: clock, reset, the system with its serial port, lights."""

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from . import pll
from .system import System

SETTLE = 20e-6  # seconds; an iCE40's block RAM is not usable for 10 us after configuration


class Clocks(Elaboratable):
    """Domain ``sync`` at `clock_hz` from the board's clock, in reset until that is steady.

    Parameters
    ----------
    board : Board
    clock_hz : int
    """

    def __init__(self, board, clock_hz: int):
        self.board, self.clock_hz = board, clock_hz
        match board.family:
            case "ecp5":
                self.setting = pll.ecp5(board.source_hz, clock_hz)
            case "ice40":
                self.setting = pll.ice40(board.source_hz, clock_hz)
            case "gowin":
                limits = pll.GW2AR_18 if "GW2AR" in board.device else pll.GW1NR_9
                self.setting = pll.gowin(board.source_hz, clock_hz, limits)

    @property
    def frequency(self) -> float:
        """The clock in Hz that the PLL makes, as near to the wanted one as it can."""
        return float(self.setting.frequency)

    def elaborate(self, platform):
        m = Module()
        board, setting = self.board, self.setting
        pin = platform.request(board.clock, dir="-")
        clock, locked = Signal(), Signal()
        platform.add_clock_constraint(clock, self.frequency)
        if board.family == "ice40":
            m.submodules.pll = pll.ice40_instance(setting, pin.io, clock, locked)
        else:
            m.submodules.buffer = buffer = io.Buffer("i", pin)
            if board.family == "ecp5":
                m.submodules.pll = pll.ecp5_instance(
                    board.source_hz, setting, buffer.i, clock, locked
                )
            else:
                m.submodules.pll = pll.gowin_instance(
                    board.source_hz, setting, platform.family, buffer.i, clock, locked
                )
        m.domains.raw = ClockDomain(reset_less=True)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal("raw").eq(clock), ClockSignal("sync").eq(clock)]
        steady = Signal()
        m.submodules.lock = FFSynchronizer(locked, steady, o_domain="raw")
        wait = round(SETTLE * self.frequency)
        waited = Signal(range(wait + 1))
        ready = Signal()
        with m.If(~steady):
            m.d.raw += waited.eq(0)
        with m.Elif(waited != wait):
            m.d.raw += waited.eq(waited + 1)
        m.d.raw += ready.eq(steady & (waited == wait))
        m.submodules.reset = ResetSynchronizer(~ready, domain="sync")
        return m


class Top(Elaboratable):
    """`System` on a board: its serial port; the first light while it is not in reset.

    Parameters
    ----------
    board : Board
    config : CoreConfig
    clock_hz : int
        Wanted clock of the core.
    """

    def __init__(self, board, config, clock_hz: int):
        self.board, self.config = board, config
        self.clocks = Clocks(board, clock_hz)

    def elaborate(self, platform):
        m = Module()
        m.submodules.clocks = self.clocks
        m.submodules.system = system = System(
            self.config, clock_hz=round(self.clocks.frequency), baud=self.board.baud
        )
        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-"})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [system.rx.eq(rx.i), tx.o.eq(system.tx)]
        return m
