"""CIFAR-10's binary version: where files are looked for, how records become images."""

import os
from pathlib import Path

import numpy as np
import pytest

from hebbware.golden.config import load as load_config
from hebbware.golden.data import cifar, sets
from hebbware.golden.errors import InputError
from hebbware.golden.learn.train import check_fit


def write(folder, records=3, label=None):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    written = {}
    for name in (*cifar.TRAIN, cifar.TEST):
        rows = rng.integers(0, 256, (records, 3073), dtype=np.uint8)
        rows[:, 0] = rng.integers(0, 10, records) if label is None else label
        rows.tofile(folder / name)
        written[name] = rows
    return written


@pytest.mark.parametrize("inside", ["cifar10", "cifar-10-batches-bin", "."])
def test_images_are_rows_columns_and_channels(tmp_path, inside, monkeypatch):
    written = write(tmp_path / inside)
    dataset = sets.load("cifar10", tmp_path)
    monkeypatch.setenv("HEBBWARE_DATA", str(tmp_path))
    assert (sets.load("cifar10").x_test == dataset.x_test).all()
    assert (dataset.shape, dataset.inputs, dataset.classes) == ((32, 32, 3), 3072, 10)
    assert (len(dataset.y_train), len(dataset.y_test)) == (15, 3)
    row = written["data_batch_2.bin"][1]
    image = dataset.x_train[4].reshape(32, 32, 3)
    for channel in range(3):
        for y, x in ((0, 0), (5, 7), (31, 2)):
            assert image[y, x, channel] == row[1 + channel * 1024 + y * 32 + x]
    assert dataset.y_train[4] == row[0]
    assert dataset.labels[3] == "cat"
    check_fit(load_config("cifar10"), dataset)
    with pytest.raises(InputError, match=r"cifar10 has images of 32x32x3, .* \[8, 8, 1\]"):
        check_fit(load_config("digits-conv"), dataset)


def test_files_that_are_not_as_they_should_be(tmp_path, monkeypatch):
    monkeypatch.delenv("HEBBWARE_DATA", raising=False)
    with pytest.raises(InputError, match=r"^data set cifar10: no folder holds data_batch_1\.bin"):
        sets.load("cifar10", tmp_path)
    with pytest.raises(InputError, match=r"^data set cifar10: no folder holds"):
        sets.load("cifar10")
    write(tmp_path, label=10)
    with pytest.raises(InputError, match=r"data_batch_1\.bin: labels must lie in 0\.\.9, not 10"):
        sets.load("cifar10", tmp_path)
    write(tmp_path)
    for wrong in (b"", b"\0" * 3074):
        (tmp_path / cifar.TEST).write_bytes(wrong)
        with pytest.raises(InputError, match=rf"whole records of 3073 bytes, not {len(wrong)} byt"):
            sets.load("cifar10", tmp_path)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(InputError, match=r"data_batch_4\.bin: No such file"):
        sets.load("cifar10", tmp_path)


def test_the_real_one():
    folder = os.environ.get("HEBBWARE_DATA")
    if not folder or not any(
        (Path(folder) / name / cifar.TEST).is_file() for name in cifar.FOLDERS
    ):
        pytest.skip("CIFAR-10 is not in $HEBBWARE_DATA: data_batch_1.bin and following")
    dataset = sets.load("cifar10")
    assert (len(dataset.y_train), len(dataset.y_test)) == (50000, 10000)
    assert np.bincount(dataset.y_test).tolist() == [1000] * 10
