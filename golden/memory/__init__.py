"""Working memories, each a table of the configuration: see `hebbware.golden.memory.base`."""

from .base import Memory, Write
from .codes import Codes, Frozen
from .gated import STORED_FRACTION, Gated
from .reservoir import Reservoir
from .samples import Samples
from .trace import Trace
from .window import Window

MEMORIES: dict[str, type[Memory]] = {
    memory.kind: memory for memory in (Gated, Window, Trace, Codes, Frozen, Samples, Reservoir)
}

__all__ = [
    "MEMORIES", "STORED_FRACTION", "Codes", "Frozen", "Gated", "Memory", "Reservoir", "Samples",
    "Trace", "Window", "Write",
]  # fmt: skip
