"""A reset in the middle of anything, and start values drawn at random: all is as from scratch."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.cosim.core import build_core, cosimulate
from hebbware.cosim.stimuli import commanded
from hebbware.golden.config import CoreConfig
from hebbware.golden.schedule import predict

SMALL = CoreConfig(layers=(4, 3, 5, 3), lanes=2, horizon=3)
CORES = {
    "one cluster": SMALL,
    "two clusters": replace(SMALL, lanes=9),
    "three clusters": replace(SMALL, layers=(5, 20, 3), lanes=18, steps=(), init_std=()),
    "HSIC": CoreConfig.from_dict(
        {"layers": [13, 7, 5, 3], "lanes": 3, "modulator": "hsic", "window": 4}
        | {"sigmas": [0.3, 0.4, 0.9], "weight_ports": 1, "steps": [5, 5, 6], "seed": 4}
    ),
    "reservoir": CoreConfig(
        layers=(9, 7, 6, 3), lanes=4, memory="reservoir", horizon=3, projection=4,
        reservoir_units=16, reservoir_gain=-6, beta_log2=2, reservoir_lanes=16,
    ),
    "leaky": replace(SMALL, dynamics="leaky", time_steps=3, slope_shift=2, memory="trace"),
}  # fmt: skip
FAST = ("two clusters", "HSIC")
SLOW = pytest.mark.slow  # two minutes: four more simulations to build
NAMES = [pytest.param(name, marks=() if name in FAST else SLOW) for name in CORES]


@pytest.fixture(autouse=True)
def _untrained(monkeypatch):
    def weights(config):
        shape = (config.classes * config.projection, config.reservoir_units)
        return np.random.default_rng(1).integers(-127, 128, shape)

    monkeypatch.setattr("hebbware.hdl.reservoir_memory.decoder_weights", weights)
    monkeypatch.setattr("hebbware.golden.decoder.decoder_weights", weights)


def moments(config, stimuli):
    """A clock of every part of a sample and of a command, before which the reset comes."""
    options = {key: stimuli.options[key] for key in ("commands", "stalls", "seed")}
    prediction = predict(config, stimuli.x, stimuli.labels, **options)
    clocks = {name: channel.arrays()[0] for name, channel in prediction.channels.items()}
    start = int(clocks["trace.vectors"][0])  # from here on samples are worked on
    found = {"start words are written": start // 3, "the first vector": start}
    for name, at in clocks.items():
        at = at[at > start + 50]
        found[f"{name} in the middle"] = int(at[len(at) // 2])
    # of two responses far from each other, the second is held up or just on its way
    responses = clocks["responses"]
    found["a response waits"] = int(responses[np.argmax(np.diff(responses)) + 1]) - 1
    return found


@pytest.mark.parametrize("name", NAMES)
def test_after_a_reset_all_is_as_from_scratch(name):
    config = CORES[name]
    model = build_core(config, quick=True)
    stimuli = replace(commanded(config, count=16), stalls={"samples": 40, "responses": 230})
    for moment, clock in moments(config, stimuli).items():
        options = replace(stimuli, reset_after=clock).options
        run = cosimulate(config, stimuli.x, stimuli.labels, model=model, **options)
        assert run.message is None, f"reset after {clock} clocks ({moment}): {run.message}"


@pytest.mark.parametrize("name", NAMES)
def test_start_values_do_not_matter(name):
    config = CORES[name]
    model = build_core(config, quick=True, random_start=True)
    stimuli = replace(commanded(config, count=16), stalls=60)
    for seed in range(4):
        run = cosimulate(
            config, stimuli.x, stimuli.labels, model=model, start_seed=seed, **stimuli.options
        )
        assert run.message is None, f"start values of seed {seed}: {run.message}"
