"""Files of one's own: what is read is what was written, and every way in which they can be bad."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file, load_iris

from hebbware.golden.data import sample_files
from hebbware.golden.data import sets as data
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError

DATA = Path(os.environ.get("HEBBWARE_DATA", "nowhere"))
IRIS = load_iris()
NAMES = [name.replace(" (cm)", "") for name in IRIS.feature_names]
SPECIES = IRIS.target_names[IRIS.target]


def table(path, rows, delimiter=","):
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return str(path)


@pytest.fixture
def iris(tmp_path):
    """The 150 flowers as a table, the label in the last column."""
    rows = [[*x, y] for x, y in zip(IRIS.data.tolist(), SPECIES.tolist(), strict=True)]
    return table(tmp_path / "iris.csv", [[*NAMES, "species"], *rows])


def test_a_table(iris):
    found = data.load(iris)
    assert (found.name, found.shape, found.classes) == (iris, (4,), 3)
    assert found.labels == ("setosa", "versicolor", "virginica")
    assert found.features == tuple(NAMES)
    assert len(found.y_train) + len(found.y_test) == 150
    assert np.bincount(found.y_test).tolist() == [12, 12, 12]  # a quarter of each class
    assert found.x_train.min(axis=0).tolist() == [0] * 4
    assert found.x_train.max(axis=0).tolist() == [255] * 4
    again = data.load(iris)
    assert np.array_equal(found.x_test, again.x_test)


def test_samples_keep_their_order(tmp_path):
    rows = [[n, n * 2, n % 3] for n in range(90)]
    found = data.load(table(tmp_path / "t.tsv", [["a", "b", "class"], *rows], "\t"))
    first = found.x_train[:, 0].astype(int)
    assert (np.diff(first) >= 0).all()


def test_the_label_may_stand_anywhere(tmp_path, iris):
    rows = [[y, *x] for x, y in zip(IRIS.data.tolist(), SPECIES.tolist(), strict=True)]
    other = table(tmp_path / "first.csv", [["species", *NAMES], *rows])
    found, wanted = data.load(other, label="species"), data.load(iris)
    assert np.array_equal(found.x_train, wanted.x_train)
    assert np.array_equal(found.y_train, wanted.y_train)


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffa,b\r\n1,x\r\n\r\n2,y\r\n".encode())
    found = sample_files.read(path)
    assert found.features == ("a",)
    assert found.y.tolist() == ["x", "y"]


def test_arrays(tmp_path):
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 256, (20, 4, 5, 3), dtype=np.uint8), np.arange(20) % 4
    np.savez(tmp_path / "a.npz", x=x[:15], y=y[:15], x_test=x[15:], y_test=y[15:])
    found = data.load(str(tmp_path / "a.npz"))
    assert found.shape == (4, 5, 3)
    assert np.array_equal(found.x_test, x[15:].reshape(5, -1))  # bytes stay as they are
    assert found.y_train.tolist() == y[:15].tolist()
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, array in (("x", x[:15]), ("y", y[:15]), ("x_test", x[15:]), ("y_test", y[15:])):
        np.save(folder / f"{name}.npy", array)
    other = data.load(str(folder))
    assert np.array_equal(other.x_train, found.x_train)
    assert other.shape == found.shape


def test_sequences_are_flattened(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 7, 2)).astype(np.float32)
    np.savez(tmp_path / "s.npz", x=x, y=np.arange(12) % 2)
    assert data.load(str(tmp_path / "s.npz")).inputs == 14


def test_libsvm_lines_are_those_of_scikit_learn(tmp_path, iris):
    path = tmp_path / "iris.libsvm"
    dump_svmlight_file(IRIS.data, IRIS.target, str(path), zero_based=False)
    found, wanted = data.load(str(path)), data.load(iris)
    assert np.array_equal(found.x_train, wanted.x_train)
    assert np.array_equal(found.y_test, wanted.y_test)


def test_arff(tmp_path, iris):
    lines = ["@relation iris", *(f"@attribute '{n}' numeric" for n in NAMES)]
    lines += ["@attribute species {setosa,versicolor,virginica}", "@data"]
    for x, y in zip(IRIS.data.tolist(), SPECIES.tolist(), strict=True):
        lines.append(",".join([*map(str, x), y]))
    (tmp_path / "iris.arff").write_text("\n".join(lines))
    found, wanted = data.load(str(tmp_path / "iris.arff")), data.load(iris)
    assert np.array_equal(found.x_train, wanted.x_train)
    assert found.labels == wanted.labels


def test_cifar(tmp_path):
    """A record: label, 1,024 bytes of red, of green, of blue, row by row."""
    rng = np.random.default_rng(1)
    for name in sample_files.CIFAR_FILES:
        records = rng.integers(0, 256, (6, 3073), dtype=np.uint8)
        records[:, 0] = np.arange(6) % 5
        records.tofile(tmp_path / name)
    found = data.load(str(tmp_path))
    assert found.shape == (32, 32, 3)
    assert (len(found.y_train), len(found.y_test)) == (30, 6)
    image = found.x_test[0].reshape(32, 32, 3)
    for channel in range(3):
        plane = records[0, 1 + 1024 * channel : 1 + 1024 * (channel + 1)].reshape(32, 32)
        assert np.array_equal(image[:, :, channel], plane)


def test_idx_files_of_another_set(tmp_path):
    for name, array in (
        ("train-images-idx3-ubyte", np.arange(24).reshape(6, 2, 2)),
        ("train-labels-idx1-ubyte", np.array([0, 11, 2, 0, 11, 2])),
        ("t10k-images-idx3-ubyte", np.arange(8).reshape(2, 2, 2)),
        ("t10k-labels-idx1-ubyte", np.array([11, 0])),
    ):
        header = b"\0\0\x08" + bytes([array.ndim])
        header += b"".join(int(n).to_bytes(4, "big") for n in array.shape)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(header + array.astype("u1").tobytes()))
    found = data.load(str(tmp_path))
    assert (found.shape, found.classes, found.labels) == ((2, 2), 3, ("0", "2", "11"))
    assert found.y_test.tolist() == [2, 0]


def test_gas_sensors(tmp_path):
    """Batches in order of their number, the concentration left out."""
    for number, gas in ((2, (1, 6)), (10, (6, 1)), (1, (1, 1))):
        lines = [f"{g};{10 * number}.0 1:{number}.5 2:{g}.25 3:-1 \r" for g in gas]
        raw = "\n".join(lines).encode()
        path = tmp_path / f"batch{number}.dat"
        if number == 2:
            path, raw = tmp_path / "batch2.dat.gz", gzip.compress(raw)
        path.write_bytes(raw)
    found = sample_files.read(tmp_path)
    assert found.x.tolist() == [
        [n + 0.5, g + 0.25, -1]
        for n, g in zip((1, 1, 2, 2, 10, 10), (1, 1, 1, 6, 6, 1), strict=True)
    ]
    assert found.y.tolist() == [1, 1, 1, 6, 6, 1]
    assert found.parts == (("batch 1", 0), ("batch 2", 2), ("batch 10", 4))
    assert data.load("gas-drift", tmp_path, fitted=2).parts == found.parts
    (tmp_path / "batch10.dat").write_text("1;10 1:0.5\nnonsense")
    with pytest.raises(InputError, match="batch10.dat: not lines of libsvm"):
        sample_files.read(tmp_path)


@pytest.mark.skipif(not (DATA / "gas-drift").is_dir(), reason="no gas-drift in $HEBBWARE_DATA")
def test_the_real_gas_sensors():
    found = data.load("gas-drift", DATA, encoding="standard", fitted=445)
    assert found.x_train.shape == (6697, 128)
    assert found.labels == ("1", "2", "3", "4", "5", "6")
    assert found.parts[1] == ("batch 2", 445)


BAD_TABLES = {
    "a number is missing": (
        "a,b,c\n1,,x\n2,3,y",
        "line 2, column 'b' must hold a number, not a mis",
    ),
    "text for a number": (
        "a,b,c\n1,2,x\n2,red,y",
        "line 3, column 'b' must hold a number, not 'red'",
    ),
    "too few columns": ("a,b,c\n1,2", "line 2 must have 3 columns like the header, not 2"),
    "no header": ("1,2,3\n4,5,6", "the first line must name the columns, not hold the numbers"),
    "empty": ("", "must begin with a header, not be empty"),
    "one class": ("a,c\n1,x\n2,x", "y must hold at least 2 classes, not only x"),
    "no sample": ("a,c\n", "must have shape"),
    "one column": ("c\nx\ny", "must have a feature beside the label"),
    "a name twice": ("a,a,c\n1,2,x", "each column must have its own name, not 'a'"),
    "not a number": ("a,c\n1,x\nnan,y", "x must be finite, not nan .sample 2, feature 1"),
    "infinite": ("a,c\n1,x\n-inf,y", "x must be finite, not -inf .sample 2, feature 1"),
    "no label": ("a,c\n1,x\n2,", "line 3, column 'c' must hold a label, not a missing value"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables(tmp_path, name):
    text, message = BAD_TABLES[name]
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        data.load(str(path))
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


BAD_ARRAYS = {
    "no y": ({"x": np.zeros((3, 2))}, "must hold the array y, not only x"),
    "half a test set": ({"x_test": np.zeros((3, 2))}, "both x_test and y_test, or neither"),
    "lengths": ({"y": np.arange(4)}, "y must have 6 labels, one for each x, not 4"),
    "a vector": ({"x": np.arange(6.0)}, "x must have shape .samples, features."),
    "text": ({"x": np.full((6, 2), "a")}, "x must be numbers, not <U1"),
    "labels of fractions": ({"y": np.arange(6) / 2}, "whole numbers or text, not 0.5 .sample 2"),
    "unseen label": (
        {"x_test": np.zeros((2, 2)), "y_test": np.array([0, 7])},
        "y_test must hold labels of y only, not 7",
    ),
    "other shape": (
        {"x_test": np.zeros((2, 3)), "y_test": np.array([0, 1])},
        r"x_test must have samples of shape \(2,\) like x, not \(3,\)",
    ),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays(tmp_path, name):
    arrays, message = BAD_ARRAYS[name]
    good = {"x": np.arange(12.0).reshape(6, 2), "y": np.arange(6) % 2}
    if name == "no y":
        good = {}
    np.savez(tmp_path / "a.npz", **good | arrays)
    with pytest.raises(InputError, match=message):
        data.load(str(tmp_path / "a.npz"))


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}], object), y=np.arange(1))
    with pytest.raises(InputError, match="not a sound .npz file"):
        data.load(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("index", "message"),
    [(99999999, "x must have at most 4096 features, not 99999999"), (10**20, "not lines of lib")],
)
def test_a_feature_of_an_absurd_number(tmp_path, index, message):
    """Nothing of that size is allocated."""
    (tmp_path / "a.libsvm").write_text(f"1 {index}:2\n0 1:1\n")
    with pytest.raises(InputError, match=message):
        data.load(str(tmp_path / "a.libsvm"))


def test_a_table_without_a_header(tmp_path):
    (tmp_path / "a.csv").write_text("0.5,1.5,oak\n0.25,2,elm\n")
    with pytest.raises(InputError, match="the first line must name the columns"):
        data.load(str(tmp_path / "a.csv"))


def test_more_classes_or_features_than_a_core_has(tmp_path):
    with pytest.raises(InputError, match="y must hold at most 64 classes, not 65"):
        data.Dataset.from_arrays(np.ones((65, 2)), np.arange(65))
    with pytest.raises(InputError, match="x must have at most 4096 features, not 4097"):
        data.Dataset.from_arrays(np.ones((4, 4097)), np.arange(4) % 2)


@pytest.mark.parametrize("suffix", [".npz", ".arff", ".libsvm", ".csv"])
def test_garbage(tmp_path, suffix):
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(bytes(range(256)) * 7)
    with pytest.raises(InputError, match="garbage"):
        data.load(str(path))


def test_what_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        data.load(str(tmp_path / "missing.csv"))
    with pytest.raises(InputError, match="a folder must hold x.npy and y.npy"):
        data.load(str(tmp_path))
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(InputError, match="must be a folder or a file that ends in .*not '.xlsx'"):
        data.load(str(tmp_path / "a.xlsx"))


def test_options_for_the_wrong_kind(iris):
    with pytest.raises(InputError, match="--label must be a column of .*not 'colour'"):
        data.load(iris, label="colour")
    with pytest.raises(InputError, match="--label must be for a file of your own, not for digits"):
        data.load("digits", label="colour")
    with pytest.raises(InputError, match="encoding must be one of"):
        data.load(iris, encoding="cubes")
    with pytest.raises(InputError, match="encoding bytes: x must be whole numbers in 0..255"):
        data.load(iris, encoding="bytes")


def test_a_plug_in(monkeypatch):
    made = Dataset.from_arrays(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, name="sensor")

    class Point:
        name, value = "sensor", "package:sensor"

        def load(self):
            return lambda: made

    monkeypatch.setattr(data, "entry_points", lambda group: [Point()])
    assert data.load("sensor") is made
    made = 5
    with pytest.raises(InputError, match="package:sensor must return a Dataset, not int"):
        data.load("sensor")
