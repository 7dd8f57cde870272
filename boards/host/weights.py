"""Weights of a board in a file, and from the checkpoints of ``hebbware train``."""

import io
import zlib
from pathlib import Path

import numpy as np

from ...golden.config import CoreConfig
from ...golden.errors import InputError
from ...golden.layers.init import start_state


def pack_weights(config: CoreConfig, weights: list[np.ndarray]) -> bytes:
    """A NumPy ``.npz`` with the configuration as TOML text and raw integers for each layer."""
    buffer = io.BytesIO()
    arrays = {f"weights_{layer}": values.astype(np.int16) for layer, values in enumerate(weights)}
    np.savez_compressed(buffer, config=np.array(config.to_toml()), **arrays)
    return buffer.getvalue()


def load_weights(path: Path, config: CoreConfig) -> list[np.ndarray]:
    """The weights of a file of `pack_weights`, or of a checkpoint of ``hebbware train``.

    Raises
    ------
    InputError
        The file cannot be read, holds no weights, or those of another network.
    """
    shapes = [values.shape for values in start_state(config).weights]
    names = [f"weights_{layer}" for layer in range(len(shapes))]
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            found = [name for name in archive.files if name.startswith("weights_")]
            arrays = [archive[name] for name in names if name in found]
    except OSError as error:
        raise InputError(f"cannot read weights {path}: {error.strerror or error}") from None
    except (Exception, zlib.error) as error:  # of np.load, zipfile and zlib: no common class
        raise InputError(f"{path} holds no weights, or is damaged: {error}") from None
    if sorted(found) != sorted(names):
        raise InputError(f"{path} must hold {', '.join(names)}, not {', '.join(found) or 'none'}")
    low, high = config.weight.min, config.weight.max
    for name, shape, values in zip(names, shapes, arrays, strict=True):
        if values.shape != shape or values.dtype.kind not in "iu":
            raise InputError(
                f"{path} must hold whole numbers of shape {shape} in {name}, as the "
                f"configuration's layers have them, not {values.dtype} of {values.shape}"
            )
        if values.size and not low <= int(values.min()) <= int(values.max()) <= high:
            raise InputError(
                f"{path} must hold weights in {low}..{high} in {name}, as {config.weight.width} "
                f"bits have them, not {values.min()}..{values.max()}"
            )
    return [values.astype(np.int64) for values in arrays]
