"""The class-memory modulator and its working memories, in floating point.

With a linear kernel on z and a delta kernel on y the past enters the gradient of HSIC(Y, Z) only as
sums of recent z per class: C vectors M_c in the place of a window of samples. The constant kernel
coefficients are replaced by error-corrective ones (`modulator`).

Source: this project's rule, derived from Daruwalla and Lipasti 2024.
"""

from typing import NamedTuple

import numpy as np

from ..errors import InputError, one_of
from . import checks
from .layers import Layer, softmax

BETA = 16.0
CLIP = 2.0


class Modulation(NamedTuple):
    """Modulator (units,), softmax errors and similarities (classes,)."""

    xi: np.ndarray
    error: np.ndarray
    similarity: np.ndarray


def modulator(z, read, label: int, scale: float = 1.0, beta: float = BETA) -> Modulation:
    """Error-corrective modulator of one sample.

    ::

        k_c  = (1/m) sum_i z_i E_ci
        e_c  = softmax(beta k)_c - [c = y]
        xi_i = s2 (sum_c e_c E_ci - z_i sum_c e_c k_c)         s2 = 2^round(log2 s)

    With ``v = xi / s2``, ``(beta / m) s (v - mean v)`` is the gradient of
    ``-log softmax(beta k)_y`` with respect to what enters LayerNorm. The second term of xi comes
    from LayerNorm's Jacobian; without it learning collapses.

    Parameters
    ----------
    z : array (units,)
    read : array (classes, units)
        E: the class memories at unit scale.
    label : int
        y.
    scale : float
        s of the layer's LayerNorm, positive.
    beta : float

    Raises
    ------
    InputError
        Shapes that do not fit, a label that is no class, a scale or beta that is not positive.
    """
    z = np.asarray(z, dtype=np.float64)
    read = checks.matrix("read", read, columns=z.size)
    label = checks.label("label", label, len(read))
    similarity = read @ z / z.size
    error = softmax(checks.positive("beta", beta) * similarity)
    error[label] -= 1
    power = 2.0 ** np.round(np.log2(checks.positive("scale", scale)))
    return Modulation(power * (error @ read - z * (error @ similarity)), error, similarity)


class Memory:
    """A working memory: class memories ``M_c`` (classes, units), starting at zero.

    ``E = M + kappa codes``, with `codes` fixed random +-1 vectors; without codes E = M.

    Parameters
    ----------
    codes : array (classes, units)
        Its shape is the memory's.
    kappa : float
        Weight of the codes.

    Members
    -------
    m : array (classes, units)

    Raises
    ------
    InputError
        Codes that are not a finite matrix; parameters of the kinds out of range.
    """

    def __init__(self, codes, kappa: float = 0.0):
        self.codes = checks.matrix("codes", codes)
        self.kappa = kappa
        self.m = np.zeros_like(self.codes)

    def read(self) -> np.ndarray:
        """E, (classes, units)."""
        return self.m + self.kappa * self.codes

    def write(self, z: np.ndarray, label: int, error: np.ndarray):
        """Take in z (units,), its class and its softmax errors (classes,), after it was learned."""


class Gated(Memory):
    """``M_c <- M_c - 2^-l M_c - e_c z``; ``E_c = M_c 2^-g_c``, ``g_c = round(log2 rms M_c)``.

    Keeps what was surprising: a sample is taken in by the error it caused. No codes.
    """

    def __init__(self, codes, horizon: float = 12):
        super().__init__(codes)
        self.leak = 2.0 ** -checks.positive("horizon", horizon)

    def read(self):
        rms = np.sqrt((self.m**2).mean(axis=1, keepdims=True))
        return self.m / 2.0 ** np.round(np.log2(np.where(rms > 0, rms, 1.0)))

    def write(self, z, label, error):
        self.m -= self.leak * self.m + np.outer(error, z)


class Window(Memory):
    """Sums over the last N samples: ``M_y += (8/N) z``, ``M_yold -= (8/N) z_old``."""

    def __init__(self, codes, samples: int = 32, kappa: float = 0.0):
        super().__init__(codes, kappa)
        self.samples = checks.count("samples", samples, 1)
        self.past: list[tuple[np.ndarray, int]] = []

    def write(self, z, label, error):
        self.past.append((np.array(z), label))
        self.m[label] += 8 / self.samples * z
        if len(self.past) > self.samples:
            old, old_label = self.past.pop(0)
            self.m[old_label] -= 8 / self.samples * old


class Trace(Memory):
    """Leaky class means: ``M_y <- M_y + 2^-l (z - M_y)``."""

    def __init__(self, codes, horizon: float = 8, kappa: float = 0.0):
        super().__init__(codes, kappa)
        self.leak = 2.0 ** -checks.positive("horizon", horizon)

    def write(self, z, label, error):
        self.m[label] += self.leak * (z - self.m[label])


class Codes(Memory):
    """No memory: E = codes (direct random target projection). A control."""

    def __init__(self, codes):
        super().__init__(codes, kappa=1.0)


KINDS = {"gated": Gated, "window": Window, "trace": Trace, "codes": Codes}


class ClassMemoryRule:
    """Directions ``d_i = f'(u_i) clip(xi_i, -2, 2)`` from one memory for each hidden layer.

    One sample a step; the memory is read before it takes the sample in.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    hidden : sequence of int
        Units of each hidden layer.
    classes : int
    seed : int
        Of the codes.
    beta : float
    options
        Of the kind: ``horizon``, ``samples``, ``kappa``.

    Raises
    ------
    InputError
        Unknown kind; more than one sample a step; as the kind.
    """

    def __init__(self, kind: str, hidden, classes: int, *, seed: int = 0, beta=BETA, **options):
        if kind not in KINDS:
            raise one_of("kind", kind, KINDS)
        rng = np.random.default_rng([checks.count("seed", seed, 0), 1])
        self.beta = checks.positive("beta", beta)
        self.memories = [
            KINDS[kind](rng.choice([-1.0, 1.0], (classes, units)), **options) for units in hidden
        ]

    def directions(self, network, layers: list[Layer], error, targets):
        if len(targets) != 1:
            raise InputError(f"batch must be 1 for a class memory, not {len(targets)}")
        label = int(targets[0].argmax())
        directions = []
        for layer, memory in zip(layers, self.memories, strict=True):
            z = layer.z[0]
            found = modulator(z, memory.read(), label, float(layer.scale[0, 0]), self.beta)
            directions.append(layer.slope * np.clip(found.xi, -CLIP, CLIP))
            memory.write(z, label, found.error)
        return directions
