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


def bundled(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Data sets that scikit-learn brings, then files."""
    from hebbware.study.folds import BUNDLED

    return [*_named(BUNDLED, incomplete), CompletionItem(incomplete, type="file")]


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


def studies(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Studies of the documentation."""
    from hebbware.study.claims import CLAIMS

    return _named(CLAIMS, incomplete)


def specifications(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Shipped specifications of sweeps, then TOML files."""
    from hebbware.study.spec import shipped

    return [*_named(shipped(), incomplete), CompletionItem(incomplete, type="file")]


def figures(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Counterparts of the paper's figures."""
    from hebbware.study.paper import FIGURES

    return _named(FIGURES, incomplete)


def covered(_context, _parameter, incomplete: str) -> list[CompletionItem]:
    """Cores of the suite, presets, then TOML files."""
    from hebbware.cosim.coverage import CORES

    return [*_named(CORES, incomplete), *presets(_context, _parameter, incomplete)]


def _named(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
