"""The link under frames that no host sends: no hang, nothing learned twice, no weight changed."""

import json

import numpy as np
import pytest

from hebbware.boards.link import engine
from hebbware.boards.model import Model
from hebbware.boards.simulated import fuzz
from hebbware.cli import main
from hebbware.golden.core import Core


def test_gateware_is_the_model_byte_for_byte():
    outcome = fuzz.fuzz(3000, seed=5, quick=True)
    assert outcome.holds
    assert outcome.refused > 2500
    assert outcome.executed > 100
    assert outcome.repeated > 10
    assert outcome.learned > 10


@pytest.mark.slow  # half a minute of simulation
def test_100000_frames(tmp_path):
    path = tmp_path / "fuzz.json"
    assert main.main(["board", "fuzz", "--seed", "1", "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    assert result["frames"] == 100_000
    assert result["refused"] > 80_000


def test_what_is_refused_changes_nothing_in_the_model():
    """The oracle itself: of bytes that are no frames, only the count of refusals is left."""
    model = Model(fuzz.CONFIG, fuzz.identity(fuzz.CONFIG))
    generator = fuzz.Generator(np.random.default_rng(3), model)
    model.take(generator.greeting())
    for _ in range(300):
        model.take(generator._mutated())
        model.take(generator._wrong_header() + b"\0")
    assert model.executed == 1
    assert model.repeated == 0
    assert model.errors > 500
    for kept, start in zip(model.core.weights, Core(fuzz.CONFIG).weights, strict=True):
        np.testing.assert_array_equal(kept, start)


def test_a_difference_fails_the_command(monkeypatch, capsys):
    refused = Model._execute

    def other(self, message, payload):
        data = refused(self, message, payload)
        return b"X" + data[1:] if message == engine.Message.COUNTERS else data

    build = fuzz.build_program
    monkeypatch.setattr(fuzz, "build_program", lambda *a, **k: build(*a, **{**k, "quick": True}))
    monkeypatch.setattr(Model, "_execute", other)
    assert main.main(["board", "fuzz", "--frames", "10"]) == 1
    assert "is not the model's" in capsys.readouterr().err
