"""The error for everything a user can get wrong."""


class InputError(ValueError):
    """A bad value from outside: an option, a configuration field, a file.

    The message is one line that names what was given, the rule it breaks and, where it is not
    plain from the rule, what to do. The command line prints it after ``error:`` and exits with 2.
    """
