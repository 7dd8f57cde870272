"""A float network of ReLU + LayerNorm layers with a linear readout, and what trains it.

All rules of this package differ in one thing only, the direction d of each hidden layer. Forward
pass, start weights, three-factor step and readout (delta rule) are shared and are here.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..errors import InputError
from . import checks
from .layers import Layer, forward, local_gradients, readout_error
from .optimise import Optimiser, Sgd

FIRST_STD = 0.1  # start weights of the first layer


class Rule(Protocol):
    """What gives the hidden layers their directions."""

    def directions(
        self, network: "Network", layers: list[Layer], error: np.ndarray, targets: np.ndarray
    ) -> list[np.ndarray] | None:
        """Return d (samples, units) for each hidden layer, or None: the layers stay as they are.

        Parameters
        ----------
        network : Network
            With the weights before the step.
        layers : list of Layer
            Forward pass of the samples at hand; ``layers[0].inputs`` are the samples.
        error : array (samples, classes)
            ``softmax(o) - y`` of the readout.
        targets : array (samples, classes)
            Labels, one-hot.
        """


class Network:
    """``u = W^T z + b``, ``z = LayerNorm(relu(u))``; the last layer gives the scores ``o = u``.

    Start weights are drawn from N(0, 1/100) in the first layer, N(0, 1/inputs) in further ones and
    N(0, 1/(4 inputs)) in the readout; biases start at 0.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, units of each hidden layer, classes; at least inputs and classes.
    seed : int
    optimiser : Optimiser, optional
        Makes the steps; plain descent by default.

    Members
    -------
    weights : list of array (inputs, units)
    biases : list of array (units,)

    Raises
    ------
    InputError
        Fewer than two sizes, a size below 1.
    """

    def __init__(self, sizes: Sequence[int], seed: int = 0, optimiser: Optimiser | None = None):
        self.optimiser = optimiser or Sgd()
        if len(sizes) < 2:
            raise InputError(f"sizes must be at least inputs and classes, not {list(sizes)}")
        sizes = [checks.count(f"sizes[{i}]", n, 1) for i, n in enumerate(sizes)]
        rng = np.random.default_rng([checks.count("seed", seed, 0), 0])
        self.weights = []
        for index, (inputs, units) in enumerate(zip(sizes, sizes[1:], strict=False)):
            if index == len(sizes) - 2:
                std = 0.5 / np.sqrt(inputs)
            else:
                std = 1 / np.sqrt(inputs) if index else FIRST_STD
            self.weights.append(rng.normal(0, std, (inputs, units)))
        self.biases = [np.zeros(units) for units in sizes[1:]]

    def forward(self, x: np.ndarray) -> tuple[list[Layer], np.ndarray]:
        """Return hidden layers and scores (samples, classes) of x (samples, inputs)."""
        layers = []
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(forward(x, weights, bias))
            x = layers[-1].z
        return layers, x @ self.weights[-1] + self.biases[-1]

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class with the highest score, (samples,)."""
        return self.forward(x)[1].argmax(axis=-1)

    def learn(self, rule: Rule, x: np.ndarray, targets: np.ndarray, steps: Sequence[float]):
        """Make one step from some samples: the rule in the hidden layers, the delta rule behind.

        ``W <- W - step * z d / samples`` in each layer, all from the same forward pass, unless the
        optimiser makes another step of that gradient.

        Parameters
        ----------
        rule : Rule
        x : array (samples, inputs)
        targets : array (samples, classes)
            Labels, one-hot.
        steps : sequence of float
            One for each layer, the readout last.
        """
        layers, scores = self.forward(x)
        error = readout_error(scores, targets)
        directions = rule.directions(self, layers, error, targets)
        below = layers[-1].z if layers else x
        self._step(-1, below, error, steps)
        for index, d in enumerate(directions or ()):
            self._step(index, layers[index].inputs[-len(d) :], d, steps)

    def _step(self, index, inputs, d, steps):
        """Descend in one layer."""
        index %= len(self.weights)
        weights, bias, step = self.weights[index], self.biases[index], steps[index]
        if len(d) == 1 and isinstance(self.optimiser, Sgd):  # inputs of 0 change nothing
            rows = np.flatnonzero(inputs[0])
            weights[rows] -= np.outer(inputs[0, rows], step * d[0])
            bias -= step * d[0]
            return
        gradient, slope = local_gradients(inputs, d)
        self.optimiser.descend(("w", index), weights, gradient / len(d), step)
        self.optimiser.descend(("b", index), bias, slope / len(d), step)


class Frozen:
    """No rule: hidden layers keep their start weights. A control; without hidden layers, none."""

    def directions(self, network, layers, error, targets):
        return None
