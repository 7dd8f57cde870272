"""The core made of the ECP5's multipliers and registers, against golden."""

import numpy as np
import pytest
from amaranth.vendor import LatticePlatform

from hebbware.cosim import models
from hebbware.cosim.core import build_core, cosimulate
from hebbware.golden.config import CoreConfig

# two clusters of lanes, with copies of what all of them are told
CONFIG = CoreConfig.of((7, 9, 5, 3), lanes=11, memory__horizon=5, layer__rate=(5, 5, 5))
# the same, and weights that lie in parts of a block RAM each
DEEP = CoreConfig.of((60, 80, 3), lanes=9, memory__horizon=5, layer__rate=(5, 5))


class Ecp5(LatticePlatform):
    """Enough of a platform to elaborate for an ECP5."""

    device, package, speed, default_clk = "LFE5U-25F", "BG381", "6", None
    resources, connectors = (), ()


@pytest.mark.parametrize("config", [CONFIG, DEEP], ids=["copies", "parts"])
def test_core_equals_golden_clock_for_clock(config):
    cells = models.read("MULT18X18D", "TRELLIS_FF")
    model = build_core(config, quick=True, platform=Ecp5(), models=cells)
    text = (model.directory / "dut.v").read_text()
    assert "MULT18X18D" in text
    assert "TRELLIS_FF" in text
    assert ("words_18" in text) == (config is DEEP)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (60, config.inputs))
    x[rng.random(x.shape) < 0.4] = 0
    labels = [int(n) if n < config.classes else None for n in rng.integers(0, 4, len(x))]
    for stalls in (0, 64):
        run = cosimulate(config, x, labels, model=model, stalls=stalls, seed=5)
        assert run.result.mismatch is None, run.message
        assert run.result.compared > 1000
