"""Accuracy after every label has been re-mapped: how fast the memory follows a change.

One epoch, then class c is called c + 3 mod C, at constant steps. Each rule's steps are chosen on
the samples held back, for this very task, at 500 samples after the change. From the same runs: the
accuracy from scratch, after few samples.
"""

from __future__ import annotations

from typing import Any

from hebbware.study.paper import chart
from hebbware.study.paper.setting import Found, Row, Setting, choose, numbers, spreads, table

TITLE = "Accuracy after re-mapped labels"
SHIFT = 3
SCRATCH = (250, 500, 2000)
AFTER = (250, 500, 1000, 4000, 16000)
CHOSEN_AT = 500  # samples after the change
STEPS = {12: ((7, 6, 8), (7, 5, 7), (6, 5, 7)), 8: ((7, 6, 8), (6, 5, 7))}
"""Choices by the bits of a weight, shifts: first layer, further ones, readout."""
ALONE = {"kept": False, "cleared": True}
"""The control: from the change on the readout alone learns, from what it was or from 0."""
ALONE_RULE, ALONE_STEPS, READOUT = "gated, l = 10", (6, 5, 7), (5, 6, 7, 8)
FLOAT_STEPS = ((7, 6, 8),)
BACKPROP = (0.005, 0.01, 0.02, 0.03, 0.05)

MEMORIES: dict[str, dict[str, Any]] = {
    **{f"gated, l = {n}": {"memory.kind": "gated", "memory.horizon": n} for n in (6, 8, 10, 12)},
    **{
        f"trace, l = {n}": {"memory.kind": "trace", "memory.horizon": n, "memory.kappa": 0.0}
        for n in (6, 8)
    },
    "window, N = 32, codes at half": {
        "memory.kind": "window",
        "memory.window": 32,
        "memory.kappa": 0.5,
    },
    "codes": {"memory.kind": "codes", "memory.kappa": 1.0},
}
SHORT = ("gated, l = 8", "gated, l = 10", "gated, l = 12", "trace, l = 6", "codes")
NARROW = (*(f"gated, l = {n}" for n in (6, 8, 10, 12)), "codes")  # with 8-bit weights
FLOATS = {
    "gated, l = 10, float": ("gated", {"horizon": 10}),
}


def plan(setting: Setting) -> list[Row]:
    """Return the runs: every rule with every choice of its steps."""
    scratch = [mark for mark in SCRATCH if mark < setting.epoch]
    after = [mark for mark in AFTER if setting.full or mark < setting.epoch]
    marks = [*scratch, *(setting.epoch + mark for mark in (0, *after))]
    stream = f"remap:{setting.epoch}:{SHIFT}"
    return [*candidates(setting, marks, stream), *readout_alone(setting, marks, stream)]


def readout_alone(setting: Setting, marks: list[int], stream: str) -> list[Row]:
    """Return the runs whose hidden layers are stopped at the change: what needs no new features."""
    rows = []
    for bits in STEPS if setting.full else (12,):
        config = setting.core(
            formats__weight_bits=bits, layer__rate=steps_of(setting, ALONE_STEPS),
            update__halve_every=0, **MEMORIES[ALONE_RULE],
        )  # fmt: skip
        for state, clear in ALONE.items():
            rule = f"hidden layers stopped, readout {state}, W{bits}"
            for rate in READOUT:
                stopped = {"at": setting.epoch, "rate": rate, "clear": clear}
                keys = setting.course(config, marks, stream=stream, stopped=stopped)
                rows.append(Row(f"{rule}, step {rate}", keys, _about(rule)))
    return rows


def candidates(setting: Setting, marks: list[int], stream: str) -> list[Row]:
    """Return all rules that follow a changing stream, with all choices of steps."""
    rows = []
    for bits, choices in STEPS.items() if setting.full else ((12, STEPS[12][::2]),):
        for label, fields in networks(setting, bits).items():
            for steps in choices:
                config = setting.core(
                    formats__weight_bits=bits, layer__rate=steps_of(setting, steps),
                    update__halve_every=0, **fields,
                )  # fmt: skip
                keys = setting.course(config, marks, stream=stream)
                name = f"{label}, W{bits}"
                rows.append(Row(f"{name}, steps {'-'.join(map(str, steps))}", keys, _about(name)))
    size = f"reservoir, R = {setting.reservoir.reservoir.units}, W12"
    for steps in STEPS[12] if setting.full else STEPS[12][::2]:
        config = setting.reservoir.derive(
            layer__rate=steps_of(setting, steps), update__halve_every=0
        )
        keys = setting.course(config, marks, stream=stream)
        rows.append(Row(f"{size}, steps {'-'.join(map(str, steps))}", keys, _about(size)))
    for step in BACKPROP if setting.full else BACKPROP[1::2]:
        keys = setting.course("backprop", marks, stream=stream, steps=(step,) * 3)
        rows.append(Row(f"back-propagation, step {step}", keys, _about("back-propagation", True)))
    for label, (rule, options) in FLOATS.items():
        for steps in FLOAT_STEPS:
            sizes = [2.0**-step for step in steps]
            keys = setting.course(rule, marks, stream=stream, steps=sizes, **options)
            name = f"{label}, steps {'-'.join(map(str, steps))}"
            rows.append(Row(name, keys, _about(label, True)))
    return rows


def networks(setting: Setting, bits: int) -> dict[str, dict[str, Any]]:
    """Return the fields of the bit-true rules by label."""
    if setting.full and bits == 12:
        return MEMORIES
    return {name: MEMORIES[name] for name in MEMORIES if name in (NARROW if bits == 8 else SHORT)}


def steps_of(setting: Setting, steps: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the shifts of all layers of the network."""
    first, further, readout = steps
    return (first, *[further] * (len(setting.config.hidden) - 1), readout)


def _about(rule: str, real: bool = False) -> dict[str, Any]:
    return {"rule": rule, "float": real}


def best(found: Found, at: int) -> Found:
    """Return each rule with the steps that are best on the samples held back, at a mark's place."""
    rules = list(dict.fromkeys(row.about["rule"] for row, _ in found))
    return [choose([one for one in found if one[0].about["rule"] == rule], at) for rule in rules]


def draw(setting: Setting, found: Found):
    """Draw accuracy against the samples after the change."""
    marks = found[0][0].keys[0]["marks"]
    after = [mark - setting.epoch for mark in marks if mark > setting.epoch]
    chosen = best(found, marks.index(setting.epoch + CHOSEN_AT))
    canvas, axes = chart.canvas(1, 2 if setting.full else 1, sharey=True, width=8.8)
    every = [spread for _, results in chosen for spread in spreads(results)[-len(after) :]]
    names = list(dict.fromkeys(_name(row) for row, _ in chosen))
    for bits, axis in zip((12, 8), axes[0], strict=False):
        for row, results in chosen:
            if row.about["float"] or f"W{bits}" in row.label:
                wanted, number = spreads(results)[-len(after) :], names.index(_name(row))
                chart.line(axis, after, wanted, number, _name(row), row.about["float"])
        chart.samples_axis(axis, after, "samples after the change")
        chart.accuracy_axis(axis, every)
        axis.set_title(f"{setting.dataset}: labels re-mapped at sample {setting.epoch:,}, W{bits}")
        chart.legend(axis, title=chart.SIZES)
    summary = {
        "marks": marks,
        "changed_at": setting.epoch,
        "chosen_at": setting.epoch + CHOSEN_AT,
        "rows": [numbers(row, results) for row, results in chosen],
        "all": [numbers(row, results) for row, results in found],
    }
    return canvas, summary


def _name(row: Row) -> str:
    """Return the rule of a row without its width, the same in both panels."""
    name = row.about["rule"].replace(", W12", "").replace(", W8", "")
    return f"{name}, float" if row.about["float"] and "float" not in name else name


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: after the change, and from scratch."""
    marks, changed = summary["marks"], summary["changed_at"]
    after = [place for place, mark in enumerate(marks) if mark >= changed]
    first = [place for place, mark in enumerate(marks) if mark < changed]
    return [
        (
            f"{setting.dataset}: test accuracy, samples after the labels were re-mapped, %",
            *table(summary, "rows", after, [f"{marks[p] - changed:,}" for p in after]),
        ),
        (
            f"{setting.dataset}: test accuracy from scratch, same runs, %",
            *table(summary, "rows", first, [f"{marks[p]:,}" for p in first]),
        ),
    ]
