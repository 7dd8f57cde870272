"""The figures of a report: accuracy against what was varied, learning curves, Pareto fronts.

Means over the seeds are marks with bars of one standard deviation, single seeds faint dots,
controls dashed lines named at their right end. Colours are told apart by the colour-blind, and
every line has its own mark besides. The same results give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from hebbware.study.panels import (
    COSTS,
    Axis,
    Chart,
    Cost,
    Line,
    Panel,
    Point,
    Spread,
    marked,
    show,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hebbware.study.report import Study

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A5C00")
"""Okabe and Ito's, the palest left out."""
MARKS = "osD^vP*X"
DASHES = {"float": (0, (1, 1.2)), "linear": (0, (6, 2)), "codes": (0, (3, 1.5)), "frozen": "-."}
GREY = "#555555"
STYLE = {
    "svg.hashsalt": "hebbware",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.markersize": 7,
    "path.simplify": False,
}

LABELS = {
    "layers": "layer sizes, units",
    "lanes": "lanes",
    "weight_bits": "weight width, bits",
    "rounding": "rounding of the weight update",
    "x_bits": "input width, bits",
    "u_bits": "width of sums, bits",
    "u_fraction": "fraction of sums, bits",
    "z_bits": "activation width, bits",
    "z_fraction": "activation fraction, bits",
    "d_bits": "update direction width, bits",
    "d_fraction": "update direction fraction, bits",
    "memory": "working memory",
    "memory_bits": "class memory width, bits",
    "horizon": "memory horizon, log2 of samples",
    "window": "window, samples",
    "kappa": "weight of the codes (kappa)",
    "read_bits": "width of memory as read, bits",
    "read_fraction": "fraction of memory as read, bits",
    "error_fraction": "error fraction, bits",
    "beta_log2": "softmax gain, log2",
    "steps": "step shifts, one per weight layer",
    "step_epochs": "epochs between halvings of the steps",
    "step_extra": "halvings of the steps",
    "init_std": "standard deviation of start weights",
    "exp_bits": "table of exp, log2 of entries",
    "reciprocal_bits": "table of 1/x, log2 of entries",
    "rsqrt_bits": "table of 1/sqrt(x), log2 of entries",
    "epochs": "epochs",
    "samples": "training samples",
}


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Members
    -------
    name : str
        Of its files.
    panel : Panel
        Whose results it shows.
    kind : str
        ``axis``, ``curves`` or ``pareto``.
    caption : str
    png, svg : bytes
    chart : Chart or None
        What it shows, unless it is a Pareto front.
    """

    name: str
    panel: Panel
    kind: str
    caption: str
    png: bytes
    svg: bytes
    chart: Chart | None = None


def draw(study: Study, progress: Callable[[int], None] = lambda n: None) -> list[Figure]:
    """Draw all figures of a study, panel by panel."""
    found = []
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        for panel in study.panels:
            for figure in _figures(panel):
                found.append(figure)
                progress(1)
    return found


def label(name: str) -> str:
    """Return what a field is called on an axis, with its unit."""
    return LABELS.get(name, name.replace("_bits", " width, bits").replace("_", " "))


def quantity(name: str) -> str:
    """Return what a field is called, without its unit."""
    return label(name).split(",")[0]


def _figures(panel: Panel) -> Iterator[Figure]:
    if not panel.measures:
        return
    for chart in panel.charts:
        name = "-".join([panel.name, chart.axis.name, *map(show, chart.fixed.values())])
        yield _finish(name, panel, "axis", _caption(panel, chart), _against(panel, chart), chart)
        if max(len(run.validation) for point in chart.points for run in point.runs) > 1:
            spread = "shaded" if len(chart.axis.values) <= SHADED else "bars at the last epoch"
            caption = (
                f"Accuracy on validation after each epoch {_varied(chart)}: mean over the seeds; "
                f"{spread}: one standard deviation."
            )
            yield _finish(f"{name}-curves", panel, "curves", caption, _curves(panel, chart), chart)
    measure = panel.measures[0]
    fronts = panel.fronts(measure)
    for cost in COSTS:
        if len({cost.of(point.cost) for point in panel.points} - {None}) > 1:
            front = fronts[cost.name]
            caption = (
                f"Accuracy on {measure} (mean and standard deviation over the seeds) against "
                f"{_cost_label(panel, cost)}. Stepped line: the Pareto front, {len(front)} of "
                f"{len(panel.points)} settings, labelled with {_labelled(panel)}."
            )
            if "estimate" in marked(panel.points, cost):
                caption += " The cost is an estimate where it is not the report of a build."
            canvas = _pareto(panel, cost, measure, front)
            yield _finish(f"{panel.name}-pareto-{cost.name}", panel, "pareto", caption, canvas)


def _finish(
    name: str, panel: Panel, kind: str, caption: str, canvas: Canvas, chart: Chart | None = None
) -> Figure:
    """Turn what was drawn into the bytes of the files."""
    png, svg = io.BytesIO(), io.BytesIO()
    canvas.savefig(png, format="png", dpi=110, metadata={"Software": None})
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    canvas.savefig(svg, format="svg", metadata=nothing)
    return Figure(name, panel, kind, caption, png.getvalue(), svg.getvalue(), chart)


def _cost_label(panel: Panel, cost: Cost) -> str:
    marks = marked(panel.points, cost)
    return f"{cost.label} ({', '.join(marks)})" if marks else cost.label


def _labelled(panel: Panel) -> str:
    told = [axis.name for axis in panel.axes if axis.name != _second(panel)]
    names = ", ".join(quantity(name) for name in told)
    return names if _second(panel) or len(told) == 1 else "what was varied"


def _varied(chart: Chart) -> str:
    text = f"by {quantity(chart.axis.name)}"
    if chart.by:
        text += f" and {quantity(chart.by.name)}"
    if chart.fixed:
        text += " at " + ", ".join(f"{quantity(k)} {show(v)}" for k, v in chart.fixed.items())
    return text


def _caption(panel: Panel, chart: Chart) -> str:
    seeds = {len(point.runs) for point in chart.points}
    count = f"{min(seeds)} to {max(seeds)}" if len(seeds) > 1 else f"{seeds.pop()}"
    text = f"Accuracy at the end {_varied(chart)}: mean of {count} seeds"
    text += ", bars of one standard deviation, single seeds as dots."
    for axis in (chart.axis, chart.by):
        for index, name in enumerate(axis.fields[1:] if axis else (), 1):
            pairs = ", ".join(f"{show(v[index])} at {show(v[0])}" for v in axis.values)
            text += f" With it varied {quantity(name)}: {pairs}."
    if any(len(control.points) > 1 for control in chart.controls):
        text += " Dashed lines that are not level: controls that were run for each value."
    return text


# -- accuracy against an axis ----------------------------------------------------------------------


def _against(panel: Panel, chart: Chart) -> Canvas:
    measures = [m for m in panel.measures if any(p.spread(m) for p in chart.points)]
    canvas = Canvas(figsize=(1.5 + 6.3 * len(measures), 5.2), layout="constrained")
    FigureCanvasAgg(canvas)
    compared = [point for control in chart.controls for point in control.points.values()]
    spreads = [p.spread(m) for m in measures for p in [*chart.points, *compared]]
    lines = []
    grid = canvas.subplots(1, len(measures), squeeze=False)[0]
    for axes, measure in zip(grid, measures, strict=True):
        place = _abscissa(axes, chart.axis)
        lines = [
            _line(axes, place, line, measure, number, len(chart.lines), _colour(chart, number))
            for number, line in enumerate(chart.lines)
        ]
        axes.set_title(f"{panel.dataset}, {measure}", loc="left")
        _ordinate(axes, spreads, "accuracy")
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
        return _shade(number, len(chart.lines))
    return COLOURS[number % len(COLOURS)]


def _shade(number: int, count: int) -> tuple:
    return matplotlib.colormaps["viridis"](0.88 * number / max(count - 1, 1))


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
    bars = _bars([spread for _, spread in having])
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


def _bars(spreads: Sequence[Spread]) -> np.ndarray:
    """Return the lengths of the bars below and above the means, none beyond 0 and 100."""
    mean = np.array([100 * spread.mean for spread in spreads])
    bars = np.array([100 * (spread.deviation or 0.0) for spread in spreads])
    return np.array([np.minimum(bars, mean), np.minimum(bars, 100 - mean)])


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
    _label_right(axes, texts)


def _label_right(axes: Axes, texts: list[tuple[float, str]]) -> None:
    """Write texts beside the right end of the axes at their heights, pushed apart."""
    if not texts:
        return
    texts = sorted(texts)
    low, high = axes.get_ylim()
    scale = axes.yaxis.get_transform().transform
    bottom, top = scale(np.array([low, high]))
    wanted = [(float(scale(np.array([y]))[0]) - bottom) / (top - bottom) for y, _ in texts]
    for y, (_, text), own in zip(_apart(wanted, 0.058), texts, wanted, strict=True):
        axes.annotate(
            text,
            (1.0, own),
            (1.035, y),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=11,
            color=GREY,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.8, "color": GREY, "shrinkA": 1, "shrinkB": 0},
        )


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Move sorted heights so that neighbours are `least` apart, each cluster about its middle."""
    clusters: list[list[float]] = []
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _low(clusters[-1], least) < _high(clusters[-2], least) + least:
            last = clusters.pop()
            clusters[-1] += last
    return [_low(c, least) + least * n for c in clusters for n in range(len(c))]


def _low(cluster: list[float], least: float) -> float:
    middle = sum(cluster) / len(cluster)
    # neither below the axes nor above them
    most = 1 - least * (len(cluster) - 1)
    return min(max(middle - least * (len(cluster) - 1) / 2, 0.0), most)


def _high(cluster: list[float], least: float) -> float:
    return _low(cluster, least) + least * (len(cluster) - 1)


# -- the accuracy axis -----------------------------------------------------------------------------

TICKS = (0, 20, 40, 60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.5, 100)
SOFT = 0.6  # per cent of errors that the stretched scale ends at


def _stretch(y: np.ndarray) -> np.ndarray:
    return -np.log10(np.maximum(100 - np.asarray(y, float), -0.9 * SOFT) + SOFT)


def _unstretch(v: np.ndarray) -> np.ndarray:
    return 100 + SOFT - 10 ** -np.asarray(v, float)


def _ordinate(axes: Axes, spreads: Sequence[Spread | None], what: str) -> None:
    """Set up the accuracy axis; stretched towards 100 where the means lie far apart."""
    spreads = [spread for spread in spreads if spread]
    means = [100 * spread.mean for spread in spreads]
    below, above = _bars(spreads)
    low, high = min(means - below), max(means + above)
    stretched = min(means) < 85 and max(means) > 90
    axes.grid(axis="y", alpha=0.3, lw=0.8)
    axes.set_axisbelow(True)
    if axes.get_subplotspec().is_first_col():
        axes.set_ylabel(f"{what}, %{' (stretched towards 100)' * stretched}")
    if not stretched:
        margin = 0.06 * max(high - low, 1.0)
        axes.set_ylim(low - margin, min(high + margin, 100 + 0.5 * margin))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
        return
    axes.set_yscale("function", functions=(_stretch, _unstretch))
    ends = _stretch(np.array([low, high]))
    margin = 0.05 * (ends[1] - ends[0])
    bottom, top = _unstretch(np.array([ends[0] - margin, ends[1] + margin]))
    axes.set_ylim(bottom, min(top, 100 + SOFT / 2))
    kept: list[float] = []
    for tick in sorted((t for t in TICKS if bottom <= t <= top), key=lambda t: (t % 10 != 0, t)):
        gaps = np.abs(_stretch(np.array(kept)) - _stretch(np.array([tick]))) if kept else [1e9]
        if min(gaps) > 0.06 * (ends[1] - ends[0] + 2 * margin):
            kept.append(tick)
    axes.yaxis.set_major_locator(FixedLocator(sorted(kept)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


# -- learning curves -------------------------------------------------------------------------------

PANES = 6  # more lines are thinned out
SHADED = 4  # with more curves in a pane, areas would cover each other


def _curves(panel: Panel, chart: Chart) -> Canvas:
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
            bars = _bars(curve)
            epochs = np.arange(1, len(curve) + 1)
            colour = _shade(number, len(values)) if len(values) > 3 else COLOURS[number]
            mark = MARKS[number % len(MARKS)]
            if len(values) <= SHADED:
                ends = mean - bars[0], mean + bars[1]
                axes.fill_between(epochs, *ends, color=colour, alpha=0.12, lw=0)
            else:
                axes.errorbar(epochs[-1:], mean[-1:], bars[:, -1:], color=colour, capsize=3)
            (handles[at],) = axes.plot(epochs, mean, marker=mark, ms=5, lw=1.6, color=colour)
            everything += curve if len(values) <= SHADED else [Spread((s.mean,)) for s in curve]
            everything.append(curve[-1])
        if chart.by:
            axes.set_title(f"{chart.by.name}: {show(line.value[0])}", loc="left")
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes in grid.flat[: len(shown)]:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        _ordinate(axes, everything, "accuracy on validation")
    kept = [value for value in values if value in handles]
    canvas.legend(
        [handles[value] for value in kept],
        [show(value[0]) for value in kept],
        title=quantity(chart.axis.name),
        loc="outside right upper",
    )
    return canvas


# -- Pareto fronts ---------------------------------------------------------------------------------


def _pareto(panel: Panel, cost: Cost, measure: str, front: list[Point]) -> Canvas:
    """Draw all settings over their cost, and the front as a stepped line."""
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
                _bars(spreads),
                ls="none",
                marker=MARKS[number % len(MARKS)],
                color=COLOURS[number % len(COLOURS)],
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
    x = [cost.of(point.cost) for point in front]
    y = [100 * point.spread(measure).mean for point in front]
    axes.step([*x, right], [*y, y[-1]], where="post", color="black", lw=1.5, zorder=2)
    axes.set_xlim(left, right)
    axes.set_xlabel(_cost_label(panel, cost))
    axes.set_title(f"{panel.dataset}, {measure}", loc="left")
    best = _best_controls(panel, measure)
    _ordinate(axes, [p.spread(measure) for p in [*points, *best.values()]], "accuracy")
    texts = []
    for name, point in best.items():
        height = 100 * point.spread(measure).mean
        axes.axhline(height, ls=DASHES.get(name.split(",")[0], ":"), lw=1.3, color=GREY, zorder=1)
        texts.append((height, f"{name} {height:.1f}"))
    _label_right(axes, texts)
    if len(families) > 1:
        title = quantity(_second(panel)) if _second(panel) else "varied"
        columns = min(len(families), 4)
        canvas.legend(
            handles, list(families), title=title, loc="outside upper center", ncols=columns
        )
    at = {id(p): (cost.of(p.cost), 100 * p.spread(measure).mean) for p in points}
    tags = [(at[id(point)], _tag(panel, point)) for point in front]
    _label_points(canvas, axes, tags, list(at.values()))
    return canvas


def _best_controls(panel: Panel, measure: str) -> dict[str, Point]:
    """Return each control's best point: where it was run for many settings, told so."""
    found = {}
    for name in sorted(panel.controls):
        points = [point for point in panel.controls[name] if point.spread(measure)]
        if points:
            best = max(points, key=lambda point: point.spread(measure).mean)
            found[f"{name}, best" if len(points) > 1 else name] = best
    return found


def _second(panel: Panel) -> str | None:
    """Return the axis that is drawn as lines, where there is one."""
    return next((chart.by.name for chart in panel.charts if chart.by), None)


def _family(panel: Panel, point: Point) -> str:
    """Return what colours a point: its line, or else the axis on which it leaves the base."""
    values = list(zip(panel.axes, point.at, panel.base, strict=True))
    second = _second(panel)
    if second is not None:
        return next(show(value[0]) for axis, value, _ in values if axis.name == second)
    if len(values) == 1:
        return ""
    return next((quantity(axis.name) for axis, value, base in values if value != base), "base")


def _tag(panel: Panel, point: Point) -> str:
    """Return a short text that sets a point apart from others of its colour."""
    values = list(zip(panel.axes, point.at, panel.base, strict=True))
    second = _second(panel)
    if second is not None:
        values = [entry for entry in values if entry[0].name != second]
    elif len(values) > 1:
        values = [entry for entry in values if entry[1] != entry[2]]
    return ", ".join(show(value[0]) for _, value, _ in values) or "base"


WAYS = (
    (0, 9, "center", "bottom"),
    (-8, 6, "right", "bottom"),
    (8, -6, "left", "top"),
    (0, -9, "center", "top"),
    (10, 0, "left", "center"),
    (-10, 0, "right", "center"),
)
"""Where the text of a point may stand: points to the right and up, and how it is set there."""


def _label_points(
    canvas: Canvas,
    axes: Axes,
    tags: list[tuple[tuple[float, float], str]],
    points: list[tuple[float, float]],
) -> None:
    """Write a text beside each tagged point where there is room; the others go without."""
    canvas.draw_without_rendering()
    renderer = canvas.canvas.get_renderer()
    half = 4 * canvas.dpi / 72
    taken = [(x - half, y - half, x + half, y + half) for x, y in axes.transData.transform(points)]
    frame = axes.get_window_extent(renderer)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    for at, text in tags:
        for dx, dy, across, up in WAYS:
            note = axes.annotate(
                text,
                at,
                (dx, dy),
                textcoords="offset points",
                ha=across,
                va=up,
                fontsize=11,
                path_effects=halo,
                zorder=4,
            )
            box = note.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
            if inside and all(
                box.x1 < a or c < box.x0 or box.y1 < b or d < box.y0 for a, b, c, d in taken
            ):
                taken.append((box.x0, box.y0, box.x1, box.y1))
                break
            note.remove()
