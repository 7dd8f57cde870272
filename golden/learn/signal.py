"""Training of a network whose targets are signals (`neuron.signal`), and how far it is from them.

Order of the samples, schedule and split are those of `hebbware.golden.learn.train`. The measure is
the normalised mean squared error over all outputs and target ticks::

    sum (o - y)**2 / sum (y - mean y)**2

of which 1 is what a constant, the mean of each output, would have.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hebbware.golden.config import NO_LABEL, CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data.dataset import Dataset, order
from hebbware.golden.data.sets import split_validation
from hebbware.golden.errors import InputError
from hebbware.golden.layers.squared import TARGET
from hebbware.golden.learn.controls import FEEDBACK
from hebbware.golden.learn.train import (
    CHUNK,
    EPOCHS,
    check_fit,
    engine_class,
    held_back,
    inputs,
    spread_halvings,
)


@dataclass(frozen=True)
class Result:
    """What a run gave: errors of each epoch, while learning and on the samples held back (NaN where
    none are), and in the end on the test set; its speed, and spikes of a unit in a tick there.
    """

    core: Core
    held: int
    test: float
    samples_per_second: float
    rate: float
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


def targets(config: CoreConfig, y: np.ndarray) -> np.ndarray:
    """Targets (samples, ticks, outputs) to be learned: those of the last `neuron.target` ticks."""
    found = np.array(y, np.int64)
    found[:, : config.neuron.ticks - config.neuron.target] = NO_LABEL
    return found


def real_targets(config: CoreConfig, y: np.ndarray) -> np.ndarray:
    """Those that are compared, as numbers in -1..1."""
    return TARGET.real(y[:, config.neuron.ticks - config.neuron.target :])


def error(outputs: np.ndarray, wanted: np.ndarray) -> float:
    """The measure of outputs (samples, ticks, outputs), in the same numbers as what is wanted."""
    spread = wanted - wanted.mean(axis=(0, 1))
    return float(((outputs - wanted) ** 2).sum() / (spread**2).sum())


def core_error(core: Core, x: np.ndarray, y: np.ndarray) -> float:
    """The measure of a core on bytes and targets of a data set."""
    outputs = core.infer_many(inputs(core.config, x))[1]
    return error(core.config.u.real(outputs), real_targets(core.config, y))


def mean_error(config: CoreConfig, dataset: Dataset) -> float:
    """The measure of a constant: the mean of each output in training."""
    wanted = real_targets(config, dataset.y_test)
    mean = real_targets(config, dataset.y_train).mean(axis=(0, 1))
    return error(np.broadcast_to(mean, wanted.shape), wanted)


def train(
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    *,
    engine: str = "compiled",
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Train a network for a number of epochs and measure it; parameters as of
    `hebbware.golden.learn.train.train`.

    Raises
    ------
    InputError
        Values out of range, a data set that does not fit the network.
    """
    core_class = engine_class(engine)
    if not 1 <= epochs <= EPOCHS:
        raise InputError(f"epochs must lie in 1..{EPOCHS}, not {epochs}")
    check_fit(config, dataset, signal=True)
    config, held = spread_halvings(config, epochs), held_back(dataset, validation)
    core, learned, seconds = core_class(config), 0, 0.0
    part = split_validation(dataset, held, config.seed) if held else dataset
    x, y = inputs(config, part.x_train), targets(config, part.y_train)
    curves = [], []
    for epoch in range(epochs):
        core.extra = config.extra(epoch)
        rows, found = order(config.seed, epoch, len(y)), []
        for start in range(0, len(rows), CHUNK[engine]):
            chunk = rows[start : start + CHUNK[engine]]
            began = time.perf_counter()
            found.append(core.learn_many(x[chunk], y[chunk])[1])
            seconds += time.perf_counter() - began
            learned += len(chunk)
            if progress:
                progress(len(chunk))
        outputs = config.u.real(np.concatenate(found))
        curves[0].append(error(outputs, real_targets(config, part.y_train[rows])))
        curves[1].append(core_error(core, part.x_test, part.y_test) if held else math.nan)
    test = core_error(core, dataset.x_test, dataset.y_test)
    return Result(core, held, test, learned / seconds, core.rate(len(dataset.y_test)), *curves)


def controls(config: CoreConfig, dataset: Dataset, epochs: int, **options) -> dict[str, float]:
    """Measures on the test set of what the network is to be compared with: the mean of each output;
    the same network with its recurrent layer as it starts (``frozen``), or with the errors brought
    back by random codes (``random``).
    """
    found = {"mean": mean_error(config, dataset)}
    for name, fields in FEEDBACK.items():
        found[name] = train(config.derive(**fields), dataset, epochs, **options).test
    return found
