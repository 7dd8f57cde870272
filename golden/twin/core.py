"""The compiled twin of `hebbware.golden.core.Core`: same integers, made for speed.

`Twin` runs whole sets of samples in one compiled loop, on the state of a `Core`. A test holds it
equal to the plain core, weight for weight; where the two differ the plain one is right.
"""

import numpy as np

from ..config import CoreConfig
from ..core import Core
from ..data.samples import labels_of
from ..layers.normalise import MANTISSA_BITS, exponent_range
from ..modulators.class_memory import direction_shift
from ..program.commands import DATA_BITS
from .constants import constants, forward_shifts, read_shift
from .kernels import Scratch, State, run


def fits_32_bits(config: CoreConfig) -> bool:
    """Whether no number in the compiled loops' vectors can leave 32 bits (see `twin_kernels`).

    Each line bounds one block's sums, rounding included; a generous bound only costs speed.
    """
    cfg, kind = config, config.memory
    weight, z, d, u = (1 << fmt.width - 1 for fmt in (cfg.weight, cfg.z, cfg.d, cfg.u))
    read, memory, k = 1 << cfg.read.width - 1, 1 << cfg.stored.width - 1, cfg.k.max + 1
    error = 2 << cfg.e.fraction  # twice the largest softmax error
    sources = [1 << cfg.input.bits, *(z for _ in cfg.hidden)]
    ones = [cfg.source(layer).one for layer in range(len(sources))]
    low, high = exponent_range(cfg)
    z_shift = MANTISSA_BITS + cfg.u.fraction - cfg.z.fraction
    shifts = [
        cfg.update_shift,
        *forward_shifts(cfg),
        z_shift + high,
        direction_shift(cfg, high + 1),
        read_shift(cfg) + (cfg.stored.width if kind.self_scaling or kind.projected else 0),
    ]
    halves = [1 << max(shift, 0) for shift in shifts]
    left_u, left_z, left_d, left_read = (
        max(-shift, 0)
        for shift in (min(shifts[1:-3]), z_shift + low, direction_shift(cfg, low), read_shift(cfg))
    )
    rows = kind.rows(cfg)
    scalar = (error if kind.by_error else 1) << kind.scale(cfg)
    pulled = kind.projected * cfg.memory.projection * k << cfg.read.fraction
    bounds = [
        max(n * s + one for n, s, one in zip(cfg.sizes, sources, ones, strict=False)) * weight
        << left_u,
        u << MANTISSA_BITS + left_z + cfg.neuron.signed,
        cfg.leaky << cfg.potential.width + max(cfg.neuron.leak_shifts) + 1,
        memory << left_read,
        max(cfg.hidden) * max(z * read, memory),
        (k * z << cfg.read.fraction - cfg.z.fraction) + max(rows * error * read, pulled) << left_d,
        max(max(*sources[:-1], *ones) * d, error * z),
        scalar * z + (memory << (cfg.update_shift - cfg.memory.horizon if kind.leaks else 0)),
    ]
    return max(bounds) + max(halves) < 1 << 31


class Twin(Core):
    """A `Core` whose `learn_many` and `infer_many` run compiled.

    The first call of a process compiles, or loads what an earlier one compiled.
    """

    def __new__(cls, config: CoreConfig | None = None):
        """Of sequences it is a `hebbware.golden.twin.sequence.SequenceTwin`, of convolutions a
        `hebbware.golden.twin.maps.MapTwin`; copies have none.
        """
        if config and config.recurrent:
            from .sequence import SequenceTwin

            return SequenceTwin(config)
        if config and config.convolves:
            from .maps import MapTwin

            return MapTwin(config)
        return super().__new__(cls, config)

    def __init__(self, config: CoreConfig):
        super().__init__(config)
        self._constants = constants(config)
        self._type = np.int32 if fits_32_bits(config) else np.int64

    def infer_many(self, x):
        x = self._samples(x)
        return self._many(False, x, np.zeros(len(x), np.int64))

    def learn_many(self, x, labels):
        x = self._samples(x)
        return self._many(True, x, labels_of(labels, self.config.classes, len(x)))

    def _many(self, learning, x, labels):
        cfg = self.config
        state = self._compiled_state()
        scores = np.empty((len(x), cfg.classes), np.int64)
        self.learned, random_state, saturated = run(
            self._constants,
            learning,
            np.ascontiguousarray(x, np.uint8),
            labels,
            np.array([shift + self.extra for shift in cfg.step_shifts]),
            state,
            self._scratch(),
            self.learned,
            np.uint64(self.random_state),
            scores,
        )
        if learning:
            self.random_state = int(random_state)
            self.saturated = (self.saturated + saturated) % (1 << DATA_BITS)
            self._take(state)
        return scores.argmax(axis=1), scores

    def _compiled_state(self) -> State:
        """Copies of the core's state in the types of the compiled loop."""
        cfg, kind = self.config, self._type
        ring = tuple(np.zeros((cfg.memory.window, units), kind) for units in cfg.hidden)
        labels = np.full(cfg.memory.window, -1)
        if self.window:
            labels[:] = self.window.labels
        for age, (label, activations) in enumerate(reversed(self.past), start=1):
            slot = (self.learned - age) % cfg.memory.window
            labels[slot] = label
            for store, z in zip(ring, activations, strict=True):
                store[slot] = z
        return State(
            weights=tuple(np.ascontiguousarray(w, np.int16) for w in self.weights),
            memories=tuple(m.astype(kind) for m in self.memories),
            gains=tuple(g.copy() for g in self.gains),
            codes=tuple(np.ascontiguousarray(c) for c in self.codes),
            states=tuple(r.copy() for r in self._reservoir("states", (0,))),
            random_states=tuple(r.reshape(1) for r in self._reservoir("random_states", (1,))),
            reads=tuple(r.copy() for r in self._reservoir("reads", (0, 0))),
            exact=tuple(r.copy() for r in self._reservoir("exact", (0, 0))),
            ring=ring,
            ring_labels=labels,
            x=(self.window.x if self.window else np.zeros((1, 1))).astype(kind),
            kernels=self.window.kernels.copy() if self.window else np.zeros((1, 1), np.int64),
        )

    def _reservoir(self, name, shape):
        """A member of the reservoir memory, or empty arrays of its dimensions."""
        if self.reservoir:
            return getattr(self.reservoir, name)
        return [np.zeros(shape, np.int64) for _ in self.config.hidden]

    def _scratch(self) -> Scratch:
        cfg, kind, rows = self.config, self._type, self.layout.memory_rows
        errors = cfg.classes if self.kind.projected else rows
        return Scratch(
            u=tuple(np.empty(units, kind) for units in cfg.hidden),
            potentials=tuple(np.empty(units, kind) for units in cfg.hidden),
            z=tuple(np.empty(units, kind) for units in cfg.sizes[:-1]),
            rows=tuple(np.empty(inputs + 1, np.int64) for inputs in cfg.sizes[:-2]),
            counts=np.empty(len(cfg.hidden), np.int64),
            d=tuple(np.empty(units, kind) for units in cfg.hidden),
            powers=np.empty(len(cfg.hidden), np.int64),
            errors=(
                *(np.empty(errors, np.int64) for _ in cfg.hidden),
                np.empty(cfg.classes, np.int64),
            ),
            read=tuple(np.empty((rows, units), kind) for units in cfg.hidden),
            weights=np.empty(rows, np.int64),
            total=tuple(np.empty(units, kind) for units in cfg.hidden),
        )

    def _take(self, state: State):
        """The core's state from that of the compiled loop, after learning."""
        cfg = self.config
        self.weights = [w.astype(np.int64) for w in state.weights]
        self.memories = [m.astype(np.int64) for m in state.memories]
        self.gains = list(state.gains)
        if self.window:
            self.window.labels = state.ring_labels
            self.window.x = state.x.astype(np.int64)
            self.window.kernels = state.kernels
        if self.reservoir:
            for name in self.reservoir.MEMBERS:
                shapes = [old.shape for old in getattr(self.reservoir, name)]
                new = [a.reshape(s) for a, s in zip(getattr(state, name), shapes, strict=True)]
                setattr(self.reservoir, name, new)
        if self.kind.windowed:
            self.past.clear()
            for age in range(min(self.learned, cfg.memory.window), 0, -1):
                slot = (self.learned - age) % cfg.memory.window
                past = [store[slot].astype(np.int64) for store in state.ring]
                self.past.append((int(state.ring_labels[slot]), past))
