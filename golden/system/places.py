"""Where things are kept from one run to the next, and where things lie that are temporary.

Kept are built simulations, trained decoders, fetched data sets, and what other programs keep
(Numba, Yosys): below ``$HEBBWARE_CACHE``, else ``hebbware`` below ``$XDG_CACHE_HOME``, else below
``~/.cache``. Where none of that can be written, below a folder of the user's own in the folder for
temporary files, after a warning.
"""

import os
import re
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError, Notice

try:
    import fcntl
except ImportError:  # not on this system
    fcntl = None

VARIABLE = "HEBBWARE_CACHE"
PREFIX = "hebbware-work-"  # of temporary folders
PLAIN = re.compile(r"[A-Za-z0-9_/.@+-]+")  # what make, the shell and Verilator take as it is
FRESH = 60  # seconds in which a temporary folder may not be locked yet


# -- kept ------------------------------------------------------------------------------------------


def asked() -> Path | None:
    """The folder that the user asks for."""
    own = os.environ.get(VARIABLE)
    return Path(own).absolute() if own else None


def usual() -> Path | None:
    """The folder for caches of all programs, where there is one."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute()
    try:
        home = Path.home()
    except RuntimeError:  # no $HOME, and the user is not known
        return None
    return home / ".cache" if home.is_absolute() else None


def kept(what: str) -> list[Path]:
    """Folders in which things of a kind may be found, also those that cannot be written."""
    roots = [asked(), usual() and usual() / "hebbware"] if asked() is None else [asked()]
    return [root / what for root in roots if root is not None]


def keep(what: str) -> Path:
    """A folder that can be written, for things of a kind; made if it is not there.

    Raises
    ------
    InputError
        ``$HEBBWARE_CACHE`` cannot be written; or nothing else can.
    """
    if asked() is not None:
        folder = asked() / what
        if trouble := _trouble(folder):
            raise InputError(f"${VARIABLE} must be a folder that can be written: {trouble}")
        return folder
    if usual() is None:
        trouble = "there is no home folder"
    elif not (trouble := _trouble(usual() / "hebbware" / what)):
        return usual() / "hebbware" / what
    fallback = _fallback(trouble)
    warnings.warn(
        f"no place to keep things: {trouble}; they are kept in {fallback}; "
        f"set ${VARIABLE} to a folder that can be written",
        Notice,
        stacklevel=2,
    )
    os.environ[VARIABLE] = str(fallback)  # for what this process starts, without a warning each
    return keep(what)


def for_others() -> dict[str, str]:
    """Variables by which other programs keep their things with this one's.

    None where the user's folder for caches can be written and no other is asked for.
    """
    base = usual()
    if asked() is None and base is not None and not _trouble(base):
        return {}
    variables = {"XDG_CACHE_HOME": keep("")}  # Wasmtime's, which runs Amaranth's Yosys
    if "YOWASP_CACHE_DIR" not in os.environ:
        variables["YOWASP_CACHE_DIR"] = keep("yowasp")
    try:
        Path.home()
    except RuntimeError:
        variables["HOME"] = keep("")  # without one, Wasmtime does not begin
    return {name: str(path) for name, path in variables.items()}


@contextmanager
def others_keep() -> Iterator[None]:
    """Set the variables of `for_others` while programs are started that take this environment."""
    before = dict(os.environ)
    os.environ.update(for_others())
    try:
        yield
    finally:
        chosen = os.environ.get(VARIABLE)
        os.environ.clear()
        os.environ.update(before)
        if chosen:
            os.environ[VARIABLE] = chosen


def can_be_written(folder: Path) -> bool:
    """Whether files can be put into a folder, which is made if it is not there."""
    return not _trouble(folder)


def _trouble(folder: Path) -> str:
    """Make a folder; why it cannot be written, or nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return f"cannot write {folder} ({error.strerror})"
    return ""


def _fallback(trouble: str) -> Path:
    """A folder of the user's own among temporary files."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    folder = _temporary_root() / f"hebbware-cache-{user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    try:
        found = folder.lstat()
        mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        # what is kept is run: nobody else may have put it there
        if not stat.S_ISDIR(found.st_mode) or not mine or found.st_mode & 0o022:
            trouble = f"{trouble}; {folder} is somebody else's"
        else:
            trouble = _trouble(folder) and f"{trouble}; {_trouble(folder)}"
            if not trouble:
                return folder
    except OSError as error:
        trouble = f"{trouble}; cannot make {folder} ({error.strerror})"
    raise InputError(
        f"no place to keep things: {trouble}; set ${VARIABLE} to a folder that can be written"
    )


# -- temporary -------------------------------------------------------------------------------------


def is_plain(path: str | Path) -> bool:
    """Whether makefiles can have this path in them: no blanks, quotes, ``$``, ``#``, ``:``, ..."""
    return bool(PLAIN.fullmatch(str(path)))


@contextmanager
def temporary(where: Path | None = None) -> Iterator[Path]:
    """A folder that is removed when the block is left, if it is still there.

    What a process that was killed left is removed when the next one makes such a folder.

    Parameters
    ----------
    where : Path, optional
        The folder in which it is made; by default that for temporary files.

    Raises
    ------
    InputError
        It cannot be made.
    """
    where = where or _temporary_root()
    try:
        _sweep(where)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
    except OSError as error:
        raise InputError(f"temporary folder: cannot write {where} ({error.strerror})") from None
    lock = _lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def plain_root() -> Path:
    """A folder for temporary files whose path can be in a makefile.

    Raises
    ------
    InputError
        There is none.
    """
    candidates = [_temporary_root(), *map(Path, ("/tmp", "/var/tmp", "/dev/shm"))]
    for path in candidates:
        if is_plain(path) and not _trouble(path):
            return path
    raise InputError(
        "temporary folder: make needs one whose path has no blanks or other special characters, "
        f"and {', '.join(sorted({str(path) for path in candidates}))} will not do; set $TMPDIR"
    )


def _temporary_root() -> Path:
    try:
        return Path(tempfile.gettempdir()).absolute()
    except OSError as error:
        raise InputError(f"temporary folder: {error.strerror}; set $TMPDIR") from None


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None where that cannot be."""
    if fcntl is None:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _sweep(where: Path) -> None:
    """Remove temporary folders of this user whose processes are gone."""
    if fcntl is None:
        return
    for folder in where.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue
            if time.time() - found.st_mtime < FRESH or (handle := _lock(folder)) is None:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)
