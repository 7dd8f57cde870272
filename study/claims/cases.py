"""Rules with the steps that they may choose from, how the choice is made, and the runs that follow.

First each case is run with every choice at the scale ``trial``; the choice with the best score on
the samples held back is run at the scale ``whole``. The test set takes no part in a choice.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hebbware.golden import config as configs
from hebbware.golden.config import CoreConfig
from hebbware.study.claims import runs
from hebbware.study.paper.setting import PRESETS, Row, held_back, images
from hebbware.study.store import Store, run_name


@dataclass(frozen=True)
class Scale:
    """How much is learned: samples of an epoch, seeds, and whether the test set is looked at."""

    samples: int
    seeds: tuple[int, ...]
    test: bool = True


@dataclass(frozen=True)
class Setting:
    """On which data, and how much of it.

    Members
    -------
    full : bool
    dataset, checksum : str
    held : int
        Samples held back.
    inputs, classes : int
    trial, whole : Scale
    config : CoreConfig
        The data set's preset.
    """

    full: bool
    dataset: str
    checksum: str
    held: int
    inputs: int
    classes: int
    trial: Scale
    whole: Scale
    config: CoreConfig

    def key(self, kind: str, seed: int, scale: Scale, **fields: Any) -> dict:
        """Return the key of a run; plain values, as JSON gives them back."""
        return runs.plain(
            {
                "kind": kind,
                "seed": seed,
                "decoder": None,
                "dataset": {"name": self.dataset, "sha256": self.checksum},
                "code": runs.code_version(),
                "samples": scale.samples,
                "held": self.held,
                "test": scale.test,
                **fields,
            }
        )


@dataclass
class Case:
    """One rule at one place of a figure.

    Members
    -------
    label : str
        Different for each case of a study.
    about : dict
        What drawing needs to know; goes into the JSON.
    choices : sequence
        Steps that it may choose from; a single one is not tried.
    keys : function (choice, Scale) -> list of dict
        The keys of the runs, one for each seed.
    like : str, optional
        Label of the case whose choice it takes, in place of one of its own.
    """

    label: str
    about: dict[str, Any]
    choices: Sequence[Any]
    keys: Callable[[Any, Scale], list[dict]]
    like: str | None = None


@dataclass
class Chosen:
    """A case with its choice, and what its runs found: a result for each finished seed."""

    case: Case
    choice: Any
    seeds: list[int] = field(default_factory=list)
    results: list[dict] = field(default_factory=list)

    def by_seed(self, value: Callable[[dict], float]) -> dict[int, float]:
        """Return a number of each result by its seed."""
        return {s: value(r) for s, r in zip(self.seeds, self.results, strict=True)}


def make(
    full: bool,
    dataset: str,
    data_dir: str | None = None,
    seeds: int | None = None,
    module: Any = None,
) -> Setting:
    """Return the setting for a data set: in full all samples and three seeds, else few and one.

    `module` is that of a study, which may have presets and numbers of samples of its own.

    Raises
    ------
    InputError
        No such data set of images, or none to be had.
    """
    presets = getattr(module, "PRESETS", PRESETS)
    loaded, checksum = images(dataset, data_dir, "these studies", presets)
    samples = len(loaded.y_train)
    held = held_back(samples)
    most = samples - held
    whole = min(getattr(module, "SAMPLES", most) if full else 5_000, most)
    trial = min(getattr(module, "TRIAL", 8_000) if full else 2_000, most)
    return Setting(
        full=full,
        dataset=dataset,
        checksum=checksum,
        held=held,
        inputs=loaded.inputs,
        classes=loaded.classes,
        trial=Scale(trial, (0,), test=False),
        whole=Scale(whole, tuple(range(seeds or (3 if full else 1)))),
        config=configs.load(presets[dataset]),
    )


def groups(cases: Iterable[Case]) -> list[list[Case]]:
    """Return the cases by their hidden layers, in their order: each group is finished by itself."""
    found: dict[Any, list[Case]] = {}
    for case in cases:
        found.setdefault(case.about["hidden"], []).append(case)
    return list(found.values())


def trials(cases: Iterable[Case], setting: Setting) -> list[Row]:
    """Return the runs among which choices are made."""
    rows = []
    for case in cases:
        if case.like is None and len(case.choices) > 1:
            for choice in case.choices:
                rows.append(Row(f"{case.label}, {choice}", case.keys(choice, setting.trial)))
    return rows


def choose(cases: Sequence[Case], setting: Setting, store: Store | None) -> dict[str, Any]:
    """Return the choice of each case by its label: the best on the samples held back.

    Of a case without any finished trial, or without a store, the middle one.
    """
    found: dict[str, Any] = {}
    for case in cases:
        if case.like is None:
            scored = []
            for choice in case.choices if store and len(case.choices) > 1 else ():
                results = finished(case.keys(choice, setting.trial), store)[1]
                if results:
                    scored.append((statistics.fmean(r["score"] for r in results), choice))
            middle = case.choices[len(case.choices) // 2]
            found[case.label] = max(scored, key=lambda s: s[0])[1] if scored else middle
    return found | {case.label: found[case.like] for case in cases if case.like}


def whole(cases: Sequence[Case], setting: Setting, choices: dict[str, Any]) -> list[Row]:
    """Return the runs of the figure."""
    return [Row(c.label, c.keys(choices[c.label], setting.whole), c.about) for c in cases]


def finished(keys: Sequence[dict], store: Store) -> tuple[list[int], list[dict]]:
    """Return seeds and results of the finished runs of some keys."""
    contents = [store.read(run_name(key)) for key in keys]
    done = [c for c in contents if c and c["status"] == "done"]
    return [c["key"]["seed"] for c in done], [c["result"] for c in done]


def collect(
    cases: Sequence[Case], setting: Setting, choices: dict[str, Any], store: Store
) -> list[Chosen]:
    """Return all cases of which a run is finished."""
    found = []
    for case in cases:
        choice = choices[case.label]
        seeds, results = finished(case.keys(choice, setting.whole), store)
        if results:
            found.append(Chosen(case, choice, seeds, results))
    return found
