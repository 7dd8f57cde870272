"""RBF kernels of a few samples, and their centring. All in float64."""

import numpy as np

from . import checks


def squared_distances(a: np.ndarray) -> np.ndarray:
    """``|a_p - a_q|^2`` for all pairs of rows: (samples, features) -> (samples, samples).

    From inner products, so that a batch needs no array of (samples, samples, features); the mean
    row is taken away first, which keeps the rounding error small for data far from zero. Zero on
    the diagonal, never negative.
    """
    a = checks.matrix("a", a)
    a = a - a.mean(axis=0)
    inner = a @ a.T
    norms = np.diagonal(inner)
    return np.maximum(norms[:, None] + norms - 2 * inner, 0.0)


def rbf_kernel(a: np.ndarray, sigma: float) -> np.ndarray:
    """``K_pq = exp(-|a_p - a_q|^2 / (2 sigma^2 dim))``.

    The division by the number of features ``dim`` makes one sigma fit layers of any size.

    Parameters
    ----------
    a : array (samples, features)
    sigma : float
        Requires sigma > 0.

    Returns
    -------
    array (samples, samples)

    Source: Daruwalla and Lipasti 2024, kernel of the HSIC estimate; the division by ``dim`` is
    that of the authors' published implementation.

    Raises
    ------
    InputError
        `a` is not a finite matrix with at least one feature, or `sigma` is not positive.
    """
    a = checks.matrix("a", a)
    checks.count("features of a", a.shape[1], 1)
    sigma = checks.positive("sigma", sigma)
    return np.exp(-squared_distances(a) / (2 * sigma**2 * a.shape[1]))


def centre(kernel: np.ndarray) -> np.ndarray:
    """``H K H`` with ``H = I - 1/N``: rows and columns of the result sum to zero.

    Shapes (samples, samples) -> (samples, samples). Source: Gretton et al., "Measuring statistical
    dependence with Hilbert-Schmidt norms", 2005.
    """
    kernel = checks.matrix("kernel", kernel, columns=len(kernel))
    rows = kernel - kernel.mean(axis=1, keepdims=True)
    return rows - rows.mean(axis=0)
