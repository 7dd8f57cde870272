"""Cross-validation of the estimator beside scikit-learn's multi-layer perceptron.

Folds are stratified and drawn anew for each seed, which seeds both learners too. The perceptron has
the same hidden layers, its other parameters as scikit-learn has them but for the number of
iterations, and standardised features; the estimator gets the features as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from hebbware.golden.data import sample_files
from hebbware.golden.errors import InputError, one_of

BUNDLED = ("iris", "wine", "breast-cancer", "digits")
"""Data sets that scikit-learn brings along, as raw features."""

ITERATIONS = 1000  # of the perceptron at most, so that it ends of its own
LEARNERS = ("HebbianClassifier", "MLPClassifier")


def samples(name: str, label: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return features (samples, features) and labels of a data set as they are.

    Parameters
    ----------
    name : str
        One of `BUNDLED`, or a file or folder (`hebbware.golden.data.sample_files`); its test set is
        put to the others.
    label : str, optional
        Of a table: the column of the labels.

    Raises
    ------
    InputError
    """
    if name in BUNDLED:
        from sklearn import datasets

        return getattr(datasets, f"load_{name.replace('-', '_')}")(return_X_y=True)
    if not sample_files.is_path(name):
        raise one_of("data set", name, BUNDLED, ", or a file or folder")
    found = sample_files.read(name, label)
    x, y = np.asarray(found.x), np.asarray(found.y)
    if found.x_test is not None:
        x, y = np.concatenate([x, found.x_test]), np.concatenate([y, found.y_test])
    return x.reshape(len(x), -1), y


def compare(
    x: np.ndarray,
    y: np.ndarray,
    *,
    folds: int,
    seeds: range,
    parameters: Mapping[str, Any] | None = None,
    progress: Callable[[], None] | None = None,
) -> dict[str, list[list[float]]]:
    """Return accuracies (seeds, folds) of each of `LEARNERS`, 0 .. 1.

    Parameters
    ----------
    x : array (samples, features)
    y : array (samples,)
    folds : int
        At least 2.
    seeds : range
    parameters : dict, optional
        Of `hebbware.golden.HebbianClassifier`, in the place of its defaults.
    progress : callable, optional
        Called after each learner and fold.

    Raises
    ------
    InputError
        A class with fewer samples than folds, parameters or data that the estimator refuses.
    """
    from sklearn.model_selection import StratifiedKFold

    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < folds:
        raise InputError(
            f"folds must be at most {counts.min()}, the samples of class "
            f"{classes[counts.argmin()]}, not {folds}"
        )
    found = {name: [] for name in LEARNERS}
    for seed in seeds:
        split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y)
        rows = {name: [] for name in LEARNERS}
        for train, test in split:
            for name, learner in _learners(parameters or {}, seed):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of the perceptron that it has not converged
                    learner.fit(x[train], y[train])
                rows[name].append(float(learner.score(x[test], y[test])))
                if progress:
                    progress()
        for name in LEARNERS:
            found[name].append(rows[name])
    return found


def _learners(parameters: Mapping[str, Any], seed: int) -> Iterator[tuple[str, Any]]:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from hebbware.golden import HebbianClassifier

    own = HebbianClassifier(random_state=seed).set_params(**parameters)
    yield LEARNERS[0], own
    other = MLPClassifier(tuple(own.hidden_layers), max_iter=ITERATIONS, random_state=seed)
    yield LEARNERS[1], make_pipeline(StandardScaler(), other)
