"""Layers: what a network consists of, from the inputs on. The last one is the readout."""

from .base import Layer
from .conv import Conv
from .dense import Dense
from .readout import Readout
from .recurrent import Recurrent

LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Dense, Conv, Readout, Recurrent)}

__all__ = ["LAYERS", "Conv", "Dense", "Layer", "Readout", "Recurrent"]
