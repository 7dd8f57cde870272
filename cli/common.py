"""What the commands share: options, the configuration, progress, and output for man and machine."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli.files import check_writable, write_file
from hebbware.golden.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.meaning import Meaning
    from hebbware.golden.data.sets import Dataset


SET = "hebbware.set"  # where click's context keeps the values of --set
UNFOLDED = 1 << 20  # columns of what is no terminal: its lines are not to be folded


class CheckFailed(Exception):
    """What a command checked does not hold; the message is one line that says what. Exit code 1."""


class Group(click.Group):
    """A group that names the nearest command where there is none of a name."""

    def resolve_command(self, ctx: click.Context, args: list[str]):
        """Return the command that the first argument names."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"no such command {args[0]!r}{near}", ctx)
        return super().resolve_command(ctx, args)


class Output:
    """Where a command's results go.

    Text for people goes to standard output, or to standard error when the JSON takes standard
    output. Progress always goes to standard error, and only where that is a terminal.

    Parameters
    ----------
    json_path : str, optional
        File for the JSON result; ``-`` is standard output.

    Raises
    ------
    InputError
        The file cannot be written: found out here, before any long work.
    """

    def __init__(self, json_path: str | None = None):
        self.takes_stdout = json_path == "-"
        self._path = None
        if json_path is not None and not self.takes_stdout:
            self._path = check_writable(json_path, "--json")

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        console = Console(stderr=self.takes_stdout, highlight=False, markup=False)
        if not console.is_terminal:
            console.width = UNFOLDED
        return console

    def log(self, text: str) -> None:
        """Print text for people."""
        self._console.print(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table for people; numbers are set to the right."""
        from rich.table import Table

        table = Table(title=title, title_justify="left")
        for index, column in enumerate(columns):
            numeric = all(isinstance(row[index], (int, float)) for row in rows)
            table.add_column(column, justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*map(str, row))
        self._console.print(table)

    @contextmanager
    def progress(self, description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
        """Show a bar while the block runs.

        Yields ``advance(n=1, description=None)``, which may also change the description. Without a
        total the bar only shows that work goes on.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%" if total else ""),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as bar:
            task = bar.add_task(description, total=total)

            def advance(n: int = 1, description: str | None = None) -> None:
                bar.update(task, advance=n, description=description)

            yield advance

    def write(self, result: dict[str, Any]) -> None:
        """Write the JSON result, whole or not at all, where ``--json`` asks for it.

        NumPy values become numbers and lists; numbers that JSON lacks (NaN, infinities) ``null``.

        Raises
        ------
        InputError
            The file cannot be written any more.
        """
        if not self.takes_stdout and self._path is None:
            return
        text = json.dumps(_plain(result), indent=2, allow_nan=False) + "\n"
        if self._path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            write_file(self._path, text)


def set_option(command: Callable) -> Callable:
    """Add ``--set``, which `resolve_config` reads."""
    return click.option(
        "--set",
        "fields",
        multiple=True,
        expose_value=False,
        callback=lambda ctx, parameter, value: ctx.meta.update({SET: value}),
        metavar="FIELD=VALUE",
        help="Another value for a configuration field, as in TOML: memory.horizon=9, "
        "'layer.rate=[7,5,8]'.",
    )(command)


def config_option(command: Callable, default: str = "digits") -> Callable:
    """Add ``--config``, passed as ``config: str``, and ``--set``; see `resolve_config`."""
    return click.option(
        "--config",
        default=default,
        show_default=True,
        metavar="FILE|PRESET",
        help="Configuration: a TOML file or the name of a preset.",
    )(set_option(command))


def seed_option(command: Callable) -> Callable:
    """Add ``--seed``, passed as ``seed: int | None``."""
    return click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice.")(
        command
    )


def json_option(command: Callable) -> Callable:
    """Add ``--json``, passed as ``output: Output``."""
    return click.option(
        "--json",
        "output",
        metavar="FILE",
        callback=lambda ctx, parameter, value: Output(value),
        help="Write the result as JSON; '-' is standard output, then nothing else goes there.",
    )(command)


def common_options(command: Callable, default: str = "digits") -> Callable:
    """Add ``--config``, ``--set``, ``--seed`` and ``--json``; `default` is that of ``--config``."""
    return config_option(seed_option(json_option(command)), default)


def resolve_config(config: str, seed: int | None = None) -> CoreConfig:
    """Return the configuration that ``--config``, ``--set`` and ``--seed`` name.

    Raises
    ------
    InputError
        No such preset or file, or a value in it that cannot be.
    """
    from hebbware.golden.config import load

    context = click.get_current_context(silent=True)
    resolved = load(config, changes(context.meta.get(SET, ()) if context else ()))
    return resolved if seed is None else dataclasses.replace(resolved, seed=seed)


def changes(fields: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``--set`` by field; a bare word is a string."""
    import tomllib

    found: dict[str, Any] = {}
    for text in fields:
        key, equals, value = (part.strip() for part in text.partition("="))
        try:
            if not equals:
                raise ValueError
            found[key] = next(iter(tomllib.loads(f"value = {value}").values()))
        except ValueError:  # TOMLDecodeError is one
            if not equals or not value.isidentifier():
                raise InputError(
                    f"--set must be FIELD=VALUE with a value as in TOML, not {text!r}"
                ) from None
            found[key] = value
    return found


def dataset_option(command: Callable) -> Callable:
    """Add ``--dataset``, passed as ``dataset_name``."""
    return click.option(
        "--dataset",
        "dataset_name",
        metavar="NAME|FILE",
        help="Data set: a name, or a file or folder of your own (.csv, .tsv, .npz, .arff, "
        ".libsvm); by default the one that the configuration is named after.",
    )(command)


def data_option(command: Callable) -> Callable:
    """Add ``--data``, passed as ``data_dir``."""
    return click.option(
        "--data",
        "data_dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of the IDX files; by default $HEBBWARE_DATA, then the cache, "
        "then the network.",
    )(command)


def label_option(command: Callable) -> Callable:
    """Add ``--label``, passed as ``label``."""
    return click.option(
        "--label",
        metavar="COLUMN",
        help="Of a table of your own: the column of the labels; by default the last one.",
    )(command)


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """The data set that a command line names.

    Members
    -------
    name : str or None
        None: the one that the configuration is named after.
    folder : Path or None
    label, encoding : str or None
    meaning : Meaning or None
        See `hebbware.golden.data.sets.load`.
    """

    name: str | None = None
    folder: Path | None = None
    label: str | None = None
    encoding: str | None = None
    meaning: Meaning | None = None

    def load(self, config: str, seed: int, *, stream: bool = False, fitted: int = 0) -> Dataset:
        """Load it for a configuration, as ``--config`` gives it, and its seed.

        As a `stream` it has no test set where its file has none, and its encoding is fitted to the
        first `fitted` samples, or where that is 0 to all.
        """
        from hebbware.golden.data import sets as data

        return data.load(
            self.name or namesake(config), self.folder, seed,
            label=self.label, encoding=self.encoding, meaning=self.meaning,
            fitted=(fitted or sys.maxsize) if stream else None,
        )  # fmt: skip


def dataset_options(command: Callable) -> Callable:
    """Add ``--dataset``, ``--data``, ``--label`` and ``--encoding``, passed as ``source``."""

    @functools.wraps(command)
    def packed(*arguments, dataset_name, data_dir, label, encoding, **others):
        source = DataOptions(dataset_name, data_dir, label, encoding)
        return command(*arguments, source=source, **others)

    encoding = click.option(
        "--encoding",
        metavar="KIND",
        help="Of a file of your own, how features become bytes: bytes, range, quantiles, log or "
        "standard; by default bytes stay, all else is scaled by its range.",
    )
    return dataset_option(data_option(label_option(encoding(packed))))


def stream_option(command: Callable) -> Callable:
    """Add ``--stream``, passed as ``stream: Stream``."""

    def read(_context, _parameter, value: str):
        from hebbware.golden.data.streams import parse

        return parse(value)

    return click.option(
        "--stream",
        default="stationary",
        show_default=True,
        callback=read,
        metavar="STREAM",
        help="How the task changes: remap:AT[:SHIFT], from sample AT on class c is called c + "
        "SHIFT mod C; classes:EVERY[:N], N classes first, one more every EVERY samples; of `train` "
        "and `cosim` also in-order, as samples lie in the file, and parts, part after part.",
    )(command)


def forbid(context: click.Context, why: str, *names: str) -> None:
    """Refuse options that do not go with another one, which `why` names."""
    for parameter in context.command.params:
        if parameter.name in names:
            source = context.get_parameter_source(parameter.name)
            if source is click.core.ParameterSource.COMMANDLINE:
                raise InputError(f"{parameter.opts[0]} cannot be given with {why}")


def namesake(config: str) -> str:
    """Return the data set that a configuration is named after, such as mnist for mnist-large.

    Raises
    ------
    InputError
        It is named after none.
    """
    from hebbware.golden.data import sets as data

    stem = Path(config).stem
    names = [name for name in data.NAMES if stem == name or stem.startswith(f"{name}-")]
    if not names:
        raise InputError(
            f"configuration {config} is not named after a data set; give one with --dataset: "
            f"{', '.join(data.NAMES)}"
        )
    return max(names, key=len)


def _plain(value: Any) -> Any:
    """Bring a result down to what JSON has."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return str(value) if isinstance(value, Path) else value
