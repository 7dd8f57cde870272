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

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hebbware.study.axes import Axis, find_axes, shared, sortable
from hebbware.study.results import COSTS, Cost, Point, Run, pareto

MEASURES = ("validation", "test")
CONTROLS = ("float", "linear", "codes", "frozen")
LINES = 8  # a figure with more lines cannot be read


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
                own = {n: Point(at, r) for n, c in controls.items() if (r := self._finished(c))}
                found.setdefault(at, Point(at, runs, own))
        return sorted(found.values(), key=lambda point: sortable(point.at))

    @cached_property
    def controls(self) -> dict[str, list[Point]]:
        """Points of each control, each once, at the first setting that it belongs to."""
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


@dataclass
class Study:
    """A folder of results.

    Members
    -------
    title : str
    specifications : dict
        What each specification asks for, as JSON text, by its name.
    code : str
        Version of the code that made all results.
    panels : list of Panel
        One for each part of each specification.
    left_out : int
        Results that no specification in the folder asks for.
    versions : dict
        Versions of the packages that drew the report.
    """

    title: str
    specifications: dict[str, str]
    code: str
    panels: list[Panel]
    left_out: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> list[Run]:
        """All of them, those that several parts share once."""
        return list({run.name: run for panel in self.panels for run in panel.runs}.values())

    @property
    def planned(self) -> int:
        """Runs that the specifications ask for."""
        return len({name for panel in self.panels for name in panel.asked})
