"""Back-propagation one sample at a time, compiled: the float control of long studies.

The network and the step are those of `hebbware.golden.reference.network.Network` with
`hebbware.golden.reference.backprop.Backprop`; ``normalised = False`` leaves LayerNorm out, so that
``z = relu(u)`` and ``d_l = f'(u_l) xi_l``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..reference.layers import EPSILON
from ..reference.network import Network
from . import kernels


class CompiledBackprop:
    """A float network that follows a stream (`hebbware.golden.data.streams.follow`).

    Parameters
    ----------
    sizes : sequence of int
        Inputs, units of at least one hidden layer, classes.
    step : float
        Of every layer, in the first epoch.
    halve : int
        The step is halved every so many epochs; 0 keeps it.
    normalised : bool
        Whether hidden layers have LayerNorm, as the core's have.
    seed : int
        Of the start weights, which are those of `Network`.

    Raises
    ------
    InputError
        No hidden layer, a step below 0, impossible sizes.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        step: float,
        *,
        halve: int = 0,
        normalised: bool = True,
        seed: int = 0,
    ):
        if len(sizes) < 3:
            raise InputError(f"sizes must have a hidden layer, not be {list(sizes)}")
        if not 0 <= step < np.inf:
            raise InputError(f"step must be 0 or more and finite, not {step}")
        made = Network(sizes, seed)
        self.weights, self.biases = tuple(made.weights), tuple(made.biases)
        self.step, self.halve, self.normalised, self.stopped = step, halve, normalised, False
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Take the step of an epoch (from 0)."""
        self.scaled = self.step / 2 ** (epoch // self.halve if self.halve else 0)

    def learn(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Learn bytes (samples, inputs); return the classes found before each was learned."""
        return self._run(x, labels, self.scaled)

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of bytes."""
        return self._run(x, np.zeros(len(x), np.int64), 0.0)

    def stop_hidden(self, step: float, clear: bool) -> None:
        """Let the readout alone learn from now on, at that step; `clear`: from 0."""
        self.step, self.halve, self.stopped = step, 0, True
        self.begin(0)
        if clear:
            self.weights[-1][:] = 0
            self.biases[-1][:] = 0

    def _run(self, x, labels, step):
        x, labels = np.ascontiguousarray(x, np.uint8), np.asarray(labels, np.int64)
        lowest = len(self.weights) - 1 if self.stopped else 0
        return _learn(self.weights, self.biases, x, labels, step, self.normalised, lowest, EPSILON)


@kernels._jit  # keeps the machine code where that of the other loops is kept
def _learn(weights, biases, x, labels, step, normalised, lowest, epsilon):
    """Learn rows where ``step > 0``, in the layers from `lowest` on; return the classes before."""
    layers = len(weights)
    found = np.empty(len(x), np.int64)
    widest = 0
    for bias in biases:
        widest = max(widest, len(bias))
    z = np.empty((layers, widest))
    on = np.empty((layers, widest))
    scale = np.empty(layers)
    d = np.empty((layers, widest))
    values = np.empty(x.shape[1])
    rows = np.empty(x.shape[1], np.int64)
    for n in range(len(x)):
        count = 0
        for i in range(x.shape[1]):
            if x[n, i]:
                rows[count] = i
                values[count] = x[n, i] / 256
                count += 1
        for layer in range(layers):
            units = len(biases[layer])
            u = z[layer, :units]
            u[:] = biases[layer]
            if layer == 0:
                for i in range(count):
                    u += values[i] * weights[0][rows[i]]
            else:
                below = len(biases[layer - 1])
                for i in range(below):
                    u += z[layer - 1, i] * weights[layer][i]
            if layer < layers - 1:
                for i in range(units):
                    on[layer, i] = u[i] > 0
                    u[i] = max(u[i], 0.0)
                scale[layer] = 1.0
                if normalised:
                    u -= u.mean()
                    scale[layer] = 1 / np.sqrt((u * u).mean() + epsilon)
                    u *= scale[layer]
        classes = len(biases[layers - 1])
        scores = z[layers - 1, :classes]
        found[n] = scores.argmax()
        if step == 0:
            continue
        error = d[layers - 1, :classes]
        error[:] = np.exp(scores - scores.max())
        error /= error.sum()
        error[labels[n]] -= 1
        for layer in range(layers - 2, lowest - 1, -1):
            units, above = len(biases[layer]), len(biases[layer + 1])
            xi = d[layer, :units]
            for i in range(units):
                xi[i] = (weights[layer + 1][i] * d[layer + 1, :above]).sum()
            own = z[layer, :units]
            if normalised:
                xi -= xi.mean() + own * (own * xi).mean()
                xi *= scale[layer]
            xi *= on[layer, :units]
        for layer in range(lowest, layers):
            units = len(biases[layer])
            change = step * d[layer, :units]
            if layer == 0:
                for i in range(count):
                    weights[0][rows[i]] -= values[i] * change
            else:
                for i in range(len(biases[layer - 1])):
                    weights[layer][i] -= z[layer - 1, i] * change
            bias = biases[layer]
            bias -= change
    return found
