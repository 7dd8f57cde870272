"""Accuracy against the width of the network: where a memory pays, and where fixed codes do as well.

One hidden layer, few and many units, wide and narrow weights; steps are halved after each epoch.
Each rule's steps are chosen on the samples held back, for each width and number of bits by itself.
"""

from __future__ import annotations

from typing import Any

from hebbware.golden.config import dense
from hebbware.study.paper import chart
from hebbware.study.paper.setting import Found, Row, Setting, choose, numbers, spreads, table

TITLE = "Accuracy against the width of the hidden layer"
EPOCHS = 3
WIDTHS = (8, 16, 32, 64, 128)
BITS = (12, 8)
LANES = 8
MEMORIES: dict[str, dict[str, Any]] = {
    "gated memory": {"memory.kind": "gated"},
    "random codes": {"memory.kind": "codes", "memory.kappa": 1.0},
}
STEPS = ((6, 7), (7, 7), (8, 7))
"""Choices, shifts: hidden layer, readout."""
FROZEN = (7, 7)
BACKPROP = (0.01, 0.02, 0.05)


def plan(setting: Setting) -> list[Row]:
    """Return the runs: every rule at every width with every choice of its steps."""
    widths = WIDTHS if setting.full else WIDTHS[1:3]
    epochs = EPOCHS if setting.full else 1
    marks = [epochs * setting.epoch]
    inputs, classes = setting.config.inputs, setting.config.classes
    rows = []

    def add(name: str, width: int, choice: Any, learner: Any, **options: Any) -> None:
        keys = setting.course(learner, marks, **options)
        about = {"rule": name, "width": width, "float": isinstance(learner, str)}
        rows.append(Row(f"{name}, {width} units, steps {choice}", keys, about))

    for width in widths:
        layers = (inputs, width, classes)

        def core(steps: tuple[int, int], bits: int, layers=layers, **fields: Any):
            return setting.core(
                **dense(layers), lanes=LANES, formats__weight_bits=bits, layer__rate=steps,
                layer__init_std=[None] * len(steps), update__halve_every=1, **fields,
            )  # fmt: skip

        for bits in BITS:
            for name, fields in MEMORIES.items():
                for steps in STEPS if setting.full else STEPS[:2]:
                    add(f"{name}, W{bits}", width, steps, core(steps, bits, **fields))
        add("hidden layer frozen, W12", width, FROZEN, core(FROZEN, 12, memory__kind="none"))
        for step in BACKPROP if setting.full else BACKPROP[1:2]:
            add(
                "back-propagation, float", width, step, "backprop",
                layers=layers, steps=(step,) * 3, halve=1,
            )  # fmt: skip
    return rows


def best(found: Found) -> Found:
    """Return each rule at each width with the steps that are best on the samples held back."""
    places = dict.fromkeys((row.about["rule"], row.about["width"]) for row, _ in found)
    return [
        choose([one for one in found if (one[0].about["rule"], one[0].about["width"]) == place], -1)
        for place in places
    ]


def draw(setting: Setting, found: Found):
    """Draw accuracy against width, one line for each rule and number of bits."""
    chosen = best(found)
    canvas, axes = chart.canvas(width=9.5, height=5.2)
    axis = axes[0][0]
    rules = list(dict.fromkeys(row.about["rule"] for row, _ in chosen))
    drawn = []
    for number, rule in enumerate(rules):
        points = [(row, results) for row, results in chosen if row.about["rule"] == rule]
        line = [spreads(results)[-1] for _, results in points]
        if "frozen" not in rule:  # far below: in the table
            widths = [row.about["width"] for row, _ in points]
            chart.line(axis, widths, line, number, rule, points[0][0].about["float"])
            drawn += line
    chart.samples_axis(
        axis, sorted({row.about["width"] for row, _ in chosen}), "units in the hidden layer"
    )
    chart.accuracy_axis(axis, drawn)
    axis.set_title(f"{setting.dataset}: one hidden layer, {EPOCHS if setting.full else 1} epochs")
    chart.legend(axis)
    return canvas, {
        "marks": found[0][0].keys[0]["marks"],
        "rows": [numbers(row, results) for row, results in chosen],
        "all": [numbers(row, results) for row, results in found],
    }


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: a line for each rule, a column for each width."""
    widths = sorted({row["width"] for row in summary["rows"]})
    lines = []
    for rule in dict.fromkeys(row["rule"] for row in summary["rows"]):
        of = {row["width"]: row for row in summary["rows"] if row["rule"] == rule}
        part = {"rows": [of[width] for width in widths if width in of]}
        lines.append((rule, *(line[1] for line in table(part, "rows", [-1], ["test"])[1])))
    return [
        (
            f"{setting.dataset}: test accuracy by units in the hidden layer, %",
            ("rule", *map(str, widths)),
            lines,
        )
    ]
