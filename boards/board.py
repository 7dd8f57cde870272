"""The boards: what each is, which preset it learns with, and at which clock."""

import importlib
from dataclasses import dataclass, field, replace

from ..golden.errors import InputError, one_of
from .onboard import flash, sdram
from .protocol import BUFFER, QUEUE


@dataclass(frozen=True)
class Board:
    """A board that `hebbware build` knows.

    Attributes
    ----------
    name : str
        For ``--board``.
    title : str
    platform_name : str
        ``module:class`` of its Amaranth platform.
    device : str
        Its device, by the name in `hebbware.golden.estimate.devices.DEVICES`.
    preset : str
        The configuration that it is built with unless another is given.
    source_hz, clock_hz : int
        Clock on the board; clock of the core.
    clock : str
        Resource of the board's clock.
    serial : str
        Where the serial port is.
    flash : str
        Command line that brings a bitstream onto the board.
    baud, fast : int
        Bits per second of the line after power-up, and that it can be brought to: the most that
        its bridge does and that the clock makes. FT231X: 3 M (FTDI, data sheet FT_000565);
        FT2232H: 12 M and less (FTDI, AN_120, 4.4); BL702: 3 M (a user of the Tang Nano 9K, issue 7
        of sipeed/TangNano-9K-example); BL616 and the OrangeCrab's adapter: assumed, without a
        source. Where it is too fast a host stays at the first speed.
    buffer, queue : int
        Bytes of each of the link's frame buffers, and of what waits before them.
    memory : int
        KiB of block RAM for samples, unless it is built with more or less.
    chip : str
        What samples lie in instead, one of `chips`; empty: in block RAM.
    chips : dict
        What they can lie in, by the name for ``--memory``.
    """

    name: str
    title: str
    platform_name: str
    device: str
    preset: str
    source_hz: int
    clock_hz: int
    clock: str
    serial: str
    flash: str
    fast: int
    baud: int = 1_000_000
    buffer: int = BUFFER
    queue: int = QUEUE
    memory: int = 0
    chip: str = ""
    chips: dict[str, sdram.Chip | flash.Chip] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """``ecp5``, ``ice40`` or ``gowin``."""
        from ..golden.estimate.devices import DEVICES

        return next(family for name, family, *_ in DEVICES if name == self.device)

    def simulation(self) -> dict:
        """What `hebbware.boards.simulated.board.SimulatedBoard` has to know to be like it."""
        from .top import clock_setting

        clock = round(clock_setting(self, self.clock_hz).frequency)
        names = ("baud", "fast", "buffer", "queue")
        of = {name: getattr(self, name) for name in names}
        return {"clock_hz": clock, "memory": self.samples_in, **of}

    def with_memory(self, memory: str | None) -> "Board":
        """With another memory for samples: KiB of block RAM, or a chip of the board by its name.

        Raises
        ------
        InputError
            It is neither.
        """
        if memory is None:
            return self
        if memory in self.chips:
            return replace(self, chip=memory)
        if not memory.isdecimal():
            chips = " or ".join(self.chips) or "it has no chip for that"
            raise InputError(
                f"--memory must be KiB of block RAM or a chip of {self.name} ({chips}), not "
                f"{memory!r}"
            )
        return replace(self, memory=int(memory), chip="")

    @property
    def samples_in(self):
        """A chip, or KiB of block RAM: what `hebbware.boards.system.System` is given."""
        return self.chips[self.chip] if self.chip else self.memory

    @property
    def block_bytes(self) -> int:
        """Bytes of 32-bit words that a block RAM of the device holds."""
        return 512 if self.family == "ice40" else 2048

    def platform(self):
        """A fresh Amaranth platform."""
        module, _, name = self.platform_name.partition(":")
        return getattr(importlib.import_module(module), name)()


_OWN = "hebbware.boards.platforms"
BOARDS = {
    board.name: board
    for board in (
        Board(
            "ulx3s-85f", "ULX3S", "amaranth_boards.ulx3s:ULX3S_85F_Platform", "ECP5 LFE5U-85F",
            "mnist", 25_000_000, 83_333_333, "clk25", "USB (FT231X)",
            "openFPGALoader --board ulx3s", 3_000_000,
            buffer=1024, queue=8192, chip="sdram", chips={"sdram": sdram.SDRAM_256},
        ),
        Board(
            "orangecrab-25f", "OrangeCrab r0.2 (25F)", f"{_OWN}.orangecrab:OrangeCrab25FPlatform",
            "ECP5 LFE5U-25F", "mnist-25f", 48_000_000, 80_000_000, "clk",
            "header pins 0 (in) and 1 (out), 3.3 V", "openFPGALoader --board orangeCrab", 3_000_000,
            buffer=1024, queue=8192,
        ),
        Board(
            "orangecrab-85f", "OrangeCrab r0.2 (85F)", f"{_OWN}.orangecrab:OrangeCrab85FPlatform",
            "ECP5 LFE5U-85F", "mnist", 48_000_000, 80_000_000, "clk",
            "header pins 0 (in) and 1 (out), 3.3 V", "openFPGALoader --board orangeCrab", 3_000_000,
            buffer=1024, queue=8192, memory=96,
        ),
        Board(
            "ecpix5-85f", "ECPIX-5 (85F)", "amaranth_boards.ecpix5:ECPIX585Platform",
            "ECP5 LFE5U-85F", "mnist", 100_000_000, 80_000_000, "clk100", "USB (FT2232H)",
            "openFPGALoader --board ecpix5_r03", 8_000_000,
            buffer=1024, queue=8192, memory=96,
        ),
        Board(
            "icebreaker", "iCEBreaker", "amaranth_boards.icebreaker:ICEBreakerPlatform",
            "iCE40UP5K", "mnist-pooled", 12_000_000, 30_000_000, "clk12", "USB (FT2232H)",
            "openFPGALoader --board ice40_generic", 6_000_000,
            queue=0, chips={"flash": flash.W25Q128JV},
        ),
        Board(
            "tang-nano-9k", "Tang Nano 9K", f"{_OWN}.tang_nano_9k:TangNano9kPlatform",
            "Gowin GW1NR-9", "mnist-9k", 27_000_000, 54_000_000, "clk27", "USB (BL702)",
            "openFPGALoader --board tangnano9k", 3_000_000,
            queue=2048,
        ),
        Board(
            "tang-nano-20k", "Tang Nano 20K", f"{_OWN}.tang_nano_20k:TangNano20kPlatform",
            "Gowin GW2AR-18", "mnist-20k", 27_000_000, 60_000_000, "clk27", "USB (BL616)",
            "openFPGALoader --board tangnano20k", 3_000_000,
            queue=2048, chips={"sdram": sdram.SDRAM_64},
        ),
    )
}  # fmt: skip


def find(name: str) -> Board:
    """Return the board of that name.

    Raises
    ------
    InputError
        There is none.
    """
    if name not in BOARDS:
        raise one_of("board", name, BOARDS)
    return BOARDS[name]
