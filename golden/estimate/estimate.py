"""Predicted clocks of a configuration without data; its memories.

Clocks come from `hebbware.golden.timing.schedule` itself, walked with a stand-in for the network;
they are exact. Bits of memory are counted from the layout. For LUTs, multipliers and block RAMs see
`hebbware.golden.estimate.devices`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from ..config import CoreConfig
from ..layers.normalise import MANTISSA_BITS, exponent_range
from ..layers.softmax import exp_width
from ..layers.squared import TARGET
from ..modulators import hsic
from ..program import widths
from ..program.layout import Layout, kept_width, word_width
from ..program.pipeline import clusters
from ..program.program import passes_of_sample, program, start_clocks
from ..program.walk import Made
from ..reservoir.memory import reservoir_config
from ..timing.schedule import Schedule
from . import ticks

# -- clocks ----------------------------------------------------------------------------------------


class _Busy:
    """Stands in for `hebbware.golden.core.Core`: no arithmetic, every error is other than zero."""

    def __init__(self, config, learned=0):
        self.config, self.layout, self.learned = config, Layout(config), learned

    def walk(self, x, label):
        """Passes and rows walked, as of the core; nothing is written."""
        cfg, kind, learn = self.config, self.config.memory, label is not None
        inputs = np.count_nonzero(x != cfg.x_zero)
        errors = self.layout.memory_rows - kind.by_sample  # the sample's own coefficient is zero
        full = self.learned >= cfg.memory.window
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
        x = _inputs(config, count)
        full = walk.load(index, x)
        walk.sample(x, 0 if label else None, full)
        walk.release(index)
        finished.append(walk.free)
    return np.array(finished, np.int64)


def clocks_per_sample(config: CoreConfig, nonzero: int, learn: bool = True) -> int:
    """Clocks from one sample's end to the next one's in a long sequence of equal samples.

    The core takes the inputs of the next sample while it works on one, a word per clock: never
    less than ``inputs + 1``, or with ``input.runs`` than the words that samples take, whose inputs
    other than zero all come first here. Errors are other than zero; where they all are zero (a
    sample that teaches nothing), the passes that would write are left out.
    """
    count = (config.memory.window if config.memory.windowed else 0) + 6
    finished = sample_clocks(config, [nonzero] * count, [learn] * count)
    return int(finished[-1] - finished[-2])


def pass_steps(config: CoreConfig, nonzero: int) -> list[tuple[str, int]]:
    """Name and steps (clocks of issue) of each pass of a learned sample, or of a learned tick in
    which no unit has spiked, in the program's order.
    """
    if config.recurrent:
        return ticks.steps(config, nonzero)
    steps = {p.name: 0 for p in program(config)}
    for made in _Busy(config, learned=config.memory.window).walk(_inputs(config, nonzero), 0):
        steps[made.of.name] += made.of.walk.steps(made.rows)
    return list(steps.items())


def limit_clocks_per_sample(config: CoreConfig, nonzero: int) -> int:
    """Clocks in which the lanes could do the multiplications of the weights of a learned sample.

    Forward and update of each weight layer, input after input, ``ceil(outputs / lanes)`` clocks
    each, forward once for each time step; zero inputs of the first layer skipped; no bias, no
    modulator, no latency. Layers that do not learn have no update.
    """
    if config.convolves:
        return _limit_of_maps(config)
    rows = [nonzero, *config.hidden]
    blocks = [ceil(units / config.lanes) for units in config.sizes[1:]]
    walks = [config.neuron.time_steps + config.learns_hidden] * len(config.hidden) + [2]
    return sum(r * b * w for r, b, w in zip(rows, blocks, walks, strict=True))


def _limit_of_maps(config):
    """The same where there are convolutions: products of all taps, at all positions."""
    layout, walks = Layout(config), 1 + config.learns_hidden
    products = [w.taps * w.positions * layout.map_form(n).features
                for n, w in enumerate(config.windows)]  # fmt: skip
    clocks = sum(walks * ceil(count / config.lanes) for count in products)
    for n in range(len(products), len(config.layer)):
        last = n == len(config.layer) - 1
        blocks = ceil(config.sizes[n + 1] / config.lanes)
        clocks += (2 if last else walks) * config.sizes[n] * blocks
    return clocks


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
    blocks = layout.vector_bases[-1]
    window = config.memory.windowed
    slots = config.memory.window + 1 if window else 1
    word = word_width(config)
    index = max((config.inputs - 1).bit_length(), 1)
    row = max((classes - 1).bit_length(), 1)
    beside = int(config.update.overlap)  # what updates beside read is there twice

    def of_lanes(name, depth, bits):
        return _of_lanes(lanes, name, depth, bits)

    kept = "normalised activations", max(slots * layout.kept_blocks, 2), config.z.width + 1
    if config.recurrent:
        kept = "what the readout sees, and traces", layout.kept_blocks, kept_width(config)
    found = [
        of_lanes("weights", layout.weight_bases[-1], config.weight.width),
        of_lanes("weights, for updates", beside * layout.weight_bases[-1], config.weight.width),
        of_lanes("class memories", layout.memory_bases[-1], word),
        *_inputs_of_two(config, layout, index) * (1 + beside),
        of_lanes("activations", max(blocks, 2), config.u.width),
        of_lanes("potentials", config.leaky * max(blocks, 2), config.potential.width),
        of_lanes(*kept),
        of_lanes("normalised activations, for updates", beside * kept[1], kept[2]),
        of_lanes("directions", max(blocks, 2), config.d.width),
        Ram("labels of the window", slots if window else 0, row, blocks=False),
        *_map_memories(config, layout),
        *_hsic_memories(config),
        *_reservoir_memories(config),
        *_sequence_memories(config),
        Ram("scores", classes, widths.result(config), blocks=False),
        *_error_memories(config, row),
    ]
    if not config.recurrent:
        bits = config.formats.rsqrt_bits
        found.append(Ram("table of 1/sqrt(x)", 1 << bits, MANTISSA_BITS, table=True))
    return [ram for ram in found if ram.bits]


def _error_memories(config, row):
    """Those of the softmax, or of what compares signals."""
    classes, jobs = config.classes, len(config.hidden) + 1
    if config.signal:
        targets = 2 << max((classes - 1).bit_length(), 1)
        return [
            Ram("targets of two ticks", targets, TARGET.width, blocks=False),
            Ram("errors", classes, config.e.width, blocks=False),
            Ram("list of errors", classes, row, blocks=False),
        ]
    return [
        Ram("logits", jobs * classes, max(config.k.width, config.u.width), blocks=False),
        Ram("exponentials", classes, exp_width(config)),
        Ram("errors", jobs * classes, config.e.width, blocks=False),
        Ram("list of errors", jobs * classes, row, blocks=False),
        Ram("table of exp", 1 << config.formats.exp_bits, exp_width(config), table=True),
        Ram("table of 1/x", 1 << config.formats.reciprocal_bits, exp_width(config), table=True),
    ]


def _of_lanes(lanes, name, depth, bits):
    split = tuple(part.stop - part.start for part in clusters(lanes, bits))
    return Ram(name, depth, lanes * bits, split=split)


def _sequence_memories(config):
    """Those that cores of sequences have: inputs in words of lanes, lists of rows."""
    if not config.recurrent:
        return []
    layout, lanes, units = Layout(config), config.lanes, config.hidden[0]
    blocks, inputs = layout.blocks(0), layout.blocks_of(config.inputs)
    words = 2 << max((inputs - 1).bit_length(), 1)
    row = (max(config.inputs, units) - 1).bit_length()
    place = (layout.kept_blocks - 1).bit_length() + max((lanes - 1).bit_length(), 1)
    found = [
        _of_lanes(lanes, "inputs of two ticks, as traces lie", words, config.input.bits),
        Ram("spikes", max(blocks, 2), lanes),
        Ram("list of spikes", units, (units - 1).bit_length()),
    ]
    if config.learns_hidden:
        found += [
            Ram("which traces are not zero", inputs + blocks, lanes),
            Ram("list of rows to update", layout.rows(0), row + place + 1),
        ]
    return found


def _inputs_of_two(config, layout, index):
    """Inputs of two samples: a list of those that are not zero, or all, for each group of lanes."""
    ram = Ram(
        "inputs of two samples",
        2 << (config.inputs - 1).bit_length(),
        (0 if config.convolves else index) + config.input.bits,
    )
    return [ram] * layout.spans


def _map_memories(config, layout):
    """Those of convolutions, for each group of lanes: statistics of positions, pooled maps."""
    if not config.convolves:
        return []
    low, high = exponent_range(config)
    mean = config.u.width - (not config.neuron.signed)
    bits = mean + MANTISSA_BITS + (high - low).bit_length() + (high - low + 1).bit_length()
    found = [Ram("statistics of positions", layout.spots[-1], bits)]
    forms = [layout.output_form(n) for n in range(len(layout.copy_bases) - 1)]
    if layout.copy_bases[-1]:
        lanes = max(min(form.features, form.width) for form in forms)
        found.append(Ram("pooled maps", layout.copy_bases[-1], lanes * config.z.width))
    return found * layout.spans


def _hsic_memories(config):
    """Those that the HSIC modulator has besides the activations of its window."""
    if config.modulator.family != "hsic":
        return []
    samples, layers = config.memory.window, len(config.hidden)
    entry, slot = hsic.kernel_format(config).width, samples.bit_length() - 1
    return [
        Ram("inputs of the window", config.inputs, (samples + 1) * config.input.bits),
        Ram("squares of the inputs", samples + 1, hsic.distance_bits(config), blocks=False),
        Ram("classes of the window", samples, max((config.classes - 1).bit_length(), 1), False),
        Ram("kernels", samples**2, entry),
        Ram("sums of kernels", samples, entry + slot, blocks=False),
        Ram("centred kernels", samples, config.e.width, blocks=False),
        Ram("coefficients", layers * samples, config.e.width, blocks=False),
        Ram("list of coefficients", layers * samples, slot, blocks=False),
        Ram("table of exp (kernels)", 1 << config.formats.exp_bits, exp_width(config), table=True),
    ]


def _reservoir_memories(config):
    """Those that reservoirs have, one of each for each hidden layer; v is shared."""
    if not config.memory.projected:
        return []
    reservoir, d = reservoir_config(config), config.memory.projection
    lanes, numbers = reservoir.lanes, config.classes * d
    each = [
        Ram("states of the reservoir", 2 * reservoir.blocks, lanes * reservoir.state_bits),
        Ram("decoder", reservoir.blocks * reservoir.outputs, lanes * reservoir.weight_bits),
        Ram("decoded rows", 2 * d, config.stored.width),
        Ram("decoded memory", numbers, config.read.width),
        Ram("projected activations", d, config.z.width),
        Ram("errors at the reservoir", config.classes, config.e.width),
    ]
    return [*(each * len(config.hidden)), Ram("pulls", d, config.k.width)]


def weights(config: CoreConfig) -> int:
    """Weights of the network, biases included."""
    return sum(rows * units for rows, units in Layout(config).shapes)


def memory_bits(config: CoreConfig) -> int:
    """Bits of all memories."""
    return sum(ram.bits for ram in memories(config))
