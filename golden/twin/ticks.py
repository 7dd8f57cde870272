"""The compiled loop of `hebbware.golden.twin.sequence`: whole sequences, tick by tick.

Machine code is kept for `run` alone, which is made anew where this file or that of the helpers
changes; numbers that are defined elsewhere arrive in `Ticks`.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy import int64, uint32, uint64

from . import kernels
from .kernels import (
    _clip,
    _next,
    _rotate,
    _shift_round,
    _softmax,
    _update,
    _update_readout,
    _write_rows,
)

_inner = njit(nogil=True, error_model="numpy")


class Ticks(NamedTuple):
    """What the loop needs to know about a configuration."""

    ticks: int
    first: int  # tick from which scores are summed
    lanes: int
    classes: int
    inputs: int
    x_zero: int
    no_label: int
    rest_word: int
    rounding: int
    update_shift: int
    weight_max: int
    learns_hidden: bool
    symmetric: bool
    gains: tuple  # leak of even and of odd units
    shifts: tuple
    threshold: int
    reach: int
    u_max: int
    trace_shift: int
    trace_max: int
    trace_left: int  # left shift from an input to its trace
    spike: int  # of a trace
    input_shift: int  # from sums to u
    spike_shift: int
    readout_shift: int
    z_max: int
    z_spike: int
    score_shift: int
    u_fraction: int
    direction_shift: int
    d_max: int
    offset: int  # of a code, as it is read
    read_shift: int  # from a class memory to what is read of it, beside its gain
    read_max: int
    remembers: bool  # learning writes the class memory
    self_scaling: bool
    stochastic_memory: bool
    scale: int  # left shift of an error that multiplies what is seen
    leak_shift: int
    memory_max: int
    thresholds: np.ndarray  # (hidden layers, bits), of gains
    signal: bool  # targets are numbers at each tick
    squared_shift: int  # from u to errors
    target_shift: int  # from targets to errors
    error_fraction: int
    exp_step: int
    reciprocal_bits: int
    exp: np.ndarray
    reciprocal: np.ndarray


@_inner
def _leak(c, values, gains, shifts, word):
    """Take from all values what leaks, a word for each block; returns the last word."""
    for start in range(0, values.size, c.lanes):
        word = _next(word)
        for i in range(start, min(start + c.lanes, values.size)):
            shift = shifts[i & 1]
            random = int64(_rotate(uint32(word), i - start)) & ((1 << shift) - 1)
            values[i] -= (values[i] * gains[i & 1] + random) >> shift
    return word


@_inner
def _sums(rows, count, source, weights, shift, high, out):
    """Weighted sums of the `count` rows that are walked, as u."""
    out[:] = 0
    for n in range(count):
        row, value = weights[rows[n]], source[rows[n]]
        for i in range(out.size):
            out[i] += row[i] * value
    for i in range(out.size):
        out[i] = _clip(_shift_round(out[i], shift), high)


@_inner
def _walked(values, rows):
    count = 0
    for j in range(values.size):
        if values[j]:
            rows[count] = j
            count += 1
    return count


@_inner
def _settle(c, x, weights, v, s, traces, f, u, rows, word):
    """Traces, potentials, spikes and what the readout sees of one tick."""
    one = (1, 1)
    trace_shifts, readout_shifts = (
        (c.trace_shift, c.trace_shift),
        (c.readout_shift, c.readout_shift),
    )
    arriving = c.trace_left, c.spike
    for which, values in enumerate((x, s)):
        trace = traces[which]
        word = _leak(c, trace, one, trace_shifts, word)
        for j in range(trace.size):
            grown = values[j] << arriving[which]
            trace[j] = _clip(trace[j] + grown, c.trace_max)
    word = _leak(c, v, c.gains, c.shifts, word)
    _sums(rows, _walked(x, rows), x, weights[: c.inputs], c.input_shift, c.u_max, u)
    for i in range(v.size):
        v[i] = _clip(v[i] - c.threshold * s[i] + u[i], c.u_max)
    _sums(rows, _walked(s, rows), s, weights[c.inputs :], c.spike_shift, c.u_max, u)
    for i in range(v.size):
        v[i] = _clip(v[i] + u[i], c.u_max)
        s[i] = v[i] >= c.threshold
    word = _leak(c, f, one, readout_shifts, word)
    for i in range(f.size):
        f[i] = _clip(f[i] + s[i] * c.z_spike, c.z_max)
    return word


@_inner
def _recall(c, readout, codes, memory, gains, read):
    """What errors are brought back by, into `read` (classes, units)."""
    for k in range(c.classes):
        for i in range(read.shape[1]):
            if c.symmetric:
                read[k, i] = readout[k, i]
            else:
                kept = _shift_round(memory[k, i], c.read_shift + gains[k])
                read[k, i] = _clip(kept + c.offset * int64(codes[k, i]), c.read_max)


@_inner
def _feedback(c, error, read, v, d):
    """Directions from the errors."""
    for i in range(d.size):
        d[i] = 0
        if abs(v[i] - c.threshold) < c.reach:
            total = int64(0)
            for k in range(c.classes):
                total += error[k] * read[k, i]
            d[i] = _clip(_shift_round(total, c.direction_shift), c.d_max)


@_inner
def _squared(c, score, target, error):
    """Errors of a signal."""
    one = 1 << c.error_fraction
    for k in range(c.classes):
        wanted = _shift_round(target[k], c.target_shift)
        found = _shift_round(score[k], c.squared_shift) - wanted
        error[k] = min(max(found, -one), one)


def _made(stamp):
    """`run`, which numba makes anew where `stamp` is another."""

    def run(
        c, learning, x, labels, steps, weights, readout, codes, memory, gains, kind, random, scores
    ):  # fmt: skip
        """Infer, or learn, each sequence of `x` (samples, ticks, inputs).

        Fills `scores`, the sums (samples, 1, classes), or of signals the outputs of each tick
        (samples, ticks, classes). `labels` are (samples, ticks, 1), or (samples, ticks, classes),
        `steps` the shifts of both weight layers, schedule included; `memory` (int64) and its
        `gains` are changed as the weights are; `kind` is an empty array of the type in which
        weights are updated. Returns the generator's state (`random` before), in how many words of
        weights a lane was cut off, and spikes of all units.
        """
        units, cut, spikes, word = weights.shape[1], 0, int64(stamp & 0), uint64(0)
        v, s = np.zeros(units, np.int64), np.zeros(units, np.int64)
        f, u, d = np.zeros(units, np.int64), np.zeros(units, np.int64), np.zeros(units, np.int64)
        inputs = np.zeros(c.inputs, np.int64)
        traces = np.zeros(c.inputs, np.int64), np.zeros(units, np.int64)
        rows = np.zeros(max(c.inputs, units), np.int64)
        every = np.arange(rows.size)
        read = np.zeros((c.classes, units), np.int64)
        score, error = np.zeros(c.classes, np.int64), np.zeros(c.classes, np.int64)
        for n in range(x.shape[0]):
            v[:], s[:], f[:], scores[n, :, :] = 0, 0, 0, 0
            traces[0][:], traces[1][:] = 0, 0
            word = uint64(c.rest_word)
            for time in range(c.ticks):
                for j in range(c.inputs):
                    inputs[j] = int64(x[n, time, j]) - c.x_zero
                word = _settle(c, inputs, weights, v, s, traces, f, u, rows, word)
                spikes += s.sum()
                learn = learning and labels[n, time, 0] != c.no_label
                if not learn and time < c.first:
                    continue
                for k in range(c.classes):
                    total = int64(0)
                    for i in range(units):
                        total += readout[k, i] * f[i]
                    score[k] = _clip(_shift_round(total, c.score_shift), c.u_max)
                    if time >= c.first:
                        scores[n, time - c.first if c.signal else 0, k] += score[k]
                if not learn:
                    continue
                if c.signal:
                    _squared(c, score, labels[n, time], error)
                else:
                    _softmax(c, score, c.u_fraction, error)
                    error[labels[n, time, 0]] -= 1 << c.error_fraction
                if not error.any():
                    continue
                if c.learns_hidden:
                    _recall(c, readout, codes, memory, gains, read)
                    _feedback(c, error, read, v, d)
                    post = d.astype(kind.dtype)
                    pre = traces[0].astype(kind.dtype)
                    random, more = _update(
                        c, weights[: c.inputs], pre, post, 0, every[: c.inputs], steps[0], random
                    )
                    cut += more
                    pre = traces[1].astype(kind.dtype)
                    random, more = _update(
                        c, weights[c.inputs :], pre, post, 0, every[:units], steps[0], random
                    )
                    cut += more
                if c.remembers:
                    random = _write_rows(c, 0, memory, gains, 0, error, c.scale, f, random)
                seen = f.astype(kind.dtype)
                random, more = _update_readout(c, readout, error, seen, steps[1], random)
                cut += more
        return random, cut, spikes

    return kernels._jit(run)


# closures are told apart by what they hold
run = _made(int(hashlib.sha256(Path(kernels.__file__).read_bytes()).hexdigest()[:12], 16))
