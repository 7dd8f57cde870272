"""The configuration of a core: see `hebbware.golden.config.core`."""

from .core import NO_LABEL, CoreConfig, domains, names
from .files import PRESETS, load, presets
from .kinds import dense, derived

__all__ = [
    "NO_LABEL", "PRESETS", "CoreConfig", "dense", "derived", "domains", "load", "names", "presets",
]  # fmt: skip
