"""The paper's rule from one sample at a time, and layer-wise HSIC on a batch."""

import numpy as np

from ..errors import InputError, one_of
from . import checks
from .hsic import FORMS, bottleneck_gradient, check_objective, hsic_modulator
from .layers import Layer, direction


class HsicRule:
    """Directions from the HSIC modulator over the last N samples of a stream.

    A ring holds inputs, labels and each layer's activations as they were when the sample came by
    (they are not computed anew with later weights). With fewer than two samples hidden layers do
    not learn. N = 2 is the two-point rule of Pogodin and Latham, "Kernelized information bottleneck
    leads to biologically plausible 3-factor Hebbian learning in deep networks", 2020, as Daruwalla
    and Lipasti 2024 compare with it.

    Parameters
    ----------
    samples : int
        N, the newest sample included; 2 or more.
    gamma : float
    sigmas : three floats
        As in `hsic_modulator`.
    form : ``gradient`` or ``released``
    shuffle : int or None
        Seed of a control: in each step the labels of the window are permuted among its samples, so
        that kernels keep their statistics and lose what ties labels to activations.

    Raises
    ------
    InputError
        A window below 2, an unknown form, a width that is not positive, a seed below 0; more than
        one sample a step.
    """

    def __init__(self, samples: int, gamma: float, sigmas, form="gradient", shuffle=None):
        self.samples = checks.count("samples", samples, 2)
        if form not in FORMS:
            raise one_of("form", form, FORMS)
        check_objective(gamma, sigmas)
        self.gamma, self.sigmas, self.form = gamma, sigmas, form
        self.rng = None
        if shuffle is not None:
            self.rng = np.random.default_rng([checks.count("shuffle", shuffle, 0), 2])
        self.window: list[tuple[np.ndarray, ...]] = []

    def directions(self, network, layers: list[Layer], error, targets):
        if len(targets) != 1:
            raise InputError(f"batch must be 1 for a window of samples, not {len(targets)}")
        newest = (layers[0].inputs[0], targets[0], *(layer.z[0] for layer in layers))
        self.window = [*self.window[1 - self.samples :], newest]
        if len(self.window) < 2:
            return None
        x, y, *z = (np.stack(column) for column in zip(*self.window, strict=True))
        if self.rng:
            y = self.rng.permutation(y)
        return [
            direction(layer, hsic_modulator(x, y, past, self.gamma, self.sigmas, self.form)[None])
            for layer, past in zip(layers, z, strict=True)
        ]


class LayerwiseHsic:
    """Directions that descend each layer's HSIC objective on a batch, gradients of all samples.

    ``d_q = N f'(u_q) J(dL/dz_q)`` with L = `hsic_bottleneck` of the layer on the batch of N
    samples; the factor N cancels the mean that `Network.learn` takes. Layers below are held fixed:
    nothing is propagated backwards.

    Source: Ma, Lewis and Kleijn 2020 (their objective with the plain HSIC, without normalisation).

    Parameters
    ----------
    gamma : float
        Their beta.
    sigmas : three floats
        As in `hsic_modulator`.

    Raises
    ------
    InputError
        A width that is not positive; batches of one sample.
    """

    def __init__(self, gamma: float, sigmas):
        check_objective(gamma, sigmas)
        self.gamma, self.sigmas = gamma, sigmas

    def directions(self, network, layers: list[Layer], error, targets):
        x = layers[0].inputs
        return [
            direction(
                layer,
                len(x) * bottleneck_gradient(x, targets, layer.z, self.gamma, self.sigmas),
            )
            for layer in layers
        ]
