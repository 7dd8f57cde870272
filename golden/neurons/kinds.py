"""Kinds of neurons, each a table of the configuration; arithmetic:
`hebbware.golden.neurons.dynamics`, of spiking ones `hebbware.golden.neurons.spiking`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ..errors import InputError
from ..settings.tables import Table, flag, numbers, power, real, whole


@dataclass(frozen=True, kw_only=True)
class Neuron(Table):
    """Base of all kinds.

    Parameters
    ----------
    slope_shift : int
        The non-linearity's slope below 0 is ``2**-slope_shift``; 0: none (ReLU), 1..7.
    """

    table = "neuron"
    layers: ClassVar[tuple[str, ...]] = ("dense",)  # kinds of hidden layers that have such ones
    slope_shift: ClassVar[int] = 0
    time_steps: ClassVar[int] = 1
    leak_shifts: ClassVar[tuple[int, ...]] = (0,)

    @property
    def signed(self) -> bool:
        """Whether activations can be negative."""
        return bool(self.slope_shift)

    def completed(self, config) -> Self:
        """The neuron with the values that follow from others where none is given."""
        return self

    def check(self, config):
        """Raise InputError for fields that do not fit each other, or `config`."""


@dataclass(frozen=True, kw_only=True)
class Static(Neuron):
    """Without a state: the sum itself, through the non-linearity."""

    kind = "static"
    layers = ("dense", "conv")
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

    def check(self, config):
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


@dataclass(frozen=True, kw_only=True)
class Lif(Neuron):
    """Leaky integrate-and-fire units of a recurrent layer; a sample is a sequence of ticks.

    Parameters
    ----------
    ticks : int
        Of a sequence, 1..65535.
    target : int, optional
        So many last ticks have a target where a sequence comes with one label, and their scores
        are summed; by default all.
    leak_shifts : tuple of int
        One or two shifts a < b in 1..15: in a tick ``1 - 2**-a - 2**-b`` of a potential is left.
    second_leak_shifts : tuple of int
        The same of units 1, 3, 5, ...; empty: theirs is that of all.
    threshold : int
        Potential of a spike in units of u, a power of two: weights reach 2 / threshold of it.
    width : float
        The pseudo-derivative is 1 within so many thresholds of the threshold, else 0; a multiple
        of 1/4.
    trace_shift : int, optional
        In a tick ``1 - 2**-trace_shift`` of a trace is left, 1..15; by default as of potentials,
        their first shift.
    trace_bits, trace_fraction : int
        Format of traces; by default as many fraction bits as an input has.
    readout_shift : int
        In a tick ``1 - 2**-readout_shift`` of what the readout has seen is left; 0: nothing.
    signal : bool
        Targets are numbers, one for each output at a tick, and errors those of the squared
        distance from them (`hebbware.golden.layers.squared`); scores of each of the last `target`
        ticks are put out. Else targets are classes.
    """

    kind = "lif"
    layers = ("recurrent",)
    ticks: int = whole(40, 1, 65535)
    target: int | None = whole(None, 1, 65535)
    leak_shifts: tuple[int, ...] = numbers((3,), 1, 15)
    second_leak_shifts: tuple[int, ...] = numbers((), 1, 15)
    threshold: int = power(1, 1, 64)
    width: float = real(1.0, 0.25, 4)
    trace_shift: int | None = whole(None, 1, 15)
    trace_bits: int = whole(12, 4, 16)
    trace_fraction: int | None = whole(None, 0, 14)
    readout_shift: int = whole(2, 0, 15)
    signal: bool = flag(False)

    def completed(self, config):
        follow = {
            "target": self.ticks,
            "trace_shift": self.leak_shifts[0] if self.leak_shifts else None,
            "trace_fraction": config.source(0).fraction,
        }
        missing = {name: value for name, value in follow.items() if getattr(self, name) is None}
        return replace(self, **missing) if missing else self

    def check(self, config):
        for name in ("leak_shifts", "second_leak_shifts"):
            shifts = getattr(self, name)
            if len(shifts) > 2 or list(shifts) != sorted({*shifts}):
                raise InputError(
                    f"neuron.{name} must be one shift, or two different ones in order, "
                    f"not {list(shifts)!r}"
                )
        if not self.leak_shifts:
            raise InputError("neuron.leak_shifts must be one or two shifts, not []")
        if self.width * 4 != int(self.width * 4):
            raise InputError(f"neuron.width must be a multiple of 1/4, not {self.width!r}")
        if self.target > self.ticks:
            raise InputError(
                f"neuron.target must be at most neuron.ticks = {self.ticks}, not {self.target}"
            )
        self._check_formats(config)

    def _check_formats(self, config):
        most = config.u.max + 1 >> config.u.fraction + 1
        if self.threshold > most:
            raise InputError(
                f"neuron.threshold must be at most {most}, half of the range of a potential in "
                f"formats.u_bits = {config.u.width}, not {self.threshold}"
            )
        # rounding alone moves a potential by (2**a / 8)**0.5 steps: a quarter of the threshold
        slowest = max(shifts[0] for shifts in self.leaks)
        needed = (slowest + 2) // 2 - (self.threshold.bit_length() - 1)
        if config.u.fraction < needed:
            raise InputError(
                f"formats.u_fraction must be at least {needed} for potentials that leak by "
                f"2**-{slowest} of themselves, not {config.u.fraction}"
            )
        inputs = config.source(0).fraction
        if not inputs <= self.trace_fraction < self.trace_bits:
            raise InputError(
                f"neuron.trace_fraction must lie in {inputs}..{self.trace_bits - 1}, from the "
                "fraction bits of an input to neuron.trace_bits - 1, "
                f"not {self.trace_fraction}"
            )
        if config.z.fraction > config.z.width - 2:
            raise InputError(
                "formats.z_fraction must leave room for a spike: at most formats.z_bits - 2 = "
                f"{config.z.width - 2}, not {config.z.fraction}"
            )

    @property
    def leaks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shifts of units 0, 2, 4, ... and of units 1, 3, 5, ..."""
        return self.leak_shifts, self.second_leak_shifts or self.leak_shifts


NEURONS: dict[str, type[Neuron]] = {neuron.kind: neuron for neuron in (Static, Leaky, Lif)}
