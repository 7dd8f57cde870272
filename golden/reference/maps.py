"""Convolutions in floating point: the same network as a core's, by several rules.

``u = conv(x, W) + b``, ``a = relu(u)``, z is a normalised at each position over the features, what
comes out is z averaged over squares. A dense layer is a convolution of one position. Rules of the
hidden layers:

============  =====================================================================================
``gated``     the class memory gated by the error, over averages on a grid: the core's rule
``codes``     the same with fixed random codes in the place of the memory (control)
``frozen``    nothing (control)
``backprop``  back-propagation through the whole network
============  =====================================================================================

The readout learns by the softmax error in all of them. Steps are those of a mean over a batch.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..config import CoreConfig
from ..data.sets import Dataset, split_validation
from ..errors import InputError, one_of
from ..layers.conv import Window
from ..learn.train import held_back, order, spread_halvings
from .layers import EPSILON, layer_norm, layer_norm_jacobian

RULES = ("gated", "codes", "frozen", "backprop")


def patches(window: Window, x: np.ndarray) -> np.ndarray:
    """Numbers of all patches and a 1, shape (samples, positions, taps + 1)."""
    w, edge = window, window.kernel // 2
    x = x.reshape(-1, w.rows, w.columns, w.channels)
    far = w.kernel + w.stride
    x = np.pad(x, [(0, 0), (edge, far), (edge, far), (0, 0)])
    out = np.empty((len(x), w.down, w.across, w.kernel, w.kernel, w.channels), x.dtype)
    for ky, kx, part in _shifted(w, x):
        out[:, :, :, ky, kx] = part
    out = out.reshape(len(x), w.positions, w.taps)
    return np.concatenate([out, np.ones((*out.shape[:2], 1), x.dtype)], axis=2)


def scattered(window: Window, gradient: np.ndarray) -> np.ndarray:
    """Sums of what patches (samples, positions, taps) say of each number of the map."""
    w, edge, far = window, window.kernel // 2, window.kernel + window.stride
    shape = len(gradient), w.rows + edge + far, w.columns + edge + far, w.channels
    padded = np.zeros(shape, gradient.dtype)
    gradient = gradient.reshape(len(gradient), w.down, w.across, w.kernel, w.kernel, w.channels)
    for ky, kx, part in _shifted(w, padded):
        part += gradient[:, :, :, ky, kx]
    return padded[:, edge : edge + w.rows, edge : edge + w.columns]


def _shifted(w, padded):
    """What each tap reads, as a view: (samples, down, across, channels)."""
    for ky in range(w.kernel):
        for kx in range(w.kernel):
            rows = slice(ky, ky + w.down * w.stride, w.stride)
            columns = slice(kx, kx + w.across * w.stride, w.stride)
            yield ky, kx, padded[:, rows, columns]


def averaged(z: np.ndarray, down: int, across: int, rows: int, columns: int) -> np.ndarray:
    """Means of z (samples, positions, features) over tiles of rows x columns."""
    tiles = z.reshape(len(z), down // rows, rows, across // columns, columns, -1)
    return tiles.mean(axis=(2, 4)).reshape(len(z), -1, z.shape[-1])


def spread(v: np.ndarray, down: int, across: int, rows: int, columns: int) -> np.ndarray:
    """Each tile's number at all its positions, the inverse of `averaged` in shape."""
    v = v.reshape(*v.shape[:-2], down // rows, across // columns, v.shape[-1])
    v = np.repeat(np.repeat(v, rows, axis=-3), columns, axis=-2)
    return v.reshape(*v.shape[:-3], down * across, v.shape[-1])


class MapNetwork:
    """A float network of a core's shape.

    Parameters
    ----------
    config : CoreConfig
        Layers, gain of the softmax, horizon, range of d and the start weights' deviations.
    rule : str
        One of ``RULES``.
    steps : sequence of float, optional
        Of each layer; by default the core's own, ``2**-rate``.
    seed : int
        Of start weights and codes.
    kind : type
        ``np.float64`` or ``np.float32``.
    """

    def __init__(
        self,
        config: CoreConfig,
        rule: str = "gated",
        *,
        steps: Sequence[float] | None = None,
        seed: int = 0,
        kind: type = np.float32,
    ):
        if rule not in RULES:
            raise one_of("rule", rule, RULES)
        self.config, self.rule, self.kind = config, rule, kind
        self.steps = [2.0**-rate for rate in config.rates] if steps is None else list(steps)
        rng = np.random.default_rng(seed)
        self.windows = [*config.windows]
        for n in range(len(config.windows), len(config.hidden)):
            self.windows.append(Window(1, 1, config.sizes[n], 1, 1, 1, 1, 1, 1))
        self.weights = []
        for n, layer in enumerate(config.layer):
            rows, units = layer.shape(config, n)
            bound = layer.init_std * 3**0.5
            self.weights.append(rng.uniform(-bound, bound, (rows, units)).astype(kind))
            if layer.bias:
                self.weights[-1][-1] = 0
        shapes = [(config.classes, numbers) for numbers in config.hidden]
        self.memories = [np.zeros(shape, kind) for shape in shapes]
        self.codes = [rng.choice((-1, 1), shape).astype(kind) for shape in shapes]
        self.targets = np.eye(config.classes, dtype=kind)
        self.scale = 1.0  # of all steps

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Bytes (samples, inputs) as the core reads them."""
        x = x.astype(self.kind) / 256
        return 2 * x - 1 if self.config.input.centred else x

    def forward(self, x: np.ndarray):
        """Scores of inputs, and what each layer leaves: patches, a, z, scale."""
        layers = []
        for w, weights in zip(self.windows, self.weights, strict=False):
            seen = patches(w, x)
            a = np.maximum(seen @ weights, 0)
            z, scale = layer_norm(a, EPSILON)
            layers.append((seen, a, z, scale))
            x = averaged(z, w.down, w.across, w.pool, w.pool)
        x = x.reshape(len(x), -1)
        return x @ self.weights[-1].T, layers, x

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of bytes."""
        found = [self.forward(self.inputs(part))[0].argmax(axis=1) for part in _parts(x)]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def learn(self, x: np.ndarray, labels: np.ndarray) -> None:
        """One step on a batch of bytes."""
        scores, layers, seen = self.forward(self.inputs(x))
        errors = self._softmax(scores) - self.targets[labels]
        directions = self._directions(layers, errors, labels)
        step = self.scale / len(x)
        self.weights[-1] -= self.kind(step * self.steps[-1]) * (errors.T @ seen)
        for n, d in enumerate(directions):
            rows = layers[n][0]
            change = rows.reshape(-1, rows.shape[-1]).T @ d.reshape(-1, d.shape[-1])
            self.weights[n] -= self.kind(step * self.steps[n]) * change

    def _directions(self, layers, errors, labels):
        if self.rule == "frozen":
            return []
        if self.rule == "backprop":
            return self._back(layers, errors @ self.weights[-1])
        return [self._modulated(n, labels, *layers[n][1:]) for n in range(len(layers))]

    def _back(self, layers, gradient):
        """Directions of all layers, from the loss to what the readout reads, downwards."""
        found = []
        for n, (_, a, z, scale) in reversed([*enumerate(layers)]):
            w = self.windows[n]
            gradient = gradient.reshape(len(z), -1, z.shape[-1]) / w.pool**2
            gradient = spread(gradient, w.down, w.across, w.pool, w.pool)
            d = layer_norm_jacobian(gradient, z, scale) * (a > 0)
            found.append(d)
            gradient = scattered(w, d @ self.weights[n][:-1].T) if n else None
        return found[::-1]

    def _modulated(self, n, labels, a, z, scale):
        """Directions of a layer by its class memory, which takes the batch in."""
        w, beta = self.windows[n], 2**self.config.modulator.beta_log2
        rows, columns = w.cell
        cells = averaged(z, w.down, w.across, rows, columns)
        flat, E = cells.reshape(len(z), -1), self.codes[n]
        if self.rule == "gated":
            M = self.memories[n]
            size = np.sqrt((M**2).mean(axis=1, keepdims=True))
            E = M / np.maximum(size, EPSILON)
        k = flat @ E.T / flat.shape[1]
        e = self._softmax(beta * k) - self.targets[labels]
        if self.rule == "gated":
            M -= M * self.kind(len(z) * 2.0**-self.config.memory.horizon) + e.T @ flat
        pull = spread((e @ E).reshape(cells.shape), w.down, w.across, rows, columns)
        xi = scale * (pull - z * (e * k).sum(axis=1)[:, None, None])
        limit = self.config.d.max / self.config.d.one
        return np.clip(xi, -limit, limit) * (a > 0)

    @staticmethod
    def _softmax(t):
        t = np.exp(t - t.max(axis=1, keepdims=True))
        return t / t.sum(axis=1, keepdims=True)


class MapLearner:
    """A `MapNetwork` that learns one sample a step, as the studies' learners do.

    Steps are halved as the configuration has it. Arguments as those of `MapNetwork`.
    """

    def __init__(self, config: CoreConfig, rule: str, **options):
        self.network = MapNetwork(config, rule, **options)

    def begin(self, epoch: int) -> None:
        """Take the steps of an epoch (from 0)."""
        self.network.scale = 2.0 ** -self.network.config.extra(epoch)

    def learn(self, x: np.ndarray, labels: np.ndarray) -> None:
        """Learn bytes (samples, inputs) one after another."""
        for n in range(len(x)):
            self.network.learn(x[n : n + 1], labels[n : n + 1])

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of bytes."""
        return self.network.classify(x)


def train(
    config: CoreConfig,
    seeds: Sequence[int],
    datasets: Sequence[Dataset],
    epochs: int,
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[float]:
    """Train a network for each seed, one sample a step; return accuracies on the test sets.

    The rule is that of the configuration's memory; arguments as those of
    `hebbware.golden.reference.counterpart.train`.

    Raises
    ------
    InputError
        There is no such rule.
    """
    rules = {"gated": "gated", "codes": "codes", "none": "frozen"}
    if config.memory.kind not in rules:
        raise InputError(
            f"the float reference of convolutions has the memories {', '.join(rules)}, "
            f"not {config.memory.kind!r}"
        )
    config, found = spread_halvings(config, epochs), []
    for seed, dataset in zip(seeds, datasets, strict=True):
        held = held_back(dataset, validation)
        part = split_validation(dataset, held, seed) if held else dataset
        network = MapNetwork(config, rules[config.memory.kind], seed=seed)
        for epoch in range(epochs):
            network.scale = 2.0 ** -config.extra(epoch)
            for n in order(seed, epoch, len(part.y_train)):
                network.learn(part.x_train[n : n + 1], part.y_train[n : n + 1])
                if progress:
                    progress(1)
        found.append(float((network.classify(dataset.x_test) == dataset.y_test).mean()))
    return found


def _parts(x, size=200):
    return [x[start : start + size] for start in range(0, len(x), size)]
