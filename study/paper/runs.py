"""The runs behind the paper's figures: pure functions of their keys.

A key is ``{"kind", "dataset": {"name", "sha256"}, "seed", "decoder", "code", ...}``, ``decoder`` as
in `hebbware.study.store`; what else is in it depends on the kind (`KINDS`). What is stored of a run
is its key, its status and ``result``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from hebbware.golden.config import CoreConfig
from hebbware.golden.data import sets as data
from hebbware.golden.data.sets import Dataset
from hebbware.golden.data.streams import follow, parse
from hebbware.golden.learn import train
from hebbware.golden.reference.baselines import Learner
from hebbware.study import run, version
from hebbware.study.paper.reservoir_runs import own_reservoir, paper_reservoir
from hebbware.study.paper.synthetic_runs import synthetic


@lru_cache
def code_version() -> str:
    """Return the version of the code that a result depends on."""
    return version.code_version(__name__)


def execute(key: dict, data_dir: str | None = None) -> dict:
    """Return the content of the result of a run; raises as `hebbware.study.run.execute`."""
    return run.execute(key, data_dir, _compute, code_version)


def _compute(key: dict, dataset: Dataset) -> dict[str, Any]:
    return {"result": KINDS[key["kind"]](key, dataset)}


def course(key: dict, dataset: Dataset) -> dict[str, list[float]]:
    """Follow a stream, measured at marks on the samples held back and on the test set.

    Key
    ---
    rule : str
        ``core`` (bit-true), or one of `hebbware.golden.reference.baselines.BASELINES`.
    config : dict, for ``core``
        Every field that the configuration reads but the seed.
    layers, steps, halve, options : for float rules
        As `Learner` takes them.
    samples, held : int
        Training samples of an epoch, and those held back.
    stream : str
    marks : list of int
    stopped : dict, optional, for ``core``
        From the mark `at` on the readout alone learns, at `rate`, from 0 where `clear` is set.
    """
    seen = run.select(dataset, key["samples"], key["held"], key["seed"], True)
    part = data.split_validation(seen, key["held"], key["seed"]) if key["held"] else seen
    if key["rule"] == "core":
        learner = train.CoreLearner(CoreConfig.from_dict({**key["config"], "seed": key["seed"]}))
    else:
        options = {"steps": key["steps"], "halve": key["halve"], **key["options"]}
        learner = Learner(key["rule"], key["layers"], seed=key["seed"], **options)
    stream, validation, test, stopped = parse(key["stream"]), [], [], key.get("stopped")
    for mark in follow(learner, part, stream, key["marks"], key["seed"]):
        held = stream.accuracy(learner.classify, part, mark) if key["held"] else math.nan
        validation.append(None if math.isnan(held) else held)
        test.append(stream.accuracy(learner.classify, seen, mark))
        if stopped and mark == stopped["at"]:
            learner.stop_hidden(stopped["rate"], stopped["clear"])
    return {"validation": validation, "test": test}


KINDS = {
    "course": course,
    "synthetic": synthetic,
    "paper-reservoir": paper_reservoir,
    "own-reservoir": own_reservoir,
}
