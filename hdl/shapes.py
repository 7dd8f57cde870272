"""Shapes shared by the blocks."""

from amaranth.hdl import signed, unsigned


def index(count: int):
    """Shape of a number in ``0 .. count - 1``, at least one bit: Verilog has no empty vectors."""
    return unsigned(max((count - 1).bit_length(), 1))


def value_shape(config):
    """Shape of an input as the core works on it: signed where it is centred."""
    return signed(config.input.bits) if config.input.centred else unsigned(config.input.bits)
