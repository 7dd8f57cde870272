"""Pattern generation: a signal to be told from a spike pattern that always comes alike.

Inputs are events drawn once, the same in every sample but for noise; targets are sums of four sine
waves that go through the sequence 1, 2, 3 and 5 times, with amplitudes in 0.5..2 and any phase,
less the first value, scaled to a largest magnitude of 127 / 128.

Source: Bellec et al. 2020, doi 10.1038/s41467-020-17236-y, and NEST's tutorial on learning to
generate sine waves, whose targets are made like this.
"""

from functools import partial

import numpy as np

from hebbware.golden.arithmetic.uniform import uniform
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.layers.squared import TARGET

NAME = "patterns"
OPTIONS = {
    "train": int, "test": int, "ticks": int, "inputs": int, "outputs": int, "noise": float,
}  # fmt: skip
CYCLES = (1, 2, 3, 5)
RATE = 0.05  # events of an input per tick
EVENT = 255


def patterns(
    seed: int,
    train: int = 50,
    test: int = 20,
    ticks: int = 500,
    inputs: int = 40,
    outputs: int = 2,
    noise: float = 0.0,
) -> Dataset:
    """Draw a pattern of events, a signal for each output, and samples of them.

    Parameters
    ----------
    seed : int
    train, test : int
        Samples of each part.
    ticks, inputs, outputs : int
    noise : float
        Share of the events that a sample has lost, and for each of them it has one elsewhere, in
        the mean; without it all samples are alike.

    Raises
    ------
    InputError
    """
    for name, value, low in (
        ("train", train, 1), ("test", test, 1), ("ticks", ticks, 2), ("inputs", inputs, 1),
        ("outputs", outputs, 2), ("seed", seed, 0),
    ):  # fmt: skip
        if value < low:
            raise InputError(f"{name} must be at least {low}, not {value}")
    if not 0 <= noise <= 1:
        raise InputError(f"noise must lie in 0..1, not {noise}")
    draw = partial(uniform, np.random.PCG64([seed, ticks, inputs, outputs]))

    pattern = draw(ticks, inputs) < RATE
    amplitudes, phases = 0.5 + 1.5 * draw(outputs, len(CYCLES)), 2 * np.pi * draw(outputs, 4)
    turns = 2 * np.pi * np.multiply.outer(np.arange(ticks) / ticks, CYCLES)  # (ticks, waves)
    signal = np.einsum("kw,tkw->tk", amplitudes, np.sin(turns[:, None] + phases))
    signal -= signal[0]
    signal /= np.abs(signal).max(axis=0)
    targets = np.rint(signal * TARGET.max).astype(np.int64)
    shape = train + test, ticks, inputs
    x = np.broadcast_to(pattern, shape)
    if noise:
        x = np.where(x, draw(*shape) >= noise, draw(*shape) < noise * RATE / (1 - RATE))
    x = (x * EVENT).astype(np.uint8).reshape(len(x), -1)
    y = np.broadcast_to(targets, (train + test, ticks, outputs)).copy()
    parts = x[:train], y[:train], x[train:], y[train:]
    return Dataset(NAME, (ticks, inputs), outputs, *parts)
