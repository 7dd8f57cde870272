"""Samples from files of one's own: arrays as they lie there, nothing encoded yet.

===========================  =====================================================================
a path that is               holds
===========================  =====================================================================
``.npz``                     ``x`` and ``y``, and perhaps ``x_test`` and ``y_test``
a folder of ``.npy``         files of the same names
a folder of IDX files        the four files of `hebbware.golden.data.idx`
``.csv``, ``.tsv``           a header, then a sample a line; one column is the label
``.arff``                    Weka's format, read by SciPy; one attribute is the label
``.libsvm``, ``.svm``        ``label index:value ...``, read by scikit-learn
a folder of ``.bin``         CIFAR-10's binary version
a folder of ``batchN.dat``   UCI's gas sensor array drift, batch after batch, plain or gzipped
===========================  =====================================================================

``x`` is (samples, features), (samples, height, width[, channels]) or (samples, time, features), of
any numeric type; labels are numbers or text. Nothing here is executed or unpickled.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import InputError
from . import idx
from .dataset import check_features

TABLES = {".csv": ",", ".tsv": "\t"}
SPARSE = (".libsvm", ".svm")
CIFAR_RECORD, CIFAR_SHAPE = 3073, (3, 32, 32)
CIFAR_FILES = (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin")


@dataclass(frozen=True, eq=False)
class Samples:
    """What a file holds.

    Members
    -------
    x, y : array (samples, ...), array (samples,)
    x_test, y_test : the same, or None
    features : tuple of str
        Names of the columns of a table, else empty.
    parts : tuple of (str, int)
        Names of successive parts, each with its first sample.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    features: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()


def is_path(name: str) -> bool:
    """Whether a data set's name is meant as a path: it has a separator, an ending, or is there."""
    path = Path(name)
    return path.exists() or path.suffix != "" or len(path.parts) > 1


def read(path: str | Path, label: str | None = None) -> Samples:
    """Read the samples of a file or a folder.

    Parameters
    ----------
    path : path
    label : str, optional
        Of a table: the column of the labels, by default the last one.

    Raises
    ------
    InputError
        It is not there, of no known kind, or not well formed; the message names the file.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"data set {path}: no such file or folder")
    readers = {".npz": _npz, ".arff": _arff, **dict.fromkeys(SPARSE, _sparse)}
    readers |= dict.fromkeys(TABLES, _table)
    named = path.suffix.lower() in (*TABLES, ".arff")
    if label is not None and not named:
        raise InputError(f"--label must be for a table (.csv, .tsv, .arff), not for {path}")
    try:
        if path.is_dir():
            return _folder(path)
        if path.suffix.lower() not in readers:
            raise InputError(
                f"data set {path}: must be a folder or a file that ends in "
                f"{', '.join(readers)}, not {path.suffix or 'without an ending'!r}"
            )
        reader = readers[path.suffix.lower()]
        return reader(path, label) if named else reader(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"data set {path}: cannot be read: {reason}") from None


def _npz(path: Path) -> Samples:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise InputError(
            f"data set {path}: not a sound .npz file with arrays of numbers and text alone"
        ) from None
    return _arrays(path, arrays)


def _folder(path: Path) -> Samples:
    arrays = sorted(path.glob("*.npy"))
    if arrays:
        try:
            loaded = {file.stem: np.load(file, allow_pickle=False) for file in arrays}
        except (ValueError, EOFError):
            raise InputError(
                f"data set {path}: not sound .npy files of numbers and text alone"
            ) from None
        return _arrays(path, loaded)
    if files := idx.present(path):
        parts = {key: idx.read(file, 3 if key[0] == "x" else 1) for key, file in files.items()}
        return Samples(parts["x_train"], parts["y_train"], parts["x_test"], parts["y_test"])
    if all((path / name).is_file() for name in CIFAR_FILES):
        batches = [_cifar(path / name) for name in CIFAR_FILES]
        x, y = (np.concatenate([batch[part] for batch in batches[:-1]]) for part in (0, 1))
        return Samples(x, y, *batches[-1])
    if batches := _batches(path):
        return _gas(batches)
    raise InputError(
        f"data set {path}: a folder must hold x.npy and y.npy, the IDX files "
        f"{', '.join(idx.FILES.values())}, {CIFAR_FILES[0]} to {CIFAR_FILES[-1]}, or batch1.dat "
        "and following"
    )


def _arrays(path: Path, arrays: dict[str, np.ndarray]) -> Samples:
    known = ("x", "y", "x_test", "y_test")
    if missing := [name for name in known[:2] if name not in arrays]:
        found = ", ".join(sorted(arrays)) or "none"
        raise InputError(f"data set {path}: must hold the array {missing[0]}, not only {found}")
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise InputError(f"data set {path}: must hold both x_test and y_test, or neither")
    return Samples(*(arrays.get(name) for name in known))


def _cifar(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (records, 32, 32, 3) and labels; a record is the label, then three planes."""
    raw = np.fromfile(path, np.uint8)
    if not raw.size or raw.size % CIFAR_RECORD:
        raise InputError(
            f"{path}: must hold records of {CIFAR_RECORD} bytes, not {raw.size} bytes in all"
        )
    records = raw.reshape(-1, CIFAR_RECORD)
    return records[:, 1:].reshape(-1, *CIFAR_SHAPE).transpose(0, 2, 3, 1), records[:, 0]


def _batches(path: Path) -> dict[int, Path]:
    """Return the files ``batchN.dat`` by N, in order."""
    found = {re.fullmatch(r"batch(\d+)\.dat(\.gz)?", file.name): file for file in path.iterdir()}
    return dict(sorted((int(match[1]), file) for match, file in found.items() if match))


def _gas(files: dict[int, Path]) -> Samples:
    """Lines ``gas;concentration 1:value ... 128:value``; the concentration is left out."""
    x, y, parts, samples = [], [], [], 0
    for number, path in files.items():
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = idx.unzip(path, raw)
        lines = re.sub(rb"^(\d+);[^ ]*", rb"\1", raw, flags=re.MULTILINE)
        part_x, part_y = _libsvm(path, io.BytesIO(lines))
        parts.append((f"batch {number}", samples))
        samples += len(part_y)
        x.append(part_x)
        y.append(part_y)
    if len({part.shape[1] for part in x}) > 1:
        raise InputError(f"data set {path.parent}: all batches must have as many features")
    return Samples(np.concatenate(x), np.concatenate(y), parts=tuple(parts))


def _table(path: Path, label: str | None) -> Samples:
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = [row for row in csv.reader(file, delimiter=TABLES[path.suffix.lower()]) if row]
        except csv.Error as error:
            raise InputError(f"data set {path}: not a sound table ({error})") from None
    if not rows:
        raise InputError(f"data set {path}: must begin with a header, not be empty")
    header, *rows = ([cell.strip() for cell in row] for row in rows)
    if sum(map(_is_number, header)) >= max(len(header) - 1, 1):  # the label may be text
        raise InputError(
            f"data set {path}: the first line must name the columns, not hold the numbers "
            f"{', '.join(header[:3])}{', ...' if len(header) > 3 else ''}"
        )
    column = _column(path, header, label)
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InputError(
                f"data set {path}: line {number} must have {len(header)} columns like the header, "
                f"not {len(row)}"
            )
        for name, cell in zip(header, row, strict=True):
            rule = "a label" if name == header[column] else "a number"
            if not cell or (rule == "a number" and not _is_number(cell)):
                raise InputError(
                    f"data set {path}: line {number}, column {name!r} must hold {rule}, "
                    f"not {repr(cell) if cell else 'a missing value'}"
                )
    cells = np.array(rows, dtype=str).reshape(len(rows), len(header))
    x = np.delete(cells, column, axis=1).astype(np.float64)
    features = tuple(name for place, name in enumerate(header) if place != column)
    return Samples(x, cells[:, column], features=features)


def _arff(path: Path, label: str | None) -> Samples:
    from scipy.io import arff  # comes with scikit-learn

    try:
        records, attributes = arff.loadarff(path)
    except (arff.ArffError, ValueError, StopIteration, NotImplementedError) as error:
        raise InputError(f"data set {path}: not a sound ARFF file ({error})") from None
    names = attributes.names()
    column = _column(path, names, label)
    features = tuple(name for place, name in enumerate(names) if place != column)
    for name in features:
        if attributes[name][0] != "numeric":
            raise InputError(
                f"data set {path}: attribute {name!r} must be numeric, not {attributes[name][0]}"
            )
    x = np.column_stack([records[name].astype(np.float64) for name in features])
    y = records[names[column]]
    return Samples(x, np.char.decode(y) if y.dtype.kind == "S" else y, features=features)


def _sparse(path: Path) -> Samples:
    return Samples(*_libsvm(path, path.open("rb")))


def _libsvm(path: Path, file: BinaryIO) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_svmlight_file

    with file:
        try:
            x, y = load_svmlight_file(file)
        except (ValueError, OverflowError) as error:
            raise InputError(f"data set {path}: not lines of libsvm ({error})") from None
    check_features(f"data set {path}", x.shape[1])  # before it is filled up with zeros
    return x.toarray(), y


def _column(path: Path, names: list[str], label: str | None) -> int:
    """Return where the label stands."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"data set {path}: each column must have its own name, not {repeated[0]!r}"
        )
    if len(names) < 2:
        raise InputError(f"data set {path}: must have a feature beside the label, not {names}")
    if label is None:
        return len(names) - 1
    if label not in names:
        raise InputError(f"--label must be a column of {path} ({', '.join(names)}), not {label!r}")
    return names.index(label)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
