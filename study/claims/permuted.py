"""Worlds in a row: in each the inputs stand in another order, so that old features do not serve.

In every world the same images come with their pixels permuted anew; labels stay. What is told is
the share of images that are classified right before they are learned. A rule that loses plasticity
falls behind from world to world. Two hidden layers, constant steps, which are chosen for each rule
on a shorter row of one seed. Controls: codes; hidden layers stopped after the first world, the
readout alone learns; back-propagation in floating point.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hebbware.study.claims import told
from hebbware.study.claims.cases import Case, Chosen, Scale, Setting
from hebbware.study.claims.rules import BACKPROP, bit_true, floating, shape
from hebbware.study.paper import chart

TITLE = "Permuted inputs, world after world"
QUESTION = "Does the memory keep a network plastic when old features serve no longer?"
HIDDEN = ((32, 16), (128, 64))
WORLDS, EACH = 51, 5000  # 50 changes
TRIAL_WORLDS = 6
STEPS = tuple((first, further, 7) for first in (5, 6, 7) for further in (5, 6))
READOUT = (5, 6, 7, 8)
BACKPROP_STEPS = (0.003, 0.01, 0.03, 0.1)


def cases(setting: Setting) -> list[Case]:
    """Return every rule at both sizes."""
    found = []
    for hidden in HIDDEN if setting.full else HIDDEN[:1]:
        for rule in ("gated", "codes"):
            found.append(_case(setting, hidden, rule, STEPS, bit_true(setting, hidden, rule)))
        stopped = bit_true(setting, hidden, "gated", alone=True)
        found.append(_case(setting, hidden, "readout only", READOUT, stopped))
        for rule, normalised in BACKPROP.items():
            made = floating(setting, hidden, normalised)
            found.append(_case(setting, hidden, rule, BACKPROP_STEPS, made))
    return found


def _case(setting: Setting, hidden, rule, choices, learner) -> Case:
    def keys(choice: Any, scale: Scale) -> list[dict]:
        trial = scale is setting.trial
        worlds = TRIAL_WORLDS if trial else WORLDS
        each = EACH if setting.full else 500
        return [
            setting.key(
                "permuted", seed, setting.whole, worlds=worlds, each=each, **learner(choice)
            )
            for seed in scale.seeds
        ]

    about = {"rule": rule, "hidden": hidden}
    return Case(f"{rule}, {shape(hidden)}", about, choices, keys)


def draw(setting: Setting, found: list[Chosen], costs: list):
    """Draw the share of right answers against the number of changes."""
    sizes = list(dict.fromkeys(one.case.about["hidden"] for one in found))
    canvas, axes = chart.canvas(len(sizes), 1, width=6.4, height=4.2, sharex=True)
    for axis, hidden in zip(axes[:, 0], sizes, strict=True):
        shown = [one for one in found if one.case.about["hidden"] == hidden]
        for number, one in enumerate(shown):
            mean = 100 * np.mean([result["worlds"] for result in one.results], axis=0)
            axis.plot(
                range(len(mean)), mean, color=chart.SHADES[number], lw=1.8,
                ls=chart.DASHED if "back" in one.case.about["rule"] else "-",
                label=one.case.about["rule"],
            )  # fmt: skip
        axis.set_ylim(bottom=40)
        axis.grid(alpha=0.3, lw=0.8)
        axis.set_ylabel("right before learned, %")
        axis.set_title(f"hidden layers {shape(hidden)}", loc="left")
    axes[-1, 0].set_xlabel(f"changes of the order of the inputs, every {EACH:,} images")
    handles = axes[0, 0].get_legend_handles_labels()
    canvas.legend(*handles, fontsize=10.5, ncols=2, loc="outside lower center")
    return canvas, summary(setting, found)


def _late(result: dict) -> float:
    """Mean share of the second half of the row."""
    return result["score"]


def _fall(result: dict) -> float:
    """How much the last ten worlds are above the first ten after the first change."""
    worlds = result["worlds"]
    return float(np.mean(worlds[-10:]) - np.mean(worlds[1:11]))


def summary(setting: Setting, found: list[Chosen]) -> dict:
    """Return what the JSON says: late accuracy, its change over the row, differences, curves."""
    rows, gaps = [], []
    for one in found:
        worlds = np.mean([result["worlds"] for result in one.results], axis=0)
        change = told.spread(one, _fall)
        rows.append(
            {
                **told.numbers(one, _late),
                "worlds": [round(float(value), 5) for value in worlds],
                "change": change.mean,
                "change_deviation": change.deviation,
            }
        )
        if one.case.about["rule"] == "gated":
            for other in found:
                same = other.case.about["hidden"] == one.case.about["hidden"]
                if same and other is not one and (gap := told.paired(one, other, _late)):
                    about = {"hidden": one.case.about["hidden"]}
                    against = other.case.about["rule"]
                    gaps.append({**about, "against": against, **gap.to_dict()})
    return {"worlds": WORLDS, "each": EACH, "rows": rows, "differences": gaps}


def tables(summary: dict) -> list[tuple]:
    """Return title, columns and lines."""
    lines = [
        (
            shape(tuple(row["hidden"])),
            row["rule"],
            str(row["steps"]),
            told.percent(row),
            told.percent({"mean": row["change"], "deviation": row["change_deviation"]}),
        )
        for row in summary["rows"]
    ]
    heads = ("hidden", "rule", "steps", "right, second half, %", "last ten - first ten, points")
    return [
        (f"{summary['worlds'] - 1} changes of the order of the inputs", heads, lines),
        told.gaps(
            "paired differences, second half of the row", summary["differences"], ("hidden",)
        ),
    ]


def findings(summary: dict) -> list[str]:
    """Return what is claimed."""
    return [
        f"{shape(tuple(gap['hidden']))}, gated against {gap['against']}: {told.words(gap)}"
        for gap in summary["differences"]
    ]
