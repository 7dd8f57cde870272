"""Which error source a configuration has."""

from .hsic import Hsic
from .reservoir import ReservoirMemory
from .softmax import Softmax
from .source import ErrorSource

BY_MEMORY = {"reservoir": ReservoirMemory}
BY_MODULATOR = {"class-memory": Softmax, "hsic": Hsic, "none": Softmax}


def source_of(config) -> type[ErrorSource]:
    """Class of the error source: that of the memory kind, else that of the modulator."""
    return BY_MEMORY.get(config.memory.kind, BY_MODULATOR[config.modulator.kind])
