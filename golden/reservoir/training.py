"""Training a decoder beforehand, on random signals and never on a data set.

What the decoder is to put out is made from the input alone:

- leak 0: output o is input 0 of ``o + 1`` steps ago;
- a leak: output o is the leaky sum ``M <- M - 2**-leak M + input_o`` (as many outputs as inputs).

Ridge regression is done on the host, in floating point, from states of the integer reservoir;
weights and teaching signal are scaled by one power of two so that the weights fit their format. The
delta rule is what the block does itself, word for word, with its step halved from time to time.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arithmetic.fixed import saturate
from ..errors import InputError
from .cell import Reservoir, ReservoirConfig
from .machine import Machine

WASHOUT = 4  # horizons (at least 100 steps) at the beginning that are not learned from
PENALTY = 1e-6  # of the ridge, in mean squares of the states


def washout(config: ReservoirConfig) -> int:
    """Steps after which nothing is left of the start."""
    return max(WASHOUT << config.leak, 100, 2 * config.units)


def signals(config: ReservoirConfig, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs (steps, inputs), raw, and what is to be put out (steps, outputs), real.

    Without a leak the inputs are uniform in -0.8 .. 0.8; with one they are uniform numbers around a
    mean that drifts, for each input, with the horizon of the reservoir.

    Raises
    ------
    InputError
        A leak, and more outputs than inputs.
    """
    rng = np.random.default_rng(seed)
    top = -config.input.min / config.input.one
    x = rng.uniform(-0.8, 0.8, (steps, config.inputs)) * top
    if config.leak == 0:
        raw = np.rint(x * config.input.one).astype(np.int64)
        past = np.zeros((config.outputs, config.inputs))
        delayed = np.concatenate([past, x])[:, 0]
        targets = [delayed[config.outputs - o - 1 :][:steps] for o in range(config.outputs)]
        return raw, np.stack(targets, axis=1)
    if config.outputs > config.inputs:
        raise InputError(
            f"outputs must be at most inputs = {config.inputs} for a leaky memory, "
            f"not {config.outputs}"
        )
    keep = 1 - 2.0**-config.leak
    steps_of_mean = rng.normal(0, np.sqrt(1 - keep**2), x.shape)
    mean = _leaky(steps_of_mean, keep)
    x = np.clip(x / 2 + 0.25 * top * mean, -top, top)
    raw = saturate(np.rint(x * config.input.one).astype(np.int64), config.input)
    return raw, _leaky(raw / config.input.one, keep)[:, : config.outputs]


def _leaky(x, keep):
    total, found = np.zeros(x.shape[1]), np.empty_like(x)
    for t, row in enumerate(x):
        total = keep * total + row
        found[t] = total
    return found


def run(config: ReservoirConfig, inputs: np.ndarray) -> np.ndarray:
    """States (steps, R), raw."""
    reservoir = Reservoir(config)
    return np.array([reservoir.step(row) for row in inputs])


def r_squared(targets: np.ndarray, outputs: np.ndarray) -> float:
    """``1 - sum (t - y)**2 / sum (t - mean t)**2``, all outputs together."""
    around = ((targets - targets.mean(axis=0)) ** 2).sum()
    return float(1 - ((targets - outputs) ** 2).sum() / around)


def ridge(states: np.ndarray, targets: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Weights (outputs, R) of the least squares with a penalty relative to the states' power."""
    gram = states.T @ states
    gram[np.diag_indices_from(gram)] += penalty * np.trace(gram) / len(gram)
    return np.linalg.solve(gram, states.T @ targets).T


@dataclass(frozen=True)
class Trained:
    """A decoder and how good it is.

    Attributes
    ----------
    weights : int array (outputs, R)
        Raw.
    scale : int
        log2 of what outputs are to be divided by.
    r2 : float
        On held-out signals, outputs in integers.
    """

    weights: np.ndarray
    scale: int
    r2: float


def fit(config: ReservoirConfig, weights: np.ndarray, targets: np.ndarray) -> int:
    """log2 of the largest scale at which weights and targets fit their formats."""
    room_weights = config.weight.max / config.weight.one / np.abs(weights).max()
    room_outputs = config.u.max / config.u.one / np.abs(targets).max()
    return int(np.floor(np.log2(min(room_weights, room_outputs))))


def evaluate(config: ReservoirConfig, weights, scale: int, steps: int, seed: int) -> float:
    """R^2 of a decoder on signals of their own."""
    inputs, targets = signals(config, steps, seed)
    machine, outputs = Machine(config), np.empty(targets.shape)
    machine.load(weights)
    for t, row in enumerate(inputs):
        machine.step(row)
        outputs[t] = machine.read()
    start = washout(config)
    return r_squared(targets[start:], outputs[start:] / config.u.one / 2.0**scale)


def by_ridge(config: ReservoirConfig, steps: int = 4000, held_out: int = 2000) -> Trained:
    """Least squares on `steps` steps of random signals; the weights rounded to their format.

    Raises
    ------
    InputError
        The inputs are too weak to move the state.
    """
    inputs, targets = signals(config, washout(config) + steps, 2 * config.seed + 1)
    start = washout(config)
    states = run(config, inputs)[start:] / config.state.one
    if not states.any():
        raise InputError(
            f"gain must be large enough that inputs move a state of {config.state_bits} bits, "
            f"not {config.gain}"
        )
    found = ridge(states, targets[start:])
    scale = fit(config, found, targets)
    raw = np.rint(found * 2.0**scale * config.weight.one).astype(np.int64)
    weights = saturate(raw, config.weight)
    return Trained(
        weights,
        scale,
        evaluate(config, weights, scale, washout(config) + held_out, 2 * config.seed + 2),
    )


def by_delta(
    config: ReservoirConfig,
    scale: int,
    steps: int = 20000,
    held_out: int = 2000,
    halvings: int = 4,
    progress=None,
) -> Trained:
    """The delta rule of the block, on targets of the given scale, from weights of zero.

    The step is halved `halvings` times, after equal shares of `steps`: each share is a block with
    another ``step`` that takes the weights over. R^2 is that of the weights at the end, held fixed.
    """
    inputs, targets = signals(config, washout(config) + steps, 2 * config.seed + 1)
    raw = saturate(np.rint(targets * 2.0**scale * config.u.one).astype(np.int64), config.u)
    start, share = washout(config), -(-steps // (halvings + 1))
    machine = Machine(config)
    for t, row in enumerate(inputs):
        machine.step(row)
        if t >= start:
            extra = (t - start) // share
            if config.step + extra != machine.config.step:
                machine.config = replace(config, step=config.step + extra)
            machine.learn(raw[t])
        if progress:
            progress(t + 1)
    return Trained(
        machine.weights,
        scale,
        evaluate(config, machine.weights, scale, washout(config) + held_out, 2 * config.seed + 2),
    )


# -- files -----------------------------------------------------------------------------------------


def to_json(config: ReservoirConfig, trained: Trained) -> str:
    """A decoder file."""
    return json.dumps(
        {
            "fingerprint": config.fingerprint,
            "scale": trained.scale,
            "r2": trained.r2,
            "weights": trained.weights.tolist(),
        }
    )


def from_json(config: ReservoirConfig, path: Path) -> Trained:
    """A decoder from its file.

    Raises
    ------
    InputError
        No such file, not a decoder, or one of another configuration.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        fingerprint, scale, r2 = found["fingerprint"], int(found["scale"]), float(found["r2"])
        weights = np.array(found["weights"])
    except OSError as error:
        raise InputError(f"decoder {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"decoder {path}: not a decoder file") from None
    if fingerprint != config.fingerprint:
        raise InputError(
            f"decoder {path} must be of this configuration ({config.fingerprint}), "
            f"not of {fingerprint}"
        )
    Machine(config).load(weights)
    return Trained(weights.astype(np.int64), scale, r2)
