"""Every command of the program, for tests that look at each."""

import click

from hebbware.cli.main import commands as program


def walk(command=program, path=()):
    """Name and command of each command that does something."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from walk(command.get_command(context, name), (*path, name))


COMMANDS = dict(walk())
