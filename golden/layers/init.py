"""Start weights that the core makes by itself after reset, from its seed alone.

The start program walks the weight memory, then the class memory, once for each group of four
lanes: at every address it draws one random word, whose bytes (signed, uniform) go to the four lanes
of the group, scaled by a constant of the layer, or of a part of it: ``W = floor((byte * scale +
half) / 2**update_shift)``. Lanes beyond the layer's size, the bias rows and class memories become
zero; the lowest bit of each byte of a class-memory word is the lane's random code. The walk for the
first group makes all other lanes zero, so that nothing is left of what the memories held before.
"""

from dataclasses import dataclass

import numpy as np

from ..arithmetic.fixed import saturate
from ..arithmetic.random import seed_state, xorshift_block
from ..program.layout import Layout

GROUP = 4  # lanes that share one random word
BYTE_STD = ((256**2 - 1) / 12) ** 0.5


@dataclass(frozen=True)
class StartState:
    """What reset leaves behind."""

    weights: list[np.ndarray]
    codes: list[np.ndarray]
    random_state: int


def init_scale(config, layer: int, part: int = 0) -> int:
    """Multiplier of the random byte for a part of weight layer `layer`, in units of
    ``2**-update_shift``.
    """
    std = config.layer[layer].parts(config, layer)[part].std
    one = 1 << config.weight_fraction(layer)
    return round(std / BYTE_STD * one * 2**config.update_shift)


def init_groups(config) -> int:
    """Groups of lanes, each one walk over all addresses."""
    return -(-config.lanes // GROUP)


def start_state(config) -> StartState:
    """Weights, codes and generator state after the start program."""
    layout, lanes = Layout(config), config.lanes
    weight_words = layout.weight_bases[-1]
    walk = weight_words + (layout.memory_bases[-1] if config.has_memory else 0)
    groups = init_groups(config)
    words = xorshift_block(seed_state(config.seed), groups * walk)
    # (groups, walk) words -> (walk, groups * 4) bytes: byte k of a word belongs to lane 4 group + k
    octets = words.astype("<u4").view(np.uint8).reshape(groups, walk, GROUP).swapaxes(0, 1)
    octets = octets.reshape(walk, groups * GROUP)[:, :lanes]
    signed = octets[:weight_words].view(np.int8).astype(np.int64)
    octets = octets[weight_words:]
    half = 1 << (config.update_shift - 1)

    weights, codes, first = [], [], 0
    for number, layer in enumerate(config.layer):
        found = []
        for n, part in enumerate(layer.parts(config, number)):
            count = part.rows * layout.weight_blocks(number)
            part_words = signed[first : first + count]
            raw = (part_words * init_scale(config, number, n) + half) >> config.update_shift
            found.append(layout.rows_from(number, saturate(raw, config.weight)))
            first += count
        weights.append(np.concatenate(found))
        if layer.bias:
            weights[-1][-1] = 0
    bases = layout.memory_bases
    for layer, units in enumerate(config.hidden):
        if not config.has_memory:
            codes.append(np.ones((layout.memory_rows, units), np.int8))
            continue
        code = octets[bases[layer] : bases[layer + 1]].reshape(
            layout.memory_rows, layout.blocks(layer), lanes
        )
        codes.append(layout.memory_form(layer).unpack(1 - 2 * (code & 1).astype(np.int8)))
    return StartState(weights, codes, int(words[-1]))
