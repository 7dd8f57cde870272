"""What configurations have in common: bounds, plain values, TOML on disk, presets."""

import hashlib
import tomllib
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Self

from .errors import InputError


class Settings:
    """Base of a frozen dataclass of whole numbers, numbers, names and lists of them."""

    def _within(self, name, low, high, value=None):
        value = getattr(self, name) if value is None else value
        if not low <= value <= high:
            raise InputError(f"{name} must lie in {low}..{high}, not {value!r}")

    @classmethod
    def _check_keys(cls, values):
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise InputError(
                    f"unknown configuration key {key!r}; known keys: {', '.join(known)}"
                )

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
        return short_hash(self.to_dict())


def toml(values: dict) -> str:
    """Plain values as TOML text."""
    lines = []
    for key, value in values.items():
        if isinstance(value, bool):
            text = str(value).lower()
        else:
            text = f'"{value}"' if isinstance(value, str) else repr(value)
        lines.append(f"{key} = {text}")
    return "\n".join(lines) + "\n"


def short_hash(values: dict) -> str:
    """First 8 bytes of the SHA-256 of the TOML text of plain values, in hexadecimal."""
    return hashlib.sha256(toml(values).encode()).hexdigest()[:16]


def names(folder: Path) -> list[str]:
    """Names of the presets in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read(name: str | Path, folder: Path) -> dict:
    """Values of the preset of that name, or of the TOML file at that path."""
    name = str(name)
    path = folder / f"{name}.toml" if name in names(folder) else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(
            f"config must be a preset ({', '.join(names(folder))}) or a readable TOML file, "
            f"not {name!r}: {reason}"
        ) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"config {name}: not valid TOML: {error}") from None
