"""The runs behind the studies of this package: pure functions of their keys.

A key is ``{"kind", "dataset": {"name", "sha256"}, "seed", "decoder", "code", "samples", "held",
"test", "learner", ...}``; ``samples`` are those of an epoch, ``held`` those held back, ``test``
whether the test set is looked at. A **learner** is
``{"rule": "core", "config": {...}}`` (bit-true) or ``{"rule": "backprop", "sizes", "step", "halve",
"normalised"}`` (float, `hebbware.golden.twin.backprop`) or ``{"rule": "maps", "config": {...},
"hidden", "step"}`` (float, `hebbware.golden.reference.maps`, whose rule is ``hidden``). Each result
has a ``score``, measured on what the test set has no part in, by which steps are chosen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.data import sets as data
from hebbware.golden.data.dataset import order, permutation
from hebbware.golden.data.sets import Dataset
from hebbware.golden.learn import train
from hebbware.golden.reference.maps import MapLearner
from hebbware.golden.twin.backprop import CompiledBackprop
from hebbware.study import run, version


@lru_cache
def code_version() -> str:
    """Return the version of the code that a result depends on."""
    return version.code_version(__name__)


def execute(key: dict, data_dir: str | None = None) -> dict:
    """Return the content of the result of a run; raises as `hebbware.study.run.execute`."""
    return run.execute(key, data_dir, _compute, code_version)


def _compute(key: dict, dataset: Dataset) -> dict[str, Any]:
    seen = run.select(dataset, key["samples"], key["held"], key["seed"], True)
    part = data.split_validation(seen, key["held"], key["seed"]) if key["held"] else seen
    return {"result": KINDS[key["kind"]](key, part, seen)}


class Follower(train.CoreLearner):
    """A bit-true core whose `learn` returns the classes found before each sample was learned."""

    def learn(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Learn bytes (samples, inputs) one after another."""
        return self.core.learn_many(train.inputs(self.core.config, x), labels)[0]


def learner(key: dict):
    """Return the learner of a key, not yet trained."""
    about = key["learner"]
    if "config" in about:
        config = CoreConfig.from_dict({**about["config"], "seed": key["seed"]})
        if about["rule"] == "core":
            return Follower(config)
        steps = [about["step"]] * len(config.layer)
        return MapLearner(config, about["hidden"], steps=steps, seed=key["seed"])
    options = {name: about[name] for name in ("halve", "normalised")}
    return CompiledBackprop(about["sizes"], about["step"], seed=key["seed"], **options)


def epochs(key: dict, part: Dataset, seen: Dataset) -> dict[str, Any]:
    """Pass the samples a number of times; measured at the end.

    Key
    ---
    epochs : int

    Returns
    -------
    dict
        ``validation``, ``test`` (shares), ``score`` (that on the samples held back).
    """
    made = learner(key)
    for epoch in range(key["epochs"]):
        made.begin(epoch)
        rows = order(key["seed"], epoch, len(part.y_train))
        made.learn(part.x_train[rows], part.y_train[rows])
    validation = _share(made, part.x_test, part.y_test)
    test = _share(made, seen.x_test, seen.y_test) if key["test"] else None
    return {"validation": validation, "test": test, "score": validation}


def permuted(key: dict, part: Dataset, seen: Dataset) -> dict[str, Any]:
    """Learn the same images in a row of worlds; in each the inputs stand in another order.

    Every sample is predicted before it is learned. Where ``stopped``, the hidden layers stop after
    the first world and the readout alone learns, with that step.

    Key
    ---
    worlds, each : int
        Worlds, and the samples of each.
    stopped : number, optional
        Step of the readout (shift of a core, size in floating point).

    Returns
    -------
    dict
        ``worlds``: the share found right while learning, of each world; ``ends``: of the last half
        of each; ``score``: mean of ``worlds`` over the last half of them.
    """
    made = learner(key)
    made.begin(0)
    shares, ends = [], []
    images = len(part.y_train)
    for world in range(key["worlds"]):
        seed = key["seed"] * 1_000_003 + world
        places = permutation(part.inputs, seed) if world else np.arange(part.inputs)
        rows = permutation(images, seed + 500_009)[: key["each"]]
        right = made.learn(part.x_train[rows][:, places], part.y_train[rows]) == part.y_train[rows]
        shares.append(float(right.mean()))
        ends.append(float(right[len(right) // 2 :].mean()))
        if world == 0 and key.get("stopped") is not None:
            made.stop_hidden(key["stopped"], clear=False)
    return {"worlds": shares, "ends": ends, "score": float(np.mean(shares[len(shares) // 2 :]))}


def unseen(key: dict, part: Dataset, seen: Dataset) -> dict[str, Any]:
    """Learn the first classes alone, then all of them; what becomes of the new and of the old ones.

    Key
    ---
    first : int
        Classes that come at the beginning.
    marks : list of int
        Samples after the change at which it is measured.
    stopped : number, optional
        Hidden layers stop at the change; step of the readout from then on.

    Returns
    -------
    dict
        By the mark: ``test`` on all classes, ``new`` and ``old`` on those; ``before``: of the old
        ones at the change; ``score``: of all classes at the last mark, on the samples held back.
    """
    made = learner(key)
    made.begin(0)
    rows = order(key["seed"], 0, len(part.y_train))
    old = rows[part.y_train[rows] < key["first"]]
    made.learn(part.x_train[old], part.y_train[old])
    of_old, of_new = seen.y_test < key["first"], seen.y_test >= key["first"]

    def measure(rows: np.ndarray) -> float:
        return _share(made, seen.x_test[rows], seen.y_test[rows])

    found: dict[str, Any] = {"before": measure(of_old), "test": [], "new": [], "old": []}
    if key.get("stopped") is not None:
        made.stop_hidden(key["stopped"], clear=False)
    rows, learned = order(key["seed"], 1, len(part.y_train)), 0
    for mark in key["marks"]:
        next_ones = rows[learned:mark]
        made.learn(part.x_train[next_ones], part.y_train[next_ones])
        learned = mark
        found["test"].append(_share(made, seen.x_test, seen.y_test))
        found["new"].append(measure(of_new))
        found["old"].append(measure(of_old))
    return {**found, "score": _share(made, part.x_test, part.y_test)}


def _share(made, x: np.ndarray, y: np.ndarray) -> float:
    return float((made.classify(x) == y).mean())


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


KINDS = {"epochs": epochs, "permuted": permuted, "unseen": unseen}
