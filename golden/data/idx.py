"""IDX files (the format of MNIST), plain or gzipped: found in folders, read, and fetched once.

Nothing here is executed or unpickled: a file is a header of big-endian integers and bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from hebbware.golden.errors import InputError
from hebbware.golden.system import places

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The four files of a set: member of the data set -> name without ``.gz``."""


@dataclass(frozen=True)
class Published:
    """Where a set is published: base addresses, and the SHA-256 of each gzipped file."""

    mirrors: tuple[str, ...]
    sha256: dict[str, str]


PUBLISHED = {
    "mnist": Published(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        sha256={
            "x_train": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "y_train": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "x_test": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "y_test": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": Published(
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        sha256={
            "x_train": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "y_train": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "x_test": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "y_test": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}


def read(path: Path, dimensions: int) -> np.ndarray:
    """Read one IDX file of unsigned bytes with that number of dimensions.

    Returns a writable u8 array of the shape that the header states.

    Raises
    ------
    InputError
        The gzip layer is corrupted or cut short, the magic number is another one, or the header
        promises another number of bytes than there are.
    """
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = unzip(path, raw)
    magic = bytes((0, 0, 8, dimensions))
    if raw[:4] != magic:
        raise InputError(
            f"{path}: an IDX file of bytes with {dimensions} dimension(s) must begin with "
            f"{magic.hex()}, not {raw[:4].hex() or 'nothing'}"
        )
    header = 4 + 4 * dimensions
    if len(raw) < header:
        raise InputError(f"{path}: truncated: a header of {header} bytes, found {len(raw)}")
    shape = np.frombuffer(raw, ">u4", dimensions, offset=4).tolist()
    expected = header + int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        raise InputError(
            f"{path}: shape {'x'.join(map(str, shape))} takes {expected} bytes, found {len(raw)}"
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy()


def unzip(path: Path, raw: bytes) -> bytes:
    """Return what the gzipped bytes of a file hold; InputError where they are damaged."""
    try:
        return gzip.decompress(raw)
    except EOFError:
        raise InputError(f"{path}: the gzip file is truncated; fetch it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: not a sound gzip file ({error}); fetch it again") from None


def locate(name: str, data_dir: str | Path | None = None) -> dict[str, Path]:
    """Find the four files of a set, or fetch them into the cache.

    A folder counts when it holds all four files, or its subfolder called ``name`` does. With
    ``data_dir`` only that is looked into. Without it: ``$HEBBWARE_DATA``, the cache, the mirrors.
    Since all sets use the same file names, a folder called after another set is passed over.

    Raises
    ------
    InputError
        No folder holds the files and they cannot be fetched; the message says where it looked.
    """
    looked = folders(name, data_dir)
    for folder in looked:
        if files := present(folder):
            return files
    failure = f"no folder holds all of {', '.join(FILES.values())} (plain or .gz)"
    if data_dir is None:
        try:
            return fetch(name)
        except InputError as error:
            failure = str(error)
    raise InputError(
        f"data set {name}: looked in {', '.join(map(str, looked))}: {failure}; give the folder of "
        f"the files with --data DIR or $HEBBWARE_DATA, or run `hebbware data {name}` while online"
    )


def folders(name: str, data_dir: str | Path | None = None) -> list[Path]:
    """Return the folders in which the files of a set are looked for, see `locate`."""
    if data_dir is not None:
        bases = [Path(data_dir)]
    else:
        variable = os.environ.get("HEBBWARE_DATA")
        bases = [Path(variable)] if variable else []
    others = PUBLISHED.keys() - {name}
    found = [folder for base in bases for folder in (base / name, base)]
    found = [folder for folder in found if folder.resolve().name not in others]
    return found if data_dir is not None else [*found, *places.kept(name)]


def fetch(name: str) -> dict[str, Path]:
    """Fetch the four files into the cache; each is verified before it gets its name.

    Raises
    ------
    InputError
        The cache cannot be written, or no mirror gives a file with the published SHA-256.
    """
    folder = places.keep(name)
    try:
        return {key: _fetch_file(name, key, folder) for key in FILES}
    except OSError as error:
        raise InputError(f"cannot write the cache {folder}: {error.strerror}") from None


def present(folder: Path) -> dict[str, Path] | None:
    """Return the four files of a set where a folder holds all of them."""
    files = {key: _present(folder, file) for key, file in FILES.items()}
    return files if all(files.values()) else None


def _present(folder: Path, file: str) -> Path | None:
    """Return the plain or the gzipped file, whichever is there."""
    return next((p for p in (folder / file, folder / f"{file}.gz") if p.is_file()), None)


def _fetch_file(name: str, key: str, folder: Path) -> Path:
    """Take one file from the first mirror that gives the right bytes."""
    published = PUBLISHED[name]
    file = f"{FILES[key]}.gz"
    failures = []
    for mirror in published.mirrors:
        try:
            with urlopen(mirror + file, timeout=30) as response:
                raw = response.read()
        except (OSError, HTTPException) as error:  # urllib's own errors are OSErrors
            failures.append(f"{mirror}: {getattr(error, 'reason', error)}")
            continue
        found = hashlib.sha256(raw).hexdigest()
        if found == published.sha256[key]:
            partial = folder / f".{file}.{os.getpid()}"
            try:
                partial.write_bytes(raw)
                return partial.replace(folder / file)
            finally:
                partial.unlink(missing_ok=True)
        failures.append(f"{mirror}: SHA-256 must be {published.sha256[key]}, not {found}")
    raise InputError(f"cannot fetch {file} ({'; '.join(failures)})")
