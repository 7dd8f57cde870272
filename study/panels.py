"""What a folder of results says: axes that were varied, means and spreads, Pareto fronts.

Figures and page are drawn from `Panel` and state nothing that is not in it.

==============  ================================================================================
word            meaning
==============  ================================================================================
run             one training: a configuration, a seed, a data set, a number of epochs
setting         what was varied in a run; runs that differ in the seed alone share it
point           all runs of one setting
axis            a field that was varied, with those that went along with it (zipped fields)
line            the points of a figure that differ in its axis alone
control         what a result must be compared with: a line across the figures
front           the points that no other point beats in cost without loss of accuracy
==============  ================================================================================
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")

MEASURES = ("validation", "test")
CONTROLS = ("float", "linear", "codes", "frozen")
LINES = 8  # a figure with more lines cannot be read


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
class Axis:
    """A varied field, the leading one, and those that went along with it.

    Each value is the tuple of the values of all of them.
    """

    fields: tuple[str, ...]
    values: tuple[tuple, ...]

    @property
    def name(self) -> str:
        """The leading field."""
        return self.fields[0]

    @property
    def numeric(self) -> bool:
        """Whether the values of the leading field have a scale."""
        return all(isinstance(value[0], (int, float)) for value in self.values)

    def of(self, settings: dict[str, Any]) -> tuple:
        """Return the value of a run's settings."""
        return tuple(_hashable(settings.get(name)) for name in self.fields)


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
class Line:
    """Points of a chart that differ in its axis alone, in the axis's order.

    Members
    -------
    value : tuple or None
        On the second axis of the chart, where it has one.
    points : dict of Point
        By the value on the chart's axis.
    """

    value: tuple | None
    points: dict[tuple, Point]


@dataclass(frozen=True)
class Control:
    """What the points of a chart must be compared with.

    Members
    -------
    name : str
    value : tuple or None
        Line of the chart that it belongs to, where it was run for each line.
    points : dict of Point
        By the value on the chart's axis; one of the key None where it is the same all along.
    """

    name: str
    value: tuple | None
    points: dict[tuple | None, Point]


@dataclass(frozen=True)
class Chart:
    """One figure of accuracy against an axis.

    Members
    -------
    axis : Axis
    by : Axis or None
        The second axis: one line for each of its values.
    fixed : dict
        Values of leading fields that set this chart apart from others of the same axis.
    lines : list of Line
    controls : list of Control
    """

    axis: Axis
    by: Axis | None
    fixed: dict[str, Any]
    lines: list[Line]
    controls: list[Control]

    @property
    def points(self) -> list[Point]:
        """Those of all lines."""
        return [point for line in self.lines for point in line.points.values()]


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
    Cost("multiplies", "multiplies per sample", _path("multiplies_per_sample")),
    Cost("accesses", "memory accesses (reads and writes) per sample", _accesses),
)


@dataclass
class Panel:
    """The results of one part of a specification: what its figures show.

    Members
    -------
    name, title : str
    fields : tuple of str
        What the specification varies, in its order.
    runs : list of Run
        Finished or failed, those of the controls included.
    groups : list
        For each combination the names of its runs, and by name those of its controls.
    """

    name: str
    title: str
    fields: tuple[str, ...]
    runs: list[Run]
    groups: list[tuple[list[str], dict[str, list[str]]]]

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.runs[0].dataset

    @property
    def asked(self) -> set[str]:
        """Names of the runs that the specification asks for."""
        return {
            name
            for runs, controls in self.groups
            for names in (runs, *controls.values())
            for name in names
        }

    @property
    def failed(self) -> list[Run]:
        """Runs that have no result."""
        return [run for run in self.runs if run.error is not None]

    @property
    def seeds(self) -> list[int]:
        """All that were run."""
        return sorted({run.seed for run in self.runs})

    @cached_property
    def _done(self) -> dict[str, Run]:
        return {run.name: run for run in self.runs if run.error is None}

    def _finished(self, names: Iterable[str]) -> list[Run]:
        found = [self._done[name] for name in names if name in self._done]
        return sorted(found, key=lambda run: run.seed)

    @cached_property
    def axes(self) -> list[Axis]:
        """What was varied between the runs of the network."""
        settings = [runs[0].settings for names, _ in self.groups if (runs := self._finished(names))]
        return find_axes([{n: one.get(n) for n in self.fields} for one in settings])

    @cached_property
    def points(self) -> list[Point]:
        """Finished runs by setting, in the order of the axes."""
        found: dict[tuple, Point] = {}
        for names, controls in self.groups:
            runs = self._finished(names)
            if runs:
                at = tuple(axis.of(runs[0].settings) for axis in self.axes)
                beside = {n: Point(at, r) for n, c in controls.items() if (r := self._finished(c))}
                found.setdefault(at, Point(at, runs, beside))
        return sorted(found.values(), key=lambda point: _sortable(point.at))

    @cached_property
    def controls(self) -> dict[str, list[Point]]:
        """Points of each control, each once, at the first setting that it stands beside."""
        found: dict[str, dict[tuple, Point]] = {}
        for point in self.points:
            for name, control in point.controls.items():
                found.setdefault(name, {}).setdefault(control.names, control)
        return {name: list(points.values()) for name, points in found.items()}

    @property
    def measures(self) -> list[str]:
        """Those of `MEASURES` that some point has."""
        return [name for name in MEASURES if any(point.spread(name) for point in self.points)]

    @cached_property
    def base(self) -> tuple[tuple, ...]:
        """The commonest value on each axis: the setting around which single axes were varied.

        Where all are equally common, the last one.
        """
        columns = zip(*(reversed([point.at for point in self.points])), strict=True)
        return tuple(Counter(column).most_common(1)[0][0] for column in columns)

    @cached_property
    def charts(self) -> list[Chart]:
        """The figures: one for each axis, more where more than two were varied at once."""
        charts = [c for index in range(len(self.axes)) for c in self._charts_of(index)]
        # an axis without a scale is drawn as lines, where it was varied together with one that has
        drawn = {c.by.name for c in charts if c.by and c.axis.numeric}
        return [c for c in charts if c.axis.numeric or c.axis.name not in drawn]

    def fixed(self) -> dict[str, Any]:
        """Return the settings that all points share."""
        return shared([point.runs[0].settings for point in self.points])

    def undecided(self, cost: Cost) -> str | None:
        """Return why there is no front over a cost, in words; None where there is one.

        Estimates that differ by less than they may be off (``error`` of the result's estimate) do
        not tell which setting is the cheaper one.
        """
        if cost.name != "lut":
            return None
        made = [point.cost.get("estimate") or {} for point in self.points]
        error = max((one.get("error") or 0 for one in made), default=0)
        costs = [one["lut"] for one in made if one.get("lut") is not None]
        apart = 1 - min(costs) / max(costs) if costs and max(costs) else 0
        if apart >= error:
            return None
        return (
            f"no Pareto front: estimates differ by {100 * apart:.0f} %, less than the "
            f"{100 * error:.0f} % that they may be off"
        )

    def fronts(self, measure: str) -> dict[str, list[Point]]:
        """Return the Pareto front for each cost that the points have, by the cost's name.

        Costs that are `undecided` have none.
        """
        found = {}
        for cost in COSTS:
            able = [p for p in self.points if p.spread(measure) and cost.of(p.cost) is not None]
            if able and not self.undecided(cost):
                found[cost.name] = pareto(
                    able,
                    cost=lambda p, cost=cost: cost.of(p.cost),
                    accuracy=lambda p: p.spread(measure).mean,
                )
        return found

    def _charts_of(self, index: int) -> list[Chart]:
        axis = self.axes[index]
        groups: dict[tuple, list[Point]] = {}
        for point in self.points:
            groups.setdefault(point.at[:index] + point.at[index + 1 :], []).append(point)
        groups = {others: points for others, points in groups.items() if len(points) > 1}
        if not groups:
            return []
        rest = self.axes[:index] + self.axes[index + 1 :]
        values = [set(column) for column in zip(*groups, strict=True)]
        vary = [n for n in range(len(rest)) if len(values[n]) > 1]
        by = _line_axis(vary, values, rest)
        charts: dict[tuple, list[Line]] = {}
        for others, points in groups.items():
            apart = tuple(others[n] for n in vary if n != by)
            along = {point.at[index]: point for point in points}
            line = Line(others[by] if by is not None else None, along)
            charts.setdefault(apart, []).append(line)
        names = [rest[n].name for n in vary if n != by]
        base = None if by is None else self.base[by + (by >= index)]
        return [
            Chart(
                axis,
                rest[by] if by is not None else None,
                {name: value[0] for name, value in zip(names, apart, strict=True)},
                lines,
                [_control(name, lines, base) for name in _names_of_controls(lines)],
            )
            for apart, lines in charts.items()
        ]


def _line_axis(vary: list[int], values: list[set], axes: list[Axis]) -> int | None:
    """Choose the axis of the lines: without a scale rather than with one, then few values."""
    fit = [n for n in vary if len(values[n]) <= LINES] or vary
    return min(fit, key=lambda n: (axes[n].numeric, len(values[n]), n), default=None)


def _names_of_controls(lines: list[Line]) -> list[str]:
    found = {n for line in lines for point in line.points.values() for n in point.controls}
    return sorted(found, key=lambda name: (CONTROLS.index(name) if name in CONTROLS else 9, name))


def _control(name: str, lines: list[Line], base: tuple | None) -> Control:
    """Return a control of a chart: one line, or that of the commonest setting of many."""
    beside = {
        line.value: {at: p.controls[name] for at, p in line.points.items() if name in p.controls}
        for line in lines
    }
    beside = {value: points for value, points in beside.items() if points}
    value = base if base in beside else list(beside)[-1]
    points = beside[value]
    alike = len({point.names for point in points.values()}) == 1
    if len({tuple(point.names for point in along.values()) for along in beside.values()}) == 1:
        value = None
    return Control(name, value, {None: next(iter(points.values()))} if alike else points)


# -- settings --------------------------------------------------------------------------------------


def find_axes(settings: Sequence[dict[str, Any]]) -> list[Axis]:
    """Find what varies between settings, in the order of their fields.

    A field that is determined by another one goes along with it: fields that were zipped. Of two
    that determine each other, the one named first leads.
    """
    names = list(dict.fromkeys(name for one in settings for name in one))
    columns = {name: [_hashable(one.get(name)) for one in settings] for name in names}
    varied = [name for name in names if len(set(columns[name])) > 1]

    def determines(a: str, b: str) -> bool:
        return len(set(zip(columns[a], columns[b], strict=True))) == len(set(columns[a]))

    leaders = []
    for index, name in enumerate(varied):
        others = [o for o in varied if o != name and determines(o, name)]
        # of two fields that determine each other, the earlier one leads
        if not any(not determines(name, o) or varied.index(o) < index for o in others):
            leaders.append(name)
    led: dict[str, list[str]] = {name: [name] for name in leaders}
    for name in varied:
        if name not in led:
            led[next(leader for leader in leaders if determines(leader, name))].append(name)
    axes = []
    for fields in led.values():
        values = set(zip(*(columns[name] for name in fields), strict=True))
        axes.append(Axis(tuple(fields), tuple(sorted(values, key=_sortable))))
    return axes


def shared(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all settings have in common."""
    first = settings[0] if settings else {}
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in settings)}


def show(value: Any) -> str:
    """Return the value of a field as text."""
    if value is None:
        return "–"
    if isinstance(value, (tuple, list)):
        return "-".join(map(show, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


ROUNDINGS = ("floor", "nearest", "stochastic")  # from the crudest to the finest


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _sortable(value: Any) -> tuple:
    """Return a key that sorts values of any types: numbers, words, lists, None last."""
    if value is None:
        return (3,)
    if isinstance(value, tuple):
        return (2, *map(_sortable, value))
    if isinstance(value, (int, float)):
        return (0, value)
    return (1, ROUNDINGS.index(value) if value in ROUNDINGS else len(ROUNDINGS), str(value))


# -- Pareto ----------------------------------------------------------------------------------------


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
