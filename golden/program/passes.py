"""The passes of a layer, of its class memory and of its modulator: their walks, in numbers.

`hebbware.golden.program.program` puts them in order.
"""

from dataclasses import replace

from .layout import Layout
from .walk import Kind, Pass, Rows, Store, Then

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
    walk = replace(
        kind.walk,
        blocks=layout.blocks(units),
        units=units,
        base=layout.weight_bases[layer] if weights else layout.memory_bases[units],
        below=layout.vector_bases[layer - 1] if 0 < layer < hidden else 0,
        pace=2 if slow else 1,
        clears=(f"{kind}{layer}", *clears),
        **facts,
    )
    return Pass(kind, layer, walk, waits)


# -- layers ----------------------------------------------------------------------------------------


def _inputs(config, layer):
    rows = Rows.ALL if layer else Rows.INPUTS
    return {"rows": rows, "count": Layout(config).rows(layer)}


def forward(config, layer: int, *waits: str) -> Pass:
    """Weighted sums of a hidden layer; in the first one the HSIC modulator sees the inputs."""
    seen = {}
    if layer == 0 and config.modulator.family == "hsic":
        seen = {"then": Then.KERNELS, "clears_first": (KERNELS,)}
    return make(config, Kind.FORWARD, layer, *waits, **_inputs(config, layer), **seen)


def update(config, layer: int, *waits: str) -> Pass:
    """Three-factor update of a hidden layer."""
    return make(config, Kind.UPDATE, layer, *waits, **_inputs(config, layer))


def scores(config, *waits: str) -> Pass:
    """Sums of the readout: results always, errors while learning."""
    layer = len(config.hidden)
    learned = (errors_of(layer),)
    return make(
        config, Kind.SCORES, layer, *waits,
        count=config.classes, clears=("results",), clears_learned=learned,
    )  # fmt: skip


def readout(config) -> Pass:
    """Update of the readout."""
    layer = len(config.hidden)
    return make(config, Kind.READOUT, layer, errors_of(layer), count=config.classes)


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
        config, Kind.SIMILARITY, layer, f"normalise{layer}", *waits,
        count=Layout(config).memory_rows, clears=clears, then=then,
    )  # fmt: skip


def modulation(config, layer: int) -> list[Pass]:
    """Direction; with a window, what the oldest sample wrote is taken out of the memory."""
    waits, kind, count = [errors_of(layer)], config.memory, Layout(config).memory_rows
    rows = Rows.ERRORS
    if kind.projected:
        waits.append(pull_of(layer))
        rows = Rows.ALL
    passes = [make(config, Kind.DIRECTION, layer, *waits, rows=rows, count=count + 1)]
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


def start_weights(config, layer: int) -> Pass:
    """Start values of a weight layer, for one group of lanes."""
    hidden = layer < len(config.hidden)
    rows = Layout(config).rows(layer) if hidden else config.classes
    return make(config, Kind.START_WEIGHTS, layer, count=rows, row_inner=hidden)


def start_memory(config, layer: int) -> Pass:
    """The same of a class memory."""
    return make(config, Kind.START_MEMORY, layer, count=Layout(config).memory_rows)
