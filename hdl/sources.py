"""Which error source a configuration has."""

from .errors import ErrorSource
from .hsic import Hsic
from .reservoir_memory import ReservoirMemory
from .softmax import Softmax

BY_MEMORY = {"reservoir": ReservoirMemory}
BY_MODULATOR = {"class-memory": Softmax, "hsic": Hsic}


def source_of(config) -> type[ErrorSource]:
    """Class of the error source: that of the memory kind, else that of the modulator."""
    return BY_MEMORY.get(config.memory, BY_MODULATOR[config.modulator])
