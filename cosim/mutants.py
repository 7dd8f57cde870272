"""Mutants of the core: changes of a single bit in its netlist, each of which stimuli must notice.

Yosys draws the changes (``mutate``): a bit of an input or output of a cell becomes 0, 1, its
inverse, or its inverse where another bit of the same port is 0 or 1. All mutants are in one
simulation; a run chooses one. No Python runs beside it: the bench compares every record itself and
ends at the first difference, so that a mutant takes milliseconds.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from amaranth.back import rtlil

import hebbware.hdl
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.system import children, places
from hebbware.golden.timing.schedule import predict
from hebbware.hdl.core import Core

from . import tools
from .bench import Bench, channel_modules, describe
from .build import SILENCED
from .cache import from_cache
from .core import HOLD, expected_logs, stimulus
from .run import IDLE, plusargs, write_stimulus
from .stimuli import Stimuli
from .toolchain import compile_program, find

CHOICE, CHOICE_BITS = "mutant", 16  # input of the netlist: number of the mutant, 0 for none
OF_CLOCKS = ("EN", "ARST", "SRST")  # without a meaning, and fixed, where there is no clock
SPARE = 100  # drawn beyond those wanted: clocks are left alone
JOBS = 2
FLAGS = (
    *("--binary", "--timing", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
    *("-CFLAGS", "-std=c++20 -O1", "-Wno-fatal"),  # the last -O holds
    *(f"-Wno-{name}" for name in SILENCED),
)


@dataclass(frozen=True)
class Mutant:
    """A change of the netlist.

    Attributes
    ----------
    number : int
        From 1 on.
    mode : str
        ``const0``, ``const1``, ``inv``, ``cnot0``, ``cnot1``: see `hebbware.cosim.mutants`.
    module, cell, port : str
        Where it is.
    bit : int
        Of the port.
    wire : str
        The named wire that the bit belongs to, blank if none.
    sources : tuple of str
        Lines of `hebbware.hdl` that it comes from, ``hdl/lanes/lane.py:12``.
    options : str
        Those of Yosys's ``mutate``.
    """

    number: int
    mode: str
    module: str
    cell: str
    port: str
    bit: int
    wire: str
    sources: tuple[str, ...]
    options: str

    @property
    def command(self) -> str:
        """Yosys's, that makes the change where `CHOICE` has the mutant's number."""
        return f"mutate -ctrl {CHOICE} {CHOICE_BITS} {self.number} {self.options}"

    def __str__(self) -> str:
        wire = f" ({self.wire})" if self.wire else ""
        return (
            f"mutant {self.number}: {self.mode} of bit {self.bit} of {self.module} "
            f"{self.cell}.{self.port}{wire}, {' '.join(self.sources) or 'no source line'}"
        )


def parse(number: int, line: str) -> Mutant:
    """A mutant from a line of the list that ``mutate -list`` writes."""
    pairs = re.findall(r"-(\w+) ((?:(?! -[a-z]).)+)", line)
    fields = {name: value for name, value in pairs if name != "src"}
    wire = fields.get("wire", "")
    return Mutant(
        number=number,
        mode=fields["mode"],
        module=fields["module"],
        cell=fields["cell"],
        port=fields["port"].lstrip("\\"),
        bit=int(fields["portbit"]),
        wire=f"{wire}[{fields['wirebit']}]" if wire else "",
        sources=tuple(v for name, v in pairs if name == "src" and v.startswith("hdl/")),
        options=re.sub(r"^mutate|-(wire|wirebit|src) (?:(?! -[a-z]).)+", "", line).strip(),
    )


def unclocked_reads(netlist: str) -> set[tuple[str, str]]:
    """Module and cell of each read port of a memory that has no clock, in RTLIL."""
    found, module, cell = set(), "", ""
    for line in netlist.splitlines():
        words = line.split()
        if words[:1] == ["module"]:
            module = words[1].lstrip("\\")
        elif words[:1] == ["cell"]:
            cell = words[2].lstrip("\\") if words[1] == "$memrd_v2" else ""
        elif cell and words[:2] == ["parameter", "\\CLK_ENABLE"] and words[2] in ("0", "1'0"):
            found.add((module, cell))
    return found


@dataclass(frozen=True)
class Mutants:
    """A simulation of a core with all its mutants.

    Attributes
    ----------
    config : CoreConfig
    list : tuple of Mutant
    netlist : str
        RTLIL of the core without any.
    bench : Bench
    program : Path
    seconds : float
        How long `build` took.
    cached : bool
        Whether the simulation was there already.
    """

    config: CoreConfig
    list: tuple[Mutant, ...]
    netlist: str
    bench: Bench
    program: Path
    seconds: float
    cached: bool


def netlist(config: CoreConfig) -> tuple[Bench, str]:
    """The bench of a core, and its RTLIL with source lines as `Mutant` has them."""
    core = Core(config, trace=True)
    bench = describe(core, hold=HOLD)
    text = rtlil.convert(core, name="dut", emit_src=True)
    root = Path(hebbware.hdl.__path__[0]).parent
    return bench, text.replace(f"{root}/", "")


def yosys(script: Iterable[str], folder: Path, step: str) -> None:
    """Run Yosys in `folder`.

    Raises
    ------
    InputError
        It is missing.
    ToolError
        It fails.
    """
    file = folder / f"{step}.ys"
    file.write_text("\n".join(script) + "\n")
    tools.call(
        tools.find("yosys"), ["-q", "-s", file.name], step=step, folder=folder,
        log=folder / f"{step}.log",
    )  # fmt: skip


def build(config: CoreConfig, count: int, seed: int = 0) -> Mutants:
    """Draw `count` mutants of a core and build their simulation, or find it in the cache.

    Raises
    ------
    InputError
        A tool is missing.
    ToolError
        A tool fails.
    """
    start = time.monotonic()
    toolchain = find()
    bench, text = netlist(config)
    with places.temporary() as folder:
        (folder / "dut.il").write_text(text)
        yosys(
            [
                "read_rtlil dut.il",
                "proc",
                "pmuxtree",  # choices of which two could be chosen at a time mean the same to all
                "opt_clean",
                "write_rtlil core.il",
                # what memories hold at first is no logic
                f"mutate -list {count + SPARE} -seed {seed} -o list * t:$meminit* %d",
            ],
            folder,
            "mutants-draw",
        )
        netlist_text = (folder / "core.il").read_text()
        without_clock = unclocked_reads(netlist_text)
        drawn = (parse(0, line) for line in (folder / "list").read_text().splitlines())

        def wanted(mutant: Mutant) -> bool:
            idle = (mutant.module, mutant.cell) in without_clock and mutant.port in OF_CLOCKS
            return mutant.port != "CLK" and not idle

        mutants = tuple(
            replace(m, number=n) for n, m in enumerate(islice(filter(wanted, drawn), count), 1)
        )
        commands = [mutant.command for mutant in mutants]
        script = ["read_rtlil core.il", *commands, "opt_clean", "write_verilog -noattr mutated.v"]
        yosys(script, folder, "mutants-apply")
        verilog = (folder / "mutated.v").read_text()
    bench = replace(bench, chosen=frozenset([CHOICE]))
    sources = {
        "channels.sv": channel_modules("verdict"),
        "dut.v": verilog,
        "bench.sv": bench.verilog(clocked=True),
    }

    def compile_into(directory: Path) -> None:
        files = [directory.parent / name for name in sources]
        flags = (*FLAGS, "--top-module", "bench", "-o", "bench", "-j", str(JOBS))
        compile_program(files, flags, toolchain, directory)

    directory, cached = from_cache("bench", sources, FLAGS, toolchain, compile_into)
    seconds = time.monotonic() - start
    return Mutants(config, mutants, netlist_text, bench, directory / "bench", seconds, cached)


# -- runs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """What noticed a mutant.

    Attributes
    ----------
    stimuli : str
    channel : str
        Of the first record that differs; blank where the simulation failed.
    clock : int
        Of that record.
    """

    stimuli: str
    channel: str
    clock: int


@dataclass(frozen=True)
class Prepared:
    """Stimuli in files, with what golden expects.

    Attributes
    ----------
    name : str
    folder : Path
    arguments : list of str
    clocks : int
        After which a run ends.
    """

    name: str
    folder: Path
    arguments: list[str]
    clocks: int


def prepare(mutants: Mutants, stimuli: Stimuli, folder: Path) -> Prepared:
    """Write stimuli and what golden expects into a new folder."""
    config, channels = mutants.config, mutants.bench.channels
    prediction = predict(
        config, stimuli.x, stimuli.labels, core=GoldenCore(config), commands=stimuli.commands,
        seed=stimuli.seed, stalls=stimuli.by_stream,
    )  # fmt: skip
    folder.mkdir()
    words = stimulus(config, stimuli.x, stimuli.labels, stimuli.commands)
    write_stimulus(folder, channels, words)
    last = 0
    for name, log in expected_logs(config, mutants.bench, prediction).items():
        log[:, ::-1].astype(">u4").tofile(folder / f"{name}.expected")
        last = max([last, *log[-1:, 0].tolist()])
    arguments = plusargs(channels, stimuli.seed, stimuli.by_stream)
    clocks = last + IDLE
    arguments += [f"+clocks={clocks}", f"+reset_after={stimuli.reset_after}"]
    return Prepared(stimuli.name, folder, arguments, clocks)


def run(mutants: Mutants, number: int, prepared: Iterable[Prepared]) -> Kill | None:
    """Let a mutant run until one of the stimuli notices it; None if none does."""
    for each in prepared:
        result = children.run(
            [mutants.program, f"+{CHOICE}={number}", *each.arguments],
            cwd=each.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        if found := re.search(r"^differs (\S+) (\d+)$", result.stdout, re.MULTILINE):
            return Kill(each.name, found[1], int(found[2]))
        if result.returncode:
            return Kill(each.name, "", 0)  # it does not settle
    return None


def run_all(
    mutants: Mutants,
    stimuli: Iterable[Stimuli],
    *,
    only: Iterable[int] | None = None,
    jobs: int = JOBS,
    done: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, Kill | None]]:
    """Let each mutant run until one of the stimuli, in their order, notices it.

    Parameters
    ----------
    only : numbers, optional
        Of the mutants; by default all.
    jobs : int
        Simulations at a time.
    done : callable
        Called after each mutant.

    Raises
    ------
    ValueError
        The core without a change is not equal to golden.
    """
    numbers = [m.number for m in mutants.list] if only is None else list(only)
    with places.temporary() as folder:
        prepared = [prepare(mutants, s, folder / f"{n}") for n, s in enumerate(stimuli)]
        if kill := run(mutants, 0, prepared):
            raise ValueError(
                f"the core without a change must equal golden; it differs in {kill.stimuli}: "
                f"{kill.channel}, clock {kill.clock}"
            )

        def one(number: int) -> tuple[int, Kill | None]:
            kill = run(mutants, number, prepared)
            done()
            return number, kill

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(one, numbers)


def differences(
    mutants: Mutants, numbers: Iterable[int], done: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, str | None]]:
    """Where each of some mutants may be seen, from some state; None: it is proven to be equivalent.

    See `hebbware.cosim.equivalence`.
    """
    from .equivalence import GATES, Checker, Netlist

    numbers = list(numbers)
    with places.temporary() as folder:
        (folder / "core.il").write_text(mutants.netlist)
        changes = [mutant.command for mutant in mutants.list if mutant.number in numbers]
        script = ["read_rtlil core.il", *changes, "hierarchy -top dut", *GATES]
        yosys([*script, "write_json gates.json"], folder, "mutants-gates")
        checker = Checker(Netlist.read(folder / "gates.json"), CHOICE)
    for number in numbers:
        yield number, checker.difference(number)
        done()
