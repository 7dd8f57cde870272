"""What a shell may complete the values of options with (``hebbware completion``)."""

from __future__ import annotations

from collections.abc import Iterable

from click.shell_completion import CompletionItem


def presets(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Presets, then TOML files."""
    from hebbware.golden.config import presets as known

    return [*_named(known(), incomplete), CompletionItem(incomplete, type="file")]


def reservoir_presets(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Presets of reservoirs, then TOML files."""
    from hebbware.golden.reservoir.cell import presets as known

    return [*_named(known(), incomplete), CompletionItem(incomplete, type="file")]


def datasets(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Data sets, then files."""
    from hebbware.golden.data.sets import NAMES

    return [*_named(NAMES, incomplete), CompletionItem(incomplete, type="file")]


def boards(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Boards."""
    from hebbware.boards.board import BOARDS

    return _named(BOARDS, incomplete)


def fields(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Configuration fields, each with its equals sign."""
    from hebbware.golden.config import names

    return _named((f"{name}=" for name in names()), incomplete)


def reservoir_fields(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Fields of a reservoir on its own, each with its equals sign."""
    from dataclasses import fields as of

    from hebbware.golden.reservoir.cell import ReservoirConfig

    return _named((f"{field.name}=" for field in of(ReservoirConfig)), incomplete)


def _named(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
