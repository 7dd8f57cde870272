"""Commands for the core, of every sort: at random, at the edge of what there is, whole memories."""

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.commands import ADDRESS_BITS, Op, Space, State
from hebbware.golden.program.layout import Layout, word_width
from hebbware.golden.timing.schedule import Command

WORDS = 600  # of a memory that are written at most, so that large cores stay cheap


def random_commands(
    config: CoreConfig, rng: np.random.Generator, samples: int, count: int = 24
) -> list[Command]:
    """Commands of every sort, each offered after some of the results have been put out.

    Every third one is at the edge of what there is, see `edge_command`.
    """
    layout = Layout(config)
    hidden, classes, lanes = config.hidden, config.classes, config.lanes
    kind = config.memory
    after = np.sort(rng.integers(0, samples * (classes + 1) + 1, count))

    def place(bases, words_of_block):
        """An address, and a lane that holds a unit there."""
        address = int(rng.integers(bases[-1]))
        if config.convolves:
            held = layout.weight_places if bases is layout.weight_bases else layout.memory_places
            there = np.flatnonzero(held[address]) if len(held) else np.arange(lanes)
            return address, int(rng.choice(there))
        layer = int(np.searchsorted(bases, address, side="right")) - 1
        units = hidden[min(layer, len(hidden) - 1)]
        block = words_of_block(layer, address - bases[layer])
        return address, int(rng.integers(min(lanes, units - block * lanes)))

    def weight(layer, offset):
        if config.layer[layer].row_inner:
            return offset // layout.rows(layer)
        return offset % layout.weight_blocks(layer)

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
            data = int(rng.integers(config.stored.width))
        else:
            space, address = Space.STATE, int(rng.choice(State))
            high = config.update.halvings + 1 if address == State.EXTRA else 1 << 32
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
        *(
            config.update.halvings,
            config.update.halvings + 1,
            config.stored.width - 1,
            config.stored.width,
        ),
        *(1 << config.weight.width - 1, config.weight.min),
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
    return np.argwhere(layout.weight_places if space is Space.WEIGHT else layout.memory_places)


def limits(config: CoreConfig, space: Space) -> tuple[int, int]:
    """Least and largest number of a memory."""
    if space is Space.WEIGHT:
        return config.weight.min, config.weight.max
    half = 1 << word_width(config) >> 1
    return -half, max(half - 1, 0)


def fill(
    config: CoreConfig,
    rng: np.random.Generator,
    space: Space,
    share: float,
    after: int = 0,
    words: int = WORDS,
) -> list[Command]:
    """Write a memory: each number to the upper end of its range with probability `share`.

    All others go to the lower end. Of large memories so many `words`.
    """
    low, high = limits(config, space)
    at = _some(rng, places(config, space), words)
    numbers = np.where(rng.random(len(at)) < share, high, low)
    return _writes(space, at, numbers, after)


def write_weights(
    config: CoreConfig, rng: np.random.Generator, weights: list[np.ndarray], after: int = 0
) -> list[Command]:
    """Write the weights, shapes as of `hebbware.golden.Core.weights`."""
    at = _some(rng, places(config, Space.WEIGHT))
    words = Layout(config).weight_words(weights)
    return _writes(Space.WEIGHT, at, words[tuple(at.T)], after)


def write_memories(
    config: CoreConfig, rng: np.random.Generator, memories: list[np.ndarray], after: int = 0
) -> list[Command]:
    """Write the class memories, an array (rows, units) of whole words for each layer."""
    at = _some(rng, places(config, Space.MEMORY))
    words = Layout(config).memory_words(memories)
    return _writes(Space.MEMORY, at, words[tuple(at.T)], after)


def _some(rng: np.random.Generator, at: np.ndarray, words: int = WORDS) -> np.ndarray:
    """All places, of large memories some."""
    if len(at) <= words:
        return at
    return at[np.sort(rng.choice(len(at), words, replace=False))]


def _writes(space: Space, at: np.ndarray, numbers: np.ndarray, after: int) -> list[Command]:
    return [
        Command(Op.WRITE, space, address, lane, number, after)
        for (address, lane), number in zip(at.tolist(), numbers.tolist(), strict=True)
    ]
