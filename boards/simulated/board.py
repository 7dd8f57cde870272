"""Runs the simulated board behind a pseudo-terminal."""

import os
import pty
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


@dataclass(frozen=True)
class Served:
    """What a simulated board did: clocks, bytes from and to the host, bytes corrupted."""

    clocks: int
    received: int
    sent: int
    corrupted: int


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
    buffer : int
        Bytes of the link's frame buffers.
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
        `corrupt` is no share; a tool is missing.
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
        quick: bool = False,
        tell: Callable[[], None] = lambda: None,
    ):
        if not 0 <= corrupt < 1:
            raise InputError(f"corrupt must lie in 0..1, 1 left out, not {corrupt!r}")
        # nothing depends on the clock but the bits of the line: the shortest make it fast
        system = System(config, 1e6 * SLOWEST, 1_000_000, buffer=buffer)
        self.program = build_program("serve", system, quick=quick, tell=tell)
        self._arguments = (system.divisor, int(corrupt * 2**32), seed)
        self.served = None

    def __enter__(self):
        with ExitStack() as stack:
            master, slave = pty.openpty()
            stack.callback(os.close, slave)  # held open: the board outlives its hosts
            tty.setraw(slave)
            self.port = os.ttyname(slave)
            command = [self.program, *map(str, (master, *self._arguments))]
            options = {"pass_fds": (master,), "stdout": subprocess.PIPE, "text": True}
            try:
                self._process = stack.enter_context(children.running(command, **options))
            except OSError as error:
                discard(self.program.parent)
                raise ToolError(f"{self.program} cannot be run: {error.strerror}") from None
            finally:
                os.close(master)
            stack.callback(self._process.stdout.close)
            self._stack = stack.pop_all()
        return self

    @property
    def how_it_ended(self) -> str:
        """What became of the simulation, where it is over."""
        return children.how_it_ended(self._process.returncode)

    def wait(self):
        """Until the board ends, which it does only when it is stopped."""
        self._process.wait()

    def __exit__(self, *_):
        with self._stack:
            self._process.terminate()
            text, _ = self._process.communicate()
            if self._process.returncode == 0 and text:
                self.served = Served(*map(int, text.split()))


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
