"""Files of arrays, written whole or not at all; files of text, read once."""

import io
import os
import select
import shutil
import stat
import time
from pathlib import Path

import numpy as np

from ..errors import InputError


def write_arrays(path: str | Path, what: str, **arrays) -> None:
    """Write an ``.npz`` without pickled objects; see `write_file`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_file(path, what, buffer.getvalue())


def write_file(path: str | Path, what: str, content: bytes) -> None:
    """Write a file under a temporary name, then give it its own.

    Parameters
    ----------
    path : path
        A link is followed.
    what : str
        What the file is, for the message.
    content : bytes

    Raises
    ------
    InputError
        The file cannot be written; an older one is left as it was.
    """
    path = Path(path).resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {what} {path}: {error.strerror}") from None


def write_folder(path: str | Path, what: str, files: dict[str, bytes]) -> None:
    """Write a folder under a temporary name, then give it its own.

    Parameters
    ----------
    path : path
        A folder that is there is replaced where it holds no files of other names.
    what : str
        What the folder holds, for the message.
    files : dict
        Content by name.

    Raises
    ------
    InputError
        The folder cannot be written, or holds something else; an older one is left as it was.
    """
    path = Path(path).resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    older = beside.with_name(f"{beside.name}.older")
    try:
        if path.exists():
            others = sorted(each.name for each in path.iterdir() if each.name not in files)
            if others:
                raise InputError(
                    f"cannot write {what} {path}: the folder holds {others[0]}, which would be lost"
                )
        try:
            beside.mkdir()
            for name, content in files.items():
                (beside / name).write_bytes(content)
            if path.exists():
                path.rename(older)
            try:
                beside.rename(path)
            except OSError:
                if older.exists():
                    older.rename(path)
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            if path.exists():
                shutil.rmtree(older, ignore_errors=True)
    except OSError as error:
        raise InputError(f"cannot write {what} {path}: {error.strerror}") from None


WRITER = 2.0  # seconds in which somebody has to open the other end of a pipe


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, also with a byte-order mark, or of what is written into a pipe.

    Raises
    ------
    OSError
        It cannot be read, or nobody writes into the pipe.
    UnicodeDecodeError
        It is no text.
    """
    path = Path(path)
    piped = stat.S_ISFIFO(path.stat().st_mode)
    return (_read_pipe(path) if piped else path.read_bytes()).decode("utf-8-sig")


def _read_pipe(path: Path) -> bytes:
    """All that is written into a pipe, without waiting for a writer that never comes."""
    parts, end = [], time.monotonic() + WRITER
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                part = os.read(handle, 1 << 16)
            except BlockingIOError:  # there is a writer, and nothing from it yet
                select.select([handle], [], [])
                continue
            if not part and (parts or time.monotonic() > end):
                break
            if part:
                parts.append(part)
            else:
                time.sleep(0.01)
    finally:
        os.close(handle)
    if not parts:
        raise OSError(None, "nobody writes into this pipe")
    return b"".join(parts)
