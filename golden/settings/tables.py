"""Tables: what configurations are made of. A table is a frozen dataclass with checks of its own.

A field is made by one of the functions below, which hold its default and what it may be::

    @dataclass(frozen=True, kw_only=True)
    class Gated(Memory):
        kind = "gated"
        horizon: int = whole(12, 1, 20)

Fields are named by the path to them, with dots: ``memory.horizon``. Plain values of a configuration
are a flat dictionary of such names, in a file nested tables.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, ClassVar

from ..errors import InputError, one_of, unknown

KIND = "kind"


@dataclass(frozen=True)
class Domain:
    """What a field may be.

    Parameters
    ----------
    check : function
        ``(name, value) -> value`` as it is kept, or an InputError that names the field.
    low, high : number, optional
        Smallest and largest one.
    power : bool
        Powers of two only.
    names : tuple of str
        Of a choice.
    default : Any
        None: it follows from others where none is given.
    """

    check: Callable[[str, Any], Any]
    low: float | None = None
    high: float | None = None
    power: bool = False
    names: tuple[str, ...] = ()
    default: Any = None


def within(name: str, value: float, low: float, high: float):
    """Raise InputError where `value` of the field `name` lies outside ``low..high``."""
    if not low <= value <= high:
        raise InputError(f"{name} must lie in {low}..{high}, not {value!r}")


def _made(default, domain: Domain) -> Any:
    return field(default=default, metadata={"domain": replace(domain, default=default)})


def _check_whole(name, value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name} must be a whole number, not {value!r}")


def whole(default: int | None, low: int, high: int) -> Any:
    """A whole number. With a default of None its value follows from others where none is given."""

    def check(name, value):
        if value is None and default is None:
            return None
        _check_whole(name, value)
        within(name, value, low, high)
        return value

    return _made(default, Domain(check, low, high))


def power(default: int, low: int, high: int, reason: str = "") -> Any:
    """A power of two, for a `reason` that the message gives."""

    def check(name, value):
        _check_whole(name, value)
        if not low <= value <= high or value & (value - 1):
            raise InputError(f"{name} must be a power of two in {low}..{high}{reason}, not {value}")
        return value

    return _made(default, Domain(check, low, high, power=True))


def real(default: float | None, low: float, high: float) -> Any:
    """A number. With a default of None its value follows from others where none is given."""

    def check(name, value):
        if value is None and default is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"{name} must be a number, not {value!r}")
        within(name, value, low, high)
        return float(value)

    return _made(default, Domain(check, low, high))


def choice_of(default: int, numbers: tuple[int, ...]) -> Any:
    """One of some whole numbers."""

    def check(name, value):
        _check_whole(name, value)
        if value not in numbers:
            *first, last = numbers
            listed = f"{', '.join(map(str, first))} or {last}"
            raise InputError(f"{name} must be {listed}, not {value}")
        return value

    return _made(default, Domain(check, min(numbers), max(numbers)))


def flag(default: bool) -> Any:
    """True or false."""

    def check(name, value):
        if not isinstance(value, bool):
            raise InputError(f"{name} must be true or false, not {value!r}")
        return value

    return _made(default, Domain(check))


def choice(default: str, names: tuple[str, ...] | type[StrEnum], files: str = "") -> Any:
    """One of some names; with `files`, a suffix, also the path of such a file."""
    known = tuple(str(name) for name in names)

    def check(name, value):
        if isinstance(value, str) and (value in known or files and value.endswith(files)):
            return names(value) if isinstance(names, type) else value
        raise one_of(name, value, known, f" or a file *{files}" if files else "")

    return _made(default, Domain(check, names=known))


def numbers(default: tuple | None, low: float, high: float, entry: type = int) -> Any:
    """A list of whole numbers, or of numbers. With a default of None there need be none."""
    text = "whole numbers" if entry is int else "numbers"

    def check(name, value):
        if value is None and default is None:
            return None
        if not isinstance(value, (tuple, list)) or not all(
            isinstance(v, (int, entry)) and not isinstance(v, bool) for v in value
        ):
            raise InputError(f"{name} must be a list of {text}, not {value!r}")
        for number in value:
            within(name, number, low, high)
        return tuple(entry(number) for number in value)

    return _made(default, Domain(check, low, high))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Base of tables. `table` is its name in a configuration, `kind` which of several it is."""

    table: ClassVar[str]
    kind: ClassVar[str | None] = None

    def __post_init__(self):
        for each in fields(self):
            value = domain(each).check(f"{self.table}.{each.name}", getattr(self, each.name))
            object.__setattr__(self, each.name, value)

    @classmethod
    def domains(cls) -> dict[str, Domain]:
        """Its fields by name, and what each may be."""
        return {each.name: domain(each) for each in fields(cls)}

    def values(self) -> dict[str, Any]:
        """Plain values, the kind first."""
        kind = {KIND: self.kind} if self.kind else {}
        return kind | {each.name: plain(getattr(self, each.name)) for each in fields(self)}


def domain(each: Field) -> Domain:
    """What a field may be."""
    return each.metadata["domain"]


def plain(value: Any) -> Any:
    """A value as JSON and TOML have it."""
    if isinstance(value, StrEnum):
        return value.value
    return [plain(entry) for entry in value] if isinstance(value, (tuple, list)) else value


def make(table: str, kinds: Mapping[str, type[Table]], values: Mapping[str, Any]) -> Table:
    """The table of the kind that `values` name, by default the first of `kinds`.

    Raises
    ------
    InputError
        There is no such kind, or it has no such field.
    """
    first = next(iter(kinds))
    kind = values.get(KIND, first)
    if not isinstance(kind, str) or kind not in kinds:
        raise one_of(f"{table}.{KIND}", kind, kinds)
    cls, given = kinds[kind], {k: v for k, v in values.items() if k != KIND}
    for name in given:
        if name not in cls.domains():
            others = [k for k, other in kinds.items() if name in other.domains()]
            if others:
                raise InputError(
                    f"{table}.{name} must be left out where {table}.{KIND} is {kind!r}; "
                    f"it belongs to {', '.join(map(repr, others))}"
                )
            raise unknown(
                "unknown configuration key", f"{table}.{name}",
                [f"{table}.{known}" for known in cls.domains()],
            )  # fmt: skip
    return cls(**given)


# -- nested tables and dotted names ----------------------------------------------------------------


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables by dotted names.

    A list of tables becomes lists: one value for each of them, None where one has none.
    """
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flattened(value, f"{name}.")
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            for inner in dict.fromkeys(key for each in value for key in each):
                yield f"{name}.{inner}", [each.get(inner) for each in value]
        else:
            yield name, value


def toml(values: Mapping[str, Any], lists: tuple[str, ...] = ()) -> str:
    """Plain values by dotted names as TOML text: what has no dot first, then table by table.

    Those of `lists` become a table for each entry of their values.
    """
    top, tables = [], {}
    for name, value in values.items():
        table, _, key = name.rpartition(".")
        if table:
            tables.setdefault(table, {})[key] = value
        else:
            top.append(f"{key} = {_text(value)}")
    parts = ["\n".join(top)] if top else []
    for table, inner in tables.items():
        if table in lists:
            for n in range(len(next(iter(inner.values())))):
                parts.append(_section(f"[[{table}]]", {k: v[n] for k, v in inner.items()}))
        else:
            parts.append(_section(f"[{table}]", inner))
    return "\n\n".join(parts) + "\n"


def short_hash(text: str) -> str:
    """First 8 bytes of the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _section(head: str, values: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_text(value)}" for key, value in values.items() if value is not None]
    return "\n".join([head, *lines])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
