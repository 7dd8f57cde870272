"""The stimuli of co-simulations: each does to the core what it is there for."""

from pathlib import Path

import numpy as np
import pytest

from hebbware.cosim.build import build
from hebbware.cosim.commands import limits, places
from hebbware.cosim.core import cosimulate
from hebbware.cosim.stimuli import (
    HARD,
    STREAMS,
    after_each,
    even,
    extreme,
    roundings,
    stalled,
    suite,
)
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.config import dense as sizes
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.layers import dense
from hebbware.golden.program.commands import Op, Space
from hebbware.golden.timing.schedule import predict
from hebbware.hdl.core import Core

SMALL = CoreConfig.of((4, 3, 5, 3), lanes=2, memory__horizon=3)
HSIC = CoreConfig.from_dict(
    {
        **sizes([3, 4, 2]),
        "lanes": 9,
        "modulator.kind": "hsic",
        "memory.window": 4,
        "layer.rate": [5, 5],
    }
)
CONFIGS = {
    "small": SMALL,
    "nine lanes": CoreConfig.of((3, 10, 2, 2), lanes=9),
    "frozen": CoreConfig.of((3, 4, 2), lanes=3, memory__kind="none"),
    "codes": CoreConfig.of((3, 4, 2), lanes=3, memory__kind="codes"),
    "trace with codes": CoreConfig.of(
        (3, 4, 2), lanes=3, memory__kind="trace", memory__horizon=4, memory__kappa=0.5
    ),
    "hsic": HSIC,
    "leaky": CoreConfig.of(
        (2, 3, 2), lanes=2, neuron__kind="leaky", neuron__time_steps=3, input__centred=True
    ),
}


def predicted(config, stimuli):
    core = GoldenCore(config)
    return core, predict(
        config, stimuli.x, stimuli.labels, core=core, commands=stimuli.commands,
        seed=stimuli.seed, stalls={},
    )  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_golden_takes_the_suite(name):
    config = CONFIGS[name]
    found = suite(config)
    assert len({stimuli.name for stimuli in found}) == len(found)
    for stimuli in found:
        core, prediction = predicted(config, stimuli)
        assert len(prediction.classes) == len(stimuli.x) == len(stimuli.labels)
        responses = prediction.channels["responses"].arrays()[0]
        assert len(responses) == len(stimuli.commands)
        after = [command.after for command in stimuli.commands]
        assert after == sorted(after)
        assert 0 <= max(after, default=0) <= len(stimuli.x) * (config.classes + 1)


def test_seeds_differ_and_repeat():
    first, again, other = (suite(SMALL, seed) for seed in (0, 0, 1))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.x, b.x)
        assert a.commands == b.commands
        differs = not np.array_equal(a.x, c.x), a.commands != c.commands, a.labels != c.labels
        assert any(differs)


def test_even_samples():
    x = even(SMALL, count=12).x
    assert {tuple(np.unique(row)) for row in x} == {(0,), (255,), (0, 255)}


def test_a_command_waits_at_the_end_of_every_learned_sample():
    stimuli = after_each(SMALL)
    _, prediction = predicted(SMALL, stimuli)
    answers = prediction.channels["responses"].arrays()[0]
    waited = (answers - prediction.sample_clocks)[[n is not None for n in stimuli.labels]]
    # taken as soon as the sample is done and nothing is under way
    assert len(waited) > 15
    assert waited.min() >= 4
    assert waited.max() <= 20


@pytest.mark.parametrize("name", CONFIGS)
def test_memories_are_written_to_their_ends(name):
    config = CONFIGS[name]
    stimuli = extreme(config, count=0)
    written = {space: [] for space in Space}
    for command in stimuli.commands:
        if command.op is Op.WRITE:
            written[command.space].append((command.address, command.lane, command.data))
    for space in (Space.WEIGHT, Space.MEMORY):
        at = places(config, space).tolist()
        assert len(written[space]) == 3 * len(at)
        ends = [{data for *_, data in written[space][n * len(at) :][: len(at)]} for n in range(3)]
        if at:
            low, high = limits(config, space)
            assert ends == [{low}, {high}, {low, high}]
    core, _ = predicted(config, stimuli)
    low, high = limits(config, Space.WEIGHT)
    assert {*np.unique(np.concatenate([w.ravel() for w in core.weights]))} == {low, high}


def test_each_low_bit_of_a_random_number_decides_how_a_weight_is_rounded(monkeypatch):
    """Golden's own step, once more with the bit turned round."""
    config, stepped = load(str(Path(__file__).parents[1] / "cores" / "plain.toml")), dense.stepped
    decides = {}

    def spy(config, weights, change, shift, random):
        found = stepped(config, weights, change.copy(), shift, random)
        if len(weights) == config.classes and shift == config.update_shift:
            for bit in range(1, 10):
                other = stepped(config, weights, change.copy(), shift, random ^ 1 << bit)
                for row, unit in np.argwhere(other != found).tolist():
                    which = unit % config.lanes, bit, int(random[row, unit]) >> bit & 1
                    decides[which] = decides.get(which, 0) + 1
        return found

    monkeypatch.setattr(dense, "stepped", spy)
    predicted(config, roundings(config))
    for lane in range(config.lanes):
        for bit in range(1, 10):
            assert {(lane, bit, value) in decides for value in (0, 1)} == {True}, (lane, bit)


def test_stalls():
    assert stalled(SMALL, 250).stalls == dict.fromkeys(STREAMS, 250)
    assert stalled(SMALL, 255, ("results",)).stalls == {"results": 255}
    found = [s.stalls for s in suite(SMALL) if isinstance(s.stalls, dict)]
    for stall in HARD:
        assert dict.fromkeys(STREAMS, stall) in found
    for end in STREAMS:
        assert {end: 255} in found


@pytest.mark.parametrize("kind", [after_each, even, extreme])
def test_core_equals_golden(kind):
    model = build(Core(SMALL, trace=True), hold={"commands": "results"}, quick=True)
    stimuli = kind(SMALL)
    run = cosimulate(SMALL, stimuli.x, stimuli.labels, model=model, **stimuli.options)
    assert run.message is None
    assert len(run.result.logs["responses"]) == len(stimuli.commands)
