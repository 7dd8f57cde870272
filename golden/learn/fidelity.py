"""How well a reservoir's decoder reproduces the memory, while a network learns with it.

The exact memory of each reservoir is computed along with it: leaky sums of the reservoir's own
input, in floating point. Both give similarities, errors and a modulator; R^2 measures how well they
agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..core import Core
from ..data.samples import labels_of, samples_of
from ..errors import InputError
from ..program.walk import Store, latest
from ..reservoir.decoder import decoder_of, r_squared
from ..reservoir.memory import CONTROLS, decode, down_shift, project, up_shift, words

WARM_UP = 6  # horizons of samples before anything is measured: the exact memory starts empty


@dataclass(frozen=True)
class Fidelity:
    """R^2 of one layer, ``1 - |wanted - found|**2 / |wanted - mean|**2``.

    Attributes
    ----------
    layer : int
    memory : float
        Of the decoded memory, about its mean over the samples. In the loop a memory is a pattern
        that hardly moves: little besides the reservoir's errors is left about its mean.
    rows : float
        The same of what is read, each class's row at unit scale, about zero: what counts.
    modulator : float
        Of xi, before the slope.
    """

    layer: int
    memory: float
    rows: float
    modulator: float


class Record(NamedTuple):
    """Memory of a layer, exact and as its reservoir gave it, one row for each sample.

    Members
    -------
    exact_memory, memory : array (samples, classes * d)
    exact_xi, xi : array (samples, units)
        The modulator, before the slope.
    """

    exact_memory: np.ndarray
    memory: np.ndarray
    exact_xi: np.ndarray
    xi: np.ndarray


def in_loop(core: Core, x: np.ndarray, labels: np.ndarray, samples: int = 1000) -> list[Fidelity]:
    """R^2 of each hidden layer while a core learns; parameters and errors as those of `record`."""
    shape = (-1, core.config.classes, core.config.memory.projection)
    found = []
    for layer, r in enumerate(record(core, x, labels, samples)):
        exact, decoded = (_unit_rows(m.reshape(shape)) for m in (r.exact_memory, r.memory))
        rows = 1 - ((exact - decoded) ** 2).sum() / (exact**2).sum()
        memory = r_squared(r.exact_memory, r.memory)
        found.append(Fidelity(layer, memory, float(rows), r_squared(r.exact_xi, r.xi)))
    return found


def record(core: Core, x: np.ndarray, labels: np.ndarray, samples: int = 1000) -> list[Record]:
    """Record each hidden layer while `core`, a plain one, learns; its state changes.

    Parameters
    ----------
    core : Core
        With a reservoir memory that has a decoder of its own.
    x : array (n, inputs), labels : array (n,)
        Raw inputs and classes. The first ``6 * 2**horizon`` fill the exact memory, the next
        `samples` are measured; they start again at the first where there are too few.

    Raises
    ------
    InputError
        There is no trained decoder, or samples that the core does not take.
    """
    config = core.config
    if core.reservoir is None or config.reservoir.decoder in CONTROLS:
        raise InputError("reservoir.decoder must be a trained one of a reservoir memory")
    x = samples_of(x, config.inputs, config.x.max)
    labels = labels_of(labels, config.classes, len(x))
    if not len(x) or samples < 1:
        raise InputError(f"samples must be at least one, not {min(len(x), samples)}")
    scale, rate = decoder_of(config).scale, 2.0**-config.memory.horizon
    shape = (config.classes, config.memory.projection)
    layers = range(len(config.hidden))
    sums = [np.zeros(shape) for _ in layers]
    records = [([], [], [], []) for _ in layers]
    warm = WARM_UP << config.memory.horizon

    for at in range(warm + samples):
        label, before = int(labels[at % len(x)]), list(core.reservoir.reads)
        seen = latest(core.walk(x[at % len(x)], label))
        for layer, (wanted, found, exact_xi, xi) in enumerate(records):
            z, exact = seen[Store.Z, layer], sums[layer]
            q = project(config, core.codes[layer], z)
            taken = words(config, q, seen[Store.ERRORS, layer], label)
            sums[layer] = exact * (1 - rate) + taken.reshape(shape)
            if at < warm:
                continue
            z, codes = z / config.z.one, core.codes[layer].astype(float)
            decoded = decode(config, core.reservoir.weights, core.reservoir.states[layer])
            wanted.append(sums[layer].ravel())
            found.append(scale * decoded.ravel())
            exact_xi.append(modulator(config, codes, z, _shifted_rows(exact), label))
            xi.append(modulator(config, codes, z, before[layer] / config.read.one, label))
    return [Record(*map(np.array, values)) for values in records]


def modulator(config, codes, z, read, label) -> np.ndarray:
    """``xi / s2`` in floating point, shape (units,), of memories at unit scale (classes, d)."""
    units, d = z.size, config.memory.projection
    down, up = 2.0 ** -down_shift(units), 2.0 ** -up_shift(config)
    k = read @ (codes @ z * down) / d
    p = np.exp(2.0**config.modulator.beta_log2 * (k - k.max()))
    error = p / p.sum()
    error[label] -= 1
    back = codes.T @ (error @ read * up)
    return back - z * (z @ back) / units


def _rms(memory):
    """Root mean square of each row; 1 where it is empty."""
    rms = np.sqrt((memory**2).mean(axis=-1, keepdims=True))
    return np.where(rms > 0, rms, 1)


def _unit_rows(memory):
    """Rows at unit scale."""
    return memory / _rms(memory)


def _shifted_rows(memory):
    """Rows brought to unit scale by powers of two, as the modulator reads them."""
    return memory * 2.0 ** -np.round(np.log2(_rms(memory)))
