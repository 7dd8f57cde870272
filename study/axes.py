"""Axes of a study: the fields of the configuration that vary between its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ROUNDINGS = ("floor", "nearest", "stochastic")  # from the crudest to the finest


@dataclass(frozen=True)
class Axis:
    """A varied field, the leading one, and those that went along with it.

    Each value is the tuple of the values of all of them.
    """

    fields: tuple[str, ...]
    values: tuple[tuple, ...]

    @property
    def name(self) -> str:
        """The leading field."""
        return self.fields[0]

    @property
    def numeric(self) -> bool:
        """Whether the values of the leading field have a scale."""
        return all(isinstance(value[0], (int, float)) for value in self.values)

    def of(self, settings: dict[str, Any]) -> tuple:
        """Return the value of a run's settings."""
        return tuple(hashable(settings.get(name)) for name in self.fields)


def find_axes(settings: Sequence[dict[str, Any]]) -> list[Axis]:
    """Find what varies between settings, in the order of their fields.

    A field that is determined by another one goes along with it: fields that were zipped. Of two
    that determine each other, the one named first leads.
    """
    names = list(dict.fromkeys(name for one in settings for name in one))
    columns = {name: [hashable(one.get(name)) for one in settings] for name in names}
    varied = [name for name in names if len(set(columns[name])) > 1]

    def determines(a: str, b: str) -> bool:
        return len(set(zip(columns[a], columns[b], strict=True))) == len(set(columns[a]))

    leaders = []
    for index, name in enumerate(varied):
        others = [o for o in varied if o != name and determines(o, name)]
        # of two fields that determine each other, the earlier one leads
        if not any(not determines(name, o) or varied.index(o) < index for o in others):
            leaders.append(name)
    led: dict[str, list[str]] = {name: [name] for name in leaders}
    for name in varied:
        if name not in led:
            led[next(leader for leader in leaders if determines(leader, name))].append(name)
    axes = []
    for fields in led.values():
        values = set(zip(*(columns[name] for name in fields), strict=True))
        axes.append(Axis(tuple(fields), tuple(sorted(values, key=sortable))))
    return axes


def shared(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all settings have in common."""
    first = settings[0] if settings else {}
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in settings)}


def show(value: Any) -> str:
    """Return the value of a field as text."""
    if value is None:
        return "–"
    if isinstance(value, (tuple, list)):
        return "-".join(map(show, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def hashable(value: Any) -> Any:
    """Return a value of a setting with its lists as tuples."""
    return tuple(map(hashable, value)) if isinstance(value, list) else value


def sortable(value: Any) -> tuple:
    """Return a key that sorts values of any types: numbers, words, lists, None last."""
    if value is None:
        return (3,)
    if isinstance(value, tuple):
        return (2, *map(sortable, value))
    if isinstance(value, (int, float)):
        return (0, value)
    return (1, ROUNDINGS.index(value) if value in ROUNDINGS else len(ROUNDINGS), str(value))
