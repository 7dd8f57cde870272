"""Arithmetic of whole maps, see `hebbware.golden.layers.conv`: patches, averages, cells.

Maps that a layer reads are arrays (rows, columns, channels); what it makes are arrays (positions,
features), positions row by row.
"""

import numpy as np

from ..arithmetic.fixed import saturate, shift_round


def patches(window, x: np.ndarray) -> np.ndarray:
    """Numbers of each patch, shape (positions, taps): row, column, channel; 0 around the map."""
    w, edge = window, window.kernel // 2
    x = x.reshape(w.rows, w.columns, w.channels)
    # the last patch may begin further right or below than its kernel alone would need
    far = [(n - 1) * w.stride + w.kernel - edge - size
           for n, size in ((w.down, w.rows), (w.across, w.columns))]  # fmt: skip
    x = np.pad(x, [(edge, max(far[0], 0)), (edge, max(far[1], 0)), (0, 0)])
    seen = np.lib.stride_tricks.sliding_window_view(x, (w.kernel, w.kernel), axis=(0, 1))
    seen = seen[:: w.stride, :: w.stride][: w.down, : w.across]  # (y, x, channel, row, column)
    return seen.transpose(0, 1, 3, 4, 2).reshape(w.positions, w.taps)


def sums(config, layer: int, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``u = sat(sum_j x_j W_ji)`` at each position, to nearest; shape (positions, features).

    Parameters
    ----------
    inputs : array (positions, taps)
    weights : array (taps + 1, features)
        The last row is the bias.
    """
    total = inputs @ weights[:-1] + config.source(layer).one * weights[-1]
    return saturate(shift_round(total, config.sum_shift(layer)), config.u)


def _summed(z, rows, columns, down, across):
    """Sums over tiles of ``rows x columns`` of the ``down x across`` positions."""
    tiles = z.reshape(down // rows, rows, across // columns, columns, -1)
    return tiles.sum(axis=(1, 3)).reshape(-1, z.shape[-1])


def pooled(window, z: np.ndarray) -> np.ndarray:
    """Averages (raw z, to nearest) over squares of positions, shape (squares, features)."""
    w = window
    total = _summed(z, w.pool, w.pool, w.down, w.across)
    return shift_round(total, 2 * (w.pool.bit_length() - 1))


def cells(config, layer: int, z: np.ndarray) -> np.ndarray:
    """``2**gain`` times averages over cells (raw z, saturated), shape (cells, features).

    Averages are sums times ``2**-s``: where a cell has no power of two of positions they are
    smaller by that, which a self-scaling memory does not see.
    """
    w = config.windows[layer]
    total = _summed(z, *w.cell, w.down, w.across)
    return saturate(shift_round(total, w.cell_shift - config.layer[layer].gain), config.z)


def cell_of(window) -> np.ndarray:
    """Number of the cell of each position."""
    w = window
    y, x = np.divmod(np.arange(w.positions), w.across)
    return y // w.cell[0] * w.grid + x // w.cell[1]
