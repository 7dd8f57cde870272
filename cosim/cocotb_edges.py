"""What cocotb runs to be compared with: the usual way, Python at every clock edge.

A monitor awaits each rising edge and looks at the handshake of the results. Its working directory
holds ``job.json``; it leaves ``result.json``.
"""

import json
import time
from pathlib import Path

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test()
async def monitor(dut):
    """Runs the job."""
    job = json.loads(Path("job.json").read_text())
    for _ in range(job["reset"]):
        await RisingEdge(dut.clk)
    valid, ready, moved = dut.results__valid, dut.results__ready, 0
    start = time.perf_counter()
    for _ in range(job["clocks"]):
        await RisingEdge(dut.clk)
        moved += valid.value == 1 and ready.value == 1
    result = {"seconds": time.perf_counter() - start, "moved": int(moved)}
    Path("result.json").write_text(json.dumps(result))
