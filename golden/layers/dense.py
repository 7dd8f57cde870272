"""The dense engine: multiply-accumulate forward, three-factor update back into the weights.

Weights have shape ``(inputs, units)``; the bias is a last input that is always 1.0.
"""

import numpy as np

from ..arithmetic.fixed import Rounding, saturate, shift_round


def forward(config, source_fraction: int, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``u = sat(sum_j z_j W_ji)`` rounded to nearest; `inputs` and `weights` hold the rows used."""
    acc = np.einsum("j,ji->i", inputs, weights)  # for integers faster than @
    return saturate(
        shift_round(acc, source_fraction + config.weight.fraction - config.u.fraction), config.u
    )


def moved(config, weights, pre, post, shift: int, random) -> np.ndarray:
    """``W + floor((-pre_j post_i + r) / 2**shift)``: one three-factor step on some rows.

    Not saturated yet, see `update`.

    Parameters
    ----------
    weights : array (rows, units)
    pre : array (rows,)
        Pre-synaptic activity, raw.
    post : array (units,)
        Direction (slope times modulator), raw.
    shift : int
        From the raw product to weight units, schedule included.
    random : array (rows, units) or None
        ``update_shift`` bits each; their leading `shift` bits are used. Only for stochastic
        rounding.
    """
    change = np.multiply.outer(-pre, post)
    if config.rounding is Rounding.STOCHASTIC:
        change += random >> (config.update_shift - shift)
    elif config.rounding is Rounding.NEAREST:
        change += 1 << shift >> 1
    change >>= shift
    change += weights
    return change


def update(config, weights, pre, post, shift: int, random) -> np.ndarray:
    """``sat(W + floor((-pre_j post_i + r) / 2**shift))``; parameters as of `moved`."""
    return saturate(moved(config, weights, pre, post, shift, random), config.weight)
