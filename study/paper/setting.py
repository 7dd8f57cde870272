"""How large the figures are made, and the keys of their runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hebbware.golden import config as configs
from hebbware.golden.config import CoreConfig
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.reservoir.decoder import decoder_hash
from hebbware.study import run
from hebbware.study.paper import runs
from hebbware.study.results import Spread
from hebbware.study.store import Store, run_name


@dataclass
class Row:
    """What a figure shows as one line or point: the same run for each seed.

    Members
    -------
    label : str
        Different for each row of a figure.
    keys : list of dict
    about : dict
        What drawing needs to know of it; goes into the JSON.
    """

    label: str
    keys: list[dict]
    about: dict[str, Any] = field(default_factory=dict)


Found = list[tuple[Row, list[dict]]]
"""Rows with the results of their finished runs; rows without any are left out."""


@dataclass(frozen=True)
class Setting:
    """Short or full, on which data.

    Members
    -------
    full : bool
    dataset : str
        Of the figures on images: ``mnist``, ``fashion-mnist`` or ``digits``.
    checksum : str
        Of its samples.
    seeds : tuple of int
    epoch, held : int
        Training samples of an epoch, and those held back from it.
    config, reservoir : CoreConfig
        The bit-true network: the data set's preset, and the one with reservoirs as memory.
    """

    full: bool
    dataset: str
    checksum: str
    seeds: tuple[int, ...]
    epoch: int
    held: int
    config: CoreConfig
    reservoir: CoreConfig

    def core(self, **fields: Any) -> CoreConfig:
        """Return the preset with other fields."""
        return self.config.derive(**fields)

    def marks(self, *marks: int) -> list[int]:
        """Return those of some marks that lie within the epoch, and its end."""
        return [mark for mark in marks if mark < self.epoch] + [self.epoch]

    def course(
        self,
        learner: CoreConfig | str,
        marks: Sequence[int],
        *,
        stream: str = "stationary",
        steps: Sequence[float] | None = None,
        halve: int = 0,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] | None = None,
        stopped: dict[str, int] | None = None,
        **options: Any,
    ) -> list[dict]:
        """Return the keys of a run that follows a stream, one for each seed.

        Parameters
        ----------
        learner : CoreConfig or str
            The bit-true network, or the name of a float rule.
        marks : sequence of int
        stream : str
        steps, halve, layers, options
            Of a float rule, see `hebbware.golden.reference.baselines.Learner`; by default its
            layers are those of the preset.
        seeds : sequence of int, optional
            Others than those of the setting.
        stopped : dict, optional
            See `hebbware.study.paper.runs.course`.
        """
        if isinstance(learner, CoreConfig):
            config = {k: v for k, v in learner.to_dict().items() if k != "seed"}
            what: dict[str, Any] = {"rule": "core", "config": config}
            if stopped:
                what["stopped"] = stopped
        else:
            what = {
                "rule": learner,
                "layers": list(layers or self.config.sizes),
                "steps": None if steps is None else list(steps),
                "halve": halve,
                "options": options,
            }
        return [
            self.key(
                "course",
                seed,
                **what,
                samples=self.epoch,
                held=self.held,
                stream=stream,
                marks=list(marks),
            )
            for seed in (self.seeds if seeds is None else seeds)
        ]

    def key(self, kind: str, seed: int, *, dataset: dict | None = None, **fields: Any) -> dict:
        """Return the key of a run; plain values, as JSON gives them back."""
        config = fields.get("config")
        return {
            "kind": kind,
            "seed": seed,
            "decoder": config and decoder_hash(CoreConfig.from_dict(config)),
            "dataset": dataset or {"name": self.dataset, "sha256": self.checksum},
            "code": runs.code_version(),
            **_plain(fields),
        }


PRESETS = {"mnist": "mnist", "fashion-mnist": "mnist", "digits": "digits"}
"""Data sets of images, and the preset of each."""


def images(
    dataset: str, data_dir: str | None, who: str, presets: Mapping[str, str] = PRESETS
) -> tuple[Dataset, str]:
    """Return a data set of images, which `who` needs, and its checksum; `presets` has its name.

    Raises
    ------
    InputError
        No such data set of images, or none to be had.
    """
    if dataset not in presets:
        raise InputError(f"{who} need a data set of images: {', '.join(presets)}, not {dataset!r}")
    return run.load(dataset, data_dir, 0)


def held_back(samples: int) -> int:
    """Return how many of the training samples choices are made on."""
    return samples // 12


def make(
    full: bool, dataset: str, data_dir: str | None = None, seeds: int | None = None
) -> Setting:
    """Return the setting for a data set; by default with one seed, in full with three.

    Raises
    ------
    InputError
        No such data set of images, or none to be had.
    """
    loaded, checksum = images(dataset, data_dir, "the figures")
    samples = len(loaded.y_train)
    held = held_back(samples)
    return Setting(
        full=full,
        dataset=dataset,
        checksum=checksum,
        seeds=tuple(range(seeds or (3 if full else 1))),
        epoch=samples - held if full else min(10_000, samples - held),
        held=held,
        config=configs.load(PRESETS[dataset]),
        reservoir=configs.load(f"{PRESETS[dataset]}-reservoir"),
    )


def finished(rows: Sequence[Row], store: Store) -> Found:
    """Return the rows of which some run is done, with the results."""
    found = []
    for row in rows:
        contents = [store.read(run_name(key)) for key in row.keys]
        results = [c["result"] for c in contents if c and c["status"] == "done"]
        if results:
            found.append((row, results))
    return found


def choose(found: Found, at: int) -> tuple[Row, list[dict]]:
    """Return the row that is best on the samples held back, mean over the seeds, at a mark's place.

    For the choice of a step: the row's result on the test set was not looked at.
    """
    return max(found, key=lambda one: Spread(tuple(r["validation"][at] for r in one[1])).mean)


def spreads(results: Sequence[dict], of: str = "test") -> list[Spread]:
    """Return the spread over the seeds at each mark."""
    return [Spread(values) for values in zip(*(result[of] for result in results), strict=True)]


def table(summary: dict, rows: str, places: Sequence[int], heads: Sequence[str]) -> tuple:
    """Return columns and lines of a table of accuracies, mean ± deviation at some marks' places."""
    lines = []
    for row in summary[rows]:
        pairs = zip(row["test"], row["test_deviation"], strict=True)
        texts = [f"{100 * m:.2f}" + ("" if d is None else f" ± {100 * d:.2f}") for m, d in pairs]
        lines.append((row["label"], *(texts[place] for place in places)))
    return ("rule", *heads), lines


def numbers(row: Row, results: Sequence[dict]) -> dict[str, Any]:
    """Return what the JSON of a figure says of a course."""
    found = {"label": row.label, **row.about, "seeds": len(results)}
    for of in ("test", "validation"):
        if results[0][of][0] is not None:
            found[of] = [spread.mean for spread in spreads(results, of)]
            found[f"{of}_deviation"] = [spread.deviation for spread in spreads(results, of)]
    return found


def csv_text(found: Found) -> str:
    """Return CSV of all runs: row, seed, and each measured number by its name and mark."""
    lines = []
    for row, results in found:
        whole = len(results) == len(
            row.keys
        )  # else some failed, and which seed is which is not told
        for key, result in zip(row.keys, results, strict=False):
            line: dict[str, Any] = {"row": row.label, "seed": key["seed"] if whole else None}
            marks = key.get("marks")
            for name, value in result.items():
                for place, one in enumerate(value if isinstance(value, list) else [value]):
                    at = f"{name} {marks[place]}" if marks else f"{name} {place}"
                    if not isinstance(one, (list, dict)):
                        line[at if isinstance(value, list) else name] = one
            lines.append(line)
    text = io.StringIO()
    columns = dict.fromkeys(name for line in lines for name in line)
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value
