"""Which error source a configuration has."""

from hebbware.golden.errors import InputError
from hebbware.golden.modulators.kinds import MODULATORS

from .hsic import Hsic
from .reservoir import ReservoirMemory
from .softmax import Softmax
from .source import ErrorSource

BY_MEMORY = {"reservoir": ReservoirMemory}
BY_MODULATOR = {
    "class-memory": Softmax,
    "hsic": Hsic,
    "none": Softmax,
    "symmetric": Softmax,
    "random": Softmax,
}


def source_of(config) -> type[ErrorSource]:
    """Class of the error source: that of the memory's kind, else of the modulator's, or family.

    Raises
    ------
    InputError
        The core is not to be had in hardware.
    """
    modulator = config.modulator
    if not modulator.in_hardware:
        layers = set(modulator.layers)
        possible = [kind for kind in BY_MODULATOR if layers & set(MODULATORS[kind].layers)]
        raise InputError(
            f"modulator.kind must be {' or '.join(map(repr, possible))} in hardware, not "
            f"{modulator.kind!r}: its core exists in software only"
        )
    found = BY_MODULATOR.get(modulator.kind, BY_MODULATOR[modulator.family])
    return BY_MEMORY.get(config.memory.kind, found)
