"""Builds simulations and keeps them, by content, for the next time."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cocotb_tools.config
from amaranth.lib import wiring
from cocotb_tools.runner import get_runner

from hebbware.golden.errors import InputError
from hebbware.hdl.verilog import convert

from .bench import Bench, channel_modules, describe
from .toolchain import OPTIMISATION, Toolchain, ToolError, find

# what Amaranth's Verilog does on purpose
SILENCED = ("WIDTHEXPAND", "WIDTHTRUNC", "UNSIGNED", "CMPCONST", "CASEINCOMPLETE", "INITIALDLY")
FLAGS = (
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
    *("-CFLAGS", "-std=c++20"),
    *(f"-Wno-{name}" for name in SILENCED),
)
# the runner makes every signal visible to cocotb, which costs speed: only the top has to be
BENCH_FLAGS = (*FLAGS, "--timing", "--no-public-flat-rw", "--public-depth", "1")
COVERAGE_FLAGS = ("--coverage-line", "--coverage-toggle")
START_FLAGS = ("--x-assign", "unique", "--x-initial", "unique")  # the last ones hold


@dataclass(frozen=True)
class Model:
    """A simulation that is ready to run.

    Attributes
    ----------
    directory : Path
        Where it lies in the cache: the program ``bench`` and its sources.
    bench : Bench
        The channels.
    waves : bool
        Whether it can write a waveform.
    coverage : bool
        Whether it can write what was reached.
    random_start : bool
        Whether registers and memories begin with what a seed draws.
    toolchain : Toolchain
        What built it.
    seconds : float
        How long :func:`build` took.
    cached : bool
        Whether it was there already.
    """

    directory: Path
    bench: Bench
    waves: bool
    coverage: bool
    random_start: bool
    toolchain: Toolchain
    seconds: float
    cached: bool


def build(
    component: wiring.Component,
    *,
    hold: Mapping[str, str] | None = None,
    constants: Mapping[str, int] | None = None,
    ignored: tuple[str, ...] = (),
    platform: Any = None,
    netlist: str | None = None,
    models: Mapping[str, str] | None = None,
    waves: bool = False,
    quick: bool = False,
    coverage: bool = False,
    random_start: bool = False,
) -> Model:
    """Builds the simulation of a component in its bench, or finds it in the cache.

    While it builds, the environment of this process is changed.

    Parameters
    ----------
    component : wiring.Component
        What to simulate.
    hold, constants, ignored
        See :func:`hebbware.cosim.bench.describe`.
    platform : optional
        Passed on to ``elaborate``.
    netlist : str, optional
        Verilog of the module ``dut`` that takes the place of the component's own: what synthesis
        made of it.
    models : dict, optional
        Text by file name of what that instantiates beside the component: cells of a vendor.
    waves : bool
        Whether runs may write waveforms; that is another, slower model.
    quick : bool
        Whether to compile without optimisation: half the time to build, for runs of some ten
        thousand clocks.
    coverage : bool
        Whether runs may write which lines were reached and which bits changed; slower.
    random_start : bool
        Whether registers and memories begin with random numbers: what Amaranth would have them
        begin with is taken out (`without_start_values`), constant memories aside.

    Raises
    ------
    InputError
        If a tool is missing or the cache cannot be written.
    ToolError
        If Verilator or the compiler fails.
    """
    start = time.monotonic()
    bench = describe(component, hold=hold, constants=constants, ignored=ignored)
    if netlist is None:
        text = emit(component, platform=platform)
    else:
        text, component._MustUse__used = netlist, True  # only its signature is used
    if random_start:
        text = without_start_values(text)
    names = port_names(text)
    if unknown := set(names) - set(bench.ports()) - {"clk", "rst"}:
        raise ValueError(f"ports must belong to the domain `sync` or the signature: {unknown}")
    sources = {
        "channels.sv": channel_modules(),
        "dut.v": text,
        "bench.sv": bench.verilog(clocked="clk" in names),
        **(models or {}),
    }
    tools = find()
    flags = (*BENCH_FLAGS, *(("-CFLAGS", "-O0") if quick else ()))  # the last -O holds
    flags = (*flags, *(COVERAGE_FLAGS if coverage else ()), *(START_FLAGS if random_start else ()))
    if netlist is not None:
        flags = (*flags, "-Wno-fatal")  # neither it nor the vendors' models are written by us
    elif models:
        flags = (*flags, "-Wno-PINMISSING")  # an instance may leave out what it does not use

    def compile_into(directory: Path) -> None:
        with tools.environment():
            runner = get_runner("verilator")
            runner.build(
                sources=[directory.parent / name for name in sources],
                hdl_toplevel="bench",
                build_dir=directory,
                build_args=flags,
                timescale=("1ns", "1ns"),
                waves=waves,
                log_file=directory.parent / "build.log",
            )

    directory, cached = from_cache("bench", sources, (*flags, str(waves)), tools, compile_into)
    seconds = time.monotonic() - start
    return Model(directory, bench, waves, coverage, random_start, tools, seconds, cached)


def emit(component: wiring.Component, *, platform: Any = None) -> str:
    """Verilog of a component as the module ``dut``, without traces of where it was written."""
    return convert(component, "dut", platform=platform)


def without_start_values(text: str) -> str:
    """Verilog of Amaranth's without what registers, and memories that are written, begin with."""
    head, *modules = re.split(r"^(?=module )", text, flags=re.MULTILINE)
    return "".join([head, *map(_without_start_values, modules)])


def _without_start_values(module: str) -> str:
    written = set(re.findall(r"^ +(\S+?) ?\[.*\] <= ", module, re.MULTILINE))
    module = re.sub(
        r"^  initial begin\n(?:    (\S+?) ?\[.*\n)+  end\n",
        lambda found: "" if found[1] in written else found[0],
        module,
        flags=re.MULTILINE,
    )
    return re.sub(r"^(  reg .*?) += .*;$", r"\1 ;", module, flags=re.MULTILINE)


def port_names(text: str) -> list[str]:
    """The ports of the module ``dut``."""
    names = re.search(r"^module dut\(([^)]*)\);", text, re.MULTILINE)[1]
    return [name.strip() for name in names.split(",")]


def cache_directory() -> Path:
    """Where built simulations are kept.

    ``$HEBBWARE_CACHE/verilator``, else ``hebbware/verilator`` below ``$XDG_CACHE_HOME``, else
    below ``~/.cache``.
    """
    if own := os.environ.get("HEBBWARE_CACHE"):
        return Path(own).absolute() / "verilator"
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root).absolute() / "hebbware" / "verilator"


def from_cache(
    program: str,
    sources: Mapping[str, str],
    flags: tuple[str, ...],
    tools: Toolchain,
    compile_into: Callable[[Path], None],
) -> tuple[Path, bool]:
    """The cache entry of a program, built first if it is not there.

    Two processes may build the same thing at once: each builds in a directory of its own, and the
    first to finish puts it in place.

    Parameters
    ----------
    program : str
        Name of the program that is built.
    sources : dict
        Text by file name; the files are written beside the directory of the build.
    flags : tuple of str
        All that decides about the result besides the sources and the tools.
    tools : Toolchain
        Its versions decide too.
    compile_into : callable
        Builds the program in the directory that it is given, from the sources in the one above;
        writes ``build.log`` there.

    Returns
    -------
    tuple
        The directory with the program and the sources, and whether it was there already.
    """
    environment = [version("cocotb"), str(cocotb_tools.config.libs_dir)]
    about = [program, *flags, str(tools), tools.compiler, OPTIMISATION, *environment]
    key = hashlib.sha256(json.dumps([about, sources]).encode()).hexdigest()[:32]
    cache = cache_directory()
    entry = cache / key
    if (entry / program).exists():
        return entry, True
    try:
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="building-", dir=cache))
    except OSError as error:
        raise InputError(
            f"cache of simulations: cannot write {cache} ({error.strerror}); "
            "set $HEBBWARE_CACHE to a folder that can be written"
        ) from None
    try:
        runtime = cache / f"runtime-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]}"
        _build(program, sources, work, runtime, compile_into)
        shutil.rmtree(work / "objects")
        try:
            work.rename(entry)
        except OSError:
            if not (entry / program).exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return entry, False


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
    later = time.time() + 3600  # make would compile them again: they depend on the makefile to come
    for path in runtime.glob("*.o"):
        os.utime(shutil.copy(path, objects), (later, later))
    try:
        compile_into(objects)
    except (RuntimeError, SystemExit, subprocess.CalledProcessError):
        raise ToolError("the simulation does not build:", work / "build.log") from None
    if not runtime.exists():
        copy = work / "runtime"
        copy.mkdir()
        for path in objects.glob("verilated*.o"):
            shutil.copy(path, copy)
        try:
            copy.rename(runtime)
        except OSError:  # another process was first
            shutil.rmtree(copy)
    (objects / program).rename(work / program)
