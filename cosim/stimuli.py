"""What goes into a core to be compared: samples, commands, and how the ends of streams pause.

Each function makes one kind of stimuli for a configuration, from a seed; `suite` is the list that
co-simulation tests, mutants and coverage use. All of it is sized for small cores.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hebbware.golden.commands import ADDRESS_BITS, Op, Space, State
from hebbware.golden.config import CoreConfig
from hebbware.golden.layout import Layout, word_width
from hebbware.golden.memory import KINDS
from hebbware.golden.schedule import STREAMS, Command

HARD = (128, 250, 255)  # stalls: every other clock, a burst now and then, once in 256 clocks
WORDS = 600  # of a memory that are written at most, so that large cores stay cheap


@dataclass(frozen=True)
class Stimuli:
    """Stimuli of one run of the core, from reset.

    Attributes
    ----------
    name : str
    x : array (n, inputs)
        Raw inputs.
    labels : list of int or None
        None: infer only.
    commands : list of Command
        In the order in which they are offered.
    stalls : int or dict
        Of all streams or by stream, see `hebbware.golden.stalls`.
    seed : int
        Of the stalls.
    """

    name: str
    x: np.ndarray
    labels: list[int | None]
    commands: list[Command]
    stalls: dict[str, int] | int = 0
    seed: int = 0

    @property
    def options(self) -> dict[str, Any]:
        """What `hebbware.cosim.core.cosimulate` takes beside the samples."""
        return {"commands": self.commands, "stalls": self.stalls, "seed": self.seed}


# -- samples --------------------------------------------------------------------------------------


def random_samples(
    config: CoreConfig, rng: np.random.Generator, count: int
) -> tuple[np.ndarray, list[int | None]]:
    """Sparse, dense and empty samples; learned and inferred mixed."""
    x = rng.integers(0, config.x.max + 1, (count, config.inputs))
    kept = rng.random(x.shape) < rng.choice([0, 0.3, 1], (count, 1), p=[0.1, 0.45, 0.45])
    x = np.where(kept, x, config.x_zero)
    labels = [
        int(c) if rng.random() < 0.75 else None for c in rng.integers(0, config.classes, count)
    ]
    return x, labels


def even_samples(
    config: CoreConfig, rng: np.random.Generator, count: int
) -> tuple[np.ndarray, list[int | None]]:
    """Samples whose inputs are all 0, all at the maximum, or each at one of these two.

    Learned class by class: the same one several times in a row, then the next.
    """
    ends = rng.integers(0, 2, (count, config.inputs)) * config.x.max
    sort = np.arange(count)[:, None] % 3
    x = np.select([sort == 0, sort == 1], [0 * ends, 0 * ends + config.x.max], ends)
    return x, [n * config.classes // count for n in range(count)]


# -- commands -------------------------------------------------------------------------------------


def random_commands(
    config: CoreConfig, rng: np.random.Generator, samples: int, count: int = 24
) -> list[Command]:
    """Commands of every sort, each offered after some of the results have been put out.

    Every third one is at the edge of what there is, see `edge_command`.
    """
    layout = Layout(config)
    hidden, classes, lanes = config.hidden, config.classes, config.lanes
    kind = KINDS[config.memory]
    after = np.sort(rng.integers(0, samples * (classes + 1) + 1, count))

    def place(bases, words_of_block):
        """An address, and a lane that holds a unit there."""
        address = int(rng.integers(bases[-1]))
        layer = int(np.searchsorted(bases, address, side="right")) - 1
        units = hidden[min(layer, len(hidden) - 1)]
        block = words_of_block(layer, address - bases[layer])
        return address, int(rng.integers(min(lanes, units - block * lanes)))

    def weight(layer, offset):
        if layer == len(hidden):
            return offset % layout.blocks(-1)
        return offset // layout.rows(layer)

    commands = []
    for n in range(count):
        which = rng.choice(["weight", "memory", "gain", "state"], p=[0.35, 0.3, 0.15, 0.2])
        op = Op(int(rng.integers(2)))
        lane = data = 0
        if n % 3 == 2 and n != count // 2:
            commands.append(edge_command(config, rng, int(after[n])))
            continue
        if n == count // 2:
            op, space, address = Op.START, Space.WEIGHT, 0
        elif which == "weight":
            space = Space.WEIGHT
            address, lane = place(layout.weight_bases, weight)
            data = int(rng.integers(config.weight.min, config.weight.max + 1))
        elif which == "memory" and (op is Op.READ or word_width(config)):
            space = Space.MEMORY
            address, lane = place(layout.memory_bases, lambda layer, at: at % layout.blocks(layer))
            half = max(1 << word_width(config) >> 1, 1)
            data = int(rng.integers(-half, half))
        elif which == "gain" and kind.self_scaling:
            space, address = Space.GAIN, int(rng.integers(len(hidden) * classes))
            data = int(rng.integers(config.memory_bits))
        else:
            space, address = Space.STATE, int(rng.choice(State))
            high = config.step_extra + 1 if address == State.EXTRA else 1 << 32
            data = int(rng.integers(address == State.RANDOM, high))
        commands.append(Command(op, space, address, lane, data, int(after[n])))
    # what was saturated up to the very end is counted
    last = Command(Op.READ, Space.STATE, State.SATURATED, after=samples * (classes + 1))
    return [*commands, last]


def edge_command(config: CoreConfig, rng: np.random.Generator, after: int = 0) -> Command:
    """A command at the edge of what there is, or beyond it.

    Words next to the last, far off, or with a bit too many; lanes without a unit, or beyond the
    last; data that are wider than what is written; registers that are read only; an operation that
    there is not.
    """
    layout, lanes = Layout(config), config.lanes
    space = Space(int(rng.integers(4)))
    words = {
        Space.WEIGHT: layout.weight_lanes,
        Space.MEMORY: layout.memory_lanes,
        Space.GAIN: np.full(len(config.hidden) * config.classes, lanes),
        Space.STATE: np.full(len(State), lanes),
    }[space]
    near = int(rng.integers(max(len(words), 1)))
    beyond = np.arange(len(words).bit_length(), ADDRESS_BITS)
    places = [near, len(words), near + (1 << int(rng.choice(beyond))), (1 << ADDRESS_BITS) - 1]
    places += np.flatnonzero(words < lanes)[-2:].tolist()
    data = [
        int(rng.integers(-(1 << 31), 1 << 32)),
        *(0, 1, -1, -(1 << 31), (1 << 32) - 1),
        *(config.step_extra, config.step_extra + 1, config.memory_bits - 1, config.memory_bits),
        *(1 << config.weight_bits - 1, config.weight.min),
    ]
    at = int(rng.choice(places))
    used = int(words[at]) if at < len(words) else lanes
    lane = int(rng.choice([0, used - 1, min(used, 127), lanes - 1, min(lanes, 127), 127]))
    op = int(rng.choice([Op.READ, Op.WRITE, 3], p=[0.3, 0.6, 0.1]))
    return Command(op, space, at, lane, int(rng.choice(data)), after)


def register_reads(config: CoreConfig, samples: int) -> list[Command]:
    """A register read after every sample: offered with its first result, it waits for its end."""
    return [
        Command(Op.READ, Space.STATE, State(n % len(State)), after=n * (config.classes + 1) + 1)
        for n in range(samples)
    ]


def places(config: CoreConfig, space: Space) -> np.ndarray:
    """Address and lane of every number of a memory, shape (numbers, 2)."""
    layout = Layout(config)
    if space is Space.WEIGHT:
        pairs = zip(config.layers, config.hidden, strict=False)
        hidden = [np.ones((rows + 1, units)) for rows, units in pairs]
        return np.argwhere(
            layout.weight_words([*hidden, np.ones((config.classes, config.hidden[-1]))])
        )
    if not word_width(config):
        return np.empty((0, 2), np.int64)
    rows = layout.memory_rows
    return np.argwhere(layout.memory_words([np.ones((rows, units)) for units in config.hidden]))


def limits(config: CoreConfig, space: Space) -> tuple[int, int]:
    """Least and largest number of a memory."""
    if space is Space.WEIGHT:
        return config.weight.min, config.weight.max
    half = 1 << word_width(config) >> 1
    return -half, max(half - 1, 0)


def fill(
    config: CoreConfig, rng: np.random.Generator, space: Space, share: float, after: int = 0
) -> Iterator[Command]:
    """Write a memory: each number to the upper end of its range with probability `share`.

    All others go to the lower end.
    """
    low, high = limits(config, space)
    at = places(config, space)
    if len(at) > WORDS:
        at = at[np.sort(rng.choice(len(at), WORDS, replace=False))]
    for address, lane in at.tolist():
        data = high if rng.random() < share else low
        yield Command(Op.WRITE, space, address, lane, data, after)


# -- stimuli --------------------------------------------------------------------------------------


def plain(config: CoreConfig, seed: int = 0, count: int = 20) -> Stimuli:
    """Random samples alone, as fast as the core takes them."""
    x, labels = random_samples(config, _rng("plain", seed), count)
    return Stimuli("plain", x, labels, [])


def even(config: CoreConfig, seed: int = 0, count: int = 12) -> Stimuli:
    """Samples all 0, all at the maximum, and of these two values."""
    x, labels = even_samples(config, _rng("even", seed), count)
    return Stimuli("even", x, labels, register_reads(config, count))


def commanded(config: CoreConfig, seed: int = 0, count: int = 40) -> Stimuli:
    """Commands of every sort at any time, all ends of streams with pauses."""
    rng = _rng("commanded", seed)
    x, labels = random_samples(config, rng, count)
    commands = random_commands(config, rng, count, count)
    stalls = {name: int(rng.choice([0, 60, 150, 240])) for name in STREAMS}
    return Stimuli("commanded", x, labels, commands, stalls, seed)


def after_each(config: CoreConfig, seed: int = 0, count: int = 30) -> Stimuli:
    """A command after every sample, without pauses: in the clock in which the sample ends."""
    rng = _rng("after_each", seed)
    x, labels = random_samples(config, rng, count)
    return Stimuli("after each", x, labels, register_reads(config, count))


def extreme(config: CoreConfig, seed: int = 0, count: int = 18) -> Stimuli:
    """Both memories written to the ends of their ranges: all low, all high, either."""
    rng = _rng("extreme", seed)
    x, labels = random_samples(config, rng, count)
    commands = []
    for part, share in enumerate((0, 1, 0.5)):
        after = count * part // 3 * (config.classes + 1)
        for space in (Space.WEIGHT, Space.MEMORY):
            commands += fill(config, rng, space, share, after)
        commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=after))
    return Stimuli("extreme", x, labels, commands)


def stalled(
    config: CoreConfig, stall: int, ends: tuple[str, ...] = STREAMS, seed: int = 0
) -> Stimuli:
    """Few samples and commands, some ends of streams stalled hard."""
    rng = _rng(f"stalled {stall} {ends}", seed)
    # at 255 a word takes 256 clocks: some ten thousand clocks altogether
    count = max(2, min(10, 80 // (config.inputs + 1)))
    x, labels = random_samples(config, rng, count)
    commands = random_commands(config, rng, count, 8)
    which = "all ends" if ends == STREAMS else " and ".join(ends)
    return Stimuli(
        f"{which} stalled {stall}", x, labels, commands, dict.fromkeys(ends, stall), seed
    )


def opposed(config: CoreConfig, seed: int = 0, count: int = 12) -> Stimuli:
    """Weights that drive every second unit of a layer up and the others down, as far as can be.

    All weights are at the ends of their range; no statistics of a layer are larger. Halfway the
    core starts anew.
    """
    layout, (low, high) = Layout(config), limits(config, Space.WEIGHT)

    def ends(rows, units):
        """Weights of rows that pull up (1) or down (-1) to units that go up and down in turn."""
        signs = np.multiply.outer(rows, 1 - np.arange(units) % 2 * 2)
        return np.where(signs > 0, high, low)

    def turns(number):
        return 1 - np.arange(number) % 2 * 2

    inputs = [np.ones(config.inputs), *map(turns, config.hidden)]
    weights = [
        ends(np.append(rows, 1), units) for rows, units in zip(inputs, config.hidden, strict=False)
    ]
    weights.append(ends(turns(config.classes), config.hidden[-1]))
    words = layout.weight_words(weights)
    commands = [
        Command(Op.WRITE, Space.WEIGHT, int(address), int(lane), int(words[address, lane]))
        for address, lane in places(config, Space.WEIGHT)
    ]
    commands.append(Command(Op.START, after=count // 2 * (config.classes + 1)))
    rng = _rng("opposed", seed)
    x = np.full((count, config.inputs), config.x.max)
    return Stimuli("opposed", x, rng.integers(0, config.classes, count).tolist(), commands)


def suite(config: CoreConfig, seed: int = 0) -> list[Stimuli]:
    """All kinds of stimuli, the short ones first."""
    return [
        plain(config, seed),
        after_each(config, seed),
        even(config, seed),
        commanded(config, seed),
        extreme(config, seed),
        *(stalled(config, stall, seed=seed) for stall in HARD),
        *(stalled(config, 255, (end,), seed) for end in STREAMS),
    ]


def _rng(name: str, seed: int) -> np.random.Generator:
    """Another generator for each kind of stimuli and each seed."""
    return np.random.default_rng([seed, *name.encode()])
