"""``hebbware board``: talk to a board over its serial port, or run the simulated one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates, onboard
from hebbware.cli.common import (
    CheckFailed,
    DataOptions,
    Group,
    Output,
    common_options,
    dataset_options,
    examples,
    forbid,
    json_option,
    resolve_config,
)
from hebbware.cli.files import check_writable, write_file
from hebbware.cli.line import Line, port_options
from hebbware.cli.selftest import selftest
from hebbware.cli.simulated import fuzz, serve
from hebbware.cli.trained import from_option, network
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from hebbware.boards.host.board import Board
    from hebbware.golden.config import CoreConfig


@click.group("board", cls=Group)
def command() -> None:
    """Talk to a board over its serial port, or run the simulated one."""


for other in (fuzz, serve, onboard.load, selftest):
    command.add_command(other)


def _link(board: Board) -> dict[str, int]:
    return {
        "bytes_sent": board.bytes_sent,
        "bytes_received": board.bytes_received,
        "repeated": board.repeated,
    }


@command.command("ping", epilog=examples("hebbware board ping --port /dev/ttyUSB0"))
@json_option
@port_options
def ping(output: Output, line: Line) -> None:
    """Say which board answers: its configuration's hash, its version, its counters."""
    with line.connected(None) as board:
        start = time.monotonic()
        counters = board.counters()
        seconds = (time.monotonic() - start) / 2
        identity = board.identity
        output.log(
            f"{line.port}: hebbware {identity.release}, {identity.inputs} inputs, "
            f"{identity.classes} classes, configuration {identity.fingerprint}, "
            f"protocol {identity.protocol}, buffer {identity.buffer} bytes"
        )
        output.log(
            f"{counters['learned']:,} samples learned, {counters['inferred']:,} inferred, "
            f"{counters['saturated']:,} words with a weight cut off, "
            f"{counters['errors']:,} frames refused; {1000 * seconds:.1f} ms a request"
        )
        output.write({**vars(identity), "counters": counters, "seconds": seconds, **_link(board)})


def check_option(meaning: str) -> Callable:
    """Add ``--check``, a comparison with golden."""
    return click.option("--check", is_flag=True, help=meaning)


@command.command(
    "train",
    epilog=examples(
        "hebbware board train --port /dev/ttyUSB0 --config mnist-pooled --samples 1000",
        "hebbware board train --port /tmp/hebbware --config digits --check",
    ),
)
@common_options
@dataset_options
@port_options
@click.option("--epochs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Passes over the training samples.")  # fmt: skip
@click.option("--samples", type=click.IntRange(min=1), metavar="N",
              help="Training samples of each epoch, by default all.")  # fmt: skip
@click.option("--test", type=click.IntRange(min=0), metavar="N",
              help="Test samples to infer afterwards, by default all.")  # fmt: skip
@click.option("--keep", is_flag=True, help="Go on from what the board has learned: no reset.")
@click.option("--on-board", is_flag=True,
              help="Learn from the board's own memory (`board load`), at the core's speed, in an "
              "order that the board draws for each epoch.")  # fmt: skip
@check_option("Learn the same with golden: every score and every weight must be equal.")
@from_option
@click.pass_context
def train(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    line: Line,
    epochs: int,
    samples: int | None,
    test: int | None,
    keep: bool,
    on_board: bool,
    check: bool,
    trained: Path | None,
) -> None:
    """Let a board learn a data set, then classify the test set.

    Each sample is classified before it is learned; that is the accuracy while learning. With --from
    the board goes on where the network's training ended.
    """
    from hebbware.golden.core import Core
    from hebbware.golden.learn import train as training
    from hebbware.golden.timing.access import stored

    if trained:
        forbid(context, "--from: the board takes the network's state", "keep")
    if keep and check:
        raise InputError("--check cannot be given with --keep: golden learns from the start")
    resolved, dataset, state = network(context, config, seed, source, trained)
    begin = stored(state.core, learn=True) if state else []
    done = state.epoch if state else 0
    golden = Core(resolved) if check else None
    if golden and state:
        training.copy_state(state.core, golden)
    with line.connected(resolved) as board:
        if on_board:
            found = onboard.prepare(output, board, line, dataset, samples, test, check)
            samples, test = found.train, found.test
        else:
            samples = min(samples or len(dataset.y_train), len(dataset.y_train))
            test = len(dataset.y_test) if test is None else min(test, len(dataset.y_test))
        if not keep:
            board.reset()
        _write(output, board, begin)
        run = onboard.learn if on_board else _learn
        curve, right, figures, wrong = run(
            output, board, dataset, samples, test, range(done, done + epochs), golden
        )
        result = {
            "dataset": dataset.name,
            "epochs": epochs,
            "samples": samples,
            "on_board": on_board,
            "accuracy": {"train": curve, "test": right / test if test else None},
            "samples_per_second": figures.samples_per_second,
            "figures": figures.to_dict(),
            "counters": board.counters(),
        }
        if golden:
            result["compared"] = _compare(output, board, golden, wrong)
        result |= _link(board)
    if board.repeated:
        output.log(f"{board.repeated:,} requests were sent again")
    output.log(f"{result['counters']['saturated']:,} words with a weight cut off while learning")
    output.log(
        f"{samples:,} samples x {epochs}: {100 * curve[-1]:.2f} % right while learning"
        + (f", test accuracy {100 * right / test:.2f} % of {test:,}" if test else "")
    )
    output.log(str(figures))
    output.write(result)
    _verdict(result)


def _learn(output: Output, board: Board, dataset, samples: int, test: int, epochs: range, golden):
    """Learn and test over the line: as `hebbware.cli.onboard.learn`."""
    from hebbware.boards.host.figures import Figures, core_clocks
    from hebbware.golden.learn import train as training

    config, curve, wrong = board.config, [], 0
    x, y = training.inputs(config, dataset.x_train), dataset.y_train
    start, sent = board.now(), board.bytes_sent
    for epoch in epochs:
        halvings = config.extra(epoch)
        board.set_extra(halvings)
        rows = training.order(config.seed, epoch, len(y))[:samples]
        if golden:
            golden.extra = halvings
        title = f"epoch {epoch + 1}"
        right, differ = _send(output, board, title, x[rows], y[rows], True, golden)
        curve.append(right / samples)
        wrong += differ
    figures = Figures(
        samples=len(epochs) * samples,
        seconds=board.now() - start,
        bytes_sent=board.bytes_sent - sent,
        baud=board.baud,
        clock=board.identity.clock,
        core_clocks=core_clocks(config, x[rows]),
    )
    x, y = training.inputs(config, dataset.x_test)[:test], dataset.y_test[:test]
    right, differ = _send(output, board, "test", x, y, False, golden)
    return curve, right, figures, wrong + differ


@command.command(
    "infer", epilog=examples("hebbware board infer --port /dev/ttyUSB0 --from digits.npz")
)
@common_options
@dataset_options
@port_options
@click.option("--samples", type=click.IntRange(min=1), metavar="N",
              help="Test samples, by default all.")  # fmt: skip
@check_option("Read the board's weights and classify with golden too: scores must be equal.")
@from_option
@click.pass_context
def infer(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    line: Line,
    samples: int | None,
    check: bool,
    trained: Path | None,
) -> None:
    """Let a board classify the test set of a data set; it learns nothing.

    With --from the board gets the weights of that network, else it uses those that it has.
    """
    from hebbware.golden.core import Core
    from hebbware.golden.learn import train as training
    from hebbware.golden.timing.access import stored

    resolved, dataset, state = network(context, config, seed, source, trained)
    begin = stored(state.core, learn=False) if state else []
    if not len(dataset.y_test):
        raise InputError(f"data set {dataset.name} must have test samples to infer, and has none")
    x, y = training.inputs(resolved, dataset.x_test)[:samples], dataset.y_test[:samples]
    with line.connected(resolved) as board:
        golden, differ = None, 0
        _write(output, board, begin)
        if check:
            golden = Core(resolved)
            golden.weights = _read(output, board)
            if state:
                differ = _differ(golden.weights, state.core.weights)
        start = board.now()
        right, wrong = _send(output, board, "inferring", x, y, False, golden)
        seconds = board.now() - start
    result = {
        "dataset": dataset.name,
        "samples": len(y),
        "accuracy": right / len(y),
        "samples_per_second": len(y) / seconds,
        **_link(board),
    }
    if golden:
        result["compared"] = {"results": wrong, "weights": differ}
    output.log(
        f"{dataset.name}: {100 * right / len(y):.2f} % of {len(y):,}; {len(y) / seconds:,.0f} "
        "samples/s"
    )
    output.write(result)
    _verdict(result)


@command.command(
    "weights",
    epilog=examples(
        "hebbware board weights --port /dev/ttyUSB0 --config digits --save weights.npz"
    ),
)
@common_options
@port_options
@click.option("--save", type=Path, metavar="FILE", help="Read the board's weights into this file.")
@click.option("--load", type=Path, metavar="FILE",
              help="Write a file's weights to the board: one of --save, or a checkpoint of "
              "`hebbware train`.")  # fmt: skip
def weights(
    config: str,
    seed: int | None,
    output: Output,
    line: Line,
    save: Path | None,
    load: Path | None,
) -> None:
    """Read the weights of a board, or write them."""
    from hebbware.boards.host.weights import load_weights, pack_weights

    if (save is None) == (load is None):
        raise InputError("weights must be given --save FILE or --load FILE, one of them")
    resolved = resolve_config(config, seed)
    loaded = load_weights(load, resolved) if load else None
    if save:
        save = check_writable(save, "--save")
    with line.connected(resolved) as board:
        if loaded:
            with output.progress("writing weights", _words(resolved), **_about(board)) as advance:
                board.load_weights(loaded, advance)
        values = _read(output, board)
    count = sum(layer.size for layer in values)
    if loaded and any((a != b).any() for a, b in zip(values, loaded, strict=True)):
        raise CheckFailed(f"{line.port}: the weights read back are not those written")
    saturated = _saturated(resolved, values)
    if save:
        write_file(save, pack_weights(resolved, values))
        output.log(f"{save}: {count:,} weights, {saturated:,} at an end of their range")
    else:
        output.log(f"{count:,} weights of {load} written and read back")
    output.write({"weights": count, "saturated": saturated, "file": save or load, **_link(board)})


def _about(board: Board, sent: int | None = None) -> dict:
    """How long so many bytes take over the line; by default all weights."""
    sent = 2 * _words(board.config) if sent is None else sent
    return {"about": sent * estimates.LINE_BYTE, "of": board.config.fingerprint}


def _words(config: CoreConfig) -> int:
    from hebbware.golden.program.layout import Layout

    return Layout(config).weight_bases[-1] * config.lanes


def _read(output: Output, board: Board) -> list[np.ndarray]:
    with output.progress("reading weights", _words(board.config), **_about(board)) as advance:
        return board.weights(advance)


def _write(output: Output, board: Board, numbers: list) -> None:
    """Write what `hebbware.golden.timing.access.stored` lists."""
    total = sum(len(each[-1]) for each in numbers)
    with output.progress("writing the network", total, **_about(board, total)) as advance:
        for space, address, lane, values in numbers:
            board.write(space, address, values, lane)
            advance(len(values))


def _send(output: Output, board: Board, title: str, x, y, learn: bool, golden) -> tuple[int, int]:
    """How many samples were right, and how many results were not golden's."""
    right = wrong = 0
    labels = y.tolist() if learn else [None] * len(y)
    results = board.samples(x, labels) if golden else ((c, None) for c in board.classes(x, labels))
    about = _about(board, len(y) * (x.size // max(len(x), 1) + estimates.FRAME))
    with output.progress(title, len(y), **about) as advance:
        for done, (found, scores) in enumerate(results, 1):
            right += found == y[done - 1]
            if golden:
                row = x[done - 1]
                same = golden.learn(row, int(y[done - 1])) if learn else golden.infer(row)
                wrong += same[0] != found or (same[1] != scores).any()
            advance(1, f"{title}, {100 * right / done:.1f} %")
    return int(right), int(wrong)


def _saturated(config: CoreConfig, weights: list[np.ndarray]) -> int:
    """Weights at an end of their range."""
    ends = (config.weight.min, config.weight.max)
    return int(sum(((layer == ends[0]) | (layer == ends[1])).sum() for layer in weights))


def _compare(output: Output, board: Board, golden, wrong: int) -> dict[str, int]:
    read = _read(output, board)
    differ = _differ(read, golden.weights)
    count = sum(layer.size for layer in read)
    output.log(f"golden: {wrong} results differ, {differ} of {count:,} weights differ")
    return {"results": wrong, "weights": differ}


def _differ(weights: list[np.ndarray], others: list[np.ndarray]) -> int:
    return int(sum((a != b).sum() for a, b in zip(weights, others, strict=True)))


def _verdict(result: dict) -> None:
    """Fail where the comparison with golden found differences."""
    compared = result.get("compared", {})
    if any(compared.values()):
        raise CheckFailed(
            f"the board is not golden: {compared['results']} results and {compared['weights']} "
            "weights differ"
        )
