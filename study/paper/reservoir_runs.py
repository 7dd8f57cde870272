"""Runs of reservoirs as working memory: what they were to put out, and what they put out."""

from __future__ import annotations

from typing import Any

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data.sets import Dataset
from hebbware.golden.learn.fidelity import record
from hebbware.golden.learn.train import CoreLearner, copy_state, inputs, order
from hebbware.golden.reference.baselines import BASELINES, centred
from hebbware.golden.reference.hsic import hsic_modulator
from hebbware.golden.reference.network import Network
from hebbware.golden.reference.reservoir import Reservoir
from hebbware.golden.reference.windowed import HsicRule

SHOWN = 120  # steps at the end, of which the traces are kept
TRACES = 3
COMPARED = 300  # samples of which the reservoirs of the core are told


def paper_reservoir(key: dict, dataset: Dataset) -> dict[str, Any]:
    """Teach the paper's reservoir the modulator of a network that learns, one step a sample.

    The network learns by the paper's rule itself; its last hidden layer's modulator, brought to
    unit variance, is the target. The decoder learns by the delta rule for three quarters of the
    steps, then stays as it is: R^2 is given for both parts.

    Key
    ---
    units : int
    samples : int
        Steps of the reservoir.
    window : int
    form : str
    layers : list of int
    rate : float
        eta of the decoder, times the number of units.
    """
    targets, drive = _signals(key, dataset)
    rng = np.random.default_rng([key["seed"], 3])
    units, inputs, outputs = key["units"], drive.shape[1], targets.shape[1]
    reservoir = Reservoir(
        rng.normal(0, units**-0.5, (units, units)),
        rng.normal(0, inputs**-0.5, (inputs, units)),
        np.zeros((outputs, units)),
        learning_rate=key["rate"] / units,
    )
    learned = len(drive) * 3 // 4
    found = np.concatenate(
        [
            reservoir.run(drive[:learned], targets[:learned]).z,
            reservoir.run(drive[learned:]).z,
        ]
    )
    return {
        "r2_learning": r2(targets[learned // 2 : learned], found[learned // 2 : learned]),
        "r2_held_out": r2(targets[learned:], found[learned:]),
        "target": targets[-SHOWN:, :TRACES].T.tolist(),
        "output": found[-SHOWN:, :TRACES].T.tolist(),
    }


def own_reservoir(key: dict, dataset: Dataset) -> dict[str, Any]:
    """Learn with reservoirs as memory, bit-true; then compare the last one with the exact memory.

    The decoder was trained beforehand on random signals and never saw the data set.

    Key
    ---
    config : dict
        Every field that the configuration reads but the seed.
    samples : int
        Learned before anything is compared.
    """
    config = CoreConfig.from_dict({**key["config"], "seed": key["seed"]})
    rows = order(config.seed, 0, len(dataset.y_train))
    learner = CoreLearner(config)
    first, rest = rows[: key["samples"]], rows[key["samples"] :]
    learner.learn(dataset.x_train[first], dataset.y_train[first])
    core = copy_state(learner.core, Core(config))
    x, labels = inputs(config, dataset.x_train[rest]), dataset.y_train[rest]
    found = record(core, x, labels, COMPARED)[-1]
    size = found.exact_xi.std() or 1.0
    return {
        "r2_memory": r2(found.exact_memory, found.memory),
        "r2_held_out": r2(found.exact_xi, found.xi),
        "target": (found.exact_xi[-SHOWN:, :TRACES].T / size).tolist(),
        "output": (found.xi[-SHOWN:, :TRACES].T / size).tolist(),
    }


def r2(wanted: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the variance of `wanted` that `found` explains."""
    return float(1 - ((wanted - found) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


def _signals(key: dict, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Modulators, of unit variance in all; and (x, y, z), which the reservoir takes."""
    seed, samples = key["seed"], key["samples"]
    rows = order(seed, 0, len(dataset.y_train))[:samples]
    x, y = centred(dataset.x_train[rows]), np.eye(dataset.classes)[dataset.y_train[rows]]
    baseline = BASELINES[f"hsic-{key['form']}"]
    network = Network(key["layers"], seed)
    rule = HsicRule(key["window"], 2.0, (0.5, 0.1, 1.0), key["form"])
    first, further, readout = baseline.steps
    steps = [first, *[further] * (len(key["layers"]) - 3), readout]
    targets, activations = [], []
    for sample in range(samples):
        row = slice(sample, sample + 1)
        network.learn(rule, x[row], y[row], steps)
        past_x, past_y, *past_z = (np.stack(column) for column in zip(*rule.window, strict=True))
        activations.append(past_z[-1][-1])
        if len(past_x) > 1:
            xi = hsic_modulator(past_x, past_y, past_z[-1], 2.0, (0.5, 0.1, 1.0), key["form"])
        else:
            xi = np.zeros(len(past_z[-1][-1]))
        targets.append(xi)
    targets = np.array(targets)
    return targets / targets.std(), np.concatenate([x, y, np.array(activations)], axis=1)
