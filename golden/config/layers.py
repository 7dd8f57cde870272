"""Layers: what a network consists of, from the inputs on. The last one is the readout."""

from dataclasses import dataclass

from ..settings.tables import Table, real, whole


@dataclass(frozen=True, kw_only=True)
class Layer(Table):
    """Base of all kinds.

    Parameters
    ----------
    rate : int, optional
        Weights move in steps of ``2**-rate``, 0..20; by default 7 in the first layer, 8 in the
        readout, 6 in others.
    init_std : float, optional
        Standard deviation of the uniform start weights; by default 0.1 in the first layer,
        ``n**-0.5`` of n inputs in others, half of that in the readout.
    """

    table = "layer"


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """Every unit has a weight for each input; learns by the modulator.

    Parameters
    ----------
    units : int
        2..4096.
    """

    kind = "dense"
    units: int = whole(2, 2, 4096)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Readout(Layer):
    """Scores of the classes, which learn by the softmax error.

    Parameters
    ----------
    units : int
        Classes, 2..64.
    """

    kind = "readout"
    units: int = whole(2, 2, 64)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)


LAYERS = {layer.kind: layer for layer in (Dense, Readout)}
