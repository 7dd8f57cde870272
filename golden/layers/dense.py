"""Dense layers: multiply-accumulate forward, three-factor update back into the weights.

Weights have shape ``(inputs, units)``; the bias is a last input that is always 1.0.
"""

from dataclasses import dataclass

import numpy as np

from ..arithmetic.fixed import Rounding, saturate, shift_round
from ..program.passes import KERNELS, make
from ..program.walk import Kind, Rows, Then
from ..settings.tables import real, whole
from .base import Layer


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """Every unit has a weight for each input; learns by the modulator.

    Parameters
    ----------
    units : int
        2..4096.
    """

    kind = "dense"
    row_inner = True
    bias = True
    units: int = whole(2, 2, 4096)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)
    narrow: int | None = whole(None, 0, 6)

    def shape(self, config, number):
        return config.sizes[number] + 1, self.units

    def step_shift(self, config, number):
        product = config.source(number).fraction + config.d.fraction
        return product + self.rate - config.weight_fraction(number)

    def forward(self, config, number, *waits):
        """As of every layer; in the first one the HSIC modulator sees the inputs."""
        seen = {}
        if number == 0 and config.modulator.family == "hsic":
            seen = {"then": Then.KERNELS, "clears_first": (KERNELS,)}
        facts = self._inputs(config, number) | seen
        return [make(config, Kind.FORWARD, number, *waits, **facts)]

    def update(self, config, number, *waits):
        return [make(config, Kind.UPDATE, number, *waits, **self._inputs(config, number))]

    def _inputs(self, config, number):
        rows, _ = self.shape(config, number)
        return {"rows": Rows.ALL if number else Rows.INPUTS, "count": rows}


def sums(config, source_fraction: int, inputs, weights, narrow: int = 0) -> np.ndarray:
    """``u = sat(sum_j z_j W_ji)`` rounded to nearest; `inputs` and `weights` hold the rows used.

    `narrow` is that of the layer.
    """
    acc = np.einsum("j,ji->i", inputs, weights)  # for integers faster than @
    shift = source_fraction + config.weight.fraction + narrow - config.u.fraction
    return saturate(shift_round(acc, shift), config.u)


def moved(config, weights, pre, post, shift: int, random) -> np.ndarray:
    """``W + floor((-pre_j post_i + r) / 2**shift)``: one three-factor step on some rows.

    Not saturated yet, see `updated`.

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
    return stepped(config, weights, np.multiply.outer(-pre, post), shift, random)


def stepped(config, weights, change, shift: int, random) -> np.ndarray:
    """``W + floor((change + r) / 2**shift)``, not saturated; `change` is overwritten.

    Parameters
    ----------
    weights, change : arrays (rows, units)
    shift, random
        As of `moved`.
    """
    if config.rounding is Rounding.STOCHASTIC:
        change += random >> (config.update_shift - shift)
    elif config.rounding is Rounding.NEAREST:
        change += 1 << shift >> 1
    change >>= shift
    change += weights
    return change


def updated(config, weights, pre, post, shift: int, random) -> np.ndarray:
    """``sat(W + floor((-pre_j post_i + r) / 2**shift))``; parameters as of `moved`."""
    return saturate(moved(config, weights, pre, post, shift, random), config.weight)
