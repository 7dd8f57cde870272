"""The command line: exit codes, one line for each failure, and JSON that is alone on its stream."""

import importlib.metadata
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from hebbware.cli import common, main
from hebbware.cli.files import check_writable, write_file
from hebbware.cosim import toolchain
from hebbware.golden.errors import InputError


@pytest.fixture
def with_command(monkeypatch):
    """Run a function as the subcommand ``probe``; returns the exit code."""

    def run(function, *arguments):
        command = click.command("probe")(common.common_options(function))
        monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)
        return main.main(["probe", *arguments])

    return run


def raising(error):
    def function(config, seed, output):
        raise error

    return function


# -- exit codes -------------------------------------------------------------------------------


def test_success(with_command, capsys):
    assert with_command(lambda config, seed, output: output.log("[b]done")) == 0
    assert capsys.readouterr() == ("[b]done\n", "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (common.CheckFailed("3 mismatches"), 1, "failed: 3 mismatches\n"),
        (
            InputError("lanes must lie\nin 1..128, not 0"),
            2,
            "error: lanes must lie in 1..128, not 0\n",
        ),
        (OSError(28, "No space left", "out.v"), 2, "error: [Errno 28] No space left: 'out.v'\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_failure_is_one_line(with_command, capsys, error, code, line):
    assert with_command(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.lstrip("\n") == line


def test_a_mistake_of_the_program_is_not_hidden(with_command):
    with pytest.raises(ZeroDivisionError):
        with_command(raising(ZeroDivisionError()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no such command 'nothing' (see `hebbware --help`)"),
        (["data"], "Missing argument 'NAME'. (see `hebbware data --help`)"),
        (["data", "xor", "--seed", "-1"], "'--seed': -1 is not in the range x>=0."),
        (
            ["data", "minst"],
            "must be one of digits, xor, linear, mnist, mnist-pooled, fashion-mnist, cifar10, ",
        ),
        (["data", "mnist", "--data", "/nowhere"], "looked in /nowhere/mnist, /nowhere: "),
        (["data", "xor", "--json", "/nowhere/x"], "--json: cannot write /nowhere/x: No such file"),
        (["data", "xor", "--json", "/"], "--json must name a file, not the folder /"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, message):
    assert main.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_help_lists_the_commands_that_are_there(capsys):
    assert main.main(["--help"]) == 0
    out, _ = capsys.readouterr()
    listed = [line.split()[0] for line in out.partition("Commands:")[2].strip().splitlines()]
    there = {
        path.stem
        for path in Path(main.__file__).parent.glob("*.py")
        if "\ndef command(" in path.read_text()
    }
    assert listed == list(main.COMMANDS)
    assert there == set(main.COMMANDS)


def test_help_of_every_command_is_fast_to_import():
    heavy = ("amaranth", "cocotb", "matplotlib", "numba", "rich", "sklearn")
    program = (
        "import sys; from hebbware.cli.main import main; main(['--help']);"
        f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == "\n"


def test_version(capsys):
    assert main.main(["--version"]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first == f"hebbware {importlib.metadata.version('hebbware')}"
    assert f"numba {importlib.metadata.version('numba')}" in others
    found = toolchain.find()
    (verilator,) = [line for line in others if line.startswith("Verilator ")]
    assert found.version in verilator
    assert any(line.startswith("yosys ") for line in others)


# -- JSON -------------------------------------------------------------------------------------


def test_json_is_alone_on_standard_output():
    done = subprocess.run(
        [sys.executable, "-m", "hebbware.cli.main", "data", "digits", "--json", "-"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert (result["shape"], result["classes"]) == ([8, 8], 10)
    assert result["parts"]["x_test"]["shape"] == [500, 64]
    assert "500, 64" in done.stderr


def test_json_file_and_text_on_standard_output(capsys, tmp_path):
    path = tmp_path / "xor.json"
    path.write_text("older")
    assert main.main(["data", "xor", "--seed", "4", "--json", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "1000, 2" in out
    assert err == ""
    assert json.loads(path.read_text())["name"] == "xor"
    assert list(tmp_path.iterdir()) == [path]


def test_seed_of_data_draws_other_points(capsys):
    def digest(*arguments):
        assert main.main(["data", "linear", "--json", "-", *arguments]) == 0
        return json.loads(capsys.readouterr().out)["parts"]["x_train"]["sha256"]

    assert digest() == digest("--seed", "0") != digest("--seed", "1")


def test_json_of_numpy_and_of_numbers_that_json_lacks(with_command, capsys, tmp_path):
    result = {
        "a": np.int64(3),
        "b": np.arange(2),
        "c": [math.nan, math.inf, 0.5],
        4: (tmp_path, None, True),
    }
    assert with_command(lambda config, seed, output: output.write(result), "--json", "-") == 0
    assert json.loads(capsys.readouterr().out) == {
        "a": 3,
        "b": [0, 1],
        "c": [None, None, 0.5],
        "4": [str(tmp_path), None, True],
    }


def test_result_without_json_option_is_not_printed(with_command, capsys):
    assert with_command(lambda config, seed, output: output.write({"a": 1})) == 0
    assert capsys.readouterr() == ("", "")


def test_output_is_tried_before_the_work(with_command, capsys):
    def function(config, seed, output):
        pytest.fail("the work was begun")

    assert with_command(function, "--json", "/nowhere/x") == 2


# -- files ------------------------------------------------------------------------------------


def test_failed_write_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "core.v"
    path.write_text("older")

    def full(self, raw):
        self.write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "write_bytes", full)
        with pytest.raises(InputError, match=f"cannot write {path}: No space left on device"):
            write_file(path, "newer")
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_trying_a_file_leaves_nothing(tmp_path):
    for _ in range(2):
        assert check_writable(tmp_path / "core.v", "--out") == tmp_path / "core.v"
        assert list(tmp_path.iterdir()) == []


def test_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_file(check_writable(tmp_path / "link", "--out"), "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_regular_file_is_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(check_writable(pipe, "--out"), b"bytes")
        assert os.read(reader, 100) == b"bytes"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


# -- text for people --------------------------------------------------------------------------


def test_table_is_not_folded_without_a_terminal(with_command, capsys):
    def function(config, seed, output):
        output.table("report", ("name", "clocks"), [("n" * 150, 7), ("core", 12345)])

    assert with_command(function) == 0
    out, _ = capsys.readouterr()
    assert "n" * 150 in out
    first = next(line for line in out.splitlines() if "nnn" in line)
    assert first.endswith("│      7 │")


# -- configuration and progress ---------------------------------------------------------------


def test_config_and_its_seed():
    assert common.resolve_config("digits", None) == common.resolve_config("digits")
    assert common.resolve_config("digits", 7).seed == 7
    with pytest.raises(InputError, match="nothing-of-that-name"):
        common.resolve_config("nothing-of-that-name")


def test_default_options(with_command):
    seen = []
    assert with_command(lambda config, seed, output: seen.append((config, seed))) == 0
    assert (
        with_command(
            lambda config, seed, output: seen.append((config, seed)),
            "--config",
            "xor",
            "--seed",
            "3",
        )
        == 0
    )
    assert seen == [("digits", None), ("xor", 3)]


def test_progress_is_silent_without_a_terminal(with_command, capsys):
    def function(config, seed, output):
        with output.progress("learning", total=2) as advance:
            advance()
            advance(1)

    assert with_command(function) == 0
    assert capsys.readouterr() == ("", "")
