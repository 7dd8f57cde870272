"""Results of a study: runs, what they have in common over the seeds, costs and Pareto fronts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One result.

    Members
    -------
    name : str
        Of its file.
    settings : dict
        The configuration without its seed, ``epochs`` and ``samples``.
    seed : int
    dataset, checksum : str
    control : str or None
        Which control it is; None is the network that the study is about.
    code : str
        Version of the code that made it.
    error : str or None
        Why it failed; None where it did not.
    train, validation : list of float
        Accuracy per epoch.
    test : float or None
    cost : dict
        Counts and estimates; empty where it has none.
    """

    name: str
    settings: dict[str, Any]
    seed: int
    dataset: str
    checksum: str
    control: str | None
    code: str
    error: str | None
    train: list[float]
    validation: list[float]
    test: float | None
    cost: dict[str, Any]

    def measure(self, name: str) -> float | None:
        """Return the accuracy at the end, on ``validation`` or ``test``; None where it has none."""
        if name == "test":
            return self.test
        return self.validation[-1] if self.validation else None


@dataclass(frozen=True)
class Spread:
    """Mean and spread of one number over the seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Standard deviation, of a sample (n - 1); None of a single value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Point:
    """All finished runs of one setting, or of one control.

    Members
    -------
    at : tuple
        Values on the axes of its `Panel`.
    runs : list of Run
        One per seed.
    controls : dict of Point
        What it must be compared with, by name.
    """

    at: tuple[tuple, ...]
    runs: list[Run]
    controls: dict[str, Point] = field(default_factory=dict)

    @property
    def cost(self) -> dict[str, Any]:
        """The same for all seeds."""
        return self.runs[0].cost

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the runs."""
        return tuple(run.name for run in self.runs)

    def spread(self, measure: str) -> Spread | None:
        """Return the accuracy at the end over the seeds; None where no run has that measure."""
        values = [run.measure(measure) for run in self.runs]
        values = tuple(v for v in values if v is not None)
        return Spread(values) if values else None

    def curve(self) -> list[Spread]:
        """Return the accuracy on validation of each epoch over the seeds."""
        return [Spread(v) for v in zip(*(run.validation for run in self.runs), strict=False)]


@dataclass(frozen=True)
class Cost:
    """A cost that accuracy is weighed against."""

    name: str
    label: str
    of: Callable[[dict[str, Any]], float | None]


def _path(*keys: str) -> Callable[[dict[str, Any]], float | None]:
    def get(cost: dict[str, Any]) -> float | None:
        for key in keys:
            cost = cost.get(key) if isinstance(cost, dict) else None
        return cost

    return get


def _accesses(cost: dict[str, Any]) -> float | None:
    reads, writes = cost.get("memory_reads_per_sample"), cost.get("memory_writes_per_sample")
    return None if reads is None or writes is None else reads + writes


COSTS = (
    Cost("memory-bits", "memory, bits", _path("memory_bits")),
    Cost("lut", "logic, LUTs", _path("estimate", "lut")),
    *(
        Cost(f"{resource}-{family}", f"{name} after synthesis, {title}", _path(*at))
        for family, title in (("ecp5", "ECP5"), ("ice40", "iCE40"))
        for resource, name in (("lut", "LUTs"), ("bram", "block RAMs"))
        for at in [("synthesis", family, resource)]
    ),
    Cost("multiplies", "multiplies per sample", _path("multiplies_per_sample")),
    Cost("accesses", "memory accesses (reads and writes) per sample", _accesses),
)


def marked(points: Iterable[Point], cost: Cost) -> list[str]:
    """Return what kinds of number a cost is and of what device: nothing where it is counted."""
    if cost.name != "lut":
        return []
    found = set()
    for point in points:
        estimate = point.cost.get("estimate") or {}
        kind = [estimate.get("marked", "estimate"), estimate.get("device")]
        found.add(", ".join(str(part) for part in kind if part))
    return sorted(found)


def pareto(
    points: Iterable[T], *, cost: Callable[[T], float], accuracy: Callable[[T], float]
) -> list[T]:
    """Return the points that no other point beats, from the cheapest to the dearest.

    A point is beaten by one that costs no more and is at least as accurate, and better in one of
    the two. Equal points are all kept.
    """
    front: list[T] = []
    best, best_cost = -math.inf, -math.inf
    for point in sorted(points, key=lambda p: (cost(p), -accuracy(p))):
        value, price = accuracy(point), cost(point)
        if value > best or (value == best and price == best_cost):
            front.append(point)
            best, best_cost = value, price
    return front
