"""Others' learners on a stream: each predicts, then learns, and takes what the core takes."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from hebbware.cli import main
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import Notice
from hebbware.golden.learn.prequential import events, follow
from hebbware.golden.reference.baselines import Learner
from hebbware.study import baselines

CONFIG = CoreConfig.of((3, 6, 4, 2), lanes=2, memory__horizon=4, layer__rate=(3, 3, 3), seed=5)
RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (90, 3)).astype(np.uint8)
X, Y = BYTES / 256, (BYTES[:, 0] > BYTES[:, 1]).astype(int)
RIVER = ("Hoeffding adaptive tree (river)", "adaptive random forest (river)")


def made(name):
    return baselines.learners(CONFIG)[name]()


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("SGDClassifier (scikit-learn)", SGDClassifier(random_state=5)),
        ("MLPClassifier (scikit-learn)", MLPClassifier((6, 4), random_state=5)),
    ],
)
@pytest.mark.parametrize("delay", [0, 4])
def test_classifiers_of_scikit_learn(name, own, delay):
    """By a loop written out: late labels are learned after the prediction of the sample at hand."""
    own, right, known = type(own)(**own.get_params()), [], {"classes": [0, 1]}
    for t, (row, label) in enumerate(zip(X, Y, strict=True)):
        right.append((0 if known else own.predict([row])[0]) == label)
        if t >= delay:
            own.partial_fit([X[t - delay]], [Y[t - delay]], **known)
            known = {}
    assert follow(made(name), X, Y, events(0, len(X), delay=delay)).tolist() == right
    assert 0 < np.mean(right) < 1


@pytest.mark.parametrize("name", RIVER)
def test_trees_of_river(name):
    pytest.importorskip("river", reason="needs river: pip install 'hebbware[river]'")
    from river import forest, tree

    own = {
        RIVER[0]: lambda: tree.HoeffdingAdaptiveTreeClassifier(seed=5),
        RIVER[1]: lambda: forest.ARFClassifier(seed=5),
    }[name]()
    right = []
    for row, label in zip(X, Y, strict=True):
        features = {n: float(value) for n, value in enumerate(row)}
        right.append((own.predict_one(features) or 0) == label)
        own.learn_one(features, int(label))
    assert follow(made(name), X, Y, events(0, len(X))).tolist() == right
    assert 0 < np.mean(right) < 1


def test_back_propagation_is_that_of_the_reference():
    learner = Learner("backprop", CONFIG.sizes, steps=(0.03,) * 3, halve=0, seed=5)
    right = []
    for row, label in zip(BYTES, Y, strict=True):
        right.append(learner.classify(row[None])[0] == label)
        learner.learn(row[None], np.array([label]))
    assert follow(made("back-propagation, step 0.03"), X, Y, events(0, 90)).tolist() == right
    assert 0 < np.mean(right) < 1


def test_without_river_its_trees_are_left_out(monkeypatch):
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    with pytest.warns(
        Notice, match=r"^river is not installed, its trees are left out: pip install"
    ):
        names = list(baselines.learners(CONFIG))
    assert len(names) == 6
    assert not set(RIVER) & set(names)


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [",".join(map(str, [*row, y])) for row, y in zip(BYTES, Y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,class", *lines]))
    (tmp_path / "t.toml").write_text(CONFIG.to_toml())
    named = ["--config", "t.toml", "--dataset", "t.csv", "--encoding", "bytes", "--engine", "plain"]
    return ["train", *named, "--baselines"]


def rows_of(arguments):
    assert main.main([*arguments, "--json", "r.json"]) == 0
    return json.loads(Path("r.json").read_text())["prequential"]


def test_one_command_for_all(table, capsys):
    pytest.importorskip("river", reason="needs river: pip install 'hebbware[river]'")
    rows = rows_of([*table, "--stream", "in-order", "--figure", "f.svg"])
    assert {*baselines.learners(CONFIG), "codes", "frozen", "class of the last label"} <= set(rows)
    for name in ("MLPClassifier (scikit-learn)", "back-propagation, step 0.1"):
        right = follow(made(name), X, Y, events(0, 90))
        assert rows[name]["accuracy"] == right.mean() == rows[name]["mean_of_parts"]
    printed = capsys.readouterr().out
    assert all(name in printed for name in rows)
    figure = Path("f.svg").read_text()
    assert figure.count("<!-- back-propagation") == 1  # the best step
    assert figure.count("river") == 2


def test_labels_that_do_not_come_are_not_learned(table):
    rows = rows_of([*table, "--stream", "in-order", "--labelled", "0"])
    for name in ("SGDClassifier (scikit-learn)", "MLPClassifier (scikit-learn)"):
        assert rows[name]["accuracy"] == (Y == 0).mean()
    right = follow(made("back-propagation, step 0.1"), X, Y, events(0, 90, labelled=0))
    assert rows["back-propagation, step 0.1"]["accuracy"] == right.mean()


def test_baselines_are_for_streams(table, capsys):
    assert main.main(table) == 2
    assert "--baselines cannot be given with --stream stationary" in capsys.readouterr().err
    assert main.main([*table, "--seeds", "2"]) == 2
    assert "--baselines cannot be given with --seeds" in capsys.readouterr().err
