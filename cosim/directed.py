"""Commands and samples that bring a core where random ones hardly get."""

from copy import deepcopy

import numpy as np

from hebbware.golden.arithmetic.fixed import Format, saturate
from hebbware.golden.arithmetic.random import rotate_lanes, xorshift32
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.layers.normalise import unit_thresholds
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.program.layout import Layout, word_width
from hebbware.golden.program.walk import Kind, Store
from hebbware.golden.timing.schedule import Command

from .commands import write_memories, write_weights

TRIES = 12  # to find the words that become what is wanted
SEEDS = 1 << 12  # random words that are tried for each sample
IDLE = 20  # samples in a row for which none of them helps: then no more
BITS = 10  # of the random numbers, from the lowest on, that are to decide how a sum is rounded


def octaves(
    config: CoreConfig, rng: np.random.Generator
) -> tuple[np.ndarray, list[int | None], list[Command]]:
    """Activations of every size: weights of one magnitude after another, a power of two each.

    Signs are those that drive one half of each layer as far up, the other as far down, as the
    magnitude allows; class memories pull units in one direction. All are turned round, so that each
    sum is cut off at both ends wherever it can be. Then all units go up, by nearly the same: a mean
    with little variance. Sizes of class memories, gains and the halvings
    of the steps are drawn.
    """
    x, labels, commands = [], [], []
    for magnitude in range(config.weight.width):
        for turn in range(5):
            after = len(x) * (config.classes + 1)
            label = int(rng.integers(config.classes))
            if turn == 4:
                commands += _level(config, rng, magnitude, after)
            else:
                commands += _driven(config, rng, magnitude, turn & 1, after)
            commands += _pulling(config, rng, label, turn >> 1, after)
            extra = int(rng.integers(config.update.halvings + 1))
            commands.append(Command(Op.WRITE, Space.STATE, State.EXTRA, 0, extra, after))
            commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=after))
            x += [np.full(config.inputs, config.x.max)] * 2
            x.append(rng.integers(0, config.x.max + 1, config.inputs))
            labels += [label, int(rng.integers(config.classes)), None]
    return np.array(x), labels, commands


def _driven(config, rng, magnitude, turn, after):
    """Weights that let every second unit of each layer be as active as they can."""
    weights, before = [], 0
    for layer, units in enumerate((*config.hidden, config.classes)):
        rows = config.sizes[layer]
        signs = 1 - 2 * ((np.arange(units) + turn) % 2)
        inputs = 1 - 2 * ((np.arange(rows) + before) % 2) if layer else np.ones(rows, int)
        sign = np.multiply.outer(inputs, signs)
        before = turn
        if layer < len(config.hidden):
            sign = np.vstack([sign, signs])  # the bias
        else:
            sign = sign.T
        size = rng.integers(1 << magnitude, 2 << magnitude, sign.shape)
        weights.append(saturate(sign * size, config.weight))
    return write_weights(config, rng, weights, after)


def _level(config, rng, magnitude, after):
    """Weights that make the units of a layer nearly equal."""
    weights = []
    for weight in GoldenCore(config).weights:
        size = int(rng.integers(1 << magnitude, 2 << magnitude))
        weights.append(saturate(size - rng.integers(0, 4, weight.shape), config.weight))
    return write_weights(config, rng, weights, after)


def _pulling(config, rng, label, turn, after):
    """Class memories of any size and gain, that pull units one way or the other.

    That of the label points away from activations as `_driven` makes them, and the others towards
    them, some units aside: the errors are large then, and where the units turned round are few, so
    is what these are pulled by.
    """
    width = word_width(config)
    if not width:
        return []
    commands, memories = [], []
    rows = GoldenCore(config).layout.memory_rows
    for units in config.hidden:
        signs = 1 - 2 * ((np.arange(units) + turn) % 2)
        signs = np.where(rng.random(units) < rng.choice([0.1, 0.3, 0.5]), -signs, signs)
        rest = np.where(np.arange(rows) == label, -1, 1)
        # rows of very different sizes: some errors are 0 then
        bits = np.where(rng.random((rows, 1)) < 0.5, rng.integers(1, width + 1, (rows, 1)), width)
        size = rng.integers(1 << bits - 1, 1 << bits, (rows, units))
        words = np.multiply.outer(rest, signs) * size
        memories.append(saturate(words, Format(width, 0)))
    commands += write_memories(config, rng, memories, after)
    if config.memory.self_scaling:
        for address in range(len(config.hidden) * config.classes):
            gain = int(rng.integers(config.stored.width)) if rng.random() < 0.5 else 0
            commands.append(Command(Op.WRITE, Space.GAIN, address, 0, gain, after))
    return commands


def gains(
    config: CoreConfig, rng: np.random.Generator
) -> tuple[np.ndarray, list[int | None], list[Command]]:
    """Class memories whose magnitudes add up, once written, to every border of the gains' search.

    Borders are the thresholds and the powers of two, each reached and just missed. Weights are 0,
    so that activations are, and what learning writes follows from the words before and from the
    random numbers alone; golden tries words until they become what is wanted.
    """
    core, form = GoldenCore(config), Format(config.stored.width, 0)
    core.weights = [np.zeros_like(weights) for weights in core.weights]
    commands = write_weights(config, rng, core.weights)
    wanted = [_borders(units, config.stored.width) for units in config.hidden]
    count = -(-max(map(len, wanted)) // config.classes)
    x = np.full((count, config.inputs), config.x_zero)
    labels = rng.integers(0, config.classes, count).tolist()
    for sample, label in enumerate(labels):
        targets = [
            np.stack(
                [
                    _spread(rng, totals[(sample * config.classes + row) % len(totals)], units, form)
                    for row in range(config.classes)
                ]
            )
            for totals, units in zip(wanted, config.hidden, strict=True)
        ]
        core.memories = words = _becoming(core, x[sample], label, targets, form)
        after = sample * (config.classes + 1)
        commands += write_memories(config, rng, words, after)
        core.learn(x[sample], label)
        for address in range(len(config.hidden) * config.classes):
            commands.append(Command(Op.READ, Space.GAIN, address, after=after + config.classes + 1))
    return x, labels, commands


def roundings(
    config: CoreConfig, rng: np.random.Generator
) -> tuple[np.ndarray, list[int | None], list[Command]]:
    """Readout updates in which a single low bit of a lane's random number decides the rounding.

    Of every lane that has a unit in the last layer, and of every one of `BITS` bits, 0 and 1 in
    turn. The steps are as small as they can be, so that all bits of the random number count; before
    each sample the generator gets the word, of many tried, for which the most of that happens.
    """
    core, commands = GoldenCore(config), []
    core.extra = config.update.halvings
    commands.append(Command(Op.WRITE, Space.STATE, State.EXTRA, 0, core.extra))
    met, idle, x, labels = False, 0, [], []
    while idle < IDLE:
        if idle % 5 == 4:  # other activations
            form = config.weight
            core.weights = [rng.integers(form.min, form.max + 1, w.shape) for w in core.weights]
            commands += write_weights(config, rng, core.weights, len(x) * (config.classes + 1))
        x.append(rng.integers(0, config.x.max + 1, config.inputs))
        labels.append(int(rng.integers(config.classes)))
        seeds = rng.integers(1, 1 << 32, SEEDS)
        decides = _decides(config, seeds, *_readout_update(deepcopy(core), x[-1], labels[-1]))
        new = (decides & ~met).sum(axis=(1, 2, 3))
        best = int(new.argmax())
        met, idle = met | decides[best], 0 if new[best] else idle + 1
        core.random_state = int(seeds[best])
        after = (len(x) - 1) * (config.classes + 1)
        commands.append(Command(Op.WRITE, Space.STATE, State.RANDOM, 0, core.random_state, after))
        core.learn(x[-1], labels[-1])
    return np.array(x), labels, commands


def cuts(
    config: CoreConfig, rng: np.random.Generator
) -> tuple[np.ndarray, list[int | None], list[Command]]:
    """Weights of one lane after another at the ends of their range: learning cuts this lane's off.

    All other weights are 0, and biases as high as they can be, so that units learn. Golden tries
    signs and samples: the first sample moves as many weights as can be beyond the upper end, the
    second one beyond the lower.
    """
    core, commands, x, labels = GoldenCore(config), [], [], []

    def drawn():
        return rng.integers(0, config.x.max + 1, config.inputs), int(rng.integers(config.classes))

    def learn(sample, label):
        x.append(sample)
        labels.append(label)
        core.learn(sample, label)

    for _ in range(2 * config.classes):  # class memories that pull
        learn(*drawn())
    for lane in range(min(config.lanes, max(config.hidden))):
        for low in (False, True):
            tried = [(_at_ends(core, rng, lane), *drawn()) for _ in range(TRIES)]
            weights, *sample = max(tried, key=lambda one: _cut(core, low, *one))
            core.weights, after = weights, len(x) * (config.classes + 1)
            commands += write_weights(config, rng, core.weights, after)
            learn(*sample)
            read = after + config.classes + 1
            commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=read))
    return np.array(x), labels, commands


def _at_ends(core, rng, lane):
    """Weights of a lane at either end, the bias at the upper one; all others are 0."""
    form, found = core.config.weight, []
    for layer, weight in zip(core.config.layer, core.weights, strict=True):
        drawn = np.where(rng.random(weight.shape) < 0.5, form.min, form.max)
        if layer.bias:
            drawn[-1] = form.max
        found.append(np.where(np.arange(weight.shape[1]) % core.config.lanes == lane, drawn, 0))
    return found


def _cut(core, low, weights, x, label):
    """How many of these weights are cut off at one end when a sample is learned."""
    trial, form, count = deepcopy(core), core.config.weight, 0
    trial.weights, stored = [weight.copy() for weight in weights], trial._stored

    def counted(moved, *of):
        nonlocal count
        count += int((moved < form.min if low else moved > form.max).sum())
        return stored(moved, *of)

    trial._stored = counted
    trial.learn(x, label)
    return count


def _readout_update(core, x, label):
    """Random words drawn in a sample up to the end of the readout's update, and its products."""
    state, seen, drawn, steps = core.random_state, {}, core.random_state, 0
    for made in core.walk(x, label):
        seen |= {(w.store, w.layer): w.values for w in made.written}
        if made.of.kind is Kind.READOUT and made.rows:
            drawn = core.random_state
    while state != drawn:
        state, steps = xorshift32(state), steps + 1
    hidden = len(core.config.hidden)
    return steps, np.multiply.outer(seen[Store.ERRORS, hidden], seen[Store.Z, hidden - 1])


def _decides(config, seeds, steps, product):
    """Whether a bit decides, shape (seeds, lanes with a unit, `BITS`, what the bit is)."""
    layout, shift = Layout(config), config.step_shifts[-1] + config.update.halvings
    classes, units = product.shape
    found = np.zeros((len(seeds), min(units, config.lanes), BITS, 2), bool)
    states, words = seeds.astype(np.uint64), []
    for _ in range(steps):
        states = xorshift32(states.copy())  # which is worked on in place
        words.append(states)
    if not words:
        return found
    blocks = layout.blocks_of(units)
    words = np.stack(words[-classes * blocks :], axis=-1)
    words = words.reshape(len(seeds), classes, blocks)
    random = layout.units_of(rotate_lanes(words, config.lanes, config.update_shift), units)
    random = random >> config.update_shift - shift
    low = (random - product) % (1 << shift)
    for bit in range(BITS):
        is_set = (random >> bit & 1).astype(bool)
        for value, near in enumerate((low >= (1 << shift) - (1 << bit), low < 1 << bit)):
            hits = (near & (is_set == bool(value))).any(axis=1)
            for unit in range(units):
                found[:, unit % config.lanes, bit, value] |= hits[:, unit]
    return found


def _borders(units: int, bits: int) -> list[int]:
    """Sums of magnitudes just below and at each border, and the largest one."""
    most = units << bits - 1
    borders = [*unit_thresholds(units, bits).tolist(), *(1 << n for n in range(most.bit_length()))]
    return sorted({total for border in borders for total in (border - 1, border)} | {most})


def _spread(rng, total: int, units: int, form: Format) -> np.ndarray:
    """Numbers of either sign whose magnitudes add up to `total`; at the ends only if need be."""
    cap = form.max - (form.max >> 3)  # what is forgotten in a sample can be added to that
    if total > units * cap:
        cap = -form.min
    left, sizes = total, np.zeros(units, np.int64)
    while left:
        for unit in rng.permutation(units):
            share = int(rng.integers(0, 2 * left // units + 2))
            more = min(share, left, cap - int(sizes[unit]))
            sizes[unit] += more
            left -= more
    signs = np.where(rng.random(units) < 0.5, -1, 1)
    return np.where(sizes > form.max, -sizes, signs * sizes)


def _becoming(core, x, label, targets, form):
    """Class memories that `targets` become when the sample is learned, or nearly."""
    words = [target.copy() for target in targets]
    for _ in range(TRIES):
        trial = deepcopy(core)
        trial.memories = [each.copy() for each in words]
        trial.learn(x, label)
        missing = [t - m for t, m in zip(targets, trial.memories, strict=True)]
        if not any(part.any() for part in missing):
            break
        words = [saturate(w + part, form) for w, part in zip(words, missing, strict=True)]
    return words
