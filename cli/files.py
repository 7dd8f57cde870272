"""Output files: found writable before the work, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from hebbware.golden.errors import InputError

FIGURES = (".png", ".svg", ".pdf")


def figure_path(path: Path | None, option: str = "--figure") -> Path | None:
    """Return the path of a figure, which can be written and has an ending of `FIGURES`.

    Raises
    ------
    InputError
        It has another ending, or cannot be written.
    """
    if path is None:
        return None
    if path.suffix.lower() not in FIGURES:
        raise InputError(f"{option} must end in one of {', '.join(FIGURES)}, not {str(path)!r}")
    return check_writable(path, option)


def check_writable(path: str | Path, option: str) -> Path:
    """Return the path of an output file, after trying its folder.

    Parameters
    ----------
    path : path
        The file; it may be there already.
    option : str
        What the user gave it with, to begin the message.

    Raises
    ------
    InputError
        The path is a folder, or no file can be made beside it.
    """
    path = Path(path).absolute()
    if path.is_dir():
        raise InputError(f"{option} must name a file, not the folder {path}")
    try:
        if _is_special(path):
            path.open("ab").close()
        else:
            beside = _beside(path)
            beside.open("wb").close()
            beside.unlink()
    except OSError as error:
        raise InputError(f"{option}: cannot write {path}: {error.strerror}") from None
    return path


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name beside it, then give it its name.

    A link is followed. What is no regular file (a pipe, ``/dev/null``) is written directly.

    Raises
    ------
    InputError
        The file cannot be written; an older one is left as it was.
    """
    raw = content.encode() if isinstance(content, str) else content
    try:
        if _is_special(path):
            path.write_bytes(raw)
            return
        beside = _beside(path)
        try:
            beside.write_bytes(raw)
            beside.replace(path.resolve())
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _beside(path: Path) -> Path:
    """Return a temporary name in the folder of the file that a link leads to."""
    path = path.resolve()
    return path.with_name(f".{path.name}.{os.getpid()}")
