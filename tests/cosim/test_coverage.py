"""Coverage: what is counted, and once; what is exempted; that the suite reaches the rest."""

import json

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner

from hebbware.cli.coverage import command
from hebbware.cosim import coverage
from hebbware.cosim.build import build
from hebbware.cosim.coverage import CORES, TARGETS, Coverage, Exempt, Point, measure, points, read
from hebbware.cosim.run import run


class Stage(wiring.Component):
    """A register in a stream; its top bit is 0, and high words are counted."""

    x: In(stream.Signature(8))
    y: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        kept, high = Signal(8), Signal(4)
        m.d.comb += [self.x.ready.eq(self.y.ready), self.y.valid.eq(self.x.valid)]
        m.d.comb += [kept[:7].eq(self.x.payload), self.y.payload.eq(kept ^ high[0].replicate(7))]
        with m.If(self.x.payload[6]):
            m.d.sync += high.eq(high + 1)
        return m


class Top(Stage):
    def elaborate(self, platform):
        m = Module()
        m.submodules.stage = stage = Stage()
        wiring.connect(m, wiring.flipped(self.x), stage.x)
        wiring.connect(m, stage.y, wiring.flipped(self.y))
        return m


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Points of `Top` that were reached with small words, and with all words too."""
    folder, top = tmp_path_factory.mktemp("coverage"), Top()
    text = coverage.verilog_of(top)
    model = build(top, netlist=text, quick=True, coverage=True)
    files = [folder / name for name in ("small", "all")]
    for file, words in zip(files, (np.arange(40) % 16, np.arange(257) % 256), strict=True):
        run(model, {"x": words}, clocks=300, coverage=file)
    return points(text, files[:1], folder), points(text, files, folder)


def named(found, kind, name):
    return {(p.number, p.what): n > 0 for p, n in found.items() if (p.kind, p.name) == (kind, name)}


def test_bits_that_change_are_counted_once(counted):
    small, both = counted
    changes = ("rises", "falls")
    assert named(small, "toggle", "x__payload") == {
        (bit, change): bit < 4 for bit in range(8) for change in changes
    }
    assert all(named(both, "toggle", "x__payload").values())
    nets = [p for p in both if p.kind == "toggle" and p.name == "x__payload"]
    assert {p.path for p in nets} == {"stage"}  # where it is used, not each level above
    assert {p.source.split(":")[0] for p in both if p.name == "high"} == {"cosim/test_coverage.py"}
    # the bit that is wired to 0 is none to be reached
    assert {bit for bit, _ in named(both, "toggle", "y__payload")} == set(range(7))
    assert not any(p.name.startswith("$") for p in both if p.kind == "toggle")


def test_lines_and_branches_are_counted(counted):
    small, both = counted
    for found, reached in ((small, False), (both, True)):
        branches = {p: n > 0 for p, n in found.items() if p.kind in ("line", "branch")}
        assert all(branches.values()) is reached
        assert not any("start" in p.name for p in branches)


def entry(path, name, count, page="v_toggle/dut", line=3):
    fields = {"f": "dut.v", "l": line, "n": 5, "page": page, "o": name, "h": path}
    text = "".join(f"\x01{key}\x02{value}" for key, value in fields.items())
    return f"C '{text}' {count}\n"


def test_data_of_verilator(tmp_path):
    file = tmp_path / "data"
    file.write_text(
        "# SystemC::Coverage-3\n"
        + entry("bench", "a:0->1", 7, "v_toggle/bench")
        + entry("bench.dut", "trace___05Fa:0->1", 0)
        + entry("bench.dut.lane_0.U__0240", "__02412[3]:1->0", 9, "v_toggle/dut.lane_0.U$0")
        + entry("bench.dut.lane_0", "case", 2, "v_line/dut.lane_0", 12)
    )
    assert list(read(file)) == [
        (("toggle", "", "trace__a:0->1", 3, 5), 0),
        (("toggle", "lane_0.U$0", "$12[3]:1->0", 3, 5), 9),
        (("line", "lane_0", "case", 12, 5), 2),
    ]


def test_copies_of_a_block_have_one_name():
    def module(path):
        return Point("toggle", path, "a", 0, "rises").module

    assert module("dense.lane_12.multiplier") == module("dense.lane_3.multiplier")
    assert module("dense.lane_3") == "dense.lane"
    assert module("memory$248.store.U$1") == "memory.store"
    assert module("") == "core"


def test_what_is_exempted_does_not_count(monkeypatch):
    rises = [Point("toggle", "count", "value", bit, "rises") for bit in range(4)]
    falls = [Point("toggle", "count", "value", bit, "falls") for bit in range(4)]
    counts = dict.fromkeys([*rises, *falls], 0) | dict.fromkeys(rises[:2], 5)

    def cover(*entries):
        monkeypatch.setattr(coverage, "exempt", lambda: entries)
        return Coverage("small", counts)

    assert cover().reached("toggle") == (2, 8)
    assert cover().missing == sorted([*rises[2:], *falls])
    high = Exempt("count.value", "too far", bits=[2, 3])
    assert cover(high).reached("toggle") == (2, 4)
    assert cover(high).missing == falls[:2]
    assert cover(Exempt("count.value", "x", what="falls")).missing == rises[2:]
    for other in (
        Exempt("value", "the whole name must match"),
        Exempt("count.value", "another core", cores=["large"]),
        Exempt("count.value", "another kind", kinds=["line"]),
    ):
        assert cover(other).reached("toggle") == (2, 8)
    # what is reached counts, though it need not be
    assert cover(Exempt("count.*", "all")).reached("toggle") == (2, 2)


def test_command_fails_below_the_target(monkeypatch, tmp_path):
    point = Point("toggle", "commander", "response", 3, "rises", "hdl/commander.py:84")

    def measured(name, config, suite, done):
        found = {Point("line", "commander", "case", 7, "case"): 3, point: int(name == "hsic")}
        return Coverage(name, found, 1000)

    monkeypatch.setattr(coverage, "measure", measured)
    monkeypatch.setattr(coverage, "exempt", lambda: ())
    file = tmp_path / "result.json"
    run = CliRunner().invoke(command, ["--config", "hsic", "--json", str(file)])
    assert run.exit_code == 0
    assert "hsic: line 100.0 % of 1, branch - of 0, toggle 100.0 % of 1" in run.output
    run = CliRunner().invoke(command, ["--config", "plain", "--json", str(file)])
    assert str(run.exception) == "coverage is too low: plain: toggle 0.0 %"
    assert "not reached: plain: commander.response[3] rises (hdl/commander.py:84)" in run.output
    told = json.loads(file.read_text())["cores"]["plain"]
    assert told["total"] == {"line": [1, 1], "branch": [0, 0], "toggle": [0, 1]}
    assert len(told["missing"]) == 1
    # a configuration of one's own is reported only
    assert CliRunner().invoke(command, ["--config", "xor"]).exit_code == 0


@pytest.mark.slow  # 25 minutes on one core: seven models with counters
def test_the_suite_reaches_all_but_what_is_exempted():
    used = set()
    for name, config in CORES.items():
        found = measure(name, config, coverage.stimuli_of(config))
        for kind, target in TARGETS.items():
            hit, total = found.reached(kind)
            assert hit >= target * total > 0, f"{name}: {kind}: {found.missing[:20]}"
        used |= {*map(id, found.exempted.values())}
    assert [e.name for e in coverage.exempt() if id(e) not in used] == []
