"""Layers of the float network: forward pass and local gradients.

Weights are (inputs, units). Everything works on one sample (features,) or on several
(samples, features).

Source: Daruwalla and Lipasti 2024 (three-factor update); J. L. Ba, J. R. Kiros and G. E. Hinton,
"Layer normalization", 2016 (the normalisation, here without scale and offset).
"""

from typing import NamedTuple

import numpy as np

from ..errors import InputError

EPSILON = 1e-6  # added to the variance; the value behind the authors' numbers


class Layer(NamedTuple):
    """What a hidden layer leaves behind of its forward pass.

    Members
    -------
    inputs : array (..., inputs)
        Activations of the layer below.
    u : array (..., units)
        ``W^T inputs + b``.
    z : array (..., units)
        LayerNorm(relu(u)).
    scale : array (..., 1)
        ``1 / sqrt(var relu(u) + epsilon)``.
    slope : array (..., units)
        ``f'(u)``: 1 above 0; below, 0 for relu.
    """

    inputs: np.ndarray
    u: np.ndarray
    z: np.ndarray
    scale: np.ndarray
    slope: np.ndarray


def layer_norm(a: np.ndarray, epsilon: float = EPSILON) -> tuple[np.ndarray, np.ndarray]:
    """``z = (a - mean a) s``, ``s = 1 / sqrt(var a + epsilon)``; returns z and s.

    Shapes (..., units) -> (..., units), (..., 1).
    """
    centred = a - a.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon)
    return centred * scale, scale


def layer_norm_jacobian(xi: np.ndarray, z: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``s (xi - mean xi - z mean(z xi))``: a gradient of z brought to the LayerNorm's input.

    Shapes (..., units). Exact for any epsilon, as z and s carry it.
    """
    mean = xi.mean(axis=-1, keepdims=True)
    return scale * (xi - mean - z * (z * xi).mean(axis=-1, keepdims=True))


def forward(inputs, weights, bias, epsilon: float = EPSILON) -> Layer:
    """``u = W^T inputs + b``, ``z = LayerNorm(relu(u))``.

    Parameters
    ----------
    inputs : array (..., inputs)
    weights : array (inputs, units)
    bias : array (units,)

    Raises
    ------
    InputError
        Shapes that do not fit.
    """
    wanted = (inputs.shape[-1], len(bias))
    if weights.shape != wanted:
        raise InputError(f"weights must have shape {wanted} (inputs, units), not {weights.shape}")
    u = inputs @ weights + bias
    z, scale = layer_norm(np.maximum(u, 0.0), epsilon)
    return Layer(inputs, u, z, scale, (u > 0).astype(float))


def direction(layer: Layer, xi: np.ndarray) -> np.ndarray:
    """``d_i = f'(u_i) J(xi)_i``: the modulator brought to u, through LayerNorm and ReLU.

    ``f' = [u > 0]`` for ReLU, J is `layer_norm_jacobian`. Shapes (..., units).
    """
    return layer.slope * layer_norm_jacobian(xi, layer.z, layer.scale)


def local_gradients(inputs: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``G_ji = inputs_j d_i`` and ``g_i = d_i``, summed over the samples if there are several.

    The three factors: pre-synaptic activity, slope, modulator (the last two in `direction`). The
    step is ``W <- W - eta G``, ``b <- b - eta g``.

    Parameters
    ----------
    inputs : array (inputs,) or (samples, inputs)
    d : array (units,) or (samples, units)

    Returns
    -------
    array (inputs, units), array (units,)
    """
    inputs, d = np.atleast_2d(inputs), np.atleast_2d(d)
    return inputs.T @ d, d.sum(axis=0)


def softmax(scores: np.ndarray) -> np.ndarray:
    """``exp(o_i) / sum_k exp(o_k)`` along the last axis."""
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def cross_entropy(scores: np.ndarray, targets: np.ndarray) -> float:
    """``-mean over samples of sum_i y_i log softmax(o)_i``; both (samples, classes)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return float(-(targets * logs).sum(axis=-1).mean())


def readout_error(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``softmax(o) - y``: the delta rule's error, the gradient of one sample's cross-entropy."""
    return softmax(scores) - targets
