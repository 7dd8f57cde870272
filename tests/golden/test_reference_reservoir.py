"""The paper's reservoir against its equations in plain Python numbers."""

from math import tanh

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference.reservoir import Reservoir

SETTING = {"gain": 1.5, "time_constant": 0.008, "time_step": 0.002, "learning_rate": 0.05}


def draw(seed=0, units=7, inputs=3, outputs=2):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(0, 1 / np.sqrt(units), (units, units)),
        rng.uniform(-1, 1, (inputs, units)),
        rng.uniform(-1, 1, (outputs, units)),
    )


def test_steps_are_the_equations():
    recurrent, w_in, w_fb = draw()
    rng = np.random.default_rng(1)
    x, targets = rng.normal(0, 1, (30, 3)), rng.normal(0, 1, (30, 2))
    reservoir = Reservoir(recurrent, w_in, w_fb, **SETTING)
    course = reservoir.run(x, targets)
    u, w = [0.0] * 7, [[0.0] * 2 for _ in range(7)]
    for t in range(30):
        r = [tanh(value) for value in u]
        z = [sum(r[i] * w[i][o] for i in range(7)) for o in range(2)]
        for i in range(7):
            drive = 1.5 * sum(r[j] * recurrent[j, i] for j in range(7))
            drive += sum(x[t, j] * w_in[j, i] for j in range(3))
            drive += sum(z[o] * w_fb[o, i] for o in range(2))
            u[i] += 0.25 * (drive - u[i])
            for o in range(2):
                w[i][o] += 0.05 * r[i] * (targets[t, o] - z[o])
        assert course.r[t] == pytest.approx(r, abs=1e-13)
        assert course.z[t] == pytest.approx(z, abs=1e-13)
        assert course.u[t] == pytest.approx(u, abs=1e-13)
    assert reservoir.decoder == pytest.approx(np.array(w), abs=1e-13)
    assert np.abs(course.z[-1]).max() > 0.01  # it did learn, so the feedback was in play


def test_runs_go_on_where_they_ended():
    x, targets = np.random.default_rng(2).normal(0, 1, (20, 3)), np.ones((20, 2))
    whole, parts = Reservoir(*draw(), **SETTING), Reservoir(*draw(), **SETTING)
    first = whole.run(x, targets)
    second = [parts.run(x[rows], targets[rows]) for rows in (slice(0, 8), slice(8, 20))]
    for index in range(3):
        assert (np.concatenate([second[0][index], second[1][index]]) == first[index]).all()
    assert (parts.decoder == whole.decoder).all()


def test_decoder_learns_with_a_target_only():
    reservoir = Reservoir(*draw(), **SETTING)
    x = np.random.default_rng(3).normal(0, 1, (10, 3))
    reservoir.run(x)
    assert (reservoir.decoder == 0).all()
    reservoir.run(x, np.ones((10, 2)))
    learned = reservoir.decoder.copy()
    assert (learned != 0).all()
    reservoir.run(x)
    assert (reservoir.decoder == learned).all()


def test_delta_rule_brings_the_output_to_the_target():
    reservoir = Reservoir(*draw(4, units=60), learning_rate=0.01)
    x = np.repeat(np.random.default_rng(4).normal(0, 1, (1, 3)), 2000, axis=0)
    targets = np.tile([0.5, -0.25], (2000, 1))
    error = np.abs(reservoir.run(x, targets).z - targets).mean(axis=1)
    assert error[0] > 0.3
    assert error[-100:].mean() < 0.03


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recurrent": np.zeros((4, 3))}, r"recurrent must have shape \(4, 4\), not \(4, 3\)"),
        ({"inputs": np.zeros((3, 6))}, r"inputs must have shape \(any, 7\), not \(3, 6\)"),
        ({"feedback": np.zeros((2, 6))}, r"feedback must have shape \(any, 7\), not \(2, 6\)"),
        ({"inputs": np.full((3, 7), np.inf)}, "inputs must be finite, not inf in 21 places"),
        ({"gain": 0}, "gain must be positive and finite, not 0"),
        ({"learning_rate": -1}, "learning_rate must be positive and finite, not -1"),
        ({"time_constant": np.nan}, "time_constant must be positive and finite, not nan"),
        ({"time_step": 0.0}, "time_step must be positive and finite, not 0.0"),
        ({"time_step": 0.01}, "time_step must be at most time_constant = 0.005, not 0.01"),
    ],
)
def test_bad_arguments_are_named(change, message):
    recurrent, inputs, feedback = draw()
    matrices = {"recurrent": recurrent, "inputs": inputs, "feedback": feedback}
    with pytest.raises(InputError, match=message):
        Reservoir(**(matrices | change))


def test_bad_streams_are_named():
    reservoir = Reservoir(*draw())
    with pytest.raises(InputError, match=r"x must have shape \(any, 3\), not \(5, 4\)"):
        reservoir.run(np.zeros((5, 4)))
    with pytest.raises(InputError, match=r"targets must have shape \(5, 2\), not \(4, 2\)"):
        reservoir.run(np.zeros((5, 3)), np.zeros((4, 2)))
