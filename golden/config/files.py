"""Configurations in files, and the presets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..settings import files as settings
from ..settings.tables import flattened
from .core import CoreConfig
from .kinds import derived

PRESETS = Path(__file__).parents[1] / "presets"


def presets() -> list[str]:
    """Names of the shipped configurations."""
    return settings.names(PRESETS)


def load(name: str | Path, changes: Mapping[str, Any] | None = None) -> CoreConfig:
    """The preset of that name, or the TOML file at that path, with `changes` as of `derived`.

    Raises
    ------
    InputError
        There is neither, or a value cannot be; the message begins with where that is from.
    """
    return settings.load(
        CoreConfig, name, PRESETS, changes,
        lambda values, changes: derived(dict(flattened(values)), changes),
    )  # fmt: skip
