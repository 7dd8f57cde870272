"""The figures of a report, as files with captions. The same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure as Canvas

from hebbware.study.axes import show
from hebbware.study.drawing import STYLE, quantity
from hebbware.study.panels import Chart, Panel, Study
from hebbware.study.plots import SHADED, against, cost_label, curves, pareto, second_axis
from hebbware.study.results import COSTS, marked


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


def _figures(panel: Panel) -> Iterator[Figure]:
    if not panel.measures:
        return
    for chart in panel.charts:
        name = "-".join(
            [panel.name, chart.axis.name.replace(".", "-"), *map(show, chart.fixed.values())]
        )
        yield _finish(name, panel, "axis", _caption(panel, chart), against(panel, chart), chart)
        if max(len(run.validation) for point in chart.points for run in point.runs) > 1:
            caption = (
                f"Accuracy on validation after each epoch {_varied(chart)}: mean over the seeds"
            )
            shaded = len(chart.axis.values) <= SHADED
            caption += "; shaded: one standard deviation." if shaded else "."
            yield _finish(f"{name}-curves", panel, "curves", caption, curves(panel, chart), chart)
    measure = panel.measures[0]
    fronts = panel.fronts(measure)
    for cost in COSTS:
        if len({cost.of(point.cost) for point in panel.points} - {None}) > 1:
            front, reason = fronts.get(cost.name, []), panel.undecided(cost)
            caption = (
                f"Accuracy on {measure} (mean and standard deviation over the seeds) against "
                f"{cost_label(panel, cost)}. "
            )
            caption += (
                f"{reason[0].upper()}{reason[1:]}."
                if reason
                else f"Stepped line: the Pareto front, {len(front)} of {len(panel.points)} "
                f"settings, labelled with {_labelled(panel)}."
            )
            if any("estimate" in kind for kind in marked(panel.points, cost)):
                caption += " The cost is an estimate where it is not the report of a build."
            canvas = pareto(panel, cost, measure, front)
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


def _labelled(panel: Panel) -> str:
    varied = [axis.name for axis in panel.axes if axis.name != second_axis(panel)]
    names = ", ".join(quantity(name) for name in varied)
    return names if second_axis(panel) or len(varied) == 1 else "what was varied"


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
    text = f"Accuracy at the end {_varied(chart)}: "
    single = count == "1"
    text += "1 seed." if single else f"mean of {count} seeds, bars of one standard deviation"
    text += "" if single else ", single seeds as dots."
    for axis in (chart.axis, chart.by):
        for index, name in enumerate(axis.fields[1:] if axis else (), 1):
            pairs = ", ".join(f"{show(v[index])} at {show(v[0])}" for v in axis.values)
            text += f" With it varied {quantity(name)}: {pairs}."
    if any(len(control.points) > 1 for control in chart.controls):
        text += " Dashed lines that are not level: controls that were run for each value."
    return text
