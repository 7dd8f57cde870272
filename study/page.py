"""The page of a report: one HTML file that holds its figures, style and script, and needs no net.

It is well-formed XML besides, and the same results give the same bytes.
"""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbware.study.axes import show
from hebbware.study.drawing import label, quantity
from hebbware.study.figures import Figure
from hebbware.study.panels import Panel, Study
from hebbware.study.results import COSTS, Point, Run, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES = Path(__file__).parent / "templates"

COLUMNS = (
    ("memory_bits", "memory, bits"),
    ("weight_bits_total", "weights, bits"),
    ("multiplier_bits", "multiplier, bits"),
    ("multiplies_per_sample", "multiplies / sample"),
    ("memory_reads_per_sample", "reads / sample"),
    ("memory_writes_per_sample", "writes / sample"),
    ("clocks_per_sample", "clocks / sample"),
)
DEVICE = (("lut", "LUTs"), ("dsp", "DSPs"), ("bram", "block RAMs"))


def page(study: Study, drawn: Sequence[Figure]) -> str:
    """Return the page of a study with its figures."""
    body = [_head(study), _contents(study)]
    body += [_panel(panel, [f for f in drawn if f.panel is panel]) for panel in study.panels]
    body.append(_failed(study))
    body.append(_specifications(study))
    return (
        _template("page.html")
        .replace("{{title}}", escape(study.title))
        .replace("{{style}}", _template("page.css"))
        .replace("{{script}}", _template("page.js"))
        .replace("{{body}}", "\n".join(filter(None, body)))
    )


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


# -- parts of the page -----------------------------------------------------------------------------


def _head(study: Study) -> str:
    runs = study.runs
    done = sum(run.error is None for run in runs)
    missing = study.planned - len(runs)
    counts = f"{done} done, {len(runs) - done} failed, {missing} not run, of {study.planned}"
    facts = [
        ("runs", counts),
        ("seeds", ", ".join(map(str, sorted({run.seed for run in runs})))),
        ("data", "; ".join(_datasets(runs))),
        ("code version", study.code),
        ("drawn with", ", ".join(f"{name} {v}" for name, v in study.versions.items())),
    ]
    if study.left_out:
        facts.append(("left out", f"{study.left_out} results that no specification here asks for"))
    rows = "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts)
    return f"<h1>{escape(study.title)}</h1>\n<dl>\n{rows}\n</dl>"


def _datasets(runs: list[Run]) -> list[str]:
    found: dict[str, set[str]] = {}
    for run in runs:
        found.setdefault(run.dataset, set()).add(run.checksum)
    return [
        f"{name}, SHA-256 {', '.join(f'{c[:16]}…' for c in sorted(sums))}"
        for name, sums in sorted(found.items())
    ]


def _contents(study: Study) -> str:
    if len(study.panels) < 2:
        return ""
    links = [
        f'<li><a href="#{escape(p.name)}">{escape(p.title)}</a> ({escape(p.dataset)})</li>'
        for p in study.panels
    ]
    return "<ul>\n" + "\n".join(links) + "\n</ul>"


def _panel(panel: Panel, drawn: list[Figure]) -> str:
    parts = [f'<section id="{escape(panel.name)}">', f"<h2>{escape(panel.title)}</h2>"]
    if panel.points:
        samples = sorted({run.settings["samples"] for run in panel.runs})
        epochs = sorted({run.settings["epochs"] for run in panel.runs})
        text = (
            f"{panel.dataset}: {_list(samples)} training samples, {_list(epochs)} epochs, "
            f"{len(panel.points)} settings, seeds {_list(panel.seeds)}."
        )
        parts.append(f"<p>{escape(text)}</p>")
    for figure in drawn:
        parts.append(_figure(figure))
        if figure.kind == "axis" and figure.chart.by:
            parts.append(_pivot(figure))
    if panel.points:
        parts += [_settings(panel), _runs(panel), _fixed(panel)]
    else:
        parts.append("<p>No run of this part is finished.</p>")
    parts.append("</section>")
    return "\n".join(filter(None, parts))


def _list(values: Sequence[Any]) -> str:
    return ", ".join(f"{v:,}" if isinstance(v, int) else str(v) for v in values)


def _figure(figure: Figure) -> str:
    data = base64.b64encode(figure.svg).decode()
    caption = escape(figure.caption)
    return (
        f'<figure id="{escape(figure.name)}">\n'
        f'<img alt="{caption}" src="data:image/svg+xml;base64,{data}"/>\n'
        f"<figcaption>{caption} <code>figures/{escape(figure.name)}</code></figcaption>\n</figure>"
    )


def _pivot(figure: Figure) -> str:
    """Return the numbers of a figure: a row for each value of its axis, a column for each line."""
    chart, measures = figure.chart, figure.panel.measures
    heads = [quantity(chart.axis.name)]
    heads += [f"{show(line.value[0])}, {m} %" for m in measures for line in chart.lines]
    rows = []
    for value in chart.axis.values:
        row = [_cell(value[0])]
        for measure in measures:
            for line in chart.lines:
                point = line.points.get(value)
                row.append(_percent(point and point.spread(measure)))
        rows.append(row)
    return _table(f"{figure.name}-table", "Mean ± standard deviation over the seeds", heads, rows)


def _settings(panel: Panel) -> str:
    """Return the table of all settings and controls, with their costs."""
    fronts = {m: panel.fronts(m) for m in panel.measures[:1]}
    on = {
        cost.name: {id(point) for front in fronts.values() for point in front.get(cost.name, [])}
        for cost in COSTS
    }
    heads = [quantity(axis.name) for axis in panel.axes] + ["control", "seeds"]
    for measure in panel.measures:
        heads += [f"{measure}, %", "±"]
    heads += [head for _, head in COLUMNS] + [head for _, head in DEVICE]
    heads += ["marked", "on the front of"]
    rows = []
    everything = [("", point) for point in panel.points]
    everything += [(name, point) for name, points in panel.controls.items() for point in points]
    for name, point in everything:
        row = [_cell(v[0]) for v in _at(panel, name, point)] + [_cell(name), _cell(len(point.runs))]
        for measure in panel.measures:
            row += _mean(point.spread(measure))
        cost = point.cost | {"multiplier_bits": _product(point.cost.get("multiplier_bits"))}
        row += [_cell(cost.get(key)) for key, _ in COLUMNS]
        estimate = point.cost.get("estimate") or {}
        row += [_cell(estimate.get(key)) for key, _ in DEVICE]
        row.append(_cell(estimate.get("marked")))
        row.append(_cell(", ".join(n for n, ids in on.items() if id(point) in ids)))
        rows.append(row)
    title = (
        f"Settings and controls; fronts by accuracy on {panel.measures[0]}" if on else "Settings"
    )
    return _table(f"{panel.name}-settings", title, heads, rows)


def _product(widths: list[int] | None) -> str | None:
    return widths and " × ".join(map(str, widths))


def _at(panel: Panel, control: str, point: Point) -> tuple[tuple, ...]:
    """Return the values of a point; of a control's, none where it was run once for all of them."""
    if control and len(panel.controls[control]) == 1:
        return tuple((None,) for _ in panel.axes)
    return point.at


def _runs(panel: Panel) -> str:
    heads = [quantity(axis.name) for axis in panel.axes] + ["control", "seed", "while learning, %"]
    heads += [f"{measure}, %" for measure in panel.measures] + ["result"]
    rows = []
    everything = [("", point) for point in panel.points]
    everything += [(name, point) for name, points in panel.controls.items() for point in points]
    for name, point in everything:
        for run in point.runs:
            row = [_cell(v[0]) for v in _at(panel, name, point)] + [_cell(name), _cell(run.seed)]
            row.append(_number(run.train[-1] if run.train else None))
            row += [_number(run.measure(measure)) for measure in panel.measures]
            row.append((f"<code>{run.name[:12]}</code>", run.name))
            rows.append(row)
    return _folded("Single runs", _table(f"{panel.name}-runs", "", heads, rows))


def _fixed(panel: Panel) -> str:
    rows = [[_cell(k), _cell(label(k)), _cell(v)] for k, v in panel.fixed().items()]
    table = _table(f"{panel.name}-fixed", "", ["field", "what it is", "value"], rows)
    return _folded("Settings that were not varied", table)


def _failed(study: Study) -> str:
    failed = [run for run in study.runs if run.error is not None]
    if not failed:
        return ""
    rows = []
    varied = list(dict.fromkeys(name for panel in study.panels for name in panel.fields))
    for run in failed:
        at = ", ".join(f"{name} {show(run.settings.get(name))}" for name in varied)
        row = [_cell(run.dataset), _cell(run.control or ""), _cell(at), _cell(run.seed)]
        rows.append([*row, _cell(run.error), (f"<code>{run.name[:12]}</code>", run.name)])
    heads = ["data set", "control", "at", "seed", "error", "result"]
    table = _table("failed-runs", "", heads, rows)
    return f'<section id="failed">\n<h2>Failed runs</h2>\n{table}\n</section>'


def _specifications(study: Study) -> str:
    parts = ['<section id="specification">', "<h2>Specification</h2>"]
    for name, text in study.specifications.items():
        parts.append(_folded(name, f"<pre>{escape(text)}</pre>"))
    return "\n".join([*parts, "</section>"])


def _folded(title: str, content: str) -> str:
    return f"<details>\n<summary>{escape(title)}</summary>\n{content}\n</details>"


# -- tables ----------------------------------------------------------------------------------------

Cell = tuple[str, Any]
"""What is shown, as HTML, and what it is sorted by: a number or a text."""


def _cell(value: Any) -> Cell:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}", value
    return escape(show(value)), value if isinstance(value, float) else show(value)


def _number(value: float | None) -> Cell:
    return ("–", "") if value is None else (f"{100 * value:.2f}", value)


def _mean(spread: Spread | None) -> list[Cell]:
    return [_number(spread and spread.mean), _number(spread and spread.deviation)]


def _percent(spread: Spread | None) -> Cell:
    if spread is None:
        return "–", ""
    bar = "" if spread.deviation is None else f" ± {100 * spread.deviation:.2f}"
    return f"{100 * spread.mean:.2f}{bar}", spread.mean


def _table(name: str, title: str, heads: list[str], rows: list[list[Cell]]) -> str:
    """Return a table whose heads sort it when clicked."""
    caption = f"<caption>{escape(title)}</caption>\n" if title else ""
    head = "".join(
        f'<th scope="col"><button type="button">{escape(text)}</button></th>' for text in heads
    )
    lines = ["".join(map(_td, row)) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide"><table id="{escape(name)}" class="sortable">\n{caption}'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _td(cell: Cell) -> str:
    text, key = cell
    if isinstance(key, (int, float)):
        return f'<td class="n" data-key="{json.dumps(key)}">{text}</td>'
    return f"<td>{text}</td>"
