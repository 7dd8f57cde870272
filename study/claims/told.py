"""How results of these studies are told: numbers of a case, paired differences, tables, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

from hebbware.study.claims.cases import Chosen
from hebbware.study.paired import Difference, difference
from hebbware.study.results import Spread

NUMBERS = ("seeds", "values", "mean", "deviation", "worlds", "change")
OF_SEEDS = ("_at", "_deviation")  # ends of names of what is told of all seeds together


def spread(one: Chosen, value: Callable[[dict], float] = lambda r: r["test"]) -> Spread:
    """Return the spread over the seeds of a number of the results, by default on the test set."""
    return Spread(tuple(value(result) for result in one.results))


def paired(
    one: Chosen, other: Chosen, value: Callable[[dict], float] = lambda r: r["test"]
) -> Difference | None:
    """Return the difference between two cases over the seeds that both have; None without any."""
    first, second = one.by_seed(value), other.by_seed(value)
    seeds = sorted(first.keys() & second.keys())
    return difference([first[s] for s in seeds], [second[s] for s in seeds]) if seeds else None


def numbers(one: Chosen, value: Callable[[dict], float] = lambda r: r["test"]) -> dict[str, Any]:
    """Return what the JSON of a study says of a case."""
    found = spread(one, value)
    return {
        "label": one.case.label,
        **one.case.about,
        "steps": one.choice,
        "seeds": one.seeds,
        "values": list(found.values),
        "mean": found.mean,
        "deviation": found.deviation,
    }


def percent(row: dict | None) -> str:
    """Return the mean of a row of JSON and its deviation, in per cent."""
    if row is None:
        return "–"
    bar = "" if row["deviation"] is None else f" ± {100 * row['deviation']:.2f}"
    return f"{100 * row['mean']:.2f}{bar}"


def words(gap: dict) -> str:
    """Return a difference of JSON in words."""
    nan = float("nan")
    low, high = (nan if gap[end] is None else gap[end] for end in ("low", "high"))
    return Difference(gap["mean"], low, high, gap["pairs"]).words()


def gaps(title: str, found: list[dict], names: tuple[str, ...]) -> tuple:
    """Return title, columns and lines of differences, these fields first."""
    heads = (*names, "gated minus", "difference, points [95 % interval]")
    lines = [(*(_text(one[name]) for name in names), one["against"], words(one)) for one in found]
    return title, heads, lines


def _text(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def table(rows: Iterable[dict[str, Any]]) -> str:
    """Return CSV with one line for each seed of each case: what it is, its steps, its value."""
    lines, columns = [], []
    for row in rows:
        about = {name: row[name] for name in row if name not in NUMBERS}
        about = {name: one for name, one in about.items() if not name.endswith(OF_SEEDS)}
        for seed, value in zip(row["seeds"], row["values"], strict=True):
            line = {**about, "seed": seed, "value": value}
            columns += [name for name in line if name not in columns]
            lines.append({name: "" if one is None else _text(one) for name, one in line.items()})
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
