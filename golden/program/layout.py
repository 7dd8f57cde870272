"""Where each number lies in the core's memories: from (layer, row, unit) to (address, lane).

Unit `i` of a layer lives in lane ``i % lanes`` of block ``i // lanes``. One word of a memory holds
one row of one block for all lanes, so one clock reads the synapses from one input to `lanes` units.

* weight memory: layers one after another. Hidden ones block after block, ``rows = inputs + 1``
  words a block (the bias is the last row); the readout class after class, its row being the weights
  *from* all last hidden units *to* that class. Which of both it is, ``row_inner`` of a layer says.
* class memory: hidden layers one after another, row after row (a row is a class, a sample of the
  window, or a code of the projection), blocks of a row together.

Of a convolution whose features leave lanes over, several positions share a word: see `Form`.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from .walk import Store


class Form(NamedTuple):
    """How a vector, or a map of `places` with some features each, lies in words.

    Feature `f` of place `i` lies in word ``(i // groups) * blocks + f // width``, in lane
    ``(i % groups) * width + f % width``; lanes beyond the groups hold nothing.

    Members
    -------
    places, features : int
        A vector has one place.
    groups : int
        Places that share a word.
    width : int
        Lanes of each of them; all where features take more than a word.
    lanes : int
    """

    places: int
    features: int
    groups: int
    width: int
    lanes: int

    @property
    def blocks(self) -> int:
        """Words of a place, or of those that share one."""
        return -(-self.features // self.width)

    @property
    def words(self) -> int:
        """Words of them all."""
        return -(-self.places // self.groups) * self.blocks

    @property
    def numbers(self) -> int:
        """Numbers of them all, in the order (place, feature)."""
        return self.places * self.features

    def pack(self, values: np.ndarray) -> np.ndarray:
        """Words of the last axis: ``(..., numbers) -> (..., words, lanes)``, zeros elsewhere."""
        outer, fill = values.shape[:-1], [(0, 0)] * (values.ndim - 1)
        values = values.reshape(*outer, self.places, self.features)
        beyond = -self.places % self.groups, self.blocks * self.width - self.features
        values = np.pad(values, [*fill, *((0, n) for n in beyond)])
        values = values.reshape(*outer, -1, self.groups, self.blocks, self.width)
        values = values.swapaxes(-3, -2).reshape(*outer, self.words, self.groups * self.width)
        return np.pad(values, [*fill, (0, 0), (0, self.lanes - self.groups * self.width)])

    def unpack(self, words: np.ndarray) -> np.ndarray:
        """Inverse of `pack`."""
        outer = words.shape[:-2]
        words = words[..., : self.groups * self.width]
        words = words.reshape(*outer, -1, self.blocks, self.groups, self.width).swapaxes(-3, -2)
        words = words.reshape(*outer, -1, self.blocks * self.width)
        return words[..., : self.places, : self.features].reshape(*outer, self.numbers)


def word_width(config) -> int:
    """Bits of a lane in the class memory: the stored value, and the code bit if there are codes."""
    return (config.stored.width if config.writes_memory else 0) + bool(config.memory.kappa)


def vector_width(config) -> int:
    """Bits of one lane of a vector being written: a, d or what is `kept`."""
    return max(config.u.width, kept_width(config), config.d.width)


def kept_width(config) -> int:
    """Bits of one lane of the memory of z; of sequences, traces lie behind them."""
    return max(config.z.width, config.trace.width if config.recurrent else 0)


def place_of(words_of, shapes, address: int, lane: int) -> tuple[int, tuple[int, ...]] | None:
    """Which of the arrays that fill a memory has a number at an address and a lane, and where.

    Parameters
    ----------
    words_of : function
        From arrays to words ``(addresses, lanes)``: `Layout.weight_words` or one like it.
    shapes : sequence of tuple
        Of the arrays.

    Returns
    -------
    tuple or None
        Position of the array and index in it; None where no number lies.
    """
    ends = np.cumsum([0, *(np.prod(shape, dtype=int) for shape in shapes)])
    numbers = np.arange(1, ends[-1] + 1)  # 0 is what fills unused lanes
    parts = zip(np.split(numbers, ends[1:-1]), shapes, strict=True)
    words = words_of([part.reshape(shape) for part, shape in parts])
    if not (address < len(words) and lane < words.shape[1] and words[address, lane]):
        return None
    number = int(words[address, lane]) - 1
    array = int(np.searchsorted(ends, number, side="right")) - 1
    return array, tuple(map(int, np.unravel_index(number - ends[array], shapes[array])))


class Layout:
    """Sizes and addresses of a configuration's memories."""

    def __init__(self, config):
        self.config = config

    def blocks_of(self, numbers: int) -> int:
        """Blocks that so many numbers take."""
        return -(-numbers // self.config.lanes)

    def vector(self, numbers: int) -> Form:
        """Form of a vector of so many numbers."""
        return Form(1, numbers, 1, self.config.lanes, self.config.lanes)

    def map_form(self, layer: int) -> Form:
        """Form of the activations, normalised or not, and directions of a hidden layer."""
        return self.config.layer[layer].map_form(self.config, layer)

    def output_form(self, layer: int) -> Form:
        """Form of what the next layer reads of a hidden layer."""
        return self.config.layer[layer].output_form(self.config, layer)

    def memory_form(self, layer: int) -> Form:
        """Form of what a hidden layer's class memory remembers."""
        return self.config.layer[layer].memory_form(self.config, layer)

    def form(self, store: Store, layer: int, numbers: int) -> Form:
        """Form of what a pass has written into a store of vectors, so many numbers."""
        forms = {Store.MAP: self.output_form, Store.CELLS: self.memory_form}
        if layer < len(self.config.windows):
            return forms.get(store, self.map_form)(layer)
        return self.vector(numbers)

    def form_of(self, store: Store, layer: int) -> Form:
        """Form of a row of weights, or of a class memory."""
        return self.memory_form(layer) if store is Store.MEMORY else self.weight_form(layer)

    def weight_form(self, layer: int) -> Form:
        """Form of a row of weights."""
        return self.config.layer[layer].weight_form(self.config, layer)

    def blocks(self, layer: int) -> int:
        """Blocks of a row of the class memory of hidden layer `layer` (from 0)."""
        return self.memory_form(layer).words

    @cached_property
    def period(self) -> int:
        """Lanes after which the rotations of the random word repeat, so that lanes that hold the
        same feature round alike.
        """
        return self.config.span

    @cached_property
    def most_blocks(self) -> int:
        """Blocks of the hidden layer that has most."""
        return max(self.blocks(layer) for layer in range(len(self.config.hidden)))

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows of each weight layer, and units that the lanes hold."""
        return tuple(layer.shape(self.config, n) for n, layer in enumerate(self.config.layer))

    def rows(self, layer: int) -> int:
        """Rows of weight layer `layer`."""
        return self.shapes[layer][0]

    def weight_blocks(self, layer: int) -> int:
        """Blocks of a row of weight layer `layer`."""
        return self.weight_form(layer).words

    @cached_property
    def memory_rows(self) -> int:
        """Rows of each hidden layer's class memory."""
        return self.config.memory.rows(self.config)

    @cached_property
    def weight_bases(self) -> tuple[int, ...]:
        """First address of each weight layer; the last entry is the size of the memory."""
        words = [rows * self.weight_blocks(n) for n, (rows, _) in enumerate(self.shapes)]
        return tuple(np.cumsum([0, *words]).tolist())

    @cached_property
    def memory_bases(self) -> tuple[int, ...]:
        """First address of each hidden layer's class memory; the last entry is the size."""
        bases = [0]
        for layer in range(len(self.config.hidden)):
            bases.append(bases[-1] + self.memory_rows * self.blocks(layer))
        return tuple(bases)

    @cached_property
    def words(self) -> int:
        """Addresses of the larger of the two memories; both are addressed by equal registers."""
        return max(self.weight_bases[-1], self.memory_bases[-1], 2)

    @cached_property
    def weight_places(self) -> np.ndarray:
        """Which lanes of each word of the weight memory hold a weight, bool (words, lanes)."""
        return self.weight_words([np.ones(shape, bool) for shape in self.shapes])

    @cached_property
    def memory_places(self) -> np.ndarray:
        """The same of the class memory; no words where there is none."""
        if not word_width(self.config):
            return np.zeros((0, self.config.lanes), bool)
        return self.memory_words(
            [np.ones((self.memory_rows, units), bool) for units in self.config.hidden]
        )

    @cached_property
    def weight_lanes(self) -> np.ndarray:
        """How many lanes of each word of the weight memory hold a weight, (words,)."""
        return self.weight_places.sum(axis=1)

    @cached_property
    def memory_lanes(self) -> np.ndarray:
        """The same of the class memory; no words where there is none."""
        return self.memory_places.sum(axis=1)

    @cached_property
    def normalised(self) -> tuple[int, ...]:
        """Units of each hidden layer that are normalised together: features of a convolution."""
        return tuple(self.map_form(n).features for n in range(len(self.config.hidden)))

    @cached_property
    def vector_bases(self) -> tuple[int, ...]:
        """First block of each hidden layer in the vector memories; last entry: their size."""
        bases = [0]
        for layer in range(len(self.config.hidden)):
            bases.append(bases[-1] + self.map_form(layer).words)
        return tuple(bases)

    @cached_property
    def trace_bases(self) -> tuple[int, int, int]:
        """First block of the traces of inputs, and of units, behind z; their end."""
        first = self.vector_bases[-1]
        units = first + self.blocks_of(self.config.inputs)
        return first, units, units + self.blocks(0)

    @cached_property
    def map_bases(self) -> tuple[int, ...]:
        """First word of the pooled map of each convolution, behind all z; last entry: their end."""
        forms = [self.output_form(n) for n in range(len(self.config.windows))]
        words = [form.words for form in forms]
        return tuple(np.cumsum([self.vector_bases[-1], *words]).tolist())

    @cached_property
    def cell_bases(self) -> tuple[int, ...]:
        """The same of what the class memories see of convolutions, behind the pooled maps."""
        learns = self.config.learns_hidden
        words = [learns * self.memory_form(n).words for n in range(len(self.config.windows))]
        return tuple(np.cumsum([self.map_bases[-1], *words]).tolist())

    def output_base(self, layer: int) -> int:
        """First word of what the next layer reads of a hidden layer."""
        maps = layer < len(self.config.windows)
        return self.map_bases[layer] if maps else self.vector_bases[layer]

    def seen_base(self, layer: int) -> int:
        """First word of what the class memory sees of it."""
        maps = layer < len(self.config.windows)
        return self.cell_bases[layer] if maps else self.vector_bases[layer]

    @cached_property
    def spots(self) -> tuple[int, ...]:
        """Number of the first position of each hidden layer; the last entry is that of all."""
        places = [self.map_form(n).places for n in range(len(self.config.hidden))]
        return tuple(np.cumsum([0, *places]).tolist())

    @property
    def spans(self) -> int:
        """Groups of lanes, the smallest that positions of a convolution have."""
        return self.config.lanes // self.config.span

    def fold(self, layer: int) -> int:
        """log2 of how many of these groups hold one position of a hidden layer, or the readout."""
        maps = layer < len(self.config.windows)
        width = self.map_form(layer).width if maps else self.config.lanes
        return (width // self.config.span).bit_length() - 1

    @cached_property
    def copy_bases(self) -> tuple[int, ...]:
        """First word of the copies of each pooled map that each group of lanes has to read from,
        where there are several and a hidden layer reads it; the last entry is their size.
        """
        read = range(min(len(self.config.windows), len(self.config.hidden) - 1))
        forms = [self.output_form(n) for n in read]
        words = [(self.spans > 1) * form.places * form.blocks for form in forms]
        return tuple(np.cumsum([0, *words]).tolist())

    def copied(self, layer: int, words: np.ndarray, form: Form) -> np.ndarray:
        """Words (..., lanes) as the hardware has them: equal in all groups of lanes that hold
        positions of the layer, where one group holds all of them.
        """
        if layer >= len(self.config.windows) or form.groups > 1:
            return words
        return np.tile(words[..., : form.width], self.config.lanes // form.width)

    @cached_property
    def kept_blocks(self) -> int:
        """Blocks of the memory of z: of all hidden layers, of their maps and cells, of traces."""
        return self.trace_bases[-1] if self.config.recurrent else self.cell_bases[-1]

    @cached_property
    def widest(self) -> int:
        """Most blocks that a pass walks: of a hidden layer, or of the inputs' traces."""
        if not self.config.recurrent:
            return self.most_blocks
        return max(self.most_blocks, self.blocks_of(self.config.inputs))

    def lanes_of(self, values: np.ndarray) -> np.ndarray:
        """Pad the last axis with zeros and split it: ``(..., units) -> (..., blocks, lanes)``."""
        return self.vector(values.shape[-1]).pack(values)

    def units_of(self, words: np.ndarray, units: int) -> np.ndarray:
        """Inverse of `lanes_of`."""
        return self.vector(units).unpack(words)

    def weight_words(self, weights: list[np.ndarray]) -> np.ndarray:
        """Contents of the weight memory, shape (words, lanes), from the weight arrays.

        Hidden layers have shape ``(rows, units)``, the readout ``(classes, units)``. Of a
        convolution the first group of lanes alone is filled.
        """
        words = []
        for n, weight in enumerate(weights):
            word = self.weight_form(n).pack(weight)
            word = word.swapaxes(0, 1) if self.config.layer[n].row_inner else word
            words.append(word.reshape(-1, self.config.lanes))
        return np.concatenate(words)

    def memory_words(self, memories: list[np.ndarray]) -> np.ndarray:
        """Contents of the class memory, shape (words, lanes), from arrays ``(rows, units)``."""
        words = [self.memory_form(n).pack(memory) for n, memory in enumerate(memories)]
        return np.concatenate([word.reshape(-1, self.config.lanes) for word in words])

    def weights_from(self, words: np.ndarray) -> list[np.ndarray]:
        """Inverse of `weight_words`."""
        bases = self.weight_bases
        return [
            self.rows_from(n, words[bases[n] : bases[n + 1]]) for n in range(len(self.config.layer))
        ]

    def rows_from(self, layer: int, words: np.ndarray) -> np.ndarray:
        """Rows of one weight layer, all or the next ones, from their words alone."""
        form = self.weight_form(layer)
        if self.config.layer[layer].row_inner:
            words = words.reshape(form.words, -1, words.shape[1]).swapaxes(0, 1)
        return form.unpack(words.reshape(-1, form.words, words.shape[-1]))

    def memories_from(self, words: np.ndarray) -> list[np.ndarray]:
        """Inverse of `memory_words`."""
        bases = self.memory_bases
        return [
            self.memory_form(n).unpack(
                words[bases[n] : bases[n + 1]].reshape(self.memory_rows, self.blocks(n), -1)
            )
            for n in range(len(self.config.hidden))
        ]
