"""A configuration for given data and a given device: what to begin with.

The sizes follow the number of inputs; the formats and the lanes are the widest and the most that
the estimates of the device allow. Layers get narrower only where the narrowest formats do not fit
either: in few bits a network loses less than with few units (``docs/study.md``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..config import CoreConfig
from ..data.dataset import Dataset
from ..errors import InputError
from ..estimate import devices

MARGIN = 0.9  # of the device's LUTs: a full one can hardly be routed
SEEN = 12_000  # samples that a first training passes at least
EPOCHS = 100  # but no more passes than this
LANES = (64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)
FREE_LANES = 16  # without a device: enough to learn quickly, few enough to simulate quickly

FORMATS: dict[str, dict[str, Any]] = {
    "12-bit weights": {"formats.weight_bits": 12},
    "9-bit weights, narrower sums": {
        **{
            "formats.weight_bits": 9,
            "formats.u_bits": 12,
            "formats.u_fraction": 5,
            "formats.error_fraction": 9,
        },
    },
    "8-bit weights in single-port RAM, narrow signals": {
        **{
            "formats.weight_bits": 8,
            "weight_ports": 1,
            "formats.u_bits": 9,
            "formats.u_fraction": 4,
        },
        **{
            "formats.z_bits": 6,
            "formats.z_fraction": 3,
            "formats.d_bits": 6,
            "formats.d_fraction": 4,
            "formats.error_fraction": 7,
        },
        **{"memory.read_bits": 6, "memory.read_fraction": 4, "memory.bits": 11},
        **{
            "formats.exp_bits": 7,
            "formats.reciprocal_bits": 5,
            "formats.rsqrt_bits": 5,
            "update.halvings": 0,
            "update.halve_every": 0,
        },
    },
}
"""From wide to narrow: those of the presets `mnist`, `mnist-9k` and `mnist-pooled`."""
LAST = list(FORMATS)[-1]


@dataclass(frozen=True)
class Proposal:
    """A configuration, and why.

    Members
    -------
    config : CoreConfig
    epochs : int
        For a first training.
    reasons : dict
        By what was chosen: its value in words, and why.
    need : Need or None
        Of the device.
    """

    config: CoreConfig
    epochs: int
    reasons: dict[str, tuple[str, str]]
    need: devices.Need | None


def propose(dataset: Dataset, device: str | None = None, seed: int = 0) -> Proposal:
    """Return a configuration that fits the data and the device.

    Parameters
    ----------
    dataset : Dataset
    device : str, optional
        One of `hebbware.golden.estimate.devices.DEVICES`.
    seed : int

    Raises
    ------
    InputError
        Inputs or classes that no core takes, targets that are signals, or a device on which nothing
        fits.
    """
    if dataset.signal:
        raise InputError(f"data set {dataset.name} must have classes as targets, not signals")
    samples, wanted = len(dataset.y_train), _hidden(dataset.inputs)
    horizon = min(max(int(math.log2(samples)), 6), 14)
    for hidden in _narrower(wanted):
        for formats in FORMATS if device else list(FORMATS)[:1]:
            config = _widest(dataset, hidden, formats, horizon, device, seed)
            if config:
                need = devices.need(config, device) if device else None
                reasons = _reasons(dataset, wanted, config, formats, need)
                epochs = min(max(math.ceil(SEEN / samples), 1), EPOCHS)
                return Proposal(config, epochs, reasons, need)
    raise InputError(
        f"{device} is too small for {dataset.inputs} inputs and {dataset.classes} classes, also "
        f"with {hidden[0]} hidden units in the narrowest formats; reduce the inputs"
    )


def _hidden(inputs: int) -> tuple[int, ...]:
    """Sizes that the presets have for so many inputs."""
    if inputs >= 256:
        return (128, 64)
    return (64, 32) if inputs >= 32 else (32, 16)


def _narrower(hidden: tuple[int, ...]):
    """Yield the sizes and narrower ones: half the units each time, then one layer, down to 8."""
    yield hidden
    while min(hidden) > 16:
        hidden = tuple(units // 2 for units in hidden)
        yield hidden
    for units in (24, 16, 8):
        if units < hidden[0]:
            yield (units,)


def _widest(dataset, hidden, formats, horizon, device, seed) -> CoreConfig | None:
    """The network on as many lanes as fit, or None."""
    layers = (dataset.inputs, *hidden, dataset.classes)
    first, further = (6, 6) if formats == LAST else (7, 5)
    steps = (first, *[further] * (len(hidden) - 1), 7)
    most = max(hidden) if device else min(max(hidden), FREE_LANES)
    for lanes in (n for n in LANES if n <= most):
        config = CoreConfig.of(
            layers,
            lanes=lanes,
            layer__rate=steps,
            memory__horizon=horizon,
            seed=seed,
            **FORMATS[formats],
        )
        if device is None:
            return config
        need = devices.need(config, device)
        if need.fits and need.lut <= MARGIN * need.has["lut"]:
            return config
    return None


def _reasons(dataset, wanted, config, formats, need) -> dict[str, tuple[str, str]]:
    shape = "-".join(map(str, config.sizes))
    if config.hidden == wanted:
        sizes = "as the presets have it for so many inputs"
    else:
        sizes = f"narrower than {'-'.join(map(str, wanted))}, which does not fit the device"
    room = "the widest that fit" if need else "no device given: those that learn best"
    lanes = "enough to simulate quickly; give a board for as many as fit"
    if need:
        most = "one for each unit" if config.lanes == max(config.hidden) else "the most that fit"
        lanes = f"{most}: about {need.lut:,} of {need.has['lut']:,} LUTs"
    samples = len(dataset.y_train)
    return {
        "layer.units": (shape, f"{dataset.inputs} inputs and {dataset.classes} classes; {sizes}"),
        "lanes": (str(config.lanes), lanes),
        "formats": (formats, room),
        "memory.horizon": (
            str(config.memory.horizon),
            f"the memory looks back 2^{config.memory.horizon} of {samples:,} training samples",
        ),
        "layer.rate": (
            "-".join(map(str, config.rates)),
            "as chosen for the presets; try others on the samples held back",
        ),
    }
