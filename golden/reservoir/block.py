"""The reservoirs of a core that has a reservoir memory: their states, and what is read from them.

The arithmetic is that of `hebbware.golden.reservoir.memory`.
"""

import numpy as np

from ..config import CoreConfig
from . import decoder
from .cell import rounding_words, step
from .memory import EXACT_BITS, EXACT_FRACTION, decode, reservoir_config, unit_scale


class ReservoirMemory:
    """The reservoirs of all hidden layers, and what is read from them.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    states : list of int arrays (R,)
        Raw states, zero after reset.
    random_states : list of int arrays ()
        Of each reservoir's generator.
    reads : list of int arrays (classes, d)
        E of each layer.
    exact : list of int arrays (classes, d)
        Leaky sums of the input themselves; only kept for ``reservoir.decoder = "exact"``.

    Raises
    ------
    InputError
        The file of the decoder cannot be used.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.reservoir = reservoir_config(config)
        self.weights = (
            None if config.reservoir.decoder == "exact" else decoder.decoder_weights(config)
        )
        self.reset()

    MEMBERS = ("states", "random_states", "reads", "exact")

    def reset(self):
        """All reservoirs at rest."""
        cfg, layers = self.config, range(len(self.config.hidden))
        self.states = [np.zeros(cfg.reservoir.units, np.int64) for _ in layers]
        self.random_states = [np.array(self.reservoir.random_state) for _ in layers]
        self.reads = [np.zeros((cfg.classes, cfg.memory.projection), np.int64) for _ in layers]
        self.exact = [np.zeros((cfg.classes, cfg.memory.projection), np.int64) for _ in layers]

    def limits(self) -> dict[str, tuple[int, int]]:
        """Smallest and largest number that each of `MEMBERS` can hold."""
        state, read = self.reservoir.state, self.config.read
        return {
            "states": (state.min, state.max),
            "random_states": (1, 2**32 - 1),
            "reads": (read.min, read.max),
            "exact": (-(1 << EXACT_BITS), 1 << EXACT_BITS),
        }

    def write(self, layer: int, inputs: np.ndarray) -> np.ndarray:
        """Take the input of a sample; return the memory decoded then, and keep its E."""
        cfg = self.config
        if self.weights is None:
            memory, bits = self._exact(layer, inputs), EXACT_BITS
        else:
            random, following = rounding_words(int(self.random_states[layer]), self.reservoir)
            self.random_states[layer] = np.array(following)
            self.states[layer] = step(self.reservoir, self.states[layer], inputs, random)
            memory, bits = decode(cfg, self.weights, self.states[layer]), cfg.stored.width
        self.reads[layer] = unit_scale(cfg, memory, bits)
        return memory

    def _exact(self, layer, inputs):
        old = self.exact[layer]
        taken = inputs.reshape(old.shape) << EXACT_FRACTION
        self.exact[layer] = old - (old >> self.config.memory.horizon) + taken
        return self.exact[layer]
