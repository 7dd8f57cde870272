"""The compiled loops of `hebbware.golden.twin.maps`: all layers as convolutions.

A dense layer is one with a single position, whose patch is the whole input. Numbers are integers in
float64, so that sums of products go through BLAS: no sum reaches 2**53, so all are exact, in any
order. Rounding is ``floor(value * 2**-shift + 1/2)``, exact as well.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import floor, int64, uint32

from .kernels import NEAREST, STOCHASTIC, _bit_length, _clip, _jit, _next, _rotate, _shift_round
from .kernels import _softmax as _probabilities

# sums of integers are the same in any order
_fast = partial(_jit, fastmath={"reassoc"})


class Windows(NamedTuple):
    """Each hidden layer, an entry in every array; see `hebbware.golden.layers.conv.Window`."""

    maps: np.ndarray  # whether it is a convolution
    rows: np.ndarray
    columns: np.ndarray
    channels: np.ndarray
    kernel: np.ndarray
    stride: np.ndarray
    down: np.ndarray
    across: np.ndarray
    pool: np.ndarray
    pool_shift: np.ndarray
    grid: np.ndarray
    cell_shift: np.ndarray  # gain included
    features: np.ndarray
    factors: np.ndarray  # division by the number of features
    shifts: np.ndarray
    groups: np.ndarray  # form of its cells
    width: np.ndarray
    readout: tuple  # (places, features, groups, width) of a row of the readout
    turns: int  # which bits of a lane's number its rotation has


class MapState(NamedTuple):
    """What learning changes: float64, an entry of each tuple for each layer."""

    weights: tuple
    memories: tuple  # (rows, numbers)
    gains: tuple  # int64 (rows,)
    codes: tuple  # (rows, numbers), constant


class MapScratch(NamedTuple):
    """What one sample's passes hand to each other, an entry for each hidden layer."""

    x: tuple  # inputs of each weight layer, the readout included
    padded: tuple  # (rows + edges, columns + edges, channels)
    patches: tuple  # (positions, taps + 1); the last column is 1.0
    a: tuple  # (positions, features)
    z: tuple
    d: tuple
    powers: tuple  # (positions,)
    cells: tuple  # (numbers,)
    read: tuple  # (rows, numbers)
    total: tuple  # (numbers,)
    change: tuple  # (taps + 1, features)
    errors: tuple  # int64, per hidden layer, then of the readout
    scores: np.ndarray  # (classes,)


@_fast
def _patches(m, layer, x, padded, patches):
    """Numbers of every patch."""
    if not m.maps[layer]:
        patches[0, : x.size] = x
        return
    kernel, stride, channels = m.kernel[layer], m.stride[layer], m.channels[layer]
    edge, columns, width = kernel // 2, m.columns[layer], kernel * channels
    for y in range(m.rows[layer]):
        line, first = padded[y + edge].reshape(-1), y * columns * channels
        for j in range(columns * channels):
            line[edge * channels + j] = x[first + j]
    position = 0
    for y in range(m.down[layer]):
        for across in range(m.across[layer]):
            patch, start = patches[position], across * stride * channels
            for k in range(kernel):
                line = padded[y * stride + k].reshape(-1)
                for j in range(width):
                    patch[k * width + j] = line[start + j]
            position += 1


@_fast
def _normalise(c, m, layer, shift, a, z, powers):
    """Sums in `a` become activations, `z` what is normalised at each position."""
    scale, features = 2.0**-shift, m.features[layer]
    below = 2.0**-c.slope_shift if c.slope_shift else 0.0
    high, z_low, z_high = float(c.u_max), float(-c.z_max - 1), float(c.z_max)
    for p in range(a.shape[0]):
        values, out = a[p], z[p]
        total, squares = 0.0, 0.0
        for f in range(features):
            u = min(max(floor(values[f] * scale + 0.5), -high - 1.0), high)
            u = u if u > 0.0 else floor(u * below + 0.5)
            values[f] = u
            total += u
            squares += u * u
        centre = _shift_round(int64(total) * m.factors[layer], m.shifts[layer])
        var = _shift_round(int64(squares) * m.factors[layer], m.shifts[layer]) - centre * centre
        var = max(var, c.var_min)
        exponent = (_bit_length(var) - 1 - 2 * c.u_fraction) >> 1
        drop = 2 * c.u_fraction + 2 * exponent - (c.rsqrt_bits - 2)
        mantissa = c.rsqrt[var >> drop if drop >= 0 else var << -drop]
        powers[p] = exponent + (mantissa < c.root_half)
        factor, middle = mantissa * 2.0 ** -(c.z_shift + exponent), float(centre)
        for f in range(features):
            value = floor((values[f] - middle) * factor + 0.5)
            out[f] = min(max(value, z_low), z_high)


@_fast
def _averages(z, down, across, rows, columns, shift, high, out):
    """Sums over tiles of positions times ``2**-shift``, rounded, into `out` (tiles, features)."""
    features, scale, wide = z.shape[1], 2.0**-shift, across // columns
    low = -high - 1.0
    out[:] = 0.0
    for y in range(down):
        for x in range(across):
            source = z[y * across + x]
            target = out[y // rows * wide + x // columns]
            for f in range(features):
                target[f] += source[f]
    for tile in range(out.shape[0]):
        target = out[tile]
        for f in range(features):
            target[f] = min(max(floor(target[f] * scale + 0.5), low), high)


@_jit
def _forward(c, m, state, s, scores):
    """All layers; ``s.x[0]`` holds the inputs."""
    hidden = len(s.a)
    for n in range(hidden):
        _patches(m, n, s.x[n], s.padded[n], s.patches[n])
        np.dot(s.patches[n], state.weights[n], s.a[n])
        _normalise(c, m, n, c.forward_shifts[n], s.a[n], s.z[n], s.powers[n])
        out = s.x[n + 1].reshape(-1, m.features[n])
        pool = m.pool[n]
        _averages(s.z[n], m.down[n], m.across[n], pool, pool, m.pool_shift[n], float(c.z_max), out)
    np.dot(state.weights[hidden], s.x[hidden], s.scores)
    for k in range(c.classes):
        scores[k] = _clip(_shift_round(int64(s.scores[k]), c.forward_shifts[hidden]), c.u_max)


# -- modulator -------------------------------------------------------------------------------------


@_fast
def _similarities(c, m, layer, memory, gains, code, cells, read, k):
    """E of every row, and the similarities with it."""
    high, offset = float(c.read_max), float(c.offset)
    for row in range(c.rows):
        scale = 2.0 ** -(c.read_shift + (gains[row] if c.self_scaling else 0))
        e, stored, sign, total = read[row], memory[row], code[row], 0.0
        for i in range(cells.size):
            value = floor(stored[i] * scale + 0.5) + offset * sign[i]
            e[i] = min(max(value, -high - 1.0), high)
            total += e[i] * cells[i]
        k[row] = _clip(
            _shift_round(int64(total) * c.size_factors[layer], c.similarity_shifts[layer]), c.k_max
        )


@_fast
def _directions(c, m, layer, error, read, jacobian, s):
    """Directions of all positions."""
    total, a, z, d, powers = s.total[layer], s.a[layer], s.z[layer], s.d[layer], s.powers[layer]
    total[:] = 0.0
    for row in range(c.rows):
        e, weight = read[row], float(error[row])
        if weight != 0.0:
            for i in range(total.size):
                total[i] += weight * e[i]
    features, grid, high = m.features[layer], m.grid[layer], float(c.d_max)
    factor = float(jacobian) * 2.0**c.align
    below = 2.0**-c.slope_shift if c.slope_shift else 0.0
    down, across = m.down[layer] // grid, m.across[layer] // grid
    for p in range(a.shape[0]):
        y, x = p // m.across[layer], p % m.across[layer]
        first = (y // down * grid + x // across) * features
        pull, scale = total[first : first + features], 2.0 ** -(c.direction_shift + powers[p])
        normal, active, out = z[p], a[p], d[p]
        for f in range(features):
            value = floor((pull[f] - factor * normal[f]) * scale + 0.5)
            value = min(max(value, -high - 1.0), high)
            out[f] = value if active[f] > 0.0 else floor(value * below + 0.5)


@_jit
def _modulate(c, m, layer, label, state, s, k):
    """Errors and directions of a hidden layer; whether any error is not zero."""
    columns = m.across[layer] // m.grid[layer]
    cells = s.cells[layer].reshape(-1, m.features[layer])
    _averages(
        s.z[layer], m.down[layer], m.across[layer], m.down[layer] // m.grid[layer], columns,
        m.cell_shift[layer], float(c.z_max), cells,
    )  # fmt: skip
    error, read = s.errors[layer], s.read[layer]
    _similarities(
        c, m, layer, state.memories[layer], state.gains[layer], state.codes[layer],
        s.cells[layer], read, k,
    )  # fmt: skip
    _probabilities(c, k << c.beta_log2, c.error_fraction, error)
    error[label] -= 1 << c.error_fraction
    if not error.any():
        return False
    jacobian = _clip(_shift_round((error * k).sum(), c.error_fraction), c.k_max)
    _directions(c, m, layer, error, read, jacobian, s)
    return True


# -- read-modify-write -----------------------------------------------------------------------------


@_fast
def _step(row, change, word, turns, mask, drop, half, scale, high):
    """``row = sat(row + floor((change + r) * scale))``; whether a lane was cut off."""
    low, cut = -high - 1.0, 0.0
    for i in range(row.size):
        random = float((_rotate(word, uint32(i & turns)) & mask) >> drop) + half
        moved = row[i] + floor((change[i] + random) * scale)
        kept = min(max(moved, low), high)
        row[i] = kept
        cut += abs(kept - moved)
    return cut > 0.0


@_jit
def _rounding(c, shift):
    """Mask and dropped bits of the random word, half to add, and the scale of a step."""
    mask = uint32((1 << c.update_shift) - 1 if c.rounding == STOCHASTIC else 0)
    half = float((1 << shift) >> 1) if c.rounding == NEAREST else 0.0
    return mask, uint32(c.update_shift - shift), half, 2.0**-shift


@_jit
def _update(c, m, weights, change, shift, state):
    """Update of a hidden layer by `change` (taps + 1, features), block after block.

    Returns the generator's state, and in how many words a lane was cut off.
    """
    mask, drop, half, scale = _rounding(c, shift)
    high, cut, turns = float(c.weight_max), 0, m.turns
    for start in range(0, change.shape[1], c.lanes):
        stop = min(start + c.lanes, change.shape[1])
        for j in range(change.shape[0]):
            state = _next(state)
            row, part = weights[j, start:stop], change[j, start:stop]
            cut += _step(row, part, uint32(state), turns, mask, drop, half, scale, high)
    return state, cut


@_jit
def _update_readout(c, m, weights, error, z, change, shift, state):
    """Class after class, words of a class together. Returns as `_update`."""
    mask, drop, half, scale = _rounding(c, shift)
    high, cut, turns = float(c.weight_max), 0, m.turns
    places, features, groups, width = m.readout
    for k in range(c.classes):
        factor = float(-error[k])
        for i in range(z.size):
            change[i] = factor * z[i]
        row = weights[k]
        for first in range(0, places, groups):
            for start in range(0, features, width):
                state = _next(state)
                word, wrong = uint32(state), False
                for place in range(first, min(first + groups, places)):
                    low = place * features + start
                    high_end = place * features + min(start + width, features)
                    wrong |= _step(
                        row[low:high_end], change[low:high_end], word, turns, mask, drop, half,
                        scale, high,
                    )  # fmt: skip
                cut += wrong
    return state, cut


@_fast
def _remember(row, post, factor, leak, word, turns, mask, scale, high):
    """One word's part of a row of the class memory; the sum of its magnitudes."""
    size, low = 0.0, -high - 1.0
    for i in range(row.size):
        random = float(_rotate(word, uint32(i & turns)) & mask)
        moved = row[i] + floor((factor * post[i] - leak * row[i] + random) * scale)
        row[i] = min(max(moved, low), high)
        size += abs(row[i])
    return size


@_jit
def _write_memory(c, m, layer, label, memory, gains, error, cells, state):
    """The sample enters the class memory; returns the generator's state."""
    if not c.written:
        return state
    features, groups, width = m.features[layer], m.groups[layer], m.width[layer]
    places, high, scale = m.grid[layer] ** 2, float(c.memory_max), 2.0**-c.update_shift
    leak = 2.0**c.leak_shift if c.leak_shift >= 0 else 0.0
    mask = uint32((1 << c.update_shift) - 1 if c.stochastic_memory else 0)
    for k in range(c.rows):
        if not c.by_error and k != label:
            continue
        factor = float((-error[k] if c.by_error else 1) << c.scale)
        row, size = memory[k], 0.0
        for first in range(0, places, groups):
            for start in range(0, features, width):
                state = _next(state)
                for place in range(first, min(first + groups, places)):
                    low = place * features + start
                    end = place * features + min(start + width, features)
                    size += _remember(
                        row[low:end], cells[low:end], factor, leak, uint32(state), m.turns, mask,
                        scale, high,
                    )  # fmt: skip
        if c.self_scaling:
            gain = 0
            for threshold in c.thresholds[layer]:
                gain += size >= threshold
            gains[k] = gain
    return state


# -- whole samples ---------------------------------------------------------------------------------


@_jit
def _learn_layer(c, m, layer, shift, state, s, random):
    """The summed products of all positions, then one step each."""
    np.dot(s.patches[layer].T, s.d[layer], s.change[layer])
    change = s.change[layer]
    change *= -1.0
    return _update(c, m, state.weights[layer], change, shift, random)


@_jit
def _learn(c, m, state, s, label, steps, scores, random, k, active, products):
    """Update everything after `_forward`, in the order of the hardware."""
    hidden = len(s.a)
    last, saturated, learns = hidden - 1, 0, c.learns_hidden
    if learns:
        for n in range(hidden):
            active[n] = _modulate(c, m, n, label, state, s, k)
    error = s.errors[hidden]
    _probabilities(c, scores, c.u_fraction, error)
    error[label] -= 1 << c.error_fraction
    if learns:
        for n in range(last):
            random = _write_memory(
                c, m, n, label, state.memories[n], state.gains[n], s.errors[n], s.cells[n], random
            )
        for n in range(last):
            if active[n]:
                random, cut = _learn_layer(c, m, n, steps[n], state, s, random)
                saturated += cut
        random = _write_memory(
            c, m, last, label, state.memories[last], state.gains[last], s.errors[last],
            s.cells[last], random,
        )  # fmt: skip
    if error.any():
        random, cut = _update_readout(
            c, m, state.weights[hidden], error, s.x[hidden], products, steps[hidden], random
        )
        saturated += cut
    if learns and active[last]:
        random, cut = _learn_layer(c, m, last, steps[last], state, s, random)
        saturated += cut
    return random, saturated


@_jit
def run(c, m, learning, x, labels, steps, state, s, random, scores):
    """Infer, or learn, each row of `x`; fills `scores`.

    Returns the generator's state (`random` before) and the words of weights in which a lane was cut
    off. `steps` are the shifts of each weight layer, schedule included.
    """
    active, k = np.empty(len(s.a), np.bool_), np.empty(c.rows, np.int64)
    products, saturated = np.empty(s.x[len(s.a)].size), 0
    for n in range(x.shape[0]):
        for j in range(x.shape[1]):
            s.x[0][j] = float(int64(x[n, j]) - c.x_zero)
        _forward(c, m, state, s, scores[n])
        if learning:
            random, cut = _learn(
                c, m, state, s, labels[n], steps, scores[n], random, k, active, products
            )
            saturated += cut
    return random, saturated
