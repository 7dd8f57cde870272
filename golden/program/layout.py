"""Where each number lies in the core's memories: from (layer, row, unit) to (address, lane).

Unit `i` of a layer lives in lane ``i % lanes`` of block ``i // lanes``. One word of a memory holds
one row of one block for all lanes, so one clock reads the synapses from one input to `lanes` units.

* weight memory: layers one after another. Hidden ones block after block, ``rows = inputs + 1``
  words a block (the bias is the last row); the readout class after class, its row being the weights
  *from* all last hidden units *to* that class. Which of both it is, ``row_inner`` of a layer says.
* class memory: hidden layers one after another, row after row (a row is a class, a sample of the
  window, or a code of the projection), blocks of a row together.
"""

from functools import cached_property

import numpy as np


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

    def blocks(self, layer: int) -> int:
        """Blocks of hidden layer `layer` (from 0)."""
        return self.blocks_of(self.config.hidden[layer])

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
        return self.blocks_of(self.shapes[layer][1])

    @cached_property
    def memory_rows(self) -> int:
        """Rows of each hidden layer's class memory."""
        return self.config.memory.rows(self.config)

    @cached_property
    def weight_bases(self) -> tuple[int, ...]:
        """First address of each weight layer; the last entry is the size of the memory."""
        words = [rows * self.blocks_of(units) for rows, units in self.shapes]
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

    def block_lanes(self, layer: int) -> np.ndarray:
        """How many lanes of each block of a hidden layer hold a unit."""
        lanes = self.config.lanes
        return np.minimum(self.config.hidden[layer] - lanes * np.arange(self.blocks(layer)), lanes)

    @cached_property
    def weight_lanes(self) -> np.ndarray:
        """How many lanes of each word of the weight memory hold a weight, lane 0 on, (words,)."""
        filled = [np.ones(shape, np.int64) for shape in self.shapes]
        return self.weight_words(filled).sum(axis=1)

    @cached_property
    def memory_lanes(self) -> np.ndarray:
        """The same of the class memory; no words where there is none."""
        if not word_width(self.config):
            return np.zeros(0, np.int64)
        layers = range(len(self.config.hidden))
        return np.concatenate([np.tile(self.block_lanes(n), self.memory_rows) for n in layers])

    @cached_property
    def vector_bases(self) -> tuple[int, ...]:
        """First block of each hidden layer in the vector memories; last entry: their size."""
        bases = [0]
        for layer in range(len(self.config.hidden)):
            bases.append(bases[-1] + self.blocks(layer))
        return tuple(bases)

    @cached_property
    def trace_bases(self) -> tuple[int, int, int]:
        """First block of the traces of inputs, and of units, behind z; their end."""
        first = self.vector_bases[-1]
        units = first + self.blocks_of(self.config.inputs)
        return first, units, units + self.blocks(0)

    @cached_property
    def kept_blocks(self) -> int:
        """Blocks of the memory of z: of all hidden layers, and of traces."""
        return self.trace_bases[-1] if self.config.recurrent else self.vector_bases[-1]

    @cached_property
    def widest(self) -> int:
        """Most blocks that a pass walks: of a hidden layer, or of the inputs' traces."""
        if not self.config.recurrent:
            return self.most_blocks
        return max(self.most_blocks, self.blocks_of(self.config.inputs))

    def lanes_of(self, values: np.ndarray) -> np.ndarray:
        """Pad the last axis with zeros and split it: ``(..., units) -> (..., blocks, lanes)``."""
        lanes = self.config.lanes
        pad = -values.shape[-1] % lanes
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, pad)])
        return values.reshape(*values.shape[:-1], -1, lanes)

    def units_of(self, words: np.ndarray, units: int) -> np.ndarray:
        """Inverse of `lanes_of`."""
        return words.reshape(*words.shape[:-2], -1)[..., :units]

    def weight_words(self, weights: list[np.ndarray]) -> np.ndarray:
        """Contents of the weight memory, shape (words, lanes), from the weight arrays.

        Hidden layers have shape ``(inputs + 1, units)``, the readout ``(classes, units)``.
        """
        words = []
        for layer, weight in zip(self.config.layer, weights, strict=True):
            word = self.lanes_of(weight)
            word = word.swapaxes(0, 1) if layer.row_inner else word
            words.append(word.reshape(-1, self.config.lanes))
        return np.concatenate(words)

    def memory_words(self, memories: list[np.ndarray]) -> np.ndarray:
        """Contents of the class memory, shape (words, lanes), from arrays ``(rows, units)``."""
        return np.concatenate([self.lanes_of(m).reshape(-1, self.config.lanes) for m in memories])

    def weights_from(self, words: np.ndarray) -> list[np.ndarray]:
        """Inverse of `weight_words`."""
        bases = self.weight_bases
        return [
            self.rows_from(n, words[bases[n] : bases[n + 1]]) for n in range(len(self.config.layer))
        ]

    def rows_from(self, layer: int, words: np.ndarray) -> np.ndarray:
        """Rows of one weight layer, all or the next ones, from their words alone."""
        blocks = self.weight_blocks(layer)
        if self.config.layer[layer].row_inner:
            words = words.reshape(blocks, -1, words.shape[1]).swapaxes(0, 1)
        return self.units_of(words.reshape(-1, blocks, words.shape[-1]), self.shapes[layer][1])

    def memories_from(self, words: np.ndarray) -> list[np.ndarray]:
        """Inverse of `memory_words`."""
        cfg, bases = self.config, self.memory_bases
        return [
            self.units_of(
                words[bases[n] : bases[n + 1]].reshape(self.memory_rows, self.blocks(n), -1), units
            )
            for n, units in enumerate(cfg.hidden)
        ]
