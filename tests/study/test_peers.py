"""Others' tools beside this one: what they compute is the same, and all are measured."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import Notice
from hebbware.study import peers


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(peers, "LONG", 0.001)
    monkeypatch.setattr(peers, "ELEMENTS", 500)


def test_fixed_point_peers_compute_the_same():
    pytest.importorskip("apytypes")
    pytest.importorskip("fxpmath")
    rates = peers.arithmetic()
    assert rates.keys() == {"golden", "apytypes", "fxpmath"}
    assert min(rates.values()) > 0


def test_other_numbers_are_refused(monkeypatch):
    pytest.importorskip("fxpmath")
    monkeypatch.setattr(peers, "_fxpmath", lambda a, b: lambda: (a * b >> 4) + 1)
    with pytest.raises(ValueError, match="fxpmath rounds and saturates to other numbers"):
        peers.arithmetic()


def test_what_is_not_installed_is_left_out_and_told(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    with pytest.warns(Notice, match="left out: pip install"):
        assert peers.arithmetic().keys() == {"golden"}


def test_learners_have_the_layers_of_the_configuration(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    config = CoreConfig.of((6, 5, 4, 3))
    x = np.random.default_rng(0).integers(0, 256, (30, 6))
    with pytest.warns(Notice, match="JAX is not installed"):
        rates = peers.learning(config, x, np.arange(30) % 3)
    assert rates.keys() == {"golden", "scikit-learn MLPClassifier"}
    assert min(rates.values()) > 0
