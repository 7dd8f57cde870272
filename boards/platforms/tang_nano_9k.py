"""Sipeed Tang Nano 9K: Gowin GW1NR-9."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform as Original

from .gowin import HimbaechelMixin


class TangNano9kPlatform(HimbaechelMixin, Original):
    """The board as amaranth-boards has it."""
