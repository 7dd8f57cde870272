"""Two controls: fixed random codes, and no memory at all."""

from dataclasses import dataclass

from ..errors import InputError
from ..settings.tables import real
from .base import Memory, Read


@dataclass(frozen=True, kw_only=True)
class Codes(Read):
    """No memory: fixed random +-1 codes (direct random target projection).

    Parameters
    ----------
    kappa : float
        Size of the codes, above 0 and up to 1.
    """

    kind = "codes"
    written = False
    kappa: float = real(1.0, 0, 1)

    def check(self, config):
        super().check(config)
        if not self.kappa:
            raise InputError("memory.kappa must lie above 0 where codes are all that is read")


@dataclass(frozen=True, kw_only=True)
class Frozen(Memory):
    """No memory and no modulator: hidden layers keep their start weights."""

    kind = "none"
    written = False
    modulator = "none"
