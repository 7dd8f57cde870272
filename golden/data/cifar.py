"""CIFAR-10 in its binary version: six files of records, a label and three planes of 32x32 bytes.

Learning Multiple Layers of Features from Tiny Images, A. Krizhevsky, 2009. Images become rows,
columns and channels, as convolutions read them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hebbware.golden.data import at_hand
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError

NAME = "cifar10"
SHAPE = (32, 32, 3)
LABELS = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRAIN = tuple(f"data_batch_{n}.bin" for n in range(1, 6))
TEST = "test_batch.bin"
FOLDERS = (NAME, "cifar-10-batches-bin", ".")  # within the folder that is given
RECORD = 1 + SHAPE[0] * SHAPE[1] * SHAPE[2]


def load(data_dir: str | Path | None = None) -> Dataset:
    """Load the six files from a folder, or from ``$HEBBWARE_DATA``.

    Raises
    ------
    InputError
        They are nowhere, or malformed.
    """
    found = folder(data_dir)
    train, test = [read(found / name) for name in TRAIN], read(found / TEST)
    x, y = (np.concatenate(part) for part in zip(*train, strict=True))
    return Dataset(NAME, SHAPE, len(LABELS), x, y, *test, labels=LABELS)


def folder(data_dir: str | Path | None = None) -> Path:
    """Return the folder of the files.

    Raises
    ------
    InputError
        There is none; says how to get it.
    """
    return at_hand.folder(
        NAME,
        data_dir,
        FOLDERS,
        lambda place: (place / TEST).is_file(),
        f"{TRAIN[0]} and following, and {TEST}",
        "the binary version of CIFAR-10, unpack it",
    )


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images u8 (samples, 3072), row by row, column by column, channel by channel; labels i64.

    Raises
    ------
    InputError
        The file cannot be read, or does not hold whole records of labels 0..9.
    """
    try:
        raw = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if not raw.size or raw.size % RECORD:
        raise InputError(f"{path}: must hold whole records of {RECORD} bytes, not {raw.size} bytes")
    records = raw.reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(LABELS):
        raise InputError(f"{path}: labels must lie in 0..{len(LABELS) - 1}, not {labels.max()}")
    rows, columns, channels = SHAPE
    planes = records[:, 1:].reshape(-1, channels, rows, columns)
    return planes.transpose(0, 2, 3, 1).reshape(len(records), -1), labels
