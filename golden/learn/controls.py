"""Controls: what a published accuracy must be compared with, on the same data and epochs.

==========  ====================================================================================
name        what learns
==========  ====================================================================================
``linear``  one softmax layer on the pixels, floating point, the delta rule
``frozen``  the readout only; hidden layers keep their start weights
``codes``   everything, with fixed random codes in the place of the memory: no memory at all
``window``  everything, with sums over the last 32 samples and codes at half weight as memory
==========  ====================================================================================

The last three are the configuration at hand with another memory: same sizes, formats and steps,
which were chosen for the memory of that configuration and not anew for the controls.

Of convolutions there is no ``window``. Of a recurrent layer they are ``linear``, on the numbers of
all ticks at once, ``frozen``, and ``random``: everything, with the errors brought back by random
codes.

Where the memory is a reservoir, three more take the place of its decoder:

==============  ================================================================================
``shuffled``    the trained weights of the decoder, each at a random other place
``zero``        no decoder: nothing is remembered
``exact``       the memory that the decoder is trained to tell, itself: no reservoir
==============  ================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.data.sets import Dataset, split_validation
from hebbware.golden.data.streams import STATIONARY, Stream
from hebbware.golden.learn.train import Advance, held_back, order, train

MEMORIES = {
    "frozen": {"memory.kind": "none"},
    "codes": {"memory.kind": "codes", "memory.kappa": 1.0},
    "window": {"memory.kind": "window", "memory.window": 32, "memory.kappa": 0.5},
}
FEEDBACK = {"frozen": {"modulator.kind": "none"}, "random": {"modulator.kind": "random"}}
SEQUENCES = {"frozen": FEEDBACK["frozen"], "codes": FEEDBACK["random"]}
"""What controls of studies are where the layer is recurrent."""
DECODERS = {name: {"reservoir.decoder": name} for name in ("shuffled", "zero", "exact")}

BATCH = 10  # samples per step of the linear classifier
STEP = 0.2  # its step in the first epoch, per sample of a batch averaged; falls to a tenth


@dataclass(frozen=True)
class Control:
    """Accuracies of one control: per epoch on the samples held back, and on the test set."""

    validation: list[float]
    test: float


def configurations(config: CoreConfig) -> dict[str, CoreConfig]:
    """Return the configurations of the controls that are networks.

    Raises
    ------
    InputError
        The formats have no room for a control, such as sums of 32 samples in too few bits.
    """
    controls = MEMORIES | (DECODERS if config.memory.projected else {})
    controls = FEEDBACK if config.recurrent else controls
    if config.convolves:
        controls = {name: controls[name] for name in ("frozen", "codes")}
    return {name: config.derive(**fields) for name, fields in controls.items()}


def names(config: CoreConfig) -> list[str]:
    """Return the names of all controls."""
    return ["linear", *configurations(config)]


def run(
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    *,
    engine: str = "compiled",
    validation: float | None = None,
    stream: Stream = STATIONARY,
    progress: Advance | None = None,
) -> dict[str, Control]:
    """Train and measure all controls; parameters as in `hebbware.golden.learn.train.train`."""
    networks = configurations(config)
    controls = {"linear": linear(config.seed, dataset, epochs, validation, stream, progress)}
    for name, network in networks.items():
        result = train(
            *(network, dataset, epochs),
            engine=engine,
            validation=validation,
            stream=stream,
            progress=progress,
        )
        controls[name] = Control(result.state.validation, result.test)
    return controls


def linear(
    seed: int,
    dataset: Dataset,
    epochs: int,
    validation: float | None = None,
    stream: Stream = STATIONARY,
    progress: Advance | None = None,
) -> Control:
    """Softmax regression by the delta rule, ``W += step * x (onehot(y) - softmax(W x))``.

    Batches of ten, a step that falls geometrically to a tenth over the run.
    """
    held = held_back(dataset, validation)
    part = split_validation(dataset, held, seed) if held else dataset
    targets = np.eye(dataset.classes)
    x = _with_one(part.x_train)
    weights = np.zeros((x.shape[1], dataset.classes))
    accuracies, learned = [], 0

    def accuracy(of: Dataset) -> float:
        return stream.accuracy(lambda x: (_with_one(x) @ weights).argmax(axis=1), of, learned)

    for epoch in range(epochs):
        samples, labels = stream.passing(
            part.y_train, order(seed, epoch, len(x)), learned, dataset.classes
        )
        for start in range(0, len(samples), BATCH):
            batch = slice(start, start + BATCH)
            rows, wanted = x[samples[batch]], targets[labels[batch]]
            scores = rows @ weights
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            done = (epoch * len(x) + start) / (epochs * len(x))
            weights += STEP * 10**-done * (rows.T @ (wanted - p)) / len(rows)
            if progress:
                progress(len(rows))
        learned += len(samples)
        accuracies.append(accuracy(part) if held else np.nan)
    return Control(accuracies, accuracy(dataset))


def _with_one(x: np.ndarray) -> np.ndarray:
    """Scale bytes to 0..1 and append the input of the bias."""
    return np.concatenate([x / 256, np.ones((len(x), 1))], axis=1)
