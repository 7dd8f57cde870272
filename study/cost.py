"""What a configuration costs in hardware, beside its accuracy.

Exact: bits of memory, widths of the multiplier, and counts per learned sample whose errors are all
other than zero, with as many non-zero inputs as the training samples have on average:

* ``memory_bits``: all memories of the core, tables included;
* ``weight_bits_total``: the weights alone;
* ``multiplier_bits``: operands of a lane's multiplier;
* ``multiplies_per_sample``: products of forward pass, normalisation, similarities, directions,
  writes of the class memory, and weight updates;
* ``memory_reads_per_sample``, ``memory_writes_per_sample``: entries of weights and class memories
  (one number each, not a word of all lanes) that are read and written;
* ``clocks_per_sample``: predicted by the schedule.

``estimate`` is what `hebbware.golden.estimate` expects to be needed of the first of its devices,
named there: 4-input LUTs, multipliers, block RAMs. Nothing was synthesised for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hebbware.golden import estimate, widths
from hebbware.golden.config import CoreConfig
from hebbware.golden.memory import KINDS


def operations(config: CoreConfig, nonzero: int) -> tuple[int, int, int]:
    """Multiplies, memory entries read and entries written for one learned sample."""
    classes, hidden = config.classes, config.hidden
    rows = [nonzero + 1, *(units + 1 for units in hidden[:-1])]
    weights = sum(n * m for n, m in zip(rows, hidden, strict=True))
    readout = hidden[-1] * classes
    units = sum(hidden)
    multiplies = weights + readout + 2 * units  # forward; squares and scaling of normalisation
    reads, writes = weights + readout, 0
    if config.learns_hidden:
        full = 0 if KINDS[config.memory].windowed else None
        written = len(KINDS[config.memory].writes(config, 0, np.ones(classes, np.int64), full))
        multiplies += classes * units  # similarities
        multiplies += (classes + 1) * units + classes * len(hidden)  # directions
        multiplies += written * units + weights
        reads += 2 * classes * units + written * units + weights
        writes += written * units + weights
    return multiplies + readout, reads + readout, writes + readout


@lru_cache(maxsize=512)
def cost(config: CoreConfig, nonzero: int) -> dict:
    """Return the ``cost`` of a result (see the table of this module)."""
    multiplies, reads, writes = operations(config, nonzero)
    need = estimate.resources(config)[0]
    return {
        "memory_bits": int(estimate.memory_bits(config)),
        "weight_bits_total": int(estimate.weights(config) * config.weight_bits),
        "multiplier_bits": [int(widths.operand_a(config)), int(widths.operand_b(config))],
        "nonzero_inputs": int(nonzero),
        "multiplies_per_sample": int(multiplies),
        "memory_reads_per_sample": int(reads),
        "memory_writes_per_sample": int(writes),
        "clocks_per_sample": int(estimate.clocks_per_sample(config, nonzero)),
        "estimate": {
            "device": need.device,
            "lut": int(need.lut),
            "dsp": int(need.dsp),
            "bram": int(need.ram),
            "marked": "estimate",
        },
    }
