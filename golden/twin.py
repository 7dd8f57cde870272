"""The compiled twin of `hebbware.golden.core.Core`: same integers, made for speed.

`Twin` runs whole sets of samples in one compiled loop, on the state of a `Core`. A test holds it
equal to the plain core, weight for weight; where the two differ the plain one is right.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from . import tables
from .config import CoreConfig
from .core import Core
from .errors import InputError
from .fixed import Rounding
from .memory import KINDS, Gated, unit_thresholds
from .modulator import direction_shift, similarity_shift
from .normalise import MANTISSA_BITS, VAR_MIN, reciprocal_of_size
from .softmax import exp_width

_GATED, _TRACE, _WINDOW, _FIXED, _FROZEN = range(5)
_KIND = {"gated": _GATED, "trace": _TRACE, "window": _WINDOW, "codes": _FIXED, "none": _FROZEN}


class _Constants(NamedTuple):
    """Everything a compiled loop needs to know about a configuration; plain numbers and arrays."""

    kind: int
    lanes: int
    classes: int
    rounding: int  # 0 floor, 1 nearest, 2 stochastic
    update_shift: int
    forward_shifts: np.ndarray  # per weight layer, from the accumulator to u
    step_shifts: np.ndarray
    ones: np.ndarray  # 1.0 in the input format of each layer: the bias input
    size_factors: np.ndarray  # per hidden layer: constants of the division by its size
    size_shifts: np.ndarray
    similarity_shifts: np.ndarray
    thresholds: np.ndarray  # (hidden, memory_bits - 1)
    horizon: int
    gain_shift: int  # scale of e in gated writes
    window: int
    read_shift: int  # right shift from M to E; self-scaling memories add their row's gain
    self_scaling: bool
    stochastic_memory: bool
    offset: int  # kappa in read units
    memory_max: int
    weight_max: int
    u_max: int
    z_max: int
    d_max: int
    k_max: int
    read_max: int
    z_shift: int
    u_fraction: int
    rsqrt_bits: int
    reciprocal_bits: int
    error_fraction: int
    beta_log2: int
    align: int
    direction_shift: int
    exp: np.ndarray
    reciprocal: np.ndarray
    rsqrt: np.ndarray


def _constants(config: CoreConfig) -> _Constants:
    kind = KINDS[config.memory]
    factors, shifts = zip(*(reciprocal_of_size(n) for n in config.hidden), strict=True)
    width = exp_width(config)
    return _Constants(
        kind=_KIND[config.memory],
        lanes=config.lanes,
        classes=config.classes,
        rounding=list(Rounding).index(config.rounding),
        update_shift=config.update_shift,
        forward_shifts=np.array(
            [
                config.source(layer).fraction + config.weight.fraction - config.u_fraction
                for layer in range(len(config.layers) - 1)
            ]
        ),
        step_shifts=np.array(config.step_shifts),
        ones=np.array([config.source(layer).one for layer in range(len(config.layers) - 1)]),
        size_factors=np.array(factors),
        size_shifts=np.array(shifts),
        similarity_shifts=np.array([similarity_shift(config, n)[1] for n in config.hidden]),
        thresholds=np.array([unit_thresholds(n, config.memory_bits) for n in config.hidden]),
        horizon=config.horizon if kind.leaks else -1,
        gain_shift=config.update_shift - Gated.gain(config),
        window=config.window,
        read_shift=-config.read_fraction if kind.self_scaling else kind.read_shift(config),
        self_scaling=kind.self_scaling,
        stochastic_memory=kind.stochastic,
        offset=int(config.kappa * config.read.one),
        memory_max=(1 << (config.memory_bits - 1)) - 1,
        weight_max=config.weight.max,
        u_max=config.u.max,
        z_max=config.z.max,
        d_max=config.d.max,
        k_max=config.k.max,
        read_max=config.read.max,
        z_shift=MANTISSA_BITS + config.u_fraction - config.z_fraction,
        u_fraction=config.u_fraction,
        rsqrt_bits=config.rsqrt_bits,
        reciprocal_bits=config.reciprocal_bits,
        error_fraction=config.error_fraction,
        beta_log2=config.beta_log2,
        align=config.read_fraction - config.z_fraction,
        direction_shift=direction_shift(config, 0),
        exp=tables.exp_table(config.exp_bits, width),
        reciprocal=tables.reciprocal_table(config.reciprocal_bits, width),
        rsqrt=tables.rsqrt_table(config.rsqrt_bits, MANTISSA_BITS),
    )


_jit = njit(cache=True, nogil=True, error_model="numpy")
_inline = njit(cache=True, nogil=True, error_model="numpy", inline="always")


@_inline
def _shift_round(raw, shift):
    return (raw + ((1 << shift) >> 1)) >> shift if shift > 0 else raw << -shift


@_inline
def _clip(raw, high):
    return min(max(raw, -high - 1), high)


@_inline
def _bit_length(value):
    n = 0
    while value:
        value >>= 1
        n += 1
    return n


@_inline
def _next(state):
    state = (state ^ (state << np.uint64(13))) & np.uint64(0xFFFFFFFF)
    state ^= state >> np.uint64(17)
    return (state ^ (state << np.uint64(5))) & np.uint64(0xFFFFFFFF)


@_jit
def _rotate(word, mask, out):
    """What each lane sees of the random word: rotated left by its number, masked."""
    double = word | (word << np.uint64(32))
    for p in range(out.size):
        out[p] = np.int32((double >> np.uint64(32 - (p & 31))) & mask)


@_jit
def _accumulate(acc, row, value):
    for i in range(acc.size):
        acc[i] += row[i] * value


@_jit
def _step(row, post, pre, random, drop, shift, high):
    """``row = sat(row + floor((-pre * post + (random >> drop)) / 2**shift))``, in 32 bits."""
    pre, drop, shift = np.int32(-pre), np.int32(drop), np.int32(shift)
    high, low = np.int32(high), np.int32(-high - 1)
    for i in range(row.size):
        change = np.int32(np.int32(pre * post[i]) + np.int32(random[i] >> drop))
        row[i] = min(max(np.int32(np.int32(row[i]) + np.int32(change >> shift)), low), high)


@_jit
def _softmax(c, t, fraction, out):
    """Probabilities of logits `t` into `out`, as in `hebbware.golden.softmax`."""
    top, total = t.max(), 0
    for i in range(t.size):
        index = min(_shift_round(top - t[i], fraction - tables.EXP_STEP), c.exp.size - 1)
        out[i] = c.exp[index]
        total += out[i]
    power = _bit_length(total) - 1
    index = _shift_round(total, power - c.reciprocal_bits) - (1 << c.reciprocal_bits)
    if index >> c.reciprocal_bits:
        index, power = 0, power + 1
    for i in range(t.size):
        out[i] = _shift_round(out[i] * c.reciprocal[index], power)


@_jit
def _normalise(c, layer, a, z):
    """Fill `z`; return the power of two of the layer's scale."""
    total = squares = 0
    for i in range(a.size):
        total += a[i]
        squares += a[i] * a[i]
    centre = _shift_round(total * c.size_factors[layer], c.size_shifts[layer])
    var = max(_shift_round(squares * c.size_factors[layer], c.size_shifts[layer]) - centre * centre, VAR_MIN)
    exponent = (_bit_length(var) - 1 - 2 * c.u_fraction) >> 1
    drop = 2 * c.u_fraction + 2 * exponent - (c.rsqrt_bits - 2)
    mantissa = c.rsqrt[var >> drop if drop >= 0 else var << -drop]
    for i in range(a.size):
        z[i] = _clip(_shift_round((a[i] - centre) * mantissa, c.z_shift + exponent), c.z_max)
    return exponent + (mantissa < 724)


@_jit
def _forward(c, weights, scores, u, z, powers):
    """Hidden layers, then scores. ``z[0]`` holds the inputs; the others are filled."""
    for layer in range(len(u)):
        acc, w, source = u[layer], weights[layer], z[layer]
        acc[:] = 0
        for j in range(source.size):
            if source[j]:
                _accumulate(acc, w[j], source[j])
        _accumulate(acc, w[source.size], c.ones[layer])
        for i in range(acc.size):
            acc[i] = max(_clip(_shift_round(acc[i], c.forward_shifts[layer]), c.u_max), 0)
        powers[layer] = _normalise(c, layer, acc, z[layer + 1])
    readout, source = weights[len(u)], z[len(u)]
    for k in range(c.classes):
        total = 0
        for i in range(source.size):
            total += readout[k, i] * source[i]
        scores[k] = _clip(_shift_round(total, c.forward_shifts[len(u)]), c.u_max)


@_jit
def _modulate(c, layer, label, memory, gains, code, a, z, power, error, d):
    """Errors and directions of one hidden layer; returns whether any error is not zero."""
    k = np.empty(c.classes, np.int64)
    read = np.empty(memory.shape, np.int64)
    for row in range(c.classes):
        shift = c.read_shift + (gains[row] if c.self_scaling else 0)
        total = 0
        for i in range(z.size):
            read[row, i] = _clip(_shift_round(memory[row, i], shift) + c.offset * code[row, i], c.read_max)
            total += read[row, i] * z[i]
        k[row] = _clip(_shift_round(total * c.size_factors[layer], c.similarity_shifts[layer]), c.k_max)
    _softmax(c, k << c.beta_log2, c.error_fraction, error)
    error[label] -= 1 << c.error_fraction
    if not error.any():
        return False
    jacobian = _clip(_shift_round((error * k).sum(), c.error_fraction), c.k_max)
    for i in range(z.size):
        if a[i]:
            total = -((jacobian * z[i]) << c.align)
            for row in range(c.classes):
                total += error[row] * read[row, i]
            d[i] = _clip(_shift_round(total, c.direction_shift + power), c.d_max)
        else:
            d[i] = 0
    return True


@_jit
def _write_row(c, layer, memory, gains, row, scalar, post, state):
    """One row of a class memory; returns the generator's state."""
    total = 0
    mask = (1 << c.update_shift) - 1
    for start in range(0, post.size, c.lanes):
        state = _next(state)
        double = state | (state << np.uint64(32))
        for i in range(start, min(start + c.lanes, post.size)):
            change = -scalar * post[i]
            if c.horizon >= 0:
                change -= memory[row, i] << (c.update_shift - c.horizon)
            if c.stochastic_memory:
                change += np.int64(double >> np.uint64(32 - ((i - start) & 31))) & mask
            memory[row, i] = _clip(memory[row, i] + (change >> c.update_shift), c.memory_max)
            total += abs(memory[row, i])
    if c.self_scaling:
        gains[row] = np.searchsorted(c.thresholds[layer], total, side="right")
    return state


@_jit
def _write_memory(c, layer, label, oldest, memory, gains, error, z, old, state):
    one = 1 << c.update_shift
    if c.kind == _GATED:
        for row in range(c.classes):
            state = _write_row(c, layer, memory, gains, row, error[row] << c.gain_shift, z, state)
    elif c.kind == _TRACE:
        state = _write_row(c, layer, memory, gains, label, -one, z, state)
    elif c.kind == _WINDOW:
        if oldest >= 0:
            state = _write_row(c, layer, memory, gains, oldest, one, old, state)
        state = _write_row(c, layer, memory, gains, label, -one, z, state)
    return state


@_jit
def _update(c, weights, pre, post, dense_rows, one, shift, random, state):
    """Three-factor update of one weight array; rows whose input is zero are not walked
    unless `dense_rows`. The bias row, if `one` is not 0, comes last."""
    stochastic = c.rounding == 2
    mask = np.uint64((1 << c.update_shift) - 1)
    drop = c.update_shift - shift if stochastic else 0
    random[:] = (1 << shift) >> 1 if c.rounding == 1 else 0
    rows = pre.size + (one > 0)
    for start in range(0, post.size, c.lanes):
        stop = min(start + c.lanes, post.size)
        part = post[start:stop]
        for j in range(rows):
            value = pre[j] if j < pre.size else one
            if value or dense_rows:
                state = _next(state)
                if value:
                    if stochastic:
                        _rotate(state, mask, random[: part.size])
                    _step(weights[j, start:stop], part, value, random, drop, shift, c.weight_max)
    return state


@_jit
def _update_readout(c, weights, error, z, shift, random, state):
    """The readout's walk: class after class, blocks of a class together."""
    stochastic = c.rounding == 2
    mask = np.uint64((1 << c.update_shift) - 1)
    drop = c.update_shift - shift if stochastic else 0
    random[:] = (1 << shift) >> 1 if c.rounding == 1 else 0
    for k in range(c.classes):
        for start in range(0, z.size, c.lanes):
            part = z[start : min(start + c.lanes, z.size)]
            state = _next(state)
            if error[k]:
                if stochastic:
                    _rotate(state, mask, random[: part.size])
                _step(weights[k, start : start + part.size], part, error[k], random, drop, shift, c.weight_max)
    return state


@_jit
def _run(c, learning, x, y, steps, weights, memories, gains, codes, u, z, d, errors, ring, labels, count, state, scores):
    """Infer, or learn, each row of `x`; fills `scores`, returns (samples learned, generator state)."""
    hidden = len(memories)
    powers = np.empty(hidden, np.int64)
    active = np.empty(hidden, np.bool_)
    random = np.empty(c.lanes, np.int32)
    for n in range(x.shape[0]):
        z[0][:] = x[n]
        _forward(c, weights, scores[n], u, z, powers)
        if not learning:
            continue
        label = y[n]
        slot = count % c.window
        oldest = labels[slot]
        if c.kind != _FROZEN:
            for i in range(hidden):
                active[i] = _modulate(
                    c, i, label, memories[i], gains[i], codes[i], u[i], z[i + 1], powers[i], errors[i], d[i]
                )
        _softmax(c, scores[n], c.u_fraction, errors[hidden])
        errors[hidden, label] -= 1 << c.error_fraction
        last = hidden - 1
        if c.kind != _FROZEN:
            for i in range(last):
                state = _write_memory(
                    c, i, label, oldest, memories[i], gains[i], errors[i], z[i + 1], ring[i][slot], state
                )
            for i in range(last):
                if active[i]:
                    state = _update(c, weights[i], z[i], d[i], i > 0, c.ones[i], steps[i], random, state)
            state = _write_memory(
                c, last, label, oldest, memories[last], gains[last], errors[last], z[hidden], ring[last][slot], state
            )
        if errors[hidden].any():
            state = _update_readout(c, weights[hidden], errors[hidden], z[hidden], steps[hidden], random, state)
        if c.kind != _FROZEN and active[last]:
            state = _update(c, weights[last], z[last], d[last], last > 0, c.ones[last], steps[last], random, state)
        if c.kind == _WINDOW:
            for i in range(hidden):
                ring[i][slot] = z[i + 1]
            labels[slot] = label
        count += 1
    return count, state


class Twin(Core):
    """A `Core` whose `learn_many` and `infer_many` run compiled.

    Requires products of at most 31 bits, which every configuration with d and error formats up to
    12 bits meets; others raise InputError and are for the plain core.
    """

    def __init__(self, config: CoreConfig):
        super().__init__(config)
        post = max(config.d_bits, config.z_bits)
        pre = max(config.x_bits + 1, config.z_bits, config.error_fraction + 2)
        if post + pre > 30 or config.update_shift > 30:
            raise InputError(
                f"the compiled twin needs pre and post operands of at most 30 bits together and an update shift of "
                f"at most 30, not {post + pre} and {config.update_shift}; use the plain engine"
            )
        self._constants = _constants(config)

    def infer_many(self, x):
        return self._many(False, x, np.zeros(len(x), np.int64))

    def learn_many(self, x, labels):
        return self._many(True, x, labels)

    def _many(self, learning, x, labels):
        cfg, hidden = self.config, self.config.hidden
        weights = tuple(np.ascontiguousarray(w, np.int16) for w in self.weights)
        memories = tuple(np.ascontiguousarray(m, np.int32) for m in self.memories)
        gains = tuple(self.gains)
        ring = tuple(np.zeros((cfg.window, units), np.int32) for units in hidden)
        ring_labels = np.full(cfg.window, -1)
        for age, (label, activations) in enumerate(reversed(self.past), start=1):
            slot = (self.learned - age) % cfg.window
            ring_labels[slot] = label
            for store, z in zip(ring, activations, strict=True):
                store[slot] = z
        scores = np.empty((len(x), cfg.classes), np.int64)
        self.learned, self.random_state = _run(
            self._constants,
            learning,
            np.ascontiguousarray(x, np.uint8),
            np.asarray(labels, np.int64),
            np.array([shift + self.extra for shift in cfg.step_shifts]),
            weights,
            memories,
            gains,
            tuple(self.codes),
            tuple(np.empty(units, np.int64) for units in hidden),
            tuple(np.empty(units, np.int32) for units in cfg.layers[:-1]),
            tuple(np.empty(units, np.int32) for units in hidden),
            np.zeros((len(hidden) + 1, cfg.classes), np.int64),
            ring,
            ring_labels,
            self.learned,
            np.uint64(self.random_state),
            scores,
        )
        self.random_state = int(self.random_state)
        self.weights = [w.astype(np.int64) for w in weights]
        self.memories = [m.astype(np.int64) for m in memories]
        if learning and cfg.memory == "window":
            self.past.clear()
            for age in range(min(self.learned, cfg.window), 0, -1):
                slot = (self.learned - age) % cfg.window
                self.past.append((int(ring_labels[slot]), [store[slot].astype(np.int64) for store in ring]))
        return scores.argmax(axis=1), scores
