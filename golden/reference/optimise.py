"""What makes steps of gradients: plain descent, and AdamW as the paper takes it.

Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019.
"""

from typing import Protocol

import numpy as np


class Optimiser(Protocol):
    """Keeps what it needs of each array by its name."""

    def descend(self, name: object, array: np.ndarray, gradient: np.ndarray, step: float) -> None:
        """Change an array in place, against its gradient."""


class Sgd:
    """``w <- w - step g``."""

    def descend(self, name, array, gradient, step):
        array -= step * gradient


class AdamW:
    """Adam with decoupled weight decay.

    ::

        m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2        both start at 0
        w <- w - step (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)

    with t the number of steps of this array, the current one included. A step of 0 leaves all as
    it is.

    Parameters
    ----------
    decay : float
    """

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, decay: float = 1e-4):
        self.decay = decay
        self.moments: dict[object, list] = {}

    def descend(self, name, array, gradient, step):
        if not step:
            return
        if name not in self.moments:
            self.moments[name] = [np.zeros_like(array), np.zeros_like(array), 0]
        self.moments[name][2] += 1
        m, v, t = self.moments[name]
        m *= self.BETA1
        m += (1 - self.BETA1) * gradient
        v *= self.BETA2
        v += (1 - self.BETA2) * (gradient * gradient)
        size = np.sqrt(v)
        size *= (1 - self.BETA2**t) ** -0.5
        size += self.EPSILON
        array *= 1 - step * self.decay
        array -= step / (1 - self.BETA1**t) * (m / size)
