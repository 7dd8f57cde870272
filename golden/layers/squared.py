"""Errors of a signal, in integers: ``e_c = clip(o_c - y_c)``, the slope of the squared distance.

A target y is a byte in two's complement, ``value / 128`` in -1..1; score and target are brought to
the fraction bits of errors, to nearest, and errors beyond -1..1 are cut off, so that they have the
range of those of a softmax.
"""

import numpy as np

from ..arithmetic.fixed import Format, shift_round

TARGET = Format(8, 7)


def squared_error(config, scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Errors (raw e) of `scores` (raw u) from `target` (raw `TARGET`), half the slope of
    ``(o - y)**2``.
    """
    found = shift_round(scores, config.u.fraction - config.e.fraction)
    wanted = shift_round(target, TARGET.fraction - config.e.fraction)
    return np.clip(found - wanted, -config.e.one, config.e.one)
