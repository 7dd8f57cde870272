"""Builds simulations: the component, its bench, Verilator."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hebbware.hdl.verilog import convert

from .bench import Bench, channel_modules, describe
from .cache import from_cache
from .runner import Verilator
from .toolchain import Toolchain, find

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
    config : optional
        What the component was made from, where whoever built it says so.
    """

    directory: Path
    bench: Bench
    waves: bool
    coverage: bool
    random_start: bool
    toolchain: Toolchain
    seconds: float
    cached: bool
    config: Any = None


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
    tell: Callable[[], None] = lambda: None,
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
        Text by file name of the modules that it instantiates: cells of a vendor.
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
    tell : callable
        Called before the simulation is built.

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
        netlist, flags = emit(component, platform=platform), []
        if models:
            flags.append("-Wno-PINMISSING")  # an instance may leave out what it does not use
    else:
        component._MustUse__used = True  # only its signature is used
        flags = ["-Wno-fatal"]  # neither it nor the vendors' models are written by us
    text = without_start_values(netlist) if random_start else netlist
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
    flags = (
        *(*BENCH_FLAGS, *(("-CFLAGS", "-O0") if quick else ())),  # the last -O holds
        *(*(COVERAGE_FLAGS if coverage else ()), *(START_FLAGS if random_start else ()), *flags),
    )
    work = _compiler(tools, sources, flags, waves)
    directory, cached = from_cache("bench", sources, (*flags, str(waves)), tools, work, tell)
    took = time.monotonic() - start
    return Model(directory, bench, waves, coverage, random_start, tools, took, cached)


def _compiler(
    tools: Toolchain, sources: Iterable[str], flags: Sequence[str], waves: bool
) -> Callable[[Path], None]:
    """Returns a function that compiles sources into a folder next to them."""

    def compile_into(directory: Path) -> None:
        with tools.environment(directory.parent / "tools"):
            Verilator().build(
                sources=[directory.parent / name for name in sources],
                hdl_toplevel="bench",
                build_dir=directory,
                build_args=flags,
                timescale=("1ns", "1ns"),
                waves=waves,
                log_file=directory.parent / "build.log",
            )

    return compile_into


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
