"""A reservoir as the memory."""

from dataclasses import dataclass

from ..reservoir import memory as reservoir_memory
from ..settings.tables import choice, power, whole
from .base import Stored


@dataclass(frozen=True, kw_only=True)
class Reservoir(Stored):
    """Decoded from the state of a reservoir: see `hebbware.golden.reservoir.memory`.

    The rows are the random codes of the projection; learning writes none of them.

    Parameters
    ----------
    horizon : int
        log2 of the samples after which it forgets, 1..20.
    projection : int
        d, the numbers that it holds of each class; a power of two, 2..64.
    gating : str
        What a reservoir takes in: ``class`` (the projected activations, at the place of the
        sample's class) or ``error`` (at every class, times its error).
    """

    kind = "reservoir"
    row = "projected number"
    written = False
    projected = True
    kappa = 1.0  # the codes are all that is read
    horizon: int = whole(6, 1, 20)  # a longer one is beyond the decoder of so small a reservoir
    projection: int = power(16, 2, 64)
    gating: str = choice("class", reservoir_memory.GATINGS)

    def check(self, config):
        super().check(config)
        reservoir_memory.check(config)

    def rows(self, config):
        return self.projection
