"""A reset in the middle of anything, and start values drawn at random: all is as from scratch."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.cosim.core import build_core, cosimulate
from hebbware.cosim.stimuli import commanded
from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.timing.schedule import predict

SMALL = CoreConfig.of((4, 3, 5, 3), lanes=2, memory__horizon=3)
CORES = {
    "one cluster": SMALL,
    "two clusters": SMALL.derive(lanes=9),
    "three clusters": SMALL.derive(**dense((5, 20, 3)), lanes=18),
    "HSIC": CoreConfig.from_dict(
        {
            **dense([13, 7, 5, 3]), "lanes": 3, "modulator.kind": "hsic", "memory.window": 4,
            "modulator.sigmas": [0.3, 0.4, 0.9], "weight_ports": 1, "layer.rate": [5, 5, 6],
            "seed": 4,
        }
    ),
    "reservoir": CoreConfig.of(
        (9, 7, 6, 3), lanes=4, memory__kind="reservoir", memory__horizon=3, memory__projection=4,
        reservoir__units=16, reservoir__gain=-6, modulator__beta_log2=2, reservoir__lanes=16,
    ),
    "leaky": SMALL.derive(
        neuron__kind="leaky", neuron__time_steps=3, neuron__slope_shift=2, memory__kind="trace",
    ),
}  # fmt: skip
FAST = ("two clusters",)
SLOW = pytest.mark.slow  # two minutes: four more simulations to build
NAMES = [pytest.param(name, marks=() if name in FAST else SLOW) for name in CORES]


@pytest.fixture(autouse=True)
def _untrained(monkeypatch):
    def weights(config):
        shape = (config.classes * config.memory.projection, config.reservoir.units)
        return np.random.default_rng(1).integers(-127, 128, shape)

    monkeypatch.setattr("hebbware.hdl.errors.reservoir.decoder_weights", weights)
    monkeypatch.setattr("hebbware.golden.reservoir.decoder.decoder_weights", weights)


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
