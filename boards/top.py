"""The top level of every board: clock, reset, the system with its serial port, lights."""

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from . import pll
from .platforms.chips import PINS
from .system import System

SETTLE = 20e-6  # seconds; an iCE40's block RAM is not usable for 10 us after configuration


def clock_setting(board, clock_hz: int) -> pll.Setting:
    """How the board's PLL makes a clock as near to `clock_hz` as it can.

    Raises
    ------
    InputError
        That is too far away.
    """
    match board.family:
        case "ecp5":
            return pll.ecp5(board.source_hz, clock_hz)
        case "ice40":
            return pll.ice40(board.source_hz, clock_hz)
        case _:
            limits = pll.GW2AR_18 if "GW2AR" in board.device else pll.GW1NR_9
            return pll.gowin(board.source_hz, clock_hz, limits)


class Clocks(Elaboratable):
    """Drives the domains ``raw`` and ``sync`` from the board's clock.

    Both have the PLL's clock; ``sync`` is in reset until that is steady.

    Parameters
    ----------
    board : Board
    setting : pll.Setting
    """

    def __init__(self, board, setting: pll.Setting):
        self.board, self.setting = board, setting

    def elaborate(self, platform):
        m = Module()
        board, setting = self.board, self.setting
        pin = platform.request(board.clock, dir="-")
        clock, locked = Signal(), Signal()
        frequency = float(setting.frequency)
        platform.add_clock_constraint(clock, frequency)
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
        m.d.comb += [ClockSignal("raw").eq(clock), ClockSignal("sync").eq(clock)]
        steady = Signal()
        m.submodules.lock = FFSynchronizer(locked, steady, o_domain="raw")
        wait = round(SETTLE * frequency)
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
    """`System` on a board, at its serial port.

    Parameters
    ----------
    board : Board
    config : CoreConfig
    setting : pll.Setting
        Of the core's clock.
    """

    def __init__(self, board, config, setting: pll.Setting):
        self.board, self.config, self.setting = board, config, setting

    def elaborate(self, platform):
        m = Module()
        m.domains.raw = ClockDomain(reset_less=True)
        m.domains.sync = ClockDomain()
        m.submodules.clocks = Clocks(self.board, self.setting)
        m.submodules.system = system = System(
            self.config, clock_hz=round(self.setting.frequency), baud=self.board.baud,
            fast=self.board.fast, buffer=self.board.buffer, queue=self.board.queue,
            memory=self.board.samples_in,
        )  # fmt: skip
        if system.linked.chip:
            m.submodules.chip = chip = PINS[system.linked.chip](system.linked.chip)
            wiring.connect(m, system.pins, chip.pins)
        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-"})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [system.rx.eq(rx.i), tx.o.eq(system.tx)]
        return m
