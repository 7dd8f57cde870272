"""One run of a study: a pure function of its key (see `hebbware.study.store`).

Two runs of the same key give the same bytes, in whatever process and order. What must agree with
the key around a run, the code and the data set, is checked first; a worker where it does not is no
place for that key, and the sweep stops. Everything that goes wrong afterwards belongs to the run
and is its result: ``failed``, with the error.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.data import sets as data
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.learn import controls, train
from hebbware.golden.neurons.kinds import Static
from hebbware.golden.reference.class_memory import ClassMemoryRule
from hebbware.golden.reference.network import Frozen, Network
from hebbware.golden.reservoir.decoder import decoder_hash
from hebbware.study import version
from hebbware.study.cost import cost

CONTROLS = ("frozen", "codes", "linear", "float")


@lru_cache
def code_version() -> str:
    """Return the version of the code that a result depends on."""
    return version.code_version(__name__)


@lru_cache(maxsize=4)
def load(name: str, data_dir: str | None, seed: int) -> tuple[Dataset, str]:
    """Return a data set and the SHA-256 of all its samples and labels; loaded once per process."""
    dataset = data.load(name, data_dir, seed)
    digest = hashlib.sha256()
    for part in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
        digest.update(f"{part.shape}".encode())
        digest.update(np.ascontiguousarray(part, np.uint8).tobytes())
    return dataset, digest.hexdigest()


def data_seed(name: str, seed: int) -> int:
    """Return the seed of a data set: that of the run where points are drawn, 0 for fixed sets."""
    return seed if name in ("xor", "linear") else 0


def select(dataset: Dataset, samples: int, held: int, seed: int, test: bool) -> Dataset:
    """Return the part of a data set that a run may see.

    Of the whole set `held` samples are held back as `hebbware.golden.learn.train` does it, and of
    the rest the first `samples` are kept, arranged so that a split of the result gives just these
    two parts: fewer samples are measured on the same held-back ones. Without `test` there is no
    test sample in the result but one of training.
    """
    whole = _split(len(dataset.y_train), held, seed)
    part = _split(samples + held, held, seed)
    rows = np.empty(samples + held, np.int64)
    rows[part[0]] = whole[0]
    rows[part[1]] = whole[1][:samples]
    seen = replace(dataset, x_train=dataset.x_train[rows], y_train=dataset.y_train[rows])
    return seen if test else replace(seen, x_test=seen.x_train[:1], y_test=seen.y_train[:1])


def _split(samples: int, held: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows held back and the others, by the split of `hebbware.golden.data.sets`."""
    rows = np.arange(samples)
    return data.split_rows(samples, held, seed) if held else (rows[:0], rows)


def execute(
    key: dict,
    data_dir: str | None = None,
    compute: Callable[[dict, Dataset], dict] | None = None,
    code: Callable[[], str] = code_version,
) -> dict:
    """Return the content of the result of a run.

    Parameters
    ----------
    key : dict
    data_dir : path, optional
    compute : function, optional
        Returns ``result`` and ``cost`` of a key, for runs of another kind than a sweep's.
    code : function
        Returns the version of the code that it depends on.

    Raises
    ------
    InputError
        This process has another version of the code or other samples than the key names.
    """
    if code() != key["code"]:
        raise InputError(
            f"a worker has code version {code()}, the sweep {key['code']}; "
            "install the same version on all machines"
        )
    name = key["dataset"]["name"]
    dataset, checksum = load(name, data_dir, data_seed(name, key["seed"]))
    if checksum != key["dataset"]["sha256"]:
        raise InputError(f"a worker's data set {name} has other samples than the sweep's")
    wanted = key.get("decoder")
    if wanted is not None and decoder_hash(CoreConfig.from_dict(key["config"])) != wanted:
        raise InputError(
            "a worker's decoder of the reservoirs has other weights than the sweep's; give all "
            'machines one file: hebbware decoder --out FILE.npz, readout = "FILE.npz"'
        )
    content: dict[str, Any] = {"key": key, "status": "done", "error": None}
    try:
        with _one_thread():
            content.update((compute or _run)(key, dataset))
    except Exception as error:  # whatever it is, it is what this run gives
        message = " ".join(f"{type(error).__name__}: {error}".split())
        content.update(status="failed", error=message, result=None, cost=None)
    return content


def _one_thread():
    """Keep NumPy's matrix products to one thread: their sums depend on the number of threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _run(key: dict, dataset: Dataset) -> dict:
    config = CoreConfig.from_dict({**key["config"], "seed": key["seed"]})
    epochs, held, test = key["epochs"], key["validation"], key["test"]
    seen = select(dataset, key["train_samples"], held, key["seed"], test)
    if key["control"] == "linear":
        control = controls.linear(key["seed"], seen, epochs, held)
        learning, validation, final = [None] * epochs, control.validation, control.test
    elif key["control"] == "float":
        learning, (validation, final) = [None] * epochs, train_float(config, seen, epochs, held)
    else:
        trained = train.train(config, seen, epochs, validation=held)
        learning, validation, final = trained.state.train, trained.state.validation, trained.test
    result = {
        "train": learning,
        "validation": [None if math.isnan(v) else v for v in validation],
        "test": final if test else None,
    }
    if key["control"] in ("linear", "float"):
        return {"result": result, "cost": None}
    return {"result": result, "cost": cost(config, nonzero_inputs(config, dataset))}


def nonzero_inputs(config: CoreConfig, dataset: Dataset) -> int:
    """Return the mean number of inputs other than zero of all training samples, rounded."""
    inputs = train.inputs(config, dataset.x_train)
    return round(float(np.count_nonzero(inputs != config.x_zero)) / len(inputs))


def train_float(
    config: CoreConfig, dataset: Dataset, epochs: int, held: int
) -> tuple[list[float], float]:
    """Train the float reference of a configuration: same rule, sizes, memory, steps and schedule.

    Returns
    -------
    validation : list of float
        Accuracy after each epoch on the samples held back, NaN where none are.
    test : float
    """
    config = train.spread_halvings(config, epochs)
    part = data.split_validation(dataset, held, config.seed) if held else dataset
    network = Network(config.sizes, config.seed)
    rule = float_rule(config)
    targets = np.eye(config.classes)[part.y_train]
    steps = 2.0 ** -np.array(config.rates, float)
    accuracies = []
    for epoch in range(epochs):
        for sample in train.order(config.seed, epoch, len(targets)):
            row = slice(sample, sample + 1)
            scaled = steps / 2 ** config.extra(epoch)
            network.learn(rule, part.x_train[row] / 256, targets[row], scaled)
        accuracies.append(_accuracy(network, part) if held else math.nan)
    return accuracies, _accuracy(network, dataset)


def float_rule(config: CoreConfig):
    """Return the rule of the control ``float``.

    Raises
    ------
    InputError
        There is none for such neurons, or such a memory.
    """
    options = {
        "gated": {"horizon": config.memory.horizon},
        "trace": {"horizon": config.memory.horizon, "kappa": config.memory.kappa},
        "window": {"samples": config.memory.window, "kappa": config.memory.kappa},
        "codes": {},
    }
    if config.neuron != Static() or config.input.centred:
        raise InputError(
            "control float has static neurons without a slope below 0 and inputs from 0 on; "
            "hebbware train --seeds N --reference has the others"
        )
    if config.memory.kind == "none":
        return Frozen()
    if config.modulator.family == "class-memory" != config.modulator.kind:
        raise InputError(
            f"control float has no rule for the {config.modulator.kind} modulator; "
            "leave it out of controls"
        )
    if config.memory.kind not in options:
        raise InputError(
            f"control float has no rule for the {config.memory.kind} memory; "
            "leave it out of controls"
        )
    return ClassMemoryRule(
        config.memory.kind,
        config.hidden,
        config.classes,
        seed=config.seed,
        beta=2.0**config.modulator.beta_log2,
        **options[config.memory.kind],
    )


def _accuracy(network: Network, dataset: Dataset) -> float:
    return float((network.classify(dataset.x_test / 256) == dataset.y_test).mean())
