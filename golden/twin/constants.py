"""What the compiled twins compute with: constants of a configuration, numbers and arrays."""

import numpy as np

from ..arithmetic import tables
from ..config import CoreConfig
from ..layers.normalise import (
    MANTISSA_BITS,
    ROOT_HALF,
    VAR_MIN,
    reciprocal_of_size,
    unit_thresholds,
)
from ..layers.softmax import exp_width
from ..modulators import class_memory, hsic
from ..neurons import dynamics
from ..reservoir import memory as reservoir_memory
from ..reservoir.connections import GRANULE, connections
from ..reservoir.decoder import decoder_weights
from . import kernels as twin_kernels
from .kernels import Constants, Reservoirs


def forward_shifts(config: CoreConfig) -> list[int]:
    """From the accumulator to u, of each weight layer."""
    return [config.sum_shift(layer) for layer in range(len(config.layer))]


def read_shift(config: CoreConfig) -> int:
    """Right shift from the class memory to its unit scale."""
    kind = config.memory
    scaled = kind.self_scaling or kind.projected  # the shift is found row by row
    return -config.read.fraction if scaled else kind.read_shift(config)


def constants(config: CoreConfig) -> Constants:
    """What the compiled loops compute with."""
    kind = config.memory
    factors, shifts = zip(*(reciprocal_of_size(n) for n in config.hidden), strict=True)
    width = exp_width(config)
    return Constants(
        learns_hidden=config.learns_hidden,
        written=kind.written,
        by_error=kind.by_error,
        windowed=kind.windowed,
        lanes=config.lanes,
        classes=config.classes,
        rounding=twin_kernels.ROUNDINGS[config.update.rounding],
        update_shift=config.update_shift,
        **dynamics.constants(config),
        x_zero=config.x_zero,
        forward_shifts=np.array(forward_shifts(config)),
        ones=np.array([config.source(layer).one for layer in range(len(config.sizes) - 1)]),
        size_factors=np.array(factors),
        size_shifts=np.array(shifts),
        **class_memory.constants(config),
        thresholds=np.array([unit_thresholds(n, config.stored.width) for n in config.hidden]),
        leak_shift=config.update_shift - config.memory.horizon if kind.leaks else -1,
        scale=kind.scale(config),
        window=config.memory.window,
        read_shift=read_shift(config),
        self_scaling=kind.self_scaling,
        stochastic_memory=kind.stochastic,
        offset=int(config.memory.kappa * config.read.one),
        memory_max=(1 << (config.stored.width - 1)) - 1,
        weight_max=config.weight.max,
        u_max=config.u.max,
        z_max=config.z.max,
        d_max=config.d.max,
        k_max=config.k.max,
        read_max=config.read.max,
        z_shift=MANTISSA_BITS + config.u.fraction - config.z.fraction,
        u_fraction=config.u.fraction,
        rsqrt_bits=config.formats.rsqrt_bits,
        reciprocal_bits=config.formats.reciprocal_bits,
        error_fraction=config.e.fraction,
        align=config.read.fraction - config.z.fraction,
        one=np.array([1]),
        by_sample=kind.by_sample,
        rows=kind.rows(config),
        **_hsic(config),
        e_max=config.e.max,
        var_min=VAR_MIN,
        root_half=ROOT_HALF,
        exp_step=tables.EXP_STEP,
        exp=tables.exp_table(config.formats.exp_bits, width),
        reciprocal=tables.reciprocal_table(config.formats.reciprocal_bits, width),
        rsqrt=tables.rsqrt_table(config.formats.rsqrt_bits, MANTISSA_BITS),
        projected=kind.projected,
        reservoirs=_reservoirs(config),
    )


def _hsic(config: CoreConfig) -> dict:
    """Constants of the HSIC modulator, of a default one where it is another."""
    if config.modulator.family != "hsic":
        config = CoreConfig.of((1, 2, 2), modulator__kind="hsic")
    return {
        "label_term": hsic.label_term(config),
        "coefficient_shift": hsic.coefficient_shift(config),
        "input_scale": hsic.input_scale(config),
        "activation_scale": hsic.activation_scale(config),
    }


def _reservoirs(config: CoreConfig) -> Reservoirs:
    """Constants of the reservoir memory; without tables where it is another one."""
    used = config.memory.projected
    if not used:
        config = CoreConfig.of((1, 2, 2), memory__kind="reservoir")
    reservoir = reservoir_memory.reservoir_config(config)
    exact = config.reservoir.decoder == "exact"
    made = connections(reservoir)
    weights = np.empty((0, 0), np.int64)
    if used and not exact:
        weights = decoder_weights(config)
    factors, shifts = zip(
        *(reservoir_memory.jacobian_factor(config, n) for n in config.hidden), strict=True
    )
    bits = reservoir_memory.EXACT_BITS if exact else config.stored.width
    return Reservoirs(
        by_error=config.memory.gating == "error",
        exact=exact,
        down_shifts=np.array([reservoir_memory.down_shift(n) for n in config.hidden]),
        similarity_shift=reservoir_memory.similarity_shift(config),
        pull_shift=config.read.fraction + reservoir_memory.up_shift(config),
        jacobian_factors=np.array(factors),
        jacobian_shifts=np.array(shifts),
        sources=np.ascontiguousarray(made.sources.T),
        signs=np.ascontiguousarray(made.signs.T) * reservoir.coupling,
        inputs=np.ascontiguousarray(made.inputs),
        weights=np.ascontiguousarray(weights),
        granule=GRANULE,
        keep=(1 << reservoir.shift) - (1 << (reservoir.shift - reservoir.leak)),
        tap_shift=reservoir.tap_shift,
        input_shift=reservoir.input_shift,
        shift=reservoir.shift,
        state_max=reservoir.state.max,
        decode_shift=reservoir_memory.decode_shift(config),
        decoded_max=(1 << (config.stored.width - 1)) - 1,
        thresholds=unit_thresholds(config.memory.projection, bits),
        horizon=config.memory.horizon,
        exact_fraction=reservoir_memory.EXACT_FRACTION,
    )
