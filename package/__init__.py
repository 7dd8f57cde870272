"""Hebbian learning in gateware, checked clock for clock against a golden model.

`hebbware.golden` is the model, `hebbware.cli` the command line; see README.md for the other parts.
``HebbianClassifier``, the scikit-learn estimator with its hardware, is imported when it is asked
for.
"""

__all__ = ["HebbianClassifier"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hebbware.cosim.classifier import HebbianClassifier

    globals()[name] = HebbianClassifier
    return HebbianClassifier


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
