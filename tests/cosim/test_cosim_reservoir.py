"""The reservoir block in RTL against golden: values and clocks, with and without pauses."""

import numpy as np
import pytest

from hebbware.cosim.reservoir import build_reservoir, cosimulate
from hebbware.golden.errors import InputError
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.reservoir.machine import Op
from hebbware.golden.timing.reservoir import Command, predict, step_clocks

CONFIGS = {
    "sparse": ReservoirConfig(
        units=32, lanes=4, inputs=5, outputs=3, state_bits=8, rounding="stochastic", leak=3,
        gain=-1, input_bits=9, input_fraction=7, seed=7,
    ),
    "one word of lanes": ReservoirConfig(units=16, lanes=16, topology="cycle", rho=0.9),
    "tanh": ReservoirConfig(
        units=64, lanes=8, inputs=3, outputs=2, topology="cycle", state_bits=16,
        activation="tanh", rounding="stochastic",
    ),
    "states of one lane": ReservoirConfig(
        units=32, lanes=1, inputs=2, output="state", state_bits=6, activation="tanh",
        rounding="floor", leak=2,
    ),
}  # fmt: skip
STEPS = 60


def stimulus(config):
    """Random inputs with zeros, random targets, and every command."""
    rng = np.random.default_rng(1)
    x = rng.integers(config.input.min, config.input.max + 1, (STEPS, config.inputs))
    x[rng.random(x.shape) < 0.3] = 0
    if config.output == "state":
        every = [Command(op, 5, -1, after=20 * config.units) for op in Op]
        return x, None, [*every, Command(Op.CLEAR, after=30 * config.units)]
    low, high = config.u.min, config.u.max
    targets = rng.integers(low // 4, high // 4, (STEPS, config.outputs))
    weights = config.outputs * config.units
    low, high = config.weight.min, config.weight.max
    commands = [
        *(
            Command(Op.WRITE, int(rng.integers(weights)), int(rng.integers(low, high + 1)))
            for _ in range(20)
        ),
        *(
            Command(op, address, data)
            for op in (Op.WRITE, Op.READ)
            for address in (weights - 1, weights, 2 * weights + 3, (1 << 20) - 1)
            for data in (0x5A5A, -1)
        ),
        Command(Op.TRAIN, data=2, after=5 * config.outputs),
        Command(Op.TRAIN, data=7, after=10 * config.outputs),
        Command(Op.READ, weights - 1, after=20 * config.outputs),
        Command(Op.TRAIN, data=0, after=40 * config.outputs),
        Command(Op.CLEAR, after=50 * config.outputs),
        Command(Op.READ, 3, after=60 * config.outputs),
    ]
    return x, targets, commands


@pytest.mark.parametrize("name", CONFIGS)
def test_rtl_follows_golden(name):
    config = CONFIGS[name]
    x, targets, commands = stimulus(config)
    weights = None
    if config.output == "readout":
        low, high = config.weight.min, config.weight.max + 1
        weights = np.random.default_rng(2).integers(low, high, (config.outputs, config.units))
    model = build_reservoir(config, weights=weights, quick=True)
    for stall in (0, 100):
        found = cosimulate(
            config, x, targets, weights=weights, model=model, commands=commands, seed=3,
            stalls=stall,
        )  # fmt: skip
        assert found.result.mismatch is None, found.result.mismatch
        results = found.prediction.results
        assert len(found.result.logs["results"]) == results.size
        assert len(np.unique(results)) > 20
        writes = STEPS * config.blocks + results.size + len(commands)
        assert found.result.compared >= writes


@pytest.mark.parametrize("name", CONFIGS)
def test_clocks_of_a_step(name):
    config = CONFIGS[name]
    x = np.full((3, config.inputs), 3)
    x[:, 0] = [1, 1, 0]
    clocks = predict(config, x).channels["results"].arrays()[0].reshape(3, -1)
    assert clocks[1, 0] - clocks[0, 0] == step_clocks(config)
    assert clocks[2, 0] - clocks[1, 0] == step_clocks(config, config.inputs - 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"op": 4}, r"op of a command must be a whole number in 0\.\.3, not 4"),
        ({"address": 1 << 20}, r"address of a command must be .* in 0\.\.1048575, not 1048576"),
        ({"data": 1 << 16}, r"data of a command must be .* in -32768\.\.65535, not 65536"),
    ],
)
def test_what_no_word_can_hold_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Command(**{"op": Op.READ} | fields)


def test_targets_must_be_enough():
    config = CONFIGS["sparse"]
    train = [Command(Op.TRAIN, data=1)]
    with pytest.raises(InputError, match="targets must be for each step that learns, not 1"):
        predict(config, np.zeros((2, 5), int), np.zeros((1, 3), int), commands=train)
