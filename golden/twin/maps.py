"""The compiled twin of cores with convolutions: `hebbware.golden.twin.core.Twin` of those."""

import numpy as np
from threadpoolctl import threadpool_limits

from ..config import CoreConfig
from ..core import Core
from ..data.samples import labels_of
from ..layers import Conv
from ..layers.normalise import reciprocal_of_size
from ..program.commands import DATA_BITS
from ..program.layout import Form
from .constants import constants
from .map_kernels import MapScratch, MapState, Windows, run


def _window(config: CoreConfig, layer: int) -> dict:
    """A hidden layer's entries of `Windows`; a dense one has a single position."""
    units, form = config.hidden[layer], config.layer[layer].memory_form(config, layer)
    one = dict.fromkeys(
        ("rows", "columns", "kernel", "stride", "down", "across", "pool", "grid"), 1
    )
    found = one | {"channels": config.sizes[layer], "cell_shift": 0, "pool_shift": 0}
    if layer < len(config.windows):
        w = config.windows[layer]
        found = w._asdict() | {
            "cell_shift": w.cell_shift - config.layer[layer].gain,
            "pool_shift": 2 * (w.pool.bit_length() - 1),
        }
        units = config.layer[layer].features
    factor, shift = reciprocal_of_size(units)
    return found | {
        "maps": config.layer[layer].kind == Conv.kind,
        "features": units,
        "factors": factor,
        "shifts": shift,
        "groups": form.groups,
        "width": form.width,
    }


def _windows(config: CoreConfig, form: Form, period: int) -> Windows:
    layers = [_window(config, n) for n in range(len(config.hidden))]
    arrays = {name: np.array([layer[name] for layer in layers]) for name in layers[0]}
    # lanes beyond the period repeat, and so do all beyond the bits of the random word
    turns = (min(period, 32) if period < config.lanes else 32) - 1
    readout = (form.places, form.features, form.groups, form.width)
    return Windows(**arrays, readout=readout, turns=turns)


class MapTwin(Core):
    """A `Core` with convolutions whose `learn_many` and `infer_many` run compiled, in one thread.

    The first call of a process compiles, or loads what an earlier one compiled.
    """

    def __init__(self, config: CoreConfig):
        super().__init__(config)
        self._constants = constants(config)
        form = self.layout.weight_form(len(config.hidden))
        self._windows = _windows(config, form, self.layout.period)

    def infer_many(self, x):
        x = self._samples(x)
        return self._many(False, x, np.zeros(len(x), np.int64))

    def learn_many(self, x, labels):
        x = self._samples(x)
        return self._many(True, x, labels_of(labels, self.config.classes, len(x)))

    def _many(self, learning, x, labels):
        cfg, state = self.config, self._state()
        scores = np.empty((len(x), cfg.classes), np.int64)
        with threadpool_limits(1, user_api="blas"):  # products are small
            random_state, saturated = run(
                self._constants,
                self._windows,
                learning,
                np.ascontiguousarray(x, np.uint8),
                labels,
                np.array([shift + self.extra for shift in cfg.step_shifts]),
                state,
                self._scratch(),
                np.uint64(self.random_state),
                scores,
            )
        if learning:
            self.learned += len(x)
            self.random_state = int(random_state)
            self.saturated = (self.saturated + saturated) % (1 << DATA_BITS)
            self.weights = [w.astype(np.int64) for w in state.weights]
            self.memories = [m.astype(np.int64) for m in state.memories]
            self.gains = list(state.gains)
        return scores.argmax(axis=1), scores

    def _state(self) -> MapState:
        """Copies of the core's state in the types of the compiled loop."""
        return MapState(
            weights=tuple(w.astype(np.float64) for w in self.weights),
            memories=tuple(m.astype(np.float64) for m in self.memories),
            gains=tuple(g.copy() for g in self.gains),
            codes=tuple(c.astype(np.float64) for c in self.codes),
        )

    def _scratch(self) -> MapScratch:
        cfg, hidden, rows = self.config, range(len(self.config.hidden)), self.layout.memory_rows
        forms, shapes = [self.layout.map_form(n) for n in hidden], self.layout.shapes
        patches = [np.empty((form.places, shapes[n][0])) for n, form in enumerate(forms)]
        padded = [np.zeros((1, 1, 1)) for _ in hidden]
        for n, w in enumerate(cfg.windows):
            edge = 2 * (w.kernel // 2) + w.stride  # the last patch may begin further right or below
            padded[n] = np.zeros((w.rows + edge, w.columns + edge, w.channels))
        for n in hidden:
            patches[n][:, -1] = cfg.source(n).one

        def arrays(*shapes, kind=np.float64):
            return tuple(np.empty(shape, kind) for shape in shapes)

        maps = [(form.places, form.features) for form in forms]
        return MapScratch(
            x=arrays(*cfg.sizes[:-1]),
            padded=tuple(padded),
            patches=tuple(patches),
            a=arrays(*maps),
            z=arrays(*maps),
            d=arrays(*maps),
            powers=arrays(*(form.places for form in forms), kind=np.int64),
            cells=arrays(*cfg.hidden),
            read=arrays(*((rows, numbers) for numbers in cfg.hidden)),
            total=arrays(*cfg.hidden),
            change=arrays(*shapes[:-1]),
            errors=arrays(*[rows] * len(cfg.hidden), cfg.classes, kind=np.int64),
            scores=np.empty(cfg.classes),
        )
