"""The plots of a report: accuracy against an axis, learning curves, Pareto fronts.

Means over the seeds are marks with bars of one standard deviation, single seeds faint dots,
controls dashed lines named at their right end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from hebbware.study.axes import Axis, show
from hebbware.study.drawing import (
    COLOURS,
    DASHES,
    GREY,
    MARKS,
    bars_of,
    label,
    label_points,
    label_right,
    mean_alone,
    ordinate,
    quantity,
    shade,
)
from hebbware.study.panels import Chart, Line, Panel
from hebbware.study.results import Cost, Point, marked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# -- accuracy against an axis ----------------------------------------------------------------------


def against(panel: Panel, chart: Chart) -> Canvas:
    """Draw the accuracy at the end against the axis of a chart: a pane for each measure."""
    measures = [m for m in panel.measures if any(p.spread(m) for p in chart.points)]
    canvas = Canvas(figsize=(1.5 + 6.3 * len(measures), 5.2), layout="constrained")
    FigureCanvasAgg(canvas)
    compared = [point for control in chart.controls for point in control.points.values()]
    spreads = [p.spread(m) for m in measures for p in chart.points]
    spreads += mean_alone(p.spread(m) for m in measures for p in compared)
    lines = []
    grid = canvas.subplots(1, len(measures), squeeze=False)[0]
    for axes, measure in zip(grid, measures, strict=True):
        place = _abscissa(axes, chart.axis)
        lines = [
            _line(axes, place, line, measure, number, len(chart.lines), _colour(chart, number))
            for number, line in enumerate(chart.lines)
        ]
        axes.set_title(f"{panel.dataset}, {measure}", loc="left")
        ordinate(axes, spreads, "accuracy")
        _controls(axes, place, chart, measure)
    if chart.by:
        canvas.legend(
            lines,
            [show(line.value[0]) for line in chart.lines],
            title=quantity(chart.by.name),
            loc="outside upper center",
            ncols=min(len(lines), 8),
        )
    return canvas


def _colour(chart: Chart, number: int) -> str | tuple:
    """Return a line's colour: by hue for words, from dark to light for numbers."""
    if chart.by and chart.by.numeric and len(chart.lines) > 2:
        return shade(number, len(chart.lines))
    return COLOURS[number % len(COLOURS)]


def _abscissa(axes: Axes, axis: Axis) -> Callable[[tuple, float], float]:
    """Set up the horizontal axis; return where a value is, shifted by a share of the spacing."""
    heads = [value[0] for value in axis.values]
    axes.set_xlabel(label(axis.name))
    if axis.numeric:
        spread = len(heads) > 2 and min(heads) > 0 and max(heads) / min(heads) >= 16
        at = np.log2(heads) if spread else np.array(heads, float)
        where = dict(zip(axis.values, at, strict=True))
    else:
        at = np.arange(len(heads), dtype=float)
        where = dict(zip(axis.values, at, strict=True))
    gap = min(np.diff(np.sort(at)), default=1.0)
    axes.set_xlim(at.min() - 0.6 * gap, at.max() + 0.6 * gap)
    texts = [show(head) for head in heads]
    axes.xaxis.set_major_locator(FixedLocator(at))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(at, texts)
    if not axis.numeric and sum(map(len, texts)) > 42:
        axes.tick_params(axis="x", labelrotation=25)
    return lambda value, shift=0.0: where[value] + shift * gap


def _line(axes, place, line: Line, measure: str, number: int, count: int, colour):
    """Draw the points of a line; return its handle for the legend."""
    shift = 0.0 if count == 1 else 0.3 * (number / (count - 1) - 0.5)
    having = [(at, s) for at, point in line.points.items() if (s := point.spread(measure))]
    x = [place(at, shift) for at, _ in having]
    mean = [100 * spread.mean for _, spread in having]
    bars = bars_of([spread for _, spread in having])
    for at, (_, spread) in zip(x, having, strict=True):
        if len(spread.values) > 1:
            y = [100 * value for value in spread.values]
            axes.plot([at] * len(y), y, ".", ms=4, color=colour, alpha=0.45, zorder=2)
    return axes.errorbar(
        x,
        mean,
        bars,
        marker=MARKS[number % len(MARKS)],
        color=colour,
        lw=1.8,
        elinewidth=1.4,
        capsize=3.5,
        zorder=3,
    )


def _controls(axes: Axes, place, chart: Chart, measure: str) -> None:
    """Draw the controls as dashed lines, each with its name at the right end."""
    left, right = axes.get_xlim()
    texts = []
    for control in chart.controls:
        points = {at: s for at, p in control.points.items() if (s := p.spread(measure))}
        if not points:
            continue
        style = {"ls": DASHES.get(control.name, ":"), "lw": 1.3, "color": GREY, "zorder": 1}
        if None in points:
            axes.axhline(100 * points[None].mean, **style)
        else:
            y = [100 * spread.mean for spread in points.values()]
            x = [place(at) for at in points]
            axes.plot([*x, right], [*y, y[-1]], **style)
        last = 100 * list(points.values())[-1].mean
        name = ", ".join([control.name, *([show(control.value[0])] if control.value else [])])
        texts.append((last, f"{name} {last:.1f}" if None in points else name))
    axes.set_xlim(left, right)
    label_right(axes, texts)


# -- learning curves -------------------------------------------------------------------------------

PANES = 6  # more lines are thinned out
SHADED = 4  # with more curves in a pane, areas would cover each other


def curves(panel: Panel, chart: Chart) -> Canvas:
    """Draw one pane for each line of the chart, in it one curve for each of its points."""
    shown = chart.lines
    if len(shown) > PANES:  # evenly, the first and the last one included
        shown = [shown[round(n * (len(shown) - 1) / (PANES - 1))] for n in range(PANES)]
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    canvas = Canvas(figsize=(2.2 + 4.1 * columns, 0.8 + 4.0 * rows), layout="constrained")
    FigureCanvasAgg(canvas)
    grid = canvas.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    values = list(chart.axis.values)
    handles, everything = {}, []
    for axes, line in zip(grid.flat, shown, strict=False):
        for at, point in line.points.items():
            number = values.index(at)
            curve = point.curve()
            mean = np.array([100 * spread.mean for spread in curve])
            bars = bars_of(curve)
            epochs = np.arange(1, len(curve) + 1)
            colour = shade(number, len(values)) if len(values) > 3 else COLOURS[number]
            mark = MARKS[number % len(MARKS)]
            if len(values) <= SHADED:
                ends = mean - bars[0], mean + bars[1]
                axes.fill_between(epochs, *ends, color=colour, alpha=0.12, lw=0)
            (handles[at],) = axes.plot(epochs, mean, marker=mark, ms=5, lw=1.6, color=colour)
            everything += curve if len(values) <= SHADED else mean_alone(curve)
        if chart.by:
            axes.set_title(f"{chart.by.name}: {show(line.value[0])}", loc="left")
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes in grid.flat[: len(shown)]:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        ordinate(axes, everything, "validation")
    kept = [value for value in values if value in handles]
    canvas.legend(
        [handles[value] for value in kept],
        [show(value[0]) for value in kept],
        title=quantity(chart.axis.name),
        loc="outside right upper",
    )
    return canvas


# -- Pareto fronts ---------------------------------------------------------------------------------


def pareto(panel: Panel, cost: Cost, measure: str, front: list[Point]) -> Canvas:
    """Draw all settings over their cost, and the front, where there is one, as a stepped line."""
    canvas = Canvas(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.subplots()
    points = [p for p in panel.points if p.spread(measure) and cost.of(p.cost) is not None]
    families: dict[str, list[Point]] = {}
    for point in points:
        families.setdefault(_family(panel, point), []).append(point)
    handles = []
    for number, own in enumerate(families.values()):
        spreads = [point.spread(measure) for point in own]
        handles.append(
            axes.errorbar(
                [cost.of(point.cost) for point in own],
                [100 * spread.mean for spread in spreads],
                bars_of(spreads),
                ls="none",
                marker=MARKS[number % len(MARKS)],
                color=_family_colour(panel, number, len(families)),
                elinewidth=1.0,
                alpha=0.85,
                zorder=3,
            )
        )
    costs = [cost.of(point.cost) for point in points]
    if max(costs) > 8 * min(costs) > 0:
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    left, right = axes.get_xlim()
    if front:
        x = [cost.of(point.cost) for point in front]
        y = [100 * point.spread(measure).mean for point in front]
        axes.step([*x, right], [*y, y[-1]], where="post", color="black", lw=1.5, zorder=2)
    axes.set_xlim(left, right)
    reason = panel.undecided(cost)
    axes.set_xlabel(cost_label(panel, cost) + (f"\n{reason}" if reason else ""))
    axes.set_title(f"{panel.dataset}, {measure}", loc="left")
    best = _best_controls(panel, measure)
    spreads = [point.spread(measure) for point in points]
    spreads += mean_alone(point.spread(measure) for point in best.values())
    ordinate(axes, spreads, "accuracy")
    texts = []
    for name, point in best.items():
        height = 100 * point.spread(measure).mean
        axes.axhline(height, ls=DASHES.get(name.split(",")[0], ":"), lw=1.3, color=GREY, zorder=1)
        texts.append((height, f"{name} {height:.1f}"))
    label_right(axes, texts)
    if len(families) > 1:
        title = quantity(second_axis(panel)) if second_axis(panel) else "varied"
        columns = min(len(families), 4)
        canvas.legend(
            handles, list(families), title=title, loc="outside upper center", ncols=columns
        )
    at = {id(p): (cost.of(p.cost), 100 * p.spread(measure).mean) for p in points}
    tags = [(at[id(point)], _tag(panel, point)) for point in front]
    label_points(canvas, axes, tags, list(at.values()))
    return canvas


def _best_controls(panel: Panel, measure: str) -> dict[str, Point]:
    """Return each control's best point: marked where it was run for many settings."""
    found = {}
    for name in sorted(panel.controls):
        points = [point for point in panel.controls[name] if point.spread(measure)]
        if points:
            best = max(points, key=lambda point: point.spread(measure).mean)
            found[f"{name}, best" if len(points) > 1 else name] = best
    return found


def second_axis(panel: Panel) -> str | None:
    """Return the axis that is drawn as lines, where there is one."""
    return next((chart.by.name for chart in panel.charts if chart.by), None)


def _family_colour(panel: Panel, number: int, count: int) -> str | tuple:
    """Return a colour as `_colour` does for lines."""
    axis = next((axis for axis in panel.axes if axis.name == second_axis(panel)), None)
    if axis and axis.numeric and count > 2:
        return shade(number, count)
    return COLOURS[number % len(COLOURS)]


def _family(panel: Panel, point: Point) -> str:
    """Return what colours a point: its line, or else the axis on which it leaves the base."""
    values = list(zip(panel.axes, point.at, panel.base, strict=True))
    second = second_axis(panel)
    if second is not None:
        return next(show(value[0]) for axis, value, _ in values if axis.name == second)
    if len(values) == 1:
        return ""
    return next((quantity(axis.name) for axis, value, base in values if value != base), "base")


def _tag(panel: Panel, point: Point) -> str:
    """Return a short text that sets a point apart from others of its colour."""
    values = list(zip(panel.axes, point.at, panel.base, strict=True))
    second = second_axis(panel)
    if second is not None:
        values = [entry for entry in values if entry[0].name != second]
    elif len(values) > 1:
        values = [entry for entry in values if entry[1] != entry[2]]
    return ", ".join(show(value[0]) for _, value, _ in values) or "base"


def cost_label(panel: Panel, cost: Cost) -> str:
    """Return what a cost is called on an axis; said of it where it is no count."""
    marks = marked(panel.points, cost)
    return f"{cost.label} ({'; '.join(marks)})" if marks else cost.label
