"""What inference needs of a trained network, in plain numbers: every exporter reads it here.

For layer after layer, with inputs x (raw, the sample's or those of the layer before)::

    u = cut(round((sum_j x_j W_ji + one W_bias,i) / 2**shift))
    p = cut(p - round(p gain / 2**leak) + u gain);  u = cut(round(p / 2**leak))      leaky neurons
    a = u above 0, else round(u / 2**slope_shift), or 0 without a slope
    mean = round(factor sum a / 2**factor_shift)
    var = max(round(factor sum a**2 / 2**factor_shift) - mean**2, least)
    h = (bits of var - 1) // 2
    z = cut(round((a - mean) table[var 2**table_bits / 4**(h + 1)] / 2**(h + scale_shift)))

`round` is to the nearest, half up; `cut` goes to the nearest end of a signed number of that many
bits. The readout has no bias, and its cut sums are the scores; the class is the first of the
largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arithmetic.tables import rsqrt_table
from ..config import CoreConfig
from ..errors import InputError
from ..layers.normalise import MANTISSA_BITS, VAR_MIN, reciprocal_of_size
from ..neurons.dynamics import leak_gain
from ..program.widths import source_max

LAYERS, NEURONS = ("dense", "readout"), ("static", "leaky")  # whose inference is known here


@dataclass(frozen=True)
class Hidden:
    """Constants of a hidden layer, see the module's equations."""

    inputs: int
    units: int
    shift: int
    one: int
    factor: int
    factor_shift: int


class Inference:
    """Constants and weights of a network.

    Parameters
    ----------
    config : CoreConfig
    weights : list of arrays
        Raw, as `hebbware.golden.core.Core` has them.

    Attributes
    ----------
    hidden : tuple of Hidden
    readout_shift : int
    table : array (2**table_bits,)
        Mantissas of 1 / sqrt(var).
    scale_shift, least : int
    leaky : bool
    time_steps, gain, leak : int
        1, 1 and 0 for neurons without a potential.

    Raises
    ------
    InputError
        A kind of layer or neuron that the exporters do not know.
    """

    def __init__(self, config: CoreConfig, weights: list[np.ndarray]):
        check_kinds(config)
        self.config, self.weights = config, weights
        self.hidden = tuple(
            Hidden(
                config.sizes[n],
                units,
                config.sum_shift(n),
                config.source(n).one,
                *reciprocal_of_size(units),
            )
            for n, units in enumerate(config.hidden)
        )
        self.readout_shift = config.sum_shift(len(config.hidden))
        self.table = rsqrt_table(config.formats.rsqrt_bits, MANTISSA_BITS)
        self.scale_shift, self.least = MANTISSA_BITS - config.z.fraction, VAR_MIN
        self.leaky = config.leaky
        self.time_steps = config.neuron.time_steps
        self.gain, self.leak = leak_gain(config), max(config.neuron.leak_shifts)

    @property
    def largest_sum(self) -> int:
        """Bound on the magnitude of a weighted sum, half a step of its rounding included."""
        cfg, weight = self.config, -self.config.weight.min
        sums = [(h.inputs + 1) * source_max(cfg, n) for n, h in enumerate(self.hidden)]
        sums.append(cfg.hidden[-1] * -cfg.z.min)
        half = 1 << max(0, self.readout_shift, *(h.shift for h in self.hidden))
        return max(sums) * weight + half


def check_kinds(config: CoreConfig) -> None:
    """Raise InputError for a kind of layer or neuron that the exporters do not know."""
    found = [(f"layer {n + 1}", layer.kind, LAYERS) for n, layer in enumerate(config.layer)]
    for what, kind, known in [*found, ("neuron.kind", config.neuron.kind, NEURONS)]:
        if kind not in known:
            raise InputError(f"export: {what} must be {' or '.join(known)}, not {kind!r}")
