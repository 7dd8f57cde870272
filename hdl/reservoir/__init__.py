"""The reservoir in hardware: `hebbware.golden.reservoir.cell` and its readout.

`Engine` is for use inside something larger; `ReservoirBlock` puts streams around it.
"""

from .block import ReservoirBlock
from .engine import Engine

__all__ = ["Engine", "ReservoirBlock"]
