"""Reservoir target against output: the modulator, as it should be and as it was decoded.

The paper's reservoir decodes the modulator itself from inputs, labels and activations. The core's
reservoirs hold the class memory, with a decoder that never saw the data set; the modulator follows.
"""

from __future__ import annotations

import numpy as np

from hebbware.study.drawing import COLOURS, GREY
from hebbware.study.paper import chart
from hebbware.study.paper.reservoir_runs import TRACES
from hebbware.study.paper.setting import Found, Row, Setting

TITLE = "Reservoir target against output"
FORMS = {"released": "released form", "gradient": "gradient form"}
RATE = 0.5


def plan(setting: Setting) -> list[Row]:
    """Return the runs."""
    config = {k: v for k, v in setting.reservoir.to_dict().items() if k != "seed"}
    samples = 5000 if setting.full else min(1000, setting.epoch // 2)
    own = [setting.key("own-reservoir", s, config=config, samples=samples) for s in setting.seeds]
    size = f"{setting.reservoir.reservoir.units} units"
    return [
        Row(
            f"paper's reservoir, xi in the {label}",
            [
                setting.key(
                    "paper-reservoir",
                    seed,
                    units=2000 if setting.full else 300,
                    samples=4000 if setting.full else min(1000, setting.epoch),
                    window=8,
                    form=form,
                    layers=setting.config.sizes,
                    rate=RATE,
                )
                for seed in setting.seeds
            ],
            {"form": form},
        )
        for form, label in FORMS.items()
    ] + [Row(f"class memory in a reservoir of {size}, bit-true", own, {"form": "own"})]


def draw(setting: Setting, found: Found):
    """Draw target and output of a few units at the end of the held-out part, for each row."""
    canvas, axes = chart.canvas(len(found), 1, width=11.0, height=4.6, sharex=True)
    for axis, (row, results) in zip(axes[:, 0], found, strict=True):
        for trace in range(TRACES):
            wanted, got = (np.array(results[0][name][trace]) for name in ("target", "output"))
            offset, size = 2.6 * trace, np.abs(wanted).max() or 1.0
            axis.plot(wanted / size - offset, color=GREY, lw=1.4, label="target" * (trace == 0))
            axis.plot(got / size - offset, color=COLOURS[1], lw=1.4, label="output" * (trace == 0))
        axis.set_yticks([])
        axis.set_title(f"{row.label}: R² {_mean(results, 'r2_held_out'):.2f}")
    axes[-1, 0].set_xlabel(f"sample, the last ones of those held out ({setting.dataset})")
    chart.legend(axes[0, 0])
    rows = []
    for row, results in found:
        means = {name: _mean(results, name) for name in results[0] if name.startswith("r2")}
        rows.append({"label": row.label, **row.about, "seeds": len(results), **means})
    return canvas, {"rows": rows}


def _mean(results: list[dict], name: str) -> float:
    return float(np.mean([result[name] for result in results]))


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: R^2 of each reservoir."""
    names = ("r2_learning", "r2_held_out", "r2_memory")
    lines = [
        (row["label"], *(f"{row[name]:.3f}" if name in row else "-" for name in names))
        for row in summary["rows"]
    ]
    heads = ("reservoir", "R² of xi while learning", "R² of xi, held out", "R² of the memory")
    return [(f"{setting.dataset}: reservoir target against output", heads, lines)]
