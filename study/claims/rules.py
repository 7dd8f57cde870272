"""Learners of these studies at one size: bit-true with a memory or codes, and in floating point."""

from __future__ import annotations

from typing import Any

from hebbware.golden.config import CoreConfig, dense
from hebbware.study.claims.cases import Setting

MEMORIES: dict[str, dict[str, Any]] = {
    "gated": {"memory__kind": "gated"},
    "codes": {"memory__kind": "codes", "memory__kappa": 1.0},
    "readout only": {"memory__kind": "none"},
}
"""Fields of the bit-true rules; of ``readout only`` hidden layers keep their start weights."""
BACKPROP = {"back-propagation": True, "back-propagation, not normalised": False}
"""Float rules, and whether their hidden layers are normalised as the core's are."""
HORIZON = 10
"""Of the gated memory where worlds change."""


def network(
    setting: Setting,
    hidden: tuple[int, ...],
    rule: str,
    *,
    bits: int = 12,
    steps: tuple[int, ...] | None = None,
    lanes: int = 8,
    halve: int = 0,
    **fields: Any,
) -> CoreConfig:
    """Return the bit-true network of a rule.

    Parameters
    ----------
    setting : Setting
    hidden : tuple of int
    rule : str
        One of `MEMORIES`.
    bits : int
        Of a weight.
    steps : tuple of int, optional
        Shifts of all layers.
    lanes, halve : int
        Steps are halved every so many epochs; 0 keeps them.
    fields
        More fields of the configuration.
    """
    layers = len(hidden) + 1
    return setting.config.derive(
        **dense((setting.inputs, *hidden, setting.classes)),
        lanes=lanes,
        formats__weight_bits=bits,
        layer__rate=steps or (7,) * layers,
        layer__init_std=[None] * layers,
        update__halve_every=halve,
        **{**MEMORIES[rule], **fields},
    )


def core(config: CoreConfig) -> dict[str, Any]:
    """Return the learner of a key that is a bit-true network; its seed is that of the run."""
    fields = {name: value for name, value in config.to_dict().items() if name != "seed"}
    return {"rule": "core", "config": fields}


def backprop(
    setting: Setting, hidden: tuple[int, ...], step: float, normalised: bool, halve: int = 0
) -> dict[str, Any]:
    """Return the learner of a key that is back-propagation in floating point."""
    sizes = (setting.inputs, *hidden, setting.classes)
    about = {"rule": "backprop", "sizes": sizes, "step": step, "halve": halve}
    return {**about, "normalised": normalised}


def shape(hidden: tuple[int, ...]) -> str:
    """Return hidden layers as text."""
    return "-".join(map(str, hidden))


def spread_steps(hidden: tuple[int, ...], choice: tuple[int, ...]) -> tuple[int, ...]:
    """Return shifts of all layers from those of the first, of further ones and of the readout."""
    first, *further, last = choice
    return (first, *(further[0] for _ in hidden[1:]), last)


def bit_true(setting: Setting, hidden: tuple[int, ...], rule: str, alone: bool = False):
    """Return what makes the learner of a choice: steps, or, `alone`, the readout's after a stop."""

    def learner(choice: Any) -> dict[str, Any]:
        steps = (6, 7) if len(hidden) == 1 else (6, 5, 7)
        steps = spread_steps(hidden, steps if alone else choice)
        fields = {"memory__horizon": HORIZON} if rule == "gated" else {}
        made = {"learner": core(network(setting, hidden, rule, steps=steps, **fields))}
        return {**made, "stopped": choice} if alone else made

    return learner


def floating(setting: Setting, hidden: tuple[int, ...], normalised: bool):
    """Return what makes the back-propagation of a choice of its step."""
    return lambda choice: {"learner": backprop(setting, hidden, choice, normalised)}
