"""The readout: scores of the classes, which learn by the softmax error.

Weights have shape ``(classes, units)``: a row is a class, its weights are those *from* all units of
the last hidden layer. There is no bias.
"""

from dataclasses import dataclass

from ..program.passes import errors_of, make
from ..program.walk import Kind
from ..settings.tables import real, whole
from .base import Layer


@dataclass(frozen=True, kw_only=True)
class Readout(Layer):
    """Scores of the classes.

    Parameters
    ----------
    units : int
        Classes, 2..64.
    """

    kind = "readout"
    row_inner = False
    bias = False
    units: int = whole(2, 2, 64)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)

    def shape(self, config, number):
        return self.units, config.sizes[number]

    def step_shift(self, config, number):
        return config.z.fraction + config.e.fraction + self.rate - config.weight.fraction

    def forward(self, config, number, *waits):
        """Sums of each class: results always, errors while learning."""
        facts = {"clears_last" if config.recurrent else "clears": ("results",)}
        sums = make(
            config, Kind.SCORES, number, *waits,
            count=self.units, clears_learned=(errors_of(number),), **facts,
        )  # fmt: skip
        return [sums]

    def update(self, config, number, *waits):
        waits = (errors_of(number), *waits)
        return [make(config, Kind.READOUT, number, *waits, count=self.units)]
