"""Kinds of steps: every kind of pass has one of its own, and so have the host's two."""

from enum import StrEnum

import pytest
from amaranth.hdl import Shape

from hebbware.golden.program.walk import Kind as GoldenKind
from hebbware.hdl.walks.step import HOSTS, Kind, kinds


@pytest.mark.parametrize("more", range(6))
def test_kinds_follow_from_the_passes(more):
    """Where passes are added, no two kinds share a number, and the field grows with them."""
    toys = {f"TOY_{n}": f"toy_{n}" for n in range(more)}
    passes = StrEnum("Passes", {kind.name: kind.value for kind in GoldenKind} | toys)
    found = kinds(passes)
    assert len({kind.value for kind in found}) == len([*found]) == len([*passes]) + len(HOSTS)
    assert [kind.name for kind in found] == [*(p.name for p in passes), *(h.name for h in HOSTS)]
    shape = Shape.cast(found)
    assert not shape.signed
    assert shape.width == (len([*passes]) + len(HOSTS) - 1).bit_length()


def test_kinds_of_the_core():
    assert [kind.name for kind in Kind] == [kind.name for kind in kinds(GoldenKind)]
