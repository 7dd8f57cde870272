"""The last samples' activations, which the HSIC modulator reads."""

from dataclasses import dataclass

from ..arithmetic.fixed import Format
from ..settings.tables import power
from .base import Memory


@dataclass(frozen=True, kw_only=True)
class Samples(Memory):
    """``M_slot <- z``: see `hebbware.golden.modulators.hsic`. Rows are read as they are stored.

    Parameters
    ----------
    window : int
        N, samples held, the newest included; a power of two, 2..32.
    """

    kind = "samples"
    row = "sample"
    stochastic = False
    by_sample = True
    modulator = "hsic"
    window: int = power(32, 2, 32)

    @property
    def rule(self):
        return f"HSIC of {self.window} samples"

    def rows(self, config):
        return self.window

    def stored_format(self, config):
        return Format(config.z.width, 0)

    def scale(self, config):
        return 0  # the activation is written as it is
