"""All rules in the same trainer, on the same data and sizes, after one epoch: the bare figures."""

from __future__ import annotations

import numpy as np

from hebbware.golden.reference.baselines import BASELINES
from hebbware.study.drawing import COLOURS
from hebbware.study.paper import chart
from hebbware.study.paper.setting import Found, Row, Setting, numbers, spreads, table

TITLE = "The rules beside their baselines and controls"
ADAMW = ("backprop-adamw", "hsic-gradient-adamw", "hsic-released-adamw")
SHORT = 4000  # samples of the short setting


def plan(setting: Setting) -> list[Row]:
    """Return the runs; those by AdamW, which take longest, from one seed."""
    marks = [2000, setting.epoch] if setting.full else [min(SHORT, setting.epoch)]
    rows = [
        Row(
            "gated, bit-true",
            setting.course(setting.core(update__halve_every=0), marks),
            {"float": False},
        )
    ]
    for name in BASELINES:
        if "adamw" not in name:
            rows.append(Row(name, setting.course(name, marks), {"float": True}))
    for name in ADAMW:
        keys = setting.course(name, marks, seeds=setting.seeds[:1])
        rows.append(Row(name, keys, {"float": True}))
    return rows


def draw(setting: Setting, found: Found):
    """Draw a bar for each rule."""
    marks = found[0][0].keys[0]["marks"]
    canvas, axes = chart.canvas(width=9.0, height=6.4)
    axis = axes[0][0]
    ordered = sorted(found, key=lambda one: spreads(one[1])[-1].mean)
    for place, (row, results) in enumerate(ordered):
        spread = spreads(results)[-1]
        colour = COLOURS[0] if row.about["float"] else COLOURS[1]
        axis.barh(place, 100 * spread.mean, xerr=100 * (spread.deviation or 0), color=colour)
        axis.text(100 * spread.mean + 0.6, place, f"{100 * spread.mean:.2f}", va="center")
    axis.set_yticks(np.arange(len(ordered)), [row.label for row, _ in ordered])
    axis.set_xlim(0, 108)
    axis.set_xlabel("test accuracy, %")
    axis.set_title(f"{setting.dataset}: after {marks[-1]:,} samples")
    return canvas, {"marks": marks, "rows": [numbers(*one) for one in ordered[::-1]]}


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines of the rules, the best one first."""
    marks = summary["marks"]
    heads = [f"{mark:,}" for mark in marks]
    return [
        (
            f"{setting.dataset}: test accuracy after so many samples, %",
            *table(summary, "rows", range(len(marks)), heads),
        )
    ]
