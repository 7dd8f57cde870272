"""Data sets: what is in them, that they repeat, and every way their files can be bad."""

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from hebbware.golden.data import idx
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError

MNIST = Path(os.environ.get("HEBBWARE_DATA", "nowhere")) / "mnist"


def encoded(array: np.ndarray) -> bytes:
    """Write the IDX format from its specification."""
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 256, (7, 3, 2)),
        "train-labels-idx1-ubyte": np.array([0, 9, 2, 3, 4, 5, 6]),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (4, 3, 2)),
        "t10k-labels-idx1-ubyte": np.array([1, 2, 3, 4]),
    }


@pytest.fixture
def folder(tmp_path, arrays):
    """A folder of four sound files."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, array in arrays.items():
        (folder / name).write_bytes(encoded(array))
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No variable, an empty cache, and mirrors that are folders here: nothing leaves the machine.

    Returns the folder that stands for the mirror which works.
    """
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    monkeypatch.delenv("HEBBWARE_DATA", raising=False)
    monkeypatch.delenv("HEBBWARE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, published in idx.PUBLISHED.items():
        mirrors = (f"file://{tmp_path}/gone/", f"file://{mirror}/")
        monkeypatch.setitem(idx.PUBLISHED, name, idx.Published(mirrors, published.sha256))
    return mirror


def publish(monkeypatch, mirror, arrays):
    """Put gzipped files on the mirror and make their checksums the published ones."""
    sha256 = {}
    for key, name in idx.FILES.items():
        raw = gzip.compress(encoded(arrays[name]))
        (mirror / f"{name}.gz").write_bytes(raw)
        sha256[key] = hashlib.sha256(raw).hexdigest()
    mirrors = idx.PUBLISHED["mnist"].mirrors
    monkeypatch.setitem(idx.PUBLISHED, "mnist", idx.Published(mirrors, sha256))


# -- what is in them --------------------------------------------------------------------------


def test_digits_are_scikit_learns_scaled_to_bytes():
    from sklearn.datasets import load_digits

    dataset = data.load("digits")
    assert (dataset.shape, dataset.classes, dataset.inputs) == ((8, 8), 10, 64)
    assert dataset.x_train.shape == (1297, 64)
    assert dataset.x_test.shape == (500, 64)
    assert dataset.x_train.dtype == np.uint8

    pixels, labels = load_digits(return_X_y=True)
    original = np.floor(pixels * 255 / 16 + 0.5)  # exact: sixteenths of an integer
    x = np.concatenate([dataset.x_train, dataset.x_test])
    y = np.concatenate([dataset.y_train, dataset.y_test])
    assert sorted(zip(original.tolist(), labels.tolist(), strict=True)) == sorted(
        zip(x.tolist(), y.tolist(), strict=True)
    )


def test_digits_are_split_by_class_and_mixed():
    from sklearn.datasets import load_digits

    dataset = data.load("digits")
    everything = np.bincount(np.concatenate([dataset.y_train, dataset.y_test]))
    share = np.bincount(dataset.y_test) - everything * 500 / 1797
    assert np.abs(share).max() < 1

    # the test samples come from everywhere: 500 of 1797 places, mean 898, deviation 519 / sqrt(500)
    pixels = np.floor(load_digits().data * 255 / 16 + 0.5).astype(np.uint8)
    place = {bytes(sample): index for index, sample in enumerate(pixels)}
    tested = [place[bytes(sample)] for sample in dataset.x_test]
    assert abs(np.mean(tested) - 898) < 4 * 519 / 500**0.5
    assert tested != sorted(tested)


def test_digits_do_not_depend_on_the_seed():
    a, b = data.load("digits", seed=0), data.load("digits", seed=5)
    np.testing.assert_array_equal(a.x_train, b.x_train)
    np.testing.assert_array_equal(a.y_test, b.y_test)


@pytest.mark.parametrize("name", ["xor", "linear"])
def test_points_of_the_plane(name):
    dataset = data.load(name, seed=3)
    assert dataset.x_train.shape == (1000, 2)
    assert dataset.x_test.shape == (500, 2)
    assert dataset.x_train.dtype == np.uint8
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        for (first, second), label in zip(x / 256, y, strict=True):
            rule = (first >= 0.5) ^ (second >= 0.5) if name == "xor" else second > first
            assert label == rule
    # uniform: mean 127.5, standard deviation 73.9 / sqrt(1000)
    assert np.abs(dataset.x_train.mean(0) - 127.5).max() < 4 * 73.9 / 1000**0.5


@pytest.mark.parametrize("name", ["xor", "linear"])
def test_points_repeat_with_the_seed_only(name):
    a, b, c = (data.load(name, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.x_train, b.x_train)
    assert (a.x_train != c.x_train).any()
    assert (a.x_train[:500] != a.x_test).any()


def test_margin_keeps_points_from_the_boundaries():
    x = data.load("xor", margin=0.25).x_train / 256
    assert np.abs(x - 0.5).min() == 0.25
    x = data.load("linear", margin=0.25).x_train / 256
    assert np.abs(x[:, 0] - x[:, 1]).min() == 0.25


@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not in $HEBBWARE_DATA/mnist")
def test_pooled_mnist_is_the_means_of_2x2_pixels():
    whole, pooled = data.load("mnist"), data.load("mnist-pooled")
    assert (pooled.shape, pooled.inputs, pooled.name) == ((14, 14), 196, "mnist-pooled")
    for image, small in zip(whole.x_test[:3], pooled.x_test[:3], strict=True):
        for row, column in [(3, 5), (6, 6), (13, 0), (7, 9)]:
            block = [
                int(image[28 * (2 * row + i) + 2 * column + j]) for i in (0, 1) for j in (0, 1)
            ]
            assert small[14 * row + column] == (sum(block) * 2 + 4) // 8
    np.testing.assert_array_equal(whole.y_train, pooled.y_train)


@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not in $HEBBWARE_DATA/mnist")
def test_mnist():
    dataset = data.load("mnist")
    assert (dataset.shape, dataset.classes) == ((28, 28), 10)
    assert dataset.x_train.shape == (60000, 784)
    # known of MNIST: its mean pixel, and how often each digit occurs in training and test
    assert dataset.x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert np.bincount(dataset.y_train).tolist() == [
        *(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
    ]
    assert np.bincount(dataset.y_test).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]


def test_validation_is_held_back_from_training(folder):
    dataset = data.load("mnist", folder)
    split = data.split_validation(dataset, 3, seed=2)
    assert (len(split.y_train), len(split.y_test)) == (4, 3)
    together = np.concatenate([split.x_train, split.x_test])
    assert sorted(together.tolist()) == sorted(dataset.x_train.tolist())
    label_of = dict(zip(map(bytes, dataset.x_train), dataset.y_train, strict=True))
    for x, y in zip(split.x_test, split.y_test, strict=True):
        assert label_of[bytes(x)] == y
    held = [data.split_validation(dataset, 3, seed).y_test.tolist() for seed in range(5)]
    assert len(set(map(tuple, held))) > 1


# -- where files are found --------------------------------------------------------------------


def test_files_plain_or_gzipped(folder, arrays):
    name = "train-images-idx3-ubyte"
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes(gzip.compress(encoded(arrays[name])))
    dataset = data.load("mnist", folder)
    np.testing.assert_array_equal(dataset.x_train, arrays[name].reshape(7, 6))
    np.testing.assert_array_equal(dataset.y_test, arrays["t10k-labels-idx1-ubyte"])
    assert dataset.shape == (3, 2)


def test_variable_names_the_folder_or_the_one_above(folder, elsewhere, monkeypatch):
    monkeypatch.setenv("HEBBWARE_DATA", str(folder))
    assert len(data.load("mnist").y_train) == 7
    folder.rename(folder.with_name("mnist"))
    monkeypatch.setenv("HEBBWARE_DATA", str(folder.parent))
    assert len(data.load("mnist").y_train) == 7


def test_given_folder_comes_before_the_variable(folder, elsewhere, monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_DATA", str(folder))
    with pytest.raises(InputError, match=f"looked in {tmp_path}/empty/mnist, {tmp_path}/empty: "):
        data.load("mnist", tmp_path / "empty")


def test_folder_of_another_set_is_passed_over(folder, elsewhere):
    other = folder.rename(folder.with_name("mnist"))
    with pytest.raises(InputError, match="data set fashion-mnist: looked in"):
        data.load("fashion-mnist", other)


def test_fetched_once_from_the_mirror_that_works(elsewhere, arrays, monkeypatch, tmp_path):
    publish(monkeypatch, elsewhere, arrays)
    assert len(data.load("mnist").y_train) == 7
    cache = tmp_path / "cache" / "hebbware" / "mnist"
    assert sorted(p.name for p in cache.iterdir()) == sorted(f"{n}.gz" for n in arrays)
    for file in elsewhere.iterdir():
        file.unlink()
    assert len(data.load("mnist").y_train) == 7


def test_fetched_file_with_another_checksum_is_refused(elsewhere, arrays, monkeypatch, tmp_path):
    publish(monkeypatch, elsewhere, arrays)
    bad = elsewhere / "train-labels-idx1-ubyte.gz"
    bad.write_bytes(bad.read_bytes() + b"x")
    with pytest.raises(InputError, match="train-labels.*SHA-256 must be [0-9a-f]{64}, not "):
        data.load("mnist")
    kept = [p.name for p in (tmp_path / "cache" / "hebbware" / "mnist").iterdir()]
    assert kept == ["train-images-idx3-ubyte.gz"]


def test_missing_everywhere_says_where_it_looked_and_what_to_do(elsewhere, tmp_path):
    with pytest.raises(InputError) as caught:
        data.load("fashion-mnist")
    message = str(caught.value)
    assert f"looked in {tmp_path}/cache/hebbware/fashion-mnist" in message
    assert "cannot fetch train-images-idx3-ubyte.gz" in message
    for remedy in ("--data DIR", "$HEBBWARE_DATA", "`hebbware data fashion-mnist`"):
        assert remedy in message
    assert "\n" not in message


def test_cache_that_cannot_be_written(elsewhere, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"\$HEBBWARE_CACHE must .* cannot write .*/file/mnist"):
        data.load("mnist")


# -- bad input --------------------------------------------------------------------------------


def test_one_file_missing(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"no folder holds all of .*t10k-labels-idx1-ubyte"):
        data.load("mnist", folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:-2], "7x3x2 takes 58 bytes, found 56"),
        (lambda raw: raw + b"x", "7x3x2 takes 58 bytes, found 59"),
        (lambda raw: raw[:9], "truncated: a header of 16 bytes, found 9"),
        (lambda raw: b"", "must begin with 00000803, not nothing"),
        (lambda raw: b"\0\0\x08\x01" + raw[4:], "must begin with 00000803, not 00000801"),
        (lambda raw: b"\0\0\x0d\x03" + raw[4:], "must begin with 00000803, not 00000d03"),
        (lambda raw: raw[:4] + b"\xff" * 12 + raw[16:], "takes 79228162458924105385300197391 by"),
    ],
)
def test_malformed_file(folder, change, message):
    file = folder / "train-images-idx3-ubyte"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(InputError, match=f"{file}: .*{message}"):
        data.load("mnist", folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:-12], "the gzip file is truncated"),
        (lambda raw: b"PK" + raw[2:], "not a sound gzip file"),
        (lambda raw: raw[:10] + b"\xff" * 8 + raw[18:], "not a sound gzip file"),
        (lambda raw: raw[:-8] + b"\0\0\0\0" + raw[-4:], "not a sound gzip file .*CRC"),
    ],
)
def test_corrupted_gzip(folder, change, message):
    file = folder / "t10k-labels-idx1-ubyte"
    raw = gzip.compress(file.read_bytes(), mtime=0)
    file.unlink()
    file.with_suffix(".gz").write_bytes(change(raw))
    with pytest.raises(InputError, match=message):
        data.load("mnist", folder)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        ("train-labels-idx1-ubyte", np.zeros(6), "has 7 images, but .* has 6 labels"),
        ("t10k-labels-idx1-ubyte", np.array([0, 1, 2, 10]), r"labels must lie in 0\.\.9, not 10"),
        ("t10k-images-idx3-ubyte", np.zeros((4, 2, 3)), r"must be \(3, 2\).*not \(2, 3\)"),
    ],
)
def test_files_that_do_not_agree(folder, file, array, message):
    (folder / file).write_bytes(encoded(array))
    with pytest.raises(InputError, match=message):
        data.load("mnist", folder)


def test_empty_set(folder):
    (folder / "t10k-images-idx3-ubyte").write_bytes(encoded(np.zeros((0, 3, 2))))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(encoded(np.zeros(0)))
    with pytest.raises(InputError, match="at least one image, not 0"):
        data.load("mnist", folder)


def test_arguments_out_of_range(folder):
    with pytest.raises(
        InputError,
        match="one of digits, xor, linear, mnist, .*, fashion-mnist, cifar10, gas-drift, .*or a",
    ):
        data.load("minst")
    with pytest.raises(InputError, match="seed must be 0 or more, not -1"):
        data.load("xor", seed=-1)
    for margin in (-0.1, 0.5, float("nan")):
        with pytest.raises(InputError, match=f"margin must lie in .*not {margin}"):
            data.load("xor", margin=margin)
    dataset = data.load("mnist", folder)
    for n in (0, 7):
        with pytest.raises(InputError, match=rf"validation samples must lie in 1\.\.6, not {n}"):
            data.split_validation(dataset, n)
    with pytest.raises(InputError, match="seed must be 0 or more, not -1"):
        data.split_validation(dataset, 1, seed=-1)
