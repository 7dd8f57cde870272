"""Emitted Verilog: its logic runs at time 0, whichever edition of the language it is read by."""

import re

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.hdl.verilog import convert, started


class Choice(wiring.Component):
    """Logic that reads start values alone, and a register that is chosen in part."""

    which: In(2)
    answer: Out(8)
    kept: Out(8)

    def elaborate(self, platform):
        m = Module()
        with m.Switch(self.which):
            with m.Case(0):
                m.d.comb += self.answer.eq(5)
            with m.Case(1):
                m.d.comb += self.answer.eq(self.kept)
        with m.If(self.which[0]):
            m.d.sync += self.kept[0].eq(1)
        m.d.sync += self.kept[1:].eq(self.answer[1:])
        return m


def test_every_block_reads_a_register_that_is_assigned_at_time_0():
    text = convert(Choice(), "choice")
    blocks = re.findall(r"^  always @\*.*\n(.*)\n", text, re.MULTILINE)
    assert blocks
    assert {block.strip() for block in blocks} == {r"if (\$start ) begin end"}
    assert text.count("  reg \\$start ;\n  initial \\$start  <= 1'h0;\n") == 1
    assert re.search(r"^module choice\(", text, re.MULTILINE)
    assert "dump_module" not in text


def test_a_block_that_yosys_lets_wait():
    yosys = "module m(a, y);\n  reg \\$a  = 0;\n  always @* begin\n    if (\\$a ) begin end\n"
    yosys += "    y[0] = a;\n  end\n  always @*\n    y[7:1] = a[7:1];\nendmodule\n"
    assert started(yosys) == (
        "module m(a, y);\n"
        "  // makes all logic run at time 0\n"
        "  reg \\$start ;\n"
        "  initial \\$start  <= 1'h0;\n"
        "  always @* begin\n"
        "    if (\\$start ) begin end\n"
        "    y[0] = a;\n"
        "  end\n"
        "  always @* begin\n"
        "    if (\\$start ) begin end\n"
        "    y[7:1] = a[7:1];\n"
        "  end\n"
        "endmodule\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "  always @* begin\n    y = a;\n  end\n",  # reads no register
        "  reg \\$a  = 0;\n  always @* begin\n    y = a;\n  end\n",
        "  always @* begin\n    if (\\$a ) begin end\n    y = a;\n  end\n",  # declares none
        "  reg \\$a  = 0;\n  always @* begin\n    if (\\$a ) begin end\n    y = a;\n  end\n"
        "  always @* begin\n    z = a;\n  end\n",  # one of two reads none
    ],
)
def test_verilog_of_another_kind_is_refused(body):
    with pytest.raises(ValueError, match="^logic must read"):
        started(f"module m(a, y);\n{body}endmodule\n")
