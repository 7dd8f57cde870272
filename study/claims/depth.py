"""Depth: two to eight hidden layers of 32 and of 128 units, one epoch.

Each rule has steps of its own, chosen on images held back. Controls: codes; the readout alone,
hidden layers at their start weights; back-propagation in floating point.
"""

from __future__ import annotations

from typing import Any

from hebbware.study.claims import told
from hebbware.study.claims.cases import Case, Chosen, Scale, Setting
from hebbware.study.claims.rules import BACKPROP, backprop, core, network, spread_steps
from hebbware.study.paper import chart

TITLE = "Depth"
QUESTION = "Does every further layer go on learning by its own memory alone?"
WIDTHS, DEPTHS = (32, 128), (2, 3, 4, 6, 8)
STEPS = ((6, 5, 7), (7, 6, 7), (8, 7, 7))
READOUT = ((7, 7, 5), (7, 7, 7))
BACKPROP_STEPS = (0.003, 0.01, 0.03)


def cases(setting: Setting) -> list[Case]:
    """Return every rule at every depth."""
    found = []
    for width in WIDTHS if setting.full else WIDTHS[:1]:
        for depth in DEPTHS if setting.full else DEPTHS[:1]:
            hidden = (width,) * depth
            for rule in ("gated", "codes"):
                found.append(_case(setting, hidden, rule, STEPS, _bit_true(setting, hidden, rule)))
            alone = _bit_true(setting, hidden, "readout only")
            found.append(_case(setting, hidden, "readout only", READOUT, alone))
            made = _float(setting, hidden, True)
            found.append(_case(setting, hidden, "back-propagation", BACKPROP_STEPS, made))
    return found


def _bit_true(setting: Setting, hidden: tuple[int, ...], rule: str):
    def learner(choice: Any) -> dict[str, Any]:
        return core(network(setting, hidden, rule, steps=spread_steps(hidden, choice)))

    return learner


def _float(setting: Setting, hidden: tuple[int, ...], normalised: bool):
    return lambda choice: backprop(setting, hidden, choice, normalised)


def _case(setting: Setting, hidden, rule, choices, learner) -> Case:
    def keys(choice: Any, scale: Scale) -> list[dict]:
        return [
            setting.key("epochs", seed, scale, learner=learner(choice), epochs=1)
            for seed in scale.seeds
        ]

    about = {"rule": rule, "width": hidden[0], "depth": len(hidden), "hidden": hidden}
    return Case(f"{rule}, {len(hidden)} x {hidden[0]}", about, choices, keys)


def draw(setting: Setting, found: list[Chosen], costs: list):
    """Draw accuracy against the number of hidden layers."""
    widths = sorted({one.case.about["width"] for one in found})
    canvas, axes = chart.canvas(len(widths), 1, width=6.4, height=4.2, sharex=True)
    for axis, width in zip(axes[:, 0], widths, strict=True):
        shown = [one for one in found if one.case.about["width"] == width]
        drawn = []
        for number, rule in enumerate(dict.fromkeys(one.case.about["rule"] for one in shown)):
            points = [one for one in shown if one.case.about["rule"] == rule]
            spreads = [told.spread(one) for one in points]
            depths = [one.case.about["depth"] for one in points]
            chart.line(axis, depths, spreads, number, rule, rule in BACKPROP)
            drawn += spreads
        chart.accuracy_axis(axis, drawn)
        axis.set_title(f"layers of {width} units", loc="left")
    axes[-1, 0].set_xlabel("hidden layers")
    handles = axes[0, 0].get_legend_handles_labels()
    canvas.legend(*handles, fontsize=10.5, ncols=2, loc="outside lower center")
    return canvas, summary(setting, found)


def summary(setting: Setting, found: list[Chosen]) -> dict:
    """Return what the JSON says: accuracies and differences."""
    rows, gaps = [told.numbers(one) for one in found], []
    for one in found:
        if one.case.about["rule"] == "gated":
            for other in found:
                same = other.case.about["hidden"] == one.case.about["hidden"]
                if same and other is not one and (gap := told.paired(one, other)):
                    against = other.case.about["rule"]
                    about = {"hidden": one.case.about["hidden"], "against": against}
                    gaps.append({**about, **gap.to_dict()})
    return {"rows": rows, "differences": gaps}


def tables(summary: dict) -> list[tuple]:
    """Return title, columns and lines."""
    rules = list(dict.fromkeys(row["rule"] for row in summary["rows"]))
    lines = []
    for size in dict.fromkeys((row["width"], row["depth"]) for row in summary["rows"]):
        of = {row["rule"]: row for row in summary["rows"] if (row["width"], row["depth"]) == size}
        lines.append((f"{size[1]} x {size[0]}", *(told.percent(of.get(rule)) for rule in rules)))
    return [
        ("test accuracy after one epoch, %", ("hidden", *rules), lines),
        told.gaps("paired differences on the test set", summary["differences"], ("hidden",)),
    ]


def findings(summary: dict) -> list[str]:
    """Return what is claimed."""
    return [
        f"{len(gap['hidden'])} x {gap['hidden'][0]}, gated against {gap['against']}: "
        f"{told.words(gap)}"
        for gap in summary["differences"]
    ]
