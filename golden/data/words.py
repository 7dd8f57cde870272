"""The words of the sample stream: those of a sample, and those that stand for its inputs.

A word is an input. Where ``input.runs`` is set, a word whose bit above the `word_bits` of an input
or a label is set stands for so many inputs that are 0 as its other bits say (of a sample's inputs,
as many as are left): a sample of few inputs other than 0 takes few clocks to come in.
"""

import numpy as np


def word_bits(config) -> int:
    """Bits of an input, or a label, in the stream, without the one that marks runs."""
    return max(config.input.bits, 8)


def longest_run(config) -> int:
    """Zeros that a word may stand for at most; 0 where each input is a word."""
    return config.input.runs * ((1 << word_bits(config)) - 1)


def sample_words(config) -> int:
    """Words of a sample without runs, or of a tick: inputs, targets of a signal, label."""
    return config.inputs + config.classes * config.signal + 1


def words_of(config, x: np.ndarray) -> np.ndarray:
    """Words of the inputs `x` of one sample; runs as long as they can be, but single zeros are
    words of their own.
    """
    x = np.asarray(x, np.int64)
    most, mark = longest_run(config), 1 << word_bits(config)
    if not most:
        return x
    ends = np.flatnonzero(x != config.x_zero)
    found, at = [], 0
    for end in [*ends.tolist(), x.size]:
        while end - at > 1:
            run = min(end - at, most)
            found.append(mark | run)
            at += run
        found += [config.x_zero] * (end - at)
        if end < x.size:
            found.append(int(x[end]))
        at = end + 1
    return np.array(found, np.int64)
