"""Features of a convolution: few and many, where fixed codes fail.

The network is the data set's preset with convolutions (`PRESETS`); the features of its last
convolution vary. Every rule has steps of its own, chosen on images held back; they are halved
after each epoch. Controls: codes; the readout alone, convolutions at their start weights;
back-propagation through the same network in floating point.
"""

from __future__ import annotations

from typing import Any

from hebbware.golden.config import CoreConfig
from hebbware.golden.layers import Conv
from hebbware.study.claims import told
from hebbware.study.claims.cases import Case, Chosen, Scale, Setting
from hebbware.study.claims.rules import MEMORIES, core, shape
from hebbware.study.paper import chart

TITLE = "Features of a convolution"
QUESTION = "What does the memory buy where few features serve every place of an image?"
DATASET = "cifar10"
PRESETS = {
    "cifar10": "cifar10",
    "mnist": "mnist-conv",
    "fashion-mnist": "mnist-conv",
    "digits": "digits-conv",
}
SAMPLES, TRIAL = 15_000, 4_000
"""Images of an epoch: of the figure, of a choice."""
EPOCHS = 3
FEATURES = (8, 16, 32, 64)
STEPS = ((-1, -1), (0, 0), (1, 1))
"""Added to the preset's shifts: of the convolutions, of the readout."""
READOUT = ((0, -1), (0, 0), (0, 1))
BACKPROP = "back-propagation"
BACKPROP_STEPS = (0.001, 0.003, 0.01, 0.03, 0.1)


def network(setting: Setting, hidden: tuple[int, ...], rule: str, choice: Any) -> CoreConfig:
    """Return the network with those features, a rule of `MEMORIES`, and steps for a choice."""
    config = setting.config
    rates = [rate + choice[0] for rate in config.rates[:-1]] + [config.rates[-1] + choice[1]]
    layers = len(config.layer)
    return config.derive(
        layer__features=[*hidden, *[None] * (layers - len(hidden))],
        layer__rate=rates,
        layer__init_std=[None] * layers,
        update__halve_every=1,
        **MEMORIES[rule],
    )


def cases(setting: Setting) -> list[Case]:
    """Return every rule with every number of features."""
    convolutions = [layer.features for layer in setting.config.layer if layer.kind == Conv.kind]
    found = []
    for features in FEATURES if setting.full else FEATURES[:2]:
        hidden = (*convolutions[:-1], features)
        for rule in MEMORIES:
            choices = READOUT if rule == "readout only" else STEPS
            found.append(_case(setting, hidden, rule, choices, _bit_true(setting, hidden, rule)))
        found.append(_case(setting, hidden, BACKPROP, BACKPROP_STEPS, _float(setting, hidden)))
    return found


def _bit_true(setting: Setting, hidden: tuple[int, ...], rule: str):
    return lambda choice: core(network(setting, hidden, rule, choice))


def _float(setting: Setting, hidden: tuple[int, ...]):
    shaped = core(network(setting, hidden, "gated", (0, 0)))
    return lambda choice: {**shaped, "rule": "maps", "hidden": "backprop", "step": choice}


def _case(setting: Setting, hidden: tuple[int, ...], rule: str, choices, learner) -> Case:
    def keys(choice: Any, scale: Scale) -> list[dict]:
        return [
            setting.key("epochs", seed, scale, learner=learner(choice), epochs=EPOCHS)
            for seed in scale.seeds
        ]

    about = {"rule": rule, "features": hidden[-1], "hidden": hidden}
    return Case(f"{rule}, {shape(hidden)}", about, choices, keys)


def draw(setting: Setting, found: list[Chosen], costs: list):
    """Draw accuracy against features of the last convolution."""
    canvas, axes = chart.canvas(width=9.5, height=5.2)
    axis, drawn = axes[0][0], []
    for number, rule in enumerate(dict.fromkeys(one.case.about["rule"] for one in found)):
        points = [one for one in found if one.case.about["rule"] == rule]
        spreads = [told.spread(one) for one in points]
        features = [one.case.about["features"] for one in points]
        chart.line(axis, features, spreads, number, rule, rule == BACKPROP)
        drawn += spreads
    ticks = sorted({one.case.about["features"] for one in found})
    chart.samples_axis(axis, ticks, "features of the last convolution")
    chart.accuracy_axis(axis, drawn)
    samples = f"{setting.whole.samples:,} images"
    axis.set_title(f"{setting.dataset}: {EPOCHS} epochs of {samples}", loc="left")
    chart.legend(axis)
    return canvas, summary(setting, found)


def summary(setting: Setting, found: list[Chosen]) -> dict:
    """Return what the JSON says: accuracies and differences."""
    rows, gaps = [told.numbers(one) for one in found], []
    for one in (one for one in found if one.case.about["rule"] == "gated"):
        for other in found:
            same = other.case.about["hidden"] == one.case.about["hidden"]
            if same and other is not one and (gap := told.paired(one, other)):
                about = {"hidden": one.case.about["hidden"], "against": other.case.about["rule"]}
                gaps.append({**about, **gap.to_dict()})
    return {"epochs": EPOCHS, "rows": rows, "differences": gaps}


def tables(summary: dict) -> list[tuple]:
    """Return title, columns and lines."""
    rules = list(dict.fromkeys(row["rule"] for row in summary["rows"]))
    lines = []
    for hidden in dict.fromkeys(tuple(row["hidden"]) for row in summary["rows"]):
        of = {row["rule"]: row for row in summary["rows"] if tuple(row["hidden"]) == hidden}
        lines.append((shape(hidden), *(told.percent(of.get(rule)) for rule in rules)))
    title = f"test accuracy after {summary['epochs']} epochs, %"
    return [
        (title, ("features", *rules), lines),
        told.gaps("paired differences on the test set", summary["differences"], ("hidden",)),
    ]


def findings(summary: dict) -> list[str]:
    """Return what is claimed."""
    return [
        f"{shape(tuple(gap['hidden']))}, gated against {gap['against']}: {told.words(gap)}"
        for gap in summary["differences"]
    ]
