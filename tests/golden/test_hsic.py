"""The HSIC modulator in integers: exact rationals, the float reference, its twin, bad input."""

import os
from fractions import Fraction
from math import exp
from pathlib import Path

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.learn import checkpoint, controls, train
from hebbware.golden.modulators import hsic
from hebbware.golden.program.walk import Store, latest
from hebbware.golden.reference import hsic_modulator, window_counterpart
from hebbware.golden.reference.kernels import rbf_kernel
from hebbware.golden.reference.layers import layer_norm_jacobian
from hebbware.golden.twin.core import Twin

MNIST = Path(os.environ.get("HEBBWARE_DATA", "../shared/data")) / "mnist"
WINDOWS = (2, 4, 8, 32)
SIGMAS = (0.3, 0.4, 0.9)


def configuration(window=4, **fields):
    values = {
        **dense([20, 24, 13, 3]), "lanes": 5, "modulator.kind": "hsic", "memory.window": window,
        "modulator.gamma": 1.5, "modulator.sigmas": SIGMAS, "layer.rate": [8, 5, 7], "seed": 3,
    }  # fmt: skip
    return CoreConfig.from_dict(values | fields)


def draw(config, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, config.x.max + 1, (count, config.inputs))
    x *= rng.random(x.shape) < 0.6
    return x, rng.integers(0, config.classes, count)


# -- constants and kernels -------------------------------------------------------------------------


def test_label_term_and_halvings():
    config = configuration(modulator__gamma=1.5)
    other = exp(-2 / (2 * SIGMAS[1] ** 2 * 3))  # one-hot labels of 3 classes differ by 2
    assert hsic.label_term(config) == round(1024 * 1.5 * (1 - other))
    assert [
        hsic.coefficient_shift(configuration(modulator__gamma=g)) for g in (0.5, 1, 2, 3, 3.5)
    ] == [
        1,
        1,
        2,
        2,
        3,
    ]


@pytest.mark.parametrize("which", ["inputs", "activations"])
def test_kernel_is_exp_to_half_a_step_of_the_table(which):
    config = configuration()
    one = 1 << config.e.fraction
    if which == "inputs":
        distances, scale = np.arange(0, 20 * 255**2, 9973), hsic.input_scale(config)
        exponents = distances / 256**2 / (2 * SIGMAS[0] ** 2 * 20)
    else:
        distances, scale = np.arange(0, 2 * one), hsic.activation_scale(config)
        exponents = distances / one / SIGMAS[2] ** 2
    found = hsic.kernel(config, distances, scale)
    # steps of 1/16, rounded to nearest, and constants of 12 bits; then half of the last bit
    slack = 1 / 32 + exponents * 2.0**-12
    reach = exponents < 127 / 16
    assert (found <= one * np.exp(slack - exponents) + 0.5)[reach].all()
    assert (found >= one * np.exp(-slack - exponents) - 0.5)[reach].all()
    assert found[0] == one
    assert (hsic.kernel(config, np.array([-5]), scale) == one).all()


@pytest.mark.parametrize("window", WINDOWS)
def test_centred_row_is_the_exact_product_of_matrices_rounded_once(window):
    config = configuration(window, modulator__gamma=2.0)
    rng = np.random.default_rng(window)
    kernels = rng.integers(-2048, 1025, (window, window))
    kernels = np.triu(kernels) + np.triu(kernels, 1).T
    h = [[Fraction(i == j) - Fraction(1, window) for j in range(window)] for i in range(window)]
    for slot in (0, window - 1):
        row = [sum(h[slot][i] * int(kernels[i, j]) for i in range(window)) for j in range(window)]
        exact = [sum(row[j] * h[j][p] for j in range(window)) / 4 for p in range(window)]
        rounded = [(value + Fraction(1, 2)).__floor__() for value in exact]
        assert hsic.centred_row(config, kernels, slot).tolist() == rounded


# -- the whole rule against floating point ---------------------------------------------------------


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("window", WINDOWS)
def test_direction_is_that_of_the_float_reference(window, centred):
    """On the inputs and activations that the integer model saw, within its formats."""
    config = configuration(window, input__centred=centred)
    core, history = Core(config), []
    x, labels = draw(config, window + 12)
    one_hot = np.eye(config.classes)
    near = []
    for row, label in zip(x, labels, strict=True):
        seen = latest(core.walk(row, int(label)))
        unit = row / 128 - 1 if centred else row / 256
        z = [seen[Store.Z, layer] / 2**config.z.fraction for layer in (0, 1)]
        history = [*history, (unit, one_hot[label], *z)][-window:]
        if len(history) < window:
            assert not any(store is Store.D for store, _ in seen)
            continue
        inputs, targets, *activations = (np.stack(part) for part in zip(*history, strict=True))
        kx, ky = rbf_kernel(inputs, SIGMAS[0]), rbf_kernel(targets, SIGMAS[1])
        h = np.eye(window) - 1 / window
        weights = (h @ (kx - 1.5 * ky) @ h)[-1]
        # kernels of x are right to 1/32; centring doubles that at most twice; g = 2
        assert seen[Store.KERNELS, 0][:0:-1] / 1024 == pytest.approx(
            weights[:-1] / 4, abs=4 / 32 / 4
        )
        for layer in (0, 1):
            if (Store.D, layer) not in seen:
                continue
            a = seen[Store.A, layer]
            xi = hsic_modulator(inputs, targets, activations[layer], 1.5, SIGMAS)
            # the integer model's scale is the power of two that is nearest to 1 / deviation
            power = 2.0 ** np.round(-np.log2(max(a.std(), 8**0.5) / 2**config.u.fraction))
            constant = 2 / (SIGMAS[2] ** 2 * a.size * (window - 1) ** 2)
            exact = (a > 0) * layer_norm_jacobian(xi, activations[layer][-1], power)
            exact = np.clip(exact / constant / 4, -2, 2)
            found = seen[Store.D, layer] / 2**config.d.fraction
            near.append((exact, found))
    exact, found = (np.concatenate(part) for part in zip(*near, strict=True))
    assert np.corrcoef(exact, found)[0, 1] > 0.98
    assert np.abs(exact - found).mean() < 0.1 * np.abs(exact).mean() + 2**-config.d.fraction
    slope = (exact @ found) / (exact @ exact)
    assert slope == pytest.approx(1, abs=0.05)


def test_float_steps_make_the_two_equations_one():
    config = configuration(8)
    first, second = hsic.float_steps(config)
    constant = 2 / (SIGMAS[2] ** 2 * 24 * 7**2)
    assert first * constant == pytest.approx(2.0**-8 / 2**2)
    assert second / first == pytest.approx(2**3 * 13 / 24)


# -- the window ------------------------------------------------------------------------------------


def test_window_replaces_the_oldest_and_infers_without_a_trace():
    config = configuration(4)
    core = Core(config)
    x, labels = draw(config, 11)
    kept = []
    for n, (row, label) in enumerate(zip(x, labels, strict=True)):
        kept.append(latest(core.walk(row, int(label)))[Store.Z, 0])
        slots = core.window.past(core.learned)
        held = range(max(0, n - 3), n + 1)
        assert slots == [i % 4 for i in held]
        assert core.window.x[slots].tolist() == x[held].tolist()
        assert core.window.labels[slots].tolist() == labels[held].tolist()
        assert core.memories[0][slots].tolist() == [kept[i].tolist() for i in held]
        fresh = hsic.Window(config)
        fresh.restore(core.learned, core.window.x[slots], core.window.labels[slots])
        square = np.ix_(slots, slots)
        assert (fresh.kernels[square] == core.window.kernels[square]).all()
    before = core.window.x.copy(), core.memories[0].copy()
    core.infer(x[0])
    assert (core.window.x == before[0]).all()
    assert (core.memories[0] == before[1]).all()


@pytest.mark.parametrize("window", WINDOWS)
def test_twin_is_the_plain_core(window):
    for fields in (
        {},
        {"input.centred": True, **dense([20, 9, 3]), "layer.rate": [7, 7], "formats.z_bits": 6},
    ):
        config = configuration(window, **fields)
        x, labels = draw(config, window + 30)
        plain, twin = Core(config), Twin(config)
        for part in (slice(0, 5), slice(5, None)):
            scores = [core.learn_many(x[part], labels[part])[1] for core in (plain, twin)]
            assert (scores[0] == scores[1]).all()
        for a, b in zip(plain.weights + plain.memories, twin.weights + twin.memories, strict=True):
            assert (a == b).all()
        assert plain.random_state == twin.random_state
        assert plain.saturated == twin.saturated
        for name in ("x", "labels", "kernels"):
            assert (getattr(plain.window, name) == getattr(twin.window, name)).all()
        assert (plain.infer_many(x)[1] == twin.infer_many(x)[1]).all()


def test_checkpoint_continues_as_if_nothing_had_been(tmp_path):
    digits = data.load("digits")
    states = []
    whole = train.train(
        load("digits-hsic"), digits, 2, after_epoch=lambda s: states.append(len(s.train))
        or checkpoint.save(tmp_path / f"{len(s.train)}", s),
    )  # fmt: skip
    assert states == [1, 2]
    loaded = checkpoint.load(tmp_path / "1")
    again = train.train(loaded.core.config, digits, 2, state=loaded)
    assert (again.test, again.state.validation) == (whole.test, whole.state.validation)
    a, b = whole.state.core, again.state.core
    for one, two in zip(a.weights + a.memories, b.weights + b.memories, strict=True):
        assert (one == two).all()
    assert (a.window.kernels == b.window.kernels).all()


def test_controls_are_class_memories_with_their_own_formats():
    for name, config in controls.configurations(load("digits-hsic")).items():
        assert config.modulator.kind == ("none" if name == "frozen" else "class-memory")
        # frozen layers read no memory: the format follows the activations
        fraction = config.z.fraction if name == "frozen" else 6
        assert (config.stored.width, config.read.fraction) == (16, fraction)


# -- accuracy --------------------------------------------------------------------------------------


def test_digits_are_learned_as_well_as_in_floating_point():
    digits, config = data.load("digits"), load("digits-hsic")
    found = train.train(config, digits, 3).test
    assert found > train.train(frozen(config), digits, 3).test + 0.1
    assert found > window_counterpart.train(config, digits, 3)[1] - 0.05


def frozen(config):
    """The same network with frozen hidden layers."""
    return controls.configurations(config)["frozen"]


@pytest.mark.slow  # the float reference takes minutes
@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not there")
def test_mnist_is_within_a_point_of_the_float_reference():
    mnist, config = data.load("mnist", MNIST.parent), load("mnist-hsic")
    found = train.train(config, mnist, 1)
    reference = window_counterpart.train(config, mnist, 1)
    assert found.test > reference[1] - 0.01
    assert found.test > 0.88


def test_float_counterpart_has_this_modulator_only():
    for config in (load("digits"), configuration(neuron__kind="leaky")):
        with pytest.raises(InputError, match="the float reference of the hsic modulator"):
            window_counterpart.train(config, data.load("digits"), 1)


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"modulator.kind": "hebb"}, "modulator.kind must be one of class-memory, hsic"),
        (
            {"memory.kind": "window"},
            "modulator.kind must be 'class-memory' where memory.kind is 'window'",
        ),
        ({"memory.window": 64}, "memory.window must be a power of two in 2..32, not 64"),
        ({"memory.window": 6}, "window must be a power of two"),
        ({"modulator.gamma": -1.0}, "gamma must lie in 0..16"),
        ({"modulator.gamma": "two"}, "gamma must be a number"),
        ({"modulator.sigmas": [0.5, 0.1]}, "sigmas must be three widths"),
        ({"modulator.sigmas": [0.5, 0.0, 1.0]}, "sigmas must lie above 0"),
        ({"modulator.sigmas": [0.05, 0.1, 1.0]}, "sigmas (x) must lie in 0.105..4.000"),
        (
            {"modulator.sigmas": [0.05, 0.1, 1.0], "input.centred": True},
            "sigmas (x) must lie in 0.209..8.000",
        ),
        ({"modulator.sigmas": [0.5, 0.1, 0.2]}, "sigmas (z) must lie in 0.362..8.000"),
        ({"modulator.sigmas": [0.5, 0.1, 9.0]}, "underflows the exp table nor is always 1"),
        (
            {"modulator.sigmas": [0.5, 900.0, 1.0]},
            "sigmas (y) must leave modulator.gamma (1 - Ky of two classes)",
        ),
    ],
)
def test_bad_fields_are_told_in_one_line(fields, words):
    with pytest.raises(InputError) as error:
        configuration(**fields)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_modulator_and_memory_go_together():
    with pytest.raises(
        InputError, match="modulator.kind must be 'hsic' where memory.kind is 'samp"
    ):
        CoreConfig.of((4, 3, 2), memory__kind="samples", modulator__kind="class-memory")
    config = configuration(formats__z_bits=7, formats__z_fraction=3)
    assert (config.memory.kind, config.stored.width, config.read) == ("samples", 7, config.z)
    assert config.derive(formats__z_bits=6, formats__z_fraction=2).read.fraction == 2
