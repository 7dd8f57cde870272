"""The passes of a layer's class memory and modulator: their walks, in numbers.

Those of its weights are in `hebbware.golden.layers`; `hebbware.golden.program.program` puts all in
order.
"""

from dataclasses import replace

from .layout import Layout
from .walk import Kind, Pass, Rows, Store, Then

SPIKES = "spikes"  # under this name the list of a tick's spikes is waited for
TRACED = "traced"  # under this name the list of the rows that updates walk is waited for
UPDATES = "updates"  # under this name all passes beside the others are waited for,
SEEN = "seen"  # that they have been issued, and so have read what they need of a sample,
AHEAD = "ahead"  # and that the random word is the one behind those that early updates draw
KERNELS = "kernels"  # under this name what weighs the samples of the window is waited for


def errors_of(layer: int) -> str:
    """Name under which the softmax errors of `layer` (or of the readout) are waited for."""
    return f"error{layer}"


def pull_of(layer: int) -> str:
    """Name under which v of `layer` is waited for, where the memory is a reservoir."""
    return f"pull{layer}"


def reservoir_of(layer: int) -> str:
    """Name under which the memory decoded from the reservoir of `layer` is waited for."""
    return f"reservoir{layer}"


def make(config, kind: Kind, layer: int, *waits: str, clears=(), **facts) -> Pass:
    """A pass of `layer`; `facts` are those of its `Walk` that its kind leaves open."""
    layout, hidden = Layout(config), len(config.hidden)
    units = min(layer, hidden - 1)
    weights = kind.walk.touches(Store.WEIGHTS)
    slow = config.weight_ports == 1 and Store.WEIGHTS in kind.walk.writes
    found = {
        "blocks": layout.blocks(units),
        "units": units,
        "base": layout.weight_bases[layer] if weights else layout.memory_bases[units],
        "below": layout.vector_bases[layer - 1] if 0 < layer < hidden else 0,
        "pace": 2 if slow else 1,
        "clears": (f"{kind}{layer}", *clears),
    }
    return Pass(kind, layer, replace(kind.walk, **found | facts), waits)


# -- class memory and modulator --------------------------------------------------------------------


def similarity(config, layer: int) -> Pass:
    """Similarities of the activations with the rows of the class memory."""
    kind, waits, clears, then = config.memory, [], [errors_of(layer)], Then.SOFTMAX
    if config.writes_memory:
        waits.append(f"memory{layer}")
    if kind.by_sample:
        waits.append(KERNELS)
        then = Then.COEFFICIENTS
    if kind.projected:
        waits, then = [reservoir_of(layer)], Then.PROJECTED
        clears += [pull_of(layer), reservoir_of(layer)]
    return make(
        config, Kind.SIMILARITY, layer, config.layer[layer].seen(layer), *waits,
        count=Layout(config).memory_rows, clears=clears, then=then,
    )  # fmt: skip


def modulation(config, layer: int) -> list[Pass]:
    """Direction; with a window, what the oldest sample wrote is taken out of the memory."""
    waits, kind, count = [errors_of(layer)], config.memory, Layout(config).memory_rows
    rows = Rows.ERRORS
    if kind.projected:
        waits.append(pull_of(layer))
        rows = Rows.ALL
    facts = {"rows": rows, "count": count + 1, **config.layer[layer].positions(config, layer)}
    passes = [make(config, Kind.DIRECTION, layer, *waits, **facts)]
    if kind.windowed:
        passes.append(make(config, Kind.FORGET, layer, count=count))
    return passes


def remembering(config, layer: int) -> list[Pass]:
    """Write of the class memory, where learning writes it."""
    if not config.writes_memory:
        return []
    kind, waits = config.memory, [errors_of(layer)]
    if kind.windowed:
        waits.append(f"forget{layer}")
    return [
        make(
            config, Kind.MEMORY, layer, *waits,
            rows=Rows.ALL if kind.by_error else Rows.LABEL,
            count=Layout(config).memory_rows,
            reads=() if kind.by_sample else (Store.MEMORY,),
            then=Then.GAINS if kind.self_scaling else Then.NOTHING,
        )
    ]  # fmt: skip


# -- start values ----------------------------------------------------------------------------------


def start_memory(config, layer: int) -> Pass:
    """Start values of a class memory, for one group of lanes."""
    return make(config, Kind.START_MEMORY, layer, count=Layout(config).memory_rows)
