"""Kinds of steps: every kind of pass has one of its own, and so have the host's two."""

import ast
from enum import StrEnum
from pathlib import Path

import pytest
from amaranth.hdl import Shape

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.walk import Kind as GoldenKind
from hebbware.hdl.walks.step import kinds, kinds_of

DENSE = kinds_of(CoreConfig.of((3, 4, 2)))
HOSTS = DENSE.hosts


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
    """All but those of sequences, maps and updates beside; a core of sequences has those that it
    walks.
    """
    always = [
        kind
        for kind in GoldenKind
        if not (kind.walk.sequence or kind.walk.maps or kind.walk.overlaps)
    ]
    assert [kind.name for kind in DENSE.Kind] == [kind.name for kind in kinds(always)]
    beside = kinds_of(CoreConfig.of((3, 4, 2), update__overlap=True))
    assert {kind.name for kind in beside.Kind} - {kind.name for kind in DENSE.Kind} == {"HANDOVER"}
    of_ticks = CoreConfig.of(
        (3, 4, 2), layer__kind=["recurrent", "readout"], neuron__ticks=2, lanes=2
    )
    assert [kind.name for kind in kinds_of(of_ticks).Kind] == [
        *("SCORES", "READOUT", "START_WEIGHTS", "START_MEMORY", "TRACE_INPUTS", "TRACE_UNITS"),
        *("FORWARD_INPUTS", "FORWARD_UNITS", "FILTER", "FEEDBACK", "UPDATE_INPUTS"),
        *("UPDATE_UNITS", "HOST_WEIGHT", "HOST_MEMORY"),
    ]


HDL = Path(__file__).resolve().parents[2] / "hdl"
# what takes the totals of certain passes; all others read in its walk what a step does
TAKERS = {"core.py", "normalise.py", "errors/distances.py"}


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
        and "Kind" in (getattr(node.value, "id", ""), getattr(node.value, "attr", ""))
        and node.attr in GoldenKind.__members__
    }
    assert bool(named) == (path in TAKERS), named
