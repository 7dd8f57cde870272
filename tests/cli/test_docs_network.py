"""The page on a network of one's own: its commands run as they stand and print what it says."""

import re
import shlex
from pathlib import Path

import pytest

from hebbware.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "network.md").read_text(encoding="utf-8")
LONG = ("cosim", "build")


def commands():
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S):
        yield from (shlex.split(line)[1:] for line in block.splitlines())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"^```toml\n# (\S+)\n(.*?)^```", PAGE, re.M | re.S):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_commands_of_the_page(folder, capsys):
    printed = {}
    for words in commands():
        if words[0] not in LONG:
            extra = ["--jobs", "1"] if words[0] == "sweep" else []
            assert main.main([*words, *extra]) == 0, words
            name = " ".join(words[:1] + [w for w in words if w in ("--seeds", "--controls")])
            printed[name] = capsys.readouterr().out
    assert set(printed) == {
        *("info", "train --controls", "train --seeds", "profile", "sweep", "report", "verilog")
    }
    told = [line.strip() for line in re.findall(r"^    (\S.*)$", PAGE, re.M)]
    for line, name in zip(told, ("info", "train --controls", "train --seeds"), strict=True):
        assert line.partition("; ")[0] in printed[name]
    for number in re.findall(r"\((\d\d\.\d\d)\)", PAGE):
        assert f"│ {number} " in printed["train --controls"]
    assert (folder / "network.svg").exists()
    assert (folder / "results" / "report" / "index.html").exists()
    assert "module hebbware_core(" in (folder / "core.v").read_text()


@pytest.mark.slow  # ten minutes: a simulation, then synthesis, place and route for an ECP5
def test_long_commands_of_the_page(folder):
    found = [words for words in commands() if words[0] in LONG]
    assert [words[0] for words in found] == list(LONG)
    for words in found:
        assert main.main(words) == 0, words
