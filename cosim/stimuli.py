"""What goes into a core to be compared: samples, commands, and how the ends of streams pause.

Each function makes one kind of stimuli for a configuration, from a seed; `suite` is the list that
co-simulation tests, mutants and coverage use. All of it is sized for small cores.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import NO_LABEL, CoreConfig
from hebbware.golden.data.words import sample_words
from hebbware.golden.estimate.estimate import start_clocks
from hebbware.golden.program.commands import ADDRESS_BITS, DATA_BITS, Op, Space, State
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.traces import STREAMS
from hebbware.golden.timing.schedule import Command

from . import directed
from .commands import WORDS, fill, limits, places, random_commands, register_reads

HARD = (128, 250, 255)  # stalls: every other clock, a burst now and then, once in 256 clocks


@dataclass(frozen=True)
class Stimuli:
    """Stimuli of one run of the core, from reset.

    Attributes
    ----------
    name : str
    x : array (n, inputs)
        Raw inputs.
    labels : list of int or None
        None: infer only. Of sequences also arrays (ticks,).
    commands : list of Command
        In the order in which they are offered.
    stalls : int or dict
        Of all streams or by stream, see `hebbware.golden.program.stalls`.
    seed : int
        Of the stalls.
    reset_after : int
        Clocks after which the core is reset, and all begins anew; 0: none. See
        `hebbware.cosim.run.run`.
    """

    name: str
    x: np.ndarray
    labels: list[int | None]
    commands: list[Command]
    stalls: dict[str, int] | int = 0
    seed: int = 0
    reset_after: int = 0

    @property
    def by_stream(self) -> dict[str, int]:
        """The stall of each stream."""
        if isinstance(self.stalls, int):
            return dict.fromkeys(STREAMS, self.stalls)
        return self.stalls

    @property
    def options(self) -> dict[str, Any]:
        """What `hebbware.cosim.core.cosimulate` takes beside the samples."""
        names = ("commands", "stalls", "seed", "reset_after")
        return {name: getattr(self, name) for name in names}


# -- samples --------------------------------------------------------------------------------------


def random_samples(
    config: CoreConfig, rng: np.random.Generator, count: int
) -> tuple[np.ndarray, list[int | None]]:
    """Sparse, dense and empty samples; learned and inferred mixed.

    Of sequences, ticks are sparse, dense or empty; some have labels at any of their ticks.
    """
    shape = (count, *config.sample_shape)
    x = rng.integers(0, config.x.max + 1, shape)
    kept = rng.random(shape) < rng.choice([0, 0.3, 1], (*shape[:-1], 1), p=[0.1, 0.45, 0.45])
    x = np.where(kept, x, config.x_zero)
    labels = [
        int(c) if rng.random() < 0.75 else None for c in rng.integers(0, config.classes, count)
    ]
    if config.signal:
        labels = [label if label is None else _targets(config, rng) for label in labels]
    elif config.recurrent:
        labels = [_at_ticks(config, rng) if rng.random() < 0.5 else label for label in labels]
    return x, labels


def _at_ticks(config, rng):
    """Labels at some ticks of a sequence, none at others."""
    found = rng.integers(0, config.classes, config.neuron.ticks)
    found[rng.random(found.shape) < rng.choice([0, 0.5, 0.9])] = NO_LABEL
    return found


def _targets(config, rng):
    """Targets of a signal, near 0, anywhere or at the ends, at all or some ticks of a sequence."""
    shape = config.neuron.ticks, config.classes
    high = rng.choice([2, 128])
    found = rng.integers(-high, high, shape)
    if rng.random() < 0.2:
        found = rng.choice([-128, 127], shape)
    found[rng.random(len(found)) < rng.choice([0, 0.5, 0.9])] = NO_LABEL
    return found


def words_of_sample(config: CoreConfig) -> int:
    """Words of the sample stream that a sample, or a sequence, takes."""
    return sample_words(config) * (config.neuron.ticks if config.recurrent else 1)


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


def learned(
    config: CoreConfig, seed: int = 0, count: int = 500, inferred: int = 200, stall: int = 64
) -> Stimuli:
    """Samples around a point of each class, learned, then inferred; pauses at all ends.

    In the end all registers are read.
    """
    rng = _rng("learned", seed)
    points = rng.integers(0, config.x.max + 1, (config.classes, config.inputs))
    classes = rng.integers(0, config.classes, count + inferred)
    noise = rng.normal(0, config.x.max / 8, (count + inferred, config.inputs))
    x = np.clip(np.rint(points[classes] + noise), 0, config.x.max).astype(np.int64)
    labels = [*classes[:count].tolist(), *[None] * inferred]
    end = len(x) * (config.classes + 1)
    reads = [Command(Op.READ, Space.STATE, state, after=end) for state in State]
    return Stimuli("learned", x, labels, reads, stall, seed)


def long(config: CoreConfig, seed: int = 0, count: int = 500) -> Stimuli:
    """Many samples and as many commands of every sort."""
    rng = _rng("long", seed)
    x, labels = random_samples(config, rng, count)
    return Stimuli("long", x, labels, random_commands(config, rng, count, count))


def after_each(config: CoreConfig, seed: int = 0, count: int = 30) -> Stimuli:
    """A command after every sample, without pauses: in the clock in which the sample ends."""
    rng = _rng("after_each", seed)
    x, labels = random_samples(config, rng, count)
    return Stimuli("after each", x, labels, register_reads(config, count))


def extreme(config: CoreConfig, seed: int = 0, count: int = 18, words: int = WORDS) -> Stimuli:
    """Both memories written to the ends of their ranges: all low, all high, either.

    Of large memories `words` numbers.
    """
    rng = _rng("extreme", seed)
    x, labels = random_samples(config, rng, count)
    commands = []
    for part, share in enumerate((0, 1, 0.5)):
        after = count * part // 3 * (config.classes + 1)
        for space in (Space.WEIGHT, Space.MEMORY):
            commands += fill(config, rng, space, share, after, words)
        commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=after))
    return Stimuli("extreme", x, labels, commands)


def stalled(
    config: CoreConfig, stall: int, ends: tuple[str, ...] = STREAMS, seed: int = 0
) -> Stimuli:
    """Few samples and commands, some ends of streams stalled hard."""
    rng = _rng(f"stalled {stall} {ends}", seed)
    # at 255 a word takes 256 clocks: some ten thousand clocks altogether
    count = max(2, min(10, 80 // words_of_sample(config)))
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


def commands_alone(config: CoreConfig, seed: int = 0, count: int = 150) -> Stimuli:
    """No samples: commands of every sort, and each register written and read again."""
    rng = _rng("commands alone", seed)
    commands = [replace(c, after=0) for c in random_commands(config, rng, 1, count)]
    for n in range(count):
        data = int(rng.integers(0, 1 << 32))
        at = (Space.STATE, State(n % len(State)), 0)
        commands += [Command(Op.WRITE, *at, data), Command(Op.READ, *at)]
    # each bit of the address alone decides whether it is one
    for bit in range(ADDRESS_BITS):
        for space in Space:
            commands.append(Command(Op.WRITE, space, 1 << bit, 0, 1))
            commands += [Command(Op.READ, space, at) for at in (0, 1 << bit)]
        commands.append(Command(Op.READ, Space.STATE, 1 << bit | State.EXTRA | State.RANDOM))
    # each bit of the data alone decides whether they can be taken; none of them; and the last value
    # that can be
    ends = config.update.halvings, config.stored.width - 1
    for data in (*(1 << bit for bit in range(DATA_BITS)), 0, *ends, *(end + 1 for end in ends)):
        for at in ((Space.STATE, State.EXTRA), (Space.STATE, State.RANDOM), (Space.GAIN, 0)):
            commands += [Command(Op.WRITE, *at, 0, data), Command(Op.READ, *at)]
    x = np.zeros((0, *config.sample_shape), np.int64)
    return Stimuli("commands alone", x, [], commands)


def interrupted(config: CoreConfig, clock: int, seed: int = 0) -> Stimuli:
    """A reset so many clocks after the core has its start weights; before 0: while it makes them.

    What is under way then, of samples, commands and results, must leave nothing behind.
    """
    rng = _rng(f"interrupted {clock}", seed)
    x, labels = random_samples(config, rng, 6)
    commands = random_commands(config, rng, len(x), 6)
    at = max(start_clocks(config) + clock, 1)
    return Stimuli(f"reset at {at}", x, labels, commands, 30, seed, reset_after=at)


def octaves(config: CoreConfig, seed: int = 0) -> Stimuli:
    """See `hebbware.cosim.directed.octaves`."""
    return Stimuli(f"octaves {seed}", *directed.octaves(config, _rng("octaves", seed)))


def gains(config: CoreConfig, seed: int = 0) -> Stimuli:
    """See `hebbware.cosim.directed.gains`; for memories that scale themselves."""
    return Stimuli("gains", *directed.gains(config, _rng("gains", seed)))


def cuts(config: CoreConfig, seed: int = 0) -> Stimuli:
    """See `hebbware.cosim.directed.cuts`."""
    return Stimuli("cuts", *directed.cuts(config, _rng("cuts", seed)))


def roundings(config: CoreConfig, seed: int = 0) -> Stimuli:
    """See `hebbware.cosim.directed.roundings`; for weights that are rounded at random."""
    return Stimuli("roundings", *directed.roundings(config, _rng("roundings", seed)))


def short(config: CoreConfig, seed: int = 0) -> list[Stimuli]:
    """What `hebbware cosim` runs before the samples: few clocks, for cores of any size.

    Commands of every sort and after every sample, memories at the ends of their ranges, every end
    of a stream stalled hard.
    """
    words = words_of_sample(config)
    count = max(3, min(30, 1500 // words))
    rng = _rng("short", seed)
    x, labels = random_samples(config, rng, 3)
    stalls = {"samples": 128 if words > 31 else 250} | dict.fromkeys(STREAMS[1:], 255)
    hard = Stimuli("stalled hard", x, labels, random_commands(config, rng, 3, 6), stalls, seed)
    paused = {"samples": 20, "results": 150, "commands": 20, "responses": 150}
    return [
        replace(commanded(config, seed, count), stalls=paused),
        after_each(config, seed, count),
        extreme(config, seed, 6, words=60),
        hard,
    ]


def suite(config: CoreConfig, seed: int = 0) -> list[Stimuli]:
    """All kinds of stimuli, the short ones first; of sequences those that do not need a layer
    whose sums alone decide what it puts out.
    """
    if config.recurrent:
        return [
            plain(config, seed),
            commands_alone(config, seed),
            after_each(config, seed),
            commanded(config, seed),
            *(interrupted(config, clock, seed) for clock in (-20, 70, 333)),
            extreme(config, seed),
            *(stalled(config, stall, seed=seed) for stall in HARD[:2]),
            *(stalled(config, 255, (end,), seed) for end in STREAMS),
        ]
    self_scaling = config.memory.self_scaling
    return [
        plain(config, seed),
        commands_alone(config, seed),
        after_each(config, seed),
        even(config, seed),
        commanded(config, seed),
        *(interrupted(config, clock, seed) for clock in (-20, 70, 333)),
        extreme(config, seed),
        opposed(config, seed),
        *(stalled(config, stall, seed=seed) for stall in HARD),
        *(stalled(config, 255, (end,), seed) for end in STREAMS),
        *([gains(config, seed)] if self_scaling else []),
        cuts(config, seed),
        long(config, seed),
        *(octaves(config, n) for n in (seed, seed + 1)),
        *([roundings(config, seed)] if config.update.rounding is Rounding.STOCHASTIC else []),
    ]


def _rng(name: str, seed: int) -> np.random.Generator:
    """Another generator for each kind of stimuli and each seed."""
    return np.random.default_rng([seed, *name.encode()])
