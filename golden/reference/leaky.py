"""Networks of rate-coded leaky cells: a potential that follows its input with a time constant.

Source: Daruwalla and Lipasti 2024, leaky integrate-and-fire neurons as rates; used for XOR and
linear with tau = 5 ms, dt = 1 ms, 20 steps for each sample.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from . import checks
from .layers import layer_norm


class LeakyLayer(NamedTuple):
    """Course of one layer: potentials and activations, both (steps, samples, units)."""

    u: np.ndarray
    z: np.ndarray


def leaky_step(u: np.ndarray, current: np.ndarray, rate: float) -> np.ndarray:
    """``u <- u + rate (current - u)``, ``rate = dt / tau``; all shapes alike."""
    return u + rate * (current - u)


def leaky_run(
    x: np.ndarray,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    steps: int,
    time_constant: float = 0.005,
    time_step: float = 0.001,
) -> list[LeakyLayer]:
    """Hold samples at the input for some steps, starting from rest.

    In each step, layer by layer from the input::

        u_l <- u_l + (dt / tau) (W_l^T z_(l-1) + b_l - u_l)
        z_l  = LayerNorm(relu(u_l))

    with ``z_0 = x``, ``u_l = 0`` at rest, and ``z_l = u_l`` in the last layer.

    Parameters
    ----------
    x : array (samples, inputs)
    weights : list of arrays (inputs, units), one for each layer
    biases : list of arrays (units,)
    steps : int
        1 or more.
    time_constant, time_step : float
        tau and dt in seconds, ``0 < dt <= tau``.

    Returns
    -------
    list of LeakyLayer

    Raises
    ------
    InputError
        Shapes that do not follow one another, no steps, times that are not positive or a time step
        above the time constant.
    """
    z = x = checks.matrix("x", x)
    tau = checks.positive("time_constant", time_constant)
    rate = checks.positive("time_step", time_step) / tau
    if rate > 1:
        raise InputError(f"time_step must be at most time_constant = {tau}, not {time_step}")
    steps = checks.count("steps", steps, 1)
    if not len(weights) == len(biases) > 0:
        raise InputError(
            f"weights and biases must be as many and at least one, "
            f"not {len(weights)} and {len(biases)}"
        )
    layers, units = [], x.shape[1]
    for index, matrix in enumerate(weights):
        units = checks.matrix(f"weights[{index}]", matrix, rows=units).shape[1]
        layers.append(LeakyLayer(*np.zeros((2, steps, len(x), units))))
    potentials = [np.zeros(layer.u.shape[1:]) for layer in layers]
    for step in range(steps):
        z = x
        for index, layer in enumerate(layers):
            current = z @ weights[index] + biases[index]
            u = potentials[index] = leaky_step(potentials[index], current, rate)
            z = u if index == len(layers) - 1 else layer_norm(np.maximum(u, 0.0))[0]
            layer.u[step], layer.z[step] = u, z
    return layers
