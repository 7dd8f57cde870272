"""What is given to commands and what they print: names that there are not, files, pipes, widths."""

import os
import subprocess
import sys
import threading

import pytest

from hebbware.cli import main
from hebbware.golden.config import load
from hebbware.golden.errors import InputError, did_you_mean
from hebbware.golden.system import files

TOML = "input.size = 64\nlayer.units = [6, 4, 10]\nlanes = 2\n"


def refused(capsys, *arguments):
    """The one line on standard error of a command that refuses what it is given."""
    assert main.main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["trian"], "train"),
        (["board", "pnig"], "ping"),
        (["data", "mnits"], "mnist"),
        (["info", "--config", "mnist-larg"], "mnist-large"),
        (["info", "--dataset", "digit"], "digits"),
        (["build", "--board", "icebraker"], "icebreaker"),
        (["train", "--set", "weigth_bits=8"], "formats.weight_bits"),
        (["train", "--set", "memory.kind=gatted"], "gated"),
        (["train", "--set", "update.rounding=nearst"], "nearest"),
        (["paper", "--results", "results", "--figure", "mnits"], "mnist"),
        (["sweep", "digit", "--results", "results"], "digits"),
        (["reservoir", "--config", "cycel"], "cycle"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_the_nearest_name_is_told(arguments, nearest, capsys):
    assert f"did you mean {nearest}?" in refused(capsys, *arguments)


def test_no_name_is_near():
    assert did_you_mean("zzz", ["digits", "mnist"]) == ""


def test_an_error_about_a_field_tells_where_it_is_from(capsys, tmp_path):
    path = tmp_path / "core.toml"
    path.write_text(TOML + "formats.weight_bits = 99\n")
    said = refused(capsys, "info", "--config", path)
    assert said.startswith(f"error: config {path}: formats.weight_bits must lie in")
    path.write_text(TOML + "weight_bit = 9\n")
    said = refused(capsys, "info", "--config", path)
    assert said.startswith(f"error: config {path}: unknown configuration key 'weight_bit'")
    said = refused(capsys, "train", "--config", "digits", "--set", "formats.weight_bits=99")
    assert said.startswith(
        "error: preset digits, formats.weight_bits = 99: formats.weight_bits must lie in"
    )
    with pytest.raises(InputError, match="^preset digits, lanes = 0: lanes must"):
        load("digits", {"lanes": 0})


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path, capsys):
    path = tmp_path / "core.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TOML.encode())
    assert main.main(["info", "--config", str(path), "--nonzero", "5"]) == 0
    path.write_bytes(TOML.encode("utf-16"))
    capsys.readouterr()
    assert "not a text file" in refused(capsys, "info", "--config", path)


def test_a_configuration_may_come_through_a_pipe(tmp_path, capsys):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write():
        with path.open("w") as pipe:
            pipe.write(TOML)
            pipe.flush()
            pipe.write("layer.rate = [9, 9, 9]\n")

    writer = threading.Thread(target=write)
    writer.start()
    arguments = ("train", "--config", str(path), "--set", "lanes=3", "--dataset", "nothing")
    assert "data set must be one of" in refused(capsys, *arguments)  # so the pipe was read
    writer.join()


def test_a_pipe_that_nobody_writes_into_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(files, "WRITER", 0.1)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "nobody writes into this pipe" in refused(capsys, "info", "--config", path)


def test_a_configuration_of_the_shell(tmp_path):
    """``<(...)`` is a pipe that is open already."""
    program = "import sys; from hebbware.cli.main import main; sys.exit(main())"
    line = f"'{sys.executable}' -c '{program}' verilog --config <(sleep 0.2; printf '{TOML}')"
    done = subprocess.run(["bash", "-c", f"{line} --output -"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "module hebbware_core(" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["data", "digits"], ["verilog", "--help"]], ids=lambda a: a[0]
)
def test_output_that_nobody_reads_ends_the_command_in_silence(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    program = "import sys; from hebbware.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
@pytest.mark.parametrize("arguments", [["data", "digits"], ["info", "--json", "-"]])
def test_output_that_cannot_be_written_is_told(arguments):
    program = "import sys; from hebbware.cli.main import main; sys.exit(main())"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(b"error: ")
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_lines_are_not_folded_where_there_is_no_terminal(capsys):
    from hebbware.cli.common import Output

    output = Output()
    output.log("word " * 1000)
    output.table("t", ("a", "b"), [("x" * 300, "word " * 300)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["word"] * 1000
    assert len(lines) == 7
    assert max(map(len, lines[1:])) < 2000
