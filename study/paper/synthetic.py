"""The synthetic tasks with leaky neurons: accuracy, and HSIC of the hidden layers over epochs.

HSIC is estimated on test samples with the paper's kernels for all rules alike: what a layer tells
of the inputs, HSIC(X, Z), and of the labels, HSIC(Y, Z). Settings of the paper's rule: gamma 10,
window 64, sigma (x, y, z) as it gives them.
"""

from __future__ import annotations

import numpy as np

from hebbware.golden import config as configs
from hebbware.study import run
from hebbware.study.drawing import COLOURS, counted
from hebbware.study.paper import chart
from hebbware.study.paper.setting import Found, Row, Setting, spreads

TITLE = "Synthetic tasks: accuracy and HSIC over epochs"
TASKS = {"xor": (0.3, 0.25, 2.0), "linear": (0.5, 0.25, 1.0)}  # and the paper's sigmas
GAMMA, WINDOW = 10.0, 64
STEPS = {"xor": (0.05,) * 3, "linear": (0.05,) * 2}  # of the paper's rule, plain descent
RULES = {"core": "bit-true", "class-memory": "same rule, float", "hsic": "paper's rule, float"}
EPOCHS, FEW_EPOCHS = 25, 8


def plan(setting: Setting) -> list[Row]:
    """Return the runs: each task by each rule."""
    rows = []
    for task, sigmas in TASKS.items():
        config = {k: v for k, v in configs.load(f"{task}-leaky").to_dict().items() if k != "seed"}
        for rule, label in RULES.items():
            keys = []
            for seed in setting.seeds:
                checksum = run.load(task, None, run.data_seed(task, seed))[1]
                fields = {
                    "dataset": {"name": task, "sha256": checksum},
                    "rule": rule,
                    "config": config,
                    "epochs": EPOCHS if setting.full else FEW_EPOCHS,
                    **{"gamma": GAMMA, "sigmas": sigmas, "window": WINDOW},
                    "steps": STEPS[task] if rule == "hsic" else None,
                }
                keys.append(setting.key("synthetic", seed, **fields))
            rows.append(Row(f"{task}, {label}", keys, {"task": task, "rule": rule}))
    return rows


def draw(setting: Setting, found: Found):
    """Draw a row of panels for each task: accuracy, and HSIC of each hidden layer."""
    tasks = [task for task in TASKS if any(row.about["task"] == task for row, _ in found)]
    canvas, axes = chart.canvas(len(tasks), 3, width=6.0, height=4.6)
    for line, task in zip(axes, tasks, strict=True):
        for row, results in found:
            if row.about["task"] != task:
                continue
            number = list(RULES).index(row.about["rule"])
            real, label = row.about["rule"] != "core", RULES[row.about["rule"]]
            epochs = range(len(results[0]["test"]))
            chart.line(line[0], epochs, spreads(results), number, label, real)
            for axis, name in ((line[1], "hsic_xz"), (line[2], "hsic_yz")):
                mean = np.mean([result[name] for result in results], axis=0)
                for layer, column in enumerate(mean.T):
                    axis.plot(
                        epochs,
                        column,
                        color=COLOURS[number],
                        ls=chart.DASHED if real else "-",
                        lw=2.4 if layer == mean.shape[1] - 1 else 1.2,
                        label=f"{label}, layer {layer + 1}",
                    )
        own = [results for row, results in found if row.about["task"] == task]
        chart.accuracy_axis(line[0], [one for results in own for one in spreads(results)])
        line[0].set_title(f"{task}, {counted(len(found[0][1]), 'seed')}")
        line[0].legend(fontsize=10, loc="lower right")
        line[1].set_ylabel("HSIC(X, Z)")
        line[2].set_ylabel("HSIC(Y, Z)")
        line[2].legend(fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5))
        for axis in line:
            axis.set_xlabel("epochs")
            axis.grid(alpha=0.3, lw=0.8)
    return canvas, {"rows": [_numbers(*one) for one in found]}


def _numbers(row: Row, results: list[dict]) -> dict:
    last = spreads(results)[-1]
    return {
        "label": row.label,
        **row.about,
        "seeds": len(results),
        "test": [spread.mean for spread in spreads(results)],
        "test_deviation": [spread.deviation for spread in spreads(results)],
        "final": last.mean,
        **{
            name: np.mean([result[name] for result in results], axis=0).tolist()
            for name in ("hsic_xz", "hsic_yz")
        },
    }


def tables(setting: Setting, summary: dict) -> list[tuple]:
    """Return title, columns and lines: accuracy and HSIC of the last layer, first and last."""
    lines = []
    for row in summary["rows"]:
        deviation = row["test_deviation"][-1]
        text = f"{100 * row['final']:.2f}"
        text += "" if deviation is None else f" ± {100 * deviation:.2f}"
        ends = [
            f"{row[name][0][-1]:.4f} -> {row[name][-1][-1]:.4f}" for name in ("hsic_xz", "hsic_yz")
        ]
        lines.append((row["label"], text, *ends))
    heads = ("task and rule", "test accuracy, %", "HSIC(X, Z), last layer", "HSIC(Y, Z)")
    return [("synthetic tasks, leaky neurons", heads, lines)]
