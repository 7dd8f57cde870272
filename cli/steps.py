"""How long the steps of a command take: told when a step begins, by what it took before.

A step that takes longer than two seconds is announced by one line on standard error, at its
beginning, or, on a terminal, beside its bar. What it says is what the same step took the last time,
else an estimate by whoever begins it, corrected by how far such estimates were off on this machine.
Steps without an estimate are short.
The times are kept in ``times/steps.json`` of the cache; where that cannot be written, nothing is
kept.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hebbware.golden.errors import InputError

TOLD = 2.0  # seconds from which on a step is announced
FIXED = 1.0  # seconds of a step that there are for any amount of work
KEPT = 500  # steps whose times are kept, the latest ones
FILE = "steps.json"


class Times:
    """The times of earlier steps, by the step's name and what it is of; see this module.

    Parameters
    ----------
    folder : callable, optional
        Gives the folder of the file.
    """

    def __init__(self, folder: Callable[[], Path] | None = None):
        self._folder = folder or _cache

    def _read(self) -> dict[str, list]:
        with suppress(OSError, ValueError, InputError):
            found = json.loads((self._folder() / FILE).read_text())
            if isinstance(found, dict):
                return found
        return {}

    def last(self, name: str, of: str) -> tuple[float, float] | None:
        """Seconds that this very step took, and the estimate for it; None: not known."""
        return _time(self._read().get(_key(name, of)))

    def scale(self, name: str) -> float:
        """By how much estimates of long steps of this name are too short here: their median."""
        times = [_time(v) for key, v in self._read().items() if key.partition("|")[0] == name]
        ratios = [took / about for took, about in filter(None, times) if about >= TOLD]
        return statistics.median(ratios) if ratios else 1.0

    def keep(self, name: str, of: str, seconds: float, about: float) -> None:
        """Keep what a step took, and the estimate for it."""
        from hebbware.cli.files import write_file

        times = self._read()
        key = _key(name, of)
        times.pop(key, None)  # the latest ones stand last
        times[key] = [seconds, about]
        with suppress(InputError, OSError):
            self._folder().mkdir(parents=True, exist_ok=True)
            write_file(self._folder() / FILE, json.dumps(dict(list(times.items())[-KEPT:])))


def _cache() -> Path:
    from hebbware.golden.system import places

    for folder in places.kept("times"):
        return folder
    raise InputError("there is no place for times")


def _key(name: str, of: str) -> str:
    return f"{name}|{of}"


def _time(found: object) -> tuple[float, float] | None:
    try:
        seconds, about = map(float, found)
    except (TypeError, ValueError):  # of another version, or damaged
        return None
    return (seconds, about) if seconds >= 0 and about > 0 else None


class Clock:
    """The clock of one step, from `begin` to `end`.

    Parameters
    ----------
    name : str
    of : str
        What else decides about its time, such as a configuration's fingerprint.
    about : float
        Seconds that it takes on a usual machine, in proportion to what there is to do; 0: a moment.
    """

    def __init__(self, name: str, of: str, about: float):
        self._name, self._of, self._about = name, of, about
        self._start: float | None = None

    def begin(self) -> str:
        """Start the clock; what is to be announced, nothing of a step that is short."""
        self._start = time.monotonic()
        if not self._about:
            return ""
        if last := TIMES.last(self._name, self._of):
            seconds, about = last
            expected = seconds * (FIXED + self._about) / (FIXED + about)
            said = f"{duration(expected)}, going by the last time"
        else:
            expected = self._about * TIMES.scale(self._name)
            said = f"about {duration(expected)}"
        return f"{self._name}: {said}" if expected >= TOLD else ""

    def end(self) -> None:
        """Keep what it took, if it began."""
        if self._start is not None and self._about:
            TIMES.keep(self._name, self._of, time.monotonic() - self._start, self._about)


TIMES = Times()


def duration(seconds: float) -> str:
    """Tell a duration in the two largest units, coarsely: 8 s, 2 min 10 s, 1 h 20 min."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    coarse = 10 if seconds < 600 else 60
    minutes, rest = divmod(round(seconds / coarse) * coarse, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
