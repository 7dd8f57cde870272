"""The serial port that the commands of ``hebbware board`` talk through, and its options."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.boards.host.board import Board
    from hebbware.golden.config import CoreConfig

WAIT = 300  # seconds for a simulated board to be built
POLL = 0.2  # seconds between two looks for a port


def port_options(function: Callable) -> Callable:
    """Add ``--port``, ``--baud`` and ``--wait``, passed as ``line: Line``."""
    port = click.option("--port", required=True, metavar="PORT", help="Serial port of the board.")
    baud = click.option(
        "--baud",
        type=click.IntRange(min=1),
        default=1_000_000,
        show_default=True,
        metavar="N",
        help="Bits per second; a simulated board does not care.",
    )
    wait = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to wait for a port that is not there yet: by default "
        f"{WAIT} s for a link of `board serve`, 0 for what is in /dev.",
    )

    @functools.wraps(function)
    def command(*arguments, port: str, baud: int, wait: float | None, **options):
        return function(*arguments, line=Line(port, baud, wait), **options)

    return port(baud(wait(command)))


@dataclass(frozen=True)
class Line:
    """What was said of the serial port."""

    port: str
    baud: int
    wait: float | None

    @contextmanager
    def connected(self, config: CoreConfig | None) -> Iterator[Board]:
        """The board at the port.

        Raises
        ------
        InputError
            There is no such port, or no board, or one of another configuration.
        OSError
            The board answers no more.
        """
        from hebbware.boards.host import board as host

        self._await()
        line = host.open_port(self.port, self.baud)
        try:
            yield host.Board(line, config, name=self.port)
        except host.LinkLost as error:
            raise OSError(f"{self.port}: {error}") from None
        finally:
            line.close()

    def _await(self) -> None:
        """Wait until the port is there, where it may come."""
        device = self.port.startswith("/dev/") or "://" in self.port or os.name == "nt"
        limit = self.wait if self.wait is not None else 0 if device else WAIT
        path = Path(self.port)
        if not limit or path.exists():
            return
        click.echo(f"waiting for {self.port}, at most {limit:g} s (--wait)", err=True)
        end = time.monotonic() + limit
        while not path.exists():
            if time.monotonic() > end:
                raise InputError(f"--port: {self.port} is not there after {limit:g} s (--wait)")
            time.sleep(POLL)
