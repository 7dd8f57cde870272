"""Costs of a configuration in hardware.

Exact: bits of memory, widths of the multiplier, and counts per learned sample whose errors are all
other than zero, with as many non-zero inputs as the training samples have on average:

* ``memory_bits``: all memories of the core, tables included;
* ``weight_bits_total``: the weights alone;
* ``multiplier_bits``: operands of a lane's multiplier;
* ``multiplies_per_sample``: products, see `operations`;
* ``memory_reads_per_sample``, ``memory_writes_per_sample``: entries of weights and class memories
  (one number each, not a word of all lanes) that are read and written;
* ``clocks_per_sample``: predicted by the schedule.

``estimate`` is what `hebbware.golden.estimate.devices` expects to be needed of the first of its
devices, named there: 4-input LUTs, multipliers, block RAMs. Nothing was synthesised for it; its
LUTs may be off by the share ``error``. Of a recurrent layer there are the first three alone: what
else it takes depends on its spikes.
"""

from __future__ import annotations

from functools import lru_cache

from hebbware.golden.config import CoreConfig
from hebbware.golden.estimate import devices, estimate
from hebbware.golden.program import widths
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.program import products, program
from hebbware.golden.program.walk import Common, Store

STORED = (Store.WEIGHTS, Store.MEMORY)


def operations(config: CoreConfig, nonzero: int) -> tuple[int, int, int]:
    """Multiplies, memory entries read and entries written for one learned sample.

    They are counted from the steps of the program's passes, as the schedule walks them: a product
    for each unit and step (sums of activations, which are no products, left out), an entry read or
    written likewise, everything up to normalisation once for each time step. Beside the lanes are
    multiplied: errors and similarities (for LayerNorm's Jacobian); of the ``hsic`` modulator the
    inputs (squares, and dot products with all samples in the ring) and kernels; of a reservoir
    memory its decoder, similarities and the pull. Constants, tables and the softmax's division are
    not counted, nor are accesses to any other memory.
    """
    kind, layout = config.memory, Layout(config)
    steps, layers = dict(estimate.pass_steps(config, nonzero)), len(config.hidden)
    multiplies = reads = writes = 0
    for p in program(config):
        layer = min(p.layer, layers - 1)
        rows = steps[p.name] // layout.blocks(layer)
        entries = rows * config.hidden[layer]
        nothing = p.walk.overlaps or p.walk.common is Common.ONE and p.walk.total
        multiplies += entries * (not nothing)
        read = rows - p.walk.jacobian  # the Jacobian's row is z itself
        reads += read * config.hidden[layer] * bool(p.walk.reads)
        writes += entries * any(store in STORED for store in p.walk.writes)
    if config.learns_hidden:
        multiplies += layers * (config.memory.window if kind.by_sample else config.classes)
    if kind.by_sample:
        multiplies += (
            config.inputs + (config.memory.window + 1) * nonzero + layers * config.memory.window
        )
    if kind.projected:
        multiplies += layers * products(config) * (config.reservoir.units + 2)
    return multiplies, reads, writes


@lru_cache(maxsize=512)
def cost(config: CoreConfig, nonzero: int) -> dict:
    """Return the ``cost`` of a result (see the table of this module)."""
    stored = {
        "memory_bits": int(estimate.memory_bits(config)),
        "weight_bits_total": int(estimate.weights(config) * config.weight.width),
        "multiplier_bits": [int(widths.operand_a(config)), int(widths.operand_b(config))],
    }
    if config.recurrent:
        return stored
    multiplies, reads, writes = operations(config, nonzero)
    need = devices.resources(config)[0]
    return stored | {
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
            "error": devices.LUT_ERROR,
        },
    }
