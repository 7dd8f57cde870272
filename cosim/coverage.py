"""What co-simulations have reached of a core: lines and branches, and bits that changed.

Verilator counts the lines and branches of the Verilog, and for each bit of each net how often it
rose and fell. A net has a name in every module that it passes through, and some bits have a
constant wired to them. Yosys says which, from the same Verilog, flattened: names of one net share a
number there, and constants have none. So a bit counts once, and constants do not count.

Not counted by rule, as what they feed is counted: nets without a name of their own (parts of
expressions, ``$123``) and the words of memories. What else cannot be reached stands in
``coverage.toml`` beside this module, by name and with the reason.
"""

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.back import verilog
from amaranth.lib import wiring

from hebbware.golden.config import CoreConfig, dense
from hebbware.hdl.core import Core
from hebbware.hdl.verilog import START, started

from . import tools
from .core import build_core, cosimulate
from .stimuli import Stimuli, commanded, extreme, opposed, plain, suite

KINDS = ("line", "branch", "toggle")
YOSYS = (
    "read_verilog dut.v; hierarchy -top dut; proc; flatten; opt_expr -fine; opt_clean; opt; "
    "write_json -compat-int nets.json"
)
CHANGES = {"0->1": "rises", "1->0": "falls"}
TARGETS = {"line": 1, "branch": 1, "toggle": 0.98}

# Small cores that together have every feature. Sums reach the ends of u, whose slope below 0 makes
# the largest variance there is; similarities reach the ends of k. Kernels are narrow enough to
# reach the end of the exp table, and a reservoir's states saturate.
_SMALL = {
    **dense((4, 5, 6, 3)),
    "lanes": 2,
    "formats.u_bits": 10,
    "formats.u_fraction": 6,
    "neuron.slope_shift": 1,
}
_READ = {"memory.read_bits": 10}
_HSIC = {
    "modulator.kind": "hsic",
    "memory.kind": "samples",
    "memory.window": 4,
    "modulator.sigmas": (0.15, 0.4, 0.37),
}
_RESERVOIR = {
    "memory.kind": "reservoir",
    "memory.projection": 4,
    "reservoir.units": 32,
    "reservoir.lanes": 8,
    "reservoir.gain": -2,
}
_LEAKY = {
    "neuron.kind": "leaky",
    "neuron.time_steps": 8,
    "neuron.leak_shifts": (1,),
    "input.centred": True,
}
_CLUSTERS = {**dense((4, 11, 5, 3)), "lanes": 9}
CORES = {
    name: CoreConfig.from_dict({**_SMALL, **values})
    for name, values in {
        "plain": {**_READ, "memory.horizon": 3},
        "clusters": {
            **_READ, **_CLUSTERS,
            "memory.kind": "trace", "memory.kappa": 0.25, "memory.horizon": 3,
        },
        "hsic": {**_HSIC, "lanes": 3},
        "reservoir": {**_READ, **_RESERVOIR, "memory.horizon": 3},
        "leaky": {
            **_READ, **_LEAKY,
            "memory.kind": "window", "memory.window": 4, "update.rounding": "nearest",
        },
        "one-port": {
            **_READ, "weight_ports": 1, "memory.kind": "codes", "update.rounding": "floor",
        },
        # so many inputs that their update outlasts the passes beside it
        "beside": {
            **_READ, **dense((60, 5, 6, 3)),
            "memory.horizon": 3, "update.overlap": True, "input.runs": True,
        },
    }.items()
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Point:
    """Something to be reached.

    Attributes
    ----------
    kind : str
        Of `KINDS`.
    path : str
        Of the instance in the core; nothing for the core itself.
    name : str
        The net of a toggle; the text of the Verilog of a line or branch.
    number : int
        Bit of a toggle; line of the Verilog.
    what : str
        ``rises`` or ``falls``; ``if``, ``else``, ``case`` and the like.
    source : str
        ``file.py:line`` of a net.
    """

    kind: str
    path: str
    name: str
    number: int
    what: str
    source: str = field(default="", compare=False)

    @property
    def module(self) -> str:
        """Block of the core; copies of one (lanes, clusters) have one name."""
        return re.sub(r"_\d+(?=\.|$)|\$\d+|\.U\$\d+", "", self.path) or "core"

    @property
    def full_name(self) -> str:
        """Path and name."""
        return f"{self.path}.{self.name}".lstrip(".")

    def __str__(self) -> str:
        where = f" ({self.source})" if self.source else ""
        if self.kind == "toggle":
            return f"{self.full_name}[{self.number}] {self.what}{where}"
        return f"{self.path}, line {self.number} of the Verilog, {self.what}: {self.name}"


@dataclass(frozen=True)
class Exempt:
    """Points that need not be reached, and why; an entry of ``coverage.toml``.

    Attributes
    ----------
    name : str
        Regular expression for the whole `Point.full_name`.
    reason : str
    kinds : list of str
    bits : list of two int
        First and last number that it is about; all, unless given.
    what : str
        Of the points that it is about; all, unless given.
    cores : list of str
        Cores that it is about; all, unless given.
    """

    name: str
    reason: str
    kinds: list[str] = field(default_factory=lambda: ["toggle"])
    bits: list[int] | None = None
    what: str | None = None
    cores: list[str] | None = None

    def __call__(self, core: str, point: Point) -> bool:
        """Whether `point` of `core` is one of these."""
        return (
            point.kind in self.kinds
            and (self.cores is None or core in self.cores)
            and (self.bits is None or self.bits[0] <= point.number <= self.bits[1])
            and self.what in (None, point.what)
            and re.fullmatch(self.name, point.full_name) is not None
        )


@cache
def exempt() -> tuple[Exempt, ...]:
    """What stands in ``coverage.toml``."""
    text = resources.files(__package__).joinpath("coverage.toml").read_text()
    return tuple(Exempt(**entry) for entry in tomllib.loads(text)["exempt"])


@dataclass
class Coverage:
    """Points of a core and how often each was reached.

    Attributes
    ----------
    core : str
        Its name.
    counts : dict
        By point.
    exempted : dict
        `Exempt` by point, for those that were not reached and need not be.
    clocks : int
        Simulated.
    """

    core: str
    counts: dict[Point, int]
    clocks: int = 0
    exempted: dict[Point, Exempt] = field(default_factory=dict)

    def __post_init__(self):
        for point in [p for p, count in self.counts.items() if not count]:
            for entry in exempt():
                if entry(self.core, point):
                    self.exempted[point] = entry
                    break

    @property
    def missing(self) -> list[Point]:
        """What was neither reached nor exempted."""
        return sorted(p for p, count in self.counts.items() if not count and p not in self.exempted)

    def reached(self, kind: str, module: str | None = None) -> tuple[int, int]:
        """Points reached and all points of a kind that are not exempted."""
        points = [
            point
            for point in self.counts
            if point.kind == kind and module in (None, point.module) and point not in self.exempted
        ]
        return sum(self.counts[point] > 0 for point in points), len(points)

    @property
    def modules(self) -> list[str]:
        """Blocks of the core."""
        return sorted({point.module for point in self.counts})


def stimuli_of(config: CoreConfig) -> list[Stimuli]:
    """The suite of co-simulations, and long runs of its kinds."""
    longer = [plain(config, 1, 300), *(commanded(config, seed, 300) for seed in (1, 2))]
    return [
        *suite(config),
        opposed(config),
        *longer,
        extreme(config, 1, 150),
        extreme(config, 2, 150),
    ]


def measure(
    name: str,
    config: CoreConfig,
    suite: Iterable[Stimuli],
    done: Callable[[Stimuli], None] = lambda stimuli: None,
) -> Coverage:
    """Build a core, run `suite` on it, and say what was reached.

    Raises
    ------
    InputError
        A tool is missing.
    AssertionError
        The core differs from golden.
    """
    core = Core(config, trace=True)
    text = verilog_of(core)
    model = build_core(config, core=core, netlist=text, quick=True, coverage=True)
    clocks = 0
    with TemporaryDirectory(prefix="hebbware-") as folder:
        files = []
        for number, stimuli in enumerate(suite):
            files.append(Path(folder) / f"{number}.coverage")
            run = cosimulate(
                config, stimuli.x, stimuli.labels, model=model, coverage=files[-1],
                **stimuli.options,
            )  # fmt: skip
            assert run.message is None, f"{name}, {stimuli.name}: {run.message}"
            clocks += run.result.clocks
            done(stimuli)
        return Coverage(name, points(text, files, Path(folder)), clocks)


def verilog_of(component: wiring.Component) -> str:
    """Verilog of a component as the module ``dut``, nets with where they were written."""
    return started(_short_sources(verilog.convert(component, name="dut", emit_src=True)))


def points(text: str, files: Iterable[Path], folder: Path) -> dict[Point, int]:
    """Points of the Verilog `text` of a component, and their counts over all `files` of data.

    `folder` is for temporary files.
    """
    total: dict[tuple, int] = defaultdict(int)
    for file in files:
        for entry, count in read(file):
            total[entry] += count
    return dict(_points(total, _nets(text, folder), text.splitlines()))


def _short_sources(text: str) -> str:
    """Names of source files without the folders above their package's."""
    return re.sub(r'src = "([^"]*)"', lambda found: f'src = "{_short(found[1])}"', text)


def _short(sources: str) -> str:
    return "|".join("/".join(Path(source).parts[-2:]) for source in sources.split("|"))


def read(path: Path) -> Iterator[tuple[tuple, int]]:
    """The core's entries of Verilator's data: ``(kind, path, name, line, column)`` and count."""
    for line in path.read_text(encoding="latin1").splitlines():
        found = re.fullmatch(r"C '(.*)' (\d+)", line)
        if not found:
            continue
        fields = dict(part.split("\x02", 1) for part in found[1].split("\x01") if part)
        kind, module = fields["page"].removeprefix("v_").split("/", 1)
        if module.startswith("dut") and kind in KINDS:
            path_in_core = _plain(fields["h"]).removeprefix("bench.dut").removeprefix(".")
            place = int(fields["l"]), int(fields["n"])
            yield (kind, path_in_core, _plain(fields["o"]), *place), int(found[2])


def _plain(name: str) -> str:
    """A name as it is in the Verilog."""
    return re.sub(r"__0([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), name)


def _nets(text: str, folder: Path) -> dict[str, dict]:
    """By name, bits and attributes of the nets of the flattened core."""
    (folder / "dut.v").write_text(text)
    tools.call(
        tools.find("yosys"), ["-q", "-p", YOSYS], step="nets", folder=folder, log=folder / "log"
    )
    nets = json.loads((folder / "nets.json").read_text())["modules"]["dut"]["netnames"]
    return {name.lstrip("\\"): net for name, net in nets.items()}


def _points(
    total: dict[tuple, int], nets: dict[str, dict], lines: list[str]
) -> Iterator[tuple[Point, int]]:
    bits: dict[tuple, tuple[Point, int]] = {}
    for (kind, path, name, line, _), count in total.items():
        if kind != "toggle":
            text = lines[line - 1].strip()
            if START.strip() not in text:
                yield Point(kind, path, text, line, name), count
            continue
        net, bit, change = re.fullmatch(r"(.*?)(?:\[(\d+)\])?:(.*)", name).groups()
        found = nets.get(f"{path}.{net}".lstrip("."))
        number = int(bit or 0)
        if net.startswith("$") or found is None or not isinstance(found["bits"][number], int):
            continue
        source = found["attributes"].get("src", "")
        point = Point(kind, path, net, number, CHANGES[change], source)
        key = found["bits"][number], change
        other, so_far = bits.get(key, (point, 0))
        bits[key] = max(point, other, key=_depth), max(count, so_far)
    yield from bits.values()


def _depth(point: Point) -> tuple[int, int, str]:
    """The deeper a net lies in the core, the nearer it is to where it is made."""
    return point.path.count(".") + bool(point.path), point.name.count("."), point.name
