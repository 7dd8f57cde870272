"""Accuracy against the samples learned, with back-propagation and the paper's rule.

Steps are halved after each epoch, those of each rule as it has them by default.
"""

from __future__ import annotations

from hebbware.golden.reference.baselines import BASELINES
from hebbware.study.paper import chart
from hebbware.study.paper.setting import Found, Row, Setting, numbers, spreads, table

TITLE = "Learning curves against back-propagation"
EPOCHS = 3
MARKS = (250, 500, 1000, 2000, 5000, 10_000, 25_000)
FLOATS = {
    "back-propagation": "backprop",
    "gated": "gated",
    "paper's rule, gradient form, N = 8": "hsic-gradient",
}
NARROW = {"mnist": (5, 6, 7)}  # steps that 8-bit weights want, see preset mnist-w8


def plan(setting: Setting) -> list[Row]:
    """Return the runs."""
    epochs = EPOCHS if setting.full else 1
    marks = [*setting.marks(*MARKS), *(setting.epoch * (n + 2) for n in range(epochs - 1))]
    base = setting.config.derive(update__halve_every=1)
    narrow = NARROW.get(setting.dataset.removeprefix("fashion-"), base.rates)
    cores = {
        "gated, W12": base.derive(formats__weight_bits=12),
        "gated, W8": base.derive(formats__weight_bits=8, layer__rate=narrow),
        "codes, W12": base.derive(formats__weight_bits=12, memory__kind="codes"),
    }
    rows = [
        Row(label, setting.course(config, marks), {"float": False})
        for label, config in cores.items()
    ]
    for label, rule in FLOATS.items():
        steps = BASELINES[rule].steps
        keys = setting.course(rule, marks, steps=steps, halve=1)
        rows.append(Row(f"{label}, float", keys, {"float": True}))
    return rows


def draw(setting: Setting, found: Found):
    """Draw accuracy against samples."""
    marks = found[0][0].keys[0]["marks"]
    canvas, axes = chart.canvas(width=9.5, height=5.6)
    axis = axes[0][0]
    for number, (row, results) in enumerate(found):
        chart.line(axis, marks, spreads(results), number, row.label, row.about["float"])
    chart.samples_axis(axis, [m for m in marks if m != 2 * setting.epoch], "samples learned")
    axis.tick_params(axis="x", labelrotation=45)
    chart.accuracy_axis(axis, [one for _, results in found for one in spreads(results)])
    axis.set_title(f"{setting.dataset}: {'-'.join(map(str, setting.config.sizes))}")
    chart.legend(axis)
    return canvas, {"marks": marks, "rows": [numbers(*one) for one in found]}


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines of the curves."""
    marks = summary["marks"]
    heads = [f"{mark:,}" for mark in marks]
    return [
        (
            f"{setting.dataset}: test accuracy after so many samples, %",
            *table(summary, "rows", range(len(marks)), heads),
        )
    ]
