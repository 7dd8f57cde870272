"""Runs of the synthetic tasks: accuracy and HSIC of every hidden layer after each epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.data.sets import Dataset
from hebbware.golden.learn import train
from hebbware.golden.program.walk import Store, latest
from hebbware.golden.reference import counterpart
from hebbware.golden.reference.hsic import hsic
from hebbware.golden.reference.kernels import rbf_kernel
from hebbware.golden.reference.layers import readout_error
from hebbware.golden.reference.windowed import HsicRule

SEEN = 100  # test samples on which HSIC is estimated


def synthetic(key: dict, dataset: Dataset) -> dict[str, Any]:
    """Train on a task of points, and estimate ``HSIC(X, Z)`` and ``HSIC(Y, Z)`` on the way.

    Key
    ---
    rule : str
        ``core`` (bit-true), ``class-memory`` (its float counterpart) or ``hsic`` (the paper's, on
        the same float network).
    config : dict
        Every field of the configuration but the seed.
    epochs : int
    gamma : float
    sigmas : three floats
        Also of the kernels with which HSIC is estimated, whatever the rule.
    window : int
    steps : list of float, or None
        Of the paper's rule.
    """
    config = CoreConfig.from_dict({**key["config"], "seed": key["seed"]})
    config = train.spread_halvings(config, key["epochs"])
    learner = _Core(config) if key["rule"] == "core" else _Float(config, key)
    accuracy, hsic_xz, hsic_yz = [], [], []
    for epoch in range(key["epochs"] + 1):
        if epoch:
            rows = train.order(config.seed, epoch - 1, len(dataset.y_train))
            learner.begin(epoch - 1)
            learner.learn(dataset.x_train[rows], dataset.y_train[rows])
        found = learner.classify(dataset.x_test)
        accuracy.append(float((found == dataset.y_test).mean()))
        y = np.eye(dataset.classes)[dataset.y_test[:SEEN]]
        x, activations = learner.activations(dataset.x_test[:SEEN])
        kernel_x, kernel_y = rbf_kernel(x, key["sigmas"][0]), rbf_kernel(y, key["sigmas"][1])
        kernels = [rbf_kernel(z, key["sigmas"][2]) for z in activations]
        hsic_xz.append([hsic(kernel_x, kernel) for kernel in kernels])
        hsic_yz.append([hsic(kernel_y, kernel) for kernel in kernels])
    return {"test": accuracy, "hsic_xz": hsic_xz, "hsic_yz": hsic_yz}


class _Core(train.CoreLearner):
    def activations(self, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Inputs as they are read, and the real value of z of each hidden layer, for each row."""
        core, config = self.core, self.core.config
        layers, found = range(len(config.hidden)), []
        for row in train.inputs(config, x):
            seen = latest(core.walk(row))
            found.append([config.z.real(seen[Store.Z, layer]) for layer in layers])
        return counterpart.encode(config, x), [np.stack(rows) for rows in zip(*found, strict=True)]


class _Float:
    def __init__(self, config: CoreConfig, key: dict):
        self.config = config
        self.network = counterpart.Counterparts(config, [config.seed])
        self.hsic = None
        if key["rule"] == "hsic":
            self.hsic = HsicRule(key["window"], key["gamma"], key["sigmas"])
        own = 2.0 ** -np.array(config.rates) if self.hsic is None else key["steps"]
        self.whole = np.array(own, float)

    def begin(self, epoch: int) -> None:
        self.steps = self.whole / 2.0 ** self.config.extra(epoch)

    def learn(self, x: np.ndarray, labels: np.ndarray) -> None:
        encoded = counterpart.encode(self.config, x)
        for n in range(len(x)):
            row = slice(n, n + 1)
            if self.hsic is None:
                self.network.learn(encoded[row], labels[row], self.steps)
            else:
                self._learn_hsic(encoded[row], labels[row])

    def _learn_hsic(self, x: np.ndarray, label: np.ndarray) -> None:
        """One sample by the paper's rule, on the same network."""
        network = self.network
        layers, scores = network.forward(x)
        target = np.eye(self.config.classes)[label]
        directions = self.hsic.directions(network, layers, None, target)
        for n, d in enumerate(directions or ()):
            network.weights[n][0] -= self.steps[n] * np.outer(layers[n].inputs[0], d[0])
            network.biases[n][0] -= self.steps[n] * d[0]
        error = readout_error(scores, target)[0]
        network.weights[-1][0] -= self.steps[-1] * np.outer(layers[-1].z[0], error)

    def classify(self, x: np.ndarray) -> np.ndarray:
        return self._forward(x)[1][0].argmax(axis=-1)

    def activations(self, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        return counterpart.encode(self.config, x), [layer.z[0] for layer in self._forward(x)[0]]

    def _forward(self, x: np.ndarray):
        return self.network.forward(counterpart.encode(self.config, x)[None])
