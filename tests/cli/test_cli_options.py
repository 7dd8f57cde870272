"""Options are the same in all commands; shells complete names."""

import shutil
import subprocess
import sys

import click
import pytest
from every_command import COMMANDS

from hebbware.boards.board import BOARDS
from hebbware.cli import main
from hebbware.golden.config import names, presets
from hebbware.golden.data.sets import NAMES
from hebbware.golden.reservoir import cell

WITHOUT_DATA = {  # of those with a configuration: what they do, no sample decides about
    *(
        "verilog",
        "mutants",
        "coverage",
        "decoder",
        "build",
        "board serve",
        "board weights",
        "board selftest",
    ),
    *(f"reservoir {name}" for name in ("measure", "cosim", "train", "verilog")),
}


each_command = pytest.mark.parametrize("name", COMMANDS)


def options(name):
    return {word: p for p in COMMANDS[name].params for word in p.opts if word.startswith("-")}


@each_command
def test_options_that_go_together(name):
    found = options(name)
    assert ("--json" in found) == (name != "completion")
    if "--config" in found:
        assert {"--set", "--seed"} <= set(found)
        assert ("--dataset" in found) == (name not in WITHOUT_DATA)
        assert ("--data" in found) == ("--encoding" in found) == (name not in WITHOUT_DATA)
    if "--jobs" in found:
        assert isinstance(found["--jobs"].type, click.IntRange)
    for option in found.values():
        assert option.help
        assert option.help.endswith((".", ")", "]"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--epoch", "3"], "'--epochs'"),
        (["train", "--datset", "digits"], "'--dataset'"),
        (["board", "ping", "--prot", "x"], "'--port'"),
        (["--versoin"], "'--version'"),
    ],
)
def test_the_nearest_option_is_told(arguments, message, capsys):
    assert main.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "id you mean" in err
    assert message in err


def completed(monkeypatch, capsys, line):
    """What a shell is told for a command line that is to be completed at its end."""
    monkeypatch.setenv("_HEBBWARE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit) as ended:
        main.main([])
    assert ended.value.code == 0
    found = [entry.split(",") for entry in capsys.readouterr().out.split()]
    return [name for kind, name in found if kind == "plain"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("hebbware ", list(main.COMMANDS)),
        ("hebbware board p", ["ping"]),
        ("hebbware train --config mnist-", [n for n in presets() if n.startswith("mnist-")]),
        ("hebbware info --set memory.h", [f"{n}=" for n in names() if n.startswith("memory.h")]),
        ("hebbware cosim --dataset mn", [n for n in NAMES if n.startswith("mn")]),
        ("hebbware build --board ", list(BOARDS)),
        ("hebbware reservoir train --config ", cell.presets()),
        ("hebbware reservoir train --set state_", ["state_bits="]),
        ("hebbware folds --dataset i", ["iris"]),
        ("hebbware study per", ["permuted"]),
        ("hebbware sweep mnist-w", ["mnist-weights", "mnist-window"]),
        ("hebbware paper --figure re", ["reservoir", "remap"]),
        ("hebbware coverage --config one", ["one-port"]),
        ("hebbware train --epo", ["--epochs"]),
    ],
)
def test_shells_complete(line, wanted, monkeypatch, capsys):
    assert completed(monkeypatch, capsys, line) == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_a_shell(shell, capsys):
    if shell == "bash" and not shutil.which("bash"):
        pytest.skip("needs bash")
    assert main.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HEBBWARE_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        checked = subprocess.run([program, "-n"], input=script, text=True, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes(tmp_path):
    """The script in bash itself, with the program of this interpreter."""
    program = tmp_path / "hebbware"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hebbware.cli.main "$@"\n')
    program.chmod(0o755)
    script = f"""
        PATH="{tmp_path}:$PATH"
        eval "$(hebbware completion bash)"
        COMP_WORDS=(hebbware build --board iceb) COMP_CWORD=3
        _hebbware_completion hebbware
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "icebreaker\n", "")


def test_values_for_a_reservoir_alone(capsys):
    """``--set`` of `reservoir` is of its own fields."""
    assert main.main(["reservoir", "verilog", "--set", "state_bits=6", "--output", "-"]) == 0
    assert "state_bits" in capsys.readouterr().out
    assert main.main(["reservoir", "verilog", "--set", "state_bit=6", "--output", "-"]) == 2
    assert "did you mean state_bits?" in capsys.readouterr().err
