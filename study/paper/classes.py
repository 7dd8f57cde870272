"""Accuracy on the classes so far, while one class after another is added to the stream.

Two classes first, then one more at equal distances, nine tenths of the epoch in all; measured at
the end of each stretch, just before the next class comes, and in the middle of it. Steps are chosen
on the samples held back, at the end of the epoch.
"""

from __future__ import annotations

from hebbware.study.paper import chart
from hebbware.study.paper.remap import best, candidates
from hebbware.study.paper.setting import Found, Row, Setting, numbers, spreads, table

TITLE = "Accuracy while classes are added"
FIRST = 2
STRETCHES = 10  # of an epoch


def plan(setting: Setting) -> list[Row]:
    """Return the runs: every rule with every choice of its steps."""
    every = setting.epoch // STRETCHES
    classes = setting.config.classes
    ends = [every * (n + 1) for n in range(classes - FIRST + 1)]
    halves = [end - every // 2 for end in ends]
    marks = sorted({*ends, *halves})
    rows = candidates(setting, marks, f"classes:{every}:{FIRST}")
    return [row for row in rows if row.about["float"] or "W12" in row.label]


def draw(setting: Setting, found: Found):
    """Draw accuracy on the classes so far against the samples."""
    marks = found[0][0].keys[0]["marks"]
    every = setting.epoch // STRETCHES
    chosen = best(found, len(marks) - 1)
    canvas, axes = chart.canvas(width=9.8, height=5.6)
    axis = axes[0][0]
    for number, (row, results) in enumerate(chosen):
        real = row.about["float"]
        name = row.about["rule"] + ", float" * (real and "float" not in row.about["rule"])
        chart.line(axis, marks, spreads(results), number, name, real)
    chart.accuracy_axis(axis, [one for _, results in chosen for one in spreads(results)])
    added = range(FIRST, setting.config.classes)
    for place, _ in enumerate(added, start=1):
        axis.axvline(every * place, color="#999999", lw=0.8, ls=":")
    axis.set_xlabel("samples learned; dotted: one more class")
    axis.set_title(f"{setting.dataset}: accuracy on the classes so far")
    chart.legend(axis, title=chart.SIZES)
    return canvas, {
        "marks": marks,
        "every": every,
        "rows": [numbers(*one) for one in chosen],
        "all": [numbers(*one) for one in found],
    }


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: at the end of each stretch, by the classes so far."""
    marks, every = summary["marks"], summary["every"]
    ends = [place for place, mark in enumerate(marks) if mark % every == 0]
    heads = [f"{marks[place] // every + FIRST - 1} classes" for place in ends]
    title = f"{setting.dataset}: test accuracy before the next class comes, %"
    return [(title, *table(summary, "rows", ends, heads))]
