"""What configurations have in common: bounds, plain values, TOML on disk, presets."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from ..errors import InputError, did_you_mean, unknown
from ..system.files import read_text
from .tables import short_hash, toml, within

Made = TypeVar("Made", bound="Settings")


class Settings:
    """Base of a frozen dataclass of whole numbers, numbers, names and lists of them."""

    def _within(self, name, low, high, value=None):
        value = getattr(self, name) if value is None else value
        within(name, value, low, high)

    @classmethod
    def _check_keys(cls, values):
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise unknown("unknown configuration key", key, known)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """Build from plain values; unknown keys are errors."""
        cls._check_keys(values)
        return cls(**values)

    def to_dict(self) -> dict:
        """Plain values for JSON or TOML, in the order of the fields."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def to_toml(self) -> str:
        """The configuration as TOML text; reading it gives an equal object."""
        return toml(self.to_dict())

    @cached_property
    def fingerprint(self) -> str:
        """First 8 bytes of the SHA-256 of the TOML text, in hexadecimal."""
        return short_hash(self.to_toml())


def names(folder: Path) -> list[str]:
    """Names of the presets in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def parse(text: str, where: str) -> dict[str, Any]:
    """The values of a TOML text; InputError, which says `where`, if it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{where}: not valid TOML: too many brackets in each other") from None
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise InputError(f"{where}: not valid TOML: {error}") from None


def load(
    kind: type[Made],
    name: str | Path,
    folder: Path,
    changes: Mapping[str, Any] | None = None,
    combined: Callable[[dict, Mapping], dict] = lambda values, changes: {**values, **changes},
) -> Made:
    """The preset of that name, or the TOML file at that path, with other values for some fields.

    `combined` makes values of those of the file and the `changes`.

    Raises
    ------
    InputError
        There is neither, or a value cannot be; the message begins with where that is from.
    """
    name, presets = str(name), names(folder)
    path = folder / f"{name}.toml" if name in presets else Path(name)
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(
            f"config must be a preset ({', '.join(presets)}) or a readable TOML file, "
            f"not {name!r}: {reason}{did_you_mean(name, presets)}"
        ) from None
    origin = f"preset {name}" if name in presets else f"config {name}"
    origin += "".join(f", {field} = {value!r}" for field, value in (changes or {}).items())
    values = parse(text, f"config {name}")
    try:
        return kind.from_dict(combined(values, changes) if changes else values)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
