"""Files of arrays, written whole or not at all."""

import io
import os
from pathlib import Path

import numpy as np

from .errors import InputError


def write_arrays(path: str | Path, what: str, **arrays) -> None:
    """Write an ``.npz`` without pickled objects under a temporary name, then give it its own.

    Parameters
    ----------
    path : path
        A link is followed.
    what : str
        What the file is, for the message.

    Raises
    ------
    InputError
        The file cannot be written; an older one is left as it was.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path = Path(path).resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            beside.write_bytes(buffer.getvalue())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {what} {path}: {error.strerror}") from None
