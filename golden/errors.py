"""The errors for what a user can get wrong, and for what is wrong around this program."""


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
