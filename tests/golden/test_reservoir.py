"""The reservoir's cell: its connections, its integers against floating point and ReservoirPy."""

from dataclasses import replace
from math import floor, sqrt

import numpy as np
import pytest

from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.errors import InputError
from hebbware.golden.reference.reservoir import cell, hard_tanh
from hebbware.golden.reservoir.cell import (
    TOPOLOGIES,
    Reservoir,
    ReservoirConfig,
    activate,
    load,
    presets,
    rounding_words,
    step,
)
from hebbware.golden.reservoir.connections import connections, input_keys, reversed_decrement

ACTIVATION = {"hard-tanh": hard_tanh, "tanh": np.tanh}


def xorshift(word):
    """Marsaglia's generator, written down once more."""
    word ^= word << 13 & 0xFFFFFFFF
    word ^= word >> 17
    return word ^ (word << 5 & 0xFFFFFFFF)


def matrices(config):
    """J and W_in as real numbers, as `cell` wants them."""
    made = connections(config)
    recurrent = np.zeros((config.units, config.units))
    for unit in range(config.units):
        np.add.at(recurrent[:, unit], made.sources[unit], made.signs[unit] * config.coupling / 256)
    return recurrent, made.inputs * 2.0**config.gain


@pytest.mark.parametrize("units", [16, 64, 512])
def test_cycle_goes_through_all_units(units):
    sources = connections(ReservoirConfig(units=units, topology="cycle")).sources[:, 0]
    at, seen = 0, set()
    for _ in range(units):
        at = int(sources[at])
        seen.add(at)
    assert at == 0
    assert len(seen) == units


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_each_tap_of_a_block_reads_one_word(topology, lanes):
    sources = connections(ReservoirConfig(units=128, topology=topology, seed=5)).sources
    words = (sources // lanes).reshape(128 // lanes, lanes, -1)
    assert (words == words[:, :1]).all()


def test_connections_by_hand():
    config = ReservoirConfig(units=64, seed=9, inputs=3)
    word = config.walk_state
    made = connections(config)
    for granule in range(4):
        word = xorshift(word)
        for place in range(16):
            for i in range(3):
                own = (word << place | word >> 32 - place) & 0xFFFFFFFF
                odd = (own & int(input_keys(config)[i])).bit_count() % 2
                assert made.inputs[i, 16 * granule + place] == (-1 if odd else 1)
        for tap in range(8):
            word = xorshift(word)
            for place in range(16):
                unit = 16 * granule + place
                assert made.sources[unit, tap] == (word >> 16) % 64 ^ place
                assert made.signs[unit, tap] == (-1 if word >> place & 1 else 1)


def test_sparse_connections_look_random():
    config = ReservoirConfig(units=512, inputs=300, seed=1)
    recurrent, inputs = matrices(config)
    radius = np.abs(np.linalg.eigvals(recurrent)).max()
    assert 0.9 * config.rho < radius < 1.15 * config.rho
    # singular values of random signs lie between sqrt(R) - sqrt(I) and sqrt(R) + sqrt(I)
    found = np.linalg.svd(inputs * 2.0**-config.gain, compute_uv=False)
    assert 0.8 * (sqrt(512) - sqrt(300)) < found[-1]
    assert found[0] < 1.1 * (sqrt(512) + sqrt(300))
    assert abs((inputs > 0).mean() - 0.5) < 0.01


def test_other_seeds_connect_otherwise():
    first, second = (connections(ReservoirConfig(inputs=9, seed=seed)) for seed in (0, 1))
    assert (first.sources != second.sources).mean() > 0.9
    assert 0.4 < (first.inputs != second.inputs).mean() < 0.6


def test_reversed_decrement():
    assert reversed_decrement([0, 8, 4, 12, 2]).tolist() == [15, 0, 8, 4, 12]


@pytest.mark.parametrize("leak", [0, 3])
@pytest.mark.parametrize("activation", ACTIVATION)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_float_cell_is_reservoirpys_node(topology, activation, leak):
    """Lambda inside of f is a node without leak on ``(1 - lambda) I + lambda J``."""
    nodes = pytest.importorskip("reservoirpy.nodes", reason="reservoirpy is not installed")
    config = ReservoirConfig(units=64, topology=topology, inputs=3, seed=2, rho=0.9)
    recurrent, inputs = matrices(config)
    rate = 2.0**-leak
    x = np.random.default_rng(0).normal(0, 1, (200, 3))
    whole = (1 - rate) * np.eye(64) + rate * recurrent.T
    node = nodes.Reservoir(W=whole, Win=inputs.T, activation=ACTIVATION[activation])
    expected, r = node.run(x), np.zeros(64)
    for t in range(len(x)):
        r = cell(r, x[t], recurrent, inputs, rate=rate, activation=ACTIVATION[activation])
        assert np.abs(r - expected[t]).max() < 1e-12


def test_float_cell_is_reservoirpys_leaky_node_while_nothing_is_clipped():
    nodes = pytest.importorskip("reservoirpy.nodes", reason="reservoirpy is not installed")
    recurrent, inputs = matrices(ReservoirConfig(units=64, gain=-6, seed=2))
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (200, 1))
    node = nodes.Reservoir(W=recurrent.T, Win=8 * inputs.T, lr=1 / 8, activation=hard_tanh)
    expected, r = node.run(x), np.zeros(64)
    for t in range(len(x)):
        r = cell(r, x[t], recurrent, inputs, rate=1 / 8, activation=hard_tanh)
        assert np.abs(r - expected[t]).max() < 1e-12
    assert 0.02 < np.abs(expected).max() < 0.5


@pytest.mark.parametrize("bits", range(4, 17))
def test_tanh_table(bits):
    """Entries 1/2 (at the top 1), interpolation step**2 / 8 max |tanh''| = 0.77, the end 1/2."""
    config = ReservoirConfig(activation="tanh", state_bits=bits)
    one = config.state.one
    raw = np.arange(-10 * one, 10 * one, max(one // 512, 1))
    off = np.abs(activate(config, raw) - one * np.tanh(raw / one))
    curved = one * 0.77 / 64**2 / 8
    assert off.max() <= 1.5 + curved
    assert activate(config, raw).max() == config.state.max


@pytest.mark.parametrize("leak", [0, 4])
@pytest.mark.parametrize("activation", ACTIVATION)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_sixteen_bits_stay_near_floating_point(topology, activation, leak):
    """A step adds at most `each` to a unit, f does not stretch, the matrix stretches by its norm.

    Before f 1/2 lsb is lost. Clipping at 1 - lsb loses another half at most; the table of tanh
    1.5 lsb and 0.77 lsb of curvature.
    """
    config = ReservoirConfig(
        units=128, topology=topology, activation=activation, leak=leak, inputs=2, state_bits=16,
        input_bits=16, input_fraction=15, gain=-1, rho=0.5,
    )  # fmt: skip
    recurrent, inputs = matrices(config)
    rate = 2.0**-leak
    whole = (1 - rate) * np.eye(128) + rate * recurrent
    stretch = np.linalg.norm(whole, 2)
    each = (1.0 if activation == "hard-tanh" else 0.5 + 1.5 + 0.77) / 2**15
    x = np.random.default_rng(1).integers(-26000, 26000, (300, 2))
    golden, r, bound, largest = Reservoir(config), np.zeros(128), 0.0, 0.0
    for t in range(len(x)):
        golden.step(x[t])
        r = cell(r, x[t] / 2**15, recurrent, inputs, rate=rate, activation=ACTIVATION[activation])
        bound = stretch * bound + each * sqrt(128)
        off = np.linalg.norm(golden.r / 2**15 - r)
        assert off <= bound
        largest = max(largest, off)
    assert largest > 0.1 * each * sqrt(128)  # the two are not the same arithmetic
    assert np.abs(r).max() > 0.5


def test_step_by_hand():
    """Equation of the module, unit by unit in Python's integers, for every rounding."""
    base = ReservoirConfig(
        units=32, inputs=5, state_bits=8, leak=2, gain=-3, input_bits=10, input_fraction=6, rho=0.7
    )
    rng = np.random.default_rng(3)
    r, x = rng.integers(-128, 128, 32), rng.integers(-512, 512, 5)
    noise = rng.integers(0, 1 << base.shift, 32)
    for rounding in Rounding:
        config = replace(base, rounding=rounding)
        made, shift = connections(config), config.shift
        assert shift == 10
        found = step(config, r, x, noise)
        for unit in range(32):
            taps = sum(
                int(s) * int(r[k])
                for k, s in zip(made.sources[unit], made.signs[unit], strict=True)
            )
            drive = sum(int(made.inputs[i, unit]) * int(x[i]) for i in range(5))
            value = int(r[unit]) / 1 + (config.coupling / 256 * taps - int(r[unit])) / 4
            value += drive * 2.0 ** (7 - 3 - 6)
            value += {"floor": 0, "nearest": 0.5, "stochastic": int(noise[unit]) / 2**shift}[
                rounding
            ]
            assert found[unit] == min(max(floor(value), -128), 127)


def test_rounding_draws_a_word_for_each_granule():
    config = ReservoirConfig(units=32, leak=6, rounding="stochastic")
    random, state = rounding_words(12345, config)
    first = xorshift(12345)
    second = xorshift(first)
    assert state == second
    mask = (1 << config.shift) - 1
    assert random[3] == (first << 3 | first >> 29) & mask
    assert random[16] == second & mask


def test_stochastic_rounding_keeps_what_nearest_loses():
    """A constant input far below half an lsb per step."""
    settings = {"units": 64, "state_bits": 8, "leak": 8, "gain": -10, "rho": 0.0}
    means = {}
    for rounding in ("nearest", "stochastic"):
        reservoir = Reservoir(ReservoirConfig(**settings, rounding=rounding))
        signs = connections(reservoir.config).inputs[0]
        for _ in range(2000):
            reservoir.step(np.array([1000]))
        means[rounding] = float((reservoir.r * signs).mean()) / 128
    assert means["nearest"] == 0
    # the fixed point of r - 2**-8 r + 2**-10 x
    assert means["stochastic"] == pytest.approx(1000 / 2048 / 4, rel=0.2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 100}, "units must be a power of two, .* not 100"),
        ({"units": 8}, r"units must lie in 16..512, not 8"),
        ({"lanes": 12}, "lanes must be a power of two, .* not 12"),
        ({"lanes": 32}, r"lanes must lie in 1..16, not 32"),
        ({"topology": "ring"}, "topology must be one of sparse, cycle, not 'ring'"),
        ({"rounding": []}, "rounding must be one of"),
        ({"rho": "1"}, "rho must be a number, not '1'"),
        ({"rho": 1.5}, r"rho must lie in 0..1, not 1.5"),
        ({"leak": True}, "leak must be a whole number, not True"),
        ({"input_fraction": 12}, r"input_fraction must leave the sign outside: at most .* 11"),
        ({"gain": -16, "input_bits": 24, "input_fraction": 23, "state_bits": 4}, "36$"),
        ({"weight_fraction": 11, "state_bits": 4, "output_fraction": 0, "step": 0}, "-8$"),
    ],
)
def test_bad_values_are_named(change, message):
    with pytest.raises(InputError, match=message):
        ReservoirConfig(**change)


@pytest.mark.parametrize("name", presets())
def test_presets_and_back(name, tmp_path):
    config = load(name)
    file = tmp_path / "copy.toml"
    file.write_text(config.to_toml())
    assert load(file) == config
    assert load(file).fingerprint == config.fingerprint


def test_plain_values_and_back():
    config = ReservoirConfig(units=32, rounding="stochastic", rho=0.75)
    assert ReservoirConfig.from_dict(config.to_dict()) == config
    with pytest.raises(InputError, match="unknown configuration key 'x'; known: units, "):
        ReservoirConfig.from_dict({"x": 3})
