"""Whether a larger working memory learns better and faster, and at what cost in bits.

One pass through the training samples, measured on the way. The memory is made larger in several
ways: a longer horizon of the gated memory (which costs no bits), more bits of each of its entries,
more samples in the window (with and without codes), more units of reservoirs and more bits of their
states. Codes alone are the control. All take the same constant steps.
"""

from __future__ import annotations

from typing import Any

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.layout import word_width
from hebbware.golden.reservoir.memory import WEIGHT_BITS
from hebbware.study.paper import chart
from hebbware.study.paper.remap import steps_of
from hebbware.study.paper.setting import Found, Row, Setting, numbers, spreads, table

TITLE = "Accuracy against the size of the working memory"
MARKS = (2000, 10_000)
STEPS = (7, 5, 7)  # shifts: first layer, further ones, readout; the same for all

FAMILIES: dict[str, tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "memory.horizon": (
        "gated: log2 of the horizon, samples",
        (6, 8, 10, 12, 14, 16),
        (6, 10, 14),
        {"memory.kind": "gated"},
    ),
    "memory.bits": (
        "gated, horizon 2^14: bits of an entry",
        (4, 6, 8, 10, 12, 16),
        (4, 8, 16),
        {"memory.kind": "gated", "memory.horizon": 14},
    ),
    "memory.window": (
        "window: samples",
        (2, 4, 8, 16, 32, 64),
        (2, 8, 32),
        {"memory.kind": "window", "memory.kappa": 0.0, "memory.bits": 16},
    ),
    "memory.window+codes": (
        "window and codes at half weight: samples",
        (2, 4, 8, 16, 32, 64),
        (8, 32),
        {"memory.kind": "window", "memory.kappa": 0.5, "memory.bits": 16},
    ),
    "reservoir.units": (
        "reservoir, states of 8 bits: units",
        (32, 64, 128, 256, 512),
        (32, 128),
        {},
    ),
    "reservoir.bits": (
        "reservoir: bits of a state",
        (4, 6, 8, 10, 12, 16),
        (4, 8),
        {},
    ),
}
"""By name: what is on the axis, its values, those of the short setting, the other fields."""
NAMES = {
    "memory.horizon": "gated, horizon",
    "memory.bits": "gated, bits of an entry",
    "memory.window": "window",
    "memory.window+codes": "window and codes",
    "reservoir.units": "reservoir, units",
    "reservoir.bits": "reservoir, bits of a state",
}


def working_bits(config: CoreConfig) -> int:
    """Return the bits of the working memory: its entries, codes, and the samples of a window.

    Of a reservoir: states, decoder weights, the codes of the projection, and what was decoded last.
    """
    units, classes = sum(config.hidden), config.classes
    if config.memory.projected:
        decoded = classes * config.memory.projection
        each = config.reservoir.units * (config.reservoir.bits + decoded * WEIGHT_BITS)
        each += decoded * config.read.width
        return len(config.hidden) * each + config.memory.projection * units
    bits = classes * units * word_width(config)
    if config.memory.windowed:
        bits += config.memory.window * (units * config.z.width + (classes - 1).bit_length())
    return bits


def plan(setting: Setting) -> list[Row]:
    """Return the runs of all families, and of codes alone."""
    rows = []
    for family, (_, values, few, fixed) in FAMILIES.items():
        for value in values if setting.full else few:
            fields = {**fixed, family.partition("+")[0]: value}
            rows.append(_row(setting, f"{family} {value}", fields, family=family, value=value))
    codes = {"memory.kind": "codes"}
    return [*rows, _row(setting, "codes", codes, family="codes")]


def _row(setting: Setting, label: str, fields: dict[str, Any], **about: Any) -> Row:
    base = setting.reservoir if label.startswith("reservoir") else setting.config
    config = base.derive(layer__rate=steps_of(setting, STEPS), update__halve_every=0).derive(
        **fields
    )
    keys = setting.course(config, setting.marks(*MARKS))
    return Row(label, keys, {**about, "rule": label, "working_bits": working_bits(config)})


def draw(setting: Setting, found: Found):
    """Draw a panel for each family, and one of accuracy against bits."""
    marks = found[0][0].keys[0]["marks"]
    codes = next((results for row, results in found if row.about["family"] == "codes"), None)
    families = [f for f in FAMILIES if any(row.about["family"] == f for row, _ in found)]
    canvas, axes = chart.canvas(2, (len(families) + 2) // 2, width=6.2, height=4.8, sharey=True)
    *places, last = [axis for line in axes for axis in line][: len(families) + 1]
    shown = [spread for _, results in found for spread in spreads(results)]
    for axis, family in zip(places, families, strict=True):
        points = [one for one in found if one[0].about["family"] == family]
        values = [row.about["value"] for row, _ in points]
        for place, mark in enumerate(marks):
            column = [spreads(results)[place] for _, results in points]
            chart.line(axis, values, column, place, f"{mark:,} samples")
            if codes:
                colour = chart.COLOURS[place]
                axis.axhline(100 * spreads(codes)[place].mean, color=colour, ls=":", lw=1.5)
        if family.startswith("memory.window") or family.endswith("units"):
            axis.set_xscale("log", base=2)
            chart.whole_numbers(axis)
        axis.set_xticks(values)
        axis.set_xlabel(FAMILIES[family][0])
        chart.accuracy_axis(axis, shown)
    _against_bits(last, found, marks)
    chart.accuracy_axis(last, shown)
    for spare in [axis for line in axes for axis in line][len(families) + 1 :]:
        spare.remove()
    places[0].legend(fontsize=10.5, title="dotted: codes alone", title_fontsize=10.5)
    canvas.suptitle(f"{setting.dataset}: accuracy against the size of the working memory")
    return canvas, {"marks": marks, "rows": [numbers(*one) for one in found]}


def _against_bits(axis, found: Found, marks: list[int]) -> None:
    place = marks.index(MARKS[-1]) if MARKS[-1] in marks else len(marks) - 1
    families = list(dict.fromkeys(row.about["family"] for row, _ in found))
    for number, family in enumerate(families):
        points = [one for one in found if one[0].about["family"] == family]
        chart.line(
            axis,
            [row.about["working_bits"] / 1024 for row, _ in points],
            [spreads(results)[place] for _, results in points],
            number + len(marks),
            NAMES.get(family, family),
        )
    axis.set_xscale("log")
    axis.set_xlabel("working memory, Kibit")
    axis.set_title(f"after {marks[place]:,} samples", fontsize=12)
    axis.legend(fontsize=10.5)


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: each memory with its bits."""
    marks = summary["marks"]
    columns, lines = table(summary, "rows", range(len(marks)), [f"{mark:,}" for mark in marks])
    bits = [f"{row['working_bits']:,}" for row in summary["rows"]]
    return [
        (
            f"{setting.dataset}: test accuracy after so many samples, %",
            (*columns, "working memory, bits"),
            [(*line, one) for line, one in zip(lines, bits, strict=True)],
        )
    ]
