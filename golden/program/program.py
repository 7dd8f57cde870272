"""The program of the core: the passes of a sample, their order, and what each waits for.

The sequencer in `hebbware.hdl` is generated from this table and `hebbware.golden.timing.schedule`
predicts clocks from it; neither repeats it.

A *pass* walks rows and blocks and issues one step per clock into the lane pipeline. It starts as
soon as the pass before it has issued its last step and everything it waits for is done. A pass of
no steps takes one clock. The order hides latencies: a layer's direction and memory write fill the
clocks in which the next layer's statistics settle. Where a sample takes several time steps the
program is walked once for each, all but the last time without learning or putting out anything.

A weight memory with one port (`weight_ports`) cannot be read and written in the same clock. A step
reads at `Stages.read_weights` and writes at `Stages.write`, an odd number of clocks later: passes
that write weights issue in every second clock, so that reads and writes alternate, and a pass that
touches the weights waits until the writes of all passes before it are done.
"""

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from ..layers.init import init_groups
from ..reservoir.memory import reservoir_config, reservoir_inputs
from ..timing.reservoir import decoder_tail, state_tail
from . import passes
from .layout import Layout
from .overlap import overlapped
from .passes import make
from .pipeline import stages, tree_latency
from .walk import Kind, Pass, Store, Then, Walk


@lru_cache(maxsize=64)
def program(config) -> tuple[Pass, ...]:
    """The passes of one sample.

    In the time steps before the last one only the settling ones are walked, in the same order.
    """
    if config.recurrent:
        return _tick(config)
    if config.update.overlap:
        errors_arrive = total_latency(config) + ARRIVE + softmax_latency(config)
        statistics = partial(_statistics_of, config)
        return tuple(overlapped(config, statistics, errors_arrive))
    hidden, learns, last = len(config.hidden), config.learns_hidden, config.layer[-1]
    found = []
    for layer, table in enumerate(config.layer[:-1]):
        before = [config.layer[layer - 1].output(layer - 1)] if layer else []
        if learns:
            before += _names(table.update(config, layer))
        sums = table.forward(config, layer, *before)
        found += sums
        if learns and layer:
            found += passes.modulation(config, layer - 1)
        where = table.positions(config, layer)
        statistics = _statistics(config, layer, where, *_names(sums))
        found += statistics
        if learns and layer:
            found += passes.remembering(config, layer - 1)
        found.append(make(config, Kind.NORMALISE, layer, statistics[-1].name, **where))
        found += table.finish(config, layer)
        if layer == hidden - 1:
            waits = (table.output(layer), *_names(last.update(config, hidden)), "results")
            found += last.forward(config, hidden, *waits)
        if learns:
            found.append(passes.similarity(config, layer))
    if learns:
        for layer, table in enumerate(config.layer[:-2]):
            found += table.update(config, layer, f"direction{layer}")
        found += passes.modulation(config, hidden - 1)
        found += passes.remembering(config, hidden - 1)
    found += last.update(config, hidden)
    if learns:
        found += config.layer[-2].update(config, hidden - 1, f"direction{hidden - 1}")
    return tuple(_apart(found) if config.weight_ports == 1 else found)


def _statistics_of(config, layer, sums):
    """The same of a layer whose forward passes are `sums`."""
    return _statistics(config, layer, {}, *_names(sums))


def _statistics(config, layer, where, *waits) -> list[Pass]:
    """Sums of the activations and of their squares: at each position in turn, where there are."""
    if config.convolves:
        count = 2 * Layout(config).map_form(layer).groups  # group by group
        return [make(config, Kind.MOMENTS, layer, *waits, count=count, **where)]
    return [make(config, Kind.SUM, layer, *waits), make(config, Kind.SQUARES, layer)]


def _tick(config) -> tuple[Pass, ...]:
    """The passes of one tick of a sequence."""
    layer, readout = config.layer
    settling, learning = layer.forward(config, 0), []
    seen = settling[-1].name
    if config.learns_hidden:
        feedback = layer.feedback(config, 0, seen)
        learning = [feedback, *layer.update(config, 0, feedback.name)]
        if config.writes_memory:
            learning.append(layer.remember(config, 0))
    found = _close(
        config,
        [
            *settling,
            *readout.forward(config, 1, seen, *_names(readout.update(config, 1)), "results"),
            *learning,
            *readout.update(config, 1),
        ],
    )
    return tuple(_apart(found) if config.weight_ports == 1 else found)


def _close(config, found: list[Pass]) -> list[Pass]:
    """Let passes follow those that write a vector of many blocks without a wait.

    Both walk block after block: when block b is read, so many clocks as there are blocks have gone
    by since it was written, at least.
    """
    vectors = {Store.A, Store.Z, Store.D}
    early = {
        p.name
        for p in found
        if vectors.issuperset(p.walk.writes) and p.walk.blocks >= done_latency(config, p.walk)
    }
    return [replace(p, waits=tuple(name for name in p.waits if name not in early)) for p in found]


@lru_cache(maxsize=128)
def passes_of_tick(config, counted: bool, learn: bool) -> tuple[Pass, ...]:
    """The passes of a tick that has a target to `learn`, or whose scores are `counted`."""
    return tuple(p for p in program(config) if p.walk.settling or learn or counted and not p.learn)


def _names(found: list[Pass]) -> list[str]:
    return [p.name for p in found]


def _apart(found: list[Pass]) -> list[Pass]:
    """Let every pass that touches the weights wait for all that write them."""
    writers = [p.name for p in found if Store.WEIGHTS in p.walk.writes]
    return [
        replace(p, waits=tuple(dict.fromkeys((*p.waits, *writers))))
        if p.walk.touches(Store.WEIGHTS)
        else p
        for p in found
    ]


@lru_cache(maxsize=128)
def passes_of_sample(config, learn: bool) -> tuple[tuple[int, Pass], ...]:
    """Time step and pass, in the order in which they are walked for a sample to `learn` or not."""
    last = config.neuron.time_steps - 1
    return tuple(
        (time, p)
        for time in range(last + 1)
        for p in program(config)
        if (learn or not p.learn) and (time == last or p.walk.settling)
    )


def start_program(config) -> tuple[Pass, ...]:
    """The passes that fill the memories for one group of lanes; walked `init_groups` times."""
    found = [p for layer, table in enumerate(config.layer) for p in table.start(config, layer)]
    if config.has_memory:
        found += [passes.start_memory(config, layer) for layer in range(len(config.hidden))]
    return tuple(found)


def start_clocks(config) -> int:
    """Clocks from reset to the first one in which a sample may be taken."""
    walks = (p.walk for p in start_program(config))
    clocks = sum(walk.pace * walk.count * walk.blocks for walk in walks)
    return init_groups(config) * (clocks + stages(config).settled)


# -- latencies, in clocks --------------------------------------------------------------------------

SOFTMAX_FIXED = 13  # clocks of a softmax beyond its two walks over the classes


def total_latency(config) -> int:
    """From the issue of the last step of a dot product to the clock in which the total is there."""
    return stages(config).product + tree_latency(config.lanes) + 1


def magnitudes_latency(config) -> int:
    """From the issue of a row's last write to the clock in which the total of its magnitudes is
    there, from which its gain is found.
    """
    return stages(config).write + MAGNITUDES + tree_latency(config.lanes) + 1


NORMALISE_LATENCY = 8  # from the sum of squares to mean, mantissa and exponent
STATISTICS_KEPT = 2  # until those of a position, in a memory, are read again
ARRIVE = 4  # from a dot product's total to its similarity or score in the softmax's buffer
MAGNITUDES = 1  # from written words to their magnitudes, which the tree adds up
GAIN = 3  # from the total of the magnitudes to the gain


def done_latency(config, walk: Walk) -> int:
    """From the issue of a pass's last step to the first clock in which waiting passes may start.

    Those read what the pass has written in the clock after it was written, or later. The flags of
    `hebbware.hdl.core` are raised in the clock before.
    """
    at = stages(config)
    if walk.then is Then.STATISTICS:
        kept = STATISTICS_KEPT if config.convolves else 0
        return total_latency(config) + NORMALISE_LATENCY + kept - at.scale
    if walk.then is Then.GAINS:
        # not before the total is there, and so early enough for the host to overwrite the gain
        return magnitudes_latency(config) + max(GAIN - at.read_gain, 1)
    read = {
        Store.A: at.read_vectors,
        Store.D: at.read_vectors,
        Store.Z: at.read_z,
        Store.MAP: at.read_z,
        Store.CELLS: at.read_z,
        Store.TRACES: at.read_z,
        Store.MEMORY: at.read_memory,
    }
    first = min((read[store] for store in walk.writes if store in read), default=at.read_weights)
    return at.write + 1 - first


SQUARED = 3  # from the last output of a signal being there, as in a softmax's buffer, to the errors
SQUARED_ERROR = 1  # and to the write of its own error

COMMAND_STEP = 2  # from taking a command to issuing its step
COMMAND_RESPONSE = 4  # to its response; where it has a step, beside that one's way back
COMMAND_START = 3  # to the first step of the start program

COEFFICIENT = 2  # from a similarity's arrival to its coefficient, in the place of a softmax error
COEFFICIENTS = 6  # from the arrival of the last one to the coefficients being there


def kernels_latency(config) -> int:
    """From the last step of the first layer's first block to the kernels being centred."""
    return 2 * config.memory.window + 11


def list_latency(config, entries: np.ndarray) -> int:
    """From the last step of the pass that makes spikes, or traces, to the list of the units that
    spiked, or of the rows that updates walk, being there.

    Parameters
    ----------
    entries : int array (blocks,)
        How many there are in each block.
    """
    return stages(config).write + 3 + int(np.maximum(entries, 1).sum())


def softmax_latency(config) -> int:
    """From the clock in which the last logit is in the buffer to the errors being there."""
    return 2 * config.classes + SOFTMAX_FIXED


# -- the reservoir memory, see `hebbware.hdl.errors.reservoir` -------------------------------------

MULTIPLY = 4  # from the issue of the last product of a sum to the clock in which the sum is kept
UNIT_SCALE = 4  # from a row's last decoded number to the write of the first one at unit scale


def products(config) -> int:
    """Clocks in which all products of E with q, or with the errors, are issued."""
    return config.classes * config.memory.projection


def similarity_latency(config) -> int:
    """What is between the last projected number and the last similarity, each in its buffer."""
    return products(config) + MULTIPLY


def pull_latency(config) -> int:
    """From the errors being there to the first clock in which a pass that reads v may start."""
    return products(config) + MULTIPLY


def decoded_latencies(config) -> list[int]:
    """From v being there to the write of each row's first number at unit scale.

    The reservoir's step starts in the clock before v is there, the decoder in the clock after that
    is done; see `hebbware.golden.timing.reservoir`. Numbers of a row are written one per clock.
    """
    reservoir = reservoir_config(config)
    step = reservoir.blocks * (1 + reservoir_inputs(config) + reservoir.taps) + state_tail(
        reservoir
    )
    row = reservoir.blocks * config.memory.projection
    return [
        step + (c + 1) * row + decoder_tail(reservoir) + UNIT_SCALE for c in range(config.classes)
    ]


def reservoir_latency(config) -> int:
    """From v being there to the first clock in which similarities may use the new memory."""
    return decoded_latencies(config)[-1] + config.memory.projection
