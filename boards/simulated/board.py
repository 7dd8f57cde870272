"""Runs the simulated board behind a pseudo-terminal."""

import os
import pty
import subprocess
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...golden.errors import InputError
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
    """

    def __init__(self, config, *, corrupt=0.0, seed=0, buffer=protocol.BUFFER, quick=False):
        if not 0 <= corrupt < 1:
            raise InputError(f"corrupt must lie in 0..1, 1 left out, not {corrupt!r}")
        # nothing depends on the clock but the bits of the line: the shortest make it fast
        system = System(config, 1e6 * SLOWEST, 1_000_000, buffer=buffer)
        self.program = build_program("serve", system, quick=quick)
        self._arguments = (system.divisor, int(corrupt * 2**32), seed)
        self.served = None

    def __enter__(self):
        master, self._slave = pty.openpty()  # held open: the board outlives its hosts
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        command = [str(self.program), *map(str, (master, *self._arguments))]
        self._process = subprocess.Popen(
            command, pass_fds=(master,), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        os.close(master)
        return self

    def wait(self):
        """Until the board ends, which it does only when it is stopped."""
        self._process.wait()

    def __exit__(self, *_):
        self._process.terminate()
        text, _ = self._process.communicate()
        os.close(self._slave)
        if self._process.returncode == 0 and text:
            self.served = Served(*map(int, text.split()))


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
    if path.exists() and not path.is_symlink():
        raise InputError(f"--link must not name what is there and no link: {path}")
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
