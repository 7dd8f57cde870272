"""Predicted clocks of a configuration without data; its memories; what it may need of a device.

Clocks come from `hebbware.golden.schedule` itself, walked with a stand-in for the network; they are
exact. Bits of memory are counted from the layout. LUTs, multipliers and block RAMs are
**estimates**, see `resources`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from . import hsic, widths
from .config import CoreConfig
from .layout import Layout, word_width
from .memory import KINDS
from .normalise import MANTISSA_BITS
from .program import clusters, passes_of_sample, program, start_clocks
from .reservoir_memory import reservoir_config
from .schedule import Schedule
from .softmax import exp_width
from .walk import Made

# -- clocks ----------------------------------------------------------------------------------------


class _Busy:
    """Stands in for `hebbware.golden.core.Core`: no arithmetic, every error is other than zero."""

    def __init__(self, config, learned=0):
        self.config, self.layout, self.learned = config, Layout(config), learned

    def walk(self, x, label):
        """Passes and rows walked, as of the core; nothing is written."""
        cfg, kind, learn = self.config, KINDS[self.config.memory], label is not None
        inputs = np.count_nonzero(x != cfg.x_zero)
        errors = self.layout.memory_rows - kind.by_sample  # the sample's own coefficient is zero
        full = self.learned >= cfg.window
        for time, p in passes_of_sample(cfg, learn):
            yield Made(p, time, p.walk.rows_walked(inputs, errors, full))
        self.learned += learn


def _inputs(config, nonzero):
    if not 0 <= nonzero <= config.inputs:
        raise ValueError(f"nonzero must lie in 0..{config.inputs}, not {nonzero!r}")
    return np.where(np.arange(config.inputs) < nonzero, config.x_zero ^ 1, config.x_zero)


def sample_clocks(config: CoreConfig, nonzero: Sequence[int], learn: Sequence[bool]) -> np.ndarray:
    """Clock in which each of a sequence of samples is finished, as `schedule.predict` gives it.

    No stream stalls, and every sample that is learned has errors other than zero.

    Parameters
    ----------
    nonzero : sequence of int
        Non-zero inputs of each sample.
    learn : sequence of bool
        Whether it has a label.
    """
    walk = Schedule(_Busy(config))
    walk.free = walk.latest = start_clocks(config)
    finished = []
    for index, (count, label) in enumerate(zip(nonzero, learn, strict=True)):
        full = walk.load(index)
        walk.sample(_inputs(config, count), 0 if label else None, full)
        walk.banks[index % 2] = walk.free
        finished.append(walk.free)
    return np.array(finished, np.int64)


def clocks_per_sample(config: CoreConfig, nonzero: int, learn: bool = True) -> int:
    """Clocks from one sample's end to the next one's in a long sequence of equal samples.

    The core takes the inputs of the next sample while it works on one, a word per clock: never
    less than ``inputs + 1``. Errors are other than zero; where they all are zero (a sample that
    teaches nothing), the passes that would write are left out.
    """
    count = (config.window if KINDS[config.memory].windowed else 0) + 6
    finished = sample_clocks(config, [nonzero] * count, [learn] * count)
    return int(finished[-1] - finished[-2])


def pass_steps(config: CoreConfig, nonzero: int) -> list[tuple[str, int]]:
    """Name and steps (clocks of issue) of each pass of a learned sample, in the program's order."""
    steps = {p.name: 0 for p in program(config)}
    for made in _Busy(config, learned=config.window).walk(_inputs(config, nonzero), 0):
        steps[made.of.name] += made.rows * made.of.walk.blocks
    return list(steps.items())


def limit_clocks_per_sample(config: CoreConfig, nonzero: int) -> int:
    """Clocks in which the lanes could do the multiplications of the weights of a learned sample.

    Forward and update of each weight layer, input after input, ``ceil(outputs / lanes)`` clocks
    each, forward once for each time step; zero inputs of the first layer skipped; no bias, no
    modulator, no latency. Layers that do not learn have no update.
    """
    rows = [nonzero, *config.hidden]
    blocks = [ceil(units / config.lanes) for units in config.layers[1:]]
    walks = [config.time_steps + config.learns_hidden] * len(config.hidden) + [2]
    return sum(r * b * w for r, b, w in zip(rows, blocks, walks, strict=True))


# -- memories --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ram:
    """A memory of the core.

    Attributes
    ----------
    name : str
    depth, width : int
        Words, and bits of a word.
    blocks : bool
        Whether it is read a clock late, as block RAM is.
    table : bool
        Whether it is never written.
    split : tuple of int
        Width of each of its banks, where there are more than one.
    """

    name: str
    depth: int
    width: int
    blocks: bool = True
    table: bool = False
    split: tuple[int, ...] = ()

    @property
    def banks(self) -> tuple[int, ...]:
        """Width of each of its banks."""
        return self.split or (self.width,)

    @property
    def bits(self) -> int:
        """All of it."""
        return self.depth * self.width


def memories(config: CoreConfig) -> list[Ram]:
    """Every memory of the core, tables included."""
    layout, lanes, classes = Layout(config), config.lanes, config.classes
    jobs, blocks = len(config.hidden) + 1, layout.vector_bases[-1]
    window = KINDS[config.memory].windowed
    slots = config.window + 1 if window else 1
    word = word_width(config)
    index = max((config.inputs - 1).bit_length(), 1)
    row = max((classes - 1).bit_length(), 1)

    def of_lanes(name, depth, bits):
        split = tuple(part.stop - part.start for part in clusters(lanes, bits))
        return Ram(name, depth, lanes * bits, split=split)

    found = [
        of_lanes("weights", layout.weight_bases[-1], config.weight_bits),
        of_lanes("class memories", layout.memory_bases[-1], word),
        Ram("inputs of two samples", 2 << (config.inputs - 1).bit_length(), index + config.x_bits),
        of_lanes("activations", max(blocks, 2), config.u_bits),
        of_lanes("potentials", config.leaky * max(blocks, 2), config.potential.width),
        of_lanes("normalised activations", max(slots * blocks, 2), config.z_bits + 1),
        of_lanes("directions", max(blocks, 2), config.d_bits),
        Ram("labels of the window", slots if window else 0, row, blocks=False),
        *_hsic_memories(config),
        *_reservoir_memories(config),
        Ram("scores", classes, config.u_bits, blocks=False),
        Ram("logits", jobs * classes, max(config.k.width, config.u_bits), blocks=False),
        Ram("exponentials", classes, exp_width(config)),
        Ram("errors", jobs * classes, config.e.width, blocks=False),
        Ram("list of errors", jobs * classes, row, blocks=False),
        Ram("table of exp", 1 << config.exp_bits, exp_width(config), table=True),
        Ram("table of 1/x", 1 << config.reciprocal_bits, exp_width(config), table=True),
        Ram("table of 1/sqrt(x)", 1 << config.rsqrt_bits, MANTISSA_BITS, table=True),
    ]
    return [ram for ram in found if ram.bits]


def _hsic_memories(config):
    """Those that the HSIC modulator has besides the activations of its window."""
    if config.modulator != "hsic":
        return []
    samples, layers = config.window, len(config.hidden)
    entry, slot = hsic.kernel_format(config).width, samples.bit_length() - 1
    return [
        Ram("inputs of the window", config.inputs, (samples + 1) * config.x_bits),
        Ram("squares of the inputs", samples + 1, hsic.distance_bits(config), blocks=False),
        Ram("classes of the window", samples, max((config.classes - 1).bit_length(), 1), False),
        Ram("kernels", samples**2, entry),
        Ram("sums of kernels", samples, entry + slot, blocks=False),
        Ram("centred kernels", samples, config.e.width, blocks=False),
        Ram("coefficients", layers * samples, config.e.width, blocks=False),
        Ram("list of coefficients", layers * samples, slot, blocks=False),
        Ram("table of exp (kernels)", 1 << config.exp_bits, exp_width(config), table=True),
    ]


def _reservoir_memories(config):
    """Those that reservoirs have, one of each for each hidden layer; v is shared."""
    if not KINDS[config.memory].projected:
        return []
    reservoir, d = reservoir_config(config), config.projection
    lanes, numbers = reservoir.lanes, config.classes * d
    each = [
        Ram("states of the reservoir", 2 * reservoir.blocks, lanes * reservoir.state_bits),
        Ram("decoder", reservoir.blocks * reservoir.outputs, lanes * reservoir.weight_bits),
        Ram("decoded rows", 2 * d, config.memory_bits),
        Ram("decoded memory", numbers, config.read_bits),
        Ram("projected activations", d, config.z_bits),
        Ram("errors at the reservoir", config.classes, config.e.width),
    ]
    return [*(each * len(config.hidden)), Ram("pulls", d, config.k.width)]


def weights(config: CoreConfig) -> int:
    """Weights of the network, biases included."""
    hidden = sum((n + 1) * m for n, m in zip(config.layers, config.hidden, strict=False))
    return hidden + config.hidden[-1] * config.classes


def memory_bits(config: CoreConfig) -> int:
    """Bits of all memories."""
    return sum(ram.bits for ram in memories(config))


# -- resources -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """How a family of devices holds the core.

    Attributes
    ----------
    shapes : tuple
        (words, bits) that a block RAM with a read and a write port can have.
    dsp_bits : int
        Largest signed operand of one multiplier; one bit more is made up for in LUTs.
    lutram : int
        LUTs for 16 words of 4 bits; 0 where LUTs cannot be memory, which is registers then.
    luts, lane_luts : float
        LUTs for each that an ECP5 needs for the same logic, outside the lanes and in them.
    dsp_core : int
        Multipliers outside the lanes: statistics, softmax.
    dsp_sizes : int
        Those of the divisions by sizes of layers that are no powers of two.
    link_ram : int
        Block RAMs of the serial link.
    spram : int
        Single-port RAMs of 16384 words of 16 bits, for weights.
    """

    shapes: tuple[tuple[int, int], ...]
    dsp_bits: int
    lutram: int
    luts: float
    lane_luts: float
    dsp_core: int
    dsp_sizes: int
    link_ram: int
    spram: int = 0


_KBIT18 = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
_KBIT4 = ((256, 16), (512, 8), (1024, 4), (2048, 2))
FAMILIES = {
    "ecp5": Family(_KBIT18, 18, 6, 1.0, 1.0, 4, 2, 1),
    "ice40": Family(_KBIT4, 16, 0, 0.95, 0.95, 4, 5, 2, spram=4),
    "gowin": Family(_KBIT18, 18, 4, 0.99, 1.81, 4, 4, 1),
}
DEVICES = (  # name, family, LUTs, multipliers, block RAMs
    ("ECP5 LFE5U-85F", "ecp5", 84_000, 156, 208),
    ("ECP5 LFE5U-45F", "ecp5", 44_000, 72, 108),
    ("ECP5 LFE5U-25F", "ecp5", 24_000, 28, 56),
    ("iCE40UP5K", "ice40", 5_280, 8, 30),
    ("Gowin GW1NR-9", "gowin", 8_600, 20, 26),
    ("Gowin GW2AR-18", "gowin", 20_700, 48, 46),
)
NAMES = {
    "lut": "LUTs",
    "dsp": "multipliers",
    "ram": "block RAMs",
    "spram": "single-port RAMs",
}
SPRAM_DEPTH, SPRAM_WIDTH = 1 << 14, 16
# up to so many words, or bits in all, and tables go into LUTs where the family can do that
SHALLOW, SMALL = 32, 1024

LUT_ERROR = 0.3
"""Share by which an estimate of LUTs may be off, for a network unlike those of the boards: the core
of 64-16-10 on 4 lanes was synthesised for an ECP5 to 5,416 (counted as below), 7,074 are estimated.
"""

# fitted to builds, see `resources`
_LUT_CORE, _LUT_GAINS = 3550.0, 350.0  # sequencer, softmax, statistics, ...; of a `gated` memory
_LUT_LINK = 550.0  # the serial link
_LUT_LANE, _LUT_LANE_SCALE = 5.95, 90.0  # a lane, for each bit of its operands; its read scaling
# of each reservoir, and of its lanes for each bit of their operands: a guess, not fitted
_LUT_RESERVOIR, _LUT_RESERVOIR_LANE = 1500.0, 9.0


@dataclass(frozen=True)
class Need:
    """What the core and its serial link may need of a device, and what that has."""

    device: str
    lut: int
    dsp: int
    ram: int
    spram: int
    has: dict[str, int]
    fits: bool
    short: str


def resources(config: CoreConfig) -> list[Need]:
    """Estimates for each of `DEVICES`; nothing is synthesised or placed.

    Constants were fitted to builds of the core with its link (Yosys 0.70, nextpnr 0.11), counted as
    `hebbware build` counts: ECP5 with 16 to 64 lanes, a carry as 2 LUTs and 16 words of 4 bits as
    6; the factors of iCE40 and Gowin to the builds of their boards. ``docs/boards/README.md`` tells
    how far they are off. Layers of other widths, other memories and other formats are extrapolated
    (`LUT_ERROR`); the LUTs of reservoirs are a guess. Whether a device can be routed is another
    question.
    """
    return [_need(config, name, FAMILIES[family], has) for name, family, *has in DEVICES]


def need(config: CoreConfig, device: str) -> Need:
    """`resources` of the one device of that name."""
    name, family, *has = next(row for row in DEVICES if row[0] == device)
    return _need(config, name, FAMILIES[family], has)


def nearest(config: CoreConfig, device: str) -> CoreConfig | None:
    """The same network on as many lanes as the device's estimate allows, not more than it has.

    Where it does not fit on one lane either: the same with half the hidden units, and so on down to
    8 in the smallest layer; None where that does not fit.
    """
    hidden = config.hidden
    while min(hidden) >= min(8, *config.hidden):
        layers = (config.inputs, *hidden, config.classes)
        for lanes in range(config.lanes, 0, -1):
            smaller = replace(config, layers=layers, lanes=lanes)
            if need(smaller, device).fits:
                return smaller
        hidden = tuple(units // 2 for units in hidden)
    return None


def _need(config, name, family, has):
    lut, dsp, ram = luts(config, family), multipliers(config, family), block_rams(config, family)
    spram = single_port_rams(config, family)
    budget = dict(zip(("lut", "dsp", "ram"), has, strict=True)) | {"spram": family.spram}
    short = [key for key, n in zip(budget, (lut, dsp, ram, spram), strict=True) if n > budget[key]]
    return Need(name, lut, dsp, ram, spram, budget, not short, ", ".join(short))


def multipliers(config: CoreConfig, family: Family) -> int:
    """Hard multipliers: those of the lanes and some shared ones."""
    parts = 1
    for bits in (widths.operand_a(config), widths.operand_b(config)):
        parts *= ceil((bits - 1) / family.dsp_bits)
    odd = any(units & (units - 1) for units in config.hidden)
    reservoirs = 0
    if KINDS[config.memory].projected:
        each = config.reservoir_lanes + (config.gating == "error")
        reservoirs = 1 + len(config.hidden) * each
    return config.lanes * parts + family.dsp_core + odd * family.dsp_sizes + reservoirs


def _single_port(ram: Ram, config: CoreConfig, family: Family) -> bool:
    return ram.name == "weights" and config.weight_ports == 1 and family.spram > 0


def single_port_rams(config: CoreConfig, family: Family) -> int:
    """Single-port RAMs, where the family has them and the weights have one port."""
    return sum(
        ceil(ram.depth / SPRAM_DEPTH) * ceil(width / SPRAM_WIDTH)
        for ram in memories(config)
        for width in ram.banks
        if _single_port(ram, config, family)
    )


def _in_luts(ram: Ram, family: Family) -> bool:
    small = ram.depth <= SHALLOW or ram.bits <= SMALL or ram.table
    return not ram.blocks or (family.lutram > 0 and small)


def block_rams(config: CoreConfig, family: Family) -> int:
    """Block RAMs: for each memory the shape that needs the fewest; those of the link."""
    return family.link_ram + sum(
        min(
            ceil(ram.depth / words) * sum(ceil(width / bits) for width in ram.banks)
            for words, bits in family.shapes
        )
        for ram in memories(config)
        if not _in_luts(ram, family) and not _single_port(ram, config, family)
    )


def luts(config: CoreConfig, family: Family) -> int:
    """4-input LUTs, with those that are memory; as `hebbware build` counts them."""
    gated = KINDS[config.memory].self_scaling
    bits = (
        widths.operand_a(config)
        + widths.operand_b(config)
        + widths.accumulator(config)
        + config.weight_bits
        + word_width(config)
    )
    logic = _LUT_CORE + _LUT_LINK + _LUT_GAINS * gated
    lanes = config.lanes * (_LUT_LANE * bits + _LUT_LANE_SCALE * gated)
    if KINDS[config.memory].projected:
        reservoir = reservoir_config(config)
        each = _LUT_RESERVOIR_LANE * (reservoir.sum_bits + 2 * reservoir.state_bits)
        logic += len(config.hidden) * (_LUT_RESERVOIR + reservoir.lanes * each)
    small = [ram for ram in memories(config) if _in_luts(ram, family)]
    stored = family.lutram * sum(
        ceil(ram.depth / 16) * ceil(width / 4) for ram in small for width in ram.banks
    )
    return round(logic * family.luts + lanes * family.lane_luts) + stored
