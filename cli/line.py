"""What the commands of ``hebbware board`` talk through: a serial port or a simulated board."""

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

from hebbware.cli import estimates
from hebbware.cli.output import Output
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.boards.host.board import Board
    from hebbware.golden.config import CoreConfig

WAIT = 300  # seconds for a simulated board to be built
SIMULATED = "simulated"
POLL = 0.2  # seconds between two looks for a port


def port_options(function: Callable) -> Callable:
    """Add ``--port``, ``--baud``, ``--slow``, ``--wait``, ``--board`` and ``--latency``, passed as
    ``line: Line``.
    """
    port = click.option(
        "--port", required=True, metavar="PORT",
        help=f"Serial port of the board; {SIMULATED!r}: a board in Verilator whose time passes "
        "only while it is waited for.",
    )  # fmt: skip
    board, memory = likeness_options(f"With --port {SIMULATED}: ")
    latency = latency_option(f"With --port {SIMULATED}: ")
    baud = click.option(
        "--baud",
        type=click.IntRange(min=1),
        default=1_000_000,
        show_default=True,
        metavar="N",
        help="Bits per second after power-up; a simulated board does not care.",
    )
    slow = click.option(
        "--slow", is_flag=True, help="Stay at --baud, though the board has a faster speed."
    )
    wait = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to wait for a port that is not there yet: by default "
        f"{WAIT} s for a link of `board serve`, 0 for what is in /dev.",
    )

    @functools.wraps(function)
    def command(*arguments, port: str, baud: int, wait: float | None, board: str | None,
                latency: float, slow: bool, memory: str | None, **options):  # fmt: skip
        line = Line(port, baud, wait, board, latency / 1000, not slow, memory)
        return function(*arguments, line=line, **options)

    return port(baud(slow(wait(board(memory(latency(command)))))))


def likeness_options(where: str) -> tuple[Callable, Callable]:
    """``--board`` and ``--memory`` of a simulated board, see `likeness`."""
    board = click.option(
        "--board", metavar="NAME",
        help=f"{where}the board whose clock, speed, buffers and memory for samples it has; by "
        "default none, which is faster to simulate.",
    )  # fmt: skip
    memory = click.option(
        "--memory", metavar="KIB|CHIP",
        help=f"{where}with --board, where samples for `train --on-board` lie, as for `hebbware "
        "build`.",
    )  # fmt: skip
    return board, memory


def likeness(name: str | None, memory: str | None) -> dict:
    """Options of a simulated board that is like the one of that name.

    Raises
    ------
    InputError
        There is no such board, or it has no such memory.
    """
    from hebbware.boards.board import find

    if name:
        return find(name).with_memory(memory).simulation()
    if memory is not None:
        raise InputError("--memory can only be given with --board")
    return {}


def latency_option(where: str = "") -> Callable:
    """Add ``--latency``."""
    return click.option(
        "--latency", type=click.FloatRange(0, 1000), default=0.0, metavar="MS",
        help=f"{where}milliseconds that all bytes from the board come late; a USB bridge may take "
        "16.",
    )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What was said of the serial port."""

    port: str
    baud: int
    wait: float | None
    board: str | None = None
    latency: float = 0.0
    fast: bool = True
    memory: str | None = None

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

        host.check_packages()  # before any waiting
        if self.port == SIMULATED:
            with self._simulated(config) as board:
                yield board
            return
        given = {"--board": self.board, "--memory": self.memory, "--latency": self.latency}
        if name := next((name for name, value in given.items() if value), None):
            raise InputError(f"{name} can only be given with --port {SIMULATED}, not {self.port}")
        self._await()
        line = host.open_port(self.port, self.baud)
        try:
            yield host.Board(line, config, name=self.port, fast=self.fast)
        except host.LinkLost as error:
            raise OSError(f"{self.port}: {error}") from None
        finally:
            line.close()

    @contextmanager
    def _simulated(self, config: CoreConfig | None) -> Iterator[Board]:
        from hebbware.boards.host.board import Board
        from hebbware.boards.simulated.board import SimulatedBoard

        if config is None:
            raise InputError(f"--port {SIMULATED} can only be given where --config can")
        options = likeness(self.board, self.memory)
        about = {"about": estimates.building(config), "of": config.fingerprint}
        with Output().progress("building the simulated board", later=True, **about) as step:
            simulated = SimulatedBoard(config, latency=self.latency, tell=step.begin, **options)
        with simulated.in_step() as line:
            yield Board(line, config, name=SIMULATED, fast=self.fast)

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
