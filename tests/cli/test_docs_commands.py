"""Commands that the pages show: wherever they stand, they are such as the program takes."""

import re
import shlex
from pathlib import Path

import click
import pytest
from every_command import COMMANDS

from hebbware.cli.main import commands as program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = program.list_commands(click.Context(program))
PLACEHOLDER = re.compile(r"[A-Z][A-Z|.]*|\.\.\.|FIELD=.*")  # what the reader is to fill in


def code(text):
    """Code of a page: lines of fenced and of indented blocks, and what stands between backticks."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fences if language in ("", "sh", "text")]
    text = re.sub(r"^```.*?^```\n", "\n", text, flags=re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"(?:(?<=\n\n)|\A)((?: {4}.*\n)+)", text)
    text = re.sub(r"(?:(?<=\n\n)|\A)(?: {4}.*\n)+", "\n", text)
    for block in blocks:
        yield from block.replace("\\\n", " ").splitlines()
    for inline in re.findall(r"`([^`]+)`", text):
        yield " ".join(inline.replace("\\|", "|").split())


def commands(text):
    """Words of each call of hebbware in the page's code."""
    for line in code(text):
        for part in re.split(r"&&|;| \| | >>? |&\s*(?:#|$)", line):
            called = re.match(r"\s*(?:\$ )?(?:\S*/)?hebbware\s(.*)", part)
            if called and (words := shlex.split(called[1], comments=True)):
                yield words


def check(words):
    """Let click parse the words; raise click's error where it does not."""
    command, context, words = program, click.Context(program), list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if PLACEHOLDER.fullmatch(words[0]):
            return
        found = command.get_command(context, words[0])
        if found is None and context.parent is not None:
            raise click.NoSuchOption(words[0])
        assert found is not None, f"no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    default = isinstance(command, click.Group) and command.get_command(context, "measure")
    if default and "--help" not in words:  # a command of its own
        command, context = default, click.Context(default, parent=context)
    options, rest, _ = command.make_parser(context).parse_args([w for w in words if w != "..."])
    assert not rest, f"{rest} is one too many"
    for parameter in command.params:
        values = options.get(parameter.name)
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if isinstance(value, str) and not PLACEHOLDER.fullmatch(value):
                check_value(parameter, value, context)
    return command


def check_value(parameter, value, context):
    """A number lies in its range; a name is one that a shell completes, or that of a file."""
    if isinstance(parameter.type, (click.Choice, click.IntRange)):
        parameter.type.convert(value, parameter, context)
    name = re.match(r"[^:=]*=?", value)[0]  # of what has parameters, or is set
    known = parameter.shell_complete(context, "")
    if any(item.type == "plain" for item in known):
        file = any(item.type == "file" for item in known) and re.search(r"[./]", name)
        assert file or name in {item.value for item in known}, f"{parameter.name}: no {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_are_taken(page):
    for words in commands(page.read_text(encoding="utf-8")):
        try:
            check(words)
        except (click.UsageError, AssertionError) as error:
            pytest.fail(f"{page.name}: hebbware {shlex.join(words)}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_seen(page):
    text = page.read_text(encoding="utf-8")
    written = re.findall(rf"\bhebbware\s+({'|'.join(NAMES)})\b", text)
    seen = [words[0] for words in commands(text) if words[0] in NAMES]
    assert sorted(seen) == sorted(written)


SEEN = """
Inline `hebbware info` and, over a line's end, `hebbware train
--epochs 3`; `other` and `hebbware_core` are none.

    hebbware cosim --samples 5 \\
      --infer 2
    other

| a | `hebbware data NAME` |

```sh
python -m pip install . && .venv/bin/hebbware bench  # a comment
hebbware board serve &
hebbware info | head -1
hebbware completion bash >> file
```

```python
hebbware = 3
```
"""


def test_where_commands_are_seen():
    assert sorted(commands(SEEN)) == [
        ["bench"],
        ["board", "serve"],
        ["completion", "bash"],
        ["cosim", "--samples", "5", "--infer", "2"],
        ["data", "NAME"],
        ["info"],
        ["info"],
        ["train", "--epochs", "3"],
    ]


@pytest.mark.parametrize(
    "words",
    ["fly", "train --speed 3", "train --epochs", "info more", "board fly",
     "cosim --stalls 256", "train --config minst", "study pareto --results DIR",
     "train --set memory.horizn=3", "sweep tyni --results DIR", "train --dataset cue:count=5"],
)  # fmt: skip
def test_what_is_no_command_is_found(words):
    with pytest.raises((click.UsageError, AssertionError)):
        check(words.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_a_help_are_taken(name):
    """They are of that command, with all that it requires."""
    text = COMMANDS[name].get_help(click.Context(COMMANDS[name]))
    _, _, shown = text.partition("Examples:\n")
    examples = list(commands(f"```sh\n{shown}\n```"))
    assert examples
    for words in examples:
        assert check(words) is COMMANDS[name]
        given = set(words) | {word.partition("=")[0] for word in words}
        for parameter in COMMANDS[name].params:
            if parameter.required and isinstance(parameter, click.Option):
                assert given & set(parameter.opts), parameter.name


def test_pages_show_commands():
    assert sum(len(list(commands(page.read_text(encoding="utf-8")))) for page in PAGES) > 80
