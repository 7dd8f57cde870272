"""The core of sequences, bit for bit, in plain NumPy: a recurrent layer, then a readout.

A sequence is worked on tick by tick, each tick pass by pass in the order of
`hebbware.golden.program.program`. Potentials, traces and what the readout sees are at rest before
the first one. The readout's scores are summed over the last `neuron.target` ticks; at every tick
with a label all weights are updated. Where targets are signals (`neuron.signal`) a label is a
number for each output, and the scores of each of these ticks are a result.
"""

import numpy as np

from .arithmetic.fixed import saturate
from .arithmetic.random import rotate_lanes, xorshift_block
from .config import NO_LABEL, CoreConfig
from .data.samples import label_of, labels_of, raw
from .errors import InputError
from .layers import dense
from .layers.softmax import softmax_error
from .layers.squared import TARGET, squared_error
from .modulators import feedback
from .neurons import spiking
from .plain import PlainCore
from .program.program import passes_of_tick
from .program.walk import Made, Pass, Rows, Store, Written


class Sequence:
    """What ticks and passes hand on to those that follow.

    Parameters
    ----------
    config : CoreConfig
    x : array (ticks, inputs)
        Raw, checked.
    labels : array (ticks,), of signals (ticks, outputs), or None
        `NO_LABEL` at ticks without a target.

    Attributes
    ----------
    time : int
        Tick at hand.
    word : int
        Of the generator for what leaks.
    potentials, spikes : arrays (units,)
    traces : list of arrays
        Of the inputs and of the units' spikes.
    seen : array (units,)
        What the readout sees.
    errors : array (classes,)
        Of the readout at this tick.
    directions : array (units,)
    scores : array (classes,)
        Summed so far; of signals those of each tick with results, (ticks, outputs).
    """

    def __init__(self, config: CoreConfig, x: np.ndarray, labels: np.ndarray | None):
        units = config.hidden[0]
        self.x, self.labels = np.asarray(x, np.int64) - config.x_zero, labels
        self.time, self.word = 0, spiking.rest_word(config)
        self.potentials, self.spikes, self.seen = (np.zeros(units, np.int64) for _ in range(3))
        self.traces = [np.zeros(size, np.int64) for size in (config.inputs, units)]
        self.errors = self.directions = None
        self.scores = np.zeros(result_shape(config), np.int64)

    @property
    def input(self) -> np.ndarray:
        """Inputs of this tick."""
        return self.x[self.time]

    @property
    def label(self) -> int | np.ndarray | None:
        """Target of this tick, if it has one."""
        if self.labels is None or not learned_ticks(self.labels)[self.time]:
            return None
        found = self.labels[self.time]
        return found if np.ndim(found) else int(found)


def result_shape(config: CoreConfig) -> tuple[int, ...]:
    """Of the scores of a sequence: classes, or of a signal ticks and outputs."""
    return (config.neuron.target, config.classes) if config.signal else (config.classes,)


def learned_ticks(labels: np.ndarray) -> np.ndarray:
    """Which ticks have a target, of labels as `ticks_with` gives them."""
    return (labels if labels.ndim == 1 else labels[:, 0]) != NO_LABEL


def ticks_with(config: CoreConfig, label) -> np.ndarray | None:
    """Labels of the ticks (ticks,) of a sequence that has a label, or labels of its ticks; of
    signals (ticks, outputs).

    None where no tick has one, as for None.

    Raises
    ------
    InputError
        No class, or not so many.
    """
    if label is None:
        return None
    if not np.ndim(label) and not config.signal:
        return _spread(config, [label_of(label, config.classes)])[0]
    found = _of_ticks(config, [label], 1)[0]
    return found if learned_ticks(found).any() else None


def of_sequences(config: CoreConfig, x, labels) -> tuple[np.ndarray, list]:
    """Sequences (n, ticks, inputs) and what `ticks_with` gives of their labels, checked.

    Raises
    ------
    InputError
        Samples or labels that the core does not take.
    """
    x, labels = raw("x", x, ("samples", *config.sample_shape), 0, config.x.max), list(labels)
    if len(labels) != len(x):
        raise InputError(f"labels must have shape ({len(x)},), not ({len(labels)},)")
    return x, [ticks_with(config, label) for label in labels]


def _spread(config, labels):
    """Labels of the ticks (samples, ticks) of sequences with a label each: of the last ticks."""
    found = np.full((len(labels), config.neuron.ticks), NO_LABEL)
    found[:, -config.neuron.target :] = np.reshape(labels, (-1, 1))
    return found


def _of_ticks(config, labels, samples):
    """Labels of the ticks of sequences (samples, ticks), of signals (samples, ticks, outputs),
    checked.
    """
    classes = config.classes
    if config.signal:
        return _signals(config, labels, samples)
    found = raw("labels", labels, (samples, config.neuron.ticks), 0, NO_LABEL)
    wrong = (found >= classes) & (found != NO_LABEL)
    if wrong.any():
        raise InputError(
            f"labels must lie in 0..{classes - 1}, or be {NO_LABEL} at ticks without one, "
            f"not {found[wrong][0]}"
        )
    return found.astype(np.int64)


def _signals(config, targets, samples):
    """Targets of the ticks of sequences, checked."""
    shape = samples, config.neuron.ticks, config.classes
    found = raw("targets", targets, shape, TARGET.min, NO_LABEL).astype(np.int64)
    none = found == NO_LABEL
    wrong = (found > TARGET.max) & ~none | none & ~none.all(axis=-1, keepdims=True)
    if wrong.any():
        raise InputError(
            f"targets must lie in {TARGET.min}..{TARGET.max}, or be {NO_LABEL} for all outputs at "
            f"ticks without one, not {found[wrong][0]}"
        )
    return found


class SequenceCore(PlainCore):
    """Bit-exact network of a configuration with a recurrent layer; see `PlainCore`.

    Samples have the shape (ticks, inputs); a label is that of the last `neuron.target` ticks, or
    there is one for each tick, `hebbware.golden.config.NO_LABEL` where there is none. Scores are
    sums over the last `neuron.target` ticks. `learned` counts sequences.

    Of signals (`neuron.signal`) a label is an array (ticks, outputs) of raw
    `hebbware.golden.layers.squared.TARGET`, `NO_LABEL` in all outputs of a tick without one. The
    scores of each of the last `neuron.target` ticks are a result, (ticks, outputs), with the number
    of the largest output in the place of a class.

    Attributes
    ----------
    spikes : int
        Of all units in all ticks of the last call of `infer_many` or `learn_many`.
    """

    def reset(self):
        super().reset()
        self.spikes = 0

    def infer_many(self, x):
        self.spikes = 0
        return super().infer_many(x)

    def learn_many(self, x, labels):
        self.spikes = 0
        return super().learn_many(x, labels)

    def rate(self, samples: int) -> float:
        """Spikes of a unit in a tick, mean over the last call, which had so many samples."""
        cfg = self.config
        return self.spikes / (max(samples, 1) * cfg.neuron.ticks * cfg.hidden[0])

    def _passes(self):
        return {
            (counted, learn): [
                (p, f"_{p.kind}") for p in passes_of_tick(self.config, counted, learn)
            ]
            for counted in (False, True)
            for learn in (False, True)
        }

    def _sample(self, x):
        return raw("x", x, self.config.sample_shape, 0, self.config.x.max)

    def _samples(self, x):
        return raw("x", x, ("samples", *self.config.sample_shape), 0, self.config.x.max)

    def _label(self, label):
        if np.ndim(label) or self.config.signal:
            return self._labels([label], 1)[0]
        return self._labels([label_of(label, self.config.classes)], 1)[0]

    def _labels(self, labels, samples):
        """Labels of every tick, (samples, ticks)."""
        if len(np.shape(labels)) > 1 or self.config.signal:
            return _of_ticks(self.config, labels, samples)
        return _spread(self.config, labels_of(labels, self.config.classes, samples))

    def _result_shape(self):
        return result_shape(self.config)

    def _begin(self, x, labels):
        return Sequence(self.config, x, labels)

    def _walk(self, s):
        cfg = self.config
        first = cfg.neuron.ticks - cfg.neuron.target
        for s.time in range(cfg.neuron.ticks):
            label, s.errors = s.label, None
            inputs, spikes = np.count_nonzero(s.input), int(s.spikes.sum())
            for p, method in self._order[s.time >= first, label is not None]:
                errors = 0 if s.errors is None else np.count_nonzero(s.errors)
                traced = 0
                if p.walk.rows is Rows.TRACED and errors:
                    traced = self._passing(p, s).size
                rows = p.walk.rows_walked(inputs, errors, False, spikes, traced)
                yield Made(p, s.time, rows, getattr(self, method)(p, s) if rows else ())
        if s.labels is not None and learned_ticks(s.labels).any():
            self.learned += 1

    # -- passes: what each writes -----------------------------------------------------------------

    def _trace_inputs(self, p: Pass, s: Sequence):
        cfg = self.config
        return self._traced(0, s, s.input << cfg.trace.fraction - cfg.source(0).fraction)

    def _trace_units(self, p, s):
        return self._traced(1, s, s.spikes << self.config.trace.fraction)

    def _traced(self, which, s, arriving):
        old = s.traces[which]
        s.traces[which] = spiking.trace(self.config, old, arriving, self._leaks(s, old.size))
        return (Written(Store.TRACES, which, None, s.traces[which]),)

    def _forward_inputs(self, p, s):
        cfg, rows = self.config, np.flatnonzero(s.input)
        current = dense.sums(cfg, cfg.source(0).fraction, s.input[rows], self.weights[0][rows])
        random = self._leaks(s, s.spikes.size)
        s.potentials = spiking.integrate(cfg, s.potentials, s.spikes, current, random)
        if not s.spikes.any():
            self._spike(s)  # nothing else comes in
        return (Written(Store.A, 0, None, s.potentials),)

    def _forward_units(self, p, s):
        cfg, rows = self.config, np.flatnonzero(s.spikes)
        current = dense.sums(cfg, 0, s.spikes[rows], self.weights[0][cfg.inputs + rows])
        s.potentials = saturate(s.potentials + current, cfg.u)
        self._spike(s)
        return (Written(Store.A, 0, None, s.potentials),)

    def _spike(self, s):
        s.spikes = (s.potentials >= spiking.threshold(self.config)).astype(np.int64)
        self.spikes += int(s.spikes.sum())

    def _filter(self, p, s):
        s.seen = spiking.filtered(self.config, s.seen, s.spikes, self._leaks(s, s.seen.size))
        return (Written(Store.Z, 0, None, s.seen),)

    def _scores(self, p, s):
        cfg, scores, written = self.config, self._sums_of_classes(s.seen), []
        counted = s.time - (cfg.neuron.ticks - cfg.neuron.target)
        if counted >= 0 and cfg.signal:
            s.scores[counted] = scores
            written.append(Written(Store.RESULTS, p.layer, None, scores))
        elif counted >= 0:
            s.scores = s.scores + scores
            written.append(Written(Store.RESULTS, p.layer, None, s.scores))
        if s.label is not None:
            if cfg.signal:
                s.errors = squared_error(cfg, scores, s.label)
            else:
                s.errors = softmax_error(cfg, scores, cfg.u.fraction, s.label)
            written.append(Written(Store.ERRORS, p.layer, None, s.errors))
        return tuple(written)

    def _feedback(self, p, s):
        cfg, symmetric = self.config, not self.config.has_memory
        read = self.weights[1] if symmetric else self.read(0)
        near = spiking.near(cfg, s.potentials)
        s.directions = feedback.direction(cfg, s.errors, read, near)
        return (Written(Store.D, 0, None, s.directions),)

    def _update_inputs(self, p, s):
        return self._update(p, s)

    def _update_units(self, p, s):
        return self._update(p, s)

    def _update(self, p, s):
        """All rows draw random words; of those that are passed by nothing is written."""
        traces, first = s.traces[p.walk.of_units], self.config.inputs * p.walk.of_units
        (whole,) = self._changed(p, first + np.arange(traces.size), traces, s.directions)
        rows = self._passing(p, s)
        return (whole._replace(rows=first + rows, values=whole.values[rows]),)

    def _passing(self, p, s):
        return spiking.passing(s.traces[p.walk.of_units], self.config.lanes)

    def _readout(self, p, s):
        return self._changed(p, np.arange(self.config.classes), s.errors, s.seen)

    def _memory(self, p, s):
        writes = self.kind.writes(self.config, s.label, s.errors, None)
        self._write_rows(p.layer, writes, s.seen)
        rows = np.array([write.row for write in writes])
        return (Written(Store.MEMORY, p.layer, rows, self.memories[p.layer][rows]),)

    def _leaks(self, s, size):
        """A word of 32 bits for each of `size` numbers in lanes, from one for each block."""
        words = xorshift_block(s.word, self.layout.blocks_of(size))
        s.word = int(words[-1])
        return self.layout.units_of(rotate_lanes(words, self.config.lanes), size)
