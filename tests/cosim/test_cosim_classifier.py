"""The estimator's hardware: what the RTL learns after it, and the Verilog that it writes."""

import subprocess
import sys

import numpy as np
import pytest

from hebbware.cosim import classifier
from hebbware.cosim.classifier import HebbianClassifier
from hebbware.cosim.core import build_core
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError
from hebbware.hdl import emit

# the core that test_cosim_core.py builds too
OPTIONS = {"hidden_layers": (3, 5), "lanes": 9, "memory__horizon": 3}
OPTIONS |= {"input__centred": False, "layer__rate": (7, 6, 8), "input_range": "features"}
RNG = np.random.default_rng(6)
Y = np.repeat(["a", "b", "c"], 10)
X = RNG.normal(0, 1, (30, 4)) * [1, 100, 1e-3, 5] + (Y == "b")[:, None]


@pytest.fixture(scope="module")
def network():
    return HebbianClassifier(**OPTIONS, epochs=5).fit(X, Y)


@pytest.fixture(scope="module")
def model(network):
    return build_core(network.to_config(), quick=True)


def test_rtl_classifies_as_the_estimator(network, model):
    found = network.cosimulate(X[::3], model=model)
    assert found.message is None
    assert network.classes_[found.classes].tolist() == network.predict(X[::3]).tolist()
    assert len(set(found.classes.tolist())) > 1


def test_rtl_learns_on_as_the_estimator(network, model, tmp_path):
    """Commands bring all of its state to the RTL; the oracle is `partial_fit` of a copy."""
    network.save(tmp_path / "net")
    copy = HebbianClassifier.load(tmp_path / "net")
    assert type(copy) is HebbianClassifier
    before = [w.copy() for w in network.core_.weights]
    found = network.cosimulate(X, Y, model=model)
    assert found.message is None
    copy.partial_fit(X, Y)
    for name in ("weights", "memories", "gains"):
        for ours, theirs in zip(getattr(found.core, name), getattr(copy.core_, name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert found.core.random_state == copy.core_.random_state
    assert found.core.extra == copy.core_.extra == 4
    assert all((a == b).all() for a, b in zip(before, network.core_.weights, strict=True))


def test_verilog_is_that_of_the_configuration(network, tmp_path, monkeypatch):
    config = CoreConfig.of((4, 3, 5, 3), lanes=9, memory__horizon=3)
    monkeypatch.setattr(emit, "core_verilog", lambda config: f"// {config.fingerprint}\n")
    text = network.verilog(tmp_path / "core.v")
    assert (tmp_path / "core.v").read_text() == text == f"// {config.fingerprint}\n"
    with pytest.raises(InputError, match="cannot write Verilog .*none.*: No such file"):
        network.verilog(tmp_path / "none" / "core.v")


def test_model_is_built_where_none_is_given(network, model, monkeypatch):
    asked = []

    def build(config, **options):
        asked.append((config, options))
        return model

    monkeypatch.setattr(classifier, "build_core", build)
    assert network.cosimulate(X[:2], quick=True).message is None
    assert asked == [(network.to_config(), {"waves": False, "quick": True})]


def test_what_cannot_be_simulated(network):
    with pytest.raises(InputError, match=r"y must have shape \(30,\), not \(29,\)"):
        network.cosimulate(X, Y[1:])
    with pytest.raises(InputError, match="y must hold only the classes 'a', 'b', 'c', not 'd'"):
        network.cosimulate(X, np.where(Y == "a", "d", Y))
    with pytest.raises(ValueError, match="is expecting 4 features"):
        network.cosimulate(X[:, :3])
    windowed = HebbianClassifier(hidden_layers=(3,), lanes=3, memory__kind="window", epochs=1).fit(
        X, Y
    )
    with pytest.raises(InputError, match="memory.kind must be .* not window: it needs the samples"):
        windowed.cosimulate(X, Y)


def test_it_is_offered_by_the_package():
    program = (
        "import sys, hebbware; before = 'sklearn' in sys.modules;"
        "from hebbware import HebbianClassifier as own;"
        "from hebbware.golden import HebbianClassifier as light;"
        "print(before, own.__module__, issubclass(own, light), own.__name__ in dir(hebbware))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "hebbware.cosim.classifier", "True", "True"]
