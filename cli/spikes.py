"""How often the units of a recurrent layer spike, in words, with a warning where it is unusual."""

from __future__ import annotations

SILENT, SATURATED = 1e-5, 0.5  # spikes of a unit in a tick that are too few, too many


def unusual(rate: float) -> bool:
    """Whether a layer has fallen silent, or saturates."""
    return not SILENT < rate < SATURATED


def told(rate: float) -> str:
    """The rate in words, with a warning where it is unusual."""
    text = f"a unit spikes in {100 * rate:.3g} % of the ticks"
    if not unusual(rate):
        return text
    what = "saturated: raise" if rate >= SATURATED else "silent: lower"
    return (
        f"{text}: warning, the layer is {what} neuron.threshold, or change layer.init_std and "
        "layer.rate"
    )
