"""What runs take, roughly: core minutes on one core of a laptop, for those who decide what to run.

Estimated from the samples learned and the synapses that each one touches; measured rates differ by
half from machine to machine.
"""

from __future__ import annotations

from collections.abc import Iterable

from hebbware.golden.config import CoreConfig

OPERATIONS = 7e9  # per second: products of a forward pass and two for an update, compiled
SAMPLE = 2e-6  # seconds for anything else of a sample
NONZERO = 0.2  # share of inputs other than zero, of images
FLOAT = 12.0  # times as long in NumPy, one sample at a time
START = 1.0  # seconds of a run beside its samples: measuring, storing
OTHERS = 60.0  # seconds of a run of another kind
SYNTHESIS = 60.0  # seconds of Yosys


def seconds(keys: Iterable[dict]) -> float:
    """Return about how many seconds runs take on one core."""
    return sum(map(_seconds, keys))


def _seconds(key: dict) -> float:
    if key.get("kind") == "synthesis":
        return SYNTHESIS
    learner = key.get("learner", key)
    if "config" in learner and "conv" in learner["config"].get("layer.kind", ()):
        config = CoreConfig.from_dict(learner["config"])
        slow = learner.get("rule") == "maps"
        products = sum(
            w.positions * w.taps * layer.features
            for w, layer in zip(config.windows, config.layer, strict=False)
        )
        return START + _samples(key) * (SAMPLE + 3 * products / OPERATIONS * (1 + slow))
    if "config" in learner:
        config = learner["config"]
        sizes = (config["input.size"], *config["layer.units"])
    elif "sizes" in learner or "layers" in learner:
        sizes = learner.get("sizes") or learner["layers"]
    else:
        return OTHERS
    samples = _samples(key)
    if not samples:
        return OTHERS
    slow = key.get("control") in ("float", "linear") or "layers" in learner
    synapses = sizes[0] * sizes[1] * NONZERO + sum(
        below * above for below, above in zip(sizes[1:], sizes[2:], strict=False)
    )
    each = SAMPLE + 3 * synapses / OPERATIONS * (FLOAT if slow else 1)
    return START + samples * each


def _samples(key: dict) -> int:
    if "worlds" in key:
        return key["worlds"] * key["each"]
    if "marks" in key:
        return key["marks"][-1] + key.get("samples", 0) * (key.get("kind") == "unseen")
    return key.get("epochs", 0) * key.get("train_samples", key.get("samples", 0))
