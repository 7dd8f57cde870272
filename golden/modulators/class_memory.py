"""The class-memory modulator: from a layer's activations and class memories to its direction d.

With ``E_c`` the class memories at unit scale, ``k_c = (1/m) sum_i z_i E_ci``,
``e = softmax(beta k) - onehot(y)`` and ``s2`` the layer's LayerNorm scale rounded to a
power of two::

    xi_i = s2 * (sum_c e_c E_ci - z_i sum_c e_c k_c)
    d_i  = f'(u_i) * clip(xi_i, -2, 2)             f' = [u_i > 0] for ReLU

The second term is the Jacobian of LayerNorm; without it learning collapses.
"""

import numpy as np

from ..arithmetic.fixed import saturate, shift_round
from ..layers.normalise import reciprocal_of_size
from ..layers.softmax import softmax_error
from ..neurons.dynamics import slope


def similarity_shift(config, units: int, gain: int = 0) -> tuple[int, int]:
    """Constants (factor, shift) from ``sum_i z_i E_ci`` to ``k_c`` as ``config.k``.

    `gain` is that of the layer: z is ``2**gain`` times as large.
    """
    factor, shift = reciprocal_of_size(units)
    return factor, shift + gain + config.z.fraction + config.read.fraction - config.e.fraction


def similarity_shifts(config) -> list[tuple[int, int]]:
    """`similarity_shift` of each hidden layer."""
    return [
        similarity_shift(config, units, layer.gain)
        for units, layer in zip(config.hidden, config.layer, strict=False)
    ]


def similarities(config, z: np.ndarray, read: np.ndarray, gain: int = 0) -> np.ndarray:
    """``k_c = (1/m) sum_i z_i E_ci`` (raw k, saturated); `read` is E, shape (classes, units)."""
    factor, shift = similarity_shift(config, z.size, gain)
    return saturate(shift_round((read @ z) * factor, shift), config.k)


def errors(config, k: np.ndarray, label: int) -> tuple[np.ndarray, int]:
    """Softmax errors ``e_c`` of ``beta * k`` and the Jacobian's scalar ``sum_c e_c k_c``."""
    error = softmax_error(config, k << config.modulator.beta_log2, config.e.fraction, label)
    jacobian = shift_round(int((error * k).sum()), config.e.fraction)
    return error, int(saturate(jacobian, config.k))


def constants(config) -> dict:
    """What the compiled twin computes with, by its names."""
    return {
        "similarity_shifts": np.array([shift for _, shift in similarity_shifts(config)]),
        "direction_shift": direction_shift(config, 0),
        "beta_log2": config.modulator.beta_log2,
    }


def direction_shift(config, power: int) -> int:
    """Shift from ``sum_c e_c E_ci`` to raw d for ``s2 = 2**-power``."""
    return config.e.fraction + config.read.fraction - config.d.fraction + power


def direction(config, error, jacobian: int, read, z, active, power: int) -> np.ndarray:
    """``d_i`` (raw d) from errors, class memories, activations and the slope `active`."""
    align = config.read.fraction - config.z.fraction
    total = error @ read - ((jacobian * z) << align)
    return slope(
        config, saturate(shift_round(total, direction_shift(config, power)), config.d), active
    )
