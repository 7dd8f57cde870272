"""Softmax errors of similarities or scores, in integers: ``e_c = softmax(t)_c - [c = y]``."""

import numpy as np

from ..arithmetic.fixed import shift_round
from ..arithmetic.tables import EXP_STEP, exp_table, reciprocal_table


def exp_width(config) -> int:
    """Bits of an entry of the exp and reciprocal tables; 1.0 is ``2**error_fraction``."""
    return config.e.fraction + 1


def softmax(config, t: np.ndarray, fraction: int) -> np.ndarray:
    """Probabilities, raw as ``config.e``, of logits `t` with `fraction` fraction bits.

    The distance to the largest logit is rounded to steps of 1/16 and looked up; the sum's
    reciprocal comes from a table over its leading bits, rounded.
    """
    width = exp_width(config)
    distance = shift_round(t.max() - t, fraction - EXP_STEP)
    exps = exp_table(config.formats.exp_bits, width)[
        np.minimum(distance, (1 << config.formats.exp_bits) - 1)
    ]
    total = int(exps.sum())
    power = total.bit_length() - 1
    index = int(shift_round(total, power - config.formats.reciprocal_bits)) - (
        1 << config.formats.reciprocal_bits
    )
    if index >> config.formats.reciprocal_bits:  # rounded up to the next power of two
        index, power = 0, power + 1
    reciprocal = int(reciprocal_table(config.formats.reciprocal_bits, width)[index])
    return shift_round(exps * reciprocal, power)


def softmax_error(config, t: np.ndarray, fraction: int, label: int) -> np.ndarray:
    """``softmax(t) - onehot(label)``, raw with ``formats.error_fraction`` bits."""
    error = softmax(config, t, fraction)
    error[label] -= 1 << config.e.fraction
    return error
