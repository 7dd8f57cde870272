"""What commands print: text and tables for people, progress, and JSON."""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli.files import check_writable, write_file
from hebbware.cli.steps import Clock
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

UNFOLDED = 1 << 20  # columns of what is no terminal: its lines are not to be folded
GRACE = 0.5  # seconds in which a step may be refused without having been announced
PAUSE = 10.0  # seconds between two lines on what a step is doing, where there is no terminal
UNDERWAY: list[Step] = []  # each contained in the one before


class Step:
    """A step that is under way: ``step(n)`` says that so much more is done.

    Parameters
    ----------
    clock : Clock
    update : callable
        Changes the bar.
    bar : bool
        Whether there is one, or lines instead.
    """

    def __init__(self, clock: Clock, update: Callable[..., None], bar: bool):
        self._clock, self._update, self._bar = clock, update, bar
        self._said, self._waiting, self._lock = 0.0, "", threading.Lock()
        self._outer = UNDERWAY[-1] if UNDERWAY else None

    def __call__(self, n: int = 1, description: str | None = None) -> None:
        self._update(advance=n, description=description)

    def begin(self) -> None:
        """Start the clock, and tell how long the step is going to take, where that is long."""
        if announcement := self._clock.begin():
            self._said, self._waiting = time.monotonic(), announcement
            if self._bar:
                self.announce()
            else:
                timer = threading.Timer(GRACE, self.announce)
                timer.daemon = True
                timer.start()

    def announce(self, said: bool = True) -> None:
        """Tell what `begin` found, once; or never, where the step is refused at once."""
        with self._lock:
            waiting, self._waiting = self._waiting, ""
        if waiting and said:
            if self._outer:
                self._outer.announce()  # what contains it is told first
            self._tell(waiting)

    def doing(self, text: str) -> None:
        """Tell what the step is doing; as lines, only one in ten seconds."""
        self.announce()
        if self._bar or time.monotonic() - self._said >= PAUSE:
            self._said = time.monotonic()
            self._tell(text)

    def _tell(self, text: str) -> None:
        if self._bar:
            self._update(description=text)
        else:
            click.echo(text, err=True)


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
    def progress(
        self,
        description: str,
        total: int | None = None,
        *,
        about: float = 0.0,
        of: str = "",
        later: bool = False,
    ) -> Iterator[Step]:
        """Show a bar while the block runs, and how long it is going to take.

        Without a total the bar only shows that work goes on. Where there is no terminal, a step
        that takes longer than two seconds is one line when it begins (`hebbware.cli.steps`).

        Parameters
        ----------
        description : str
            The step; its time is known by it the next time, with `of`.
        total : int, optional
            Amount of work.
        about : float
            Seconds that all of it takes on a usual machine (`hebbware.cli.estimates`); 0: a moment.
        of : str
            What else decides about its time, such as the fingerprint of a configuration.
        later : bool
            The block calls `Step.begin` if there is something to do at all.
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
            clock = Clock(description, of, about)
            step = Step(clock, functools.partial(bar.update, task), console.is_terminal)
            if not later:
                step.begin()
            UNDERWAY.append(step)
            try:
                yield step
            except InputError:
                step.announce(said=False)
                raise
            finally:
                UNDERWAY.remove(step)
                step.announce()
            clock.end()

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
