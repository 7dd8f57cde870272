"""The studies that the documentation leads with: each answers one question, with its controls.

One module for each, named in `CLAIMS`. It has

- ``TITLE`` and ``QUESTION``; where its networks are not dense, also ``DATASET``, the usual one,
  ``PRESETS`` of data sets, and ``SAMPLES`` and ``TRIAL``, images of an epoch,
- ``cases(setting) -> list of Case`` (`hebbware.study.claims.cases`): rules, each with the steps
  that it may choose from, on images held back, fewer samples and one seed; the runs of the figure
  are on all samples and three seeds,
- ``draw(setting, found, costs) -> (Canvas, dict)`` and ``tables(summary)``, much as the figures of
  `hebbware.study.paper`,
- ``findings(summary) -> list of str``: what is claimed, as paired differences with their interval.

``hebbware study NAME --results DIR`` runs one; its runs are pure functions of their keys
(`hebbware.study.claims.runs`), distributed and stored as those of any study.
"""

from __future__ import annotations

import importlib

CLAIMS = ("hardware", "permuted", "unseen", "depth", "convolution")


def claim(name: str):
    """Return the module of a study."""
    return importlib.import_module(f"{__name__}.{name}")
