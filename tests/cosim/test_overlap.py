"""Cores whose weights are updated beside the next sample, against golden; each clock and word."""

import numpy as np
import pytest

from hebbware.cosim.core import build_core, cosimulate, sample_words
from hebbware.cosim.stimuli import random_samples, suite
from hebbware.golden.config import CoreConfig
from hebbware.golden.data.words import words_of

CORES = {
    "one hidden layer": {"sizes": (6, 5, 3), "lanes": 2},
    "two, runs": {"sizes": (7, 6, 5, 3), "lanes": 3, "input__runs": True},
    "three, codes": {"sizes": (5, 9, 4, 6, 3), "lanes": 2, "memory__kind": "codes"},
    "clusters": {"sizes": (20, 19, 11, 4), "lanes": 9, "input__runs": True},
    "leaky": {
        "sizes": (6, 7, 4, 3),
        "lanes": 3,
        "neuron__kind": "leaky",
        "neuron__time_steps": 2,
        "input__centred": True,
    },
}


@pytest.mark.slow  # five simulations to build, 4 minutes
@pytest.mark.parametrize("name", CORES)
def test_every_word_is_equal(name):
    values = dict(CORES[name])
    config = CoreConfig.of(values.pop("sizes"), update__overlap=True, **values)
    model = build_core(config, quick=True)
    for stimuli in suite(config):
        run = cosimulate(config, stimuli.x, stimuli.labels, model=model, **stimuli.options)
        assert run.message is None, f"{stimuli.name}: {run.message}"


@pytest.mark.parametrize("centred", [False, True])
def test_runs_are_spelled_in_all_ways_that_take_as_many_words(centred):
    """Of one zero, and longer than what is left of the sample; the inputs stay the same."""
    config = CoreConfig.of((300, 4, 3), input__runs=True, input__centred=centred)
    rng, ones, longer = np.random.default_rng(0), 0, 0
    x, _ = random_samples(config, rng, 60)
    x[:20, 20:] = config.x_zero
    words = iter(sample_words(config, x, [1] * 60).tolist())
    for row in x:
        inputs, count = [], 0
        while len(inputs) < 300:
            word, count = next(words), count + 1
            zeros = [config.x_zero] * (word - 256)
            ones += len(zeros) == 1
            inputs += zeros or [word]
        longer += len(inputs) > 300
        assert inputs[:300] == row.tolist()
        assert count == words_of(config, row).size
        assert next(words) == 1
    assert next(words, None) is None
    assert ones > 20
    assert longer > 10
