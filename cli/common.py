"""What the commands share: options, the configuration, the data set."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli import estimates, values
from hebbware.cli.output import Output
from hebbware.golden.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.meaning import Meaning
    from hebbware.golden.data.sets import Dataset


SET = "hebbware.set"  # where click's context keeps the values of --set


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


def examples(*lines: str) -> str:
    """The end of a command's help: command lines that may be typed as they are."""
    return "\b\nExamples:\n" + "".join(f"  {line}\n" for line in lines)


def set_option(
    command: Callable,
    example: str = "memory.horizon=9, 'layer.rate=[7,5,8]'",
    complete: Callable = values.fields,
) -> Callable:
    """Add ``--set``, which `resolve_config` and `changes_given` read."""
    return click.option(
        "--set",
        "fields",
        multiple=True,
        expose_value=False,
        callback=lambda ctx, parameter, value: ctx.meta.update({SET: value}),
        metavar="FIELD=VALUE",
        shell_complete=complete,
        help=f"Another value for a configuration field, as in TOML: {example}.",
    )(command)


def config_option(command: Callable, default: str = "digits") -> Callable:
    """Add ``--config``, passed as ``config: str``, and ``--set``; see `resolve_config`."""
    return click.option(
        "--config",
        default=default,
        show_default=True,
        metavar="FILE|PRESET",
        shell_complete=values.presets,
        help="Configuration: a TOML file or the name of a preset.",
    )(set_option(command))


def seed_option(command: Callable) -> Callable:
    """Add ``--seed``, passed as ``seed: int | None``."""
    return click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice.")(
        command
    )


def jobs_option(what: str, default: int = 1) -> Callable:
    """``--jobs``, passed as ``jobs: int``: how many of something at a time, as its help says."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        metavar="N",
        help=what,
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

    resolved = load(config, changes_given(seed))
    return resolved if seed is None else dataclasses.replace(resolved, seed=seed)


def changes_given(seed: int | None) -> dict[str, Any]:
    """Return the values of this command's ``--set``, which has no seed beside ``--seed``."""
    context = click.get_current_context(silent=True)
    changed = changes(context.meta.get(SET, ()) if context else ())
    if seed is not None and "seed" in changed:
        raise InputError(f"--seed {seed} and --set seed={changed['seed']}: give one of them")
    return changed


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
        shell_complete=values.datasets,
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

    def load(
        self, config: str, seed: int, *, stream: bool = False, fitted: int = 0, signal: bool = False
    ) -> Dataset:
        """Load it for a configuration, as ``--config`` gives it, and its seed.

        As a `stream` it has no test set where its file has none, and its encoding is fitted to the
        first `fitted` samples, or where that is 0 to all.

        Raises
        ------
        InputError
            As of `hebbware.golden.data.sets.load`; targets are signals and not to be (`signal`).
        """
        name = self.name or namesake(config)
        check_folder(name, self.folder)
        with fetching(name, self.folder):
            from hebbware.golden.data import sets as data

            found = data.load(
                name, self.folder, seed,
                label=self.label, encoding=self.encoding, meaning=self.meaning,
                fitted=(fitted or sys.maxsize) if stream else None,
            )  # fmt: skip
        if found.signal and not signal:
            raise InputError(f"data set {name} is for train and cosim: its targets are signals")
        return found


def needs(context: click.Context, name: str, other: str) -> None:
    """Refuse an option that is given without another one, which it is for."""
    options = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    if given and not context.params[other]:
        raise InputError(f"{options[name]} is for {options[other]}, which is not given")


def check_folder(name: str, folder: Path | None) -> None:
    """Refuse ``--data`` where a data set has no files in a folder."""
    from hebbware.golden.data import sets as data

    if folder is not None and not data.takes_folder(name):
        known = ", ".join(filter(data.takes_folder, data.NAMES))
        raise InputError(f"--data must be for a data set of files ({known}), not for {name}")


@contextmanager
def fetching(name: str, folder: Path | None = None) -> Iterator[None]:
    """Tell that files are fetched from the network while the block runs, where that is so."""
    from hebbware.golden.data import idx
    from hebbware.golden.data import sets as data

    files = data.fetched(name)
    there = not files or folder or any(map(idx.present, idx.folders(files)))
    title = f"fetching {files} from the network, once"
    with Output().progress(title, about=estimates.FETCHED, later=True) as step:
        if not there:
            step.begin()
        yield


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


def untested(dataset: Dataset) -> str:
    """Why no accuracy on test samples can be told, empty where it can."""
    if len(dataset.y_test):
        return ""
    return (
        f"{dataset.name} has no test samples: of a file without a test part they are a quarter of "
        "each class, rounded down"
    )


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
