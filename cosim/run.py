"""Runs a model on stimulus and compares every record of its logs, clock included."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hebbware.golden.errors import InputError, ToolError
from hebbware.golden.program.stalls import start_state
from hebbware.golden.system import places

from .bench import PERIOD, RESET_CLOCKS
from .build import Model
from .cache import discard
from .compare import Mismatch
from .records import Channel, as_rows, words
from .runner import Verilator
from .toolchain import read_log

IDLE = 64  # clocks to run on after the last record expected


@dataclass(frozen=True)
class Stimulus:
    """Words for a source.

    Attributes
    ----------
    words : numpy.ndarray
        Rows of words (:func:`hebbware.cosim.records.pack`), or integers of at most 32 bits.
    hold : numpy.ndarray, optional
        For each word, how many words must have moved on the sink that the source is bound to
        before it is loaded.
    """

    words: np.ndarray
    hold: np.ndarray | None = None


@dataclass(frozen=True)
class RunResult:
    """What came out of a run.

    Attributes
    ----------
    clocks : int
        Clocks simulated.
    compared : int
        Records that were compared and found equal.
    mismatch : Mismatch, optional
        The earliest difference, at which the run stopped.
    seconds : float
        Seconds in which the simulator ran, comparisons excluded.
    logs : dict
        By channel, everything logged; for the layout see :class:`hebbware.cosim.records.Channel`.
    """

    clocks: int
    compared: int
    mismatch: Mismatch | None
    seconds: float
    logs: dict[str, np.ndarray]

    @property
    def mismatches(self) -> int:
        """0 or 1: a run stops at the first."""
        return int(self.mismatch is not None)

    @property
    def clocks_per_second(self) -> float:
        """Speed of the simulator."""
        return self.clocks / self.seconds if self.seconds else 0.0


def run(
    model: Model,
    stimulus: Mapping[str, np.ndarray | Stimulus],
    expected: Mapping[str, np.ndarray] | None = None,
    *,
    seed: int = 0,
    stalls: int | Mapping[str, int] = 0,
    clocks: int | None = None,
    until: Mapping[str, int] | None = None,
    reset_after: int = 0,
    start_seed: int | None = None,
    waves: Path | None = None,
    coverage: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Runs a model from reset.

    Parameters
    ----------
    model : Model
        From :func:`hebbware.cosim.build.build`.
    stimulus : dict
        Words by source; a source that is not there stays silent.
    expected : dict, optional
        Whole logs by channel (:func:`hebbware.cosim.records.records`). Channels that are not there
        are logged only. The run stops at the first difference.
    seed : int
        Of all stalls, see :func:`hebbware.golden.program.stalls.start_state`.
    stalls : int or dict
        0 (none) to 255, for all streams or by stream; 0 for those not there.
    clocks : int, optional
        Clocks to run. By default until 64 clocks after the last record expected.
    until : dict, optional
        Stop early, a while after each of these channels has logged so many records.
    reset_after : int
        Clocks to run before that, on the same stimulus: then the reset is high again, and all
        begins anew. Nothing of those clocks is logged or counted. 0: none.
    start_seed : int, optional
        Draws what registers and memories hold before the reset; the model must have been built
        with ``random_start=True``.
    waves : Path, optional
        Write a waveform (VCD) there; the model must have been built with ``waves=True``.
    coverage : Path, optional
        Write Verilator's coverage data there; the model must have been built with
        ``coverage=True``.
    progress : callable, optional
        Called now and then with the clocks done.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.
    InputError
        If a file cannot be written.
    ToolError
        If the simulator dies.
    """
    channels = model.bench.channels
    expected = {name: _checked(channels, name, log) for name, log in (expected or {}).items()}
    if unknown := set(until or ()) - set(channels):
        raise ValueError(f"until must be for {sorted(channels)}, not {sorted(unknown)}")
    if not 0 <= reset_after < 1 << 31:
        raise ValueError(f"reset_after must be from 0 to 2**31-1, not {reset_after}")
    arguments = [*plusargs(channels, seed, stalls), f"+reset_after={reset_after}"]
    arguments += _start_plusargs(model, start_seed)
    _check_files(model, waves, coverage)
    job = _job(channels, expected, until, reset_after) | {"clocks": _clocks(expected, clocks)}
    with places.temporary() as work:
        write_stimulus(work, channels, stimulus)
        for name, log in expected.items():
            log.tofile(work / f"{name}.expected")
        (work / "job.json").write_text(json.dumps(job))
        simulate(model, work, arguments, waves is not None, progress)
        for file, wanted in (("dump.vcd", waves), ("coverage.dat", coverage)):
            if wanted is not None:
                shutil.move(work / file, wanted)
        return _result(work, channels)


def _job(
    channels: Mapping[str, Channel],
    expected: Mapping[str, np.ndarray],
    until: Mapping[str, int] | None,
    reset_after: int,
) -> dict[str, Any]:
    """What the simulator's Python reads, but for the number of clocks."""
    resets = RESET_CLOCKS + (reset_after + RESET_CLOCKS) * (reset_after > 0)
    columns = {name: channel.columns for name, channel in channels.items()}
    return {
        "logs": {n: {"columns": c, "compared": n in expected} for n, c in columns.items()},
        "until": dict(until or {}),
        "period": PERIOD,
        "reset": resets * PERIOD,
    }


def _clocks(expected: Mapping[str, np.ndarray], clocks: int | None) -> int:
    """Clocks to run: those given, or until a while after the last record expected."""
    least = max((int(log[-1, 0]) + 1 for log in expected.values() if len(log)), default=None)
    if clocks is None:
        if least is None:
            raise ValueError("clocks must be given where nothing is expected")
        clocks = least + IDLE
    least = least or 1
    if not least <= clocks < 1 << 32:
        raise ValueError(f"clocks must be {least} (last record expected) to 2**32-1, not {clocks}")
    return clocks


def _result(work: Path, channels: Mapping[str, Channel]) -> RunResult:
    """The result that the simulator left in its folder."""
    found = json.loads((work / "result.json").read_text())
    mismatch = found.pop("mismatch")
    return RunResult(
        mismatch=_mismatch(**mismatch) if mismatch else None,
        logs={name: _read_log(work, channel) for name, channel in channels.items()},
        **{name: found[name] for name in ("clocks", "compared", "seconds")},
    )


def _mismatch(expected: list[int] | None, got: list[int] | None, **rest: Any) -> Mismatch:
    """The mismatch in the simulator's JSON."""
    rows = {"expected": expected, "got": got}
    return Mismatch(**{k: row if row is None else tuple(row) for k, row in rows.items()}, **rest)


def _checked(channels: Mapping[str, Channel], name: str, log: np.ndarray) -> np.ndarray:
    """An expected log, if it is one."""
    if name not in channels:
        raise ValueError(f"expected must be for {sorted(channels)}, not {name!r}")
    shape = (len(log), channels[name].columns)
    if log.dtype != np.uint32 or log.shape != shape:
        raise ValueError(f"expected {name} must be uint32 {shape}, not {log.dtype} {log.shape}")
    late = np.flatnonzero(log[1:, 0] <= log[:-1, 0])
    if late.size:
        at = int(late[0])
        raise ValueError(f"expected {name}: clocks must increase, not {log[at : at + 2, 0]} ({at})")
    return log


def plusargs(
    channels: Mapping[str, Channel], seed: int, stalls: int | Mapping[str, int]
) -> list[str]:
    """Start state and stall of each stream."""
    streams = [name for name, channel in channels.items() if channel.kind != "event"]
    if isinstance(stalls, int):
        stalls = dict.fromkeys(streams, stalls)
    if unknown := set(stalls) - set(streams):
        raise ValueError(f"stalls must be for {sorted(streams)}, not {sorted(unknown)}")
    if wrong := {name: stall for name, stall in stalls.items() if not 0 <= stall <= 255}:
        raise ValueError(f"stalls must be from 0 to 255, not {wrong}")
    args = []
    for name in streams:
        args += [f"+{name}.state={start_state(seed, name)}", f"+{name}.stall={stalls.get(name, 0)}"]
    return args


def _start_plusargs(model: Model, start_seed: int | None) -> list[str]:
    """Seed of the start values, from 1 on as Verilator counts it."""
    if model.random_start != (start_seed is not None):
        raise ValueError("a start_seed is needed where, and only where, random_start was built")
    if start_seed is None:
        return []
    if not 0 <= start_seed < (1 << 31) - 1:
        raise ValueError(f"start_seed must be from 0 to 2**31-2, not {start_seed}")
    return ["+verilator+rand+reset+2", f"+verilator+seed+{start_seed + 1}"]


def _check_files(model: Model, waves: Path | None, coverage: Path | None) -> None:
    """Refuse files that the model was not built for, and waves that cannot be written."""
    if waves is not None and not model.waves:
        raise ValueError("waves need a model that was built with waves=True")
    if waves is not None and (waves.is_dir() or not os.access(waves.absolute().parent, os.W_OK)):
        raise InputError(f"waves: cannot write {waves}; name a file in a writable folder")
    if coverage is not None and not model.coverage:
        raise ValueError("coverage needs a model that was built with coverage=True")


def write_stimulus(
    work: Path, channels: Mapping[str, Channel], stimulus: Mapping[str, np.ndarray | Stimulus]
) -> None:
    """A file for each source: per word its bits and its hold, most significant byte first."""
    sources = {name: channel for name, channel in channels.items() if channel.kind == "source"}
    if unknown := set(stimulus) - set(sources):
        raise ValueError(f"stimulus must be for {sorted(sources)}, not {sorted(unknown)}")
    for name, channel in sources.items():
        given = stimulus.get(name, np.zeros((0, words(channel.width)), np.uint32))
        if not isinstance(given, Stimulus):
            given = Stimulus(given)
        rows = as_rows(given.words, channel.width)
        file = np.zeros((len(rows), rows.shape[1] + 1), ">u4")
        file[:, :-1] = rows[:, ::-1]
        if given.hold is not None:
            if channel.hold is None:
                raise ValueError(f"{name} has holds but was built without a sink to wait for")
            file[:, -1] = given.hold
        file.tofile(work / f"{name}.stimulus")


def simulate(
    model: Model,
    work: Path,
    plusargs: list[str],
    waves: bool = False,
    progress: Callable[[int], None] | None = None,
    *,
    test_module: str = "hebbware.cosim.cocotb_entry",
) -> None:
    """Runs the program of a model to its end.

    Parameters
    ----------
    model : Model
    work : Path
        Where the stimulus and ``job.json`` are, and ``result.json`` will be.
    plusargs : list of str
    waves, progress
        As `run` takes them.
    test_module : str
        What cocotb runs in it.

    Raises
    ------
    ToolError
        The simulator dies, or leaves no result.
    """
    log, done = work / "simulator.output", work / "progress"

    def watch() -> None:
        if done.exists():
            progress(int(done.read_text() or 0))

    try:
        Verilator(watch if progress else None).test(
            test_module=test_module,
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            build_dir=model.directory,
            test_dir=work,
            plusargs=plusargs,
            waves=waves,
            results_xml=str(work / "results.xml"),
            log_file=log,
        )
    except OSError as error:
        if error.filename != str(model.directory / "bench"):
            raise
        discard(model.directory)
        raise ToolError(
            f"the simulator {error.filename} cannot be run ({error.strerror}); it is not kept any "
            "longer, and built again the next time"
        ) from None
    except SystemExit:  # of cocotb's runner, under pytest
        raise ToolError("the simulator did not run to its end", read_log(log)) from None
    if not (work / "result.json").exists():
        raise ToolError("the simulator left no result", read_log(log))


def _read_log(work: Path, channel: Channel) -> np.ndarray:
    """Whole log of a channel; it stays readable though its file is removed."""
    path = work / f"{channel.name}.log"
    if path.stat().st_size == 0:
        return np.zeros((0, channel.columns), np.uint32)
    return np.memmap(path, np.uint32, "r").reshape(-1, channel.columns)
