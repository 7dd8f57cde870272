"""The counterparts of the paper's figures: this project's rule and the float references.

One module for each figure, named in `FIGURES`. It has

- ``TITLE``,
- ``plan(setting) -> list of Row``: what is to be run (`hebbware.study.paper.setting`),
- ``draw(setting, found) -> (Canvas, dict)``: the figure of the results, and what its JSON says.

Runs are computed by `hebbware.study.paper.runs`, distributed and stored as those of any study
(`hebbware.study.sweep`, `hebbware.study.store`): pure functions of their keys, resumed any time.
"""

from __future__ import annotations

import importlib

FIGURES = (
    *("synthetic", "mnist", "width", "reservoir", "memory", "remap", "classes", "baselines"),
)


def figure(name: str):
    """Return the module of a figure."""
    return importlib.import_module(f"{__name__}.{name}")
