"""Kinds of neurons, each a table of the configuration; arithmetic:
`hebbware.golden.neurons.dynamics`.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..errors import InputError
from ..settings.tables import Table, numbers, whole


@dataclass(frozen=True, kw_only=True)
class Neuron(Table):
    """Base of all kinds.

    Parameters
    ----------
    slope_shift : int
        The non-linearity's slope below 0 is ``2**-slope_shift``; 0: none (ReLU), 1..7.
    """

    table = "neuron"
    time_steps: ClassVar[int] = 1
    leak_shifts: ClassVar[tuple[int, ...]] = (0,)

    @property
    def signed(self) -> bool:
        """Whether activations can be negative."""
        return bool(self.slope_shift)

    def check(self):
        """Raise InputError for fields that do not fit each other."""


@dataclass(frozen=True, kw_only=True)
class Static(Neuron):
    """Without a state: the sum itself, through the non-linearity."""

    kind = "static"
    slope_shift: int = whole(0, 0, 7)


@dataclass(frozen=True, kw_only=True)
class Leaky(Neuron):
    """A potential that follows the sum.

    Parameters
    ----------
    time_steps : int
        Steps for which a sample stays at the input, 1..255. What is learned is the last step.
    leak_shifts : tuple of int
        One or two shifts a < b in 1..8, ``dt / tau = 2**-a + 2**-b``; ``[0]``: no leak, the
        potential is the current.
    """

    kind = "leaky"
    slope_shift: int = whole(0, 0, 7)
    time_steps: int = whole(1, 1, 255)
    leak_shifts: tuple[int, ...] = numbers((3, 4), 0, 8)

    def check(self):
        shifts = self.leak_shifts
        if shifts == (0,):
            return
        if not 1 <= len(shifts) <= 2 or list(shifts) != sorted({*shifts}):
            raise InputError(
                "neuron.leak_shifts must be one shift, or two different ones in order, "
                f"not {list(shifts)!r}"
            )
        if shifts[0] < 1:
            raise InputError(
                f"neuron.leak_shifts must lie in 1..8, or be [0], not {list(shifts)!r}"
            )


NEURONS: dict[str, type[Neuron]] = {neuron.kind: neuron for neuron in (Static, Leaky)}
