"""Which error source a configuration has."""

from .hsic import Hsic
from .reservoir import ReservoirMemory
from .softmax import Softmax
from .source import ErrorSource
from .squared import Squared

BY_MEMORY = {"reservoir": ReservoirMemory}
BY_MODULATOR = {
    "class-memory": Softmax,
    "hsic": Hsic,
    "none": Softmax,
    "symmetric": Softmax,
    "random": Softmax,
    "surprise": Softmax,
}


def source_of(config) -> type[ErrorSource]:
    """Class of the error source: that of the targets, where they are signals; else that of the
    memory's kind, or of the modulator's, or family.
    """
    if config.signal:
        return Squared
    modulator = config.modulator
    found = BY_MODULATOR.get(modulator.kind, BY_MODULATOR[modulator.family])
    return BY_MEMORY.get(config.memory.kind, found)
