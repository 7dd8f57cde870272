"""The compiled twin of `hebbware.golden.sequence.SequenceCore`: same integers, made for speed."""

import numpy as np

from ..arithmetic import tables
from ..config import NO_LABEL, CoreConfig
from ..layers.normalise import unit_thresholds
from ..layers.softmax import exp_width
from ..layers.squared import TARGET
from ..modulators import feedback
from ..neurons import spiking
from ..program.commands import DATA_BITS
from ..sequence import SequenceCore, result_shape
from .kernels import ROUNDINGS
from .ticks import Ticks, run


def _constants(config: CoreConfig) -> Ticks:
    neuron, width = config.neuron, exp_width(config)
    gains, shifts = zip(*spiking.leaks(config), strict=True)
    kind = config.memory
    symmetric = config.learns_hidden and not config.has_memory
    return Ticks(
        ticks=neuron.ticks,
        first=neuron.ticks - neuron.target,
        lanes=config.lanes,
        classes=config.classes,
        inputs=config.inputs,
        x_zero=config.x_zero,
        no_label=NO_LABEL,
        rest_word=spiking.rest_word(config),
        rounding=ROUNDINGS[config.update.rounding],
        update_shift=config.update_shift,
        weight_max=config.weight.max,
        learns_hidden=config.learns_hidden,
        symmetric=symmetric,
        gains=gains,
        shifts=shifts,
        threshold=spiking.threshold(config),
        reach=spiking.reach(config),
        u_max=config.u.max,
        trace_shift=neuron.trace_shift,
        trace_max=config.trace.max,
        trace_left=config.trace.fraction - config.source(0).fraction,
        spike=config.trace.fraction,
        input_shift=config.source(0).fraction + config.weight.fraction - config.u.fraction,
        spike_shift=config.weight.fraction - config.u.fraction,
        readout_shift=neuron.readout_shift,
        z_max=config.z.max,
        z_spike=config.z.one,
        score_shift=config.sum_shift(1),
        u_fraction=config.u.fraction,
        direction_shift=feedback.direction_shift(config) if config.learns_hidden else 0,
        d_max=config.d.max,
        offset=int(kind.kappa * config.read.one),
        read_shift=-config.read.fraction if kind.self_scaling else 0,
        read_max=config.read.max,
        remembers=config.writes_memory,
        self_scaling=kind.self_scaling,
        stochastic_memory=kind.stochastic,
        scale=kind.scale(config),
        leak_shift=config.update_shift - kind.horizon if kind.leaks else -1,
        memory_max=config.stored.max,
        thresholds=np.array([unit_thresholds(n, config.stored.width) for n in config.hidden]),
        signal=config.signal,
        squared_shift=config.u.fraction - config.e.fraction,
        target_shift=TARGET.fraction - config.e.fraction,
        error_fraction=config.e.fraction,
        exp_step=tables.EXP_STEP,
        reciprocal_bits=config.formats.reciprocal_bits,
        exp=tables.exp_table(config.formats.exp_bits, width),
        reciprocal=tables.reciprocal_table(config.formats.reciprocal_bits, width),
    )


def update_type(config: CoreConfig) -> type:
    """Type in which no product of an update, rounding included, overflows."""
    products = (
        config.trace.width + config.d.width - 2,
        config.e.width + config.z.width - 2,
        config.update_shift,
    )
    return np.int32 if max(products) < 30 else np.int64


class SequenceTwin(SequenceCore):
    """A `SequenceCore` whose `learn_many` and `infer_many` run compiled."""

    def __init__(self, config: CoreConfig):
        super().__init__(config)
        self._constants, self._kind = _constants(config), np.empty(0, update_type(config))

    def infer_many(self, x):
        return self._many(False, self._samples(x), np.empty((1, 1, 1), np.int64))

    def learn_many(self, x, labels):
        x = self._samples(x)
        labels = np.array(self._labels(labels, len(x)), np.int64)
        return self._many(True, x, labels.reshape(*labels.shape[:2], -1))

    def _many(self, learning, x, labels):
        cfg = self.config
        weights, readout = (np.ascontiguousarray(w, np.int16) for w in self.weights)
        memory, gains = self.memories[0].copy(), self.gains[0].copy()
        scores = np.empty((len(x), cfg.neuron.target if cfg.signal else 1, cfg.classes), np.int64)
        random, saturated, spikes = run(
            self._constants,
            learning,
            np.ascontiguousarray(x, np.uint8),
            labels,
            np.array([shift + self.extra for shift in cfg.step_shifts]),
            weights,
            readout,
            np.ascontiguousarray(self.codes[0]),
            memory,
            gains,
            self._kind,
            np.uint64(self.random_state),
            scores,
        )
        self.spikes = int(spikes)
        if learning:
            self.weights = [weights.astype(np.int64), readout.astype(np.int64)]
            self.memories, self.gains = [memory], [gains]
            self.random_state = int(random)
            self.saturated = (self.saturated + saturated) % (1 << DATA_BITS)
            self.learned += int((labels[..., 0] != NO_LABEL).any(axis=1).sum())
        scores = scores.reshape(len(x), *result_shape(cfg))
        return scores.argmax(axis=-1), scores
