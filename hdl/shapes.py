"""Shapes shared by the blocks."""

from amaranth.hdl import unsigned


def index(count: int):
    """Shape of a number in ``0 .. count - 1``, at least one bit: Verilog has no empty vectors."""
    return unsigned(max((count - 1).bit_length(), 1))
