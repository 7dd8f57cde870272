"""A recurrent network of leaky integrate-and-fire units that learns by e-prop.

In each tick, with spikes s' of the tick before::

    v_j <- alpha_j v_j + sum_i x_i W_ij + sum_i s'_i W_ij - theta s'_j        s_j = [v_j >= theta]
    f_j <- kappa f_j + s_j                                                    o = R f

and at ticks with a target, e = softmax(o) - onehot, or of a signal y clip(o - y, -1, 1), with
traces t of the inputs and of the spikes s', ``t <- lambda t + x``, and
``h_j = [|v_j - theta| < width theta]``::

    W_ij -= rate h_j t_i sum_c E_cj e_c            R_cj -= readout_rate e_c f_j

E are the readout's weights or a fixed matrix. In the rule of the source ``h_j t_i`` is a trace of
each synapse, filtered with kappa as the readout does (`filtered`); without that there is one for
each row, as in ReckOn.

Source: Bellec et al. 2020, doi 10.1038/s41467-020-17236-y, without adaptive thresholds.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

NO_TARGET = -1


class Course(NamedTuple):
    """Of a sequence, each with an entry for each tick: (ticks, units), scores (ticks, classes)."""

    potentials: np.ndarray
    spikes: np.ndarray
    seen: np.ndarray
    scores: np.ndarray


@dataclass
class SpikingNetwork:
    """The network, in double precision.

    All arrays may have one more axis in front, of networks that learn a sequence each, in lockstep,
    with targets at the same ticks.

    Parameters
    ----------
    weights : array (inputs + units, units)
        Changed in place by `learn`.
    readout : array (classes, units)
        Likewise.
    decay : array (units,)
        alpha.
    trace_decay, readout_decay : float
        lambda, kappa.
    threshold, width : float
    feedback : array (classes, units), optional
        E; by default the readout's weights as they are.
    filtered : bool
        Whether traces of single synapses are filtered with kappa.
    """

    weights: np.ndarray
    readout: np.ndarray
    decay: np.ndarray
    trace_decay: float
    readout_decay: float
    threshold: float = 1.0
    width: float = 1.0
    feedback: np.ndarray | None = None
    filtered: bool = False
    traces: np.ndarray = field(init=False, repr=False)
    """Of all rows, at the end of the last sequence."""

    def run(self, x: np.ndarray, spikes: np.ndarray | None = None) -> Course:
        """Return the course of a sequence `x` (ticks, inputs); with `spikes` given, of the rest."""
        return self._run(x, None, (0.0, 0.0), spikes)

    def learn(
        self,
        x: np.ndarray,
        targets: np.ndarray,
        rates: tuple[float, float],
        spikes: np.ndarray | None = None,
    ) -> Course:
        """Learn at all ticks whose target (ticks,) is not `NO_TARGET`, or of a signal (ticks,
        outputs) not NaN; `rates` of weights and readout.
        """
        return self._run(x, targets, rates, spikes)

    def _run(self, x, targets, rates, given):
        shape = *x.shape[:-2], self.weights.shape[-1]
        potential, before, seen = (np.zeros(shape) for _ in range(3))
        self.traces, synapses = np.zeros(self.weights.shape[:-1]), np.zeros(self.weights.shape)
        course = []
        for tick in range(x.shape[-2]):
            rows = np.concatenate([x[..., tick, :], before], axis=-1)
            self.traces = self.trace_decay * self.traces + rows
            current = _times(rows, self.weights) - self.threshold * before
            potential = self.decay * potential + current
            fired = (potential >= self.threshold).astype(float)
            before = fired if given is None else given[..., tick, :].astype(float)
            seen = self.readout_decay * seen + before
            scores = _times(seen, self.readout.swapaxes(-1, -2))
            near = np.abs(potential - self.threshold) < self.width * self.threshold
            course.append((potential, before, seen, scores))
            learns = targets is not None and _learns(targets, x, tick)
            if not (learns or self.filtered):
                continue
            eligible = self.traces[..., None] * near[..., None, :]
            if self.filtered:
                synapses = eligible = self.readout_decay * synapses + eligible
            if not learns:
                continue
            error = _error(scores, targets, x, tick)
            signal = _times(error, self.readout if self.feedback is None else self.feedback)
            self.weights -= rates[0] * signal[..., None, :] * eligible
            self.readout -= rates[1] * error[..., None] * seen[..., None, :]
        return Course(*(np.stack(part, axis=-2) for part in zip(*course, strict=True)))


def _learns(targets, x, tick):
    """Whether there are targets at a tick."""
    if targets.ndim == x.ndim:
        return not np.isnan(targets[..., tick, :]).any()
    return (targets[..., tick] != NO_TARGET).any()


def _error(scores, targets, x, tick):
    """Errors of the scores at a tick."""
    if targets.ndim == x.ndim:
        return np.clip(scores - targets[..., tick, :], -1, 1)
    error = np.exp(scores - scores.max(axis=-1, keepdims=True))
    error /= error.sum(axis=-1, keepdims=True)
    return error - (np.arange(error.shape[-1]) == targets[..., tick, None])


def _times(rows, weights):
    """Rows (..., n) times matrices (..., n, m)."""
    return (rows[..., None, :] @ weights)[..., 0, :]
