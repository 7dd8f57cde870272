"""``hebbware doctor``: what the commands need of this machine, and what of it is there."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import click

from hebbware.cli.common import CheckFailed, Output, examples, json_option
from hebbware.golden.errors import InputError

# of Python packages: what each is for, and the extra that brings it
PACKAGES = {
    "numpy": ("golden", ""),
    "numba": ("train, cosim: the compiled twin", ""),
    "amaranth": ("the hardware description", ""),
    "cocotb": ("cosim: the bench", ""),
    "matplotlib": ("figures", ""),
    "dask": ("sweep on a cluster", "study"),
    "pyserial": ("board", "boards"),
    "amaranth-boards": ("build, board", "boards"),
    "python-sat": ("mutants", "dev"),
    "onnxruntime": ("export --onnx", "onnx"),
    "river": ("train --baselines", "river"),
}


UNVERSIONED = ("make", "perl")  # of those only whether they are there


@click.command("doctor", epilog=examples("hebbware doctor", "hebbware doctor --json doctor.json"))
@json_option
def command(output: Output) -> None:
    """Say which tools, folders and data sets are found, and how to get those that are not.

    Exit code 1 where the main commands (train, verilog, cosim) would fail.
    """
    found = [*_simulation(), *_packages(), *_bitstreams(), _cache(), *_data()]
    output.table(
        f"hebbware {importlib.metadata.version('hebbware')}, Python {platform.python_version()}, "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores",
        ("what", "for", "found"),
        [(row["what"], row["for"], row["found"] or f"no: {row['get']}") for row in found],
    )
    output.write({"found": found})
    missing = [row["what"] for row in found if row["needed"] and not row["found"]]
    if missing:
        raise CheckFailed(f"the main commands lack {', '.join(missing)}")


def versions() -> Iterator[tuple[str, str]]:
    """Yield this program, the interpreter, and the tools, each with the version that is found."""
    yield "hebbware", importlib.metadata.version("hebbware")
    yield "Python", platform.python_version()
    for row in (*_simulation(), *_packages(), *_bitstreams()):
        if row["what"] not in UNVERSIONED:
            yield row["what"], row["found"] or "not found"


def _row(what: str, use: str, look: Callable[[], str], *, needed: bool = False) -> dict[str, Any]:
    """Return what `look` finds; where it raises InputError, how to get it."""
    row = {"what": what, "for": use, "found": None, "get": "", "needed": needed}
    try:
        row["found"] = look()
    except InputError as error:
        row["get"] = str(error)
    return row


def _simulation() -> Iterator[dict]:
    from hebbware.cosim import toolchain

    for name in ("make", "perl"):
        yield _row(name, "cosim", lambda name=name: toolchain.on_path(name), needed=True)
    yield _row("C++ compiler", "cosim", lambda: _compiler(toolchain), needed=True)
    yield _row("Verilator", "cosim", lambda: _verilator(toolchain), needed=True)


def _compiler(toolchain) -> str:
    path = toolchain.compiler()
    return f"{path}: {toolchain.first_line(path, '--version')}"


def _verilator(toolchain) -> str:
    path, version, origin = toolchain.verilator()
    return f"{version}, {path}" if origin == "PATH" else f"{version}, Python package"


def _packages() -> Iterator[dict]:
    for name, (use, extra) in PACKAGES.items():
        yield _row(name, use, lambda n=name, e=extra: _installed(n, e), needed=not extra)


def _installed(name: str, extra: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"pip install 'hebbware{f'[{extra}]' if extra else ''}'") from None


def _bitstreams() -> Iterator[dict]:
    from hebbware.cosim import tools

    for name in tools.YOWASP:
        yield _row(name, "build", lambda name=name: tools.find(name).origin)


def _cache() -> dict:
    from hebbware.golden.system import places

    def look() -> str:
        folder = places.keep("")
        free = shutil.disk_usage(folder).free
        return f"{folder}, {free / 1e9:.1f} GB free"

    return _row("cache", "built simulations, fetched data", look, needed=True)


def _data() -> Iterator[dict]:
    from hebbware.golden.data import idx, sets

    def look(name: str) -> str:
        for folder in idx.folders(name):
            if idx.present(folder):
                return str(folder)
        raise InputError(f"hebbware data {name} fetches it; or $HEBBWARE_DATA names its folder")

    for name in idx.PUBLISHED:
        yield _row(name, "--dataset", lambda name=name: look(name))
    for name, folder in sets.FOLDERS.items():
        row = _row(name, "--dataset", lambda folder=folder: str(folder()))
        yield {**row, "get": row["get"].partition("; ")[2]}  # what is looked for is left out
