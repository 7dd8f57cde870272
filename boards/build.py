"""From a board and a configuration to a bitstream: the steps, and what came of them."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from ..cosim import tools
from ..golden.config import CoreConfig
from ..golden.errors import InputError
from ..golden.estimate import devices, estimate, ticks
from ..golden.system.workers import workers
from . import protocol, report
from . import watch as watching
from .board import Board
from .host import figures

NAME = "hebbware"
PLAYER = 1600  # LUTs of what plays samples from a chip: 1,556 on iCE40, 1,659 on ECP5 by Yosys
STAMP = "build.toml"
SYNTHESIS = {"ecp5": "", "ice40": "-dsp -device u", "gowin": ""}
# on an ECP5 large cores need the newer router, and the placer that leaves the shortest wires
PLACEMENT = {"ecp5": "--placer static --router router2", "ice40": "", "gowin": ""}
BITSTREAM = {"ecp5": ".bit", "ice40": ".bin", "gowin": ".fs"}


@dataclass(frozen=True)
class Step:
    """A step that is done.

    Attributes
    ----------
    number : int
    name : str
    tool : str
        What did it, and where that is from.
    seconds : float
    log : str
        File of what it printed.
    """

    number: int
    name: str
    tool: str
    seconds: float
    log: str


@dataclass(frozen=True)
class Placement:
    """One placement: its seed, the clock it reaches in MHz, its worst path."""

    seed: int
    fmax_mhz: float
    path: report.Path | None
    report: dict


@dataclass(frozen=True)
class Result:
    """A finished build.

    Attributes
    ----------
    board : Board
    config : CoreConfig
    clock_mhz : float
        The core's clock, which the PLL makes.
    placements : tuple of Placement
    best : Placement
        The one the bitstream is of.
    used, available : dict
        ``lut``, ``ff``, ``bram``, ``dsp``, on iCE40 ``spram``.
    steps : tuple of Step
    bitstream : Path
    """

    board: Board
    config: CoreConfig
    clock_mhz: float
    placements: tuple[Placement, ...]
    best: Placement
    used: dict[str, int]
    available: dict[str, int]
    steps: tuple[Step, ...]
    bitstream: Path

    @property
    def met(self) -> bool:
        """Whether the core's clock is reached."""
        return self.best.fmax_mhz >= self.clock_mhz


def check_fits(board: Board, config: CoreConfig) -> devices.Need:
    """Estimate the need of the device.

    Raises
    ------
    InputError
        It is more than the device has: of what, and the nearest configuration that fits. Targets
        are signals.
    """
    protocol.check_targets(config)
    need = devices.need(config, board.device)
    if need.fits:
        plays = PLAYER if board.memory or board.chip else 0
        if need.lut + plays > need.has["lut"]:
            raise InputError(
                f"memory must be 0 for this core: what plays samples needs about {PLAYER:,} LUTs, "
                f"and the core leaves {need.has['lut'] - need.lut:,} of {board.device}"
            )
        blocks = need.has["ram"] - need.ram - -(-board.queue // board.block_bytes)
        left = blocks * board.block_bytes // 1024
        if board.memory > max(left, 0) and not board.chip:
            raise InputError(
                f"memory must be at most about {max(left, 0)} KiB, which the core leaves of the "
                f"block RAM of {board.device}, not {board.memory}"
            )
        return need
    over = ", ".join(
        f"{getattr(need, key):,} {devices.NAMES[key]} of {has:,}"
        for key, has in need.has.items()
        if getattr(need, key) > has
    )
    nearest = devices.nearest(config, board.device)
    layers = "-".join(map(str, devices.widths_of(nearest))) if nearest else ""
    advice = (
        f"the nearest that fits: layers of {layers} on {nearest.lanes} lanes"
        if nearest
        else f"not on one lane either; the board's preset is {board.preset}"
    )
    raise InputError(f"{board.device} is too small: about {over}; {advice}")


def prepare_folder(folder: Path, board: Board, config: CoreConfig, clock_hz: int, overwrite: bool):
    """Make the folder and its stamp.

    Raises
    ------
    InputError
        It holds a build of something else, or other files, and `overwrite` is not set.
    """
    stamp = f'board = "{board.name}"\nclock_hz = {clock_hz}\nmemory = {board.memory}\n'
    stamp += f'chip = "{board.chip}"\n' if board.chip else ""
    stamp += config.to_toml()
    file = folder / STAMP
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--folder must be a folder, not the file {folder}")
    if not overwrite and folder.is_dir():
        if file.exists() and file.read_text() != stamp:
            raise InputError(
                f"{folder} holds the build of another configuration; "
                "give another --folder, or --overwrite"
            )
        if not file.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} holds other files; give another --folder, or --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(stamp)
    except OSError as error:
        raise InputError(f"--folder: cannot write {folder}: {error.strerror}") from None


def build(
    board: Board,
    config: CoreConfig,
    folder: Path,
    *,
    clock_hz: int | None = None,
    seeds: int = 1,
    jobs: int = 1,
    overwrite: bool = False,
    tell: Callable[[int, int, str, Step | None], None] = lambda *_: None,
    doing: Callable[[str], None] = lambda _: None,
) -> Result:
    """Build a bitstream in `folder`.

    Parameters
    ----------
    clock_hz : int, optional
        Of the core; by default the board's.
    seeds : int
        Placements to try; the fastest becomes the bitstream.
    jobs : int
        Placements at a time, a process each.
    tell : callable
        Called with number, count and name of a step before it, and with what came of it after it.
        Placements are one step before, and one each after.
    doing : callable
        Called with what place and route is doing, such as how many wires are overused, where it is
        one placement at a time.

    Raises
    ------
    InputError
        Bad input, or a program that is not there.
    ToolError
        A program failed.
    """
    from .top import clock_setting

    clock_hz = clock_hz or board.clock_hz
    setting = clock_setting(board, clock_hz)  # before anything is written
    needed = [tools.find(name) for name in _tools(board)]
    prepare_folder(folder, board, config, clock_hz, overwrite)
    count, steps = len(needed) + seeds, []

    def begin(name: str) -> None:
        tell(len(steps) + 1, count, name, None)

    def end(name: str, tool: str, log: str, seconds: float) -> None:
        steps.append(Step(len(steps) + 1, name, tool, seconds, str(folder / log)))
        tell(len(steps), count, name, steps[-1])

    def step(name: str, tool: str, log: str, work):
        begin(name)
        start = time.monotonic()
        value = work()
        end(name, tool, log, time.monotonic() - start)
        return value

    commands, clock_mhz = step(
        "elaborate", "Amaranth", f"{NAME}.il", lambda: _elaborate(board, config, setting, folder)
    )
    yosys, place, pack = needed

    def run(tool, arguments, name, log):
        step(
            name, f"{tool.name}, {tool.origin}", log,
            lambda: tools.call(tool, arguments, step=name, folder=folder, log=folder / log),
        )  # fmt: skip

    run(yosys, commands[0], "synthesise", "synthesis.log")
    cells = _cells(folder / f"{NAME}.stat.json")
    begin("place and route" + (f", {seeds} seeds, {jobs} at a time" if seeds > 1 else ""))
    placements = []
    for placement, seconds in _placements(
        place, commands[1], clock_mhz, folder, seeds, min(jobs, seeds), doing
    ):
        placements.append(placement)
        name = "place and route" + (f", seed {placement.seed}" if seeds > 1 else "")
        end(name, f"{place.name}, {place.origin}", _log(placement.seed), seconds)
    placements.sort(key=lambda placement: placement.seed)
    best = max(placements, key=lambda placement: placement.fmax_mhz)
    run(pack, [_seeded(argument, best.seed) for argument in commands[2]], "pack", "pack.log")
    return Result(
        board, config, clock_mhz, tuple(placements), best,
        report.resources(board.family, best.report, cells),
        report.available(board.family, best.report),
        tuple(steps), folder / f"{NAME}{BITSTREAM[board.family]}",
    )  # fmt: skip


def _tools(board: Board) -> tuple[str, str, str]:
    return {
        "ecp5": ("yosys", "nextpnr-ecp5", "ecppack"),
        "ice40": ("yosys", "nextpnr-ice40", "icepack"),
        "gowin": ("yosys", "nextpnr-himbaechel-gowin", "gowin_pack"),
    }[board.family]


def _placements(
    tool: tools.Tool,
    arguments: list[str],
    clock_mhz: float,
    folder: Path,
    seeds: int,
    jobs: int,
    doing: Callable[[str], None],
) -> Iterator[tuple[Placement, float]]:
    """Each placement with its seconds, as they come."""
    every = [(tool, arguments, clock_mhz, folder, seed) for seed in range(1, seeds + 1)]
    if jobs == 1:

        def watch(line: str) -> None:
            if now := watching.doing(line):
                doing(now)

        for one in every:
            yield _place(*one, watch)
        return
    with workers(jobs) as pool:
        for future in as_completed([pool.submit(_place, *one) for one in every]):
            yield future.result()


def _place(
    tool: tools.Tool,
    arguments: list[str],
    clock_mhz: float,
    folder: Path,
    seed: int,
    watch: Callable[[str], None] | None = None,
) -> tuple[Placement, float]:
    """Place and route with one seed: what came of it, and the seconds."""
    start, written = time.monotonic(), f"report_{seed}.json"
    options = [
        "--freq", f"{clock_mhz:.6f}", "--seed", str(seed), "--report", written,
        "--timing-allow-fail",
    ]  # fmt: skip
    tools.call(
        tool, [*(_seeded(argument, seed) for argument in arguments), *options],
        step=f"place and route, seed {seed}", folder=folder, log=folder / _log(seed), watch=watch,
    )  # fmt: skip
    said = json.loads((folder / written).read_text())
    clock, reached, _ = report.clock(said)
    placement = Placement(seed, reached, report.worst_path(said, clock), said)
    return placement, time.monotonic() - start


def _log(seed: int) -> str:
    return f"placement_{seed}.log"


_PLACED = tuple(f"{NAME}{end}" for end in (".config", ".asc", ".pnr.json"))


def _seeded(argument: str, seed: int) -> str:
    """File names of what a placement writes, with its seed in them."""
    for name in _PLACED:
        if argument == name:
            return name.replace(NAME, f"{NAME}_{seed}", 1)
    return argument


def _elaborate(board: Board, config: CoreConfig, setting, folder: Path):
    """Write Amaranth's files; the arguments of the three programs, and the clock in MHz."""
    from .top import Top

    plan = board.platform().prepare(
        Top(board, config, setting), name=NAME, emit_src=False, synth_opts=SYNTHESIS[board.family],
        nextpnr_opts=PLACEMENT[board.family],
        script_after_synth=f"tee -q -o {NAME}.stat.json stat -json",
    )  # fmt: skip
    for name, content in plan.files.items():
        if not name.startswith(f"build_{NAME}") and not name.endswith(".debug.v"):
            target = folder / name
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                target.write_text(content)
    listed = json.loads(plan.files[f"build_{NAME}.json"])["commands"]
    commands = [[a for a in words[1:] if a not in ("-q", "--quiet")] for words in listed[:3]]
    return commands, float(setting.frequency) / 1e6


def _cells(file: Path) -> dict[str, int]:
    """Cells of each type in the netlist."""
    said = json.loads(file.read_text())
    return said["design"]["num_cells_by_type"]


def summary(result: Result, nonzero: int) -> dict:
    """Facts of a build, for JSON."""
    board, config, path = result.board, result.config, result.best.path
    clocks, of_ticks = _clocks(result, nonzero)
    need = devices.need(config, board.device)
    expected = {"lut": need.lut, "dsp": need.dsp, "bram": need.ram}
    return {
        "board": board.name,
        "device": board.device,
        "fmax_mhz": result.best.fmax_mhz,
        "clock_mhz": result.clock_mhz,
        "met": result.met,
        **{key: result.used.get(key, 0) for key in ("lut", "ff", "bram", "dsp", "spram")},
        "available": result.available,
        "estimate": {
            key: {"estimate": value, "error": value / result.used[key] - 1}
            for key, value in expected.items()
            if result.used.get(key)
        },
        "clocks_per_sample": clocks,
        **of_ticks,
        "nonzero": nonzero,
        "samples_per_second": result.clock_mhz * 1e6 / clocks,
        "samples_per_second_at_fmax": result.best.fmax_mhz * 1e6 / clocks,
        "end_to_end": figures.expected(board, config, result.clock_mhz * 1e6, clocks, nonzero),
        "worst_path": None if path is None else asdict(path) | {"total_ns": path.total_ns},
        "placements": [{"seed": p.seed, "fmax_mhz": p.fmax_mhz} for p in result.placements],
        "median_fmax_mhz": median(p.fmax_mhz for p in result.placements),
        "steps": [asdict(step) for step in result.steps],
        "bitstream": str(result.bitstream),
        "config": config.to_dict(),
    }


def _clocks(result: Result, nonzero: int) -> tuple[int, dict]:
    """Clocks of a learned sample; of a sequence also those of its ticks, and how many times faster
    than real time they are, at a millisecond each: in the mean, and the slowest. No unit spikes.
    """
    config = result.config
    if not config.recurrent:
        return estimate.clocks_per_sample(config, nonzero), {}
    each, clocks = (
        ticks.clocks_per_tick(config, nonzero),
        ticks.clocks_per_sequence(config, nonzero),
    )
    millisecond = 1000 * result.clock_mhz
    return clocks, {
        "clocks_per_tick": each,
        "real_time": {
            "mean": millisecond * config.neuron.ticks / clocks,
            "slowest": millisecond / max(each.values()),
        },
    }
