"""Other ways to simulate a core, to compare with: cocotb at every edge, Amaranth's simulator."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.system import places
from hebbware.hdl.core import Core

from .bench import RESET_CLOCKS
from .build import Model
from .core import sample_words, stimulus
from .run import plusargs, simulate, write_stimulus

SETTLING = 64  # clocks before Amaranth's simulator is timed: it compiles on the way


def edge_speed(
    model: Model, config: CoreConfig, x: np.ndarray, labels: Sequence[int], clocks: int
) -> tuple[float, int]:
    """Clocks per second of a simulation where a cocotb monitor awaits every edge.

    The same program as `hebbware.cosim.core.cosimulate` runs: what differs is what Python does.

    Parameters
    ----------
    model : Model
        From `hebbware.cosim.core.build_core`.
    config, x, labels
        As `cosimulate` takes them.
    clocks : int

    Returns
    -------
    float, int
        Clocks per second; results that were seen to move.

    Raises
    ------
    ToolError
        The simulator dies.
    """
    channels = model.bench.channels
    with places.temporary() as work:
        write_stimulus(work, channels, stimulus(config, x, labels))
        (work / "job.json").write_text(json.dumps({"reset": RESET_CLOCKS, "clocks": clocks}))
        arguments = [*plusargs(channels, config.seed, 0), "+reset_after=0"]
        simulate(model, work, arguments, test_module="hebbware.cosim.cocotb_edges")
        found = json.loads(Path(work / "result.json").read_text())
    return clocks / found["seconds"], found["moved"]


def amaranth_speed(
    config: CoreConfig, x: np.ndarray, labels: Sequence[int], clocks: int
) -> tuple[float, int]:
    """Clocks per second of a core in Amaranth's own simulator; parameters as `edge_speed`.

    Elaboration and the compilation of the design are left out.
    """
    from amaranth.sim import Simulator

    core, seen = Core(config), {}
    words = iter(sample_words(config, x, labels).tolist())

    async def feed(ctx):
        for word in words:
            ctx.set(core.samples.payload, word)
            ctx.set(core.samples.valid, 1)
            taken = False
            while not taken:
                _, _, taken = await ctx.tick().sample(core.samples.ready)
        ctx.set(core.samples.valid, 0)

    async def measure(ctx):
        moved, start = 0, 0.0
        ctx.set(core.results.ready, 1)
        for clock in range(SETTLING + clocks):
            if clock == SETTLING:
                start = time.perf_counter()
            _, _, valid = await ctx.tick().sample(core.results.valid)
            moved += valid
        seen.update(seconds=time.perf_counter() - start, moved=moved)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_process(feed)
    simulator.add_testbench(measure)
    simulator.run()
    return clocks / seen["seconds"], seen["moved"]
