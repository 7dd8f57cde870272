"""The paper's modulator in integers: HSIC with RBF kernels over a window of N samples.

A layer descends ``HSIC(X, Z) - gamma HSIC(Y, Z)``. With index 0 the newest sample, p the others,
``G = Kx - gamma Ky``, ``A = H G H`` and ``c = 2 / (sigma_z^2 m (N - 1)^2)`` the gradient with
respect to its activations z_0 is ``xi = c sum_p A_0p Kz_0p (z_p - z_0)``. LayerNorm gives
``mean z = 0`` and ``|z|^2 = m``, so with ``k_p = z_0 z_p / m``

* the distance in z is ``|z_0 - z_p|^2 / (2 sigma_z^2 m) = (1 - k_p) / sigma_z^2``;
* LayerNorm's Jacobian ``s (xi - mean xi - z_0 (xi z_0) / m)`` turns xi into
  ``s c (sum_p A_0p Kz_0p z_p - z_0 sum_p A_0p Kz_0p k_p)``: the terms ``z_0 sum_p A_0p Kz_0p``
  of xi and of its projection cancel, and its mean is 0.

This is the class memory's direction with the window's activations for the class memories and
``e_p = 2**-g A_0p Kz_0p`` for the softmax errors, so the same datapath makes it. The constant
``c 2**g`` and the step make one power of two, see `float_steps`; s is rounded to a power of two.

Source: Daruwalla and Lipasti 2024; in floating point `hebbware.golden.reference.hsic` and
`hebbware.golden.reference.layers.layer_norm_jacobian`.
"""

from math import ceil, exp, log, log2

import numpy as np

from ..arithmetic.fixed import Format, bits_signed, saturate, shift_round
from ..arithmetic.tables import EXP_STEP, exp_table
from ..errors import InputError
from ..layers.softmax import exp_width

SCALE_BITS = 12  # significant bits of the constants that bring a distance to the table's steps


# -- constants -------------------------------------------------------------------------------------


def check(config):
    """Raise InputError for kernels that the buffers and tables cannot hold."""
    if len(config.modulator.sigmas) != 3:
        raise InputError(
            "modulator.sigmas must be three widths, of x, y and z, "
            f"not {list(config.modulator.sigmas)!r}"
        )
    if min(config.modulator.sigmas) <= 0:
        raise InputError(
            f"modulator.sigmas must lie above 0, not {list(config.modulator.sigmas)!r}"
        )
    span = 2.0 ** (config.input.bits - config.source(0).fraction)  # of the inputs: 1, centred 2
    # a kernel is 0 where its exponent is beyond the table, or its value below half of the last bit
    reach = min(
        ((1 << config.formats.exp_bits) - 1) / 2**EXP_STEP,
        (config.e.fraction + 1) * log(2),
    )
    for name, sigma, typical, far in (
        # squared distance over dim: of two inputs drawn uniformly, and the largest
        ("x", config.modulator.sigmas[0], span**2 / 6, span**2),
        # of activations that have nothing in common, and of opposite ones
        ("z", config.modulator.sigmas[2], 2.0, 4.0),
    ):
        low, high = (typical / 2 / reach) ** 0.5, (far * 2**EXP_STEP) ** 0.5
        if not low <= sigma <= high:
            raise InputError(
                f"modulator.sigmas ({name}) must lie in {low:.3f}..{high:.3f}, so that its kernel "
                f"neither underflows the exp table nor is always 1, not {sigma!r}"
            )
    if config.modulator.gamma and not label_term(config):
        raise InputError(
            "modulator.sigmas (y) must leave modulator.gamma (1 - Ky of two classes) at least 1/2 "
            f"of 2**-{config.e.fraction}, not {config.modulator.sigmas[1]!r}"
        )


def label_term(config) -> int:
    """``gamma (1 - Ky)`` for Ky of two samples of different classes (raw, as ``config.e``).

    All that is left of Ky when A is centred: only the difference of its two values counts.
    """
    sigma = config.modulator.sigmas[1]
    other = exp(-1 / (sigma**2 * config.classes))  # one-hot: squared distance 2
    return round(config.modulator.gamma * (1 - other) * 2**config.e.fraction)


def coefficient_shift(config) -> int:
    """``g``: A is halved so many times, so that it fits the format of errors."""
    return ceil(log2(1 + config.modulator.gamma))


def _scale(real: float) -> tuple[int, int]:
    """Constants (factor, shift) with ``factor * 2**-shift = real`` to `SCALE_BITS` bits."""
    shift = SCALE_BITS - 1 - int(np.floor(log2(real)))
    return round(real * 2.0**shift), shift


def input_scale(config) -> tuple[int, int]:
    """From ``|x_0 - x_p|^2`` (raw) to steps of the exp table."""
    sigma = config.modulator.sigmas[0]
    real = 2**EXP_STEP / (2 * sigma**2 * config.inputs * 4.0 ** config.source(0).fraction)
    return _scale(real)


def activation_scale(config) -> tuple[int, int]:
    """From ``1 - k_p`` (raw) to steps of the exp table."""
    return _scale(2**EXP_STEP / (config.modulator.sigmas[2] ** 2 * 2.0**config.e.fraction))


def distance_bits(config) -> int:
    """Bits of ``|x|^2``, of a dot product of inputs and of a squared distance."""
    return (config.inputs * config.x.max**2).bit_length()


def kernel_format(config) -> Format:
    """Entries of G = Kx - gamma Ky, up to a constant that centring takes away."""
    one = 1 << config.e.fraction
    return Format(bits_signed(-label_term(config), one), config.e.fraction)


def float_steps(config) -> list[float]:
    """Steps of the hidden layers that the same rule has in floating point, before the schedule.

    ``W -= step * s f'(u) (xi - ...)`` with xi as `hebbware.golden.reference.hsic_modulator` gives
    it: the powers of two of `config` over ``2**g c``.
    """
    n, sigma = config.memory.window, config.modulator.sigmas[2]
    return [
        2.0 ** -(step + coefficient_shift(config)) * sigma**2 * units * (n - 1) ** 2 / 2
        for step, units in zip(config.rates, config.hidden, strict=False)
    ]


# -- arithmetic ------------------------------------------------------------------------------------


def kernel(config, distance, scale: tuple[int, int]) -> np.ndarray:
    """``exp(-distance)``, raw with `formats.error_fraction` bits; `scale`: to the table's steps."""
    factor, shift = scale
    steps = shift_round(np.maximum(distance, 0) * factor, shift)
    table = exp_table(config.formats.exp_bits, exp_width(config))
    return table[np.minimum(steps, len(table) - 1)]


def centred_row(config, kernels: np.ndarray, slot: int) -> np.ndarray:
    """Row `slot` of ``2**-g H G H`` (raw e) from G (N, N), symmetric.

    ``N^2 A_0p = N^2 G_0p - N (R_0 + R_p) + T`` with the sums R of the rows and T of all.
    """
    n = len(kernels).bit_length() - 1
    rows = kernels.sum(axis=1)
    exact = (kernels[slot] << 2 * n) - ((rows[slot] + rows) << n) + rows.sum()
    return saturate(shift_round(exact, 2 * n + coefficient_shift(config)), config.e)


def errors(config, weights: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, int]:
    """``e_p = weights_p Kz_0p`` (raw e) and the Jacobian's scalar ``sum_p e_p k_p`` (raw k).

    Parameters
    ----------
    weights : array (window,)
        `Window.take`.
    k : array (window,)
        ``z_0 z_p / m``, raw k.
    """
    near = kernel(config, (1 << config.e.fraction) - k, activation_scale(config))
    error = shift_round(weights * near, config.e.fraction)
    jacobian = shift_round(int((error * k).sum()), config.e.fraction)
    return error, int(saturate(jacobian, config.k))


class Window:
    """The last N samples' inputs, labels and kernels, in a ring of N slots.

    Attributes
    ----------
    x : int64 array (window, inputs)
    labels : int64 array (window,)
    kernels : int64 array (window, window)
        G of the samples held; 0 where a slot is empty.
    """

    def __init__(self, config):
        self.config = config
        self.x = np.zeros((config.memory.window, config.inputs), np.int64)
        self.labels = np.zeros(config.memory.window, np.int64)
        self.kernels = np.zeros((config.memory.window, config.memory.window), np.int64)

    def slot(self, learned: int) -> int:
        """Where the sample after so many `learned` ones goes."""
        return learned % self.config.memory.window

    def take(self, learned: int, x: np.ndarray, label: int) -> np.ndarray:
        """Put a sample in the place of the oldest; return its ``2**-g A_0p`` (raw e), (window,).

        All are 0 until the window is full, and that of the sample itself always.
        """
        cfg, slot = self.config, self.slot(learned)
        self.x[slot], self.labels[slot] = x, label
        distance = ((self.x - self.x[slot]) ** 2).sum(axis=1)
        row = kernel(cfg, distance, input_scale(cfg)) - label_term(cfg) * (self.labels == label)
        row[np.arange(cfg.memory.window) > learned] = 0  # there is no sample yet
        self.kernels[slot] = self.kernels[:, slot] = row
        if learned < cfg.memory.window - 1:
            return np.zeros(cfg.memory.window, np.int64)
        weights = centred_row(cfg, self.kernels, slot)
        weights[slot] = 0
        return weights

    def past(self, learned: int) -> list[int]:
        """Slots of the samples held after so many learned ones, oldest first."""
        window = self.config.memory.window
        return [n % window for n in range(max(learned - window, 0), learned)]

    def restore(self, learned: int, x: np.ndarray, labels: np.ndarray):
        """Hold the samples of `past`, oldest first, after so many learned ones."""
        first = learned - len(x)
        for n, (row, label) in enumerate(zip(x, labels, strict=True)):
            self.take(first + n, row, int(label))
