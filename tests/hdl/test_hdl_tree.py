# amaranth: UnusedElaboratable=no
"""The adder tree, for every number of lanes up to 17, in value and clock."""

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.hdl.lanes.tree import AdderTree

WIDTH = 9
TREES = {
    f"lanes{lanes}": AdderTree(
        lanes=lanes, width=WIDTH, total_width=WIDTH + (lanes - 1).bit_length()
    )
    for lanes in [*range(1, 18), 33]
}
WORDS = 200


def test_sums_of_all_sizes():
    probes = {name: Probe(tree, {"seen": Event(("total",))}) for name, tree in TREES.items()}
    model = build(Probes(probes), quick=True)
    rng = np.random.default_rng(0)
    stimulus, expected = {}, {}
    for name, tree in TREES.items():
        low, high = -(1 << WIDTH - 1), (1 << WIDTH - 1) - 1
        inputs = rng.integers(low, high + 1, (WORDS, tree.lanes))
        inputs[10] = low  # the largest sums
        inputs[11] = high
        inputs[12 : 12 + tree.lanes] = np.eye(tree.lanes, dtype=int) * low  # each lane alone
        stimulus[f"{name}.drive"] = drive(probes[name], {"inputs": inputs})
        start = FIRST + tree.latency
        totals = np.zeros(start + WORDS, int)
        totals[start:] = inputs.sum(axis=1)
        channel = model.bench.channels[f"{name}.seen"]
        expected[channel.name] = event_log(
            probes[name], channel, np.arange(totals.size), total=totals
        )
        # in a whole run all logs have the same length: stop with the shortest
    clocks = min(len(log) for log in expected.values())
    expected = {name: log[:clocks] for name, log in expected.items()}
    result = run(model, stimulus, expected, clocks=clocks)
    assert result.mismatch is None
    assert result.compared == clocks * len(TREES)


@pytest.mark.parametrize(
    ("lanes", "latency"),
    [(1, 0), (2, 1), (4, 1), (5, 2), (8, 2), (9, 3), (32, 3), (33, 4), (64, 4), (128, 4)],
)
def test_registers_behind_two_levels_or_a_cluster(lanes, latency):
    assert AdderTree(lanes=lanes, width=4, total_width=11).latency == latency
