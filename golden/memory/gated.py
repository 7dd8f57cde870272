"""Error-gated sums."""

from dataclasses import dataclass

from ..settings.tables import whole
from .base import Stored

STORED_FRACTION = 3  # e * z is kept with 3 fraction bits


@dataclass(frozen=True, kw_only=True)
class Gated(Stored):
    """``M_c <- M_c - 2**-l M_c - e_c z``: keeps what was surprising.

    Parameters
    ----------
    horizon : int
        l, log2 of the samples after which it forgets, 1..20.
    """

    kind = "gated"
    by_error = True
    leaks = True
    self_scaling = True
    horizon: int = whole(12, 1, 20)

    def gain(self, config) -> int:
        """Right shift that brings error x activation to the stored fraction bits."""
        return config.e.fraction + config.z.fraction - STORED_FRACTION

    def shift(self, config):
        return max(self.horizon, self.gain(config))

    def scale(self, config):
        return config.update_shift - self.gain(config)
