"""Classes that the hidden layers never saw: eight of ten first, then all of them.

After one pass through the images of the first classes all classes come. What is told is the
accuracy on the new classes, on the old ones and on all, some samples after the change. Controls:
codes; hidden layers stopped at the change, so that the readout alone must tell the new classes by
old features; back-propagation in floating point. Steps are chosen for each rule on images held
back.
"""

from __future__ import annotations

from typing import Any

from hebbware.study.claims import told
from hebbware.study.claims.cases import Case, Chosen, Scale, Setting
from hebbware.study.claims.rules import BACKPROP, bit_true, floating, shape
from hebbware.study.paper import chart

TITLE = "Classes that the hidden layers never saw"
QUESTION = "Do hidden layers have to go on learning when new classes come?"
HIDDEN = ((16,), (128, 64))
FIRST = 8
MARKS = (250, 500, 1000, 4000, 16000)
SHORT_MARKS = (250, 500, 1000)
STEPS = tuple((first, further, 7) for first in (5, 6, 7) for further in (5, 6))
SINGLE_STEPS = tuple((first, last) for first in (5, 6, 7, 8) for last in (6, 7))
READOUT = (5, 6, 7, 8)
BACKPROP_STEPS = (0.003, 0.01, 0.03)


def cases(setting: Setting) -> list[Case]:
    """Return every rule at both sizes."""
    found = []
    for hidden in HIDDEN if setting.full else HIDDEN[:1]:
        grid = STEPS if len(hidden) > 1 else SINGLE_STEPS
        for rule in ("gated", "codes"):
            found.append(_case(setting, hidden, rule, grid, bit_true(setting, hidden, rule)))
        stopped = bit_true(setting, hidden, "gated", alone=True)
        found.append(_case(setting, hidden, "readout only", READOUT, stopped))
        for rule, normalised in BACKPROP.items():
            made = floating(setting, hidden, normalised)
            found.append(_case(setting, hidden, rule, BACKPROP_STEPS, made))
    return found


def _case(setting: Setting, hidden, rule, choices, learner) -> Case:
    marks = MARKS if setting.full else SHORT_MARKS

    def keys(choice: Any, scale: Scale) -> list[dict]:
        own = [mark for mark in marks if mark <= scale.samples]
        return [
            setting.key("unseen", seed, scale, first=FIRST, marks=own, **learner(choice))
            for seed in scale.seeds
        ]

    about = {"rule": rule, "hidden": hidden}
    return Case(f"{rule}, {shape(hidden)}", about, choices, keys)


def draw(setting: Setting, found: list[Chosen], costs: list):
    """Draw accuracy on all classes, and on the new ones, against the samples after the change."""
    sizes = list(dict.fromkeys(one.case.about["hidden"] for one in found))
    marks = found[0].case.keys(found[0].choice, setting.whole)[0]["marks"]
    canvas, axes = chart.canvas(len(sizes), 1, width=6.4, height=4.4, sharex=True)
    for axis, hidden in zip(axes[:, 0], sizes, strict=True):
        drawn = []
        shown = [one for one in found if one.case.about["hidden"] == hidden]
        for number, one in enumerate(shown):
            spreads = [told.spread(one, _at("test", place)) for place in range(len(marks))]
            real = "back" in one.case.about["rule"]
            chart.line(axis, marks, spreads, number, one.case.about["rule"], real)
            drawn += spreads
        chart.samples_axis(axis, marks, "samples after two new classes came")
        chart.accuracy_axis(axis, drawn)
        axis.set_title(f"hidden layers {shape(hidden)}", loc="left")
    handles = axes[0, 0].get_legend_handles_labels()
    canvas.legend(*handles, fontsize=10.5, ncols=2, loc="outside lower center")
    return canvas, summary(setting, found, marks)


def _at(what: str, place: int):
    return lambda result: result[what][place]


def summary(setting: Setting, found: list[Chosen], marks: list[int]) -> dict:
    """Return what the JSON says: accuracies at the marks, differences on all classes."""
    rows, gaps = [], []
    for one in found:
        row = told.numbers(one, _at("test", -1))
        for what in ("test", "new", "old"):
            spreads = [told.spread(one, _at(what, place)) for place in range(len(marks))]
            row[f"{what}_at"] = [spread.mean for spread in spreads]
            row[f"{what}_at_deviation"] = [spread.deviation for spread in spreads]
        rows.append(row)
        if one.case.about["rule"] != "gated":
            continue
        for other in found:
            if other is one or other.case.about["hidden"] != one.case.about["hidden"]:
                continue
            for place in (marks.index(500), len(marks) - 1):
                if gap := told.paired(one, other, _at("test", place)):
                    about = {"hidden": one.case.about["hidden"], "after": marks[place]}
                    gaps.append({**about, "against": other.case.about["rule"], **gap.to_dict()})
    return {"first": FIRST, "marks": marks, "rows": rows, "differences": gaps}


def tables(summary: dict) -> list[tuple]:
    """Return title, columns and lines."""
    made = []
    words = {"test": "all classes", "new": "the new classes", "old": "the old classes"}
    for what, name in words.items():
        lines = []
        for row in summary["rows"]:
            pairs = zip(row[f"{what}_at"], row[f"{what}_at_deviation"], strict=True)
            texts = [told.percent({"mean": m, "deviation": d}) for m, d in pairs]
            lines.append((shape(tuple(row["hidden"])), row["rule"], *texts))
        heads = ("hidden", "rule", *(f"{mark:,}" for mark in summary["marks"]))
        made.append((f"test accuracy on {name} so many samples after the change, %", heads, lines))
    title = "paired differences on all classes"
    made.append(told.gaps(title, summary["differences"], ("hidden", "after")))
    return made


def findings(summary: dict) -> list[str]:
    """Return what is claimed."""
    return [
        f"{shape(tuple(gap['hidden']))}, {gap['after']:,} samples after the change, gated against "
        f"{gap['against']}: {told.words(gap)}"
        for gap in summary["differences"]
    ]
