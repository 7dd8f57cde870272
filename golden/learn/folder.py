"""A trained network as a folder, for commands, boards and other programs; nothing is pickled.

===================  =============================================================================
file                 holds
===================  =============================================================================
``checkpoint.npz``   all of the network's state (`hebbware.golden.learn.checkpoint`), with its
                     configuration, encoding, and names of features and classes
``config.toml``      its configuration, for ``--config``
``encoding.json``    how features become bytes: ``kind``, ``low`` and ``high``
                     (`hebbware.golden.data.encoding`), ``features``, ``classes``
``classifier.json``  parameters and classes of the estimator
===================  =============================================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..config import CoreConfig
from ..config import load as load_config
from ..errors import InputError
from ..system.files import read_text, write_folder
from . import checkpoint
from .train import State

CHECKPOINT, CONFIG = "checkpoint.npz", "config.toml"
ENCODING, CLASSIFIER = "encoding.json", "classifier.json"
NAMES = (CHECKPOINT, CONFIG, ENCODING, CLASSIFIER)
VERSION = 1  # of classifier.json


def save(path: str | Path, state: State, classifier: dict[str, Any]) -> None:
    """Write a folder, whole or not at all.

    Parameters
    ----------
    path : path
        It must not be there yet, or hold nothing but what this function wrote.
    state : State
    classifier : dict
        What ``classifier.json`` is to hold.

    Raises
    ------
    InputError
        It cannot be written; an older one is left as it was.
    """
    try:
        text = json.dumps({"version": VERSION, **classifier}, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"cannot save the network: a parameter is no plain value: {error}"
        ) from None
    files = {
        CHECKPOINT: checkpoint.packed(state),
        CONFIG: state.core.config.to_toml().encode(),
        ENCODING: (_encoding(state) + "\n").encode(),
        CLASSIFIER: (text + "\n").encode(),
    }
    write_folder(path, "network", files)


def load_state(path: str | Path) -> State:
    """Read the state of a network: from a folder, or from a checkpoint of ``hebbware train``.

    Raises
    ------
    InputError
        It cannot be read, or its files do not belong together.
    """
    path = Path(path)
    if not path.is_dir():
        return checkpoint.load(path)
    state = checkpoint.load(path / CHECKPOINT)
    config: CoreConfig = load_config(path / CONFIG)
    if config != state.core.config:
        raise InputError(
            f"{path / CONFIG} must be the configuration of {CHECKPOINT} beside it "
            f"({state.core.config.fingerprint}), not another ({config.fingerprint})"
        )
    if _json(path / ENCODING) != json.loads(_encoding(state)):
        raise InputError(f"{path / ENCODING} must be the encoding of {CHECKPOINT} beside it")
    return state


def load(path: str | Path) -> tuple[State, dict[str, Any]]:
    """Read a folder: the state, and what ``classifier.json`` holds.

    Raises
    ------
    InputError
        It cannot be read, or its files do not belong together.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} must be a folder with a network, and is none")
    state, classifier = load_state(path), _json(path / CLASSIFIER)
    if not isinstance(classifier, dict) or classifier.pop("version", None) != VERSION:
        raise InputError(f"{path / CLASSIFIER} must be of version {VERSION}")
    return state, classifier


def _encoding(state: State) -> str:
    meaning = state.meaning
    kind, low, high = "bytes", 0, 255
    if meaning.encoding:
        kind, low, high = meaning.encoding.kind, meaning.encoding.low, meaning.encoding.high
    content = {
        "kind": kind,
        "low": np.asarray(low).tolist(),
        "high": np.asarray(high).tolist(),
        "features": meaning.features,
        "classes": meaning.labels,
    }
    return json.dumps(content, indent=2)


def _json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:  # of text and of JSON
        raise InputError(f"{path} is no JSON: {error}") from None
