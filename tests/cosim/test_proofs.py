"""The prover itself: what holds, what does not, and what would say nothing."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.proofs import Proof, Vacuous, prove, prove_all

pytestmark = pytest.mark.usefixtures("yosys")


class Count(wiring.Component):
    """A counter from 0 to `last`, by what comes in (less than `below`), that is never `never`."""

    def __init__(self, never, below=8, last=15):
        self.never, self.below, self.last = never, below, last
        super().__init__({"go": In(1), "by": In(3), "ok": Out(1), "given": Out(1)})

    def elaborate(self, platform):
        m = Module()
        count = Signal(4)
        total = count + self.by
        with m.If(self.go):
            m.d.sync += count.eq(total)
            with m.If(total > self.last):
                m.d.sync += count.eq(0)
        m.d.comb += [self.ok.eq(count != self.never), self.given.eq(self.by < self.below)]
        return m


class Late(wiring.Component):
    """High from clock 1 on."""

    ok: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.ok.eq(1)
        return m


class Held(wiring.Component):
    """What is read of a memory is the word that was written there last, from clock 1 on.

    `reached` where one was written; `fault`: a certain word is written elsewhere.
    """

    def __init__(self, *, blind=False, fault=False):
        self.blind, self.fault = blind, fault
        members = {"put": In(1), "at": In(2), "word": In(3)}
        super().__init__(members | {"ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory.Memory(shape=3, depth=4, init=[])
        write, read = words.write_port(), words.read_port()
        last, before, wrote = Signal(3), Signal(3), Signal()
        m.d.comb += [
            write.en.eq(self.put),
            write.addr.eq(self.at ^ (self.fault & (self.word == 5))),
            write.data.eq(self.word),
            read.addr.eq(2),
            self.ok.eq(read.data == before),
            self.reached.eq(wrote & (not self.blind)),
        ]
        m.d.sync += before.eq(last)
        with m.If(self.put & (self.at == 2)):
            m.d.sync += [last.eq(self.word), wrote.eq(1)]
        return m


def counted(found):
    """The counter after each clock of a counterexample."""
    count, seen = 0, []
    for go, by in zip(found["go"], found["by"], strict=True):
        seen.append(count)
        count = (count + go * by) % 16
    return seen


def test_holds_as_long_as_it_holds():
    assert prove(Count(14, below=7), clocks=3) == Proof(True)
    proof = prove(Count(14, below=7), clocks=4)
    assert not proof.holds
    found = proof.counterexample
    assert set(found) == {"go", "by", "ok", "given"}
    assert found["given"] == [1] * 4
    assert found["ok"] == [1, 1, 1, 0]  # the shortest one
    assert counted(found)[-1] == 14
    assert max(found["by"]) < 7


def test_the_first_clocks_may_be_left_out():
    assert prove(Late()).counterexample["ok"] == [0]
    assert prove(Late(), clocks=3, skip=1) == Proof(True)


def test_for_ever():
    assert prove(Count(13, last=12), clocks=2, induction=True) == Proof(True)
    assert prove(Count(12, last=12), clocks=2, induction=True) == Proof(False)  # not known
    found = prove(Count(12, last=12), clocks=9, induction=True).counterexample
    assert counted(found)[-1] == 12


def test_several_at_once():
    proofs = prove_all({"nine": Count(9), "three": Count(3)}, clocks=2)
    assert [(name, proof.holds) for name, proof in proofs.items()] == [
        ("nine", True),
        ("three", False),
    ]


def test_memories():
    assert prove(Held(), clocks=5, skip=1) == Proof(True)
    found = prove(Held(fault=True), clocks=5, skip=1).counterexample
    assert any(at & 2 and word == 5 for at, word in zip(found["at"], found["word"], strict=True))


def test_what_cannot_happen_proves_nothing():
    with pytest.raises(Vacuous, match="^it: `reached` is never high in 5 clocks"):
        prove(Held(blind=True), clocks=5)
    with pytest.raises(Vacuous, match="^it: `reached` is never high in 1 clocks"):
        prove(Held(), clocks=1)
