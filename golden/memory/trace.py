"""Leaky class means."""

from dataclasses import dataclass, replace

from ..errors import InputError
from ..settings.tables import real, whole
from .base import Stored


@dataclass(frozen=True, kw_only=True)
class Trace(Stored):
    """``M_y <- M_y + 2**-l (z - M_y)``, stored with l extra fraction bits.

    Parameters
    ----------
    horizon : int, optional
        l, log2 of the samples after which it forgets, 1..20; by default 12, and no more than its
        bits have room for.
    kappa : float
        Offset of random +-1 codes added to the class memory as read, 0..1.
    """

    kind = "trace"
    leaks = True
    horizon: int | None = whole(None, 1, 20)
    kappa: float = real(0.0, 0, 1)

    def completed(self, config):
        if self.horizon is not None:
            return self
        return replace(self, horizon=max(min(12, self.bits - config.z.width), 1))

    def check(self, config):
        super().check(config)
        room = self.bits - config.z.width
        if self.horizon > room:
            raise InputError(
                f"memory.horizon must be at most memory.bits - formats.z_bits = {room} for the "
                f"trace memory, not {self.horizon}"
            )

    def read_shift(self, config):
        return config.z.fraction + self.horizon - self.read_fraction
