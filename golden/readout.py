"""Readouts of reservoir memories: trained beforehand on random drifting signals, then frozen.

The signals know nothing of any data set. Each class has a centre that drifts in the projected space
(an Ornstein-Uhlenbeck process that forgets in ``2**horizon`` samples); a sample is its class's
centre with noise on it, and its softmax errors are those of random logits. The reservoir runs on
them in integers, as in hardware. The readout W_o is the ridge regression from its state to the
leaky sums of its input, ``T <- T - 2**-horizon T + in``, brought to whole numbers. Only the sizes
relative to each other matter: what is decoded is brought to unit scale afterwards.

Random numbers are raw output of PCG64. The regression is floating point: on another machine a
weight may come out one step different, so readouts are kept in files. A file names the
configuration that it was made for and is refused for another one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError
from .idx import cache_folder
from .reservoir import Reservoir
from .reservoir_memory import WEIGHT_BITS, decode, decode_shift, reservoir_config

if TYPE_CHECKING:
    from .config import CoreConfig

VERSION = 1
FIELDS = (  # of the configuration: what a readout depends on
    "classes",
    "projection",
    "gating",
    "horizon",
    "memory_bits",
    "reservoir_units",
    "reservoir_bits",
    "reservoir_topology",
    "reservoir_gain",
    "reservoir_seed",
    "z_bits",
    "z_fraction",
    "error_fraction",
)
STEPS = 12_000  # of the reservoir that are looked at, at least; the last quarter is held out
HORIZONS = 16  # and at least so many times as many as the memory holds
STATES = 6_000  # about so many of the states are looked at
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1)  # relative to the mean variance of a unit


@dataclass(frozen=True, eq=False)
class Readout:
    """A trained readout.

    Members
    -------
    weights : int array (classes * d, R)
        W_o, raw.
    scale : float
        Raw leaky sums of the input per raw decoded number.
    r2 : float
        On signals held out: ``1 - |T - scale M|**2 / |T - mean T|**2``.
    key : dict
        The fields of the configuration that it was made for.
    """

    weights: np.ndarray
    scale: float
    r2: float
    key: dict


def readout_key(config: CoreConfig) -> dict:
    """What a readout depends on; ``readout`` itself is the method."""
    return {name: getattr(config, name) for name in FIELDS} | {"method": "ridge"}


def key_hash(key: dict) -> str:
    """SHA-256 of a key."""
    return hashlib.sha256(json.dumps([VERSION, key], sort_keys=True).encode()).hexdigest()


# -- signals ---------------------------------------------------------------------------------------


class _Random:
    """Uniform and normal numbers from raw words, the same on every machine."""

    def __init__(self, *seeds):
        self.source = np.random.PCG64(seeds)

    def uniform(self, *shape):
        """In 0 .. 1."""
        raw = self.source.random_raw(int(np.prod(shape)))
        return ((raw >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def normal(self, *shape):
        """Sums of four uniform numbers, of variance 1."""
        return (self.uniform(4, *shape).sum(axis=0) - 2) * np.sqrt(3)


def signals(config: CoreConfig, count: int, seed: int = 0) -> np.ndarray:
    """Random drifting inputs of a reservoir (raw), shape (count, classes * d)."""
    classes, d = config.classes, config.projection
    random = _Random(config.reservoir_seed, seed)
    labels = (random.uniform(count) * classes).astype(np.int64)
    rate = 2.0**-config.horizon
    centres = random.normal(classes, d)
    q = np.empty((count, d))
    for n, label in enumerate(labels):
        centres += np.sqrt(2 * rate) * random.normal(classes, d) - rate * centres
        q[n] = centres[label]
    q = np.sqrt(0.5) * (q + random.normal(count, d))
    q = np.clip(np.round(q * config.z.one), config.z.min, config.z.max).astype(np.int64)
    if config.gating == "class":
        gate = (labels[:, None] == np.arange(classes)).astype(np.int64)
    else:
        logits = 4 * random.uniform(count, 1) * random.normal(count, classes)
        logits[np.arange(count), labels] += 6 * random.uniform(count)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(count), labels] -= 1
        gate = -np.round(p * config.e.one).astype(np.int64)
    return (gate[:, :, None] * q[:, None, :]).reshape(count, -1)


def _run(config, inputs):
    """States and leaky sums after each of `inputs`, the first few horizons left out."""
    reservoir = Reservoir(reservoir_config(config))
    kept = range(2 << config.horizon, len(inputs), max(len(inputs) // STATES, 1))
    states = np.empty((len(kept), config.reservoir_units), np.int64)
    targets = np.empty((len(kept), inputs.shape[1]))
    sums, rate = np.zeros(inputs.shape[1]), 2.0**-config.horizon
    for n, words in enumerate(inputs):
        state = reservoir.step(words)
        sums += words - rate * sums
        if n in kept:
            states[kept.index(n)] = state
            targets[kept.index(n)] = sums
    return states, targets


def train_readout(config: CoreConfig) -> Readout:
    """The readout of a configuration by ridge regression.

    The strength of the regularisation is chosen on the third quarter of the steps, R^2 is told of
    the last one.
    """
    count = max(STEPS, HORIZONS << config.horizon) + (2 << config.horizon)
    states, targets = _run(config, signals(config, count))
    half, rest = len(states) // 2, len(states) * 3 // 4
    fit, choose, held = slice(0, half), slice(half, rest), slice(rest, None)
    gram, cross = states[fit].T @ states[fit], states[fit].T @ targets[fit]
    trace = max(np.trace(gram) / len(gram), 1)

    def solve(ridge):
        return np.linalg.solve(gram + ridge * trace * np.eye(len(gram)), cross).T

    best = max(
        (solve(ridge) for ridge in RIDGES),
        key=lambda w: r_squared(targets[choose], states[choose] @ w.T),
    )
    top = (1 << (WEIGHT_BITS - 1)) - 1
    largest = np.abs(best).max() or 1.0
    weights = np.round(best * (top / largest)).astype(np.int64)
    scale = largest / top * 2.0 ** decode_shift(config)
    decoded = np.stack([decode(config, weights, r).ravel() for r in states[rest:]])
    return Readout(
        weights, float(scale), r_squared(targets[held], scale * decoded), readout_key(config)
    )


def r_squared(wanted: np.ndarray, found: np.ndarray) -> float:
    """Share of the variance of `wanted` that `found` explains."""
    return float(1 - ((wanted - found) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


# -- files -----------------------------------------------------------------------------------------


def save_readout(path: str | Path, readout: Readout):
    """Write a readout, whole or not at all: an ``.npz`` without pickled objects.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        weights=readout.weights.astype(np.int16),
        scale=np.array(readout.scale),
        r2=np.array(readout.r2),
        key=np.array(json.dumps(readout.key)),
        hash=np.array(key_hash(readout.key)),
    )
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            beside.write_bytes(buffer.getvalue())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write readout {path}: {error.strerror}") from None


def load_readout(path: str | Path, config: CoreConfig) -> Readout:
    """Read a readout that was made for `config`.

    Raises
    ------
    InputError
        The file cannot be read, is damaged, or was made for another configuration.
    """
    try:
        raw = io.BytesIO(Path(path).read_bytes())
        with np.load(raw, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        key = json.loads(str(arrays["key"]))
        found, weights = str(arrays["hash"]), arrays["weights"]
        scale, r2 = float(arrays["scale"]), float(arrays["r2"])
    except OSError as error:
        raise InputError(f"cannot read readout {path}: {error.strerror or error}") from None
    except (Exception, zlib.error):
        raise InputError(f"readout {path} is no readout file, or a damaged one") from None
    wanted = readout_key(config)
    if not isinstance(key, dict) or found != key_hash(key):
        raise InputError(f"readout {path} is no readout file of this version")
    for name, value in wanted.items():
        if key.get(name) != value:
            raise InputError(
                f"readout {path} was made for {name} = {key.get(name)!r}, "
                f"but the configuration has {value!r}"
            )
    shape, top = (config.classes * config.projection, config.reservoir_units), 1 << WEIGHT_BITS - 1
    if weights.shape != shape or weights.dtype.kind != "i" or np.abs(weights).max() >= top:
        raise InputError(f"readout {path} must hold weights of shape {shape} below {top}")
    return Readout(weights.astype(np.int64), scale, r2, key)


@lru_cache(maxsize=8)
def ridge_readout(config: CoreConfig) -> Readout:
    """The readout of ``readout = "ridge"``: from the cache, or trained and put there."""
    path = cache_folder("readouts") / f"{key_hash(readout_key(config))[:32]}.npz"
    try:
        return load_readout(path, config)
    except InputError:
        pass  # none yet, or one that cannot be used: it is made anew
    readout = train_readout(config)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_readout(path, readout)
    except (InputError, OSError):
        pass  # no place to keep it: the next process makes it again
    return readout


def readout_of(config: CoreConfig) -> Readout:
    """The readout that `config` names: trained, or from its file."""
    if config.readout.endswith(".npz"):
        return load_readout(config.readout, config)
    return ridge_readout(config)


def readout_weights(config: CoreConfig) -> np.ndarray:
    """W_o of a configuration, raw, shape (classes * d, R); the controls' too.

    ``shuffled``: the trained weights, each at a random other place. ``zero``: none.
    """
    if config.readout == "zero":
        return np.zeros((config.classes * config.projection, config.reservoir_units), np.int64)
    weights = readout_of(config).weights
    if config.readout == "shuffled":
        words = np.random.PCG64([config.reservoir_seed, 1]).random_raw(weights.size)
        weights = weights.ravel()[np.argsort(words, kind="stable")].reshape(weights.shape)
    return weights
