"""The float references against numbers of the authors' published implementation of the paper.

The files are looked for in ``../shared/vectors`` beside the checkout. Every array in them is either
given to the code under test or compared with what it computes.
"""

from pathlib import Path

import numpy as np
import pytest

from hebbware.golden.reference import hsic_bottleneck, hsic_modulator
from hebbware.golden.reference.backprop import Backprop
from hebbware.golden.reference.baselines import centred
from hebbware.golden.reference.hsic import hsic
from hebbware.golden.reference.kernels import rbf_kernel
from hebbware.golden.reference.layers import (
    cross_entropy,
    direction,
    forward,
    local_gradients,
    readout_error,
)
from hebbware.golden.reference.leaky import leaky_run
from hebbware.golden.reference.network import Network
from hebbware.golden.reference.reservoir import Reservoir
from hebbware.golden.reference.windowed import HsicRule

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors"
TOLERANCE = 1e-9  # of the largest magnitude in an array


def vectors(name: str) -> dict[str, np.ndarray]:
    """Read a file, or skip the test."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"no reference numbers: {path} is not there")
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def compare(expected: dict[str, np.ndarray], given: set[str], found: dict[str, np.ndarray]):
    """Assert that all of `expected` but what was `given` is `found`; print the largest errors."""
    assert given | set(found) == set(expected)
    assert not given & set(found)
    errors = {}
    for key, value in found.items():
        assert np.shape(value) == expected[key].shape, key
        errors[key] = np.abs(value - expected[key]).max() / np.abs(expected[key]).max()
    for key, error in errors.items():
        print(f"{key:28} {error:.1e}")
    assert max(errors.values()) <= TOLERANCE, errors


def case(data: dict[str, np.ndarray], index: int) -> dict[str, np.ndarray]:
    """Keep the arrays of one case, without its prefix."""
    prefix = f"case{index}_"
    return {key.removeprefix(prefix): data[key] for key in data if key.startswith(prefix)}


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(10)[labels]


def test_files_hold_as_many_cases_as_are_tested():
    for name, cases in (("hsic_vectors", 6), ("mlp_step_vectors", 2)):
        assert {key.split("_")[0] for key in vectors(name)} == {f"case{i}" for i in range(cases)}


@pytest.mark.parametrize("index", range(6))
def test_hsic_and_modulators(index):
    data = case(vectors("hsic_vectors"), index)
    x, y, z, gamma, sigmas = (data[key] for key in ("x", "y", "z", "gamma", "sigmas"))
    kx, ky, kz = (rbf_kernel(a, sigma) for a, sigma in zip((x, y, z), sigmas, strict=True))
    found = {
        "kx": kx,
        "ky": ky,
        "kz": kz,
        "hsic_x": hsic(kx, kz),
        "hsic_y": hsic(ky, kz),
        "hsic": hsic_bottleneck(x, y, z, gamma, sigmas),
        "grad_z_newest": hsic_modulator(x, y, z, gamma, sigmas),
        "xi_released": hsic_modulator(x, y, z, gamma, sigmas, form="released"),
    }
    compare(data, {"x", "y", "z", "gamma", "sigmas"}, found)


@pytest.mark.parametrize("index", range(2))
def test_step_of_a_network(index):
    """Forward pass, cross-entropy, the readout's gradient and the released form's local ones."""
    data = case(vectors("mlp_step_vectors"), index)
    x, y = centred(data["pixels"]), one_hot(data["labels"])
    given = {"indices", "gamma", "sigmas", "labels", "pixels"}
    given |= {f"layer{i}_{what}" for i in range(3) for what in ("kernel", "bias")}
    found, below = {}, x
    for i in range(2):
        layer = forward(below, data[f"layer{i}_kernel"], data[f"layer{i}_bias"])
        below = layer.z
        xi = hsic_modulator(x, y, layer.z, data["gamma"], data["sigmas"], form="released")
        newest = type(layer)(*(array[-1] for array in layer))
        weight, bias = local_gradients(newest.inputs, direction(newest, xi))
        found |= {
            f"layer{i}_act": layer.z,
            f"layer{i}_kernel_grad": weight,
            f"layer{i}_bias_grad": bias,
        }
    scores = below @ data["layer2_kernel"] + data["layer2_bias"]
    weight, bias = local_gradients(below, readout_error(scores, y) / len(y))
    found |= {"layer2_act": scores, "layer2_kernel_grad": weight, "layer2_bias_grad": bias}
    compare(data, given, found | {"loss": cross_entropy(scores, y)})


@pytest.mark.parametrize("index", range(2))
def test_rule_that_streams_makes_the_same_step(index):
    """`HsicRule` has seen the window sample by sample, without learning."""
    data = case(vectors("mlp_step_vectors"), index)
    network = Network([784, *(len(data[f"layer{i}_bias"]) for i in range(3))])
    before = [data[f"layer{i}_kernel"] for i in range(3)]
    network.biases = [data[f"layer{i}_bias"].copy() for i in range(3)]
    network.weights = [weights.copy() for weights in before]
    rule = HsicRule(len(data["labels"]), data["gamma"], data["sigmas"], "released")
    x, y = centred(data["pixels"]), one_hot(data["labels"])
    for sample in range(len(x)):
        rows = slice(sample, sample + 1)
        network.learn(rule, x[rows], y[rows], [float(sample == len(x) - 1)] * 3)
    for i in range(2):
        change = before[i] - network.weights[i]
        assert change == pytest.approx(data[f"layer{i}_kernel_grad"], abs=1e-12)


@pytest.mark.parametrize("index", range(2))
def test_back_propagation_has_the_gradient_of_the_loss(index):
    """Along a random direction, from the loss that the file's own numbers start from."""
    data = case(vectors("mlp_step_vectors"), index)
    x, y = centred(data["pixels"]), one_hot(data["labels"])
    network = Network([784, *(len(data[f"layer{i}_bias"]) for i in range(3))])
    start = [data[f"layer{i}_kernel"] for i in range(3)]
    network.biases = [data[f"layer{i}_bias"].copy() for i in range(3)]
    network.weights = [weights.copy() for weights in start]
    network.learn(Backprop(), x, y, [1.0] * 3)
    gradients = [a - b for a, b in zip(start, network.weights, strict=True)]
    network.biases = [data[f"layer{i}_bias"] for i in range(3)]
    rng = np.random.default_rng(index)
    way = [rng.normal(0, 1, weights.shape) / np.sqrt(weights.size) for weights in start]

    def loss(t):
        network.weights = [w + t * v for w, v in zip(start, way, strict=True)]
        return cross_entropy(network.forward(x)[1], y)

    assert loss(0) == pytest.approx(float(data["loss"]), rel=1e-12)
    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    exact = sum((g * v).sum() for g, v in zip(gradients, way, strict=True))
    assert slope == pytest.approx(exact, rel=1e-6)


def test_leaky_network():
    data = vectors("lif_vectors")
    names = [f"LIFDenseCell_{i}_{what}" for i in range(3) for what in ("kernel", "bias")]
    layers = leaky_run(
        data["x"],
        [data[name] for name in names[::2]],
        [data[name] for name in names[1::2]],
        20,
        float(data["time_constant"]),
        float(data["time_step"]),
    )
    found = {f"u{i}": layer.u for i, layer in enumerate(layers)}
    found |= {f"act{i}": layer.z for i, layer in enumerate(layers)}
    compare(data, {"x", "time_constant", "time_step", *names}, found | {"y": layers[-1].z})


def test_reservoir():
    data = vectors("reservoir_vectors")
    reservoir = Reservoir(
        data["w_recurrent"],
        data["w_input"],
        data["w_feedback"],
        gain=float(data["recurrent_strength"]),
        time_constant=float(data["time_constant"]),
        time_step=float(data["time_step"]),
        learning_rate=float(data["learning_rate"]),
    )
    course = reservoir.run(data["x"], data["target"])
    given = {"w_recurrent", "w_input", "w_feedback", "x", "target", "recurrent_strength"}
    given |= {"time_constant", "time_step", "learning_rate"}
    found = {"u": course.u, "r": course.r, "z": course.z, "w_readout_final": reservoir.decoder}
    compare(data, given, found)
