"""The table of the reservoirs that serve as memory."""

from dataclasses import dataclass

from ..settings.tables import Table, choice, power, whole
from .cell import TOPOLOGIES
from .memory import DECODERS


@dataclass(frozen=True, kw_only=True)
class Reservoir(Table):
    """One reservoir for each hidden layer.

    Parameters
    ----------
    units, bits : int
        Units, a power of two in 16..512; bits of their states, 4..16.
    topology : str
        ``sparse | cycle``.
    gain : int
        log2 of the factor of the input, -16..16.
    lanes : int
        Units that are worked on per clock: 1, 2, 4, 8 or 16.
    seed : int
        Start of the generators.
    decoder : str
        ``ridge`` (trained at the first use, on random signals), a file of such a decoder, or a
        control: ``shuffled``, ``zero``, ``exact`` (no reservoir, golden only).
    """

    table = "reservoir"
    units: int = power(256, 16, 512, ", so that every connection reaches whole words of the lanes")
    bits: int = whole(8, 4, 16)
    topology: str = choice("sparse", TOPOLOGIES)
    gain: int = whole(-8, -16, 16)
    lanes: int = power(16, 1, 16)
    seed: int = whole(0, 0, 2**32 - 1)
    decoder: str = choice("ridge", DECODERS, files=".npz")
