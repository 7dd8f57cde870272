"""The compiled back-propagation against the network in NumPy, and against finite differences."""

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference.backprop import Backprop
from hebbware.golden.reference.layers import cross_entropy
from hebbware.golden.reference.network import Network
from hebbware.golden.twin.backprop import CompiledBackprop

SIZES = (12, 9, 7, 4)
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 12)) * (RNG.random((30, 12)) < 0.7)
Y = RNG.integers(0, 4, 30)


def test_normalised_network_is_that_of_numpy():
    made, plain = CompiledBackprop(SIZES, 0.05, seed=3), Network(SIZES, 3)
    found = made.learn(X, Y)
    expected = []
    for x, y in zip(X / 256, Y, strict=True):
        expected.append(plain.classify(x[None])[0])
        plain.learn(Backprop(), x[None], np.eye(4)[[y]], [0.05] * 3)
    assert found.tolist() == expected
    for own, wanted in zip(made.weights + made.biases, plain.weights + plain.biases, strict=True):
        np.testing.assert_allclose(own, wanted, rtol=0, atol=1e-12)
    assert made.classify(X).tolist() == plain.classify(X / 256).tolist()


def loss(weights, biases, x, y):
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = np.maximum(x @ weight + bias, 0)
    return cross_entropy(x @ weights[-1] + biases[-1], np.eye(4)[[y]])


def test_network_without_normalisation_descends_the_gradient():
    made = CompiledBackprop(SIZES, 1.0, normalised=False, seed=1)
    weights, biases = ([a.copy() for a in of] for of in (made.weights, made.biases))
    made.learn(X[:1], Y[:1])
    for group, after in ((weights, made.weights), (biases, made.biases)):
        for array, new in zip(group, after, strict=True):
            for place in list(np.ndindex(array.shape))[::5]:
                ends = []
                for shift in (1e-6, -1e-6):
                    array[place] += shift
                    ends.append(loss(weights, biases, X[:1] / 256, Y[0]))
                    array[place] -= shift
                slope = (ends[0] - ends[1]) / 2e-6
                assert array[place] - new[place] == pytest.approx(slope, abs=1e-7)


def test_stopped_hidden_layers_keep_their_weights():
    made = CompiledBackprop(SIZES, 0.1)
    made.learn(X, Y)
    before = [weight.copy() for weight in made.weights]
    made.stop_hidden(0.2, clear=True)
    assert not made.weights[-1].any()
    made.learn(X, Y)
    assert all((a == b).all() for a, b in zip(before[:-1], made.weights[:-1], strict=True))
    assert made.weights[-1].any()


def test_steps_are_halved():
    made = CompiledBackprop(SIZES, 0.4, halve=2)
    steps = []
    for epoch in range(5):
        made.begin(epoch)
        steps.append(made.scaled)
    assert steps == [0.4, 0.4, 0.2, 0.2, 0.1]


@pytest.mark.parametrize(
    ("sizes", "step", "words"), [((3, 2), 0.1, "hidden layer"), (SIZES, -1, "step must be")]
)
def test_impossible_values_are_refused(sizes, step, words):
    with pytest.raises(InputError, match=words):
        CompiledBackprop(sizes, step)
