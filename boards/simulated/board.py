"""Runs the simulated board behind a pseudo-terminal."""

import os
import pty
import struct
import subprocess
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...cosim.cache import discard
from ...golden.errors import InputError, ToolError
from ...golden.system import children
from .. import protocol
from ..link.uart import SLOWEST
from ..system import System
from .build import build_program
from .chips import WithChip, sources

BAUD = 1_000_000
CLOCK_HZ = SLOWEST * BAUD
MEMORY = 128  # KiB for samples
LATEST = 1.0  # seconds
POLL = 0.02  # seconds that a read waits for a byte


@dataclass(frozen=True)
class Served:
    """What a simulated board did: clocks, bytes from and to the host, bytes corrupted."""

    clocks: int
    received: int
    sent: int
    corrupted: int


class Ended(Exception):
    """The simulation is over, though its host goes on."""


class SimulatedBoard:
    """The top level of every board, UART included, in Verilator, as a serial port.

    A context manager: the board runs inside the block.

    Parameters
    ----------
    config : CoreConfig
    corrupt : float
        Share of the bytes, in either direction, that are changed (half of these), lost (a quarter)
        or doubled (a quarter).
    seed : int
        Of the corruption.
    buffer, queue : int
        Bytes of the link's frame buffers, and of what waits before them.
    memory : int or Chip
        For samples: KiB of block RAM, 0: none; or a chip, whose model ends the simulation where
        one of its times is not kept.
    latency : float
        Seconds of the line that all bytes from the board come late, as behind a USB bridge.
    clock_hz, baud, fast : int
        Of the board, see `hebbware.boards.system.System`; by default a bit of the line has as few
        clocks as it can, so that it is quick, and there is one speed. With two the line has the
        speed of the host's port.
    quick : bool
        Build sooner, run slower.
    tell : callable
        Called before it is built, which it is once.

    Members
    -------
    port : str
        Path of the serial port.
    served : Served or None
        After the block.

    Raises
    ------
    InputError
        `corrupt` is no share, `latency` too long; a tool is missing.
    ToolError
        It does not build, or cannot be started.
    """

    def __init__(
        self,
        config,
        *,
        corrupt: float = 0.0,
        seed: int = 0,
        buffer: int = protocol.BUFFER,
        queue: int = protocol.QUEUE,
        memory: int = MEMORY,
        latency: float = 0.0,
        clock_hz: int = CLOCK_HZ,
        baud: int = BAUD,
        fast: int = 0,
        quick: bool = False,
        tell: Callable[[], None] = lambda: None,
    ):
        if not 0 <= corrupt < 1:
            raise InputError(f"corrupt must lie in 0..1, 1 left out, not {corrupt!r}")
        if not 0 <= latency <= LATEST:
            raise InputError(f"latency must lie in 0..{LATEST:g} s, not {latency!r}")
        system = System(
            config, clock_hz, baud, fast=fast, buffer=buffer, queue=queue, memory=memory
        )
        self.clock_hz, self.baud, self.divisor = clock_hz, baud, system.divisor
        chip = system.linked.chip
        self.program = build_program(
            "serve", WithChip(system, chip, clock_hz) if chip else system, quick=quick, tell=tell,
            sources=sources(chip),
        )  # fmt: skip
        late = round(latency * clock_hz)
        # a board with one speed does not care for that of the port
        followed = clock_hz if fast else 0
        self._arguments = (system.divisor, int(corrupt * 2**32), seed, late, followed)
        self.served, self._said = None, ""

    def __enter__(self):
        with ExitStack() as stack:
            master, slave = pty.openpty()
            stack.callback(os.close, slave)  # held open: the board outlives its hosts
            tty.setraw(slave)
            self.port = os.ttyname(slave)
            command = [self.program, *map(str, (master, *self._arguments))]
            options = {"pass_fds": (master,), "stderr": subprocess.PIPE, "text": True}
            try:
                self._process = stack.enter_context(children.running(command, **options))
            except OSError as error:
                discard(self.program.parent)
                raise ToolError(f"{self.program} cannot be run: {error.strerror}") from None
            finally:
                os.close(master)
            stack.callback(self._process.stderr.close)
            self._stack = stack.pop_all()
        return self

    @contextmanager
    def in_step(self) -> Iterator["SteppedLine"]:
        """A line to the board, in place of the block, whose time passes only while the host waits:
        what a host gets, and when, is the same each time.
        """
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        with children.running([self.program, *map(str, (0, *self._arguments))], **pipes) as process:
            with process.stdin, process.stdout, process.stderr:
                line = SteppedLine(process.stdin, process.stdout, self.clock_hz, self.baud)
                try:
                    yield line
                except Ended:
                    said = process.stderr.read().decode(errors="replace").strip()
                    how = children.how_it_ended(process.wait())
                    raise ToolError(f"the simulated board {how}: {said}") from None
                process.stdin.close()
                text = process.stderr.read()
        self.served = Served(*map(int, text.split()))

    @property
    def how_it_ended(self) -> str:
        """What became of the simulation, where it is over, and what it said at the end."""
        how = children.how_it_ended(self._process.returncode)
        return f"{how}: {self._said}" if self._said else how

    def wait(self):
        """Until the board ends, which it does only when it is stopped."""
        self._process.wait()

    def __exit__(self, *_):
        with self._stack:
            self._process.terminate()
            _, text = self._process.communicate()
            self._said = text.strip() if self._process.returncode else ""
            if self._process.returncode == 0 and text:
                self.served = Served(*map(int, text.split()))


class SteppedLine:
    """A line whose time passes only in `read`, counted in clocks of the board.

    What `hebbware.boards.host.requests.Requests` needs of a serial port.
    """

    in_waiting = 0

    def __init__(self, to, back, clock_hz: int, baud: int):
        self._to, self._back, self.clock_hz, self._baud = to, back, clock_hz, baud
        self.clocks = 0

    @property
    def baudrate(self) -> int:
        """Bits a second at the host's end; other ones from the end of what is on its way."""
        return self._baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._baud = baud
        self._to.write(b"b" + struct.pack("<I", round(self.clock_hz / baud)))

    def flush(self) -> None:
        """What is written is on its way."""

    def monotonic(self) -> float:
        """Seconds of the board."""
        return self.clocks / self.clock_hz

    def write(self, data: bytes) -> None:
        """Put bytes onto the line from now on."""
        self._to.write(b"w" + struct.pack("<I", len(data)) + data)

    def read(self, _count: int = 1) -> bytes:
        """Wait for bytes, at most `POLL` seconds."""
        self._to.write(b"r" + struct.pack("<q", round(POLL * self.clock_hz)))
        try:
            self._to.flush()
            self.clocks, count = struct.unpack("<qI", self._back.read(12))
        except (BrokenPipeError, struct.error):
            raise Ended from None
        return self._back.read(count)

    def close(self) -> None:
        """The board is ended with its block."""


def check_link(path: Path) -> None:
    """Take away a link that a board left which was killed.

    Raises
    ------
    InputError
        What is at `path` is no link, or none can be made there.
    """
    if path.exists() and not path.is_symlink():
        raise InputError(f"--link must not name what is there and no link: {path}")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"--link: cannot make {path}: {error.strerror}") from None


@contextmanager
def linked(port: str, path: Path | None) -> Iterator[str]:
    """A name for the port: `path` is a link to it inside the block; without one, the port's own.

    Raises
    ------
    InputError
        What is at `path` is no link, or none can be made there.
    """
    if path is None:
        yield port
        return
    check_link(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.symlink_to(port)
        beside.replace(path)
    except OSError as error:
        raise InputError(f"--link: cannot make {path}: {error.strerror}") from None
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)
