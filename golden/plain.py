"""What cores have in common, whatever a sample is: state, calls, changes of weights."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from .arithmetic.fixed import Rounding, saturate, shift_round
from .arithmetic.random import rotate_lanes, xorshift_block
from .config import CoreConfig
from .layers import dense
from .layers.init import start_state
from .layers.normalise import unit_thresholds
from .modulators import hsic
from .program.commands import DATA_BITS
from .program.layout import Layout
from .program.walk import Made, Store, Written
from .reservoir.block import ReservoirMemory


class PlainCore:
    """Bit-exact network.

    Parameters
    ----------
    config : CoreConfig

    Attributes
    ----------
    weights : list of int64 arrays
        Raw weights: ``(inputs + 1, units)`` for hidden layers (bias last), ``(classes, units)`` for
        the readout.
    memories : list of int64 arrays ``(rows, units)``
        Raw class memories, one per hidden layer; a row is a class, or a sample of the window.
    codes : list of int8 arrays ``(rows, units)``
        Random +-1 codes; used where ``kappa`` is not 0.
    window : hsic.Window or None
        Inputs and labels of the last samples, of the ``hsic`` modulator.
    reservoir : ReservoirMemory or None
        What the ``reservoir`` memory holds in their place.
    extra : int
        Halvings of every step beyond the configured one (the schedule sets it).
    learned : int
        Samples learned since the start.
    saturated : int
        Words written by learning with a weight cut off, see `golden.program.commands.State`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.kind = config.memory
        self.layout = Layout(config)
        self._order = self._passes()
        self.reservoir = ReservoirMemory(config) if self.kind.projected else None
        self.reset()

    def reset(self):
        """Back to the state after power-up: start weights, empty memories."""
        start = start_state(self.config)
        self.weights, self.codes, self.random_state = start.weights, start.codes, start.random_state
        rows, hidden = self.layout.memory_rows, self.config.hidden
        self.memories = [np.zeros((rows, units), np.int64) for units in hidden]
        self.gains = [np.zeros(rows, np.int64) for _ in hidden]  # g_c of self-scaling memories
        self.past = deque(maxlen=self.kind.window)  # (label, activations) of learned samples
        self.window = hsic.Window(self.config) if self.kind.by_sample else None
        if self.reservoir:
            self.reservoir.reset()
        self.extra = 0
        self.learned = 0
        self.saturated = 0

    # -- one sample -------------------------------------------------------------------------------

    def infer(self, x: np.ndarray) -> tuple[int, np.ndarray]:
        """Class and scores (raw u) of the inputs `x` (raw x); nothing changes.

        Raises
        ------
        InputError
            `x` is no array (inputs,) of integers in 0 .. 2**input.bits - 1.
        """
        return self._run(self._sample(x))

    def learn(self, x: np.ndarray, label: int) -> tuple[int, np.ndarray]:
        """Class and scores before learning, then one update of every layer.

        Raises
        ------
        InputError
            As `infer`, or `label` is no whole number in 0 .. classes - 1; nothing is learned.
        """
        return self._run(self._sample(x), self._label(label))

    def walk(self, x: np.ndarray, label: int | None = None) -> Iterator[Made]:
        """`infer`, or with a label `learn`, pass by pass; the core changes as passes are taken.

        What is written is not to be changed. A pass whose rows are all left out is yielded too.
        """
        label = label if label is None else self._label(label)
        return self._walk(self._begin(self._sample(x), label))

    def _run(self, x, label=None):
        s = self._begin(x, label)
        for _ in self._walk(s):
            pass
        found = s.scores.argmax(axis=-1)
        return found if found.ndim else int(found), s.scores

    def infer_many(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`infer` of each row of `x`: classes int64 ``(n,)`` and scores int64 ``(n, classes)``."""
        return self._results([self._run(row) for row in self._samples(x)])

    def learn_many(self, x: np.ndarray, labels) -> tuple[np.ndarray, np.ndarray]:
        """`learn` of each row of `x` in turn; returns what `infer_many` does.

        Nothing is learned where any row or label is refused.
        """
        x = self._samples(x)
        labels = self._labels(labels, len(x))
        return self._results([self._run(row, c) for row, c in zip(x, labels, strict=True)])

    def _results(self, results):
        shape = len(results), *self._result_shape()
        return (
            np.array([number for number, _ in results], np.int64).reshape(shape[:-1]),
            np.array([scores for _, scores in results], np.int64).reshape(shape),
        )

    def _result_shape(self) -> tuple[int, ...]:
        """Of the scores of a sample."""
        return (self.config.classes,)

    # -- what a kind of samples says ---------------------------------------------------------------

    def _passes(self) -> dict:
        """Passes, by what there is to do, with all that `_walk` needs of them."""
        raise NotImplementedError

    def _sample(self, x):
        """`x`, checked."""
        raise NotImplementedError

    def _samples(self, x):
        """The same of many."""
        raise NotImplementedError

    def _label(self, label):
        """The label of a sample, checked."""
        raise NotImplementedError

    def _labels(self, labels, samples):
        """The same of many."""
        raise NotImplementedError

    def _begin(self, x, label):
        """What the passes hand on, with the member `scores`."""
        raise NotImplementedError

    def _walk(self, s) -> Iterator[Made]:
        """Carry out pass after pass."""
        raise NotImplementedError

    # -- arithmetic of weights and memories --------------------------------------------------------

    def _sums_of_classes(self, z):
        """The readout's sums (raw u) of what it sees (raw z)."""
        cfg = self.config
        shift = cfg.sum_shift(len(cfg.layer) - 1)
        return saturate(shift_round(self.weights[-1] @ z, shift), cfg.u)

    def _changed(self, p, rows, pre, post):
        """One three-factor step on some rows of weights."""
        return self._stepped(p, rows, np.multiply.outer(-pre, post))

    def _stepped(self, p, rows, change):
        """A step by the products `change`, shape (rows, units), before they are rounded."""
        cfg, layer, blocks = self.config, p.layer, p.walk.blocks
        form = self.layout.weight_form(layer)
        words = self._random_words(blocks * rows.size)  # one a step, in the order of the walk
        if p.walk.row_inner:
            words = words.reshape(blocks, rows.size).T
        random = self._rounding_of_units(words.reshape(rows.size, blocks), form)
        shift = cfg.step_shifts[layer] + self.extra
        weights = self.weights[layer]
        stored = self._stored(dense.stepped(cfg, weights[rows], change, shift, random), form)
        weights[rows] = stored
        return (Written(Store.WEIGHTS, layer, rows, stored),)

    def read(self, layer: int) -> np.ndarray:
        """Class memories at unit scale, ``E`` (raw read format), shape (rows, units)."""
        cfg = self.config
        if self.kind.self_scaling:
            shift = self.gains[layer][:, None] - cfg.read.fraction
        else:
            shift = self.kind.read_shift(cfg)
        offset = int(cfg.memory.kappa * cfg.read.one) * self.codes[layer].astype(np.int64)
        return saturate(shift_round(self.memories[layer], shift) + offset, cfg.read)

    def _stored(self, moved, form=None):
        """``sat(moved)``, shape (rows, units); counts the words in which a lane is cut off."""
        form = form or self.layout.vector(moved.shape[-1])
        stored = saturate(moved, self.config.weight)
        cut = stored != moved
        if cut.any():
            words = form.pack(cut).any(axis=-1)  # (rows, blocks)
            self.saturated = (self.saturated + int(words.sum())) % (1 << DATA_BITS)
        return stored

    def _write_rows(self, layer, writes, z):
        """``M += floor((-M * leak - scalar * z + random) / 2**S)`` on the rows of `writes`.

        Where rows are samples, ``M = z``; the random words are drawn all the same.
        """
        cfg, memory, blocks = self.config, self.memories[layer], self.layout.blocks(layer)
        words = self._random_words(len(writes) * blocks).reshape(len(writes), blocks)
        rows = [write.row for write in writes]
        if self.kind.by_sample:
            memory[rows] = z
            return
        old = memory[rows]
        if any(write.age for write in writes):
            z = np.stack([self.past[-w.age][1][layer] if w.age else z for w in writes])
        change = np.array([[-write.scalar] for write in writes]) * z
        if self.kind.leaks:
            change -= old << (cfg.update_shift - cfg.memory.horizon)
        if self.kind.stochastic:
            change += self._random_of_units(words, self.layout.memory_form(layer))
        memory[rows] = saturate(old + (change >> cfg.update_shift), cfg.stored)
        if self.kind.self_scaling:
            totals = np.abs(memory[rows]).sum(axis=1)
            thresholds = unit_thresholds(z.shape[-1], cfg.stored.width)
            self.gains[layer][rows] = np.searchsorted(thresholds, totals, side="right")

    # -- helpers ----------------------------------------------------------------------------------

    def _random_words(self, count):
        """The next `count` words; every read-modify-write step draws one, whatever the rounding."""
        words = xorshift_block(self.random_state, count)
        if count:
            self.random_state = int(words[-1])
        return words

    def _rounding_of_units(self, words, form):
        """`_random_of_units` for the rounding of weights, or None where it needs none."""
        if self.config.update.rounding is Rounding.STOCHASTIC:
            return self._random_of_units(words, form)
        return None

    def _random_of_units(self, words, form):
        """``update_shift`` random bits for each number, from one word for each word of lanes."""
        lanes, period = self.config.lanes, self.layout.period
        random = rotate_lanes(np.ascontiguousarray(words), period, self.config.update_shift)
        if period < lanes:
            random = np.tile(random, -(-lanes // period))[..., :lanes]
        return form.unpack(random)
