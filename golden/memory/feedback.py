"""What brings the readout's errors back to a recurrent layer: nothing of it is learned."""

from dataclasses import dataclass

from .base import Memory
from .codes import Codes


@dataclass(frozen=True, kw_only=True)
class Readout(Memory):
    """The readout's own weights; there is no memory beside them."""

    kind = "readout"
    written = False
    modulator = "symmetric"

    @property
    def rule(self):
        return "e-prop, symmetric feedback"

    def read_format(self, config):
        return config.weight


@dataclass(frozen=True, kw_only=True)
class Random(Codes):
    """Fixed random +-1 codes of size `kappa`."""

    kind = "random"
    modulator = "random"

    @property
    def rule(self):
        return "e-prop, random feedback"
