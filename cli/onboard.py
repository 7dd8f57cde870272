"""``hebbware board load`` and ``board train --on-board``: samples in the board's own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates
from hebbware.cli.common import (
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
)
from hebbware.cli.line import SIMULATED, Line, port_options
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.boards.host.board import Board
    from hebbware.boards.host.onboard import Descriptor


@click.command(
    "load", epilog=examples("hebbware board load --port /dev/ttyUSB0 --config mnist-pooled")
)
@common_options
@dataset_options
@port_options
@click.option("--samples", type=click.IntRange(min=1), metavar="N",
              help="Training samples, by default all.")  # fmt: skip
@click.option("--test", type=click.IntRange(min=0), metavar="N",
              help="Test samples, by default all.")  # fmt: skip
def load(
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    line: Line,
    samples: int | None,
    test: int | None,
) -> None:
    """Write a data set into the memory of a board, for `board train --on-board`.

    It stays there until power is off or another one is loaded; what is written is checked by the
    board. A set of which a part is missing does not count.
    """
    from hebbware.cli.trained import network

    if line.port == SIMULATED:
        raise InputError(
            f"--port {SIMULATED} cannot be given to `board load`: that board ends with the "
            "command; `board train --on-board` loads it"
        )
    resolved, dataset, _ = network(click.get_current_context(), config, seed, source, None)
    with line.connected(resolved) as board:
        found = write_set(output, board, dataset, samples, test)
    output.log(
        f"{line.port}: {found.train:,} samples to learn and {found.test:,} to test in "
        f"{(found.words + 1023) // 256:,} of {board.identity.memory:,} KiB, checksum "
        f"{found.checksum:08x}"
    )
    output.write({"dataset": dataset.name, **vars(found), "memory_kib": board.identity.memory})


def write_set(
    output: Output, board: Board, dataset, samples: int | None, test: int | None
) -> Descriptor:
    """Load the first samples of both parts of a data set."""
    from hebbware.boards.host import figures, onboard

    packed = set_of(board, dataset, samples, test)
    size = 4 * len(packed.words)
    if hasattr(board.line, "monotonic"):  # the line's time is that of a simulation
        clocks = size * figures.FRAME * board.identity.clock / board.baud
        about = {"about": estimates.simulating(board.config, clocks)}
    else:
        about = {"about": size * estimates.LINE_BYTE}
    with output.progress("loading samples", len(packed.words), **about) as advance:
        onboard.load(board, packed, advance)
    return packed.descriptor


def set_of(board: Board, dataset, samples: int | None, test: int | None):
    """Those samples as they lie in the board's memory."""
    from hebbware.boards.host import onboard
    from hebbware.golden.learn import train as training

    return onboard.Set.of(
        board.config,
        training.inputs(board.config, dataset.x_train)[:samples], dataset.y_train[:samples],
        training.inputs(board.config, dataset.x_test)[:test], dataset.y_test[:test],
        onboard.words_of(board),
    )  # fmt: skip


def prepare(output: Output, board: Board, line: Line, dataset, samples, test, check: bool):
    """What lies in the board's memory; a board that ends with the command is loaded first.

    Raises
    ------
    InputError
        It has no memory, nothing in it, or, where that is to be checked, another data set.
    """
    from hebbware.boards.host import onboard

    if line.port == SIMULATED:
        write_set(output, board, dataset, samples, test)
    elif samples is not None or test is not None:
        name = "samples" if samples is not None else "test"
        raise InputError(f"--{name} cannot be given with --on-board: give it to `board load`")
    found = onboard.loaded(board)
    if check:
        own = set_of(board, dataset, found.train, found.test).descriptor
        if own != found:
            raise InputError(
                f"--check: the board's memory must hold data set {dataset.name}, whose checksum is "
                f"{own.checksum:08x}, not {found.checksum:08x}: `hebbware board load`"
            )
    return found


def learn(output: Output, board: Board, dataset, samples: int, test: int, epochs: range, golden):
    """Learn and test from the board's memory.

    Returns
    -------
    tuple
        Share of samples right in each epoch; number right of the test; figures; how far sums of
        what was right are from golden's.
    """
    import numpy as np

    from hebbware.boards.host import onboard
    from hebbware.boards.host.figures import Figures, core_clocks
    from hebbware.golden.arithmetic.permutation import epoch_key, permuted
    from hebbware.golden.learn import train as training

    config, curve, clocks, wrong = board.config, [], 0, 0
    x, y = training.inputs(config, dataset.x_train), dataset.y_train
    for epoch in epochs:
        halvings = config.extra(epoch)
        board.set_extra(halvings)
        key = epoch_key(config.seed, epoch)
        with output.progress(f"epoch {epoch + 1}", samples) as advance:
            played = onboard.play(board, 0, samples, key=key, learn=True, progress=advance)
        if golden:
            golden.extra = halvings
            rows = permuted(samples, key)
            found = np.array([golden.learn(x[row], int(y[row]))[0] for row in rows])
            wrong += abs(int((found == y[rows]).sum()) - played.right)
        curve.append(played.right / samples)
        clocks += played.clocks
    figures = Figures(
        samples=len(epochs) * samples,
        seconds=clocks / board.identity.clock,
        bytes_sent=0,
        baud=board.baud,
        clock=board.identity.clock,
        core_clocks=core_clocks(config, x[:samples]),
    )
    x, y = training.inputs(config, dataset.x_test)[:test], dataset.y_test[:test]
    right = onboard.play(board, samples, test, key=0, learn=False).right if test else 0
    if golden and test:
        wrong += abs(int((np.array([golden.infer(row)[0] for row in x]) == y).sum()) - right)
    return curve, right, figures, wrong
