"""Learners of others that follow a stream (`hebbware.golden.learn.prequential`), to compare with.

=====================================  ===========================================================
name                                   what it is
=====================================  ===========================================================
``back-propagation, step S``           a float network of the same sizes, as the core ReLU and
                                       LayerNorm, by plain descent with a constant step
``SGDClassifier (scikit-learn)``       linear, hinge loss, its default schedule of steps
``MLPClassifier (scikit-learn)``       back-propagation in ReLU layers of the same sizes, Adam
``Hoeffding adaptive tree (river)``    a tree that replaces branches when they become worse
``adaptive random forest (river)``     ten such trees, each on a part of the features
=====================================  ===========================================================

All take the inputs that the core takes, as real numbers, and learn one sample after another, with
the defaults of their packages. Before a learner has seen any label it predicts class 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import Notice
from hebbware.golden.learn.prequential import Predictor
from hebbware.golden.reference.backprop import Backprop
from hebbware.golden.reference.network import Network

BACKPROP_STEPS = (0.003, 0.01, 0.03, 0.1)


def learners(config: CoreConfig) -> dict[str, Callable[[], Predictor]]:
    """Return what makes each learner, for streams that fit a configuration.

    Those of river are left out, with a `Notice`, where it is not installed.
    """
    sizes, seed = config.sizes, config.seed
    made: dict[str, Callable[[], Predictor]] = {
        f"back-propagation, step {step}": lambda step=step: BackpropNetwork(sizes, seed, step)
        for step in BACKPROP_STEPS
    }
    made["SGDClassifier (scikit-learn)"] = lambda: _sgd(config)
    made["MLPClassifier (scikit-learn)"] = lambda: _mlp(config)
    if not find_spec("river"):
        warnings.warn(
            "river is not installed, its trees are left out: pip install 'hebbware[river]'",
            Notice,
            stacklevel=2,
        )
        return made
    made["Hoeffding adaptive tree (river)"] = lambda: _tree(config)
    made["adaptive random forest (river)"] = lambda: _forest(config)
    return made


class OneByOne:
    """A learner that predicts each sample before it learns it.

    Derived classes have ``predict`` of rows (samples, inputs), and ``learn`` of one row.
    """

    def infer_many(self, x: np.ndarray) -> tuple[np.ndarray]:
        """The classes of the rows."""
        return (self.predict(x),)

    def learn_many(self, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray]:
        """The classes of the rows, each before it was learned."""
        found = np.empty(len(x), np.int64)
        for place, label in enumerate(labels.tolist()):
            row = x[place : place + 1]
            found[place] = self.predict(row)[0]
            self.learn(row, label)
        return (found,)


class BackpropNetwork(OneByOne):
    """`hebbware.golden.reference.backprop` in a network of these sizes.

    Parameters
    ----------
    sizes : sequence of int
    seed : int
        Of the start weights.
    step : float
        Of every layer.
    """

    def __init__(self, sizes, seed: int, step: float):
        self.network, self.rule = Network(sizes, seed), Backprop()
        self.targets, self.steps = np.eye(sizes[-1]), [step] * (len(sizes) - 1)

    def predict(self, x):
        return self.network.classify(x)

    def learn(self, row, label):
        self.network.learn(self.rule, row, self.targets[label : label + 1], self.steps)


class Sklearn(OneByOne):
    """A classifier of scikit-learn with ``partial_fit``."""

    def __init__(self, classifier, classes: int):
        self.classifier, self.classes, self.fitted = classifier, np.arange(classes), False

    def predict(self, x):
        return self.classifier.predict(x) if self.fitted else np.zeros(len(x), np.int64)

    def learn(self, row, label):
        self.classifier.partial_fit(row, [label], classes=None if self.fitted else self.classes)
        self.fitted = True


class River(OneByOne):
    """A classifier of river."""

    def __init__(self, classifier):
        self.classifier = classifier

    def predict(self, x):
        return np.array([self.classifier.predict_one(row) or 0 for row in _rows(x)], np.int64)

    def learn(self, row, label):
        self.classifier.learn_one(next(_rows(row)), label)


def _rows(x: np.ndarray) -> Iterator[dict[int, float]]:
    for row in x.tolist():
        yield dict(enumerate(row))


def _sgd(config):
    from sklearn.linear_model import SGDClassifier

    return Sklearn(SGDClassifier(random_state=config.seed), config.classes)


def _mlp(config):
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(config.hidden, random_state=config.seed)
    return Sklearn(network, config.classes)


def _tree(config):
    from river.tree import HoeffdingAdaptiveTreeClassifier

    return River(HoeffdingAdaptiveTreeClassifier(seed=config.seed))


def _forest(config):
    from river.forest import ARFClassifier

    return River(ARFClassifier(seed=config.seed))
