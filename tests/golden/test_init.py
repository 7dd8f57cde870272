"""Start weights: spread, independence, and what must be zero."""

import numpy as np
import pytest

from hebbware.golden.arithmetic.random import seed_state, xorshift32
from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.init import start_state


@pytest.mark.parametrize("lanes", [1, 6, 16, 64])
def test_spread_is_the_configured_one(lanes):
    cfg = CoreConfig.of(
        (100, 80, 60, 10),
        lanes=lanes,
        formats__weight_bits=16,
        layer__init_std=(0.1, 0.3, 0.05),
        layer__rate=(12,) * 3,
    )
    weights = start_state(cfg).weights
    for layer, std in enumerate(each.init_std for each in cfg.layer):
        drawn = cfg.weight.real(weights[layer][:-1] if layer < 2 else weights[layer]).ravel()
        # a uniform distribution: its deviation is known to 0.45 / sqrt(n), its mean to 1 / sqrt(n)
        assert drawn.std() == pytest.approx(std, rel=5 * 0.45 / drawn.size**0.5)
        assert abs(drawn.mean()) < 5 * std / drawn.size**0.5 + std / 73  # bytes have mean -1/2
        assert np.abs(drawn).max() <= std * 3**0.5 * 1.02
        assert np.unique(drawn).size > 200


def test_shapes_and_biases():
    cfg = CoreConfig.of((13, 7, 5, 3), lanes=4)
    start = start_state(cfg)
    assert [w.shape for w in start.weights] == [(14, 7), (8, 5), (3, 5)]
    assert not start.weights[0][-1].any()
    assert not start.weights[1][-1].any()
    assert start.weights[2][-1].any()  # the readout has no bias
    assert [c.shape for c in start.codes] == [(3, 7), (3, 5)]
    assert start.random_state


@pytest.mark.parametrize("lanes", [1, 3, 4, 32, 64, 128])
def test_no_two_units_share_their_weights(lanes):
    cfg = CoreConfig.of(
        (64, 128, 96, 10), lanes=lanes, formats__weight_bits=16, layer__rate=(12,) * 3
    )
    for layer, weights in enumerate(start_state(cfg).weights):
        units = weights[:-1].T if layer < 2 else weights
        units = units - units.mean(axis=1, keepdims=True)
        units = units / np.linalg.norm(units, axis=1, keepdims=True)
        correlation = np.abs(units @ units.T - np.eye(len(units)))
        # independent vectors of n entries correlate by 1 / sqrt(n)
        assert correlation.max() < 5.5 / units.shape[1] ** 0.5


def test_codes_are_fair_and_differ():
    cfg = CoreConfig.of((64, 128, 96, 10), lanes=64, memory__kind="codes")
    for code in start_state(cfg).codes:
        assert set(np.unique(code)) == {-1, 1}
        assert abs(code.mean()) < 5 / code.size**0.5
        assert np.abs(code.astype(int) @ code.T - np.diag([code.shape[1]] * 10)).max() < (
            5 * code.shape[1] ** 0.5
        )


def test_seeds_give_different_weights_and_the_same_seed_the_same():
    def first(seed):
        return start_state(CoreConfig.of((20, 8, 3), seed=seed)).weights[0].tolist()

    assert first(1) == first(1)
    assert len({str(first(seed)) for seed in range(20)}) == 20


def test_no_spread_gives_zeros():
    cfg = CoreConfig.of((20, 8, 3), layer__init_std=(0.0, 0.2))
    weights = start_state(cfg).weights
    assert not weights[0].any()
    assert weights[1].any()


def test_wide_spread_saturates():
    cfg = CoreConfig.of(
        (60, 30, 3), layer__init_std=(1.0, 1.0), formats__weight_bits=4, layer__rate=(12, 8)
    )
    weights = start_state(cfg).weights[0]
    # a uniform distribution of deviation 1 ends at sqrt(3)
    assert weights.min() == -7
    assert weights.max() == 7


@pytest.mark.parametrize(("memory", "rows"), [("gated", 21 + 3 + 3), ("none", 21 + 3)])
def test_generator_moves_one_word_an_address_and_group(memory, rows):
    """One block of 8 lanes in 2 groups: weights, readout, class memory where there is one."""
    cfg = CoreConfig.of((20, 8, 3), lanes=8, memory__kind=memory)
    state = seed_state(cfg.seed)
    for _ in range(2 * rows):
        state = xorshift32(state)
    assert start_state(cfg).random_state == state
