"""The program of a core whose weights are updated beside its other passes (`update.overlap`).

Each lane has a second multiplier, and the weight memory a second port to read from. Passes that
learn weights are walked *beside* the others, one after another, with a generator of their own:

* The **early** ones, of all hidden layers but the last, begin as soon as their directions are
  there, after `Kind.HANDOVER`; the **late** ones, of the readout and the last hidden layer, when
  all other passes of the sample are issued, after a second one.
* The next sample's first forward pass follows the update of the same weights (`Walk.chases`): the
  lower half of the inputs of a block, then the upper one, is walked when that part is updated. Its
  first normalise pass waits until all updates are issued, as its z takes the place of the one that
  they read, and what reads other weights until all are written.

The numbers are those of a core without it: random words are drawn in the same order. At the first
handover the generator beside takes over the word that is due behind the writes of a class memory
that are still to come; when those are drawn, the core's own moves on over all words of the early
passes, `STRIDE` in a clock, before the last class memory is written. At the second handover the one
beside takes over the word again, and in the end the core's own takes it back.
"""

from dataclasses import replace

from . import passes
from .layout import Layout
from .passes import AHEAD, SEEN, UPDATES, make
from .pipeline import stages
from .walk import Kind, Pass

PARTS = 2  # parts of a block that are followed: the inputs from 0 on, and from the middle on
STRIDE = 8  # words that the core's own generator moves on in a clock


def handover_latency(config) -> int:
    """From the issue of a handover to the first step that it lets begin."""
    return stages(config).source + 4


def drawn_latency(config) -> int:
    """From the issue of the last early step to the first late one: all words are drawn."""
    return stages(config).source + 5


def ahead_latency(config, words: int) -> int:
    """From the issue of the step that draws the last word before those of the early passes, or of
    the first handover where no memory is written, to the first step that may draw the one behind.
    """
    return stages(config).source + 5 + words // STRIDE + words % STRIDE


def half(config) -> int:
    """First input of the second part of a block."""
    return -(-config.inputs // PARTS)


def early_layers(config) -> range:
    """Hidden layers whose updates begin at the first handover."""
    return range(len(config.hidden) - 1)


def chased(config) -> int:
    """Layer of the handover after which the first layer is updated."""
    return 0 if early_layers(config) else len(config.hidden)


def overlapped(config, statistics, errors_arrive: int) -> list[Pass]:
    """The passes of one sample.

    Parameters
    ----------
    statistics : function
        From a layer and the passes of its sums to those of its statistics.
    errors_arrive : int
        Clocks from a layer's last similarity to its errors.
    """
    hidden, readout = len(config.hidden), config.layer[-1]
    found = []
    for layer, table in enumerate(config.layer[:-1]):
        last = layer == hidden - 1
        before = [config.layer[layer - 1].output(layer - 1), UPDATES] if layer else []
        sums = table.forward(config, layer, *before)
        if not layer:
            sums = [replace(p, walk=replace(p.walk, chases=True)) for p in sums]
        direction, memory = [], []
        if layer:
            direction = passes.modulation(config, layer - 1)
            memory = passes.remembering(config, layer - 1)
            if last:
                direction.append(_handover(config, 0, AHEAD))
                memory += _early(config)
        totals = statistics(layer, sums)
        waits = [totals[-1].name, *([] if layer else [SEEN])]
        z = [make(config, Kind.NORMALISE, layer, *waits), passes.similarity(config, layer)]
        if last:
            waits = [readout_input(config), *([] if layer else [UPDATES]), "results"]
            z += readout.forward(config, hidden, *waits)
        rows = Layout(config).rows(layer) * Layout(config).weight_blocks(layer)
        if layer and rows < errors_arrive:  # errors are waited for: what needs none goes first
            found += [*sums, *totals, *direction, *z, *memory]
        else:
            found += [*sums, *direction, *totals, *memory, *z]
    found += passes.modulation(config, hidden - 1)
    memory = passes.remembering(config, hidden - 1)
    memory.append(_handover(config, hidden))
    if early_layers(config):
        memory = [replace(p, waits=(*p.waits, AHEAD)) for p in memory]
    found += memory
    late = [*readout.update(config, hidden), *_update(config, hidden - 1)]
    return found + [_beside(p) for p in late]


def _handover(config, layer, *clears):
    return make(config, Kind.HANDOVER, layer, blocks=1, clears=(UPDATES, SEEN, *clears))


def words_between(config) -> int:
    """Random words that are drawn between the first handover and the early updates."""
    if not early_layers(config):
        return 0
    found = passes.remembering(config, early_layers(config)[-1])
    return sum(p.walk.rows_walked(0, 0, False) * p.walk.blocks for p in found)


def readout_input(config) -> str:
    """Name of the pass that writes what the readout sees."""
    last = len(config.hidden) - 1
    return config.layer[last].output(last)


def _early(config):
    """Updates that begin at the first handover."""
    return [_beside(p) for layer in early_layers(config) for p in _update(config, layer)]


def _update(config, layer):
    return config.layer[layer].update(config, layer, f"direction{layer}")


def _beside(p):
    return replace(p, walk=replace(p.walk, beside=True, clears=()))
