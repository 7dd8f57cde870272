"""``hebbware board``: talk to a board over its serial port, or run the simulated one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli.common import (
    CheckFailed,
    Output,
    common_options,
    json_option,
    resolve_config,
)

if TYPE_CHECKING:
    from hebbware.boards.host.board import Board
    from hebbware.golden.config import CoreConfig

SHOWN = 100  # samples between two updates of the accuracy on the bar


@click.group("board")
def command() -> None:
    """Talk to a board over its serial port, or run the simulated one."""


def port_options(function: Callable) -> Callable:
    """Add ``--port`` and ``--baud``."""
    port = click.option("--port", required=True, metavar="PORT", help="Serial port of the board.")
    baud = click.option(
        "--baud",
        type=click.IntRange(min=1),
        default=1_000_000,
        show_default=True,
        metavar="N",
        help="Bits per second; a simulated board does not care.",
    )
    return port(baud(function))


@contextmanager
def connected(port: str, baud: int, config: CoreConfig | None) -> Iterator[Board]:
    """The board at a port; a link that is lost on the way is a failure, not bad input."""
    from hebbware.boards.host import board as host

    line = host.open_port(port, baud)
    try:
        yield host.Board(line, config, name=port)
    except host.LinkLost as error:
        raise CheckFailed(f"{port}: {error}") from None
    finally:
        line.close()


def _link(board: Board) -> dict[str, int]:
    return {
        "bytes_sent": board.bytes_sent,
        "bytes_received": board.bytes_received,
        "repeated": board.repeated,
    }


@command.command("ping")
@json_option
@port_options
def ping(output: Output, port: str, baud: int) -> None:
    """Say which board answers: its configuration's hash, its version, its counters."""
    with connected(port, baud, None) as board:
        start = time.monotonic()
        counters = board.counters()
        seconds = (time.monotonic() - start) / 2
        identity = board.identity
        output.log(
            f"{port}: hebbware {identity.release}, {identity.inputs} inputs, {identity.classes} "
            f"classes, configuration {identity.fingerprint}, protocol {identity.protocol}, "
            f"buffer {identity.buffer} bytes"
        )
        output.log(
            f"{counters['learned']:,} samples learned, {counters['inferred']:,} inferred, "
            f"{counters['errors']:,} frames refused; {1000 * seconds:.1f} ms a request"
        )
        output.write({**vars(identity), "counters": counters, "seconds": seconds, **_link(board)})


@command.command("serve")
@common_options
@click.option("--link", "link", type=Path, metavar="FILE", help="Make this a link to the port.")
@click.option(
    "--corrupt",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Bytes to corrupt, in both directions: half are changed, some lost, some doubled.",
)
@click.option(
    "--noise", type=click.IntRange(min=0), default=0, metavar="N", help="Seed of the corruption."
)
def serve(
    config: str, seed: int | None, output: Output, link: Path | None, corrupt: float, noise: int
) -> None:
    """Run the simulated board until interrupted: the boards' own gateware, in Verilator.

    It is a serial port like a board's: give its name to `--port` of the other commands.
    """
    import signal

    from hebbware.boards.simulated.board import SimulatedBoard, link_to

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the simulation, too
    resolved = resolve_config(config, seed)
    with output.progress("building the board"):
        board = SimulatedBoard(resolved, corrupt=corrupt, seed=noise)
    try:
        with board:
            if link:
                link_to(board.port, link)
            output.log(f"simulated board at {link or board.port}; stop it with Ctrl-C")
            output.write({"port": board.port, "link": link, "fingerprint": resolved.fingerprint})
            board.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if link:
            link.unlink(missing_ok=True)
    if board.served:
        done = board.served
        output.log(
            f"{done.clocks:,} clocks; {done.received:,} bytes received, {done.sent:,} sent, "
            f"{done.corrupted:,} corrupted"
        )
