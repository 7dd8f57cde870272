"""Channels of the core and of the reservoir block: streams, and traces of writes to memories.

A *trace* has one record in each clock in which something is written: an address, and one number for
each of its lanes. `traces` lists those of a configuration; ports of the core, schedule,
co-simulation and the list of ports are all made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .commands import Space
from .layout import Layout, place_of, vector_width, word_width

STREAMS = ("samples", "results", "commands", "responses")


class Part(NamedTuple):
    """One array among those that a trace shows.

    Members
    -------
    shape : tuple of int
    name : function
        What the number at an index of the array is, in words.
    fraction : int
        Fraction bits of its numbers.
    """

    shape: tuple[int, ...]
    name: Callable[..., str]
    fraction: int


@dataclass(frozen=True)
class Trace:
    """A channel that shows writes.

    Attributes
    ----------
    name : str
        Of the port within the core's ``trace``.
    width : int
        Bits of a number.
    lanes : int
        Numbers of a record.
    depth : int
        Addresses that the port can show.
    parts : list of Part
        Arrays whose numbers it shows, in the order of their addresses.
    words : function
        Puts such arrays into words ``(addresses, lanes)``.
    meaning : str
        What a record is, for the list of ports.
    space : Space, optional
        Where a command writes what this trace shows.
    single : bool
        One signed number and no word of a memory.
    """

    name: str
    width: int
    lanes: int
    depth: int
    parts: list[Part]
    words: Callable[[list[np.ndarray]], np.ndarray]
    meaning: str
    space: Space | None = None
    single: bool = False

    @property
    def channel(self) -> str:
        """Path of the port in the core."""
        return f"trace.{self.name}"

    def describe(self, address: int, lane: int) -> tuple[str, int]:
        """Name in words what lies at an address and a lane; its fraction bits."""
        found = place_of(self.words, [part.shape for part in self.parts], address, lane)
        if found is None:
            return f"lane {lane} of address {address}, which holds nothing", 0
        part, index = self.parts[found[0]], found[1]
        return part.name(*index), part.fraction


def traces(config) -> dict[str, Trace]:
    """List the traces of a core by name: those of all, then of its modulator or reservoirs."""
    layout, classes, lanes = Layout(config), config.classes, config.lanes
    layers = [(f"layer {layer + 1}", units) for layer, units in enumerate(config.hidden)]
    word = word_width(config)  # without a memory, the port has one bit that stays low
    row, error = config.memory.row, (config.e.width, config.e.fraction)
    of = "error of output" if config.signal else "softmax error of class"
    names = [_weight(name, config, n) for n, (name, _) in enumerate(layers)]
    names.append("readout weight to class {} from unit {}".format)
    weights = [
        Part(shape, name, config.weight_fraction(n))
        for n, (shape, name) in enumerate(zip(layout.shapes, names, strict=True))
    ]
    memory = [
        Part((layout.memory_rows, units), f"{name} class memory of {row} {{}}, unit {{}}".format, 0)
        for name, units in layers
    ]
    parts, words, depth, meaning = _vectors(config, layers)
    found = [
        Trace(
            "weights", config.weight.width, lanes, layout.words, weights, layout.weight_words,
            "each write of the weight memory: the word of all lanes", Space.WEIGHT,
        ),
        Trace(
            "memory", max(word, 1), lanes if word else 1, layout.words, memory, layout.memory_words,
            "each write of the class memory: the word of all lanes", Space.MEMORY,
        ),
        Trace(
            "vectors", vector_width(config), lanes, depth, parts, words, meaning,
        ),
        _numbers(
            "errors", *error, (classes,),
            [f"{name} {of} {{}}" for name, _ in [*layers, ("readout", 0)]],
            "each softmax error; address = layer * classes + class, the readout last",
        ),
    ]  # fmt: skip
    if config.modulator.family == "hsic":
        found += [
            _numbers(
                "kernels", *error, (config.memory.window,), ["centred kernel of sample {}"],
                "hsic: what a sample of the window weighs, centred; address = its slot",
            ),
            _numbers(
                "coefficients", *error, (config.memory.window,),
                [f"{name} coefficient of sample {{}}" for name, _ in layers],
                "hsic: what its activations are multiplied with; address = layer * window + slot",
            ),
        ]  # fmt: skip
    if config.memory.projected:
        found += [
            _numbers(
                f"reservoir_{n}",
                config.read.width,
                config.read.fraction,
                (classes, config.memory.projection),
                [f"{name} decoded memory of class {{}}, place {{}}"],
                "reservoir: each number that a layer's reservoir remembers, as it is decoded; "
                "address = class * projection + place",
            )
            for n, (name, _) in enumerate(layers)
        ]
    return {trace.name: trace for trace in found}


def _vectors(config, layers):
    """Parts of the trace of vectors, how they become words, its depth and meaning."""
    layout = Layout(config)
    kinds = {"activation a": config.u, "normalised z": config.z, "direction d": config.d}
    if config.recurrent:
        kinds = {"potential": config.u, "filtered spikes": config.z, "direction d": config.d}
    a, z, d = (
        [
            _vector(layout.map_form(n), f"{name} {what}", "position", form)
            for n, (name, _) in enumerate(layers)
        ]
        for what, form in kinds.items()
    )
    depth = 2 * layout.vector_bases[-1] + layout.kept_blocks
    between, meaning = [], (
        "each write of activations (a), normalised activations (z) and directions (d); "
        "address = kind * blocks + block with a = 0, z = 1, d = 2; all lanes"
    )  # fmt: skip
    if config.recurrent:
        between = [
            (Part((size,), f"layer 1 trace of {what} {{}}".format, config.trace.fraction),
             layout.vector(size))
            for what, size in (("input", config.inputs), ("spikes of unit", config.hidden[0]))
        ]  # fmt: skip
        meaning = (
            "each write of potentials, filtered spikes, traces of inputs, traces of spikes and "
            "directions, which lie one after another, block by block; all lanes"
        )
    if config.convolves:
        maps = layers[: len(config.windows)]
        between = [
            _vector(layout.output_form(n), f"{name} pooled z", "place", config.z)
            for n, (name, _) in enumerate(maps)
        ]
        between += [
            _vector(layout.memory_form(n), f"{name} average z", "cell", config.z)
            for n, (name, _) in enumerate(maps * config.learns_hidden)
        ]
        meaning = (
            "each write of activations, normalised activations, pooled maps, averages of cells and "
            "directions, which lie one after another, word by word; all lanes"
        )
    parts, forms = zip(*a, *z, *between, *d, strict=True)

    def words(arrays):
        pairs = zip(forms, arrays, strict=True)
        return np.concatenate([form.pack(array.ravel()) for form, array in pairs])

    return list(parts), words, depth, meaning


def _vector(form, name, place, number):
    """The part of a vector, or of a map with features at places, and its form."""
    if form.places == 1:
        return Part((form.features,), f"{name} of unit {{}}".format, number.fraction), form
    text = f"{name} at {place} {{}} of feature {{}}"
    return Part((form.places, form.features), text.format, number.fraction), form


def reservoir_traces(config) -> dict[str, Trace]:
    """List the traces of the reservoir block (`hebbware.golden.reservoir.cell.ReservoirConfig`)."""

    def words(arrays):
        return np.concatenate([array.reshape(-1, config.lanes) for array in arrays])

    states = [
        Part((config.units,), f"state of unit {{}} in bank {bank}".format, config.state.fraction)
        for bank in range(2)
    ]
    weights = Part(
        (config.outputs, config.units),
        "weight of output {} from unit {}".format,
        config.weight.fraction,
    )
    found = [
        Trace(
            "state", config.state_bits, config.lanes, 2 * config.blocks, states, words,
            "each write of the state memory: the word of all lanes",
        ),
    ]  # fmt: skip
    if config.output == "readout":
        found.append(
            Trace(
                "weights", config.weight_bits, config.lanes, config.outputs * config.blocks,
                [weights], words, "each write of the decoder weights: the word of all lanes",
            )
        )  # fmt: skip
    return {trace.name: trace for trace in found}


def _weight(layer, config, number):
    inputs, bias = config.sizes[number], config.layer[number].bias

    def name(row, unit):
        beyond = "bias" if bias else f"spikes of unit {row - inputs}"
        source = f"input {row}" if row < inputs else beyond
        return f"{layer} weight from {source} to unit {unit}"

    return name


def _numbers(name, width, fraction, shape, texts, meaning):
    """Single numbers, each at an address of its own, of one array of this shape for each text."""
    parts = [Part(shape, text.format, fraction) for text in texts]
    depth = len(parts) * int(np.prod(shape))
    return Trace(name, width, 1, depth, parts, _column, meaning, single=True)


def _column(arrays):
    return np.concatenate([array.reshape(-1, 1) for array in arrays])


def channels(config) -> tuple[str, ...]:
    """Names of the channels that have records: streams that leave the core, and its traces."""
    return "results", "responses", *(trace.channel for trace in traces(config).values())


@dataclass
class Channel:
    """Records of one channel: clocks ``(n,)``, addresses ``(n,)``, values ``(n, lanes)``."""

    parts: list = field(default_factory=list)

    def add(self, clocks, addresses, values):
        """Append records; `values` has one row for each."""
        values = np.asarray(values, np.int64)
        clocks = np.atleast_1d(np.asarray(clocks, np.int64))
        self.parts.append((clocks, np.atleast_1d(addresses), values.reshape(clocks.size, -1)))

    def arrays(self):
        """Everything, in the order of the clocks."""
        if not self.parts:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 1), np.int64)
        clocks, addresses, values = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        order = np.argsort(clocks, kind="stable")
        return clocks[order], addresses[order], values[order]
