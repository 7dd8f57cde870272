"""What nextpnr and Yosys say about a design, in our own terms: resources, clock, worst path."""

from dataclasses import dataclass
from itertools import groupby

# what a family calls each resource; the first that is there counts, lists are added up
USED = {
    "ecp5": {
        "lut": ("TRELLIS_COMB",),
        "ff": ("TRELLIS_FF",),
        "bram": ("DP16KD",),
        "dsp": ("MULT18X18D",),
    },
    "ice40": {
        "lut": ("ICESTORM_LC",),
        "bram": ("ICESTORM_RAM",),
        "dsp": ("ICESTORM_DSP",),
        "spram": ("ICESTORM_SPRAM",),
    },
    "gowin": {
        "lut": ("LUT4", "ALU", "RAM16SDP4"),
        "ff": ("DFF",),
        "bram": ("BSRAM",),
        "dsp": ("MULT18X18", "MULT9X9", "MULTALU18X18", "MULT36X36"),
    },
}


@dataclass(frozen=True)
class Path:
    """The slowest way from one register to another.

    Attributes
    ----------
    start, end : str
        Registers, named from the core's top down.
    modules : tuple of str
        The modules that it passes, in order.
    logic_ns, routing_ns : float
        Delay in cells, set-up included, and between them.
    levels : int
        Cells passed.
    """

    start: str
    end: str
    modules: tuple[str, ...]
    logic_ns: float
    routing_ns: float
    levels: int

    @property
    def total_ns(self) -> float:
        """Delay of all."""
        return self.logic_ns + self.routing_ns

    def __str__(self) -> str:
        via = " > ".join(self.modules)
        return (
            f"{self.start} to {self.end}: {self.total_ns:.1f} ns ({self.logic_ns:.1f} in "
            f"{self.levels} cells, {self.routing_ns:.1f} between them), through {via}"
        )


def resources(family: str, report: dict, cells: dict[str, int]) -> dict[str, int]:
    """LUTs, flip-flops, block RAMs and multipliers in use.

    ECP5 and Gowin: as nextpnr counts them, a LUT with a carry like one without. iCE40: ``lut`` is
    logic cells; each holds a LUT, a carry and a flip-flop; flip-flops from the netlist.

    Parameters
    ----------
    report : dict
        nextpnr's ``--report``.
    cells : dict
        Number of cells of each type in the netlist.
    """
    use = report["utilization"]
    found = {
        key: sum(use[name]["used"] for name in names if name in use)
        for key, names in USED[family].items()
    }
    if "ff" not in found:
        found["ff"] = sum(n for name, n in cells.items() if name.startswith("SB_DFF"))
    return found


def available(family: str, report: dict) -> dict[str, int]:
    """Resources of the device, as far as nextpnr reports them."""
    use = report["utilization"]
    return {
        key: use[names[0]]["available"] for key, names in USED[family].items() if names[0] in use
    }


def clock(report: dict) -> tuple[str, float, float]:
    """Name, reached and wanted MHz of the clock that misses its goal by the most."""
    clocks = report["fmax"]
    if not clocks:
        raise ValueError("the report names no clock")
    worst = min(clocks, key=lambda name: clocks[name]["achieved"] / clocks[name]["constraint"])
    return worst, clocks[worst]["achieved"], clocks[worst]["constraint"]


def worst_path(report: dict, name: str) -> Path | None:
    """The critical path of the clock `name`."""
    edge = f"posedge {name}"
    for path in report["critical_paths"]:
        if path["from"] == edge and path["to"] == edge:
            return _path(path["path"])
    return None


def _path(segments: list[dict]) -> Path:
    cells = [segments[0]["from"]["cell"], *(s["to"]["cell"] for s in segments)]
    modules = [name for name, _ in groupby(_module(cell) for cell in cells)]
    routing = sum(s["delay"] for s in segments if s["type"] == "routing")
    logic = sum(s["delay"] for s in segments if s["type"] != "routing")
    return Path(
        _register(cells[0]), _register(cells[-1]), tuple(modules), logic, routing,
        sum(s["type"] == "logic" for s in segments) + 1,
    )  # fmt: skip


def _module(cell: str) -> str:
    """The module a cell lies in: all but the last part of its flattened name."""
    return cell.rpartition(".")[0] or "top"


def _register(cell: str) -> str:
    """A cell's name without what synthesis put behind it."""
    module, _, name = cell.rpartition(".")
    for mark in ("_TRELLIS", "_SB_", "_DFF", "_LUT", "_CCU2C", "_ALU", "_MULT", "$"):
        at = name.find(mark, 1)
        if at > 0:
            name = name[:at]
    return f"{module}.{name}" if module else name
