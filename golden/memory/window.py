"""Sums over the last samples."""

from dataclasses import dataclass

from ..errors import InputError
from ..settings.tables import power, real
from .base import Stored


@dataclass(frozen=True, kw_only=True)
class Window(Stored):
    """``M_y += z``, ``M_yold -= z_old``; read as ``8 / N * M``.

    Parameters
    ----------
    window : int
        N, samples held; a power of two, 2..256.
    kappa : float
        Offset of random +-1 codes added to the class memory as read, 0..1.
    """

    kind = "window"
    stochastic = False
    windowed = True
    window: int = power(32, 2, 256)
    kappa: float = real(0.0, 0, 1)

    def check(self, config):
        super().check(config)
        if self.window << (config.z.width - 1) > 1 << (self.bits - 1):
            most = 2.0 ** (self.bits - config.z.width)
            raise InputError(
                f"memory.window must be at most 2**(memory.bits - formats.z_bits) = {most:g} "
                f"so that its sums are exact, not {self.window}"
            )

    def read_shift(self, config):
        return config.z.fraction + self.window.bit_length() - 1 - 3 - self.read_fraction
