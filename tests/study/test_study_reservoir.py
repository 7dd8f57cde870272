"""Measures of reservoirs against cases whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden.reservoir.cell import ReservoirConfig, load
from hebbware.study import reservoir as study
from hebbware.study.reservoir_figure import draw


def test_capacity_of_a_delay_line():
    """States that are the last inputs remember exactly those, and shuffled ones none."""
    rng = np.random.default_rng(0)
    u = rng.uniform(-0.8, 0.8, 3000)
    line = np.stack([np.roll(u, delay) for delay in range(12)], axis=1)
    found = study.capacity(line, u, rng)
    assert found["capacity"] == pytest.approx(12, abs=0.1)
    assert found["delays"][:12] == pytest.approx(np.ones(12))
    assert (found["delays"][12:] == 0).sum() >= 11  # of 13 that are chance
    assert 0 < found["threshold"] < 0.02
    assert study.capacity(rng.permutation(line), u, rng)["capacity"] < 0.1


@pytest.mark.parametrize(("bits", "capacity"), [(16, 128), (12, 122), (8, 80), (4, 27)])
def test_capacity_of_a_cycle_by_state_bits(bits, capacity):
    """Figures of an independent prototype."""
    config = replace(load("cycle"), state_bits=bits)
    rng = np.random.default_rng(bits)
    u = rng.uniform(-0.8, 0.8, 6000)
    found = study.capacity(study.states(config, u), u, rng)["capacity"]
    assert found == pytest.approx(capacity, abs=3)


def test_float_states_are_near_those_of_sixteen_bits():
    config = ReservoirConfig(units=32, topology="cycle", state_bits=16, rho=0.5, inputs=2)
    u = np.random.default_rng(0).uniform(-0.8, 0.8, 100)
    off = study.states(config, u) - study.states(config, u, floating=True)
    # the inputs are rounded to 11 fraction bits; two of them, at 2**-2 each, over a norm of 1/2
    assert 0 < np.abs(off).max() < 2 * (2 * 2.0**-12 / 4 + 2.0**-15)


def test_narma_by_its_equation():
    u = np.random.default_rng(0).uniform(0, 0.5, 40)
    y = study.narma(u)
    for t in range(20, 39):
        past = sum(y[t - i] for i in range(10))
        wanted = 0.3 * y[t] + 0.05 * y[t] * past + 1.5 * u[t + 1 - 9] * u[t + 1] + 0.1
        assert y[t + 1] == pytest.approx(wanted, abs=1e-12)


def test_mackey_glass_solves_its_equation():
    """Against Euler's method in thousandths; it errs by about a thousandth of a few slopes."""
    x = [1.2] * 17001
    for _ in range(60_000):
        late = x[-17001]
        x.append(x[-1] + 0.001 * (0.2 * late / (1 + late**10) - 0.1 * x[-1]))
    found = study.mackey_glass(60, 1.2)
    assert np.abs(found - x[17000 + 1000 :: 1000]).max() < 1e-3
    later = study.mackey_glass(2000, 1.2)[500:]
    assert 0.2 < later.min() < 0.6
    assert 1.2 < later.max() < 1.5


def test_nrmse_is_one_for_the_mean():
    targets = np.random.default_rng(0).normal(3, 2, (50, 1))
    assert study.nrmse(np.full((50, 1), targets.mean()), targets) == pytest.approx(1)


def test_sweeps():
    base = load("cycle")
    short, full = (study.sweep(base, full=full) for full in (False, True))
    assert len(short) == 2 * (len(study.BITS) + 2)  # 12 bits of 128 units belong to both panels
    assert [p.panels for p in short if p.config == base and not p.floating] == [("bits", "units")]
    assert {p.config.units for p in full} == set(study.SIZES)
    assert {str(p.config.rounding) for p in full} == {"nearest", "stochastic"}
    assert len({(p.config, p.floating) for p in full}) == len(full)


def test_rows_and_figure(monkeypatch):
    monkeypatch.setattr(study, "BITS", (0, 8))
    monkeypatch.setattr(study, "SIZES", (16, 16, 32, 16))
    monkeypatch.setattr(study, "steps_for", lambda units: 900)
    points = study.sweep(replace(load("cycle"), units=16, state_bits=8), full=False)
    rows = list(study.measured(points, 2, seed=0))
    assert len(rows) == len(points) == 6
    for row in rows:
        assert row["state_memory_bits"] in (2 * row["units"] * row["state_bits"], None)
        assert 2 < row["capacity"] < 1.3 * row["units"]
        assert 0 < row["narma10"] < 1.2
        assert 0 < row["mackey_glass"] < 1.2
        assert row["capacity_std"] > 0
    assert draw(rows, "title").startswith(b"\x89PNG")
