"""What a configuration may need of a device, and what devices have: **estimates**.

LUTs, multipliers and block RAMs of the core and its serial link; see `resources`.
"""

from dataclasses import dataclass
from math import ceil

from ..config import CoreConfig
from ..layers import Conv
from ..program import widths
from ..program.layout import word_width
from ..reservoir.memory import reservoir_config
from .estimate import Ram, memories


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
    tick_luts : float
        As `lane_luts`, of cores of sequences.
    deepest : int
        Words up to which memories are cut into parts of one block RAM each, so that no logic
        chooses between several; synthesis would rather spare one of them.
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
    tick_luts: float = 1.0
    deepest: int = 0

    def part_bits(self, depth: int) -> int | None:
        """Bits of the parts that a memory of `depth` words is cut into, None where it is not."""
        if not self.shapes[0][0] < depth <= self.deepest:
            return None
        return next(bits for words, bits in self.shapes if words >= depth)


_KBIT18 = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
_KBIT4 = ((256, 16), (512, 8), (1024, 4), (2048, 2))
FAMILIES = {
    "ecp5": Family(_KBIT18, 18, 6, 1.0, 1.0, 4, 2, 1, deepest=2048),
    "ice40": Family(_KBIT4, 16, 0, 0.95, 0.95, 4, 5, 2, spram=4, tick_luts=1.65),
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
# the same of cores of sequences, and the multiplier of their softmax; signals have none, but count
# as many LUTs
_LUT_TICKS, _LUT_TICKS_LANE, _DSP_TICKS = 3350.0, 6.65, 1
_LUT_LANE, _LUT_LANE_SCALE = 5.95, 90.0  # a lane, for each bit of its operands; its read scaling
_LUT_BESIDE, _LUT_BESIDE_LANE = 900.0, 130.0  # updates beside, and of each lane: a guess
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
    (`LUT_ERROR`); the LUTs of reservoirs and of updates beside are a guess. Whether a device can be
    routed is another question.
    """
    return [_need(config, name, FAMILIES[family], has) for name, family, *has in DEVICES]


def need(config: CoreConfig, device: str) -> Need:
    """`resources` of the one device of that name."""
    name, family, *has = next(row for row in DEVICES if row[0] == device)
    return _need(config, name, FAMILIES[family], has)


def nearest(config: CoreConfig, device: str) -> CoreConfig | None:
    """The same network on as many lanes as the device's estimate allows, not more than it has.

    Where it does not fit on one lane either: the same with half the hidden units, or features, and
    so on down to 8 in the smallest layer; None where that does not fit.
    """
    first = widths_of(config)[:-1]
    hidden = first
    while min(hidden) >= min(8, *first):
        for lanes in range(config.lanes, 0, -1):
            smaller = _resized(config, hidden).derive(lanes=lanes)
            if need(smaller, device).fits:
                return smaller
        hidden = tuple(units // 2 for units in hidden)
    return None


def widths_of(config: CoreConfig) -> tuple[int, ...]:
    """Units of every layer, or features where it is a convolution."""
    return tuple(getattr(layer, _width_field(layer)) for layer in config.layer)


def _width_field(layer) -> str:
    return "features" if layer.kind == Conv.kind else "units"


def _resized(config: CoreConfig, hidden: tuple[int, ...]) -> CoreConfig:
    """The same with other units or features of the hidden layers."""
    values: dict[str, list[int | None]] = {}
    for number, (layer, width) in enumerate(
        zip(config.layer, (*hidden, config.classes), strict=True)
    ):
        of = values.setdefault(f"layer.{_width_field(layer)}", [None] * len(config.layer))
        of[number] = width
    return config.derive(**values)


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
    if config.recurrent:
        return config.lanes * parts + _DSP_TICKS * (not config.signal)
    odd = any(units & (units - 1) for units in config.hidden)
    reservoirs = 0
    if config.memory.projected:
        each = config.reservoir.lanes + (config.memory.gating == "error")
        reservoirs = 1 + len(config.hidden) * each
    lanes = config.lanes * (1 + config.update.overlap)
    return lanes * parts + family.dsp_core + odd * family.dsp_sizes + reservoirs


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
    """Block RAMs: for each memory its parts, or the shape that needs the fewest; the link's."""
    return family.link_ram + sum(
        min(
            ceil(ram.depth / words) * sum(ceil(width / bits) for width in ram.banks)
            for words, bits in family.shapes
            if family.part_bits(ram.depth) in (None, bits)
        )
        for ram in memories(config)
        if not _in_luts(ram, family) and not _single_port(ram, config, family)
    )


def luts(config: CoreConfig, family: Family) -> int:
    """4-input LUTs, with those that are memory; as `hebbware build` counts them."""
    gated = config.memory.self_scaling
    bits = (
        widths.operand_a(config)
        + widths.operand_b(config)
        + widths.accumulator(config)
        + config.weight.width
        + word_width(config)
    )
    logic = _LUT_CORE + _LUT_LINK + _LUT_GAINS * gated
    lanes = config.lanes * (_LUT_LANE * bits + _LUT_LANE_SCALE * gated) * family.lane_luts
    if config.recurrent:
        logic = _LUT_TICKS + _LUT_LINK
        lanes = config.lanes * _LUT_TICKS_LANE * bits * family.tick_luts
    if config.update.overlap:
        logic += _LUT_BESIDE
        lanes += config.lanes * _LUT_BESIDE_LANE * family.lane_luts
    if config.memory.projected:
        reservoir = reservoir_config(config)
        each = _LUT_RESERVOIR_LANE * (reservoir.sum_bits + 2 * reservoir.state_bits)
        logic += len(config.hidden) * (_LUT_RESERVOIR + reservoir.lanes * each)
    small = [ram for ram in memories(config) if _in_luts(ram, family)]
    stored = family.lutram * sum(
        ceil(ram.depth / 16) * ceil(width / 4) for ram in small for width in ram.banks
    )
    return round(logic * family.luts + lanes) + stored
