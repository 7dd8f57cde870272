"""Checkpoints of a training: all of its state in one file, from which it goes on bit for bit."""

from __future__ import annotations

import io
import math
import tomllib
import zlib
from pathlib import Path

import numpy as np

from ..config import CoreConfig
from ..core import Core
from ..data.augment import AS_THEY_ARE, Augment
from ..data.meaning import Meaning
from ..data.streams import parse
from ..errors import InputError
from ..reservoir.decoder import decoder_hash
from ..system.files import write_file
from .train import EPOCHS, State

VERSION = 5  # of the file's layout


def save(path: str | Path, state: State) -> None:
    """Write a checkpoint, whole or not at all.

    It is a NumPy ``.npz`` without pickled objects: the configuration as TOML text, raw integers of
    weights, class memories, gains and codes per layer, the window of past samples, the state of
    the random numbers, counters, and the curve so far; what inputs and classes stand for in the
    data set (`hebbware.golden.data.meaning`).

    Raises
    ------
    InputError
        The file cannot be written; an older one is left as it was.
    """
    write_file(path, "checkpoint", packed(state))


def packed(state: State) -> bytes:
    """Return what `save` writes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **_arrays(state))
    return buffer.getvalue()


def load(path: str | Path) -> State:
    """Read a checkpoint.

    Raises
    ------
    InputError
        The file cannot be read, is cut short, or is none that `save` wrote.
    """
    try:
        # np.load maps its errors to no common class, and zipfile and zlib add their own
        raw = io.BytesIO(Path(path).read_bytes())
        with np.load(raw, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(f"cannot read checkpoint {path}: {error.strerror or error}") from None
    except (Exception, zlib.error):
        raise InputError(f"{path} is no checkpoint, or a damaged one") from None
    try:
        return _state(arrays)
    except (InputError, KeyError, TypeError, ValueError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is no checkpoint of this program: {reason}") from None


def _layers(core: Core) -> dict[str, list[np.ndarray]]:
    """All arrays of a core that come one per layer, by the name of their kind."""
    kinds = {name: getattr(core, name) for name in ("weights", "memories", "gains", "codes")}
    past = [[z[layer] for _, z in core.past] for layer in range(len(core.config.hidden))]
    kinds["past"] = [
        np.array(rows, np.int64).reshape(-1, units)
        for rows, units in zip(past, core.config.hidden, strict=True)
    ]
    if core.reservoir:
        kinds |= {
            f"reservoir_{name}": getattr(core.reservoir, name) for name in core.reservoir.MEMBERS
        }
    return kinds


def _arrays(state: State) -> dict[str, np.ndarray]:
    core = state.core
    arrays = {
        "version": np.array(VERSION),
        "config": np.array(core.config.to_toml()),
        "dataset": np.array(state.dataset),
        "fingerprint": np.array(state.fingerprint),
        "epochs": np.array(state.epochs),
        "held": np.array(state.held),
        "stream": np.array(str(state.stream)),
        "augment": np.array(str(state.augment)),
        "train": np.array(state.train, float),
        "validation": np.array(state.validation, float),
        "learned": np.array(core.learned),
        "random_state": np.array(core.random_state),
        "saturated": np.array(core.saturated),
        "past_labels": np.array([label for label, _ in core.past], np.int64),
    }
    arrays |= state.meaning.arrays()
    if core.reservoir:
        arrays["decoder"] = np.array(str(decoder_hash(core.config)))
    if core.window:
        held = core.window.past(core.learned)
        arrays["window_x"] = core.window.x[held].astype(np.int16)
        arrays["window_labels"] = core.window.labels[held]
    for kind, layers in _layers(core).items():
        for layer, values in enumerate(layers):
            small = np.min_scalar_type(-int(np.abs(values).max(initial=0)) - 1)
            arrays[f"{kind}_{layer}"] = values.astype(small)
    return arrays


def _state(arrays: dict[str, np.ndarray]) -> State:
    """Build the state, checking every array against what its configuration calls for."""
    _number(arrays, "version", VERSION, VERSION)
    config = CoreConfig.from_dict(tomllib.loads(str(arrays["config"])))
    core = Core(config)
    if core.reservoir and str(arrays["decoder"]) != str(decoder_hash(config)):
        raise InputError("its reservoirs have another decoder than this machine's configuration")
    core.learned = _number(arrays, "learned", 0, 2**62)
    core.random_state = _number(arrays, "random_state", 1, 2**32 - 1)
    core.saturated = _number(arrays, "saturated", 0, 2**32 - 1)
    train, validation = (np.asarray(arrays[name], float) for name in ("train", "validation"))
    epochs = _number(arrays, "epochs", 1, EPOCHS)
    if train.ndim != 1 or train.shape != validation.shape or len(train) > EPOCHS:
        raise InputError("the curve must have one entry per epoch")

    past = min(core.learned, config.memory.window) if core.kind.windowed else 0
    labels = _integers(arrays, "past_labels", (past,), 0, config.classes - 1)
    memory = 1 << (config.stored.width - 1)
    limits = {
        "weights": (config.weight.min, config.weight.max),
        "memories": (-memory, memory - 1),
        "gains": (0, config.stored.width),
        "codes": (-1, 1),
        "past": (config.z.min, config.z.max),
    }
    if core.reservoir:
        limits |= {f"reservoir_{name}": limit for name, limit in core.reservoir.limits().items()}
    found = {}
    for kind, layers in _layers(core).items():
        found[kind] = []
        for layer, values in enumerate(layers):
            shape = (past, *values.shape[1:]) if kind == "past" else values.shape
            read = _integers(arrays, f"{kind}_{layer}", shape, *limits[kind])
            found[kind].append(read.astype(values.dtype))
    core.past.extend(
        (int(label), [rows[n] for rows in found["past"]]) for n, label in enumerate(labels)
    )
    del found["past"]
    if core.window:
        held = len(core.window.past(core.learned))
        low = -config.x_zero
        x = _integers(arrays, "window_x", (held, config.inputs), low, low + config.x.max)
        labels = _integers(arrays, "window_labels", (held,), 0, config.classes - 1)
        core.window.restore(core.learned, x.astype(np.int64), labels)
    for kind, layers in found.items():
        owner = core.reservoir if kind.startswith("reservoir_") else core
        setattr(owner, kind.removeprefix("reservoir_"), layers)
    return State(
        core,
        str(arrays["dataset"]),
        str(arrays["fingerprint"]),
        epochs,
        _number(arrays, "held", 0, 2**62),
        train.tolist(),
        validation.tolist(),
        parse(str(arrays["stream"])),
        Meaning.from_arrays(arrays, math.prod(config.sample_shape), config.classes),
        Augment.parse(str(arrays["augment"])) if "augment" in arrays else AS_THEY_ARE,
    )


def _integers(arrays, name: str, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    values = arrays[name]
    if values.shape != shape or values.dtype.kind not in "iu":
        raise InputError(
            f"{name} must hold whole numbers of shape {shape}, not {values.dtype} of {values.shape}"
        )
    if values.size and not low <= int(values.min()) <= int(values.max()) <= high:
        raise InputError(f"{name} must lie in {low}..{high}, not {values.min()}..{values.max()}")
    return values


def _number(arrays, name: str, low: int, high: int) -> int:
    return int(_integers(arrays, name, (), low, high))
