"""HSIC of a window of samples, and the modulator that descends its bottleneck objective.

Arrays are (samples, features), one row for each sample of the window, the **newest last**.

Sources: K. Daruwalla and M. Lipasti, "Information bottleneck-based Hebbian learning rule naturally
ties working memory and synaptic updates", 2024 (the rule and its modulator); W.-D. K. Ma, J. P.
Lewis and W. B. Kleijn, "The HSIC bottleneck: deep learning without back-propagation", 2020 (the
objective); Gretton et al. 2005 (the estimate).
"""

import numpy as np

from ..errors import InputError, one_of
from . import checks
from .kernels import centre, rbf_kernel

FORMS = ("gradient", "released")


def hsic(kernel_a: np.ndarray, kernel_b: np.ndarray) -> float:
    """``HSIC(A, B) = tr(K_A H K_B H) / (N - 1)^2``, ``H = I - 1/N``: 0 if independent.

    Parameters
    ----------
    kernel_a, kernel_b : array (samples, samples)
        Symmetric kernels of the same samples, at least two.

    Raises
    ------
    InputError
        Fewer than two samples, or kernels that are not square matrices of the same size.
    """
    n = checks.count("samples", len(kernel_a), 2)
    kernel_b = checks.matrix("kernel_b", kernel_b, n, n)
    return float((centre(kernel_a) * kernel_b).sum() / (n - 1) ** 2)


def hsic_bottleneck(x, y, z, gamma: float, sigmas) -> float:
    """``HSIC(X, Z) - gamma HSIC(Y, Z)``: what a layer minimises.

    Parameters
    ----------
    x : array (samples, inputs)
        Inputs of the network.
    y : array (samples, classes)
        Labels, one-hot.
    z : array (samples, units)
        Activations of the layer.
    gamma : float
        Weight of the dependence on the labels against that on the inputs.
    sigmas : three floats
        Kernel widths of x, y, z.

    Source: Daruwalla and Lipasti 2024, objective of a layer; Ma et al. 2020 with `gamma` as their
    beta and a batch as the window.

    Raises
    ------
    InputError
        As `hsic_modulator`.
    """
    n, kernel_x, kernel_y, kernel_z = _kernels(x, y, z, gamma, sigmas)[:4]
    both = centre(kernel_x) - gamma * centre(kernel_y)
    return float((both * kernel_z).sum() / (n - 1) ** 2)


def bottleneck_gradient(x, y, z, gamma: float, sigmas) -> np.ndarray:
    """Gradient of `hsic_bottleneck` with respect to every sample's z, shape (samples, units).

    ``-(2 / (sigma_z^2 dim_z (N - 1)^2)) sum_p A_qp Kz_qp (z_q - z_p)`` in row q, with
    ``A = H (Kx - gamma Ky) H``. Parameters and errors as `hsic_modulator`.

    Source: derivative of the objective; checked against finite differences.
    """
    n, kernel_x, kernel_y, kernel_z, z, width = _kernels(x, y, z, gamma, sigmas)
    weights = centre(kernel_x - gamma * kernel_y) * kernel_z
    pulls = weights.sum(axis=1)[:, None] * z - weights @ z
    return -2 / (width * (n - 1) ** 2) * pulls


def hsic_modulator(x, y, z, gamma: float, sigmas, form: str = "gradient") -> np.ndarray:
    """``xi``: how the objective of a layer changes with the newest sample's activations.

    With index 0 the newest sample and N samples, ``w = sigma_z^2 dim_z``:

    ``gradient`` (exact)
        ``xi = -(2 / (w (N-1)^2)) sum_p A_0p Kz_0p (z_0 - z_p)``, ``A = H (Kx - gamma Ky) H``: the
        last row of `bottleneck_gradient`.
    ``released`` (what the authors' published implementation computes)
        ``xi = (2 / (N w (N-1)^2)) sum_p (a_p + a_0) Kz_0p (z_0 - z_p)``,
        ``a_p = (1 - mean_q Kx_pq) - gamma (1 - mean_q Ky_pq)``: the derivative of
        ``sum_p a_p (1 - mean_q Kz_pq) * 2 / (N-1)^2``, so of the diagonals of the row-centred
        kernels where the trace has their products. Normaliser found from that implementation's
        numbers.

    The two are equal for N = 2, the two-point rule, and differ for more samples. The weights
    follow by ``dW = -eta xi beta``, see `hebbware.golden.reference.layers`.

    Parameters
    ----------
    x, y, z : array (samples, features)
        Inputs, labels (one-hot) and activations of the window, newest last; 2 samples or more.
    gamma : float
    sigmas : three floats
        Kernel widths of x, y, z; each positive.
    form : ``gradient`` or ``released``

    Returns
    -------
    array (units,)

    Source: Daruwalla and Lipasti 2024, the global signal of the three-factor rule.

    Raises
    ------
    InputError
        Fewer than two samples, arrays of different numbers of samples, values that are not finite,
        a width that is not positive, an unknown form.
    """
    if form not in FORMS:
        raise one_of("form", form, FORMS)
    n, kernel_x, kernel_y, kernel_z, z, width = _kernels(x, y, z, gamma, sigmas)
    if form == "gradient":
        weights = -centre(kernel_x - gamma * kernel_y)[-1]
    else:
        diagonal = (1 - kernel_x.mean(axis=1)) - gamma * (1 - kernel_y.mean(axis=1))
        weights = (diagonal + diagonal[-1]) / n
    return 2 / (width * (n - 1) ** 2) * ((weights * kernel_z[-1]) @ (z[-1] - z))


def check_objective(gamma: float, sigmas) -> list[float]:
    """Return the three widths, or raise InputError where they or `gamma` cannot be."""
    if not np.isfinite(gamma):
        raise InputError(f"gamma must be finite, not {gamma}")
    if len(sigmas) != 3:
        raise InputError(f"sigmas must be three widths, of x, y and z, not {len(sigmas)}")
    return [checks.positive(f"sigma of {name}", s) for name, s in zip("xyz", sigmas, strict=True)]


def _kernels(x, y, z, gamma, sigmas):
    """Check the arguments; return N, the three kernels, z and ``sigma_z^2 dim_z``."""
    z = checks.matrix("z", z)
    n = checks.count("samples", len(z), 2)
    x, y = checks.matrix("x", x, rows=n), checks.matrix("y", y, rows=n)
    widths = check_objective(gamma, sigmas)
    kernels = [rbf_kernel(a, sigma) for a, sigma in zip((x, y, z), widths, strict=True)]
    return n, *kernels, z, widths[2] ** 2 * z.shape[1]
