"""The emitted Verilog in a second and a third simulator, against golden in value and clock."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from hebbware.cosim import stimuli
from hebbware.cosim.second import EDITIONS, ICARUS, core_trial, cxxrtl, icarus, reservoir_trial
from hebbware.golden.config import CoreConfig, dense, load
from hebbware.golden.errors import InputError
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.reservoir.machine import Op
from hebbware.golden.timing.reservoir import Command

needs_icarus = pytest.mark.skipif(not shutil.which(ICARUS), reason="Icarus is not on PATH")
needs_yosys = pytest.mark.usefixtures("yosys")

SMALL = CoreConfig.of((2, 3, 2), lanes=2)
CORES = {
    "two layers": load("xor"),
    "leaky": load("xor-leaky").derive(neuron__time_steps=3),
    "nine lanes": CoreConfig.of((3, 10, 4, 2), lanes=9),
    "one lane": CoreConfig.of((3, 4, 3), lanes=1),
    "one port": CoreConfig.of((3, 5, 2), lanes=3, weight_ports=1),
    "stochastic": CoreConfig.of((3, 5, 2), lanes=3, update__rounding="stochastic"),
    "hsic": load("digits-hsic").derive(**dense((3, 5, 2)), lanes=3, memory__window=4),
    "reservoir": load("digits-reservoir").derive(
        **dense((4, 5, 3)), lanes=4, reservoir__units=16, memory__projection=4
    ),
    **{
        name: CoreConfig.of((3, 5, 2), lanes=3, memory__kind=name, **fields)
        for name, fields in {
            "window": {"memory.window": 4}, "trace": {"memory.horizon": 6}, "codes": {}, "none": {},
        }.items()
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def small():
    """A small core with commands of every sort, all ends of its streams with pauses."""
    return trial(SMALL, 12)


def trial(config, samples):
    given = stimuli.commanded(config, count=samples)
    return core_trial(
        config, given.x, given.labels, commands=given.commands, seed=given.seed, stalls=given.stalls
    )


def equal(trial, verdict):
    assert verdict.message is None
    assert verdict.compared == sum(len(log) for log in trial.expected.values())
    assert verdict.clocks == trial.clocks


@needs_icarus
@pytest.mark.parametrize("edition", EDITIONS)
def test_core_in_icarus(small, edition):
    equal(small, icarus(small, edition))


@needs_yosys
def test_core_in_cxxrtl(small):  # half a minute where it is not yet compiled
    equal(small, cxxrtl(small))


@needs_icarus
def test_logic_that_waits_for_a_change_is_found(small):
    """As Yosys alone writes it: right in Verilog-2005, undefined outputs in SystemVerilog."""
    text = small.verilog.replace(
        "reg \\$start ;\n  initial \\$start  <= 1'h0;", "reg \\$start  = 0;"
    )
    assert text != small.verilog
    waiting = replace(small, verilog=text)
    equal(waiting, icarus(waiting, "2005"))
    assert icarus(waiting, "2012").message == "clock 0: a valid, ready or en is undefined"


def changed(trial, name, record, column, by):
    log = trial.expected[name].copy()
    log[record, column] = int(log[record, column]) + by
    return replace(trial, expected={**trial.expected, name: log})


def after_a_gap(trial, name):
    """A record with a clock before it in which there is none: it could have come sooner."""
    clocks = trial.expected[name][:, 0].astype(np.int64)
    return int(np.flatnonzero(np.diff(clocks) > 1)[2]) + 1


@needs_icarus
@pytest.mark.parametrize(("column", "by"), [(1, 1), (0, 1), (0, -1)])
def test_icarus_finds_a_difference(small, column, by):
    """Another value; a record that came a clock too early or too late."""
    record = after_a_gap(small, "results")
    wrong = changed(small, "results", record, column, by)
    clock = int(small.expected["results"][record, 0]) + min(by, 0) * (column == 0)
    message = icarus(wrong, "2012").message
    assert message.startswith(f"clock {clock}: results, record {record}: expected 0x")


@pytest.mark.slow  # compiles three models: 2 minutes
@needs_yosys
@pytest.mark.parametrize(("column", "by"), [(1, 1), (0, 1), (0, -1)])
def test_cxxrtl_finds_a_difference(small, column, by):
    record = after_a_gap(small, "results")
    wrong = changed(small, "results", record, column, by)
    clock = int(small.expected["results"][record, 0]) + min(by, 0) * (column == 0)
    message = cxxrtl(wrong).message
    assert message.startswith(f"clock {clock}: results, record {record}: expected 0x")


def test_without_icarus(small, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="^iverilog: not found on PATH"):
        icarus(small, "2005")


@pytest.mark.slow  # 5 s each
@needs_icarus
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("name", CORES)
def test_other_cores_in_icarus(name, edition):
    other = trial(CORES[name], 20)
    equal(other, icarus(other, edition))


@pytest.mark.slow  # half a minute each
@needs_yosys
@pytest.mark.parametrize("name", CORES)
def test_other_cores_in_cxxrtl(name):
    other = trial(CORES[name], 20)
    equal(other, cxxrtl(other))


@pytest.fixture(scope="module")
def reservoir():
    """A reservoir that learns, with commands between its steps and pauses."""
    config = ReservoirConfig(units=16, lanes=4, inputs=3, outputs=2, leak=2, rounding="stochastic")
    rng = np.random.default_rng(2)
    x = rng.integers(config.input.min, config.input.max + 1, (20, 3))
    targets = rng.integers(config.u.min // 4, config.u.max // 4, (20, 2))
    commands = [
        Command(Op.WRITE, 5, 77),
        Command(Op.TRAIN, data=1, after=8),
        Command(Op.READ, 5, after=20),
        Command(Op.CLEAR, after=30),
    ]
    return reservoir_trial(config, x, targets, commands=commands, stalls=100, seed=3)


@needs_icarus
@pytest.mark.parametrize("edition", EDITIONS)
def test_reservoir_in_icarus(reservoir, edition):
    equal(reservoir, icarus(reservoir, edition))


@pytest.mark.slow  # half a minute
@needs_yosys
def test_reservoir_in_cxxrtl(reservoir):
    equal(reservoir, cxxrtl(reservoir))
