"""``hebbware init``: a configuration for data of one's own and a board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from hebbware.cli import values
from hebbware.cli.common import Output, examples, json_option, label_option, seed_option, untested
from hebbware.cli.files import check_writable, write_file
from hebbware.golden.errors import InputError


@click.command(
    "init",
    epilog=examples(
        "hebbware init --dataset wine.csv --board icebreaker",
        "hebbware init --dataset digits --output digits-own.toml",
    ),
)
@click.option(
    "--dataset",
    "name",
    required=True,
    metavar="NAME|FILE",
    shell_complete=values.datasets,
    help="Data set: a name, or a file or folder of your own (.csv, .npz, ...).",
)
@label_option
@click.option(
    "--board",
    metavar="BOARD",
    shell_complete=values.boards,
    help="Fit this board; by default none, but quick to simulate.",
)
@click.option(
    "--output",
    "target",
    type=Path,
    metavar="FILE",
    help="Where to write the configuration; by default the data set's name, .toml.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@seed_option
@json_option
def command(
    name: str,
    label: str | None,
    board: str | None,
    target: Path | None,
    overwrite: bool,
    seed: int | None,
    output: Output,
) -> None:
    """Propose a configuration for your data and your board, and write it.

    The sizes follow the data; formats and lanes are the widest and the most that the estimates
    allow. It is a place to begin: `hebbware train` measures it, `hebbware profile` says which
    format to change, `hebbware sweep` compares others.
    """
    from hebbware.boards.board import find
    from hebbware.golden.data import sets as data
    from hebbware.golden.learn.propose import propose

    chosen = find(board) if board else None
    target = check_writable(target or f"{Path(name).stem}.toml", "--output")
    if target.exists() and not overwrite:
        raise InputError(f"--output: {target} is there; give another name, or --overwrite")
    dataset = data.load(name, None, seed or 0, label=label)
    found = propose(dataset, chosen.device if chosen else None, seed or 0)
    fits = f" on {chosen.title}" if chosen else ""
    head = f"# For {dataset.name}{fits}: proposed by `hebbware init`.\n"
    write_file(target, head + found.config.to_toml())
    counts = f"{len(dataset.y_train):,} samples to learn, {len(dataset.y_test):,} to test"
    output.table(
        f"{dataset.name}: {counts}",
        ("field", "value", "why"),
        [(field, *reason) for field, reason in found.reasons.items()],
    )
    if dataset.encoding is not None and len(silent := dataset.encoding.constant()):
        names = [dataset.features[n] if dataset.features else str(n + 1) for n in silent[:5]]
        output.log(f"features without a range, which say nothing: {', '.join(names)}")
    if why := untested(dataset):
        output.log(f"no accuracy can be told: {why}")
    options = ["--config", _short(target), "--dataset", name]
    options += ["--label", label] if label else []
    following = [
        ["hebbware", "train", *options, "--epochs", str(found.epochs)],
        ["hebbware", "cosim", *options, "--samples", str(min(100, len(dataset.y_train)))],
    ]
    if chosen:
        following.append(["hebbware", "build", "--board", board, "--config", _short(target)])
    output.log(
        f"written to {target}; next:\n" + "\n".join(f"    {shlex.join(w)}" for w in following)
    )
    output.write(
        {
            "config": found.config.to_dict(),
            "file": target,
            "epochs": found.epochs,
            "reasons": {key: {"value": v, "why": why} for key, (v, why) in found.reasons.items()},
            "need": None if found.need is None else vars(found.need),
        }
    )


def _short(path: Path) -> str:
    """Return the path as seen from the working folder, where it lies below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
