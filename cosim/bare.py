"""The fastest that Verilator can run a component: no bench, no cocotb, idle inputs.

What co-simulation reaches is quoted as a ratio of this.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from hebbware.golden.system import children

from .bench import Bench, describe
from .build import FLAGS, emit
from .cache import from_cache
from .records import Channel, port_name
from .toolchain import compile_program, find

_TOP = """\
module bare(input bit clk, input bit rst{declarations});
  dut dut (.clk(clk), .rst(rst){connections});
endmodule
"""

_MAIN = """\
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "Vbare.h"

int main(int, char** argv) {{
  const long clocks = std::atol(argv[1]);
  VerilatedContext context;
  Vbare top{{&context}};
  const auto run = [&](long count) {{
    for (long clock = 0; clock < count; ++clock) {{
      top.clk = 0;
      top.eval();
      top.clk = 1;
      top.eval();
    }}
  }};
{high}  top.rst = 1;
  run(4);
  top.rst = 0;
  const auto start = std::chrono::steady_clock::now();
  run(clocks);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%g\\n", clocks / took.count());
}}
"""


def bare_speed(
    component: wiring.Component,
    clocks: int,
    *,
    constants: Mapping[str, int] | None = None,
    ignored: tuple[str, ...] = (),
    platform: Any = None,
) -> float:
    """Clocks per second of a component alone, over that many `clocks`.

    Every ``valid`` and ``ready`` that the component reads is high, every payload zero. The inputs
    stay ports, so that nothing is simplified away. The other parameters and what is raised are
    those of :func:`hebbware.cosim.build.build`.
    """
    bench = describe(component, constants=constants, ignored=ignored)
    sources = {"dut.v": emit(component, platform=platform), **_wrapper(bench)}
    tools = find()
    flags = (*FLAGS, "--cc", "--exe", "--build", "--top-module", "bare", "-o", "bare")

    def compile_into(directory: Path) -> None:
        files = [directory.parent / name for name in sources]
        compile_program(files, flags, tools, directory)

    directory, _ = from_cache("bare", sources, flags, tools, compile_into)
    command = [directory / "bare", str(clocks)]
    result = children.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    children.check("the simulator", result.returncode, result.stderr)
    return float(result.stdout)


def _wrapper(bench: Bench) -> dict[str, str]:
    """A top with short port names (Verilator mangles long ones), and the loop around it."""
    declarations, connections, high = "", "", ""
    ports = [port for channel in bench.channels.values() for port in _ports(channel)]
    for number, (name, direction, width) in enumerate(ports):
        declarations += f",\n    {direction} bit [{width}-1:0] p{number}"
        connections += f",\n    .{name}(p{number})"
        if direction == "input" and not name.endswith("__payload"):
            high += f"  top.p{number} = 1;\n"
    nets = bench.ports()
    for port in map(port_name, (*bench.constants, *bench.ignored)):
        connections += f",\n    .{port}({nets[port]})"
    return {
        "bare.sv": _TOP.format(declarations=declarations, connections=connections),
        "main.cpp": _MAIN.format(high=high),
    }


def _ports(channel: Channel) -> list[tuple[str, str, int]]:
    """Name, direction and width of the ports of a channel."""
    if channel.kind == "event":
        widths = {"en": 1, "address": channel.address_width, "data": channel.width}
        return [(f"{channel.port}__{name}", "output", width) for name, width in widths.items()]
    sent, taken = ("input", "output") if channel.kind == "source" else ("output", "input")
    return [
        (f"{channel.port}__payload", sent, channel.width),
        (f"{channel.port}__valid", sent, 1),
        (f"{channel.port}__ready", taken, 1),
    ]
