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
    narrow: int | None = whole(None, 0, 6)

    def shape(self, config, number):
        return self.units, config.sizes[number]

    def step_shift(self, config, number):
        product = config.z.fraction + config.e.fraction
        return product + self.rate - config.weight_fraction(number)

    def usual_rate(self, config, number):
        return 8

    def usual_std(self, config, number):
        return 0.5 * config.sizes[number] ** -0.5

    def weight_form(self, config, number):
        """A row lies as the vector that it is multiplied with."""
        return config.layer[number - 1].output_form(config, number - 1)

    def forward(self, config, number, *waits):
        """Sums of each class: results always, errors while learning."""
        facts = {"clears_last" if config.recurrent else "clears": ("results",)}
        sums = make(
            config, Kind.SCORES, number, *waits,
            count=self.units, clears_learned=(errors_of(number),), **self._blocks(config, number),
            **facts,
        )  # fmt: skip
        return [sums]

    def update(self, config, number, *waits):
        waits = (errors_of(number), *waits)
        facts = self._blocks(config, number)
        return [make(config, Kind.READOUT, number, *waits, count=self.units, **facts)]

    def _blocks(self, config, number):
        return {"blocks": self.weight_form(config, number).words}
