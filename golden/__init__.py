"""What the hardware computes, bit for bit and clock for clock, in NumPy.

``CoreConfig``, ``Core`` and ``HebbianClassifier`` are offered here and imported when they are asked
for: importing this package loads neither scikit-learn nor the compiler of the fast twin.
"""

from importlib import import_module

__all__ = ["Core", "CoreConfig", "HebbianClassifier"]

_MODULES = {"Core": "core", "CoreConfig": "config", "HebbianClassifier": "learn.classifier"}


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
