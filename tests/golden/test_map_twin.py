"""The compiled twin of convolutions equals the plain core, which `test_conv` checks."""

import copy

import numpy as np
import pytest
from test_conv import CASES, network, samples

from hebbware.golden.core import Core
from hebbware.golden.twin.core import Twin
from hebbware.golden.twin.maps import MapTwin

MORE = {
    "stride, grouped readout, slope below 0": network(
        (3, {"stride": 2, "grid": 1, "kernel": 5, "rate": 11}), shape=(9, 8, 2), lanes=17,
        neuron={"kind": "static", "slope_shift": 2}, update={"rounding": "nearest"},
    ),
    "more features than lanes": network(
        (20, {"pool": 4, "grid": 2, "rate": 10}), (9, {"rate": 9, "kernel": 1}), shape=(8, 8, 1),
        lanes=8,
        memory={"kind": "trace", "horizon": 6, "kappa": 0.5}, update={"rounding": "floor"},
    ),
    "many groups, few bits": network(
        (7, {"pool": 2, "grid": 1, "rate": 8, "narrow": 3}), shape=(8, 8, 1), lanes=64,
        formats={"weight_bits": 6, "z_bits": 6, "d_bits": 6, "d_fraction": 2},
    ),
}  # fmt: skip
NETWORKS = {name: config for name, (config, _) in CASES.items()} | MORE


@pytest.mark.parametrize("name", NETWORKS)
def test_twin_equals_plain_core(name):
    config = NETWORKS[name]
    plain, twin = Core(config), Twin(config)
    assert isinstance(twin, MapTwin)
    x, labels = samples(config, 24)
    for n, part in enumerate(np.split(np.arange(24), 3)):
        plain.extra = twin.extra = n
        wanted, got = (
            plain.learn_many(x[part], labels[part]),
            twin.learn_many(x[part], labels[part]),
        )
        assert (got[1] == wanted[1]).all()
        assert (got[0] == wanted[0]).all()
    for attribute in ("weights", "memories", "gains"):
        for got, wanted in zip(getattr(twin, attribute), getattr(plain, attribute), strict=True):
            assert (got == wanted).all()
    for attribute in ("random_state", "saturated", "learned"):
        assert getattr(twin, attribute) == getattr(plain, attribute)
    assert (copy.deepcopy(twin).infer_many(x)[1] == plain.infer_many(x)[1]).all()
    assert (twin.learn(x[0], 1)[1] == plain.learn(x[0], 1)[1]).all()


def test_networks_reach_what_they_are_to_reach():
    twin = Twin(NETWORKS["many groups, few bits"])
    x, labels = samples(twin.config, 60)
    twin.learn_many(x, labels)
    assert twin.saturated  # weights were cut off
    config = NETWORKS["groups"]
    assert Core(config).layout.period < config.lanes  # lanes share a rotation
