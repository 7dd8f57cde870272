"""Float networks and the rules that train them: numerical gradients, windows, the trainer."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden.data import sets as data
from hebbware.golden.data.streams import Stream, follow
from hebbware.golden.errors import InputError
from hebbware.golden.learn.train import order
from hebbware.golden.reference import hsic_bottleneck, hsic_modulator
from hebbware.golden.reference.backprop import Backprop
from hebbware.golden.reference.baselines import BASELINES, Learner, centred, train, unit
from hebbware.golden.reference.layers import cross_entropy, direction, forward
from hebbware.golden.reference.network import Frozen, Network
from hebbware.golden.reference.optimise import AdamW
from hebbware.golden.reference.windowed import HsicRule, LayerwiseHsic

LEARNS = ("backprop", "hsic-gradient", "gated", "window", "trace", "codes", "linear")
SGD = tuple(name for name in BASELINES if not name.endswith("-adamw"))
GAMMA, SIGMAS = 3.0, (0.6, 0.4, 0.9)
H = 1e-6


def draw(n=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (n, 5)), np.eye(3)[np.arange(n) % 3]


def slopes(function, arrays):
    """Central differences with respect to arrays that are changed in place and put back."""
    found = []
    for array in arrays:
        found.append(np.zeros_like(array))
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + H
            up = function()
            array[index] = value - H
            found[-1][index] = (up - function()) / (2 * H)
            array[index] = value
    return found


def changes(network, rule, x, y, steps):
    """Parameters before a step minus those after it."""
    before = [array.copy() for array in (*network.weights, *network.biases)]
    network.learn(rule, x, y, steps)
    return [a - b for a, b in zip(before, (*network.weights, *network.biases), strict=True)]


def test_backprop_is_the_gradient_of_the_whole_network():
    network, (x, y) = Network([5, 7, 6, 3], seed=1), draw()
    for bias in network.biases:
        bias += np.linspace(-0.3, 0.3, len(bias))
    parameters = (*network.weights, *network.biases)
    expected = slopes(lambda: cross_entropy(network.forward(x)[1], y), parameters)
    steps = [0.5, 2.0, 4.0]
    for found, slope, step in zip(
        changes(network, Backprop(), x, y, steps), expected, steps * 2, strict=True
    ):
        assert found / step == pytest.approx(slope, abs=1e-8)
        assert np.abs(slope).max() > 1e-3


def test_layerwise_hsic_is_the_gradient_of_each_layer():
    """Of its own objective with respect to its own weights; layers below do not follow it."""
    network, (x, y) = Network([5, 7, 6, 3], seed=2), draw()
    layers, _ = network.forward(x)
    expected = []
    for index, layer in enumerate(layers):
        weights, bias = network.weights[index], network.biases[index]
        expected += slopes(
            lambda layer=layer, w=weights, b=bias: hsic_bottleneck(
                x, y, forward(layer.inputs, w, b).z, GAMMA, SIGMAS
            ),
            (weights, bias),
        )
    found = changes(network, LayerwiseHsic(GAMMA, SIGMAS), x, y, [1.0, 1.0, 0.0])
    for index in range(2):
        assert found[index] == pytest.approx(expected[2 * index], abs=1e-8)
        assert found[3 + index] == pytest.approx(expected[2 * index + 1], abs=1e-8)
        assert np.abs(expected[2 * index]).max() > 1e-4
    assert (found[2] == 0).all()


@pytest.mark.parametrize("form", ["gradient", "released"])
def test_window_holds_the_last_samples_as_they_were(form):
    """While the weights move, activations in the window stay those of their own time."""
    network, (x, y) = Network([5, 7, 6, 3], seed=3), draw(9)
    rule = HsicRule(4, GAMMA, SIGMAS, form)
    past = []
    for t in range(9):
        layers, _ = network.forward(x[t : t + 1])
        past = [*past, [layer.z[0] for layer in layers]][-4:]
        rows = slice(max(0, t - 3), t + 1)
        found = rule.directions(network, layers, None, y[t : t + 1])
        if t == 0:
            assert found is None
        else:
            for index, (layer, d) in enumerate(zip(layers, found, strict=True)):
                z = np.stack([sample[index] for sample in past])
                xi = hsic_modulator(x[rows], y[rows], z, GAMMA, SIGMAS, form)
                assert d == pytest.approx(direction(layer, xi[None]), abs=1e-15)
                assert d.any()
        network.weights[0] *= 1.5
        network.weights[1] += 0.1


def test_two_points_make_the_forms_equal():
    x, y = draw(8)
    ways = []
    for form in ("gradient", "released"):
        network, rule = Network([5, 7, 6, 3], seed=4), HsicRule(2, GAMMA, SIGMAS, form)
        for t in range(8):
            network.learn(rule, x[t : t + 1], y[t : t + 1], [0.5] * 3)
        ways.append(network)
    start = Network([5, 7, 6, 3], seed=4)
    for a, b, first in zip(ways[0].weights, ways[1].weights, start.weights, strict=True):
        assert a == pytest.approx(b, abs=1e-12)
        assert np.abs(a - first).max() > 1e-3


def test_shuffled_labels_stay_those_of_the_window():
    """Every direction is that of some permutation of the labels, and not always the true one."""
    network, (x, y) = Network([5, 7, 3], seed=5), draw(12)
    shuffled = HsicRule(3, GAMMA, SIGMAS, shuffle=0)
    true = HsicRule(3, GAMMA, SIGMAS)
    permutations = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    same = 0
    y = y[[0, 0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 2]]  # windows with two samples of a class, too
    for t in range(12):
        layers, _ = network.forward(x[t : t + 1])
        found = shuffled.directions(network, layers, None, y[t : t + 1])
        exact = true.directions(network, layers, None, y[t : t + 1])
        if t < 2:
            continue
        rows = slice(t - 2, t + 1)
        z = network.forward(x[rows])[0][0].z
        choices = [
            direction(layers[0], hsic_modulator(x[rows], y[rows][list(p)], z, GAMMA, SIGMAS)[None])
            for p in permutations
        ]
        assert any(np.allclose(found[0], choice, atol=1e-14) for choice in choices)
        same += np.allclose(found[0], exact[0], atol=1e-14)
    assert same < 8
    repeat = HsicRule(3, 0.0, SIGMAS, shuffle=7)  # labels without weight: nothing to shuffle
    plain = HsicRule(3, 0.0, SIGMAS)
    for t in range(5):
        layers, _ = network.forward(x[t : t + 1])
        pair = [rule.directions(network, layers, None, y[t : t + 1]) for rule in (repeat, plain)]
        assert t == 0 or (pair[0][0] == pair[1][0]).all()


def test_one_sample_steps_like_several_that_are_alike():
    """Inputs of 0 are left out of the step of one sample; two equal ones take the whole path."""
    x, y = draw()
    x[0, [1, 3]] = 0
    one, two = (
        changes(Network([5, 7, 6, 3], seed=4), Backprop(), x[rows], y[rows], [0.5, 2.0, 4.0])
        for rows in ([0], [0, 0])
    )
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=1e-14)
        assert a.any()


def test_frozen_layers_stay_and_the_readout_learns():
    network, (x, y) = Network([5, 7, 6, 3], seed=6), draw()
    found = changes(network, Frozen(), x, y, [1.0, 1.0, 1.0])
    assert all((found[index] == 0).all() for index in (0, 1, 3, 4))
    assert found[2].any()
    assert found[5].any()


def test_start_weights():
    network = Network([400, 300, 200, 100], seed=7)
    for weights, std in zip(network.weights, (0.1, 300**-0.5, 0.5 * 200**-0.5), strict=True):
        assert weights.std() == pytest.approx(std, rel=0.02)
        assert abs(weights.mean()) < 0.02 * std + 0.001
    assert all((bias == 0).all() for bias in network.biases)
    assert [bias.size for bias in network.biases] == [300, 200, 100]
    assert Network([400, 10]).weights[0].std() == pytest.approx(0.025, rel=0.05)
    other = Network([400, 300, 200, 100], seed=8)
    assert (other.weights[0] != network.weights[0]).all()


def test_inputs_are_coded_as_hardware_and_paper_do():
    x = np.array([0, 51, 255], np.uint8)
    assert unit(x).tolist() == [0.0, 51 / 256, 255 / 256]
    assert centred(x) == pytest.approx([-1.0, -0.6, 1.0], abs=1e-15)


@pytest.fixture(scope="module")
def digits():
    """1,000 of the training samples; the rest of them as test set."""
    return data.split_validation(data.load("digits"), 297)


@pytest.fixture(scope="module")
def accuracies(digits):
    return {name: train(name, digits, (64, 32), 1).accuracy[0] for name in SGD}


@pytest.mark.parametrize("name", SGD)
def test_every_rule_trains(accuracies, name):
    assert (0.8 if name in LEARNS else 0.65) < accuracies[name] < 0.97


def test_rules_that_learn_beat_frozen_layers(accuracies):
    for name in LEARNS:
        assert accuracies[name] > accuracies["frozen"] + 0.03, name
    assert accuracies["hsic-gradient"] > accuracies["hsic-shuffled"] + 0.03


def test_trainer_is_the_rule_step_by_step(digits):
    """Order of the integer model's trainer, halved steps, one sample a step, accuracy by hand."""
    small = replace(digits, x_train=digits.x_train[:40], y_train=digits.y_train[:40])
    seen = []
    result = train(
        *("backprop", small, (8, 6, 5), 3),
        steps=(0.4, 0.2, 0.1),
        halve=2,
        seed=9,
        progress=seen.append,
    )
    network = Network([64, 8, 6, 5, 10], seed=9)
    for epoch in range(3):
        steps = np.array([0.4, 0.2, 0.2, 0.1]) / (1, 1, 2)[epoch]
        for sample in order(9, epoch, 40):
            x = small.x_train[sample : sample + 1] / 256
            network.learn(Backprop(), x, np.eye(10)[small.y_train[[sample]]], steps)
    for found, expected in zip(result.network.weights, network.weights, strict=True):
        assert found == pytest.approx(expected, abs=1e-12)
    assert seen == [1] * 120
    scores = network.forward(small.x_test / 256)[1]
    assert len(result.accuracy) == 3
    assert result.accuracy[-1] == (scores.argmax(axis=1) == small.y_test).mean()


def test_batches_cover_an_epoch_and_steps_may_stay(digits):
    small = replace(digits, x_train=digits.x_train[:150], y_train=digits.y_train[:150])
    seen = []
    result = train("hsic-batch", small, (8,), 2, halve=0, progress=seen.append)
    assert seen == [64, 64, 22] * 2
    assert [weights.shape for weights in result.network.weights] == [(64, 8), (8, 10)]
    halved = train("hsic-batch", small, (8,), 2)
    assert (halved.network.weights[0] != result.network.weights[0]).any()


def test_adamw_is_that_of_its_paper():
    """Number by number, as the algorithm is printed; and no step leaves no trace."""
    rng = np.random.default_rng(0)
    gradients, optimiser = rng.normal(0, 1, (7, 2, 3)), AdamW(decay=0.03)
    found = np.ones((2, 3))
    for gradient in gradients:
        optimiser.descend("w", found, gradient, 0.01)
        optimiser.descend("other", np.zeros(2), np.ones(2), 0.01)
        optimiser.descend("w", found, gradient, 0.0)
    for row, column in np.ndindex(2, 3):
        w, m, v = 1.0, 0.0, 0.0
        for t, g in enumerate(gradients[:, row, column], start=1):
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            w -= 0.01 * (m_hat / (v_hat**0.5 + 1e-8) + 0.03 * w)
        assert found[row, column] == pytest.approx(w, abs=1e-14)


def test_rules_by_adamw_take_adamw_steps(digits):
    """The first step of each weight is its whole length, whatever the gradient's."""
    learner = Learner("backprop-adamw", (64, 8, 10), steps=(0.25, 0.25, 0.125))
    before = [w.copy() for w in learner.network.weights]
    learner.learn(digits.x_train[:1], digits.y_train[:1])
    for step, old, new in zip((0.25, 0.125), before, learner.network.weights, strict=True):
        moved = np.abs(new - old * (1 - step * 1e-4))
        assert moved.max() == pytest.approx(step, rel=1e-3)
        assert ((moved < 1e-12) | (moved > 0.9 * step)).mean() > 0.9


def test_learner_in_one_go_and_in_pieces(digits):
    """What was learned, and what of the rule's own is remembered, does not hang on the calls."""
    ways = []
    for cuts in ((0, 30), (0, 7, 8, 30)):
        learner = Learner("hsic-gradient", (64, 8, 6, 10), samples=3, seed=4)
        for start, stop in zip(cuts, cuts[1:], strict=False):
            learner.learn(digits.x_train[start:stop], digits.y_train[start:stop])
        ways.append(learner.network.weights)
    network, rule = Network([64, 8, 6, 10], seed=4), HsicRule(3, 2.0, (0.5, 0.1, 1.0))
    for x, y in zip(digits.x_train[:30], digits.y_train[:30], strict=True):
        network.learn(rule, centred(x[None]), np.eye(10)[[y]], BASELINES["hsic-gradient"].steps)
    for one, other, expected in zip(*ways, network.weights, strict=True):
        assert (one == other).all()
        assert one == pytest.approx(expected, abs=1e-12)


def test_learner_follows_a_stream(digits):
    """Re-mapped labels are unlearned and learned anew."""
    stream = Stream("remap", 700, 3)
    learner = Learner("gated", (64, 32, 16, 10), halve=0, horizon=8)
    before, after, late = (
        stream.accuracy(learner.classify, digits, mark)
        for mark in follow(learner, digits, stream, [700, 701, 1600])
    )
    assert before > 0.7
    assert after < 0.2
    assert late > 0.7


def test_linear_classifier_has_no_hidden_layer(digits):
    small = replace(digits, x_train=digits.x_train[:20], y_train=digits.y_train[:20])
    assert [w.shape for w in train("linear", small, (8, 6)).network.weights] == [(64, 10)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: train("adam", d, (8,)),
            "rule must be one of backprop, .*, not 'adam'",
        ),
        (
            lambda d: train("gated", d, (8,), 0),
            "epochs must be a whole number of at least 1, not 0",
        ),
        (lambda d: train("gated", d, (8,), halve=-1), "halve must be a whole number of at least 0"),
        (lambda d: train("gated", d, (8,), steps=(1, 1)), "steps must be three, .*, not 2"),
        (lambda d: train("gated", d, (8,), steps=(1, -1, 1)), "0 or more and finite, not -1"),
        (
            lambda d: train("gated", d, (8,), samples=4),
            "gated has no option 'samples'; it has: h",
        ),
        (lambda d: train("codes", d, (8,), horizon=4), "no option 'horizon'; it has: none"),
        (lambda d: train("gated", d, (0,)), r"sizes\[1\] must be a whole number of at least 1"),
        (lambda d: Network([4, 3], seed=-1), "seed must be a whole number of at least 0"),
        (lambda d: Network([4]), r"sizes must be at least inputs and classes, not \[4\]"),
        (lambda d: HsicRule(1, GAMMA, SIGMAS), "samples must be a whole number of at least 2"),
        (lambda d: HsicRule(2, GAMMA, SIGMAS, "both"), "form must be one of gradient, released"),
        (lambda d: HsicRule(2, np.nan, SIGMAS), "gamma must be finite, not nan"),
        (lambda d: HsicRule(2, GAMMA, (1, 1, 0)), "sigma of z must be positive"),
        (lambda d: HsicRule(2, GAMMA, SIGMAS, shuffle=-1), "shuffle must be a whole number"),
        (lambda d: LayerwiseHsic(GAMMA, (0, 1, 1)), "sigma of x must be positive"),
    ],
)
def test_bad_arguments_are_named(digits, call, message):
    with pytest.raises(InputError, match=message):
        call(digits)


def test_rules_of_one_sample_take_one():
    network, (x, y) = Network([5, 7, 3]), draw()
    with pytest.raises(InputError, match="batch must be 1 for a window of samples, not 6"):
        network.learn(HsicRule(2, GAMMA, SIGMAS), x, y, [1, 1])
    with pytest.raises(InputError, match="samples must be a whole number of at least 2, not 1"):
        network.learn(LayerwiseHsic(GAMMA, SIGMAS), x[:1], y[:1], [1, 1])
