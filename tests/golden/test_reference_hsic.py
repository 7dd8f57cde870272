"""Kernels, HSIC and both forms of the modulator: closed forms, numerical gradients, invariances."""

from math import exp, fsum

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference import bottleneck_gradient, hsic_bottleneck, hsic_modulator
from hebbware.golden.reference.hsic import hsic
from hebbware.golden.reference.kernels import centre, rbf_kernel, squared_distances

GAMMA, SIGMAS = 3.0, (0.6, 0.4, 0.9)
H = 1e-6


def draw(n, seed=0, features=(5, 3, 4)):
    """Inputs, one-hot labels and activations of n samples."""
    rng = np.random.default_rng([n, seed])
    x, z = (rng.normal(0, 1, (n, features[i])) for i in (0, 2))
    labels = rng.permutation(np.arange(n) % features[1])
    return x, np.eye(features[1])[labels], z


def numerical(function, z, rows):
    """Central differences of a function of z in some of its rows."""
    slopes = np.zeros((len(rows), z.shape[1]))
    for row, q in enumerate(rows):
        for i in range(z.shape[1]):
            up, down = z.copy(), z.copy()
            up[q, i] += H
            down[q, i] -= H
            slopes[row, i] = (function(up) - function(down)) / (2 * H)
    return slopes


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_rbf_kernel_is_its_formula(offset):
    a = np.random.default_rng(0).normal(0, 1, (6, 5)) + offset
    kernel = rbf_kernel(a, 0.7)
    for p in range(6):
        for q in range(6):
            square = fsum((s - t) ** 2 for s, t in zip(a[p].tolist(), a[q].tolist(), strict=True))
            assert kernel[p, q] == pytest.approx(exp(-square / (2 * 0.7**2 * 5)), abs=1e-11)


def test_distances_keep_what_rounding_could_break():
    """Two heaps of samples that differ by less than the rounding of their inner products."""
    rng = np.random.default_rng(1)
    a = np.repeat(rng.normal(0, 1, (2, 300)), 20, axis=0) + rng.normal(0, 1e-9, (40, 300))
    distances = squared_distances(a)
    assert (np.diagonal(distances) == 0).all()
    assert distances.min() >= 0


def test_kernel_does_not_depend_on_repeated_features():
    a = np.random.default_rng(2).normal(0, 1, (5, 4))
    assert rbf_kernel(np.tile(a, 3), 0.5) == pytest.approx(rbf_kernel(a, 0.5), abs=1e-14)


def test_centre_is_a_projection():
    kernel = np.random.default_rng(3).normal(0, 1, (7, 7))
    h = np.eye(7) - 1 / 7
    assert centre(kernel) == pytest.approx(h @ kernel @ h, abs=1e-14)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_hsic_is_the_sum_over_pairs_and_quadruples(n):
    """The trace written out, without a centring matrix (Gretton et al. 2005, equation 4)."""
    rng = np.random.default_rng(n)
    a, b = (rbf_kernel(rng.normal(0, 1, (n, 2)), 0.8) for _ in range(2))
    pairs = fsum((a * b).ravel())
    triples = fsum((a @ b).ravel())
    whole = (pairs + fsum(a.ravel()) * fsum(b.ravel()) / n**2 - 2 / n * triples) / (n - 1) ** 2
    assert hsic(a, b) == pytest.approx(whole, abs=1e-14)


def test_hsic_of_two_samples():
    a, b = np.array([[1, 0.25], [0.25, 1]]), np.array([[1, 0.5], [0.5, 1]])
    assert hsic(a, b) == pytest.approx(0.75 * 0.5, abs=1e-15)


def test_objective_is_made_of_two_hsic():
    x, y, z = draw(8)
    kx, ky, kz = (rbf_kernel(a, s) for a, s in zip((x, y, z), SIGMAS, strict=True))
    found = hsic_bottleneck(x, y, z, GAMMA, SIGMAS)
    assert found == pytest.approx(hsic(kx, kz) - GAMMA * hsic(ky, kz), abs=1e-15)


@pytest.mark.parametrize("n", [2, 3, 8, 20])
def test_gradient_form_is_the_gradient(n):
    x, y, z = draw(n)
    slopes = numerical(lambda z: hsic_bottleneck(x, y, z, GAMMA, SIGMAS), z, range(n))
    gradient = bottleneck_gradient(x, y, z, GAMMA, SIGMAS)
    assert gradient == pytest.approx(slopes, abs=1e-9)
    assert np.abs(slopes).max() > 1e-4
    assert hsic_modulator(x, y, z, GAMMA, SIGMAS) == pytest.approx(gradient[-1], abs=1e-15)


@pytest.mark.parametrize("n", [2, 3, 8, 20])
def test_released_form_is_the_gradient_of_the_diagonals(n):
    """Of ``2 / (N-1)^2 sum_p a_p (1 - mean_q Kz_pq)``."""
    x, y, z = draw(n)
    kx, ky = rbf_kernel(x, SIGMAS[0]), rbf_kernel(y, SIGMAS[1])

    def diagonals(z):
        kz = rbf_kernel(z, SIGMAS[2])
        parts = [np.diagonal(k - k.mean(axis=1, keepdims=True)) for k in (kx, ky, kz)]
        return 2 / (n - 1) ** 2 * ((parts[0] - GAMMA * parts[1]) * parts[2]).sum()

    slopes = numerical(diagonals, z, [n - 1])[0]
    found = hsic_modulator(x, y, z, GAMMA, SIGMAS, form="released")
    assert found == pytest.approx(slopes, abs=1e-9)
    assert np.abs(slopes).max() > 1e-4


def test_forms_are_equal_for_two_samples_only():
    for n in (2, 3, 8):
        differences = []
        for seed in range(10):
            x, y, z = draw(n, seed)
            gradient, released = (
                hsic_modulator(x, y, z, GAMMA, SIGMAS, form) for form in ("gradient", "released")
            )
            differences.append(np.abs(gradient - released).max() / np.abs(gradient).max())
        assert max(differences) < 1e-13 if n == 2 else min(differences) > 1e-3


@pytest.mark.parametrize("form", ["gradient", "released"])
def test_modulator_keeps_its_symmetries(form):
    x, y, z = draw(7)
    rng = np.random.default_rng(0)

    def xi(x, y, z, gamma=GAMMA):
        return hsic_modulator(x, y, z, gamma, SIGMAS, form)

    found = xi(x, y, z)
    assert xi(x + 2, y - 1, z + rng.normal(0, 1, 4)) == pytest.approx(found, abs=1e-14)
    past = [*rng.permutation(6), 6]
    assert xi(x[past], y[past], z[past]) == pytest.approx(found, abs=1e-14)
    assert np.abs(xi(x[::-1], y[::-1], z[::-1]) - found).max() > 1e-3  # the newest is the last
    turn = np.linalg.qr(rng.normal(0, 1, (4, 4)))[0]
    assert xi(x, y, z @ turn) == pytest.approx(found @ turn, abs=1e-14)
    same = np.ones_like(y)  # one class: labels say nothing, whatever their weight
    assert xi(x, same, z, 100.0) == pytest.approx(xi(x, same, z, 0.0), abs=1e-14)


def test_labels_push_classes_apart_and_inputs_pull_samples_together():
    x, y, z = np.zeros((2, 3)), np.eye(2), np.array([[0.0, 0.0], [1.0, 0.0]])
    apart = hsic_modulator(x, y, z, 1.0, SIGMAS)
    assert apart[0] < 0 == apart[1]  # the step is -xi: away from the other sample
    x[1] = 1
    together = hsic_modulator(x, y, z, 0.0, SIGMAS)
    assert together[0] > 0 == together[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"form": "exact"}, "form must be one of gradient, released, not 'exact'"),
        ({"n": 1}, "samples must be a whole number of at least 2, not 1"),
        ({"x": np.zeros((3, 2))}, r"x must have shape \(4, any\), not \(3, 2\)"),
        ({"y": np.zeros(4)}, r"y must have shape \(4, any\), not \(4,\)"),
        ({"z": np.full((4, 2), np.nan)}, "z must be finite, not nan in 8 places"),
        ({"z": np.zeros((4, 0))}, "features of a must be a whole number of at least 1, not 0"),
        ({"gamma": np.inf}, "gamma must be finite, not inf"),
        ({"sigmas": (1.0, 0.0, 1.0)}, "sigma of y must be positive and finite, not 0.0"),
        ({"sigmas": (1.0, 1.0, np.inf)}, "sigma of z must be positive and finite, not inf"),
        ({"sigmas": (1.0, 1.0)}, "sigmas must be three widths, of x, y and z, not 2"),
    ],
)
def test_bad_arguments_are_named(change, message):
    x, y, z = draw(change.pop("n", 4))
    arguments = {"x": x, "y": y, "z": z, "gamma": 1.0, "sigmas": SIGMAS} | change
    with pytest.raises(InputError, match=message):
        hsic_modulator(**arguments)


def test_bad_kernels_are_named():
    with pytest.raises(InputError, match=r"kernel must have shape \(any, 2\), not \(2, 3\)"):
        hsic(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"kernel_b must have shape \(2, 2\), not \(3, 3\)"):
        hsic(np.zeros((2, 2)), np.zeros((3, 3)))
