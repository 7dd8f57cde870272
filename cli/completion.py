"""``hebbware completion``: what a shell needs to complete command lines."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hebbware.cli.common import examples
from hebbware.golden.errors import ToolError

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_HEBBWARE_COMPLETE"  # by which click knows that a shell asks


@click.command(
    "completion",
    epilog=examples(
        "hebbware completion bash >> ~/.bashrc",
        "hebbware completion zsh >> ~/.zshrc",
        "hebbware completion fish > ~/.config/fish/completions/hebbware.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, presets, data sets, boards and fields.

    Presets, data sets, boards and fields are those of the installed program.
    """
    program = context.find_root().command
    made = get_completion_class(shell)(program, {}, "hebbware", VARIABLE)
    try:
        click.echo(made.source())
    except RuntimeError as error:  # a bash that cannot
        raise ToolError(f"completion: {error}") from None
