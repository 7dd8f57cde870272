"""Programs that were built, kept by content for the next time.

An entry is a folder: the program, what it was built from, and a list of their sizes and hashes. One
that is not as its list says, as a full disk or a killed process may leave it, is built anew.
"""

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path

from hebbware.golden.errors import InputError
from hebbware.golden.system import places

from .toolchain import OPTIMISATION, Toolchain

KIND = "verilator"  # the folder's name below that of all that is kept
LIST = "contents.json"


def from_cache(
    program: str,
    sources: Mapping[str, str],
    flags: tuple[str, ...],
    tools: Toolchain,
    compile_into: Callable[[Path], None],
    tell: Callable[[], None] = lambda: None,
) -> tuple[Path, bool]:
    """The cache entry of a program, built first if it is not there or damaged.

    Two processes may build the same thing at once: each builds in a directory of its own, and the
    first to finish puts it in place.

    Parameters
    ----------
    program : str
        Name of the program that is built.
    sources : dict
        Text by file name; the files are written next to the directory of the build.
    flags : tuple of str
        All that decides about the result besides the sources and the tools.
    tools : Toolchain
        Its versions decide too.
    compile_into : callable
        Builds the program in the directory that it is given, from the sources in the one above;
        writes ``build.log`` there. No path that it sees has special characters in it.
    tell : callable
        Called before the program is built.

    Returns
    -------
    tuple
        The directory with the program and the sources, and whether it was there already.

    Raises
    ------
    InputError
        The cache, or what it is built in, cannot be written.
    ToolError
        It does not build.
    """
    environment = [platform.machine(), version("cocotb")]
    about = [program, *flags, str(tools), tools.compiler, OPTIMISATION, *environment]
    key = hashlib.sha256(json.dumps([about, sources]).encode()).hexdigest()[:32]
    for folder in places.kept(KIND):
        if is_whole(folder / key):
            return folder / key, True
    cache = places.keep(KIND)
    tell()
    runtime = cache / f"runtime-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]}"
    with places.temporary(cache if places.is_plain(cache) else places.plain_root()) as work:
        try:
            _build(program, sources, work, runtime, compile_into)
            _put(work, cache, cache / key)
        except OSError as error:
            raise InputError(f"simulation: cannot write {error.filename}: {error}") from None
    return cache / key, False


def discard(entry: Path) -> None:
    """Take an entry that cannot be run out of the cache."""
    with places.temporary(entry.parent) as aside, suppress(OSError):
        entry.rename(aside / "entry")


def is_whole(entry: Path) -> bool:
    """Whether all files of an entry are there, as they were when it was put in place."""
    try:
        listed = json.loads((entry / LIST).read_text())
        return listed == _contents(entry)
    except (OSError, ValueError):
        return False


def _contents(folder: Path) -> dict[str, list]:
    """Size, hash and whether it can be run, of each file, by name."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != LIST:
            data = path.read_bytes()
            runs = os.access(path, os.X_OK)
            found[path.name] = [len(data), hashlib.sha256(data).hexdigest(), runs]
    return found


def _put(made: Path, cache: Path, entry: Path) -> None:
    """Give a folder with its list the name of the entry; what is there and damaged goes away."""
    (made / LIST).write_text(json.dumps(_contents(made)))
    with ExitStack() as stack:
        if made.parent != cache:  # maybe of another disk: no renaming from there
            made = shutil.copytree(made, stack.enter_context(places.temporary(cache)) / "entry")
        for _ in range(2):
            with suppress(OSError):
                made.rename(entry)
                return
            if is_whole(entry):  # another process was first
                return
            discard(entry)
        made.rename(entry)


def _build(
    program: str,
    sources: Mapping[str, str],
    work: Path,
    runtime: Path,
    compile_into: Callable[[Path], None],
) -> None:
    """Builds in `work`; Verilator's runtime is compiled once for all designs, into `runtime`."""
    for name, text in sources.items():
        (work / name).write_text(text)
    objects = work / "objects"
    objects.mkdir()
    if is_whole(runtime):
        later = time.time() + 3600  # make would compile them again: they depend on the makefile
        for path in runtime.glob("*.o"):
            os.utime(shutil.copy(path, objects), (later, later))
    compile_into(objects)
    if not is_whole(runtime):
        with places.temporary(runtime.parent) as aside:
            copy = aside / "runtime"
            copy.mkdir()
            for path in objects.glob("verilated*.o"):
                shutil.copy(path, copy)
            _put(copy, aside, runtime)
    (objects / program).rename(work / program)
    shutil.rmtree(objects)
