"""Checks of what a specification holds; `where` and `what` begin the message."""

from typing import Any

from hebbware.golden.errors import InputError, unknown


def known(where: str, table: dict, names: tuple[str, ...]) -> None:
    """Refuse keys of a table that are none of these names."""
    for key in table:
        if key not in names:
            raise unknown(f"{where}: unknown field", key, names)


def typed(where: str, what: str, value: Any, kind: type) -> Any:
    """Return a value that is of this type."""
    words = {str: "text", bool: "true or false", dict: "a table", list: "a list"}
    if not isinstance(value, kind):
        raise InputError(f"{where}: {what} must be {words[kind]}, not {value!r}")
    return value


def listed(where: str, what: str, value: Any, kind: type | None = None) -> list:
    """Return a list whose entries are of this type."""
    words = {str: "texts", int: "whole numbers", dict: "tables", None: ""}
    wrong = not isinstance(value, list) or (
        kind and any(not isinstance(v, kind) or isinstance(v, bool) for v in value)
    )
    if wrong:
        raise InputError(f"{where}: {what} must be a list of {words[kind]}, not {value!r}")
    return value
