"""``hebbware folds``: what is compared, on which folds, and what is refused."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hebbware.cli import main
from hebbware.golden import HebbianClassifier
from hebbware.study import folds

FEW = {"epochs": 5, "hidden_layers": [6, 5], "lanes": 4}


def run(*arguments):
    return main.main(["folds", *map(str, arguments)])


def test_accuracies_are_those_of_scikit_learns_own_loop(monkeypatch):
    monkeypatch.setattr(folds, "ITERATIONS", 40)
    x, y = load_iris(return_X_y=True)
    found = folds.compare(x, y, folds=3, seeds=range(4, 6), parameters=FEW)
    assert set(found) == set(folds.LEARNERS)
    for row, seed in enumerate((4, 5)):
        split = StratifiedKFold(3, shuffle=True, random_state=seed)
        own = HebbianClassifier(random_state=seed, **FEW)
        assert found["HebbianClassifier"][row] == cross_val_score(own, x, y, cv=split).tolist()
        other = MLPClassifier((6, 5), max_iter=40, random_state=seed)
        other = make_pipeline(StandardScaler(), other)
        assert found["MLPClassifier"][row] == cross_val_score(other, x, y, cv=split).tolist()


def test_table_and_json(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(folds, "ITERATIONS", 20)
    rng, path = np.random.default_rng(0), tmp_path / "mine.npz"
    y = np.repeat(["no", "yes"], 20)
    x = rng.normal(0, 1, (40, 3)) + 9 * (y == "yes")[:, None]
    np.savez(path, x=x[::2], y=y[::2], x_test=x[1::2], y_test=y[1::2])
    options = ("--dataset", path, "--folds", 4, "--seeds", 2, "--seed", 7, "--set", "epochs=30")
    options += ("--set", "hidden_layers=[4]", "--set", "input_range=quantiles")
    assert run(*options, "--json", tmp_path / "out.json") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["seeds"] == [7, 8]
    result = found["datasets"][str(path)]
    facts = {key: result[key] for key in ("samples", "features", "classes")}
    assert facts == {"samples": 40, "features": 3, "classes": 2}
    own = np.array(result["accuracy"]["HebbianClassifier"])
    assert own.shape == (2, 4)
    assert own.mean() > 0.95
    out = capsys.readouterr().out
    assert "accuracy in %, 4 folds, seeds 7..8" in out
    means = 100 * own.mean(axis=1)
    assert f"{means.mean():.2f} ± {means.std(ddof=1):.2f}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "irises"], "data set must be one of iris, wine, .* did you mean iris"),
        (["--dataset", "none.csv"], "none.csv: no such file"),
        (["--dataset", "iris", "--label", "a"], "--label must be for tables of your own alone"),
        (["--dataset", "iris", "--folds", "51"], "folds must be at most 50, .* class 0, not 51"),
        (["--dataset", "iris", "--set", "epoch=3"], "Invalid parameter 'epoch'.*epochs"),
        (["--dataset", "iris", "--set", "epochs=0"], "epochs must be a whole number in 1..1000"),
        (["--dataset", "iris", "--set", "epochs"], "--set must be FIELD=VALUE"),
    ],
)
def test_bad_input(arguments, message, capsys):
    import re

    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(message, err)
