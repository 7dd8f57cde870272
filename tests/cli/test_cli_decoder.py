"""``hebbware decoder``, and what ``train --controls`` tells of a reservoir memory."""

import json

import pytest

from hebbware.cli.main import main
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError
from hebbware.golden.reservoir import decoder as decoders
from hebbware.golden.reservoir.decoder import load_decoder

CONFIG = CoreConfig.of(
    (2, 8, 2), lanes=4, memory__kind="reservoir", memory__horizon=4, memory__projection=2,
    reservoir__units=32, reservoir__gain=-6, modulator__beta_log2=2, layer__init_std=(1.0, 0.25),
)  # fmt: skip


@pytest.fixture(autouse=True)
def few_steps(tmp_path, monkeypatch):
    monkeypatch.delenv("HEBBWARE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(decoders, "STEPS", 600)
    decoders.ridge_decoder.cache_clear()
    yield
    decoders.ridge_decoder.cache_clear()


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "core.toml"
    path.write_text(CONFIG.to_toml())
    return path


@pytest.mark.parametrize("method", ["ridge", "delta"])
def test_decoder_is_trained_told_and_written(method, config_file, tmp_path, capsys):
    out, told = tmp_path / "decoder.npz", tmp_path / "told.json"
    arguments = ["decoder", "--config", str(config_file), "--method", method]
    assert main([*arguments, "--out", str(out), "--json", str(told)]) == 0
    result = json.loads(told.read_text())
    decoder = load_decoder(out, CONFIG)
    assert decoder.weights.shape == (4, 32)
    assert result["r2"] == decoder.r2 > 0.2
    assert f"{decoder.r2:.3f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--config", "digits"], "memory.kind must be reservoir for a decoder, not 'gated'"),
        (["--method", "sgd"], "method must be one of ridge, delta, not 'sgd'"),
        (["--out", "decoder.txt"], "--out must end in .npz, not 'decoder.txt'"),
    ],
)
def test_bad_input(extra, message, config_file, capsys):
    assert main(["decoder", "--config", str(config_file), *extra]) == 2
    assert capsys.readouterr().err.strip() == f"error: {message}"


def test_controls_of_a_reservoir_memory(config_file, tmp_path, capsys):
    told = tmp_path / "told.json"
    arguments = ["--config", str(config_file), "--dataset", "linear", "--epochs", "1"]
    assert main(["train", *arguments, "--controls", "--json", str(told)]) == 0
    result = json.loads(told.read_text())
    assert {"shuffled", "zero", "exact", "codes", "linear"} <= set(result["controls"])
    (layer,) = result["fidelity"]
    assert layer["memory"] <= 1
    assert "against the exact memory" in capsys.readouterr().out


def test_a_decoder_of_another_configuration(config_file, tmp_path, capsys):
    out = tmp_path / "decoder.npz"
    assert main(["decoder", "--config", str(config_file), "--out", str(out)]) == 0
    other = tmp_path / "other.toml"
    other.write_text(
        CONFIG.to_toml()
        .replace('decoder = "ridge"', f'decoder = "{out}"')
        .replace("units = 32", "units = 64")
    )
    capsys.readouterr()
    assert main(["train", "--config", str(other), "--dataset", "linear", "--epochs", "1"]) == 2
    message = capsys.readouterr().err
    assert "was made for reservoir.units = 32, but the configuration has 64" in message


def test_a_bare_decoder_has_a_configuration_that_has_one(monkeypatch, capsys):
    """The default of all other commands has no reservoir, so that it could only be refused."""
    seen = []

    def train(config, method):
        seen.append((config.memory.kind, method))
        raise InputError("enough")

    monkeypatch.setattr(decoders, "train_decoder", train)
    assert main(["decoder"]) == 2
    assert capsys.readouterr().err == "error: enough\n"
    assert seen == [("reservoir", "ridge")]
