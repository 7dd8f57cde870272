"""The whole learning core, bit for bit, in plain NumPy.

One sample at a time: forward through the hidden layers and the readout, then every layer updates
itself from its own input, its own slope and its own modulator. The order of the read-modify-write
passes (and so of the random words they use) is that of `hebbware.golden.program`.
"""

from collections import deque

import numpy as np

from . import dense, dynamics, hsic, modulator, reservoir_memory
from .commands import DATA_BITS
from .config import CoreConfig
from .fixed import Format, Rounding, saturate, shift_round
from .init import start_state
from .layout import Layout
from .memory import KINDS
from .normalise import normalise, unit_thresholds
from .random import rotate_lanes, xorshift_block
from .reservoirs import ReservoirMemory
from .samples import label_of, labels_of, raw, samples_of
from .softmax import softmax_error


class Core:
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
        Words written by learning with a weight cut off, see `hebbware.golden.commands.State`.
    observer : callable or None
        Called as ``observer(pass_name, layer, **arrays)`` with what each pass produced, in the
        order of the hardware; co-simulation listens here.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.kind = KINDS[config.memory]
        self.layout = Layout(config)
        self.observer = None
        self.reservoir = ReservoirMemory(config) if self.kind.projected else None
        self.reset()

    def reset(self):
        """Back to the state after power-up: start weights, empty memories."""
        start = start_state(self.config)
        self.weights, self.codes, self.random_state = start.weights, start.codes, start.random_state
        rows, hidden = self.layout.memory_rows, self.config.hidden
        self.memories = [np.zeros((rows, units), np.int64) for units in hidden]
        self.gains = [np.zeros(rows, np.int64) for _ in hidden]  # g_c of self-scaling memories
        self.past = deque(maxlen=self.config.window)  # (label, activations) of learned samples
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
            `x` is no array (inputs,) of integers in 0 .. 2**x_bits - 1.
        """
        return self._infer(self._sample(x))

    def learn(self, x: np.ndarray, label: int) -> tuple[int, np.ndarray]:
        """Class and scores before learning, then one update of every layer.

        Raises
        ------
        InputError
            As `infer`, or `label` is no whole number in 0 .. classes - 1; nothing is learned.
        """
        return self._learn(self._sample(x), label_of(label, self.config.classes))

    def _infer(self, x):
        scores = self._forward(x)[0]
        return int(scores.argmax()), scores

    def _learn(self, x, label):
        cfg, hidden = self.config, range(len(self.config.hidden))
        scores, inputs, walks, active, scales = self._forward(x)
        errors, directions, weights = [], [], None
        if self.window:
            weights = self.window.take(self.learned, inputs[0], label)
            self._observe("kernels", 0, weights=weights)
        if cfg.learns_hidden:
            for layer in hidden:
                error, direction = self._modulate(
                    layer, inputs[layer + 1], active[layer], scales[layer], label, weights
                )
                errors.append(error)
                directions.append(direction)
        readout_error = softmax_error(cfg, scores, cfg.u_fraction, label)
        self._observe("error", len(hidden), values=readout_error)

        # read-modify-write passes, in the order of the hardware
        last = hidden[-1]
        if cfg.learns_hidden:
            for layer in hidden[:-1]:
                self._write_memory(layer, inputs[layer + 1], errors[layer], label)
            for layer in hidden[:-1]:
                self._update_hidden(layer, walks[layer], directions[layer], errors[layer])
            self._write_memory(last, inputs[-1], errors[last], label)
        self._update_readout(inputs[-1], readout_error)
        if cfg.learns_hidden:
            self._update_hidden(last, walks[last], directions[last], errors[last])
        if self.kind.windowed:
            self.past.append((label, inputs[1:]))
        self.learned += 1
        return int(scores.argmax()), scores

    def infer_many(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`infer` of each row of `x`: classes int64 ``(n,)`` and scores int64 ``(n, classes)``."""
        return self._results([self._infer(row) for row in self._samples(x)])

    def learn_many(self, x: np.ndarray, labels) -> tuple[np.ndarray, np.ndarray]:
        """`learn` of each row of `x` in turn; returns what `infer_many` does.

        Nothing is learned where any row or label is refused.
        """
        x = self._samples(x)
        labels = labels_of(labels, self.config.classes, len(x)).tolist()
        return self._results([self._learn(row, c) for row, c in zip(x, labels, strict=True)])

    def _sample(self, x):
        return raw("x", x, (self.config.inputs,), 0, self.config.x.max)

    def _samples(self, x):
        return samples_of(x, self.config.inputs, self.config.x.max)

    def _results(self, results):
        scores = np.array([scores for _, scores in results], np.int64)
        return (
            np.array([number for number, _ in results], np.int64),
            scores.reshape(len(results), self.config.classes),
        )

    # -- passes -----------------------------------------------------------------------------------

    def _forward(self, x):
        """Scores; inputs of every weight layer; walks, slopes and scales of every hidden layer.

        Of the last time step.
        """
        cfg = self.config
        potentials = [np.zeros(units, np.int64) for units in cfg.hidden]  # at rest
        for _ in range(cfg.time_steps):
            inputs, walks, active, scales = [np.asarray(x, np.int64) - cfg.x_zero], [], [], []
            for layer in range(len(cfg.hidden)):
                rows, pre = self._walk(layer, inputs[-1])
                u = dense.forward(cfg, cfg.source(layer).fraction, pre, self.weights[layer][rows])
                if cfg.leaky:
                    potentials[layer] = dynamics.leak(cfg, potentials[layer], u)
                    u = dynamics.potential_u(cfg, potentials[layer])
                a = dynamics.activate(cfg, u)
                z, scale = normalise(cfg, a)
                self._observe("forward", layer, a=a)
                self._observe("normalise", layer, z=z)
                inputs.append(z)
                walks.append((rows, pre))
                active.append(a > 0)
                scales.append(scale)
        shift = cfg.z_fraction + cfg.weight.fraction - cfg.u_fraction
        scores = saturate(shift_round(self.weights[-1] @ inputs[-1], shift), cfg.u)
        return scores, inputs, walks, active, scales

    def _walk(self, layer, values):
        """Rows walked and their values: in the first layer non-zero inputs, else all; the bias."""
        one = self.config.source(layer).one
        rows = np.flatnonzero(values) if layer == 0 else np.arange(values.size)
        return np.append(rows, values.size), np.append(values[rows], one)

    def read(self, layer: int) -> np.ndarray:
        """Class memories at unit scale, ``E`` (raw read format), shape (rows, units)."""
        cfg = self.config
        if self.kind.self_scaling:
            shift = self.gains[layer][:, None] - cfg.read_fraction
        else:
            shift = self.kind.read_shift(cfg)
        offset = int(cfg.kappa * cfg.read.one) * self.codes[layer].astype(np.int64)
        return saturate(shift_round(self.memories[layer], shift) + offset, cfg.read)

    def _modulate(self, layer, z, active, scale, label, weights):
        read = self.read(layer)
        if self.reservoir:
            error, pulls, jacobian = self._modulate_projected(layer, z, label)
        else:
            k = modulator.similarities(self.config, z, read)
            if self.window:
                error, jacobian = hsic.errors(self.config, weights, k)
            else:
                error, jacobian = modulator.errors(self.config, k, label)
            self._observe("error", layer, values=error)
            pulls = error
        d = modulator.direction(self.config, pulls, jacobian, read, z, active, scale.power)
        if error.any():
            self._observe("direction", layer, d=d)
        return error, d

    def _modulate_projected(self, layer, z, label):
        """Errors, where they pull in the projected space, and J; the reservoir takes its step."""
        cfg, read = self.config, self.reservoir.reads[layer]
        q = reservoir_memory.project(cfg, self.codes[layer], z)
        error, weighted = modulator.errors(cfg, reservoir_memory.similarities(cfg, q, read), label)
        self._observe("error", layer, values=error)
        pulls = reservoir_memory.pull(cfg, error, read)
        words = reservoir_memory.words(cfg, q, error, label)
        decoded = self.reservoir.write(layer, words)
        self._observe(
            "reservoir",
            layer,
            z=z,
            words=words,
            before=read,
            decoded=decoded,
            read=self.reservoir.reads[layer],
        )
        return error, pulls, reservoir_memory.jacobian(cfg, z.size, weighted)

    def _write_memory(self, layer, z, error, label):
        full = len(self.past) == self.config.window
        row = self.window.slot(self.learned) if self.window else label
        writes = self.kind.writes(self.config, row, error, self.past[0][0] if full else None)
        # the oldest sample's write is a pass of its own: it may meet the same row
        for name, aged in (("forget", True), ("memory", False)):
            part = [write for write in writes if bool(write.age) is aged]
            if part:
                self._write_rows(layer, part, z)
                self._observe(name, layer, rows=[w.row for w in part], memory=self.memories[layer])

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
            change -= old << (cfg.update_shift - cfg.horizon)
        if self.kind.stochastic:
            change += self._random_of_units(words, z.shape[-1])
        memory[rows] = saturate(old + (change >> cfg.update_shift), Format(cfg.memory_bits, 0))
        if self.kind.self_scaling:
            totals = np.abs(memory[rows]).sum(axis=1)
            thresholds = unit_thresholds(z.shape[-1], cfg.memory_bits)
            self.gains[layer][rows] = np.searchsorted(thresholds, totals, side="right")

    def _update_hidden(self, layer, walk, direction, error):
        if not error.any():
            return  # every direction is zero: the pass is not walked
        cfg, blocks, (rows, pre) = self.config, self.layout.blocks(layer), walk
        # walked block by block: one random word per (block, row)
        words = self._random_words(blocks * rows.size).reshape(blocks, rows.size)
        random = self._rounding_of_units(words.T, direction.size)
        shift = cfg.step_shifts[layer] + self.extra
        weights = self.weights[layer]
        moved = dense.moved(cfg, weights[rows], pre, direction, shift, random)
        weights[rows] = self._stored(moved)
        self._observe("update", layer, rows=rows, weights=weights)

    def _update_readout(self, z, error):
        if not error.any():
            return
        cfg, blocks = self.config, self.layout.blocks(-1)
        words = self._random_words(cfg.classes * blocks).reshape(cfg.classes, blocks)
        random = self._rounding_of_units(words, z.size)
        shift = cfg.step_shifts[-1] + self.extra
        self.weights[-1] = self._stored(dense.moved(cfg, self.weights[-1], error, z, shift, random))
        self._observe("readout", len(cfg.hidden), weights=self.weights[-1])

    def _stored(self, moved):
        """``sat(moved)``, shape (rows, units); counts the words in which a lane is cut off."""
        stored = saturate(moved, self.config.weight)
        words = self.layout.lanes_of(stored != moved).any(axis=-1)  # (rows, blocks)
        self.saturated = (self.saturated + int(words.sum())) % (1 << DATA_BITS)
        return stored

    # -- helpers ----------------------------------------------------------------------------------

    def _random_words(self, count):
        """The next `count` words; every read-modify-write step draws one, whatever the rounding."""
        words = xorshift_block(self.random_state, count)
        if count:
            self.random_state = int(words[-1])
        return words

    def _rounding_of_units(self, words, units):
        """`_random_of_units` for the rounding of weights, or None where it needs none."""
        if self.config.rounding is Rounding.STOCHASTIC:
            return self._random_of_units(words, units)
        return None

    def _random_of_units(self, words, units):
        """``update_shift`` random bits for each unit, from one word for each block of lanes."""
        random = rotate_lanes(
            np.ascontiguousarray(words), self.config.lanes, self.config.update_shift
        )
        return self.layout.units_of(random, units)

    def _observe(self, name, layer, **arrays):
        if self.observer:
            self.observer(name, layer, **arrays)
