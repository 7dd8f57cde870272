"""The compiled loops of `hebbware.golden.twin.core`, the blocks of golden on plain arrays.

`run` is the only function meant for others. All scratch arrays have one integer type: int32 where
the configuration's numbers fit in it, int64 otherwise. Numba widens every result to 64 bits; the
casts `T(...)` and the shifts below bring it back, so that loops run in vectors of that type.
"""

import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import config, njit
from numba.extending import intrinsic
from numpy import int64, uint32, uint64

from ..system import places

# No number here is imported from other modules of golden: the cache of compiled code only notices
# changes of this file, so every number that is defined elsewhere arrives in `Constants`.
FLOOR, NEAREST, STOCHASTIC = range(3)
ROUNDINGS = {"floor": FLOOR, "nearest": NEAREST, "stochastic": STOCHASTIC}
WORD = uint64(0xFFFFFFFF)


def _folder() -> str:
    """Where compiled code is kept; by default, where Numba likes: beside this file."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    usual = Path(asked) if asked else Path(__file__).with_name("__pycache__")
    if (asked or places.asked() is None) and places.can_be_written(usual):
        return config.CACHE_DIR
    return str(places.keep("numba"))


_FOLDER = _folder()


def _jit(function, **options):
    """Compile a function when it is called first, and keep the machine code."""
    before, config.CACHE_DIR = config.CACHE_DIR, _FOLDER  # read now, and of other code's concern
    try:
        return njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before


_inline = partial(_jit, inline="always")


class Reservoirs(NamedTuple):
    """What the reservoir memory adds; see hebbware.golden.reservoir.cell and reservoir_memory."""

    by_error: bool
    exact: bool  # leaky sums themselves in the place of the reservoir
    down_shifts: np.ndarray  # per hidden layer
    similarity_shift: int
    pull_shift: int
    jacobian_factors: np.ndarray  # per hidden layer
    jacobian_shifts: np.ndarray
    sources: np.ndarray  # (taps, R)
    signs: np.ndarray  # (taps, R), times the coupling
    inputs: np.ndarray  # (classes * d, R)
    weights: np.ndarray  # (classes * d, R)
    granule: int
    keep: int  # what is left of the state before the connections, in units of 2**-shift
    tap_shift: int
    input_shift: int
    shift: int
    state_max: int
    decode_shift: int
    decoded_max: int
    thresholds: np.ndarray
    horizon: int
    exact_fraction: int


class Constants(NamedTuple):
    """Everything a compiled loop needs to know about a configuration; plain numbers and arrays."""

    learns_hidden: bool
    written: bool  # these three: what the memory kind says, see hebbware.golden.memory
    by_error: bool
    windowed: bool
    lanes: int
    classes: int
    rounding: int
    update_shift: int
    leaky: bool
    time_steps: int
    leak_gain: int  # dt / tau in units of 2**-potential_shift
    potential_shift: int  # fraction bits of a potential beyond those of u
    potential_max: int
    slope_shift: int
    x_zero: int
    forward_shifts: np.ndarray  # per weight layer, from the accumulator to u
    ones: np.ndarray  # 1.0 in the input format of each layer: the bias input
    size_factors: np.ndarray  # per hidden layer: constants of the division by its size
    size_shifts: np.ndarray
    similarity_shifts: np.ndarray
    thresholds: np.ndarray  # (hidden, memory_bits - 1)
    leak_shift: int  # left shift of M in a write, -1 where nothing leaks
    scale: int  # left shift of e, or of 1, in a write
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
    one: np.ndarray  # [1]
    by_sample: bool  # the hsic modulator, see hebbware.golden.modulators.hsic; the rest is its own
    rows: int  # of the class memory
    label_term: int
    coefficient_shift: int
    input_scale: tuple  # (factor, shift)
    activation_scale: tuple
    e_max: int
    var_min: int
    root_half: int
    exp_step: int
    exp: np.ndarray
    reciprocal: np.ndarray
    rsqrt: np.ndarray
    projected: bool  # the memory is a reservoir
    reservoirs: Reservoirs


class State(NamedTuple):
    """What learning changes, one entry of each tuple for each layer."""

    weights: tuple  # int16, hidden layers (inputs + 1, units), readout (classes, units)
    memories: tuple  # (rows, units)
    gains: tuple  # (rows,)
    codes: tuple  # int8, constant
    states: tuple  # of reservoirs (R,); these four are empty where there are none
    random_states: tuple  # (1,)
    reads: tuple  # (classes, d)
    exact: tuple  # (classes, d)
    ring: tuple  # (window, units): activations of the last samples
    ring_labels: np.ndarray  # -1 where there is none yet
    x: np.ndarray  # (window, inputs): inputs of the last samples, of the hsic modulator
    kernels: np.ndarray  # (window, window)


class Scratch(NamedTuple):
    """What one sample's passes hand to each other."""

    u: tuple  # (units,), per hidden layer: sums, then activations
    potentials: tuple  # (units,), per hidden layer
    z: tuple  # (inputs,), per weight layer
    rows: tuple  # (inputs + 1,), per hidden layer: which rows are walked
    counts: np.ndarray  # how many of them
    d: tuple  # (units,), per hidden layer
    powers: np.ndarray
    errors: tuple  # per hidden layer (rows,), then (classes,)
    read: tuple  # (rows, units), per hidden layer: E
    weights: np.ndarray  # (rows,): A of the hsic modulator
    total: tuple  # (units,), per hidden layer


# -- arithmetic ------------------------------------------------------------------------------------


@_inline
def _shift_round(raw, shift):
    return (raw + ((1 << shift) >> 1)) >> shift if shift > 0 else raw << -shift


@_inline
def _clip(raw, high):
    return min(max(raw, -high - 1), high)


@intrinsic
def _right(context, raw, shift):
    """``raw >> shift`` in the type of `raw`, ``0 <= shift <`` its width."""

    def build(context, builder, signature, args):
        shift = context.cast(builder, args[1], signature.args[1], signature.args[0])
        return builder.ashr(args[0], shift)

    return raw(raw, shift), build


@intrinsic
def _left(context, raw, shift):
    """``raw << shift`` in the type of `raw`, ``0 <= shift <`` its width."""

    def build(context, builder, signature, args):
        shift = context.cast(builder, args[1], signature.args[1], signature.args[0])
        return builder.shl(args[0], shift)

    return raw(raw, shift), build


@intrinsic
def _rotate(context, word, lane):
    """What `lane` sees of a random word (uint32): rotated left by the lane's number."""

    def build(context, builder, signature, args):
        word, lane = args[0], context.cast(builder, args[1], signature.args[1], signature.args[0])
        last = word.type(31)
        left, right = builder.and_(lane, last), builder.and_(builder.neg(lane), last)
        return builder.or_(builder.shl(word, left), builder.lshr(word, right))

    return word(word, lane), build


@_jit
def _round_all(values, out, shift, high):
    """`_shift_round`, then `_clip`, of a whole array in its own type, into `out`."""
    T = values.dtype.type
    low, high = T(-high - 1), T(high)
    half, right, left = T((1 << max(shift, 0)) >> 1), max(shift, 0), max(-shift, 0)
    for i in range(values.size):
        out[i] = min(max(_left(_right(T(values[i] + half), right), left), low), high)


@_jit
def _bit_length(value):
    n = 0
    while value:
        value >>= 1
        n += 1
    return n


@_inline
def _next(state):
    state = (state ^ (state << uint64(13))) & WORD
    state ^= state >> uint64(17)
    return (state ^ (state << uint64(5))) & WORD


@_jit
def _softmax(c, t, fraction, out):
    """Probabilities of logits `t` into `out`, as in `hebbware.golden.layers.softmax`."""
    top, total = t.max(), 0
    for i in range(t.size):
        index = min(_shift_round(top - t[i], fraction - c.exp_step), c.exp.size - 1)
        out[i] = c.exp[index]
        total += out[i]
    power = _bit_length(total) - 1
    index = _shift_round(total, power - c.reciprocal_bits) - (1 << c.reciprocal_bits)
    if index >> c.reciprocal_bits:
        index, power = 0, power + 1
    for i in range(t.size):
        out[i] = _shift_round(out[i] * c.reciprocal[index], power)


# -- forward ---------------------------------------------------------------------------------------


@_jit
def _sums(weights, source, one, rows, dense, acc):
    """Weighted sums of `source` and the bias into `acc`; the rows walked into `rows`."""
    count = 0
    for j in range(source.size):
        if dense or source[j]:
            rows[count] = j
            count += 1
    bias = weights[source.size]
    for i in range(acc.size):
        acc[i] = bias[i] * one
    for n in range(count):
        row, value = weights[rows[n]], source[rows[n]]
        for i in range(acc.size):
            acc[i] = acc[i] + row[i] * value
    rows[count] = source.size
    return count + 1


@_jit
def _normalise(c, layer, a, z):
    """Fill `z`; return the power of two of the layer's scale."""
    total = squares = int64(0)
    for i in range(a.size):
        total += a[i]
        squares += int64(a[i]) * a[i]
    centre = _shift_round(total * c.size_factors[layer], c.size_shifts[layer])
    var = _shift_round(squares * c.size_factors[layer], c.size_shifts[layer]) - centre * centre
    var = max(var, c.var_min)
    exponent = (_bit_length(var) - 1 - 2 * c.u_fraction) >> 1
    drop = 2 * c.u_fraction + 2 * exponent - (c.rsqrt_bits - 2)
    mantissa = c.rsqrt[var >> drop if drop >= 0 else var << -drop]
    for i in range(a.size):
        z[i] = (a[i] - centre) * mantissa
    _round_all(z, z, c.z_shift + exponent, c.z_max)
    return exponent + (mantissa < c.root_half)


@_jit
def _leak(c, potential, u):
    """One step of the potentials towards the sums in `u`; then `u` is what they are."""
    T = u.dtype.type
    for i in range(u.size):
        leak = _shift_round(potential[i] * c.leak_gain, c.potential_shift)
        now = _clip(potential[i] - leak + u[i] * c.leak_gain, c.potential_max)
        potential[i] = T(now)
        u[i] = T(_clip(_shift_round(now, c.potential_shift), c.u_max))


@_jit
def _activate(c, u):
    """The non-linearity of sums, in place."""
    T = u.dtype.type
    if c.slope_shift:
        for i in range(u.size):
            if u[i] < 0:
                u[i] = T(_shift_round(u[i], c.slope_shift))
    else:
        for i in range(u.size):
            u[i] = max(u[i], 0)


@_jit
def _slope(c, a, d):
    """Directions times the slope at the activations `a`, in place."""
    T = d.dtype.type
    for i in range(d.size):
        below = T(_shift_round(d[i], c.slope_shift)) if c.slope_shift else T(0)
        d[i] = d[i] if a[i] > 0 else below


@_jit
def _step_forward(c, weights, s):
    """Hidden layers, one time step. ``s.z[0]`` holds the inputs; the others are filled."""
    for layer in range(len(s.u)):
        acc = s.u[layer]
        s.counts[layer] = _sums(
            weights[layer], s.z[layer], c.ones[layer], s.rows[layer], layer > 0, acc
        )
        _round_all(acc, acc, c.forward_shifts[layer], c.u_max)
        if c.leaky:
            _leak(c, s.potentials[layer], acc)
        _activate(c, acc)
        s.powers[layer] = _normalise(c, layer, acc, s.z[layer + 1])


@_jit
def _forward(c, weights, s, scores):
    """Hidden layers, all time steps from rest, then scores."""
    hidden = len(s.u)
    if c.leaky:
        for layer in range(hidden):
            s.potentials[layer][:] = 0
    for _ in range(c.time_steps):
        _step_forward(c, weights, s)
    readout, source = weights[hidden], s.z[hidden]
    for k in range(c.classes):
        total = source.dtype.type(0)
        for i in range(source.size):
            total = source.dtype.type(total + readout[k, i] * source[i])
        scores[k] = _clip(_shift_round(total, c.forward_shifts[hidden]), c.u_max)


# -- modulator -------------------------------------------------------------------------------------


@_inline
def _kernel(c, distance, scale):
    steps = _shift_round(max(distance, 0) * scale[0], scale[1])
    return c.exp[min(steps, c.exp.size - 1)]


@_jit
def _take(c, state, x, label, count, weights):
    """A new sample into the window; fills `weights`: ``2**-g A_0p``."""
    slot, n = count % c.rows, c.rows
    state.x[slot] = x
    state.ring_labels[slot] = label
    for p in range(n):
        past, distance = state.x[p], int64(0)
        for j in range(x.size):
            difference = int64(x[j]) - past[j]
            distance += difference * difference
        entry = int64(0)
        if p <= count:
            entry = _kernel(c, distance, c.input_scale)
            if state.ring_labels[p] == label:
                entry -= c.label_term
        state.kernels[slot, p] = state.kernels[p, slot] = entry
    if count < n - 1:
        weights[:] = 0
        return
    bits = _bit_length(n) - 1
    total, own = state.kernels.sum(), state.kernels[slot].sum()
    for p in range(n):
        exact = (state.kernels[slot, p] << 2 * bits) + total
        exact -= (own + state.kernels[p].sum()) << bits
        weights[p] = _clip(_shift_round(exact, 2 * bits + c.coefficient_shift), c.e_max)
    weights[slot] = 0


@_jit
def _modulate(c, layer, label, memory, gains, code, s, k):
    """Errors and directions of one hidden layer; whether any error is not zero."""
    z, a, d, read, total = s.z[layer + 1], s.u[layer], s.d[layer], s.read[layer], s.total[layer]
    error = s.errors[layer]
    T = z.dtype.type
    for row in range(c.rows):
        e = read[row]
        shift = c.read_shift + (gains[row] if c.self_scaling else 0)
        _round_all(memory[row], e, shift, c.read_max + c.offset)
        if c.offset:
            for i in range(e.size):
                e[i] = _clip(e[i] + c.offset * code[row, i], c.read_max)
        similarity = T(0)
        for i in range(z.size):
            similarity = T(similarity + e[i] * z[i])
        k[row] = _clip(
            _shift_round(similarity * c.size_factors[layer], c.similarity_shifts[layer]), c.k_max
        )
    if c.by_sample:
        for row in range(c.rows):
            near = _kernel(c, (1 << c.error_fraction) - k[row], c.activation_scale)
            error[row] = _shift_round(s.weights[row] * near, c.error_fraction)
    else:
        _softmax(c, k << c.beta_log2, c.error_fraction, error)
        error[label] -= 1 << c.error_fraction
    if not error.any():
        return False
    jacobian = _clip(_shift_round((error * k).sum(), c.error_fraction), c.k_max)
    factor = -(jacobian << c.align)
    for i in range(z.size):
        total[i] = factor * z[i]
    for row in range(c.rows):
        e, weight = read[row], error[row]
        for i in range(z.size):
            total[i] = total[i] + weight * e[i]
    _round_direction(c, layer, total, a, s, d)
    return True


@_jit
def _round_direction(c, layer, total, a, s, d):
    """Directions from their sums: rounded, saturated, times the slope."""
    _round_all(total, d, c.direction_shift + s.powers[layer], c.d_max)
    _slope(c, a, d)


# -- reservoir memory ------------------------------------------------------------------------------


@_jit
def _reservoir_step(v, r, words, random_state):
    """One step of the reservoir in state `r` with the raw input `words`."""
    drive = np.zeros(r.size, np.int64)
    for n in range(words.size):
        if words[n]:
            row, word = v.inputs[n], words[n]
            for i in range(r.size):
                drive[i] += row[i] * word
    taps = np.zeros(r.size, np.int64)
    for tap in range(v.sources.shape[0]):
        for i in range(r.size):
            taps[i] += v.signs[tap, i] * r[v.sources[tap, i]]
    state = uint64(random_state[0])
    mask = int64((1 << v.shift) - 1)
    for start in range(0, r.size, v.granule):
        state = _next(state)
        for j in range(v.granule):
            i = start + j
            total = r[i] * v.keep + (taps[i] << v.tap_shift) + (drive[i] << v.input_shift)
            total += int64(_rotate(uint32(state), j)) & mask
            r[i] = _clip(total >> v.shift, v.state_max)
    random_state[0] = int64(state)


@_jit
def _decode(v, weights, r, memory):
    """M of a state."""
    flat = memory.ravel()
    for n in range(flat.size):
        total = int64(0)
        for i in range(r.size):
            total += weights[n, i] * r[i]
        flat[n] = _clip(_shift_round(total, v.decode_shift), v.decoded_max)


@_jit
def _reservoir_write(c, v, r, random_state, exact, q, error, label, read):
    """Take a sample in; E of what is decoded then into `read`."""
    classes, d = read.shape
    words = np.zeros(classes * d, np.int64)
    for k in range(classes):
        gate = -error[k] if v.by_error else int64(k == label)
        for j in range(d):
            words[k * d + j] = gate * q[j]
    memory = np.empty((classes, d), np.int64)
    if v.exact:
        for k in range(classes):
            for j in range(d):
                taken = words[k * d + j] << v.exact_fraction
                exact[k, j] += taken - (exact[k, j] >> v.horizon)
                memory[k, j] = exact[k, j]
    else:
        _reservoir_step(v, r, words, random_state)
        _decode(v, v.weights, r, memory)
    for k in range(classes):
        size, gain = int64(0), 0
        for j in range(d):
            size += abs(memory[k, j])
        for threshold in v.thresholds:
            gain += size >= threshold
        for j in range(d):
            read[k, j] = _clip(_shift_round(memory[k, j], gain + c.read_shift), c.read_max)


@_jit
def _modulate_projected(c, layer, label, state, s):
    """`_modulate` where the memory is a reservoir, which takes the sample in as well."""
    v, z, a, d = c.reservoirs, s.z[layer + 1], s.u[layer], s.d[layer]
    codes, read, error, total = (
        state.codes[layer], state.reads[layer], s.errors[layer], s.total[layer],
    )  # fmt: skip
    T = z.dtype.type
    size = read.shape[1]
    q, k = np.empty(size, np.int64), np.empty(c.classes, np.int64)
    for j in range(size):
        projected = int64(0)
        for i in range(z.size):
            projected += codes[j, i] * z[i]
        q[j] = _clip(_shift_round(projected, v.down_shifts[layer]), c.z_max)
    for row in range(c.classes):
        similarity = int64(0)
        for j in range(size):
            similarity += read[row, j] * q[j]
        k[row] = _clip(_shift_round(similarity, v.similarity_shift), c.k_max)
    _softmax(c, k << c.beta_log2, c.error_fraction, error)
    error[label] -= 1 << c.error_fraction
    jacobian = _clip(_shift_round((error * k).sum(), c.error_fraction), c.k_max)
    jacobian = _clip(
        _shift_round(jacobian * v.jacobian_factors[layer], v.jacobian_shifts[layer]), c.k_max
    )
    factor = T(-(jacobian << c.align))
    for i in range(z.size):
        total[i] = T(factor * z[i])
    for j in range(size):
        pull = int64(0)
        for row in range(c.classes):
            pull += error[row] * read[row, j]
        weight = T(_clip(_shift_round(pull, v.pull_shift), c.k_max) * c.offset)
        for i in range(z.size):
            total[i] = T(total[i] + weight * codes[j, i])
    _reservoir_write(
        c, v, state.states[layer], state.random_states[layer], state.exact[layer], q, error, label,
        read,
    )  # fmt: skip
    if not error.any():
        return False
    _round_direction(c, layer, total, a, s, d)
    return True


# -- read-modify-write -----------------------------------------------------------------------------


@_inline
def _step(c, row, post, pre, word, mask, half, drop, shift):
    """``row = sat(row + floor((-pre * post + r) / 2**shift))`` on the lanes of one block.

    ``r`` is `half` plus, for stochastic rounding, ``(word of the lane & mask) >> drop``. Returns
    whether a lane was cut off. Inlined: a call would take longer than the step.
    """
    T = post.dtype.type
    factor, low, high, cut = T(-pre), T(-c.weight_max - 1), T(c.weight_max), T(0)
    for i in range(post.size):
        random = T(_right(T(_rotate(word, i) & mask), drop) + half)
        change = _right(T(factor * post[i] + random), shift)
        moved = T(row[i] + change)
        row[i] = stored = min(max(moved, low), high)
        cut = T(cut | T(stored ^ moved))
    return cut != 0


@_inline
def _rounding(c, shift):
    """Constants of `_step`: mask of the random word, half to add, bits of the word to drop."""
    mask = uint32((1 << c.update_shift) - 1 if c.rounding == STOCHASTIC else 0)
    return mask, (1 << shift) >> 1 if c.rounding == NEAREST else 0, c.update_shift - shift


@_jit
def _update(c, weights, pre, post, one, rows, shift, state):
    """Three-factor update of a hidden layer: block after block, the bias row last.

    Returns the generator's state, and in how many words a lane was cut off.
    """
    mask, half, drop = _rounding(c, shift)
    cut = 0
    for start in range(0, post.size, c.lanes):
        stop = min(start + c.lanes, post.size)
        part = post[start:stop]
        for j in rows:
            value = pre[j] if j < pre.size else one
            state = _next(state)
            if value:
                row = weights[j, start:stop]
                cut += _step(c, row, part, value, uint32(state), mask, half, drop, shift)
    return state, cut


@_jit
def _update_readout(c, weights, error, z, shift, state):
    """The readout's walk: class after class, blocks of a class together. Returns as `_update`."""
    mask, half, drop = _rounding(c, shift)
    cut = 0
    for k in range(c.classes):
        for start in range(0, z.size, c.lanes):
            stop = min(start + c.lanes, z.size)
            state = _next(state)
            if error[k]:
                row, part = weights[k, start:stop], z[start:stop]
                cut += _step(c, row, part, error[k], uint32(state), mask, half, drop, shift)
    return state, cut


@_jit
def _write_rows(c, layer, memory, gains, first, scalars, scale, post, state):
    """``row = sat(row + floor((-row * leak - scalar * 2**scale * post + r) / 2**S))``.

    One row for each of `scalars`, from `first` on; returns the generator's state.
    """
    T = post.dtype.type
    low, high = T(-c.memory_max - 1), T(c.memory_max)
    leak, leak_shift = T(c.leak_shift >= 0), max(c.leak_shift, 0)
    mask = uint32((1 << c.update_shift) - 1 if c.stochastic_memory else 0)
    thresholds = c.thresholds[layer]
    for n in range(scalars.size):
        row, factor, size = first + n, T(-(scalars[n] << scale)), T(0)
        for start in range(0, post.size, c.lanes):
            stop = min(start + c.lanes, post.size)
            m, part = memory[row, start:stop], post[start:stop]
            state = _next(state)
            word = uint32(state)
            for i in range(part.size):
                random = T(_rotate(word, i) & mask)
                change = T(factor * part[i] - _left(T(m[i] * leak), leak_shift) + random)
                m[i] = min(max(T(m[i] + _right(change, c.update_shift)), low), high)
                size = T(size + abs(m[i]))
        if c.self_scaling:
            gain = 0
            for threshold in thresholds:
                gain += size >= threshold
            gains[row] = gain
    return state


@_jit
def _write_memory(c, layer, label, oldest, memory, gains, error, z, old, state):
    if not c.written:
        return state
    if c.by_sample:  # `label` is the row; the random words are drawn all the same
        memory[label] = z
        for _ in range(0, z.size, c.lanes):
            state = _next(state)
        return state
    if c.by_error:
        return _write_rows(c, layer, memory, gains, 0, error, c.scale, z, state)
    if c.windowed and oldest >= 0:
        state = _write_rows(c, layer, memory, gains, oldest, c.one, c.scale, old, state)
    return _write_rows(c, layer, memory, gains, label, -c.one, c.scale, z, state)


# -- whole samples ---------------------------------------------------------------------------------


@_jit
def _learn(c, state, s, label, count, steps, scores, random, k, active):
    """Update everything after `_forward`, in the order of the hardware.

    Returns the new `random`, and in how many words of weights a lane was cut off.
    """
    hidden = len(s.u)
    last, saturated = hidden - 1, 0
    slot = count % c.window
    learns, oldest = c.learns_hidden, state.ring_labels[slot]
    row = slot if c.by_sample else label
    if c.by_sample:
        _take(c, state, s.z[0], label, count, s.weights)
    if learns:
        for i in range(hidden):
            if c.projected:
                active[i] = _modulate_projected(c, i, label, state, s)
                continue
            active[i] = _modulate(
                c, i, label, state.memories[i], state.gains[i], state.codes[i], s, k
            )
    error = s.errors[hidden]
    _softmax(c, scores, c.u_fraction, error)
    error[label] -= 1 << c.error_fraction
    if learns:
        for i in range(last):
            random = _write_memory(
                c, i, row, oldest, state.memories[i], state.gains[i],
                s.errors[i], s.z[i + 1], state.ring[i][slot], random,
            )  # fmt: skip
        for i in range(last):
            if active[i]:
                rows = s.rows[i][: s.counts[i]]
                random, cut = _update(
                    c, state.weights[i], s.z[i], s.d[i], c.ones[i], rows, steps[i], random
                )
                saturated += cut
        random = _write_memory(
            c, last, row, oldest, state.memories[last], state.gains[last],
            s.errors[last], s.z[hidden], state.ring[last][slot], random,
        )  # fmt: skip
    if error.any():
        random, cut = _update_readout(
            c, state.weights[hidden], error, s.z[hidden], steps[hidden], random
        )
        saturated += cut
    if learns and active[last]:
        rows = s.rows[last][: s.counts[last]]
        random, cut = _update(
            c, state.weights[last], s.z[last], s.d[last], c.ones[last], rows, steps[last], random
        )
        saturated += cut
    if c.windowed:
        for i in range(hidden):
            state.ring[i][slot] = s.z[i + 1]
        state.ring_labels[slot] = label
    return random, saturated


@_jit
def run(c, learning, x, labels, steps, state, s, count, random, scores):
    """Infer, or learn, each row of `x`.

    Fills `scores`; returns samples learned since the start (`count` before), the generator's
    state (`random` before) and the words of weights in which a lane was cut off. `steps` are the
    shifts of each weight layer, schedule included.
    """
    active = np.empty(len(s.u), np.bool_)
    k = np.empty(c.rows, np.int64)
    saturated = 0
    for n in range(x.shape[0]):
        for j in range(x.shape[1]):
            s.z[0][j] = int64(x[n, j]) - c.x_zero
        _forward(c, state.weights, s, scores[n])
        if learning:
            random, cut = _learn(c, state, s, labels[n], count, steps, scores[n], random, k, active)
            saturated += cut
            count += 1
    return count, random, saturated
