"""How wide the operands and sums of the lane pipeline must be so that nothing overflows.

Every bound is exact for the configuration's sizes and formats; `hebbware.hdl` takes its widths from
here and ``hebbware info`` reports them.
"""

from ..arithmetic.fixed import bits_signed
from ..layers.init import init_scale
from ..layers.normalise import MANTISSA_BITS, exponent_range
from ..modulators import feedback
from ..modulators.class_memory import direction_shift
from .layout import Layout, kept_width

MULTIPLIER = 18  # bits of a signed operand that hard multipliers of most families take


def operand_a(config) -> int:
    """Bits of the operand that each lane has for itself: weight, memory, activation, direction."""
    formats = (config.weight, config.read, config.u, config.d)
    return max(8, kept_width(config), *(fmt.width for fmt in formats))


def source_max(config, layer: int) -> int:
    """Largest magnitude of an input of hidden layer `layer`, the bias input included."""
    source = config.source(layer)
    return max(source.max, -source.min, source.one)


def prescales(config) -> tuple[int, ...]:
    """Left shift of the pre-synaptic operand of each weight layer's update, before the schedule."""
    return tuple(config.update_shift - shift for shift in config.step_shifts)


def forward_prescales(config) -> tuple[int, ...]:
    """Left shift of the inputs of each hidden layer's forward pass: all sums end up with as many
    fraction bits beyond u's, `forward_drop`, and the lanes round them all in one place.
    """
    return tuple(forward_drop(config) - drop for drop in _forward_drops(config))


def forward_drop(config) -> int:
    """Fraction bits of the accumulated sums beyond those of u."""
    return max(_forward_drops(config))


def _forward_drops(config):
    return [config.sum_shift(layer) for layer in range(len(config.hidden))]


def vector_shifts(config) -> tuple[range, range]:
    """Right shifts that make z, and d, of an accumulated sum: one for each exponent and power.

    In cores of sequences there is one, that of d.
    """
    if config.recurrent:
        shift = feedback.direction_shift(config)
        return range(0), range(shift, shift + 1)
    low, high = exponent_range(config)
    for_z = MANTISSA_BITS + low + config.u.fraction - config.z.fraction
    for_d = direction_shift(config, low)
    return range(for_z, for_z + high - low + 1), range(for_d, for_d + high - low + 2)


def fine_bits(config) -> int:
    """Low bits of the vectors' shift that are made by shifting the common operand to the left.

    As many, up to 2, as leave that operand within a hard multiplier (or as wide as it is anyway).
    """
    if config.recurrent:
        return 0
    room = max(bits_signed(*_span(_scalars(config))), MULTIPLIER)
    scaled = _span(_rounded_scalars(config))
    fit = [b for b in (2, 1) if bits_signed(*(v << (1 << b) - 1 for v in scaled)) <= room]
    return fit[0] if fit else 0


def slices(config) -> tuple[int, ...]:
    """Bits of the accumulator with which a vector's lowest bit can begin, a ``2**fine_bits`` grid.

    The sums of the forward passes begin at one of them, `forward_drop`.
    """
    step, drop = 1 << fine_bits(config), forward_drop(config)
    if config.recurrent:
        return tuple(sorted({drop, *vector_shifts(config)[1]}))
    shifts = [drop, *(s for of in vector_shifts(config) for s in (of[0], of[-1]))]
    shifts += [shift for of_layer in map_shifts(config) for shift in of_layer]
    first, last = (min(shifts) - drop) // step, -((drop - max(shifts)) // step)
    # the shift is reached from above: the operand can only be shifted to the left
    first += (min(shifts) - drop) % step > 0
    return tuple(drop + step * n for n in range(min(first, 0), last + 1))


def map_shifts(config) -> list[tuple[int, int]]:
    """Of each convolution, right shifts that make averages of sums: over squares, over cells."""
    layers = zip(config.windows, config.layer, strict=False)
    return [(w.pool_shift, w.cell_shift - layer.gain) for w, layer in layers]


def map_slices(config) -> list[tuple[tuple[int, int], ...]]:
    """For each of `map_shifts` the number of the slice with which its average begins, and the left
    shift of each part of the sum.
    """
    places = slices(config)

    def found(shift):
        number = next(n for n, place in enumerate(places) if place >= shift)
        return number, places[number] - shift

    return [tuple(found(shift) for shift in of_layer) for of_layer in map_shifts(config)]


def _span(bounds):
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _rounded_scalars(config):
    """Least and largest common operands of the passes whose sums are shifted by an exponent."""
    align = config.read.fraction - config.z.fraction
    return [
        (0, (1 << MANTISSA_BITS) - 1),
        (_error_min(config), -_error_min(config)),
        (config.k.min << align, config.k.max << align),
    ]


def _error_min(config):
    """Least number that the direction takes of a row: an error, or v of a reservoir memory."""
    if config.memory.projected:
        return config.k.min
    return config.e.min if config.memory.by_sample else -config.e.one


def _scalars(config):
    """Least and largest operands that all lanes share, or activations, pass by pass."""
    if config.recurrent:
        return _tick_scalars(config)
    hidden, kind = len(config.hidden), config.memory
    sources = [config.source(layer) for layer in range(hidden)]
    inputs = [(source.min, max(source.max, source.one)) for source in sources]
    bounds = [(config.u.min, config.u.max), (config.z.min, config.z.max)]
    bounds += _rounded_scalars(config)
    for shifts in (forward_prescales(config), prescales(config)):
        scaled = [(low << s, high << s) for (low, high), s in zip(inputs, shifts, strict=False)]
        bounds += scaled
    # the products of a convolution's update are subtracted before they are summed up
    bounds += [(-high, -low) for low, high in scaled[: len(config.windows)]]
    error = config.e.one << prescales(config)[-1]
    bounds += [(-error, error)]
    bounds += [(-init_scale(config, layer), 0) for layer in range(hidden + 1)]
    if kind.written:
        most = (config.e.one if kind.by_error else 1) << kind.scale(config)
        bounds.append((-most, most))
    return bounds


def _tick_scalars(config):
    """The same of a core of sequences: inputs, spikes, errors, traces, start values, z."""
    source, trace, shifts = config.source(0), config.trace, prescales(config)
    error, drop, kind = config.e.one, forward_prescales(config)[0], config.memory
    written = error << kind.scale(config) if kind.written else 0
    return [
        (source.min << drop, source.max << drop),
        (0, source.one << drop),
        (-error, error),
        (trace.min << shifts[0], trace.max << shifts[0]),
        (-error << shifts[1], error << shifts[1]),
        (-written, written),
        (config.z.min, config.z.max),
        *((-init_scale(config, n, part), 0) for n, part in start_parts(config)),
    ]


def start_parts(config) -> list[tuple[int, int]]:
    """Weight layer and number of each part of the start weights."""
    layers = enumerate(config.layer)
    return [(n, part) for n, layer in layers for part in range(len(layer.parts(config, n)))]


def operand_b(config) -> int:
    """Bits of the operand that is the same for all lanes, or an activation."""
    if config.recurrent:
        return bits_signed(*_span(_tick_scalars(config)))
    most = (1 << fine_bits(config)) - 1
    shifted = [(low << most, high << most) for low, high in _rounded_scalars(config)]
    return bits_signed(*_span([*_scalars(config), *shifted]))


def accumulator(config) -> int:
    """Bits of a lane's accumulator, what it starts from (halves, the mean) included."""
    if config.recurrent:
        rows = max(config.inputs * source_max(config, 0), config.hidden[0] * config.source(0).one)
        errors = config.classes * config.e.one * -config.read.min
        bound = max((rows << forward_prescales(config)[0]) * -config.weight.min, errors)
        bound += 1 << max(slices(config)[-1], 0)
        return bits_signed(-bound, bound)
    weight, most = -config.weight.min, (1 << fine_bits(config)) - 1
    bounds = [
        Layout(config).rows(n) * (source_max(config, n) << shift) * weight
        for n, shift in enumerate(forward_prescales(config))
    ]
    align = config.read.fraction - config.z.fraction
    errors = Layout(config).memory_rows * -_error_min(config)
    bounds.append(errors * -config.read.min + (-config.k.min << align) * -config.z.min << most)
    bounds.append(-config.u.min << MANTISSA_BITS + most + config.neuron.signed)
    bounds += [*_correlated(config), *_averaged(config)]
    bound = max(bounds) + (1 << max(slices(config)[-1], 0))
    return bits_signed(-bound, bound)


def _correlated(config):
    """Bounds of the sums of a convolution's update, and of the bits that round them."""
    pairs = zip(config.windows, prescales(config), strict=False)
    return [
        w.positions * (source_max(config, n) << shift) * -config.d.min + (1 << config.update_shift)
        for n, (w, shift) in enumerate(pairs)
    ]


def _averaged(config):
    """Bounds of its sums over squares and cells."""
    return [
        -config.z.min * count << left
        for w, of_layer in zip(config.windows, map_slices(config), strict=True)
        for count, (_, left) in zip((w.pool**2, w.cell[0] * w.cell[1]), of_layer, strict=True)
    ]


def update_product(config) -> int:
    """Bits of the products of the passes that write weights or class memories."""
    own = max(-config.d.min, -config.z.min, 128)
    hidden, kind = range(len(config.hidden)), config.memory
    if config.recurrent:
        bounds = [-config.trace.min << prescales(config)[0]]
    else:
        dense = hidden[len(config.windows) :]  # others sum up before they are rounded
        bounds = [source_max(config, n) << prescales(config)[n] for n in dense]
    bounds.append(config.e.one << prescales(config)[-1])
    bounds += [init_scale(config, *part) for part in start_parts(config)]
    if kind.written:
        bounds.append((config.e.one if kind.by_error else 1) << kind.scale(config))
    bound = own * max(bounds)
    return bits_signed(-bound, bound)


def change(config) -> int:
    """Bits of what is added to a weight or to a class-memory entry."""
    bound, shift = 1 << (update_product(config) - 1), config.update_shift
    bound = max(bound, *_correlated(config), 0)
    if config.memory.leaks:
        bound += 1 << (config.stored.width - 1 + shift - config.memory.horizon)
    return bits_signed(-bound - 1 >> shift, bound + (1 << shift) >> shift)


def dots(config) -> int:
    """Bits of what is summed over the lanes."""
    bound = _summed(config)
    return bits_signed(-bound, bound)


def total(config) -> int:
    """Bits of a sum over a layer: activations, their squares, dot products, a row of memory."""
    bound = max(config.hidden + config.sizes[1:-1]) * _summed(config)
    return bits_signed(-bound, bound)


def _summed(config):
    """Largest magnitude of a unit's part of a total: a square, a dot product's, one of memory."""
    bounds = [config.z.min * config.weight.min]
    if not config.recurrent:
        bounds += [config.u.max**2, config.z.min * config.read.min]
    if config.memory.self_scaling:
        bounds.append(1 << (config.stored.width - 1))
    return max(bounds)


def read_shifts(config) -> tuple[int, int]:
    """Smallest and largest right shift from the stored class memory to the read format."""
    kind = config.memory
    if kind.self_scaling:
        return -config.read.fraction, config.stored.width - 1 - config.read.fraction
    return kind.read_shift(config), kind.read_shift(config)


def result(config) -> int:
    """A result: a score, or of a sequence the sum of those of its target ticks, where it is one."""
    if not config.recurrent or config.signal:
        return config.u.width
    ticks = config.neuron.target
    return bits_signed(ticks * config.u.min, ticks * config.u.max)
