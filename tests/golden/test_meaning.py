"""What inputs and classes stand for: kept with checkpoints, and held against other data."""

import dataclasses

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.data import sets
from hebbware.golden.data.encoding import Encoding
from hebbware.golden.data.meaning import Meaning
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.learn import checkpoint, train

RNG = np.random.default_rng(1)
Y = np.repeat(["ham", "eggs", "spam"], 20)
X = RNG.normal(0, 1, (60, 4)) * [1, 10, 0, 1000] + (Y == "ham")[:, None]
NAMES = ("a", "b", "c", "d")


def made(x=X, y=Y, **options):
    return Dataset.from_arrays(x, y, **{"name": "mine", "features": NAMES, **options})


def trained(tmp_path, dataset):
    path = tmp_path / "run.npz"
    config = CoreConfig.of((4, 5, 3), lanes=4)
    train.train(
        config, dataset, 1, engine="plain", after_epoch=lambda state: checkpoint.save(path, state)
    )
    return path


@pytest.mark.parametrize("kind", ["range", "quantiles", "standard"])
def test_checkpoint_keeps_what_makes_the_same_bytes(tmp_path, kind):
    dataset = made(encoding=kind)
    kept = checkpoint.load(trained(tmp_path, dataset)).meaning
    assert (kept.features, kept.labels) == (NAMES, ("eggs", "ham", "spam"))
    later = RNG.normal(0, 1, (9, 4)) * [2, 20, 1, 2000]
    np.testing.assert_array_equal(kept.encoding(later), dataset.encoding(later))
    np.testing.assert_array_equal(kept.encoding.low, dataset.encoding.low)  # to the last bit
    # other samples of the same source: its numbers, not their own range
    again = made(X[::2] * 0.5, Y[::2], encoding=kept.encoding, labels=kept.labels)
    rows = np.concatenate([again.x_train, again.x_test])
    expected = kept.encoding(X[::2] * 0.5)
    assert sorted(map(bytes, rows)) == sorted(map(bytes, expected))
    assert made(X[::2] * 0.5, Y[::2], encoding=kind).encoding.differs(kept.encoding, 4) == 0


def test_data_that_came_as_bytes_have_none(tmp_path):
    kept = checkpoint.load(
        trained(tmp_path, dataclasses.replace(made(), encoding=None, features=(), labels=()))
    ).meaning
    assert (kept.encoding, kept.features, kept.labels) == (None, (), ())
    kept.check(made(encoding="bytes", x=np.abs(np.rint(X / 20)).astype(np.uint8)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": "quantiles"}, "encoding must be range, as the network learned it, not quant"),
        ({"x": X * [1, 2, 1, 1]}, r"encoding of feature 2 \(b\) must be -.* to .*, as .*, not -"),
        ({"features": ("a", "b", "d", "c")}, "feature 3 must be c, as the network .*, not d"),
        ({"y": np.where(Y == "ham", "jam", Y)}, "class 2 must be ham, as .* learned it, not jam"),
    ],
)
def test_resumed_run_refuses_what_stands_for_something_else(tmp_path, change, message):
    state = checkpoint.load(trained(tmp_path, made()))
    with pytest.raises(InputError, match=f"^data set mine: {message}") as caught:
        train.train(state.core.config, made(**change), 2, engine="plain", state=state)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": np.array("power")}, "encoding must be one of bytes, range"),
        ({"encoding_low": None}, "lacks 'encoding_low'"),
        ({"encoding_low": np.zeros(3)}, "encoding_low must hold .* 4 inputs, not float64 of .3"),
        ({"encoding_high": np.full(4, np.nan)}, "encoding_high must hold a finite number"),
        ({"encoding_high": np.full(4, -1e9)}, "encoding_high must be encoding_low or more"),
        ({"features": np.array(["a"])}, "features must hold 4 names, not <U1 of .1"),
        ({"labels": np.arange(3)}, "labels must hold 3 names, not int64"),
    ],
)
def test_checkpoint_with_another_meaning_is_refused(tmp_path, change, message):
    path = trained(tmp_path, made())
    with np.load(path) as archive:
        arrays = {k: v for k, v in (dict(archive) | change).items() if v is not None}
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=f"is no checkpoint of this program: {message}"):
        checkpoint.load(path)


# -- classes that are known ------------------------------------------------------------------------


def test_classes_keep_their_numbers_where_some_are_missing():
    labels = ("eggs", "ham", "spam")
    few = made(X[20:], Y[20:], labels=labels)  # no ham
    assert few.classes == 3
    assert set(few.y_train) == {0, 2}
    numbers = made(X, np.repeat([10, 9, 2], 20), labels=("2", "9", "10"), fitted=60)
    assert numbers.y_train.tolist() == np.repeat([2, 1, 0], 20).tolist()


def test_label_that_no_class_has():
    with pytest.raises(InputError, match=r"y must hold .* only \(eggs, ham\), not spam .sample 41"):
        made(labels=("eggs", "ham"))
    message = r"data set mine: y_test must .* not jam \(sample 1\)"
    with pytest.raises(InputError, match=message):
        made(x_test=X[:1], y_test=["jam"], labels=("eggs", "ham", "spam"))


def test_other_number_of_features_than_the_encoding_has():
    encoding = Encoding.fit("range", X[:, :3])
    with pytest.raises(InputError, match="x must have 3 features, as its encoding has, not 4"):
        made(encoding=encoding)


def test_named_data_set_that_came_otherwise():
    meaning = Meaning(Encoding.fit("range", np.zeros((2, 64)) + [[0], [16]]))
    with pytest.raises(InputError, match="data set digits: encoding must be range.* not bytes"):
        sets.load("digits", meaning=meaning)


def test_shares_that_clip():
    dataset = made(X, Y, x_test=X[:4] * [1, 1, 1, 9], y_test=Y[:4])
    low, high = X.min(axis=0), X.max(axis=0)
    beyond = (X[:4] * [1, 1, 1, 9] < low) | (X[:4] * [1, 1, 1, 9] > high)
    np.testing.assert_array_equal(dataset.clipped, beyond.mean(axis=0))
    assert dataset.clipped[3] > 0
    stream = made(fitted=30)
    outside = (X[30:] < X[:30].min(axis=0)) | (X[30:] > X[:30].max(axis=0))
    np.testing.assert_array_equal(stream.clipped, outside.mean(axis=0))
