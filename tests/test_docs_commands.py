"""Commands that the pages show: they exist, with the options that are given to them."""

import re
import shlex
from pathlib import Path

import click
import pytest

from hebbware.cli.main import commands as program

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(text):
    """Lines of the page's code blocks that call hebbware, continued lines joined."""
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split("&&"):
                if not re.match(r"\s*(\S*/)?hebbware ", part):
                    continue
                words = shlex.split(part.strip().removesuffix("&"), comments=True)
                if words:
                    yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_exist(page):
    for words in commands(page.read_text()):
        command, context = program, click.Context(program)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            assert found is not None, f"{page.name}: no command {words[0]}"
            command, words = found, words[1:]
        if isinstance(command, click.Group) and words:  # it has a command of its own by default
            command = command.get_command(context, "measure")
        known = {name for option in command.params for name in option.opts + option.secondary_opts}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help", "-h", "--version"}, f"{page.name}: {words}"


def test_pages_show_commands():
    assert sum(len(list(commands(page.read_text()))) for page in PAGES) > 30
