"""Neuron models: from weighted sum to activation, and the slope used in learning.

``leaky``: a sample stays at the input for `neuron.time_steps` steps, from rest. In each step, layer
after layer, with ``current = W^T z + b`` as the dense engine rounds it::

    u <- u + (2**-a + 2**-b) (current - u)

The potential keeps as many fraction bits beyond u's as the larger shift takes, so that the current
enters exactly and only the leak is rounded, to nearest: no dead zone, and a constant current is
reached within ``0.5 / (2**-a + 2**-b)`` units of the last place of the potential.

Both kinds then pass through ``f(u) = u`` above 0 and ``2**-slope_shift u`` below (0 for none).

Source: Daruwalla and Lipasti 2024, rate-coded leaky neurons; in floating point
`hebbware.golden.reference.leaky`. Here the readout has no potential: it is read once, after the
last step.
"""

import numpy as np

from ..arithmetic.fixed import saturate, shift_round


def leak_rate(config) -> float:
    """``dt / tau``."""
    return sum(2.0**-shift for shift in config.neuron.leak_shifts)


def leak_gain(config) -> int:
    """``dt / tau`` in units of ``2**-max(leak_shifts)``: the factor of the current."""
    return sum(1 << (max(config.neuron.leak_shifts) - shift) for shift in config.neuron.leak_shifts)


def leak(config, potential, current):
    """``u + dt/tau (current - u)``; `potential` raw potential, `current` raw u; raw potential."""
    gain, shift = leak_gain(config), max(config.neuron.leak_shifts)
    return saturate(
        potential - shift_round(potential * gain, shift) + current * gain, config.potential
    )


def potential_u(config, potential):
    """The potential as raw u, to nearest."""
    return saturate(shift_round(potential, max(config.neuron.leak_shifts)), config.u)


def activate(config, u):
    """``f(u)``, raw u."""
    below = (
        shift_round(np.minimum(u, 0), config.neuron.slope_shift) if config.neuron.slope_shift else 0
    )
    return np.where(u > 0, u, below)


def active(config, a):
    """Whether the slope at an activation `a` (raw u) is whole: ``u > 0``."""
    return a > 0


def slope(config, d, active):
    """``f'(u) d``, raw d: whole where `active`, else ``2**-slope_shift d`` to nearest."""
    below = shift_round(d, config.neuron.slope_shift) if config.neuron.slope_shift else 0
    return np.where(active, d, below)


def constants(config) -> dict:
    """What the compiled twin computes with, by its names."""
    return {
        "leaky": config.leaky,
        "time_steps": config.neuron.time_steps,
        "leak_gain": leak_gain(config),
        "potential_shift": max(config.neuron.leak_shifts),
        "potential_max": config.potential.max,
        "slope_shift": config.neuron.slope_shift,
    }
