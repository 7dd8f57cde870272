"""The float networks of a configuration, several seeds in lockstep.

Rule, steps, schedule, data and order of the samples are those of `hebbware.golden.core`. What
differs is the arithmetic (nothing is rounded, looked up or saturated, apart from the clip of
directions at +-2 and the rule's own powers of two) and the start weights, which are normally
distributed.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..config import CoreConfig
from ..data.sets import Dataset, split_validation
from ..errors import InputError
from ..learn.train import held_back, order, spread_halvings
from ..neurons.dynamics import leak_rate
from .class_memory import CLIP
from .layers import Layer, layer_norm, softmax
from .leaky import leaky_step


class Counterparts:
    """Networks with gated memory and the neurons of a configuration, one for each seed.

    In each time step, layer after layer, as `hebbware.golden.reference.leaky` but for the readout::

        u_l <- u_l + dt/tau (W_l^T z_(l-1) + b_l - u_l),     z_l = LayerNorm(f(u_l))

    from rest; the readout, without bias, is taken after the last step. Static neurons: one step
    with dt/tau = 1.

    Parameters
    ----------
    config : CoreConfig
    seeds : sequence of int

    Members
    -------
    weights : list of array (seeds, inputs, units)
    biases : list of array (seeds, units)
        Of the hidden layers.
    memories : list of array (seeds, classes, units)

    Raises
    ------
    InputError
        Another memory than the gated one, or a neuron or modulator that it does not have.
    """

    def __init__(self, config: CoreConfig, seeds: Sequence[int]):
        if config.memory.kind != "gated":
            raise InputError(
                f"the float reference has the gated memory only, not {config.memory.kind!r}"
            )
        for table, known in {"neuron": ("static", "leaky"), "modulator": ("class-memory",)}.items():
            kind = getattr(config, table).kind
            if kind not in known:
                raise InputError(f"the float reference has no {kind!r} {table}")
        self.config = config
        rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
        self.weights = [
            np.stack([rng.normal(0, std, shape) for rng in rngs])
            for std, *shape in zip(
                [layer.init_std for layer in config.layer],
                config.sizes,
                config.sizes[1:],
                strict=False,
            )
        ]
        self.biases = [np.zeros((len(rngs), units)) for units in config.hidden]
        self.memories = [np.zeros((len(rngs), config.classes, units)) for units in config.hidden]
        self.rate = leak_rate(config) if config.leaky else 1.0
        self.below = 2.0**-config.neuron.slope_shift if config.neuron.slope_shift else 0.0

    def forward(self, x: np.ndarray) -> tuple[list[Layer], np.ndarray]:
        """Return hidden layers and scores (seeds, classes) of one sample each, x (seeds, inputs).

        ``x`` may have samples in between, (seeds, samples, inputs); then all else has them too.
        """
        single = x.ndim == 2
        x = x[:, None] if single else x
        hidden = range(len(self.biases))
        u = [0.0 for _ in hidden]
        first = x @ self.weights[0] + self.biases[0][:, None]  # the input stays
        for _ in range(self.config.neuron.time_steps):
            layers, z = [], x
            for n in hidden:
                current = z @ self.weights[n] + self.biases[n][:, None] if n else first
                u[n] = leaky_step(u[n], current, self.rate)
                slope = np.where(u[n] > 0, 1.0, self.below)
                source = z
                z, scale = layer_norm(slope * u[n])
                layers.append(Layer(source, u[n], z, scale, slope))
        scores = z @ self.weights[-1]
        if single:
            return [Layer(*(part[:, 0] for part in layer)) for layer in layers], scores[:, 0]
        return layers, scores

    def read(self, layer: int) -> np.ndarray:
        """Class memories at unit scale, (seeds, classes, units)."""
        memory = self.memories[layer]
        rms = np.sqrt((memory**2).mean(axis=-1, keepdims=True))
        return memory / 2.0 ** np.round(np.log2(np.where(rms > 0, rms, 1.0)))

    def directions(self, n: int, layer: Layer, labels) -> tuple[np.ndarray, np.ndarray]:
        """Return d (seeds, units) and the softmax errors (seeds, classes) of a hidden layer."""
        z, read = layer.z, self.read(n)
        k = np.einsum("sci,si->sc", read, z) / z.shape[-1]
        error = self._error(2.0**self.config.modulator.beta_log2 * k, labels)
        power = 2.0 ** np.round(np.log2(layer.scale))
        own = z * (error * k).sum(axis=-1, keepdims=True)
        xi = power * (np.einsum("sc,sci->si", error, read) - own)
        return layer.slope * np.clip(xi, -CLIP, CLIP), error

    def learn(self, x: np.ndarray, labels: np.ndarray, steps: Sequence[float]):
        """One sample for each seed: x (seeds, inputs), labels (seeds,); a step for each layer."""
        layers, scores = self.forward(x)
        for n, layer in enumerate(layers):
            d, error = self.directions(n, layer, labels)
            forgotten = 2.0**-self.config.memory.horizon * self.memories[n]
            self.memories[n] -= forgotten + error[:, :, None] * layer.z[:, None]
            self.weights[n] -= steps[n] * layer.inputs[:, :, None] * d[:, None]
            self.biases[n] -= steps[n] * d
        error = self._error(scores, labels)
        self.weights[-1] -= steps[-1] * layers[-1].z[:, :, None] * error[:, None]

    def _error(self, logits, labels):
        error = softmax(logits)
        error[np.arange(len(error)), labels] -= 1
        return error


def encode(config: CoreConfig, x: np.ndarray) -> np.ndarray:
    """A data set's bytes as the configuration reads them: 0..1, or -1..1 where centred."""
    return x / 128 - 1 if config.input.centred else x / 256


def train(
    config: CoreConfig,
    seeds: Sequence[int],
    datasets: Sequence[Dataset],
    epochs: int,
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[float]:
    """Train a network for each seed on its data set; return their accuracies on the test sets.

    Parameters
    ----------
    epochs : int
        The schedule spreads over them, as in `hebbware.golden.learn.train`.
    validation : int or float, optional
        Training samples left out, as there.
    progress : callable, optional
        Called with the number of samples learned since the last call, all seeds together.
    """
    config = spread_halvings(config, epochs)
    networks, parts = Counterparts(config, seeds), []
    for seed, dataset in zip(seeds, datasets, strict=True):
        held = held_back(dataset, validation)
        parts.append(split_validation(dataset, held, seed) if held else dataset)
    for epoch in range(epochs):
        steps = [2.0 ** -(step + config.extra(epoch)) for step in config.rates]
        orders = [order(s, epoch, len(p.y_train)) for s, p in zip(seeds, parts, strict=True)]
        for places in zip(*orders, strict=True):
            chosen = list(zip(parts, places, strict=True))
            x = np.stack([part.x_train[n] for part, n in chosen])
            labels = np.array([part.y_train[n] for part, n in chosen])
            networks.learn(encode(config, x), labels, steps)
            if progress:
                progress(len(chosen))
    x = np.stack([dataset.x_test for dataset in datasets])
    found = networks.forward(encode(config, x))[1].argmax(axis=-1)
    return [
        float((row == dataset.y_test).mean()) for row, dataset in zip(found, datasets, strict=True)
    ]
