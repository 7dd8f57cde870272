"""The errors for what a user can get wrong, and for what is wrong around this program."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """A bad value from outside: an option, a configuration field, a file.

    The message is one line that names what was given, the rule it breaks and, where it is not
    plain from the rule, what to do. The command line prints it after ``error:`` and exits with 2.
    """


class ToolError(RuntimeError):
    """A program that is needed failed: what, and the last lines that it printed.

    The command line prints it after ``error:`` and exits with 2.

    Attributes
    ----------
    what : str
        Without what the program printed.
    """

    def __init__(self, what: str, log: str = "", lines: int = 8):
        self.what = what
        last = [line.strip() for line in log.splitlines() if line.strip()][-lines:]
        super().__init__(f"{what}; it printed: {' | '.join(last)}" if last else what)


class Notice(UserWarning):
    """What a user should know, in one line; the command line prints it after ``warning:``."""


def did_you_mean(value: object, choices: Iterable[str]) -> str:
    """The end of a message on a name that there is not: the nearest of those there are, if any."""
    near = get_close_matches(str(value), list(choices), 1)
    return f"; did you mean {near[0]}?" if near else ""


def unknown(what: str, value: object, known: Iterable[str]) -> InputError:
    """The error where there is none of a name: the nearest, or all that are `known`."""
    known = list(known)
    listed = f"; known: {', '.join(known)}"
    return InputError(f"{what} {value!r}{did_you_mean(value, known) or listed}")


def one_of(name: str, value: object, choices: Iterable[str], more: str = "") -> InputError:
    """The error where a value is none of the `choices`, nor what `more` allows."""
    choices = list(map(str, choices))
    listed = ", ".join(choices)
    return InputError(
        f"{name} must be one of {listed}{more}, not {value!r}{did_you_mean(value, choices)}"
    )
