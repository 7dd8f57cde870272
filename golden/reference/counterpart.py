"""The float network of a configuration: same rule, steps, schedule, data and order of the samples.

What differs is the arithmetic (nothing is rounded, looked up or saturated, apart from the clip of
directions at +-2) and the start weights, which are normally distributed.
"""

from collections.abc import Callable

import numpy as np

from ..config import CoreConfig
from ..data import Dataset, split_validation
from ..dynamics import leak_rate
from ..train import held_back, order, spread_halvings
from .class_memory import ClassMemoryRule
from .layers import Layer, layer_norm
from .leaky import leaky_step
from .network import Frozen, Network


class Counterpart(Network):
    """A `Network` with the neurons of a configuration: leaky or static, their slope below 0.

    In each time step, layer after layer, as `hebbware.golden.reference.leaky` but for the readout::

        u_l <- u_l + dt/tau (W_l^T z_(l-1) + b_l - u_l),     z_l = LayerNorm(f(u_l))

    from rest; the readout is taken after the last step.

    Parameters
    ----------
    config : CoreConfig
    """

    def __init__(self, config: CoreConfig):
        super().__init__(config.layers, config.seed)
        rng = np.random.default_rng([config.seed, 2])
        self.weights = [
            rng.normal(0, std, w.shape)
            for w, std in zip(self.weights, config.init_std, strict=True)
        ]
        self.time_steps = config.time_steps
        self.rate = leak_rate(config) if config.leaky else 1.0
        self.below = 2.0**-config.slope_shift if config.slope_shift else 0.0

    def forward(self, x):
        hidden = list(zip(self.weights[:-1], self.biases[:-1], strict=True))
        u = [np.zeros((len(x), len(bias))) for _, bias in hidden]
        for _ in range(self.time_steps):
            layers, z = [], x
            for index, (weights, bias) in enumerate(hidden):
                u[index] = leaky_step(u[index], z @ weights + bias, self.rate)
                slope = np.where(u[index] > 0, 1.0, self.below)
                source = z
                z, scale = layer_norm(slope * u[index])
                layers.append(Layer(source, u[index], z, scale, slope))
        return layers, z @ self.weights[-1] + self.biases[-1]


def encode(config: CoreConfig, x: np.ndarray) -> np.ndarray:
    """A data set's bytes as the configuration reads them: 0..1, or -1..1 where centred."""
    return x / 128 - 1 if config.centred else x / 256


def rule(config: CoreConfig):
    """The class-memory rule of a configuration."""
    options = {
        "gated": {"horizon": config.horizon},
        "trace": {"horizon": config.horizon, "kappa": config.kappa},
        "window": {"samples": config.window, "kappa": config.kappa},
        "codes": {},
    }
    if not config.learns_hidden:
        return Frozen()
    return ClassMemoryRule(
        config.memory, config.hidden, config.classes, seed=config.seed,
        beta=2.0**config.beta_log2, **options[config.memory],
    )  # fmt: skip


def train(
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> float:
    """Train the counterpart on what the integers train on; return its accuracy on the test set.

    Parameters
    ----------
    epochs : int
        The schedule spreads over them, as in `hebbware.golden.train`.
    validation : int or float, optional
        Training samples left out, as in `hebbware.golden.train`.
    progress : callable, optional
        Called with the number of samples learned since the last call.
    """
    config = spread_halvings(config, epochs)
    network, learns = Counterpart(config), rule(config)
    held = held_back(dataset, validation)
    part = split_validation(dataset, held, config.seed) if held else dataset
    targets, x = np.eye(dataset.classes)[part.y_train], encode(config, part.x_train)
    for epoch in range(epochs):
        steps = [2.0 ** -(step + config.extra(epoch)) for step in config.steps]
        for n in order(config.seed, epoch, len(targets)):
            network.learn(learns, x[n : n + 1], targets[n : n + 1], steps)
            if progress:
                progress(1)
    found = network.classify(encode(config, dataset.x_test))
    return float((found == dataset.y_test).mean())
