"""Data sets as the core takes them: unsigned bytes, read as ``value / 256``.

========================  ======  =======  ====  ==========================================
name                      inputs  classes  from
========================  ======  =======  ====  ==========================================
``digits``                8x8     10       scikit-learn's bundled handwritten digits
``xor``, ``linear``       2       2        drawn on the spot
``mnist``                 28x28   10       IDX files, see `hebbware.golden.data.idx.locate`
``mnist-pooled``          14x14   10       ``mnist``, means of 2x2 pixels
``fashion-mnist``         28x28   10       IDX files, likewise
``cifar10``               32x32x3 10       its binary version, see `hebbware.golden.data.cifar`
``gas-drift``             128     6        the batches of UCI's gas sensor array, in order
sequences                 any     any      see `hebbware.golden.data.sequences`
a path                    any     any      a file or folder, see `hebbware.golden.data.sample_files`
========================  ======  =======  ====  ==========================================

Packages add names by the entry point group ``hebbware.datasets``: ``name = "module:function"``, a
function without arguments that returns a `Dataset`.

Every random choice is made from the raw output of PCG64, which NumPy keeps stable between
versions: the same seed gives the same samples everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from hebbware.golden.data import at_hand, cifar, idx, sample_files, sequences
from hebbware.golden.data.dataset import Dataset, permutation
from hebbware.golden.data.meaning import Meaning
from hebbware.golden.errors import InputError, one_of

GAS = "gas-drift"
PLANES = ("xor", "linear")
NAMES = (
    "digits",
    *PLANES,
    "mnist",
    "mnist-pooled",
    "fashion-mnist",
    cifar.NAME,
    GAS,
    *sequences.NAMES,
)
DIGITS_TEST = 500
PLANE_TRAIN, PLANE_TEST = 1000, 500
PLUG_INS = "hebbware.datasets"


def load(
    name: str,
    data_dir: str | Path | None = None,
    seed: int = 0,
    margin: float = 0.0,
    *,
    label: str | None = None,
    encoding: str | None = None,
    fitted: int | None = None,
    meaning: Meaning | None = None,
) -> Dataset:
    """Load a data set by its name or from a file.

    Parameters
    ----------
    name : str
        One of ``NAMES``, a name that a plug-in adds, or a path.
    data_dir : path, optional
        Where the files of ``mnist``, ``fashion-mnist`` and ``cifar10`` are; then nowhere else is
        looked.
    seed : int
        Draws the points of ``xor`` and ``linear``. All other sets are the same for every seed,
        their split into training and test included.
    margin : float
        ``xor`` and ``linear``: no point lies closer than this to a boundary between classes,
        measured along an axis in units of the square's side. Requires 0 <= margin < 0.5.
    label : str, optional
        Of a table: the column of the labels, by default the last one.
    encoding : str, optional
        Of a path: how features become bytes, see `Dataset.from_arrays`.
    fitted : int, optional
        The samples are a stream, and the encoding is fitted to so many leading ones, likewise.
    meaning : Meaning, optional
        Of a network: the samples are to be encoded, and classes numbered, as it learned them.

    Raises
    ------
    InputError
        Unknown name, a seed or margin out of range, files that are missing or malformed; inputs or
        classes that are not those of `meaning`.
    """
    dataset = _load(name, data_dir, seed, margin, label, encoding, fitted, meaning or Meaning())
    if meaning:
        meaning.check(dataset)
    return dataset


def fetched(name: str) -> str | None:
    """The name of the published files that a data set is made of, None where there are none."""
    name = sequences.ROWS.get(name, "mnist" if name == "mnist-pooled" else name)
    return name if name in idx.PUBLISHED else None


def is_drawn(name: str) -> bool:
    """Whether the samples of a data set are made on the spot, from a seed."""
    return name in PLANES or name.partition(":")[0] in sequences.OPTIONS


def takes_folder(name: str) -> bool:
    """Whether a data set lies in files that `load` looks for in ``data_dir``."""
    return bool(fetched(name)) or name in FOLDERS


def _load(name, data_dir, seed, margin, label, encoding, fitted, meaning: Meaning) -> Dataset:
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}")
    kind, options, _ = name.partition(":")
    if name not in NAMES and not (options and kind in sequences.OPTIONS):
        if name in (added := plug_ins()):
            return _plugged(name, added[name])
        if sample_files.is_path(name):
            return _own(name, label, encoding, fitted, meaning)
        raise one_of("data set", name, (*NAMES, *added), ", or a file or folder")
    if name == GAS and label is None:
        encoding = encoding or meaning.encoding or "standard"
        return _own(str(_gas_folder(data_dir)), None, encoding, fitted, meaning, GAS)
    for option, value in (("label", label), ("encoding", encoding)):
        if value is not None:
            raise InputError(f"--{option} must be for a file of your own, not for {name}")
    if name in sequences.ROWS:
        return replace(
            _load(sequences.ROWS[name], data_dir, seed, 0.0, *[None] * 3, meaning), name=name
        )
    if name.partition(":")[0] in sequences.NAMES:
        return sequences.load(name, data_dir, seed)
    if name in idx.PUBLISHED:
        return _idx(name, data_dir)
    if name == cifar.NAME:
        return cifar.load(data_dir)
    if name == "mnist-pooled":
        return _pooled(_idx("mnist", data_dir))
    if name == "digits":
        return _digits()
    return _plane(name, seed, margin)


def plug_ins() -> dict:
    """Return the data sets that packages add: entry points by name."""
    return {point.name: point for point in entry_points(group=PLUG_INS)}


def _plugged(name: str, point) -> Dataset:
    dataset = point.load()()
    if not isinstance(dataset, Dataset):
        raise InputError(
            f"data set {name}: {point.value} must return a Dataset, not {type(dataset).__name__}"
        )
    return dataset


def _own(path: str, label, encoding, fitted, meaning: Meaning, name: str = "") -> Dataset:
    found = sample_files.read(path, label)
    return Dataset.from_arrays(
        found.x, found.y, found.x_test, found.y_test,
        name=name or path, encoding=encoding or meaning.encoding, features=found.features,
        fitted=fitted, parts=found.parts, labels=meaning.labels,
    )  # fmt: skip


def _gas_folder(data_dir: str | Path | None = None) -> Path:
    return at_hand.folder(
        GAS,
        data_dir,
        (GAS, "."),
        lambda place: place.is_dir() and any(place.glob("batch*.dat*")),
        "batch1.dat and following",
        '"Gas Sensor Array Drift at Different Concentrations" from the UCI Machine Learning '
        "Repository",
    )


FOLDERS: dict[str, Callable[..., Path]] = {
    cifar.NAME: cifar.folder,
    GAS: _gas_folder,
    **{name: partial(sequences.folder, name) for name in sequences.SOURCES},
}
"""Of data sets that nothing fetches: what returns their folder, or says how to get it."""


def _pooled(dataset: Dataset) -> Dataset:
    """Means of 2x2 pixels, rounded half up."""

    def pool(x):
        rows, columns = dataset.shape
        blocks = x.reshape(-1, rows // 2, 2, columns // 2, 2).astype(np.int64)
        return ((blocks.sum((2, 4)) + 2) // 4).astype(np.uint8).reshape(len(x), -1)

    return replace(
        dataset,
        name=f"{dataset.name}-pooled",
        shape=tuple(size // 2 for size in dataset.shape),
        x_train=pool(dataset.x_train),
        x_test=pool(dataset.x_test),
    )


def split_validation(dataset: Dataset, n: int, seed: int = 0) -> Dataset:
    """Hold ``n`` random training samples back as the test set of a new data set.

    The real test samples are not in the result, so nothing chosen on it has seen them.

    Raises
    ------
    InputError
        ``n`` leaves no sample to train or none to validate, or the seed is negative.
    """
    held, rest = split_rows(len(dataset.y_train), n, seed)
    return replace(
        dataset,
        x_train=dataset.x_train[rest],
        y_train=dataset.y_train[rest],
        x_test=dataset.x_train[held],
        y_test=dataset.y_train[held],
    )


def split_rows(samples: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that `split_validation` holds back of so many samples, and the others.

    Raises
    ------
    InputError
        As there.
    """
    if not 0 < n < samples:
        raise InputError(f"validation samples must lie in 1..{samples - 1}, not {n}")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}")
    order = permutation(samples, seed)
    return order[:n], order[n:]


def _digits() -> Dataset:
    """Handwritten digits: pixels 0..16 scaled to 0..255, rounded half up.

    In a fixed random order, the first samples of each class are the test set, as many as its
    share of all samples asks for (largest remainders).
    """
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = permutation(len(labels), 0)
    x = ((pixels.astype(np.int64) * 255 + 8) // 16).astype(np.uint8)[order]
    y = labels.astype(np.int64)[order]
    counts = np.bincount(y)
    share, remainder = np.divmod(counts * DIGITS_TEST, len(y))
    share[np.argsort(-remainder, kind="stable")[: DIGITS_TEST - share.sum()]] += 1
    rank = np.empty_like(y)  # position of each sample among those of its class
    for label, count in enumerate(counts):
        rank[y == label] = np.arange(count)
    test = rank < share[y]
    return Dataset("digits", (8, 8), 10, x[~test], y[~test], x[test], y[test])


def _plane(name: str, seed: int, margin: float) -> Dataset:
    """Points uniform in the unit square, labelled by a rule.

    ``xor``: exactly one coordinate is 1/2 or more. ``linear``: the second exceeds the first.
    """
    if not 0 <= margin < 0.5:
        raise InputError(f"margin must lie in 0..0.5 (0.5 excluded), not {margin}")
    samples = PLANE_TRAIN + PLANE_TEST
    generator = np.random.PCG64(seed)
    x = np.empty((0, 2), np.uint8)
    while len(x) < samples:
        draw = generator.random_raw(2 * samples).reshape(-1, 2)
        points = (draw >> 56).astype(np.uint8)
        first, second = points.astype(np.int64).T
        if name == "xor":
            distance = np.minimum(np.abs(first - 128), np.abs(second - 128))
        else:
            distance = np.abs(second - first)
        x = np.concatenate([x, points[distance >= margin * 256]])
    x = x[:samples]
    high = x >= 128
    y = (high[:, 0] != high[:, 1]) if name == "xor" else (x[:, 1] > x[:, 0])
    y = y.astype(np.int64)
    n = PLANE_TRAIN
    return Dataset(name, (2,), 2, x[:n], y[:n], x[n:], y[n:])


def _idx(name: str, data_dir: str | Path | None) -> Dataset:
    """Images and labels from the four IDX files of a set with ten classes."""
    files = idx.locate(name, data_dir)
    images, labels = {}, {}
    for part in ("train", "test"):
        x_file, y_file = files[f"x_{part}"], files[f"y_{part}"]
        x, y = idx.read(x_file, 3), idx.read(y_file, 1)
        if len(x) != len(y):
            raise InputError(f"{x_file} has {len(x)} images, but {y_file} has {len(y)} labels")
        if not len(y):
            raise InputError(f"{x_file}: must hold at least one image, not 0")
        if y.max() >= 10:
            raise InputError(f"{y_file}: labels must lie in 0..9, not {y.max()}")
        images[part], labels[part] = x, y.astype(np.int64)
    shape = images["train"].shape[1:]
    if images["test"].shape[1:] != shape:
        raise InputError(
            f"{files['x_test']}: images must be {shape} like those of training, "
            f"not {images['test'].shape[1:]}"
        )
    return Dataset(
        name,
        shape,
        10,
        images["train"].reshape(len(labels["train"]), -1),
        labels["train"],
        images["test"].reshape(len(labels["test"]), -1),
        labels["test"],
    )
