"""What each field of a configuration costs: the same core with this field a step lower or higher.

Sizes and powers of two are halved and doubled, other whole numbers go down and up by one, choices
take their other values. A field that lists a value for each layer changes in all layers at once.
Real numbers, and kinds of layers and neurons, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..config import CoreConfig
from ..config.core import domains
from ..errors import InputError
from . import devices, estimate, ticks

DEVICE = devices.DEVICES[0][0]  # its LUTs, multipliers and block RAMs are counted
SIZES = {"lanes", "input.size", "layer.units", "layer.features", "neuron.ticks"}
KEPT = {"seed", "layer.kind", "neuron.kind", "input.shape", "reservoir.seed", "reservoir.decoder"}


@dataclass(frozen=True)
class Cost:
    """What a core takes.

    Attributes
    ----------
    memory_bits : int
    clocks : int
        Of a learned sample, or of a learned tick in which a fifth of the units spike.
    lut, dsp, ram : int
        Estimated LUTs, multipliers and block RAMs of `DEVICE`.
    """

    memory_bits: int
    clocks: int
    lut: int
    dsp: int
    ram: int

    @classmethod
    def of(cls, config: CoreConfig, nonzero: int) -> Cost:
        """Estimate a core; see `hebbware.golden.estimate.estimate`."""
        need = devices.need(config, DEVICE)
        if config.recurrent:
            spikes = round(config.hidden[0] / 5)
            clocks = ticks.clocks_per_tick(config, nonzero, spikes)["learned"]
        else:
            clocks = estimate.clocks_per_sample(config, nonzero)
        return cls(estimate.memory_bits(config), clocks, need.lut, need.dsp, need.ram)

    def minus(self, other: Cost) -> dict[str, int]:
        """Difference of each number."""
        return {name: mine - vars(other)[name] for name, mine in vars(self).items()}


@dataclass(frozen=True)
class Neighbour:
    """A configuration that differs in one field, and what it costs more.

    Attributes
    ----------
    field : str
    value, other : Any
        Value of the field here, and in the neighbour.
    more : dict of str to int
        By name as in `Cost`.
    """

    field: str
    value: Any
    other: Any
    more: dict[str, int]


def neighbours(config: CoreConfig, nonzero: int) -> Iterator[Neighbour]:
    """Yield every neighbour that is allowed, in the order of the fields.

    Parameters
    ----------
    nonzero : int
        Non-zero inputs of a sample, or of a tick. With fewer inputs there are at most as many.
    """
    here, known = Cost.of(config, nonzero), domains()
    for name, value in config.to_dict().items():
        if name in KEPT:
            continue
        for other in _others(name, value, known[name]):
            try:
                changed = config.derive(**{name: other})
            except InputError:  # other fields do not go with it
                continue
            cost = Cost.of(changed, min(nonzero, changed.inputs))
            yield Neighbour(name, value, other, cost.minus(here))


def _others(name, value, domain) -> list:
    if domain.names:
        return [other for other in domain.names if other != value]
    if isinstance(value, bool):
        return [not value]
    values = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(number, int) for number in values):
        return []
    found = []
    for up in (False, True):
        others = [_step(number, up, domain.power or name in SIZES) for number in values]
        if name == "layer.units":
            others[-1] = values[-1]  # classes are those of the data
        if all(domain.low <= number <= domain.high for number in others):
            found.append(others if isinstance(value, (list, tuple)) else others[0])
    return found


def _step(number: int, up: bool, doubles: bool) -> int:
    if doubles:
        return 2 * number if up else number // 2
    return number + 1 if up else number - 1
