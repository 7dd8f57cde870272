"""A stream in its own order: each sample is predicted first, and learned when its label arrives.

The accuracy of the predictions needs no test set, and says over time how a learner follows a world
that drifts (Gama, Sebastiao and Rodrigues 2013, doi 10.1007/s10994-012-5320-9).

Labels may arrive for a share of the samples only, and late: the label of sample t is learned after
sample t + delay was predicted. What the hardware is sent is a list of events, each a sample to
learn or to infer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import InputError


class Predictor(Protocol):
    """What can follow a stream: `hebbware.golden.core.Core`, and the baselines."""

    def learn_many(self, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
        """Learn samples one after another; return first the classes predicted before each."""

    def infer_many(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return first the classes of samples."""


@dataclass(frozen=True, eq=False)
class Events:
    """What comes, one after another.

    Members
    -------
    rows : array of int
        Which sample.
    learned : array of bool
        Whether it is learned with its label, or only predicted.
    predicts : array of bool
        Whether the class before learning counts: it is the first time that the sample comes.
    """

    rows: np.ndarray
    learned: np.ndarray
    predicts: np.ndarray

    def __len__(self):
        return len(self.rows)


def events(first: int, samples: int, labelled: float = 1.0, delay: int = 0, seed: int = 0):
    """Return the `Events` of the samples from `first` to `samples`, the last one excluded.

    Parameters
    ----------
    first, samples : int
    labelled : float
        Share of the samples whose label arrives; which ones is drawn from `seed`.
    delay : int
        Samples that are predicted between a sample and its label.

    Raises
    ------
    InputError
        A share beyond 0..1, a delay below 0, no sample.
    """
    if not 0 <= labelled <= 1:
        raise InputError(f"labelled must lie in 0..1, not {labelled}")
    if delay < 0:
        raise InputError(f"delay must be 0 or more, not {delay}")
    if not 0 <= first < samples:
        raise InputError(
            f"a stream must leave samples to predict: of {samples}, not from {first} on"
        )
    if delay >= samples - first:
        raise InputError(
            f"delay must be less than the {samples - first} samples predicted, not {delay}: no "
            "label would come"
        )
    drawn = np.random.PCG64([seed, 1]).random_raw(samples) >> 11
    known = drawn < labelled * 2.0**53
    now = np.arange(first, samples)
    if not delay:
        return Events(now, known[now], np.ones(len(now), bool))
    rows = np.stack([now, now - delay], axis=1)  # predict this one, learn that one
    learned = np.broadcast_to([False, True], rows.shape)
    kept = np.stack([np.ones(len(now), bool), rows[:, 1] >= first], axis=1)
    kept[:, 1] &= known[rows[:, 1]]  # what wraps around is left out anyway
    return Events(rows[kept], learned[kept], ~learned[kept])


def follow(
    learner: Predictor,
    x: np.ndarray,
    y: np.ndarray,
    stream: Events,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Let a learner follow the events; return for each sample predicted whether it was right.

    Parameters
    ----------
    learner : Predictor
    x, y : arrays (samples, inputs), (samples,)
        As the learner takes them.
    stream : Events
    progress : callable, optional
        Called with the number of events since the last call.
    """
    right = np.zeros(len(stream), bool)
    turns = np.flatnonzero(np.diff(stream.learned)) + 1
    for part in np.split(np.arange(len(stream)), turns):
        rows = stream.rows[part]
        if stream.learned[part[0]]:
            found = learner.learn_many(x[rows], y[rows])[0]
        else:
            found = learner.infer_many(x[rows])[0]
        right[part] = found == y[rows]
        if progress:
            progress(len(part))
    return right[stream.predicts]


def sliding(right: np.ndarray, window: int) -> np.ndarray:
    """Return the share of right predictions among the last `window` ones, after each."""
    total = np.concatenate([[0], np.cumsum(right)])
    ends = np.arange(1, len(right) + 1)
    starts = np.maximum(ends - window, 0)
    return (total[ends] - total[starts]) / (ends - starts)


class Majority:
    """Predicts the class that came most often so far."""

    def __init__(self, classes: int):
        self.counts = np.zeros(classes, np.int64)

    def infer_many(self, x):
        """The class that leads now."""
        return (np.full(len(x), self.counts.argmax()),)

    def learn_many(self, x, labels):
        """Count one label after another."""
        found = np.empty(len(labels), np.int64)
        for place, label in enumerate(labels):
            found[place] = self.counts.argmax()
            self.counts[label] += 1
        return (found,)


class Last:
    """Predicts the class that came last."""

    def __init__(self):
        self.last = 0

    def infer_many(self, x):
        """The last one."""
        return (np.full(len(x), self.last),)

    def learn_many(self, x, labels):
        """Each is predicted to be the one before."""
        labels = np.asarray(labels)
        found = np.concatenate([[self.last], labels[:-1]])
        self.last = int(labels[-1])
        return (found,)


class Frozen:
    """A learner that has stopped: predicts, and takes no notice of labels."""

    def __init__(self, learner: Predictor):
        self.learner = learner

    def infer_many(self, x):
        """As the learner does."""
        return self.learner.infer_many(x)

    def learn_many(self, x, labels):
        """Predict only."""
        return self.learner.infer_many(x)


class Linear:
    """Softmax regression by the delta rule in double precision, one sample a step.

    ``W += step x (onehot(y) - softmax(W x))``, on raw inputs brought to 0..1.
    """

    def __init__(self, inputs: int, classes: int, one: int, step: float):
        self.weights, self.one, self.step = np.zeros((inputs + 1, classes)), one, step

    def _inputs(self, x):
        return np.concatenate([x / self.one, np.ones((len(x), 1))], axis=1)

    def infer_many(self, x):
        """The class of the largest score."""
        return ((self._inputs(x) @ self.weights).argmax(axis=1),)

    def learn_many(self, x, labels):
        """One step for each sample."""
        found = np.empty(len(labels), np.int64)
        for place, (row, label) in enumerate(zip(self._inputs(x), labels, strict=True)):
            scores = row @ self.weights
            found[place] = scores.argmax()
            p = np.exp(scores - scores.max())
            error = p / p.sum()
            error[label] -= 1
            self.weights -= self.step * np.outer(row, error)
        return (found,)
