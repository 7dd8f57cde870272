"""Streams in their own order: what is predicted and learned when, against a loop written out."""

import json

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from hebbware.cli import main
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.data.sets import Dataset
from hebbware.golden.data.streams import parse
from hebbware.golden.errors import InputError
from hebbware.golden.learn.prequential import (
    Frozen,
    Last,
    Linear,
    Majority,
    events,
    follow,
    sliding,
)

RNG = np.random.default_rng(0)
CONFIG = CoreConfig.of((3, 4, 2), lanes=2, memory__horizon=4, layer__rate=(3, 3))
X = RNG.integers(0, 256, (60, 3))
Y = (X[:, 0] > X[:, 1]).astype(int)


class Book:
    """Notes what it is given."""

    def __init__(self):
        self.notes = []

    def learn_many(self, x, labels):
        self.notes += [
            ("learn", int(row[0]), int(label)) for row, label in zip(x, labels, strict=True)
        ]
        return (np.zeros(len(x), int),)

    def infer_many(self, x):
        self.notes += [("infer", int(row[0])) for row in x]
        return (np.zeros(len(x), int),)


@pytest.mark.parametrize("delay", [0, 1, 5])
@pytest.mark.parametrize("labelled", [1.0, 0.3, 0.0])
def test_what_comes_is_what_a_loop_gives(delay, labelled):
    samples, first = 40, 7
    x, y = np.arange(samples)[:, None], RNG.integers(0, 3, samples)
    coming = events(first, samples, labelled, delay, seed=3)
    known = np.zeros(samples, bool)
    known[coming.rows[coming.learned]] = True
    wanted = []
    for t in range(first, samples):
        if delay == 0:
            wanted.append(("learn", t, y[t]) if known[t] else ("infer", t))
            continue
        wanted.append(("infer", t))
        if t - delay >= first and known[t - delay]:
            wanted.append(("learn", t - delay, y[t - delay]))
    book = Book()
    right = follow(book, x, y, coming)
    assert book.notes == wanted
    assert right.tolist() == (y[first:] == 0).tolist()
    if labelled == 1:
        assert known.sum() == samples - first - delay
    if labelled == 0:
        assert not known.any()


def test_share_of_labels():
    coming = events(0, 20_000, 0.05, seed=1)
    assert coming.learned.mean() == pytest.approx(0.05, abs=0.005)
    assert np.array_equal(coming.learned, events(0, 20_000, 0.05, seed=1).learned)
    assert not np.array_equal(coming.learned, events(0, 20_000, 0.05, seed=2).learned)


def test_each_sample_is_predicted_before_it_is_learned():
    """Against the core, sample by sample."""
    core, wanted = Core(CONFIG), []
    for row, label in zip(X, Y, strict=True):
        wanted.append(core.infer(row)[0] == label)
        core.learn(row, int(label))
    assert follow(Core(CONFIG), X, Y, events(0, 60)).tolist() == wanted


def test_sliding():
    right = RNG.random(50) < 0.5
    for window in (1, 7, 100):
        wanted = [right[max(0, n - window + 1) : n + 1].mean() for n in range(50)]
        assert sliding(right, window) == pytest.approx(wanted)


def test_linear_is_that_of_scikit_learn():
    """Two classes: softmax with a zero start moves both rows, the logistic one their difference."""
    own = Linear(3, 2, 256, 0.05)
    other = SGDClassifier(
        loss="log_loss", penalty=None, learning_rate="constant", eta0=0.1, shuffle=False
    )
    x = X / 256
    for row, label in zip(x, Y, strict=True):
        other.partial_fit([row], [label], classes=[0, 1])
    own.learn_many(X, Y)
    assert own.weights[:-1, 1] - own.weights[:-1, 0] == pytest.approx(other.coef_[0])
    assert own.weights[-1, 1] - own.weights[-1, 0] == pytest.approx(other.intercept_[0])


def test_simple_baselines():
    labels = np.array([1, 1, 2, 2, 2, 0])
    assert Last().learn_many(labels, labels)[0].tolist() == [0, 1, 1, 2, 2, 2]
    majority = Majority(3)
    assert majority.learn_many(labels, labels)[0].tolist() == [0, 1, 1, 1, 1, 2]
    assert majority.infer_many(labels)[0].tolist() == [2] * 6


def test_a_frozen_learner_takes_no_notice():
    core = Core(CONFIG)
    follow(Frozen(core), X, Y, events(0, 60))
    assert core.learned == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 1.5), "labelled must lie in 0..1, not 1.5"),
        ((0, 5, 1.0, -1), "delay must be 0 or more, not -1"),
        ((2, 5, 1.0, 3), "delay must be less than the 3 samples predicted, not 3"),
        ((5, 5), "a stream must leave samples to predict: of 5, not from 5 on"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        events(*arguments)


def test_parts_keep_their_order():
    made = Dataset.from_arrays(
        X, Y, fitted=20, parts=(("a", 0), ("b", 20), ("c", 45)), name="made", encoding="bytes"
    )
    rows = parse("parts").sequence(made, 3)
    for start, end in ((0, 20), (20, 45), (45, 60)):
        assert sorted(rows[start:end]) == list(range(start, end))
        assert (rows[start:end] != np.arange(start, end)).any()
    assert parse("in-order").sequence(made, 3).tolist() == list(range(60))
    with pytest.raises(InputError, match="must have parts; give in-order"):
        parse("parts").sequence(Dataset.from_arrays(X, Y, name="made", encoding="bytes"), 0)


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [",".join(map(str, [*row, "up" if y else "down"])) for row, y in zip(X, Y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,class", *lines]))
    (tmp_path / "t.toml").write_text(CONFIG.to_toml())
    return ["train", "--config", "t.toml", "--dataset", "t.csv", "--stream", "in-order"]


def test_the_command(table, tmp_path, capsys):
    arguments = [*table, "--engine", "plain", "--warm", "20", "--epochs", "2", "--controls"]
    assert main.main([*arguments, "--figure", "f.svg", "--json", "r.json"]) == 0
    found = json.loads((tmp_path / "r.json").read_text())
    rows = found["prequential"]
    assert {"gated memory", "stopped after the start", "codes", "frozen"} <= set(rows)
    assert all(0 <= row["accuracy"] <= 1 for row in rows.values())
    assert rows["gated memory"]["curve"]["samples"][-1] == 59
    assert "<svg" in (tmp_path / "f.svg").read_text()
    assert "40 predicted, then learned" in capsys.readouterr().out


def test_the_encoding_knows_only_what_is_learned_beforehand(table, tmp_path):
    """A later value beyond the range is clipped; it does not change the bytes of the others."""
    before = data.load("t.csv", fitted=20).x_train
    text = (tmp_path / "t.csv").read_text()
    (tmp_path / "t.csv").write_text(f"{text}\n100000,0,0,up")
    after = data.load("t.csv", fitted=20)
    assert np.array_equal(after.x_train[:-1], before)
    assert after.x_train[-1, 0] == 255
    assert len(after.y_test) == 0
    assert data.load("t.csv", fitted=61).x_train[:-1, 0].max() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--warm", "60"], "--warm must lie in 0..59, the samples of t.csv, not 60"),
        (["--validation", "5"], "--validation cannot be given with --stream in-order"),
        (["--stream", "stationary", "--delay", "2"], "--delay cannot be given with --stream stat"),
        (["--stream", "parts"], "stream parts: t.csv must have parts"),
    ],
)
def test_bad_input(table, capsys, options, message):
    assert main.main([*table, *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
