"""Streams of samples whose task changes while they are learned.

======================  ===========================================================================
written                 what comes by
======================  ===========================================================================
``stationary``          all samples with their own labels
``remap:AT[:SHIFT]``    from sample AT on (counted from 0), class c is called ``c + SHIFT mod C``;
                        SHIFT is 3 unless given
``classes:EVERY[:N]``   the first N classes (2 unless given), and one more after every EVERY samples
                        learned; until its class has been added, a sample is passed over
``in-order``            all samples as they lie in their file, see
`hebbware.golden.learn.prequential` ``parts``               part after part, samples within a part
in a random order: where a file is
                        sorted by class, the last label says too much of the next
======================  ===========================================================================

Samples are counted over the whole run, through all epochs. Accuracy is measured on what the stream
had come to when the last sample was learned: with its labels, and on the classes added by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from ..errors import InputError
from .dataset import Dataset, order, permutation

FORMS = "stationary, remap:AT[:SHIFT], classes:EVERY[:N], in-order, parts"
DEFAULTS = {"remap": 3, "classes": 2}
IN_ORDER = ("in-order", "parts")
CHUNK = 1024  # samples between two reports of progress; whole batches of the float rules


@dataclass(frozen=True)
class Stream:
    """What changes in a stream, and when.

    Parameters
    ----------
    kind : str
        ``stationary``, ``remap``, ``classes``, ``in-order`` or ``parts``.
    samples : int
        AT or EVERY of the module's table.
    number : int
        SHIFT or N of the module's table.
    """

    kind: str = "stationary"
    samples: int = 0
    number: int = 0

    def __str__(self):
        return f"{self.kind}:{self.samples}:{self.number}" if self.changes else self.kind

    @property
    def changes(self) -> bool:
        """Whether labels or classes change in it."""
        return self.kind in DEFAULTS

    @property
    def in_order(self) -> bool:
        """Whether samples, or parts of them, come as they lie in their file."""
        return self.kind in IN_ORDER

    def sequence(self, dataset: Dataset, seed: int) -> np.ndarray:
        """Return the training samples of a stream `in_order`, one after another."""
        samples = len(dataset.y_train)
        if self.kind == "in-order":
            return np.arange(samples)
        if not dataset.parts:
            raise InputError(f"stream parts: {dataset.name} must have parts; give in-order")
        edges = [*(at for _, at in dataset.parts), samples]
        return np.concatenate(
            [
                start + permutation(end - start, seed + number)
                for number, (start, end) in enumerate(pairwise(edges))
            ]
        )

    def check(self, dataset: Dataset, learned: int | None = None) -> None:
        """Raise InputError where the classes of the data set are too few for the stream.

        `learned` is how many samples are learned in all: the stream has to change before.
        """
        most = dataset.classes - 1
        if self.changes and not 1 <= self.number <= most:
            what = {"remap": "SHIFT", "classes": "N"}[self.kind]
            raise InputError(
                f"stream {self}: {what} must lie in 1..{most} for the {dataset.classes} classes "
                f"of {dataset.name}, not {self.number}"
            )

        if self.changes and learned is not None and self.samples >= learned:
            what = {"remap": "AT", "classes": "EVERY"}[self.kind]
            raise InputError(
                f"stream {self}: {what} must be below the {learned:,} samples that are learned, or "
                f"nothing changes, not {self.samples}"
            )

    def added(self, sample: int, classes: int) -> int:
        """Return how many classes there are when the sample of that number comes."""
        if self.kind != "classes":
            return classes
        return min(self.number + sample // self.samples, classes)

    def labels(self, y: np.ndarray, sample: int | np.ndarray, classes: int) -> np.ndarray:
        """Return what samples of classes `y` are called as samples of that number."""
        if self.kind != "remap":
            return y
        return np.where(np.asarray(sample) >= self.samples, (y + self.number) % classes, y)

    def passing(
        self, y: np.ndarray, order: np.ndarray, learned: int, classes: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Let an epoch pass by.

        Parameters
        ----------
        y : array (samples,)
            Classes of all training samples.
        order : array
            Their order in the epoch.
        learned : int
            Samples learned before.
        classes : int

        Returns
        -------
        rows : array
            The part of `order` that comes by.
        labels : array
            What they are called.
        """
        rows = np.concatenate(list(self._phases(y, order, learned, classes)) or [order[:0]])
        return rows, self.labels(y[rows], learned + np.arange(len(rows)), classes)

    def _phases(self, y, order, learned, classes) -> Iterator[np.ndarray]:
        """Parts of the order between which classes are added."""
        while len(order):
            added = self.added(learned, classes)
            places = np.flatnonzero(y[order] < added)
            if added < classes:
                places = places[: (added - self.number + 1) * self.samples - learned]
            yield order[places]
            learned += len(places)
            if added == classes or self.added(learned, classes) == added:
                return  # the order is used up
            order = order[places[-1] + 1 :]

    def measured(self, y: np.ndarray, learned: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which samples count after `learned` ones were learned, and their labels."""
        last = max(learned - 1, 0)
        rows = np.flatnonzero(y < self.added(last, classes))
        return rows, self.labels(y[rows], last, classes)

    def accuracy(
        self,
        classify: Callable[[np.ndarray], np.ndarray],
        dataset: Dataset,
        learned: int,
    ) -> float:
        """Return the share of the test samples that count whose class is found; NaN of none."""
        rows, labels = self.measured(dataset.y_test, learned, dataset.classes)
        if not len(rows):
            return float("nan")
        return float((classify(dataset.x_test[rows]) == labels).mean())


STATIONARY = Stream()


def parse(text: str) -> Stream:
    """Read a stream as the module's table writes it.

    Raises
    ------
    InputError
        No such stream, or numbers that are not whole and positive.
    """
    kind, *numbers = text.split(":")
    if text == "stationary":
        return STATIONARY
    if text in IN_ORDER:
        return Stream(text)
    if kind not in DEFAULTS or not 1 <= len(numbers) <= 2:
        raise InputError(f"stream must be one of {FORMS}, not {text!r}")
    if not all(number.isascii() and number.isdigit() and int(number) for number in numbers):
        raise InputError(f"stream {text!r}: its numbers must be whole and 1 or more")
    return Stream(kind, *map(int, numbers), *[DEFAULTS[kind]][len(numbers) - 1 :])


class Learner(Protocol):
    """What can follow a stream."""

    def begin(self, epoch: int) -> None:
        """Take the steps of an epoch (from 0)."""

    def learn(self, x: np.ndarray, labels: np.ndarray) -> None:
        """Learn bytes (samples, inputs) of these labels, one after another."""

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of bytes."""


def follow(
    learner: Learner,
    dataset: Dataset,
    stream: Stream,
    marks: Sequence[int],
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Iterator[int]:
    """Let a learner follow a stream; stop on the way to have it measured.

    Epoch follows epoch until the last mark is reached.

    Parameters
    ----------
    learner : Learner
        Not yet trained.
    dataset : Dataset
        Its training samples are learned.
    stream : Stream
    marks : sequence of int
        After how many samples learned to stop; must rise.
    seed : int
        Of the order, that of `hebbware.golden.data.dataset.order`.
    progress : function, optional
        Called with the number of samples learned since the last call.

    Yields
    ------
    int
        The mark that was reached; for the accuracy see `Stream.accuracy`.

    Raises
    ------
    InputError
        Marks that do not rise from 0 or more, a stream that the data set has too few classes for,
        an epoch in which no sample comes by.
    """
    stream.check(dataset)
    marks = list(marks)
    if not marks or marks[0] < 0 or any(b <= a for a, b in zip(marks, marks[1:], strict=False)):
        raise InputError(f"marks must be numbers of samples that rise from 0 or more, not {marks}")
    if marks[0] == 0:
        yield marks.pop(0)
    learned, epoch = 0, 0
    while marks:
        learner.begin(epoch)
        rows, labels = stream.passing(
            dataset.y_train, order(seed, epoch, len(dataset.y_train)), learned, dataset.classes
        )
        if not len(rows):
            raise InputError(f"stream {stream}: no sample of {dataset.name} comes by")
        start = 0
        while marks and start < len(rows):
            stop = min(start + CHUNK, len(rows), start + marks[0] - learned)
            learner.learn(dataset.x_train[rows[start:stop]], labels[start:stop])
            if progress:
                progress(stop - start)
            learned += stop - start
            start = stop
            if learned == marks[0]:
                yield marks.pop(0)
        epoch += 1
