"""``hebbware verilog``: the file, its header, and the page that tells the ports."""

import json
import re
from pathlib import Path

import pytest

from hebbware.cli import main
from hebbware.golden.config import CoreConfig, load, presets
from hebbware.golden.program import commands
from hebbware.hdl import emit

CONFIG = CoreConfig.of((3, 4, 2), lanes=2)
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(CONFIG.to_toml())
    return str(path)


def declared(text):
    """Direction and width of the ports of the top module, as Verilog declares them."""
    body = re.search(r"^module hebbware_core\(.*?^endmodule", text, re.MULTILINE | re.DOTALL)[0]
    found = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+) ?;", body, re.MULTILINE)
    return {name: (direction, int(high or 0) + 1) for direction, high, name in found}


@pytest.mark.parametrize("trace", [False, True])
def test_header_tells_the_ports_of_the_module(small, tmp_path, capsys, trace):
    path = tmp_path / "core.v"
    arguments = ["--config", small, "--output", str(path), "--json", "-"]
    assert main.main(["verilog", *arguments, "--trace" if trace else "--no-trace"]) == 0
    text = path.read_text()
    ports = declared(text)
    assert ports["samples__payload"] == ("input", 8)
    assert ports["commands__payload"] == ("input", 64)
    assert ports["responses__payload"] == ("output", 32)
    assert ("trace__weights__data" in ports) is trace
    told = re.findall(r"^//   (input|output) +(\d+)  (\w+)  +\S", text, re.MULTILINE)
    assert {name: (direction, int(width)) for direction, width, name in told} == ports
    result = json.loads(capsys.readouterr().out)
    assert {p["name"]: (p["direction"], p["width"]) for p in result["ports"]} == ports
    assert CoreConfig.from_dict(result["config"]) == CONFIG
    assert all(len(line) <= 100 for line in text.splitlines() if line.startswith("//"))
    configuration = text.split("// Configuration\n")[1].split("\n\n")[0]
    lines = [f"//   {line}".rstrip() for line in CONFIG.to_toml().splitlines()]
    assert configuration == "\n".join(lines)


BUILT = [name for name in presets() if not load(name).recurrent]


@pytest.mark.parametrize("name", BUILT)
def test_header_of_every_preset(name):
    config = load(name)
    told = emit.header(config, trace=True)
    named = re.findall(r"^//   output +\d+  trace__(\w+)__data  +\S", told, re.MULTILINE)
    assert set(named) >= {"weights", "memory", "vectors", "errors"}
    assert ("reservoir_0" in named) is (config.memory.kind == "reservoir")


def test_standard_output_is_the_file_alone(small, tmp_path, capsys):
    path = tmp_path / "core.v"
    assert main.main(["verilog", "--config", small, "--output", str(path)]) == 0
    assert f"{path}: module hebbware_core, 14 ports" in capsys.readouterr().out
    assert main.main(["verilog", "--config", small, "--output", "-"]) == 0
    out, err = capsys.readouterr()
    assert out == path.read_text()
    assert err == ""


def test_seed_is_in_the_file(small, tmp_path):
    texts = []
    for seed in "01":
        path = tmp_path / f"{seed}.v"
        assert main.main(["verilog", "--config", small, "--seed", seed, "--output", str(path)]) == 0
        texts.append(path.read_text())
    assert "//   seed = 1" in texts[1]
    assert texts[0].split("\n\n", 1)[1] != texts[1].split("\n\n", 1)[1]


def test_fields_are_those_of_a_packed_command():
    word = commands.pack(
        commands.Op.WRITE, commands.Space.STATE, address=5, lane=3, data=0xFFFFFFFF
    )
    expected = {"op": 1, "space": 3, "lane": 3, "address": 5, "data": 0xFFFFFFFF}
    found = {name: (word >> low) & ((2 << (high - low)) - 1) for name, high, low in emit.fields()}
    assert found == expected
    width = next(p.width for p in emit.ports(CONFIG) if p.name == "commands__payload")
    assert max(high for _, high, _ in emit.fields()) == width - 1


def test_all_commands_are_told():
    assert set(emit.OPS) == set(commands.Op)
    assert set(emit.SPACES) == set(commands.Space)
    assert set(emit.STATES) == set(commands.State)


def test_page_of_the_ports():
    # when it fails: python -m hebbware.hdl.emit > docs/ports.md
    assert (DOCS / "ports.md").read_text() == emit.markdown()


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("--output: cannot write /nowhere/core.v", ("--output", "/nowhere/core.v")),
        ("--output must name a file, not the folder", ("--output", ".")),
        ("--output and --json cannot both be '-'", ("--output", "-", "--json", "-")),
        ("config must be a preset", ("--config", "nothing")),
        ("'--seed'", ("--seed", "-1")),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, message, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(emit, "core_verilog", lambda *_, **__: pytest.fail("the work was begun"))
    assert main.main(["verilog", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_when_the_work_fails(small, tmp_path, monkeypatch):
    path = tmp_path / "core.v"
    path.write_text("older")

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(emit, "core_verilog", fail)
    assert main.main(["verilog", "--config", small, "--output", str(path)]) == 130
    assert path.read_text() == "older"
