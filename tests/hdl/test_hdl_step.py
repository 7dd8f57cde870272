"""Kinds of steps: every kind of pass has one of its own, and so have the host's two."""

import ast
from enum import StrEnum
from pathlib import Path

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


HDL = Path(__file__).resolve().parents[2] / "hdl"
# what takes the totals of certain passes; all others read in its walk what a step does
TAKERS = {"core.py", "normalise.py", "errors/arrivals.py", "errors/distances.py"}


@pytest.mark.parametrize(
    "path",
    [
        path.relative_to(HDL).as_posix()
        for path in sorted(HDL.rglob("*.py"))
        if "reservoir" not in path.relative_to(HDL).parts  # it has a program of its own
    ],
)
def test_hardware_reads_walks(path):
    """Another kind of pass needs no change of lanes, vectors, memories and sequencer."""
    named = {
        node.attr
        for node in ast.walk(ast.parse((HDL / path).read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Kind"
        and node.attr in GoldenKind.__members__
    }
    assert bool(named) == (path in TAKERS), named
