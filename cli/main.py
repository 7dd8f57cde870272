"""The console command ``hebbware``: the group of commands, and what each failure exits with.

====  =====================================================================================
code  when
====  =====================================================================================
0     success
1     what the command checked does not hold (`CheckFailed`)
2     bad input, output that cannot be written, a program that is needed and fails: one line on
      standard error
129   hung up (SIGHUP); 143: terminated (SIGTERM); 130: interrupted from the keyboard
141   nobody reads standard output any more: the command breaks off in silence
====  =====================================================================================
"""

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from hebbware.cli.common import CheckFailed, Group
from hebbware.golden.errors import InputError, Notice, ToolError
from hebbware.golden.system.children import Terminated, signals_raise

COMMANDS = (
    *(
        "init",
        "info",
        "decoder",
        "train",
        "cosim",
        "fuzz",
        "coverage",
        "mutants",
        "verilog",
        "export",
        "build",
        "board",
    ),
    *("reservoir", "bench", "sweep", "profile", "report", "study", "paper"),
    *("folds", "data", "doctor", "completion"),
)
"""In the order of the help. Each is ``command`` in the module of that name in this folder."""


class LazyGroup(Group):
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
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _, asked: asked and _version(ctx),
    help="Show the versions of this program and of the tools that it finds, and exit.",
)
def commands() -> None:
    """Hebbian learning in gateware, checked clock for clock against a golden model."""


def _version(context: click.Context) -> None:
    """Print what there is, a line each."""
    from hebbware.cli.doctor import versions

    for name, version in versions():
        click.echo(f"{name} {version}")
    context.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see the table of this module).

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of the process.
    """
    try:
        with signals_raise(), _notices():
            code = _run(arguments)
            if sys.stdout is not None:
                sys.stdout.flush()  # what is wrong with it is found out here, not at the very end
            return code
    except BrokenPipeError:
        _mute()
        return 141
    except OSError as error:
        _mute()
        return _fail(f"error: cannot write standard output: {error.strerror}", 2)
    except Terminated as error:
        return _fail(f"ended by {error}", 128 + error.number)


def _run(arguments: Sequence[str] | None) -> int:
    streams = sys.stdout, sys.stderr
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
    except BrokenPipeError:
        raise
    except SystemExit as error:
        # where nobody reads, click puts other streams in place and leaves so, and rich leaves so
        replaced = sys.stdout is not streams[0]
        sys.stdout, sys.stderr = streams
        if replaced or isinstance(error.__context__, BrokenPipeError):
            raise BrokenPipeError from None
        raise
    except (InputError, ToolError, OSError) as error:
        return _fail(f"error: {error}", 2)
    # click returns the code of an early exit (`--help`), and else what the command returns: None
    return result or 0


@contextmanager
def _notices() -> Iterator[None]:
    """Print this program's own warnings in a line each."""
    before = warnings.showwarning

    def show(message, category, *rest, **named):
        if issubclass(category, Notice):
            _fail(f"warning: {message}", 0)
        else:
            before(message, category, *rest, **named)

    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        warnings.showwarning = show
        yield


def _mute() -> None:
    """Let what is still to be written to standard output go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _fail(message: str, code: int) -> int:
    """Print one line on standard error, if anybody reads that, and return the code."""
    with suppress(OSError):
        print(" ".join(message.split()), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
