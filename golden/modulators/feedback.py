"""Learning signals of e-prop: the readout's errors, brought back to the units of a recurrent layer.

With e_c the softmax errors of the readout at a tick and h_i the pseudo-derivative there::

    d_i = h_i clip(sum_c e_c E_ci)

E are the readout's weights (``symmetric``), random codes (``random``), or (``surprise``) what the
class memory holds, at unit scale. That takes in what the readout sees, f, times the errors::

    M_c <- M_c - 2**-l M_c - e_c f
"""

import numpy as np

from ..arithmetic.fixed import saturate, shift_round


def direction_shift(config) -> int:
    """Shift from ``sum_c e_c E_ci`` to raw d."""
    return config.e.fraction + config.read.fraction - config.d.fraction


def direction(config, error, read, near) -> np.ndarray:
    """``d_i`` (raw d) from errors, feedback (classes, units) and the pseudo-derivative, 0 or 1."""
    return saturate(shift_round(error @ read, direction_shift(config)), config.d) * near
