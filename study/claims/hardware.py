"""Accuracy against hardware: what the memory buys at each size, in bits and after synthesis.

Networks of 8 to 256 hidden units, and of two and three hidden layers, weights of 6, 8 and 12 bits,
three epochs whose steps are halved after each. The rules: the gated memory; codes, fixed random
numbers in its place, with steps chosen for codes, of the same width and of the same bits; the
readout alone, hidden layers at their start weights; back-propagation in floating point, with the
core's normalisation and without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from hebbware.golden.estimate.estimate import memory_bits
from hebbware.study import synthesis
from hebbware.study.claims import told
from hebbware.study.claims.cases import Case, Chosen, Scale, Setting
from hebbware.study.claims.rules import (
    BACKPROP,
    MEMORIES,
    backprop,
    core,
    network,
    shape,
    spread_steps,
)
from hebbware.study.drawing import COLOURS
from hebbware.study.paper import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Accuracy against hardware"
QUESTION = "What does the memory buy where hardware is small?"
EPOCHS = 3
LANES = 8
WIDTHS = ((16,), (32,), (64,), (8,), (128,), (256,))  # in the order in which they are run
DEEPER = ((32, 16), (64, 32), (64, 32, 16))
BITS = (6, 8, 12)
STEPS = ((5, 7), (6, 7), (7, 7), (8, 7), (6, 8), (7, 8))
"""Shifts of one hidden layer and of the readout."""
DEEP_STEPS = tuple((first, further, 7) for first in (6, 7, 8) for further in (5, 6))
"""Shifts of the first hidden layer, of further ones and of the readout."""
READOUT_STEPS = (5, 6, 7, 8)
BACKPROP_STEPS = (0.003, 0.01, 0.03, 0.1)
SAME_BITS = "codes, same bits"
SYNTHESISED = ((8,), (32,), (128,))
"""Widths that Yosys sees; the others lie between them."""
MEASURED = {
    "lut": f"LUTs of the core, {LANES} lanes, ECP5",
    "bram": f"block RAMs of the core, {LANES} lanes, ECP5",
}
"""Resources that accuracy is drawn against, as `hebbware.study.synthesis` names them."""


def as_large(setting: Setting, hidden: tuple[int, ...], bits: int) -> tuple[int, ...]:
    """Return layers that with codes take at least the bits of memory of the gated network."""
    wanted = memory_bits(network(setting, hidden, "gated", bits=bits))
    first, *further = hidden
    while memory_bits(network(setting, (first, *further), "codes", bits=bits)) < wanted:
        first += 1
    return (first, *further)


def cases(setting: Setting) -> list[Case]:
    """Return every rule at every size."""
    sizes = (*WIDTHS, *DEEPER) if setting.full else ((8,), (16,))
    widths = BITS if setting.full else (8, 12)
    found = []
    for hidden in sizes:
        for bits in widths:
            found += _bit_true(setting, hidden, bits)
        for rule, normalised in BACKPROP.items():
            found.append(_backprop(setting, hidden, rule, normalised))
    return found


def _bit_true(setting: Setting, hidden: tuple[int, ...], bits: int) -> list[Case]:
    def add(rule: str, memory: str, own: tuple[int, ...], choices: Any, like: str | None = None):
        def keys(choice: Any, scale: Scale) -> list[dict]:
            steps = _steps(own, choice)
            config = network(setting, own, memory, bits=bits, steps=steps, halve=1, lanes=LANES)
            return _keys(setting, scale, core(config))

        about = {"rule": rule, "hidden": hidden, "bits": bits, "units": own}
        about["memory_bits"] = int(memory_bits(network(setting, own, memory, bits=bits)))
        return Case(f"{rule}, {shape(hidden)}, W{bits}", about, choices, keys, like)

    grid = STEPS if len(hidden) == 1 else DEEP_STEPS
    made = [add(rule, rule, hidden, grid) for rule in ("gated", "codes")]
    larger = as_large(setting, hidden, bits)
    made.append(add(SAME_BITS, "codes", larger, grid, made[1].label))
    made.append(add("readout only", "readout only", hidden, READOUT_STEPS))
    return made


def _backprop(setting: Setting, hidden: tuple[int, ...], rule: str, normalised: bool) -> Case:
    def keys(choice: Any, scale: Scale) -> list[dict]:
        return _keys(setting, scale, backprop(setting, hidden, choice, normalised, halve=1))

    about = {"rule": rule, "hidden": hidden, "bits": None, "units": hidden}
    return Case(f"{rule}, {shape(hidden)}", about, BACKPROP_STEPS, keys)


def _keys(setting: Setting, scale: Scale, learner: dict) -> list[dict]:
    return [
        setting.key("epochs", seed, scale, learner=learner, epochs=EPOCHS) for seed in scale.seeds
    ]


def _steps(hidden: tuple[int, ...], choice: Any) -> tuple[int, ...]:
    if isinstance(choice, int):  # of the readout alone
        return (*(7 for _ in hidden), choice)
    return spread_steps(hidden, choice)


def syntheses(setting: Setting) -> list[tuple[dict[str, Any], dict]]:
    """Return the cores that Yosys sees, each as what it is and the key of its run."""
    found = []
    for hidden in SYNTHESISED if setting.full else ():
        for bits in BITS:
            for rule in ("gated", "codes", "readout only"):
                config = network(setting, hidden, rule, bits=bits, halve=1, lanes=LANES)
                for family in synthesis.FAMILIES:
                    about = {"rule": rule, "hidden": hidden, "bits": bits, "family": family}
                    about["memory_bits"] = int(memory_bits(config))
                    found.append((about, synthesis.key(config, family)))
    return sorted(found, key=lambda one: (one[0]["family"], one[0]["rule"] != "gated"))


# -- figure ----------------------------------------------------------------------------------------


def draw(setting: Setting, found: list[Chosen], costs: list[tuple[dict, dict]]):
    """Draw accuracy against bits of memory and, once measured, against LUTs and block RAMs.

    One colour for each width of the weights, one kind of line for each rule.
    """
    single = [one for one in found if len(one.case.about["hidden"]) == 1]
    bits = sorted({one.case.about["bits"] for one in single} - {None})
    if costs:
        canvas, axes = chart.canvas(width=8.6, height=9.6)
        axes[0][0].remove()
        places = canvas.add_gridspec(2, 2, height_ratios=[3, 2])
        axis = canvas.add_subplot(places[0, :])
        for column, (resource, text) in enumerate(MEASURED.items()):
            below = canvas.add_subplot(places[1, column])
            _draw_against(below, single, bits, text, _measured(costs, resource))
    else:
        canvas, axes = chart.canvas(width=6.4, height=6.6)
        axis = axes[0][0]
    place = {
        one.case.about["hidden"]: one.case.about["memory_bits"]
        for one in single
        if one.case.about["rule"] == "gated" and one.case.about["bits"] == max(bits)
    }
    _draw_against(
        axis, single, bits, "memory, bits",
        lambda about: about.get("memory_bits") or place.get(about["hidden"]),
    )  # fmt: skip
    widths = sorted((bits_, hidden[0]) for hidden, bits_ in place.items())
    top = axis.secondary_xaxis("top")
    top.set_xticks([x for x, _ in widths], [str(units) for _, units in widths])
    top.minorticks_off()
    top.set_xlabel(f"hidden units with weights of {max(bits)} bits, and in floating point")
    canvas.legend(
        *axis.get_legend_handles_labels(), fontsize=10.5, ncols=2, loc="outside lower center"
    )
    return canvas, summary(setting, found, costs)


def _measured(costs: list[tuple[dict, dict]], resource: str) -> Callable[[dict], float | None]:
    """Return what a case takes of a resource of an ECP5, where Yosys has seen its core."""
    found = {
        (about["rule"], about["hidden"], about["bits"]): result[resource]
        for about, result in costs
        if about["family"] == "ecp5"
    }
    return lambda about: found.get((about["rule"], about["hidden"], about["bits"]))


def _draw_against(
    axis: Axes,
    cases: list[Chosen],
    bits: list[int],
    text: str,
    cost: Callable[[dict], float | None],
) -> None:
    """Draw the accuracy of each rule against a cost; cases without one are left out."""
    drawn = []
    for rule, look in LOOKS.items():
        for width in bits if rule in MEMORIES else (None,):
            points = [
                (x, told.spread(one))
                for one in cases
                if one.case.about["rule"] == rule and one.case.about["bits"] == width
                if (x := cost(one.case.about))
            ]
            if not points or (rule == "readout only" and width != max(bits)):
                continue
            points.sort(key=lambda point: point[0])
            colour = COLOURS[bits.index(width)] if width else "#000000"
            if rule == "readout only":
                colour = "#777777"
            spreads = [spread for _, spread in points]
            axis.errorbar(
                [x for x, _ in points],
                [100 * spread.mean for spread in spreads],
                chart.bars_of(spreads),
                color=colour,
                label=f"{rule}, {width} bits" if width else f"{rule}, float",
                capsize=2,
                elinewidth=1,
                lw=1.8,
                **look,
            )
            drawn += spreads
    low, high = (x for x, _ in axis.dataLim.get_points())
    if high > 4 * low:
        chart.samples_axis(axis, _ticks([low, high]), text)
    else:  # too few round numbers for a logarithmic axis
        axis.xaxis.set_major_locator(MaxNLocator(4))
        chart.whole_numbers(axis)
        axis.set_xlabel(text)
    chart.accuracy_axis(axis, drawn)


def _ticks(ends: list[float]) -> list[float]:
    """Return round numbers between two ends, three in each decade."""
    low, high = min(ends), max(ends)
    return [n * 10**k for k in range(9) for n in (1, 2, 5) if 0.9 * low <= n * 10**k <= high * 1.1]


LOOKS: dict[str, dict[str, Any]] = {
    "gated": {"ls": "-", "marker": "o"},
    "codes": {"ls": (0, (4, 1.6)), "marker": "s", "mfc": "white"},
    "back-propagation": {"ls": (0, (1, 1.2)), "marker": "^"},
    "back-propagation, not normalised": {"ls": (0, (1, 1.2)), "marker": "v", "mfc": "white"},
    "readout only": {"ls": "-.", "marker": "D"},
}


def summary(setting: Setting, found: list[Chosen], costs: list[tuple[dict, dict]]) -> dict:
    """Return what the JSON says: every case, the paired differences, the cores after synthesis."""
    others = ("codes", SAME_BITS, "readout only", *BACKPROP)
    pairs = []
    by = {(c.case.about["rule"], c.case.about["hidden"], c.case.about["bits"]): c for c in found}
    for (rule, hidden, bits), one in by.items():
        if rule != "gated":
            continue
        for other in others:
            beside = by.get((other, hidden, None if other in BACKPROP else bits))
            if beside and (gap := told.paired(one, beside)):
                pairs.append({"hidden": hidden, "bits": bits, "against": other, **gap.to_dict()})
    pairs.sort(
        key=lambda pair: (len(pair["hidden"]), pair["hidden"])
    )  # each rule's and bits' order stays
    return {
        "epochs": EPOCHS,
        "rows": [told.numbers(one) for one in found],
        "differences": pairs,
        "synthesis": [{**about, **result} for about, result in costs],
    }


def tables(summary: dict) -> list[tuple]:
    """Return title, columns and lines: accuracies, differences, resources."""
    rules = list(dict.fromkeys(row["rule"] for row in summary["rows"]))
    sizes = sorted({tuple(row["hidden"]) for row in summary["rows"]}, key=lambda h: (len(h), h))
    made = []
    for bits in sorted({row["bits"] for row in summary["rows"] if row["bits"]}):
        lines = []
        for size in sizes:
            of = {
                row["rule"]: row
                for row in summary["rows"]
                if tuple(row["hidden"]) == size and row["bits"] in (bits, None)
            }
            lines.append((shape(size), *(told.percent(of.get(rule)) for rule in rules)))
        made.append((f"test accuracy, weights of {bits} bits, %", ("hidden", *rules), lines))
    title = "paired differences on the test set"
    made.append(told.gaps(title, summary["differences"], ("hidden", "bits")))
    if summary["synthesis"]:
        names = ("lut", "bram", "dsp", "ff")
        lines = [
            (
                one["family"],
                shape(one["hidden"]),
                one["bits"],
                one["rule"],
                *(one[n] for n in names),
            )
            for one in summary["synthesis"]
        ]
        heads = ("family", "hidden", "bits", "rule", "LUTs", "block RAMs", "multipliers", "FFs")
        made.append((f"cores after synthesis, {LANES} lanes", heads, lines))
    return made


def findings(summary: dict) -> list[str]:
    """Return what is claimed, a sentence for each number of bits and each control."""
    found = []
    for against in dict.fromkeys(one["against"] for one in summary["differences"]):
        for bits in sorted({one["bits"] for one in summary["differences"]}):
            gaps = [
                one
                for one in summary["differences"]
                if one["against"] == against and one["bits"] == bits
            ]
            ahead = [shape(g["hidden"]) for g in gaps if g["decided"] and g["mean"] > 0]
            behind = [shape(g["hidden"]) for g in gaps if g["decided"] and g["mean"] < 0]
            same = [shape(g["hidden"]) for g in gaps if not g["decided"]]
            single = any(gap["pairs"] == 1 for gap in gaps)
            level = "not decided, one seed," if single else "no difference"
            parts = [
                f"{word} at {', '.join(which)}"
                for word, which in (("ahead", ahead), ("behind", behind), (level, same))
                if which
            ]
            found.append(f"{bits} bits, gated against {against}: {'; '.join(parts)}")
    return found
