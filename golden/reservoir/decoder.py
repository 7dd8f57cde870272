"""Decoders of reservoir memories: trained beforehand on random drifting signals, then frozen.

The signals know nothing of any data set. Each class has a centre that drifts in the projected space
(an Ornstein-Uhlenbeck process that forgets in ``2**horizon`` samples); a sample is its class's
centre with noise on it, and its softmax errors are those of random logits. The reservoir runs on
them in integers, as in hardware. The decoder W_o is trained to put out the leaky sums of its input,
``T <- T - 2**-horizon T + in``: by ridge regression, brought to whole numbers, or by the delta rule
of the reservoir block. Only the sizes relative to each other matter: what is decoded is brought to
unit scale afterwards.

Random numbers are raw output of PCG64. The regression is floating point: on another machine a
weight may come out one step different, so decoders are kept in files. A file names the
configuration that it was made for and is refused for another one.
"""

import hashlib
import io
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arithmetic.uniform import uniform
from ..errors import InputError, one_of
from ..system import places
from ..system.files import write_arrays
from .cell import Reservoir
from .machine import Machine
from .memory import WEIGHT_BITS, decode, decode_shift, reservoir_config, up_shift

VERSION = 1
FIELDS = (  # of the configuration: what a decoder depends on, besides the classes
    "memory.projection",
    "memory.gating",
    "memory.horizon",
    "memory.bits",
    "reservoir.units",
    "reservoir.bits",
    "reservoir.topology",
    "reservoir.gain",
    "reservoir.seed",
    "formats.z_bits",
    "formats.z_fraction",
    "formats.error_fraction",
)
STEPS = 12_000  # of the reservoir that are looked at, at least; the last quarter is held out
HORIZONS = 16  # and at least so many times as many as the memory holds
STATES = 6_000  # about so many of the states are looked at
METHODS = ("ridge", "delta")
DELTA_STEPS = (1, 3, 5)  # -log2 of the step sizes that are tried
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1)  # relative to the mean variance of a unit


@dataclass(frozen=True, eq=False)
class Decoder:
    """A trained decoder.

    Members
    -------
    weights : int array (classes * d, R)
        W_o, raw.
    scale : float
        Raw leaky sums of the input per raw decoded number.
    r2 : float
        On signals held out: ``1 - |T - scale M|**2 / |T - mean T|**2``.
    pull_r2 : float
        The same of v, the modulator in the projected space, from either memory at unit scale.
    key : dict
        The fields of the configuration that it was made for.
    """

    weights: np.ndarray
    scale: float
    r2: float
    pull_r2: float
    key: dict


def decoder_key(config) -> dict:
    """What a decoder depends on."""
    values = config.to_dict()
    return {"classes": config.classes} | {name: values[name] for name in FIELDS}


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
        return uniform(self.source, *shape)

    def normal(self, *shape):
        """Sums of four uniform numbers, of variance 1."""
        return (self.uniform(4, *shape).sum(axis=0) - 2) * np.sqrt(3)


class Signals(NamedTuple):
    """Random drifting signals: projected activations (count, d), raw, and labels (count,); the
    inputs of a reservoir that they make, raw, (count, classes * d).
    """

    q: np.ndarray
    labels: np.ndarray
    inputs: np.ndarray


def signals(config, count: int, seed: int = 0) -> Signals:
    """Make random drifting signals; see the module."""
    classes, d = config.classes, config.memory.projection
    random = _Random(config.reservoir.seed, seed)
    labels = (random.uniform(count) * classes).astype(np.int64)
    rate = 2.0**-config.memory.horizon
    centres = random.normal(classes, d)
    q = np.empty((count, d))
    for n, label in enumerate(labels):
        centres += np.sqrt(2 * rate) * random.normal(classes, d) - rate * centres
        q[n] = centres[label]
    q = np.sqrt(0.5) * (q + random.normal(count, d))
    q = np.clip(np.round(q * config.z.one), config.z.min, config.z.max).astype(np.int64)
    if config.memory.gating == "class":
        gate = (labels[:, None] == np.arange(classes)).astype(np.int64)
    else:
        logits = 4 * random.uniform(count, 1) * random.normal(count, classes)
        logits[np.arange(count), labels] += 6 * random.uniform(count)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(count), labels] -= 1
        gate = -np.round(p * config.e.one).astype(np.int64)
    return Signals(q, labels, (gate[:, :, None] * q[:, None, :]).reshape(count, -1))


class _Run(NamedTuple):
    """States (n, R) and leaky sums (n, classes * d) after some of the signals, and which."""

    states: np.ndarray
    targets: np.ndarray
    at: range


def leaky_sums(config, inputs: np.ndarray) -> np.ndarray:
    """``T <- T - 2**-horizon T + in`` after each of `inputs`."""
    sums, keep = np.empty(inputs.shape), 1 - 2.0**-config.memory.horizon
    total = np.zeros(inputs.shape[1])
    for n, words in enumerate(inputs):
        total = total * keep + words
        sums[n] = total
    return sums


def _run(config, inputs, sums) -> _Run:
    """Let a reservoir take `inputs`; the first two horizons are not looked at."""
    reservoir = Reservoir(reservoir_config(config))
    at = range(2 << config.memory.horizon, len(inputs), max(len(inputs) // STATES, 1))
    states = [reservoir.step(words) for words in inputs]
    return _Run(np.array([states[n] for n in at]), sums[list(at)], at)


def train_decoder(config, method: str = "ridge") -> Decoder:
    """The decoder of a configuration.

    ``ridge``: regression on the first half; the strength of its regularisation is chosen on the
    third quarter. ``delta``: the delta rule of the reservoir block, in integers, on the first three
    quarters, each step in turn; its step size is chosen on the end of them. R^2 is that of the last
    quarter.

    Raises
    ------
    InputError
        There is no such method.
    """
    if method not in METHODS:
        raise one_of("method", method, METHODS)
    count = max(STEPS, HORIZONS << config.memory.horizon) + (2 << config.memory.horizon)
    made = signals(config, count)
    sums = leaky_sums(config, made.inputs)
    run = _run(config, made.inputs, sums)
    weights, scale = _ridge(config, run)
    if method == "delta":
        weights, scale = _delta(config, made.inputs, sums, scale)
    held = slice(len(run.at) * 3 // 4, None)
    decoded = np.stack([decode(config, weights, r) for r in run.states[held]])
    at = np.array(run.at)[held]
    exact = run.targets[held].reshape(decoded.shape)
    pulls = [
        np.array(
            [
                pull(config, memory, made.q[n], made.labels[n])
                for n, memory in zip(at, memories, strict=True)
            ]
        )
        for memories in (exact, decoded)
    ]
    return Decoder(
        weights,
        scale,
        r_squared(exact, scale * decoded),
        r_squared(*pulls),
        decoder_key(config),
    )


def _ridge(config, run):
    """Weights and their scale by ridge regression."""
    half, rest = len(run.at) // 2, len(run.at) * 3 // 4
    fit, choose = slice(0, half), slice(half, rest)
    gram = run.states[fit].T @ run.states[fit]
    cross = run.states[fit].T @ run.targets[fit]
    size = max(np.trace(gram) / len(gram), 1)

    def solve(ridge):
        return np.linalg.solve(gram + ridge * size * np.eye(len(gram)), cross).T

    best = max(
        (solve(ridge) for ridge in RIDGES),
        key=lambda w: r_squared(run.targets[choose], run.states[choose] @ w.T),
    )
    top = (1 << (WEIGHT_BITS - 1)) - 1
    largest = np.abs(best).max() or 1.0
    weights = np.round(best * (top / largest)).astype(np.int64)
    return weights, float(largest / top * 2.0 ** decode_shift(config))


def _delta(config, inputs, sums, scale):
    """Weights by the delta rule, their targets on the scale of the regression's outputs."""
    base = reservoir_config(config)
    targets = np.clip(np.round(sums / scale), base.u.min, base.u.max).astype(np.int64)
    trained, chosen = len(inputs) * 5 // 8, range(len(inputs) * 5 // 8, len(inputs) * 3 // 4, 2)
    best = None
    for step in DELTA_STEPS:
        machine = Machine(replace(base, step=step))
        for words, target in zip(inputs[:trained], targets[:trained], strict=True):
            machine.step(words)
            machine.learn(target)
        outputs = []
        for n in range(trained, chosen.stop):
            machine.step(inputs[n])
            if n in chosen:
                outputs.append(machine.read())
        r2 = r_squared(targets[list(chosen)], np.array(outputs))
        if best is None or r2 > best[0]:
            best = r2, machine.weights
    return best[1], scale


def pull(config, memory: np.ndarray, q: np.ndarray, label: int) -> np.ndarray:
    """The pull v in floating point, shape (d,), of a memory of any scale (classes, d) and raw q."""
    rms = np.sqrt((memory.astype(float) ** 2).mean(axis=1, keepdims=True))
    read = memory * 2.0 ** -np.round(np.log2(np.where(rms > 0, rms, 1)))
    k = read @ (q / config.z.one) / config.memory.projection
    p = np.exp(2.0**config.modulator.beta_log2 * (k - k.max()))
    error = p / p.sum()
    error[label] -= 1
    return error @ read * 2.0 ** -up_shift(config)


def r_squared(wanted: np.ndarray, found: np.ndarray) -> float:
    """Share of the variance of `wanted` that `found` explains."""
    return float(1 - ((wanted - found) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


# -- files -----------------------------------------------------------------------------------------


def save_decoder(path: str | Path, decoder: Decoder):
    """Write a decoder, whole or not at all: an ``.npz`` without pickled objects.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    write_arrays(
        path,
        "decoder",
        weights=decoder.weights.astype(np.int16),
        scale=np.array(decoder.scale),
        r2=np.array([decoder.r2, decoder.pull_r2]),
        key=np.array(json.dumps(decoder.key)),
        hash=np.array(key_hash(decoder.key)),
    )


def load_decoder(path: str | Path, config) -> Decoder:
    """Read a decoder that was made for `config`.

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
        scale, (r2, pull_r2) = float(arrays["scale"]), arrays["r2"].tolist()
    except OSError as error:
        raise InputError(f"cannot read decoder {path}: {error.strerror or error}") from None
    except (Exception, zlib.error):
        raise InputError(f"decoder {path} is no decoder file, or a damaged one") from None
    wanted = decoder_key(config)
    if not isinstance(key, dict) or found != key_hash(key):
        raise InputError(f"decoder {path} is no decoder file of this version")
    for name, value in wanted.items():
        if key.get(name) != value:
            raise InputError(
                f"decoder {path} was made for {name} = {key.get(name)!r}, "
                f"but the configuration has {value!r}"
            )
    shape, top = (
        (config.classes * config.memory.projection, config.reservoir.units),
        1 << WEIGHT_BITS - 1,
    )
    if weights.shape != shape or weights.dtype.kind != "i" or np.abs(weights).max() >= top:
        raise InputError(f"decoder {path} must hold weights of shape {shape} below {top}")
    return Decoder(weights.astype(np.int64), scale, r2, pull_r2, key)


@lru_cache(maxsize=8)
def ridge_decoder(config) -> Decoder:
    """The decoder of ``reservoir.decoder = "ridge"``: from the cache, or trained and put there."""
    name = f"{key_hash(decoder_key(config))[:32]}.npz"
    for folder in places.kept("decoders"):
        with suppress(InputError):  # none yet, or one that cannot be used: it is made anew
            return load_decoder(folder / name, config)
    folder = places.keep("decoders")  # before the work, so that an error comes at once
    decoder = train_decoder(config)
    with suppress(InputError):  # the disk may be full: the next process makes it again
        save_decoder(folder / name, decoder)
    return decoder


def decoder_of(config) -> Decoder:
    """The decoder that `config` names: trained, or from its file."""
    if config.reservoir.decoder.endswith(".npz"):
        return load_decoder(config.reservoir.decoder, config)
    return ridge_decoder(config)


def decoder_hash(config) -> str | None:
    """SHA-256 of W_o of a configuration, as `decoder_weights` gives it; None where it has none."""
    if not config.memory.projected or config.reservoir.decoder == "exact":
        return None
    weights = decoder_weights(config)
    return hashlib.sha256(f"{weights.shape}".encode() + weights.astype("<i2").tobytes()).hexdigest()


def decoder_weights(config) -> np.ndarray:
    """W_o of a configuration, raw, shape (classes * d, R); the controls' too.

    ``shuffled``: the trained weights, each at a random other place. ``zero``: none.
    """
    if config.reservoir.decoder == "zero":
        return np.zeros(
            (config.classes * config.memory.projection, config.reservoir.units), np.int64
        )
    weights = decoder_of(config).weights
    if config.reservoir.decoder == "shuffled":
        words = np.random.PCG64([config.reservoir.seed, 1]).random_raw(weights.size)
        weights = weights.ravel()[np.argsort(words, kind="stable")].reshape(weights.shape)
    return weights
