"""What passes say of themselves: rows, addresses, latencies, groups of steps, by hand."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived
from hebbware.golden.config.core import dotted
from hebbware.golden.program.program import passes_of_sample, program, start_program
from hebbware.golden.program.walk import Kind, Made, Rows, Skip, Store, Walk, Written, latest
from hebbware.hdl.walks.step import kinds_of

# blocks of 4 lanes: 2 and 2; 4 + 1, 7 + 1 and 3 rows of weights
BASE = {**dense((4, 7, 5, 3)), "lanes": 4, "memory.window": 8, "memory.horizon": 4}


def configuration(**fields):
    return CoreConfig.from_dict(derived(BASE, dotted(fields)))


def walks(**fields):
    config = configuration(**fields)
    return {p.name: p.walk for p in (*program(config), *start_program(config))}


@pytest.mark.parametrize(
    ("walk", "rows"),
    [
        (Walk(count=5), 5),
        (Walk(rows=Rows.INPUTS, count=5), 3),  # two inputs and the bias
        (Walk(rows=Rows.ERRORS, count=5), 4),  # three errors and the Jacobian
        (Walk(rows=Rows.LABEL, count=5), 1),
        (Walk(rows=Rows.OLDEST, count=5, skip=Skip.NO_OLDEST), 0),
        (Walk(count=5, skip=Skip.NO_ERRORS), 5),
    ],
)
def test_rows_walked(walk, rows):
    assert walk.rows_walked(inputs=2, errors=3, oldest=False) == rows
    if walk.skip is Skip.NO_ERRORS:
        assert walk.rows_walked(inputs=2, errors=0, oldest=True) == 0
    if walk.rows is Rows.OLDEST:
        assert walk.rows_walked(inputs=2, errors=0, oldest=True) == 1


def test_addresses():
    """Weights: 5 rows in each of two blocks, 8 in each of two, then 3 rows of two blocks."""
    found = walks()
    update, second, readout = found["update0"], found["update1"], found["readout2"]
    assert update.addresses(np.array([1, 4])).tolist() == [[1, 4], [6, 9]]
    assert second.addresses(np.arange(8)).ravel().tolist() == list(range(10, 26))
    assert readout.addresses(np.arange(3)).ravel().tolist() == list(range(26, 32))
    # class memory: 3 rows of two blocks in each layer
    assert found["memory1"].addresses(np.array([2])).tolist() == [[10, 11]]
    assert [found[name].base for name in ("start_weights2", "start_memory1")] == [26, 6]
    assert [found[name].row_inner for name in ("start_weights1", "start_weights2")] == [True, False]


def test_kinds_of_memory_say_which_rows_are_written():
    written = {memory: walks(memory__kind=memory) for memory in ("gated", "window", "trace")}
    rows = {memory: found["memory0"].rows for memory, found in written.items()}
    assert rows == {"gated": Rows.ALL, "window": Rows.LABEL, "trace": Rows.LABEL}
    assert [memory for memory, found in written.items() if "forget0" in found] == ["window"]
    assert written["window"]["forget0"].rows is Rows.OLDEST
    assert "memory0" not in walks(memory__kind="codes")
    hsic = walks(modulator__kind="hsic")
    assert hsic["direction0"].count == hsic["similarity0"].count + 1 == 9
    assert hsic["memory0"].reads == ()  # a row is replaced
    assert hsic["forward0"].clears_first == ("kernels",) != hsic["forward1"].clears_first


def test_one_port_is_written_in_every_second_clock_and_never_read_meanwhile():
    config = configuration(weight_ports=1)
    writers = {"update0", "update1", "readout2"}
    for p in program(config):
        writes = Store.WEIGHTS in p.walk.writes
        assert p.walk.pace == 1 + writes == 1 + (p.name in writers)
        assert writers <= set(p.waits) or not p.walk.touches(Store.WEIGHTS)


def test_passes_of_a_sample():
    config = configuration(neuron__kind="leaky", neuron__time_steps=3)
    settling = [f"{kind}{n}" for n in (0, 1) for kind in ("forward", "sum", "squares", "normalise")]
    inferred = [(time, p.name) for time, p in passes_of_sample(config, False)]
    steps = [(time, name) for time in range(3) for name in settling]
    assert inferred == [*steps, (2, "scores2")]
    learned = [(time, p.name) for time, p in passes_of_sample(config, True)]
    assert [entry for entry in learned if entry[0] < 2] == steps[:16]
    assert [name for time, name in learned if time == 2] == [p.name for p in program(config)]


def test_groups_of_steps():
    """By hand; their order is that of the netlist."""
    names = {
        "updates": "UPDATE READOUT START_WEIGHTS HOST_WEIGHT",
        "memory_updates": "FORGET MEMORY START_MEMORY HOST_MEMORY",
        "dots": "SUM SQUARES SIMILARITY SCORES",
        "starts": "START_WEIGHTS START_MEMORY",
        "random": "UPDATE READOUT FORGET MEMORY START_WEIGHTS START_MEMORY",
    }
    groups = kinds_of(configuration())
    for group, expected in names.items():
        assert [kind.name for kind in getattr(groups, group)] == expected.split()


def test_latest():
    one, other = np.array([1]), np.array([2])
    forward, normalise = program(configuration())[0], Kind.NORMALISE
    assert forward.kind != normalise
    passes = [
        Made(forward, time, 1, (Written(Store.A, 0, None, a),))
        for time, a in ((0, one), (1, other))
    ]
    assert latest(passes) == {(Store.A, 0): other}
    assert passes[0].values(Store.A) is one
    assert passes[0].values(Store.Z) is None
