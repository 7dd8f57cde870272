"""The whole learning core, bit for bit, in plain NumPy.

One sample at a time, pass by pass, in the order of `hebbware.golden.program.program`: forward
through the hidden layers and the readout; every layer updates itself from its own input, its own
slope and its own modulator. A method named after its kind carries out a pass.
"""

import numpy as np

from .config import CoreConfig
from .data.samples import label_of, labels_of, raw, samples_of
from .layers import dense
from .layers.normalise import normalised, statistics
from .layers.softmax import softmax_error
from .maps import MapPasses
from .modulators import class_memory as modulator
from .modulators import hsic
from .neurons import dynamics
from .plain import PlainCore
from .program.program import passes_of_sample
from .program.walk import Made, Pass, Store, Written
from .reservoir import memory as reservoir_memory
from .sequence import SequenceCore


class Sample:
    """What the passes of a sample hand on to those that follow; lists have an entry for each layer.

    Parameters
    ----------
    config : CoreConfig
    x : array (inputs,)
        Raw, checked.
    label : int or None

    Attributes
    ----------
    time : int
        Time step at hand.
    inputs : list of arrays
        Of each weight layer: the sample's, then z of each hidden layer, or its pooled map.
    z, seen : lists of arrays
        Of each hidden layer, and what its class memory sees: the same, or averages over cells.
    rows, pre : lists of arrays
        Rows of weights walked, and what is multiplied with them.
    potentials, a, totals, squares, scales : lists
        Of the sums: potentials of leaky neurons, activations, their sums and statistics.
    read, pulls, jacobians : lists
        Class memory at unit scale, its weights in the direction, and the Jacobian's scalar.
    errors, counts : lists
        Errors of the hidden layers and of the readout, and how many of them are not zero.
    powers : list
        Powers of two nearest to the scales of all positions of a convolution.
    directions : list of arrays
    weights : array (window,)
        Of the samples in the window of the ``hsic`` modulator.
    scores : array (classes,)
    """

    def __init__(self, config: CoreConfig, x: np.ndarray, label: int | None):
        hidden = len(config.hidden)
        self.label, self.time, self.weights, self.scores = label, 0, None, None
        self.inputs = [np.asarray(x, np.int64) - config.x_zero] + [None] * hidden
        self.rows, self.pre, self.a, self.totals, self.squares, self.scales = (
            [None] * hidden for _ in range(6)
        )
        self.read, self.pulls, self.jacobians, self.directions = ([None] * hidden for _ in range(4))
        self.z, self.seen, self.powers = ([None] * hidden for _ in range(3))
        self.errors, self.counts = [None] * (hidden + 1), [0] * (hidden + 1)
        self.potentials = [0] * hidden  # at rest

    def take_errors(self, layer: int, errors: np.ndarray) -> Written:
        """Keep the errors of a layer."""
        self.errors[layer], self.counts[layer] = errors, np.count_nonzero(errors)
        return Written(Store.ERRORS, layer, None, errors)


class Core(MapPasses, PlainCore):
    """Bit-exact network of samples that have one row of inputs each; see `PlainCore`."""

    def __new__(cls, config: CoreConfig | None = None):
        """Of a configuration with a recurrent layer it is a `SequenceCore`; copies have none."""
        return SequenceCore(config) if config and config.recurrent else super().__new__(cls)

    def _passes(self):
        return {
            learn: [(time, p, f"_{p.kind}") for time, p in passes_of_sample(self.config, learn)]
            for learn in (False, True)
        }

    def _begin(self, x, label):
        return Sample(self.config, x, label)

    def _walk(self, s):
        learn = s.label is not None
        inputs, full = np.count_nonzero(s.inputs[0]), len(self.past) == self.config.memory.window
        for s.time, p, method in self._order[learn]:
            rows = p.walk.rows_walked(inputs, s.counts[p.layer], full)
            written = getattr(self, method)(p, s) if rows else ()
            yield Made(p, s.time, rows, written)
        if learn:
            if self.kind.windowed:
                self.past.append((s.label, s.seen))
            self.learned += 1

    def _label(self, label):
        return label_of(label, self.config.classes)

    def _labels(self, labels, samples):
        return labels_of(labels, self.config.classes, samples).tolist()

    def _sample(self, x):
        return raw("x", x, (self.config.inputs,), 0, self.config.x.max)

    def _samples(self, x):
        return samples_of(x, self.config.inputs, self.config.x.max)

    # -- passes: what each writes -----------------------------------------------------------------

    def _forward(self, p: Pass, s: Sample):
        cfg, layer = self.config, p.layer
        rows, pre = self._rows(layer, s.inputs[layer])
        narrow, weights = cfg.layer[layer].narrow or 0, self.weights[layer][rows]
        u = dense.sums(cfg, cfg.source(layer).fraction, pre, weights, narrow)
        if cfg.leaky:
            s.potentials[layer] = dynamics.leak(cfg, s.potentials[layer], u)
            u = dynamics.potential_u(cfg, s.potentials[layer])
        s.rows[layer], s.pre[layer], s.a[layer] = rows, pre, dynamics.activate(cfg, u)
        written = Written(Store.A, layer, None, s.a[layer])
        if self.window and layer == s.time == 0 and s.label is not None:
            s.weights = self.window.take(self.learned, s.inputs[0], s.label)
            newest_first = (self.learned - np.arange(cfg.memory.window)) % cfg.memory.window
            return written, Written(Store.KERNELS, 0, newest_first, s.weights[newest_first])
        return (written,)

    def _rows(self, layer, values):
        """Rows walked and their values: in the first layer non-zero inputs, else all; the bias."""
        one = self.config.source(layer).one
        rows = np.flatnonzero(values) if layer == 0 else np.arange(values.size)
        return np.append(rows, values.size), np.append(values[rows], one)

    def _sum(self, p, s):
        s.totals[p.layer] = s.a[p.layer].sum(axis=-1)
        return ()

    def _squares(self, p, s):
        s.squares[p.layer] = (s.a[p.layer] ** 2).sum(axis=-1)
        return ()

    def _normalise(self, p, s):
        layer, a = p.layer, s.a[p.layer]
        if a.ndim == 2:
            return self._normalise_positions(layer, s)
        scale = statistics(self.config, int(s.totals[layer]), int(s.squares[layer]), a.size)
        z = normalised(self.config, a, scale)
        s.scales[layer], s.inputs[layer + 1], s.z[layer], s.seen[layer] = scale, z, z, z
        return (Written(Store.Z, layer, None, z),)

    def _scores(self, p, s):
        cfg = self.config
        s.scores = self._sums_of_classes(s.inputs[-1])
        written = Written(Store.RESULTS, p.layer, None, s.scores)
        if s.label is None:
            return (written,)
        error = softmax_error(cfg, s.scores, cfg.u.fraction, s.label)
        return written, s.take_errors(p.layer, error)

    def _similarity(self, p, s):
        layer, z = p.layer, s.seen[p.layer]
        s.read[layer] = self.read(layer)
        if self.reservoir:
            return self._similarity_projected(layer, z, s)
        gain = self.config.layer[layer].gain
        k = modulator.similarities(self.config, z, s.read[layer], gain)
        if self.window:
            error, s.jacobians[layer] = hsic.errors(self.config, s.weights, k)
        else:
            error, s.jacobians[layer] = modulator.errors(self.config, k, s.label)
        s.pulls[layer] = error
        return (s.take_errors(layer, error),)

    def _similarity_projected(self, layer, z, s):
        """Errors, where they pull in the projected space, and J; the reservoir takes its step."""
        cfg, read = self.config, self.reservoir.reads[layer]
        q = reservoir_memory.project(cfg, self.codes[layer], z)
        k = reservoir_memory.similarities(cfg, q, read)
        error, weighted = modulator.errors(cfg, k, s.label)
        s.pulls[layer] = reservoir_memory.pull(cfg, error, read)
        s.jacobians[layer] = reservoir_memory.jacobian(cfg, z.size, weighted)
        self.reservoir.write(layer, reservoir_memory.words(cfg, q, error, s.label))
        decoded = Written(Store.DECODED, layer, None, self.reservoir.reads[layer])
        return s.take_errors(layer, error), decoded

    def _direction(self, p, s):
        layer = p.layer
        if s.a[layer].ndim == 2:
            return self._direction_of_positions(layer, s)
        s.directions[layer] = modulator.direction(
            self.config,
            s.pulls[layer],
            s.jacobians[layer],
            s.read[layer],
            s.z[layer],
            dynamics.active(self.config, s.a[layer]),
            s.scales[layer].power,
        )
        return (Written(Store.D, layer, None, s.directions[layer]),)

    def _forget(self, p, s):
        return self._remember(p.layer, s, aged=True)

    def _memory(self, p, s):
        return self._remember(p.layer, s, aged=False)

    def _remember(self, layer, s, *, aged):
        """The writes of the sample, or of the oldest, which may meet the same row."""
        full = len(self.past) == self.config.memory.window
        row = self.window.slot(self.learned) if self.window else s.label
        oldest = self.past[0][0] if full else None
        writes = self.kind.writes(self.config, row, s.errors[layer], oldest)
        writes = [write for write in writes if bool(write.age) is aged]
        self._write_rows(layer, writes, s.seen[layer])
        rows = np.array([write.row for write in writes])
        return (Written(Store.MEMORY, layer, rows, self.memories[layer][rows]),)

    def _handover(self, p, s):
        return ()

    def _update(self, p, s):
        return self._changed(p, s.rows[p.layer], s.pre[p.layer], s.directions[p.layer])

    def _readout(self, p, s):
        return self._changed(p, np.arange(self.config.classes), s.errors[-1], s.inputs[-1])
