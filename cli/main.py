"""The console command ``hebbware``: the group of commands, and what each failure exits with.

====  =====================================================================================
code  when
====  =====================================================================================
0     success
1     what the command checked does not hold (`CheckFailed`)
2     bad input, or output that cannot be written: one line on standard error
130   interrupted from the keyboard
====  =====================================================================================
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence

import click

from hebbware.cli.common import CheckFailed
from hebbware.golden.errors import InputError

COMMANDS = (
    *("init", "info", "readout", "train", "cosim", "fuzz", "verilog", "build", "board"),
    *("reservoir", "bench", "sweep", "profile", "report", "paper", "data"),
)
"""In the order of the help. Each is ``command`` in the module of that name in this folder."""


class LazyGroup(click.Group):
    """A group that imports the module of a command when that command is asked for.

    What a command needs beyond click and NumPy, it imports when it runs: the help stays fast.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands whose module is there."""
        return [name for name in COMMANDS if importlib.util.find_spec(f"hebbware.cli.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return importlib.import_module(f"hebbware.cli.{cmd_name}").command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hebbware")
def commands() -> None:
    """Hebbian learning in gateware, checked clock for clock against a golden model."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see the table of this module).

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of the process.
    """
    try:
        result = commands.main(arguments, prog_name="hebbware", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "hebbware"
        return _fail(f"error: {error.format_message()} (see `{command} --help`)", 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except CheckFailed as error:
        return _fail(f"failed: {error}", 1)
    except (InputError, OSError) as error:
        return _fail(f"error: {error}", 2)
    # click returns the code of an early exit (`--help`), and else what the command returns: None
    return result or 0


def _fail(message: str, code: int) -> int:
    """Print one line on standard error and return the code."""
    print(" ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
