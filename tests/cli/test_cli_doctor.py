"""What `hebbware doctor` finds, and what it says of what it does not find."""

import json

import pytest

from hebbware.cli import main
from hebbware.cosim import toolchain
from hebbware.golden.errors import InputError


def found(tmp_path, code=0):
    file = tmp_path / "found.json"
    assert main.main(["doctor", "--json", str(file)]) == code
    return {row["what"]: row for row in json.loads(file.read_text())["found"]}


def test_what_there_is(tmp_path, capsys):
    rows = found(tmp_path)
    tools = toolchain.find()
    assert tools.version in rows["Verilator"]["found"]
    assert rows["C++ compiler"]["found"] == f"{tools.compiler}: {tools.compiler_version}"
    for row in rows.values():
        assert bool(row["found"]) != bool(row["get"])
    out = capsys.readouterr().out
    assert all(what in out for what in rows)


def test_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("HEBBWARE_DATA", str(tmp_path))
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / "cache"))
    rows = found(tmp_path, code=1)
    with pytest.raises(InputError) as error:
        toolchain.compiler()
    assert rows["C++ compiler"]["get"] == str(error.value)
    assert "hebbware data mnist" in rows["mnist"]["get"]
    assert "Gas Sensor Array Drift" in rows["gas-drift"]["get"]
    err = capsys.readouterr().err
    assert err == "failed: the main commands lack make, perl, C++ compiler\n"


def test_data_that_nothing_fetches(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBWARE_DATA", str(tmp_path))
    assert found(tmp_path)["cifar10"]["get"].startswith("get the binary version of CIFAR-10")
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "test_batch.bin").touch()
    assert found(tmp_path)["cifar10"]["found"] == str(tmp_path / "cifar10")


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / "file"))
    assert "must be a folder that can be written" in found(tmp_path, code=1)["cache"]["get"]


def test_a_package_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("hebbware.cli.doctor.PACKAGES", {"no-such-package": ("nothing", "dev")})
    assert found(tmp_path)["no-such-package"]["get"] == "pip install 'hebbware[dev]'"
