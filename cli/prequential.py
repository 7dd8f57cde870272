"""``hebbware train --stream in-order|parts``: a stream is predicted, then learned."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from hebbware.cli.common import DataOptions, Output, forbid
from hebbware.cli.files import write_file
from hebbware.cli.learning import learning
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.data.streams import Stream
    from hebbware.golden.learn.prequential import Predictor

WINDOW = 200  # predictions
POINTS = 400  # of a curve in figure and JSON
LINEAR_STEPS = (0.003, 0.01, 0.03, 0.1)
NAMES = ("warm", "labelled", "delay", "window", "baselines")  # of the options below


@dataclass(frozen=True)
class Setting:
    """How a stream is followed.

    Members
    -------
    warm : int or None
        Leading samples that are learned beforehand, and not predicted; None is the first part of
        the data set, where it has parts.
    labelled : float
    delay : int
        See `hebbware.golden.learn.prequential.events`.
    window : int
        Predictions that the curve is the mean of.
    baselines : bool
        Whether learners of others follow it too.
    """

    warm: int | None
    labelled: float
    delay: int
    window: int
    baselines: bool


def options(command: Callable) -> Callable:
    """Add the options of a stream in its own order, passed as ``setting``."""

    @functools.wraps(command)
    def packed(*arguments, warm, labelled, delay, window, baselines, **others):
        setting = Setting(warm, labelled, delay, window, baselines)
        return command(*arguments, setting=setting, **others)

    with_in_order = "With --stream in-order or parts: "
    for option in (
        click.option(
            "--baselines",
            is_flag=True,
            help=f"{with_in_order}the controls, and learners of others: back-propagation, "
            "scikit-learn's, river's (pip install 'hebbware[river]').",
        ),
        click.option(
            "--window",
            type=click.IntRange(min=1),
            default=WINDOW,
            show_default=True,
            metavar="N",
            help=f"{with_in_order}the curve is the mean of the last N predictions.",
        ),
        click.option(
            "--delay",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help=f"{with_in_order}a label arrives N samples late.",
        ),
        click.option(
            "--labelled",
            type=click.FloatRange(0, 1),
            default=1.0,
            metavar="SHARE",
            help=f"{with_in_order}labels arrive for this share of the samples only.",
        ),
        click.option(
            "--warm",
            type=click.IntRange(min=0),
            metavar="N",
            help=f"{with_in_order}learn the first N samples beforehand, --epochs times; by default "
            "the first part, where the data set has parts.",
        ),
    ):
        packed = option(packed)
    return packed


def run(
    name: str,
    config: CoreConfig,
    source: DataOptions,
    stream: Stream,
    setting: Setting,
    *,
    epochs: int,
    engine: str,
    controls: bool,
    figure: Path | None,
    output: Output,
) -> None:
    """Follow a stream; print, draw and write the accuracy of the predictions."""
    from hebbware.golden.learn import train as training
    from hebbware.golden.learn.prequential import Frozen, events, follow, sliding

    dataset, warm = load(name, config, source, setting.warm)
    training.check_fit(config, dataset)
    samples, y = len(dataset.y_train), dataset.y_train
    sequence = stream.sequence(dataset, config.seed)
    coming = events(warm, samples, setting.labelled, setting.delay, config.seed)
    learners = _learners(config, dataset, warm, controls or setting.baselines, engine)
    if setting.baselines:
        learners |= _baselines(config, x=learners[config.rule][1])
    found = {}
    if not warm:
        forbid(click.get_current_context(), f"--stream {stream} and no --warm", "epochs")
        epochs = 0
    total = len(learners) * (epochs * warm + len(coming))
    title = f"following {dataset.name}"
    with learning(output, title, config, dataset, total, engine) as advance:
        for label, (learner, x, freezes) in learners.items():
            for epoch in range(epochs):
                order = sequence[training.order(config.seed, epoch, warm)]
                learner.learn_many(x[order], y[order])
                advance(warm)
            learner = Frozen(learner) if freezes else learner
            found[label] = follow(learner, x[sequence], y[sequence], coming, advance)
    places = warm + np.arange(samples - warm)
    parts, whole = _parts(dataset, warm, samples), [("", 0, samples - warm)]
    result = {
        "dataset": dataset.name,
        "seed": config.seed,
        "stream": str(stream),
        "warm": warm,
        "epochs": epochs,
        "labelled": setting.labelled,
        "delay": setting.delay,
        "window": setting.window,
        "prequential": {
            label: {
                "accuracy": float(right.mean()),
                "parts": {part: float(right[a:b].mean()) for part, a, b in parts},
                "mean_of_parts": float(np.mean([right[a:b].mean() for _, a, b in parts or whole])),
                "curve": _curve(places, sliding(right, setting.window)),
            }
            for label, right in found.items()
        },
        "config": config.to_dict(),
    }
    _print(output, config, dataset, result, [part for part, _, _ in parts])
    if figure:
        write_file(figure, _draw(figure.suffix[1:].lower(), config, dataset, result, warm))
    output.write(result)


def load(
    name: str, config: CoreConfig, source: DataOptions, warm: int | None = None
) -> tuple[Dataset, int]:
    """Return a data set as a stream, and how many samples are learned beforehand (see `Setting`).

    `name` is the configuration as ``--config`` gives it.
    """
    dataset = source.load(name, config.seed, stream=True, fitted=warm or 0)
    if warm is None:
        warm = dataset.parts[1][1] if len(dataset.parts) > 1 else 0
        if warm:  # the encoding may know no more than what is learned beforehand
            dataset = source.load(name, config.seed, stream=True, fitted=warm)
    if not 0 <= warm < len(dataset.y_train):
        raise InputError(
            f"--warm must lie in 0..{len(dataset.y_train) - 1}, the samples of {dataset.name}, "
            f"not {warm}"
        )
    return dataset, warm


def _learners(config, dataset, warm, controls, engine) -> dict[str, tuple[Predictor, Any, bool]]:
    """Each with its inputs, and whether it stops after the samples learned beforehand."""
    from hebbware.golden.learn import controls as control_runs
    from hebbware.golden.learn import train as training
    from hebbware.golden.learn.prequential import Last, Linear, Majority

    make = training.engine_class(engine)
    x = training.inputs(config, dataset.x_train)
    learners: dict[str, tuple[Predictor, Any, bool]] = {config.rule: (make(config), x, False)}
    if not controls:
        return learners
    if warm:
        learners["stopped after the start"] = (make(config), x, True)
    for label, other in control_runs.configurations(config).items():
        learners[label] = (make(other), x, False)
    real = x.astype(float) - config.x_zero
    for step in LINEAR_STEPS:
        linear = Linear(dataset.inputs, dataset.classes, config.source(0).one, step)
        learners[f"linear, step {step}"] = (linear, real, False)
    learners["class of the last label"] = (Last(), x, False)
    learners["most frequent class"] = (Majority(dataset.classes), x, False)
    return learners


def _baselines(config: CoreConfig, x: np.ndarray) -> dict[str, tuple[Predictor, Any, bool]]:
    """The same of others' learners: they take what the core takes, as real numbers."""
    from hebbware.study import baselines

    real = (x.astype(float) - config.x_zero) / config.source(0).one
    return {label: (make(), real, False) for label, make in baselines.learners(config).items()}


def _parts(dataset: Dataset, warm: int, samples: int) -> list[tuple[str, int, int]]:
    """Name, first and last prediction of each part that has predictions."""
    names = [name for name, _ in dataset.parts]
    edges = [*(at for _, at in dataset.parts), samples]
    return [
        (name, max(start, warm) - warm, end - warm)
        for name, (start, end) in zip(names, pairwise(edges), strict=True)
        if end > warm
    ]


def _curve(places: np.ndarray, values: np.ndarray) -> dict[str, list]:
    """A curve of few points; the last one is the last prediction's."""
    rows = np.unique(np.linspace(0, len(places) - 1, POINTS).astype(int))
    return {"samples": places[rows].tolist(), "accuracy": values[rows].tolist()}


def _print(output, config, dataset, result, parts) -> None:
    warm = result["warm"]
    start = f"{warm:,} samples learned beforehand, " if warm else ""
    output.log(
        f"{dataset.name}, stream {result['stream']}: {'-'.join(map(str, config.sizes))}, "
        f"{config.rule}, {config.weight.width}-bit weights, seed {config.seed}; {start}"
        f"{len(dataset.y_train) - warm:,} predicted, then learned"
    )
    output.table(
        "accuracy of the predictions, %",
        ("learner", "all", *(["mean of parts"] if parts else []), *parts),
        [
            (
                label,
                f"{100 * row['accuracy']:.2f}",
                *([f"{100 * row['mean_of_parts']:.2f}"] if parts else []),
                *(f"{100 * row['parts'][part]:.1f}" for part in parts),
            )
            for label, row in result["prequential"].items()
        ],
    )


def _shown(rows: dict[str, dict]) -> list[str]:
    """Names of the curves: of learners that differ in their step, the best one."""
    families: dict[str, list[str]] = {}
    for label in rows:
        families.setdefault(label.partition(", step ")[0], []).append(label)
    return [max(labels, key=lambda label: rows[label]["accuracy"]) for labels in families.values()]


def _draw(file_format: str, config, dataset: Dataset, result: dict, warm: int) -> bytes:
    """Return the figure: accuracy of the last predictions over the samples, parts marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(9, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    rows = result["prequential"]
    for number, label in enumerate(_shown(rows)):
        curve = rows[label]["curve"]
        samples = np.array(curve["samples"])
        full = samples >= min(warm + result["window"], samples[-1])  # the window is
        axes.plot(
            samples[full],
            100 * np.array(curve["accuracy"])[full],
            lw=2.4 if number == 0 else 1.2,
            color=f"C{number % 10}",
            ls="-" if number < 10 else "--",
            label=f"{label}: {100 * rows[label]['accuracy']:.1f}",
            zorder=3 - (number > 0),
        )
    for name, at in dataset.parts:
        axes.axvline(at, color="0.6", lw=0.8, ls=":")
        if at >= warm:
            axes.annotate(name, (at, 1), fontsize=8, rotation=90, va="bottom", ha="left")
    axes.set(
        xlabel="sample",
        ylabel=f"right of the last {result['window']:,}, %",
        ylim=(0, 101.5),
        title=f"{dataset.name}, stream {result['stream']}, {'-'.join(map(str, config.sizes))}, "
        f"{config.weight.width}-bit weights",
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, dpi=150)
    return buffer.getvalue()
