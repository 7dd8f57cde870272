"""The results folder of a sweep: one file for each run, whole or not there.

::

    DIR/<32 hex digits>.json    a run: first half of the SHA-256 of its key as canonical JSON
                                (or a core that was synthesised, `hebbware.study.synthesis`)
    DIR/specs/<name>.json       which runs a specification consists of (`hebbware.study.spec.Plan`)
    DIR/log.jsonl               when a run was finished, and how long after it was handed out

A **result** is a pure function of its key: the same bytes whoever ran it. What is trained in
integers (no control, ``frozen``, ``codes``) has the same bytes on every machine; ``linear`` and
``float`` are floating point, and NumPy's matrix products add in an order that depends on the
processor: their last digits are those of one kind of machine. Its content is canonical JSON (keys
sorted, no spaces, one line)::

    {"key":    {"config": {every field of the configuration by its dotted name, but the seed},
                "seed": 0,
                "decoder": null | "<hash of the weights of a reservoir memory's decoder>",
                "dataset": {"name": "digits", "sha256": "..."},
                "epochs": 10, "train_samples": 1189, "validation": 108, "test": true,
                "control": null | "frozen" | "codes" | "linear" | "float",
                "code": "<version of the code that computes it, see hebbware.study.version>"},
     "status": "done" | "failed",
     "error":  null | "ValueError: one line",
     "result": {"train":      [accuracy while learning, of each epoch],
                "validation": [accuracy on the samples held back, after each epoch],
                "test":       accuracy at the end, null unless the key says "test": true},
     "cost":   {"memory_bits", "weight_bits_total", "multiplier_bits": [a, b],
                "nonzero_inputs", "multiplies_per_sample", "memory_reads_per_sample",
                "memory_writes_per_sample", "clocks_per_sample",
                "estimate": {"device", "lut", "dsp", "bram", "marked": "estimate",
                             "error"}}}

Accuracies are shares, 0..1; null where nothing was measured (no samples held back, and for
``linear`` and ``float`` while learning). ``result`` is null for a failed run, ``cost`` for a failed
run and for ``linear`` and ``float``, which are no hardware. What each number of ``cost`` counts is
described in `hebbware.study.cost`. The ``config`` of a control is that of the run that it belongs
to, with the fields that it does not use at their base values (so that one control serves many
runs); of ``frozen`` and ``codes`` it is the network trained, ``memory.kind``
"none" or "codes".

A file is written under a temporary name, flushed to the disk and renamed: whatever is killed in
between leaves no result. Names that begin with a dot are such leftovers and are no results.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from hebbware.golden.errors import InputError

NAME = re.compile(r"[0-9a-f]{32}\.json")
STALE = 24 * 3600  # seconds after which a temporary file is nobody's any more


def canonical(value: Any) -> str:
    """Return JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def run_name(key: dict) -> str:
    """Return the name of a run: 32 hex digits of the hash of its key."""
    return hashlib.sha256(canonical(key).encode()).hexdigest()[:32]


class Store:
    """A results folder.

    Parameters
    ----------
    folder : path
        Made where it is not there.
    code : str or several
        Versions of the code that computes results now, one for each kind of run.

    Raises
    ------
    InputError
        The folder cannot be written, holds results of another version, or files that carry the
        name of a result and are none.
    """

    def __init__(self, folder: str | Path, code: str | Collection[str]):
        self.folder = Path(folder)
        self.codes = (code,) if isinstance(code, str) else tuple(code)
        self.known: dict[str, str] = {}  # name of a run: its status
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"results must be a folder, not the file {self.folder}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep_leftovers()
            names = sorted(path.name for path in self.folder.iterdir())
        except OSError as error:
            raise _unusable(self.folder, error) from None
        for name in names:
            if NAME.fullmatch(name):
                self.status(name[:-5])

    def _sweep_leftovers(self) -> None:
        for path in self.folder.glob(".*.tmp"):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Return the file of a run."""
        return self.folder / f"{name}.json"

    def status(self, name: str) -> str | None:
        """Return ``done`` or ``failed``, or None where the run has no result."""
        if self.known.get(name) != "done":  # another sweep may retry what failed
            found = self.read(name)
            if found is None:
                return None
            self.known[name] = found["status"]
        return self.known[name]

    def read(self, name: str) -> dict | None:
        """Return the content of a result, or None where there is none."""
        path = self.path(name)
        try:
            content = json.loads(path.read_bytes())
            status, key = content["status"], content["key"]
            if status not in ("done", "failed") or run_name(key) != name:
                raise ValueError
            code = key["code"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.folder, error) from None
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path} is not the result that its name says; remove it, then run again"
            ) from None
        if code not in self.codes:
            raise InputError(
                f"results folder {self.folder} holds results of code version {code}, not of "
                f"{' or '.join(self.codes)}; use another folder"
            )
        return content

    def write(self, content: dict) -> str:
        """Store the result of a run and return its name.

        Raises
        ------
        InputError
            It cannot be written; what is there stays as it is.
        """
        name = run_name(content["key"])
        self._write(self.path(name), canonical(content) + "\n")
        self.known[name] = content["status"]
        return name

    def write_plan(self, name: str, content: dict) -> None:
        """Store which runs a specification consists of."""
        self._write(self.folder / "specs" / f"{name}.json", canonical(content) + "\n")

    def log(self, **entry: Any) -> None:
        """Append a line to the log."""
        line = canonical({"time": round(time.time(), 3), **entry}) + "\n"
        try:
            with (self.folder / "log.jsonl").open("ab") as file:
                file.write(line.encode())
        except OSError as error:
            raise _unusable(self.folder, error) from None

    def _write(self, path: Path, text: str) -> None:
        beside = self.folder / f".{path.stem}.{secrets.token_hex(4)}.tmp"
        try:
            path.parent.mkdir(exist_ok=True)
            try:
                with beside.open("xb") as file:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.folder, error) from None


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"results folder {folder}: {error.strerror or error}; finished results are kept, "
        "run again to resume"
    )
