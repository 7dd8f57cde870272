"""``hebbware board serve`` and ``hebbware board fuzz``: the boards' own gateware, in Verilator."""

from __future__ import annotations

from pathlib import Path

import click

from hebbware.cli import estimates
from hebbware.cli.common import (
    CheckFailed,
    Output,
    common_options,
    examples,
    json_option,
    needs,
    resolve_config,
    seed_option,
)
from hebbware.cli.line import latency_option, likeness, likeness_options
from hebbware.golden.errors import ToolError

BOARD, MEMORY = likeness_options("But for the line's speed: ")


@click.command("fuzz", epilog=examples("hebbware board fuzz --frames 10000"))
@seed_option
@json_option
@click.option("--frames", type=click.IntRange(min=1), default=100_000, show_default=True,
              metavar="N", help="Frames to send.")  # fmt: skip
def fuzz(seed: int | None, output: Output, frames: int) -> None:
    """Send random and mutated frames to the link's gateware, in Verilator.

    Every byte that it answers must be that of the golden model; so must all weights and counters
    at the end, and it must never hang.
    """
    from hebbware.boards.simulated import fuzz as fuzzing

    with output.progress("sending frames", frames, about=20 + frames / 10_000) as advance:
        outcome = fuzzing.fuzz(frames, seed=seed or 0, progress=advance)
    output.log(
        f"{frames:,} frames: {outcome.refused:,} refused, {outcome.executed:,} carried out, "
        f"{outcome.repeated:,} answered again; {outcome.clocks:,} clocks"
    )
    output.write({**vars(outcome), "holds": outcome.holds})
    if outcome.hangs:
        raise CheckFailed("the link hangs: it takes no more bytes")
    if not outcome.holds:
        raise CheckFailed(f"byte {outcome.differs_at} of the answers is not the model's")


@click.command(
    "serve", epilog=examples("hebbware board serve --link /tmp/hebbware --config digits")
)
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
@BOARD
@MEMORY
@latency_option("By the time of the simulated line: ")
@click.pass_context
def serve(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    link: Path | None,
    corrupt: float,
    noise: int,
    board: str | None,
    memory: str | None,
    latency: float,
) -> None:
    """Run the simulated board until interrupted: the boards' own gateware, in Verilator.

    It is a serial port like a board's: give its name to `--port` of the other commands.
    """
    from hebbware.boards.link.uart import SLOWEST
    from hebbware.boards.simulated.board import SimulatedBoard, check_link, linked

    needs(context, "noise", "corrupt")
    resolved, like = resolve_config(config, seed), likeness(board, memory)
    if board:  # its line is no faster than the simulation: a bit has as few clocks as it can
        like |= {"baud": like["clock_hz"] // SLOWEST, "fast": 0}
    if link is not None:
        check_link(link)

    about = {"about": estimates.building(resolved), "of": resolved.fingerprint}
    with output.progress("building the simulated board", later=True, **about) as step:
        simulated = SimulatedBoard(
            resolved, corrupt=corrupt, seed=noise, latency=latency / 1000, tell=step.begin, **like
        )
    try:
        with simulated, linked(simulated.port, link) as port:
            output.log(f"simulated board at {port}; stop it with Ctrl-C")
            output.write(
                {"port": simulated.port, "link": link, "fingerprint": resolved.fingerprint}
            )
            simulated.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if done := simulated.served:
            output.log(
                f"{done.clocks:,} clocks; {done.received:,} bytes received, {done.sent:,} sent, "
                f"{done.corrupted:,} corrupted"
            )
    if simulated.served is None:
        raise ToolError(f"the simulated board {simulated.how_it_ended}")
