"""Verilog of a component, read alike by Verilog-2005 and by SystemVerilog.

Yosys writes combinational logic as ``always @*``, which runs when a signal that it reads changes.
So that each runs once at the beginning, it reads a register of its own that Yosys declares as
``reg start = 0``. In Verilog that is a change at time 0; in SystemVerilog the register has its
value before anything runs, nothing changes, and logic on constants and start values stays
undefined. Here the register is assigned by a nonblocking assignment of an ``initial`` block, which
by both standards takes effect after every ``always`` has begun to wait.
"""

import re
from typing import Any

from amaranth.back import verilog
from amaranth.lib.wiring import Component

from ..golden.errors import ToolError
from ..golden.system import children, places

START = r"\$start "  # the register; Amaranth gives no signal of a design such a name
_DECLARED = re.compile(r"^( *)reg (\\\S+ ) = 0;\n", re.MULTILINE)
_READ = re.compile(r"^ *if \((\\\S+ )\) begin end\n", re.MULTILINE)
_BARE = re.compile(r"^( *)always @\*\n +(.*;)\n", re.MULTILINE)


def convert(component: Component, name: str, *, platform: Any = None) -> str:
    """Verilog of a component as the module `name`, without source locations.

    Raises
    ------
    ToolError
        Yosys fails.
    InputError
        There is no folder for its cache.
    """
    component._MustUse__used = True  # no warning of Amaranth, even where there is no such folder
    try:
        with places.others_keep(), children.of_others():
            text = verilog.convert(
                component, name=name, platform=platform, emit_src=False, strip_internal_attrs=True
            )
    except verilog.YosysError as error:
        raise ToolError("Yosys writes no Verilog", str(error)) from None
    return started(text)


def started(text: str) -> str:
    """Change the Verilog of Yosys so that all logic runs at time 0 in either language.

    Raises
    ------
    ValueError
        If the text is not as Yosys is known to write it.
    """
    parts = re.split(r"^(?=module )", text, flags=re.MULTILINE)
    return "".join([_module(part) for part in parts])


def _module(text: str) -> str:
    if "always @*" not in text:
        return text
    names = set(_READ.findall(text))
    declared = [match for match in _DECLARED.finditer(text) if match[2] in names]
    if len(names) != 1 or len(declared) != 1 or START in text:
        raise ValueError(
            "logic must read one register that is declared once, not "
            f"{sorted(names)} in {text.partition('(')[0].strip()}"
        )
    indent, name = declared[0].groups()
    text = text.replace(
        declared[0][0],
        f"{indent}// makes all logic run at time 0\n"
        f"{indent}reg {START};\n{indent}initial {START} <= 1'h0;\n",
    ).replace(name, START)
    # bits of a register that no process assigns
    text = _BARE.sub(
        lambda m: (
            f"{m[1]}always @* begin\n{m[1]}  if ({START}) begin end\n{m[1]}  {m[2]}\n{m[1]}end\n"
        ),
        text,
    )
    if text.count("always @*") != text.count(f"if ({START}) begin end"):
        raise ValueError(f"logic must read {START.strip()} in every always @*")
    return text
