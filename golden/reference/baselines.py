"""The rules by name, with settings for MNIST, and the float trainer they all go through.

=================  =================================================================================
name               hidden layers learn by
=================  =================================================================================
``backprop``       back-propagation, one sample a step
``hsic-batch``     layer-wise HSIC on a batch (Ma et al. 2020)
``two-point``      the paper's modulator, N = 2 (both forms are equal)
``hsic-gradient``  the paper's modulator, gradient form, N = 8
``hsic-released``  the paper's modulator, released form, N = 8
``hsic-shuffled``  as ``hsic-gradient`` with the labels shuffled inside the window (control)
``gated``          class memory gated by the error
``window``         class memory from the last 32 samples and codes
``trace``          leaky class means
``codes``          fixed random codes (control)
``frozen``         nothing: the readout alone learns (control)
``linear``         there are none: a linear classifier on the pixels (control)
=================  =================================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..data import Dataset
from ..errors import InputError
from ..train import order
from . import checks
from .backprop import Backprop
from .class_memory import ClassMemoryRule
from .network import Frozen, Network, Rule
from .windowed import HsicRule, LayerwiseHsic

GAMMA, SIGMAS = 2.0, (0.5, 0.1, 1.0)  # the paper's, for MNIST


def unit(x: np.ndarray) -> np.ndarray:
    """``x / 256``: bytes as the hardware reads them."""
    return x / 256


def centred(x: np.ndarray) -> np.ndarray:
    """``(x / 255 - 0.5) / 0.5``: bytes as the paper scales them, -1 .. 1."""
    return (x / 255 - 0.5) / 0.5


@dataclass(frozen=True)
class Baseline:
    """A rule with its settings.

    Members
    -------
    make : function (hidden sizes, classes, seed) -> Rule
    steps : three floats
        Of the first hidden layer, of further ones, of the readout, in the first epoch.
    batch : int
        Samples of a step.
    encode : function
        Bytes to inputs.
    hidden : bool
        Whether the network has its hidden layers.
    """

    make: Callable[[Sequence[int], int, int], Rule]
    steps: tuple[float, float, float]
    batch: int = 1
    encode: Callable[[np.ndarray], np.ndarray] = unit
    hidden: bool = True


def _hsic(samples: int, form: str = "gradient", shuffled: bool = False):
    return lambda hidden, classes, seed: HsicRule(
        samples, GAMMA, SIGMAS, form, seed if shuffled else None
    )


def _memory(kind: str, **options):
    return lambda hidden, classes, seed: ClassMemoryRule(
        kind, hidden, classes, seed=seed, **options
    )


# Chosen on 5,000 MNIST images held back from training, network 784-128-64-10, one epoch: the
# gradient form's and the batch's of the other 55,000, where steps that are best for 10,000 images
# lose accuracy again; the rest of 10,000. A few values each. The class memories' are those of the
# fixed-point rule.
HSIC_STEPS = (0.02, 0.5, 0.01)
MEMORY_STEPS = (2**-7, 2**-6, 2**-8)
BASELINES = {
    "backprop": Baseline(lambda *_: Backprop(), (0.01, 0.01, 0.01)),
    "hsic-batch": Baseline(lambda *_: LayerwiseHsic(GAMMA, SIGMAS), (0.1, 1.0, 0.2), 64, centred),
    "two-point": Baseline(_hsic(2), (0.001, 0.001, 0.01), encode=centred),
    "hsic-gradient": Baseline(_hsic(8), HSIC_STEPS, encode=centred),
    "hsic-released": Baseline(_hsic(8, "released"), (0.005, 0.005, 0.01), encode=centred),
    "hsic-shuffled": Baseline(_hsic(8, shuffled=True), HSIC_STEPS, encode=centred),
    "gated": Baseline(_memory("gated"), MEMORY_STEPS),
    "window": Baseline(_memory("window", kappa=0.5), MEMORY_STEPS),
    "trace": Baseline(_memory("trace"), MEMORY_STEPS),
    "codes": Baseline(_memory("codes"), MEMORY_STEPS),
    "frozen": Baseline(lambda *_: Frozen(), (0.0, 0.0, 0.01)),
    "linear": Baseline(lambda *_: Frozen(), (0.0, 0.0, 0.01), hidden=False),
}


@dataclass(frozen=True)
class Trained:
    """Network after a run, and its accuracy on the data set's test samples after each epoch."""

    network: Network
    accuracy: list[float]


def train(
    name: str,
    dataset: Dataset,
    hidden: Sequence[int],
    epochs: int = 1,
    *,
    steps: Sequence[float] | None = None,
    halve: int = 1,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Trained:
    """Train a float network by a rule; samples come in the order of the integer model's trainer.

    Parameters
    ----------
    name : str
        One of ``BASELINES``.
    dataset : Dataset
        For a choice of settings give `hebbware.golden.data.split_validation` of it.
    hidden : sequence of int
        Units of the hidden layers.
    epochs : int
    steps : three floats, optional
        In the place of the rule's own.
    halve : int
        Steps are halved every so many epochs; 0 keeps them.
    seed : int
        Of start weights, codes and order.
    progress : function, optional
        Called with the number of samples learned since the last call.

    Raises
    ------
    InputError
        An unknown rule, other than three steps, a step below 0, impossible sizes, no epochs.
    """
    if name not in BASELINES:
        raise InputError(f"rule must be one of {', '.join(BASELINES)}, not {name!r}")
    baseline = BASELINES[name]
    first, further, readout = _steps(baseline.steps if steps is None else steps)
    epochs = checks.count("epochs", epochs, 1)
    halve = checks.count("halve", halve, 0)
    hidden = list(hidden) if baseline.hidden else []
    network = Network([dataset.inputs, *hidden, dataset.classes], seed)
    rule = baseline.make(hidden, dataset.classes, seed)
    sizes = np.array([first, *[further] * (len(hidden) - 1), readout][-len(hidden) - 1 :])
    targets = np.eye(dataset.classes)[dataset.y_train]
    accuracy = []
    for epoch in range(epochs):
        scaled = sizes / 2 ** (epoch // halve if halve else 0)
        samples = order(seed, epoch, len(targets))
        for start in range(0, len(samples), baseline.batch):
            batch = samples[start : start + baseline.batch]
            network.learn(rule, baseline.encode(dataset.x_train[batch]), targets[batch], scaled)
            if progress:
                progress(len(batch))
        found = network.classify(baseline.encode(dataset.x_test))
        accuracy.append(float((found == dataset.y_test).mean()))
    return Trained(network, accuracy)


def _steps(steps: Sequence[float]) -> Sequence[float]:
    if len(steps) != 3:
        raise InputError(
            f"steps must be three, of the first, the further hidden layers and the readout, "
            f"not {len(steps)}"
        )
    for step in steps:
        if not 0 <= step < np.inf:
            raise InputError(f"steps must be 0 or more and finite, not {step}")
    return steps
