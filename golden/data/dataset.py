"""Samples and labels as the core takes them, and how arrays of one's own become that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hebbware.golden.config.parts import Input
from hebbware.golden.data.encoding import Encoding, FeatureError
from hebbware.golden.data.samples import labels_of, raw
from hebbware.golden.errors import InputError
from hebbware.golden.layers import Readout
from hebbware.golden.layers.squared import TARGET

TEST_SHARE = 1 / 4  # of samples that come without a test set


def permutation(n: int, seed: int) -> np.ndarray:
    """Return a random order of ``0 .. n - 1``, the same on every machine."""
    return np.argsort(np.random.PCG64(seed).random_raw(n), kind="stable")


def order(seed: int, epoch: int, samples: int) -> np.ndarray:
    """Return the order of the training samples in an epoch (from 0)."""
    return np.argsort(np.random.PCG64([seed, epoch]).random_raw(samples), kind="stable")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and labels, split into training and test.

    Members
    -------
    name : str
    shape : tuple of int
        Of one sample before it was flattened; an image's rows and columns.
    classes : int
        Labels are ``0 .. classes - 1``; outputs where targets are signals.
    x_train, x_test : array of u8, (samples, inputs)
        Eight fraction bits, no sign: 255 stands for 255/256.
    y_train, y_test : array of i64, (samples,)
        Of signals (samples, ticks, outputs), raw `hebbware.golden.layers.squared.TARGET`.
    labels : tuple of str
        What each class is called in the data; empty where classes are just numbers.
    features : tuple of str
        Names of the inputs, or empty.
    encoding : Encoding or None
        How the inputs became bytes, where they were none.
    parts : tuple of (str, int)
        Names of successive parts of the training samples, each with its first sample.
    clipped : array (inputs,) or None
        Share of the test samples beyond the range of the encoding, for each feature; of a stream
        the share of those that the encoding was not fitted to. None where there are none.
    """

    name: str
    shape: tuple[int, ...]
    classes: int
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    encoding: Encoding | None = None
    parts: tuple[tuple[str, int], ...] = ()
    clipped: np.ndarray | None = None

    def __post_init__(self):
        """Raise InputError for arrays that are not as described."""
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 2:
                what = f"{x.dtype} of {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
                raise InputError(
                    f"data set {self.name}: x_{part} must be bytes (u8) of shape (samples, "
                    f"inputs), not {what}"
                )
            if x.shape[1] != self.inputs:
                raise InputError(
                    f"data set {self.name}: x_{part} must have {self.inputs} inputs as x_train "
                    f"has, not {x.shape[1]}"
                )
            try:
                if self.signal:
                    shape = len(x), self.shape[0], self.classes
                    raw("targets", y, shape, TARGET.min, TARGET.max)
                else:
                    labels_of(y, self.classes, len(x))
            except InputError as error:
                raise InputError(f"data set {self.name}: y_{part}: {error}") from None

    @property
    def signal(self) -> bool:
        """Whether targets are numbers at each tick, not classes."""
        return np.ndim(self.y_train) == 3

    @property
    def inputs(self) -> int:
        """Number of inputs of one sample."""
        return self.x_train.shape[1]

    @classmethod
    def from_arrays(
        cls,
        x: np.ndarray,
        y: np.ndarray,
        x_test: np.ndarray | None = None,
        y_test: np.ndarray | None = None,
        *,
        name: str = "arrays",
        encoding: Encoding | str | None = None,
        features: tuple[str, ...] = (),
        fitted: int | None = None,
        parts: tuple[tuple[str, int], ...] = (),
        labels: tuple[str, ...] = (),
    ) -> Dataset:
        """Return a data set of one's own arrays.

        Parameters
        ----------
        x : array (samples, ...)
            Of any numeric type; what follows the samples is flattened.
        y : array (samples,)
            Labels, numbers or text; classes are numbered in their sorted order.
        x_test, y_test : arrays, optional
            Without them a fixed random quarter of each class becomes the test set; the order of the
            others stays.
        name : str
        encoding : Encoding or str, optional
            Fixed, or a kind that is fitted to the training samples
            (`hebbware.golden.data.encoding`). By default ``bytes`` for arrays of bytes (u8), else
            ``range``.
        features : tuple of str, optional
            Names of the inputs.
        fitted : int, optional
            Of a stream: how many leading samples the encoding is fitted to. All samples are then to
            learn, and there is no test set unless one is given.
        parts : tuple of (str, int), optional
            Of a stream: names of successive parts, each with its first sample.
        labels : tuple of str, optional
            What each class is called, where that is fixed: classes are numbered as here, and some
            may be missing. By default classes are those of `y`.

        Raises
        ------
        InputError
            Shapes that do not agree, no samples, values that are not finite (row and column), one
            class only, a test label that no training sample has, a label that is none of `labels`.
        """
        where = f"data set {name}"
        x, y = _matrix(where, "x", x, features), _labels(where, "y", y)
        check_features(where, math.prod(x.shape[1:]))
        shape = x.shape[1:]
        if (x_test is None) != (y_test is None):
            raise InputError(f"{where}: must have both x_test and y_test, or neither")
        if len(x) != len(y):
            raise InputError(f"{where}: y must have {len(x)} labels, one for each x, not {len(y)}")
        if labels:
            y = _known(where, "y", y, labels)
            y_test = y_test if y_test is None else _known(where, "y_test", y_test, labels)
        found = np.arange(len(labels)) if labels else np.unique(y)
        if not len(y) or len(found) < 2:
            raise InputError(
                f"{where}: y must hold at least 2 classes, not "
                f"{f'only {found[0]!s}' if len(y) else 'none'}"
            )
        if len(found) > (most := Readout.domains()["units"].high):
            raise InputError(
                f"{where}: y must hold at most {most} classes, not {len(found)}; is it the label?"
            )
        if x_test is None:
            test = np.zeros(len(y), bool)
            if fitted is None:
                test = split_classes(np.searchsorted(found, y), TEST_SHARE)
            x, y, x_test, y_test = x[~test], y[~test], x[test], y[test]
        else:
            x_test, y_test = _test_samples(where, x_test, y_test, shape, found, features)
        flat = [part.reshape(len(part), math.prod(shape)) for part in (x, x_test)]
        try:
            encoding, encoded, clipped = _encoded(where, *flat, encoding, fitted)
        except FeatureError as error:
            raise error.named(where, features) from None
        numbers = [np.searchsorted(found, part).astype(np.int64) for part in (y, y_test)]
        return cls(
            name, shape, len(found), encoded[0], numbers[0], encoded[1], numbers[1],
            labels=tuple(labels) or label_texts(found), features=tuple(features),
            encoding=encoding, parts=() if fitted is None else parts, clipped=clipped,
        )  # fmt: skip


def check_features(where: str, features: int) -> None:
    """Raise InputError where samples have more features than a core has inputs."""
    if features > (most := Input.domains()["size"].high):
        raise InputError(f"{where}: x must have at most {most} features, not {features}")


def _encoded(where: str, x, x_test, encoding: Encoding | str | None, fitted: int | None) -> tuple:
    """Return the encoding, the bytes of both parts, and what share of later samples it clips."""
    if isinstance(encoding, Encoding) and encoding.features not in (None, x.shape[1]):
        raise InputError(
            f"{where}: x must have {encoding.features} features, as its encoding has, not "
            f"{x.shape[1]}"
        )
    if encoding is None:
        encoding = "bytes" if x.dtype == np.uint8 else "range"
    try:
        if isinstance(encoding, str):
            encoding = Encoding.fit(encoding, x[:fitted])
        encoded = encoding(x), encoding(x_test)
        later = x_test if fitted is None else x[fitted:]
        return encoding, encoded, encoding.clipped(later) if len(later) else None
    except FeatureError:
        raise
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _test_samples(where: str, x, y, shape: tuple[int, ...], known, features) -> tuple:
    """Return samples and labels for the test, if they go with those of this shape and labels."""
    x, y = _matrix(where, "x_test", x, features), _labels(where, "y_test", y)
    if x.shape[1:] != shape:
        raise InputError(
            f"{where}: x_test must have samples of shape {shape} like x, not {x.shape[1:]}"
        )
    if len(x) != len(y):
        raise InputError(
            f"{where}: y_test must have {len(x)} labels, one for each x_test, not {len(y)}"
        )
    if known.dtype.kind != y.dtype.kind or len(unseen := np.setdiff1d(y, known)):
        what = unseen[0] if known.dtype.kind == y.dtype.kind else y.dtype
        raise InputError(f"{where}: y_test must hold labels of y only, not {what!s}")
    return x, y


def _matrix(where: str, what: str, x, features: tuple[str, ...]) -> np.ndarray:
    """Return samples as finite numbers, (samples, ...) with at least one feature."""
    x = np.asarray(x)
    if x.dtype.kind not in "buif":
        raise InputError(f"{where}: {what} must be numbers, not {x.dtype}")
    if not 2 <= x.ndim <= 4 or not x[:1].size:
        raise InputError(
            f"{where}: {what} must have shape (samples, features), (samples, time, features) or "
            f"(samples, height, width, channels), not {x.shape}"
        )
    bad = ~np.isfinite(x.reshape(len(x), -1))
    if bad.any():
        row, column = np.argwhere(bad)[0].tolist()
        value = x.reshape(len(x), -1)[row, column]
        raise FeatureError(f"{where}: {what} must be finite, not {value}", column, row, features)
    return x


def _labels(where: str, what: str, y) -> np.ndarray:
    """Return labels (samples,), whole numbers or text."""
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "buifUS":
        raise InputError(
            f"{where}: {what} must be one label for each sample, numbers or text, not "
            f"{y.dtype} of shape {y.shape}"
        )
    if y.dtype.kind == "f":
        if len(y) and not (y == np.rint(y)).all():
            row = int(np.argmax(y != np.rint(y)))
            raise InputError(
                f"{where}: {what} must hold whole numbers or text, not {y[row]:g} "
                f"(sample {row + 1})"
            )
        return y.astype(np.int64)
    if y.dtype.kind == "S":
        return np.char.decode(y)
    return y if y.dtype.kind == "U" else y.astype(np.int64)


def _known(where: str, what: str, y, labels: tuple[str, ...]) -> np.ndarray:
    """Return the numbers of labels among known ones."""
    numbers = {text: number for number, text in enumerate(labels)}
    texts = list(map(str, _labels(where, what, y).tolist()))
    row = next((row for row, text in enumerate(texts) if text not in numbers), None)
    if row is not None:
        shown = ", ".join(labels[:12]) + ", ..." * (len(labels) > 12)
        raise InputError(
            f"{where}: {what} must hold the classes that the network learned only ({shown}), not "
            f"{texts[row]} (sample {row + 1})"
        )
    return np.array([numbers[text] for text in texts], np.int64)


def split_classes(y: np.ndarray, share: float) -> np.ndarray:
    """Choose a share of each class, rounded down: the first ones in a fixed random order.

    Returns
    -------
    array of bool (samples,)
    """
    order, chosen = permutation(len(y), 0), np.zeros(len(y), bool)
    for label in range(y.max() + 1):
        rows = order[y[order] == label]
        chosen[rows[: int(share * len(rows))]] = True
    return chosen


def label_texts(labels: np.ndarray) -> tuple[str, ...]:
    """Return what labels are called: text as it is, whole numbers without a point."""
    return tuple(
        str(int(label)) if isinstance(label, (bool, float)) and label == int(label) else str(label)
        for label in labels.tolist()
    )
