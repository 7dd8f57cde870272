"""How wide the operands and sums of the lane pipeline must be so that nothing overflows.

Every bound is exact for the configuration's sizes and formats; `hebbware.hdl` takes its widths from
here and ``hebbware info`` reports them.
"""

from .fixed import bits_signed
from .init import init_scale
from .layout import Layout
from .memory import KINDS
from .normalise import MANTISSA_BITS


def operand_a(config) -> int:
    """Bits of the operand that each lane has for itself: weight, memory, activation, direction."""
    difference = config.u_bits + bool(config.slope_shift)  # a less its mean
    return max(config.weight_bits, config.read_bits, difference, config.z_bits, config.d_bits, 8)


def source_max(config, layer: int) -> int:
    """Largest magnitude of an input of hidden layer `layer`, the bias input included."""
    source = config.source(layer)
    return max(source.max, -source.min, source.one)


def prescales(config) -> tuple[int, ...]:
    """Left shift of the pre-synaptic operand of each weight layer's update, before the schedule."""
    return tuple(config.update_shift - shift for shift in config.step_shifts)


def operand_b(config) -> int:
    """Bits of the operand that is the same for all lanes, or an activation."""
    hidden = len(config.hidden)
    align = config.read_fraction - config.z_fraction
    bounds = [config.u.max, (1 << MANTISSA_BITS) - 1, -config.k.min << align]
    bounds += [source_max(config, layer) << prescales(config)[layer] for layer in range(hidden)]
    bounds += [1 << config.error_fraction << prescales(config)[-1]]
    bounds += [init_scale(config, layer) for layer in range(hidden + 1)]
    kind = KINDS[config.memory]
    if kind.written:
        bounds.append((config.e.one if kind.by_error else 1) << kind.scale(config))
    return bits_signed(-max(bounds), max(bounds))


def accumulator(config) -> int:
    """Bits of a lane's accumulator."""
    weight = -config.weight.min
    hidden, kind = range(len(config.hidden)), KINDS[config.memory]
    bounds = [(config.layers[n] + 1) * source_max(config, n) * weight for n in hidden]
    align = config.read_fraction - config.z_fraction
    errors = Layout(config).memory_rows * max(config.e.one, -config.e.min * kind.by_sample)
    bounds.append(errors * -config.read.min + (-config.k.min << align) * -config.z.min)
    bounds.append(config.u.max << MANTISSA_BITS << bool(config.slope_shift))
    return bits_signed(-max(bounds), max(bounds))


def total(config) -> int:
    """Bits of a sum over a layer: activations, their squares, dot products, a row of memory."""
    per_unit = [config.u.max**2, config.z.min * config.read.min, config.z.min * config.weight.min]
    if KINDS[config.memory].self_scaling:
        per_unit.append(1 << (config.memory_bits - 1))
    bound = max(config.hidden) * max(per_unit)
    return bits_signed(-bound, bound)


def read_shifts(config) -> tuple[int, int]:
    """Smallest and largest right shift from the stored class memory to the read format."""
    kind = KINDS[config.memory]
    if kind.self_scaling:
        return -config.read_fraction, config.memory_bits - 1 - config.read_fraction
    return kind.read_shift(config), kind.read_shift(config)
