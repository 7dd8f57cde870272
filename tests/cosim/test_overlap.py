"""Cores whose weights are updated beside the next sample, against golden; each clock and word."""

import pytest

from hebbware.cosim.core import build_core, cosimulate
from hebbware.cosim.stimuli import suite
from hebbware.golden.config import CoreConfig

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
