"""``--from``: a trained network in the place of a configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli.common import DataOptions, forbid, resolve_config
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.learn.train import State


def from_option(command: Callable) -> Callable:
    """Add ``--from``, passed as ``trained: Path | None``."""
    return click.option(
        "--from",
        "trained",
        type=Path,
        metavar="FOLDER|FILE",
        help="A trained network: a folder of HebbianClassifier.save, or a checkpoint of `hebbware "
        "train`. The board gets its weights, and samples encoded as it learned them.",
    )(command)


def network(
    context: click.Context,
    config: str,
    seed: int | None,
    source: DataOptions,
    trained: Path | None,
) -> tuple[CoreConfig, Dataset, State | None]:
    """Return the configuration, the data set and the trained network that a command line names.

    Raises
    ------
    InputError
        A network that cannot be read, or a data set that does not go with it.
    """
    from hebbware.golden.learn import train as training

    state = None
    if trained is None:
        resolved = resolve_config(config, seed)
    else:
        from hebbware.golden.learn.folder import load_state

        forbid(context, "--from: the network has it", "config", "seed", "fields")
        state = load_state(trained)
        resolved = state.core.config
        source = replace(source, name=source.name or state.dataset, meaning=state.meaning)
        if not source.name:
            raise InputError(f"--dataset must be given: {trained} names no data set")
    dataset = source.load(config, resolved.seed)
    training.check_fit(resolved, dataset)
    return resolved, dataset, state
