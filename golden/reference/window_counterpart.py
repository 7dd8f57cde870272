"""The float network of a configuration with the HSIC modulator.

Rule, steps, schedule, data and order of the samples are those of `hebbware.golden.core`; nothing
is rounded, looked up or clipped, LayerNorm's scale is exact and its Jacobian whole. Start weights
are normally distributed, and the readout has a bias.
"""

from collections.abc import Callable

import numpy as np

from ..config import CoreConfig
from ..data.sets import Dataset, split_validation
from ..errors import InputError
from ..learn.train import held_back, order, spread_halvings
from ..modulators.hsic import float_steps
from .counterpart import encode
from .network import Network
from .windowed import HsicRule


def train(
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[float, float]:
    """Train it; return its accuracies on the samples held back (NaN: none are) and on the test set.

    Parameters
    ----------
    epochs : int
        The schedule spreads over them, as in `hebbware.golden.learn.train`.
    validation : int or float, optional
        Training samples held back, as there.
    progress : callable, optional
        Called with the number of samples learned since the last call.

    Raises
    ------
    InputError
        Another modulator, or leaky neurons.
    """
    if config.modulator.kind != "hsic" or config.leaky:
        raise InputError(
            "the float reference of the hsic modulator has static neurons, not "
            f"{config.neuron.kind!r} ones of {config.modulator.kind!r}"
        )
    config = spread_halvings(config, epochs)
    held = held_back(dataset, validation)
    part = split_validation(dataset, held, config.seed) if held else dataset
    network = Network(config.sizes, config.seed)
    rule = HsicRule(config.memory.window, config.modulator.gamma, config.modulator.sigmas)
    steps = np.array([*float_steps(config), 2.0 ** -config.rates[-1]])
    targets = np.eye(dataset.classes)[part.y_train]
    for epoch in range(epochs):
        sizes = steps / 2 ** config.extra(epoch)
        for n in order(config.seed, epoch, len(targets)):
            network.learn(rule, encode(config, part.x_train[n : n + 1]), targets[n : n + 1], sizes)
            if progress:
                progress(1)
    right = [
        (network.classify(encode(config, x)) == y).mean() if len(y) else np.nan
        for x, y in ((part.x_test, part.y_test), (dataset.x_test, dataset.y_test))
    ]
    return (float(right[0]) if held else float("nan")), float(right[1])
