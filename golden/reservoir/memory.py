"""The reservoir as working memory: class memories decoded from a reservoir's state.

Each hidden layer has a reservoir of its own. Activations are projected to d numbers by random +-1
codes B (shape (d, units), made by the start program like the codes of other memories); everything
of the class memory happens there::

    q_j   = 2**-s sum_i B_ji z_i                      s = log2 sqrt(units), rounded down
    in_cj = [c = y] q_j        gating "class": only the block of the sample's class
          = -e_c q_j           gating "error"
    r     <- reservoir(r, in)                                      `hebbware.golden.reservoir.cell`
    M     = W_o r              shape (classes, d); trained: `hebbware.golden.reservoir.decoder`
    E_c   = M_c * 2**-g_c      g_c = round(log2 rms(M_c))
    k_c   = (1/d) sum_j q_j E_cj ,  e = softmax(beta k) - onehot(y)
    v_j   = 2**-a sum_c e_c E_cj                                   a = log2 sqrt(d), rounded up
    xi_i  = s2 * (sum_j B_ji v_j - z_i J),   J = (1/m) sum_i z_i sum_j B_ji v_j
                                               = 2**(s - a) (d / m) sum_c e_c k_c

J takes out of the back-projection what LayerNorm's Jacobian takes out; it follows from the
similarities alone. E is that of the state before the sample; the state takes the sample in after.
"""

from functools import lru_cache

import numpy as np

from ..arithmetic.fixed import Format, Rounding, saturate, shift_round
from ..errors import InputError
from ..layers.normalise import reciprocal_of_size, unit_thresholds
from .cell import ReservoirConfig

GATINGS = ("class", "error")
CONTROLS = ("shuffled", "zero", "exact")
DECODERS = ("ridge", *CONTROLS)
RHO = 0.5
WEIGHT_BITS = 8  # of the decoder; -1 .. 1
INTEGER_BITS = 8  # of a decoded number, sign included
EXACT_BITS = 48  # of the exact memory, a control of studies
EXACT_FRACTION = 8  # fraction bits of the exact memory beyond those of its input


def check(config):
    """Raise InputError for fields of a reservoir memory that cannot be."""
    d = config.memory.projection
    if d * config.classes > 1024:
        raise InputError(
            f"memory.projection x classes must be at most 1024 inputs of the reservoir, "
            f"not {d} x {config.classes}"
        )
    if config.read.width < config.read.fraction + 2:
        raise InputError(
            "memory.read_bits must be at least memory.read_fraction + 2 so that a code of +-1 can "
            f"be read, not {config.read.width}"
        )
    if config.stored.width < INTEGER_BITS + 2:
        raise InputError(
            f"memory.bits must be at least {INTEGER_BITS + 2} for decoded numbers, "
            f"not {config.stored.width}"
        )
    reservoir_config(config)


@lru_cache(maxsize=64)
def reservoir_config(config) -> ReservoirConfig:
    """The reservoir of each hidden layer."""
    by_error = config.memory.gating == "error"
    return ReservoirConfig(
        units=config.reservoir.units,
        lanes=config.reservoir.lanes,
        inputs=config.classes * config.memory.projection,
        topology=config.reservoir.topology,
        state_bits=config.reservoir.bits,
        rounding=Rounding.STOCHASTIC,
        leak=config.memory.horizon,
        rho=RHO,
        gain=config.reservoir.gain,
        input_bits=config.z.width + (config.e.fraction + 1 if by_error else 0),
        input_fraction=config.z.fraction + (config.e.fraction if by_error else 0),
        output="readout",
        outputs=config.classes * config.memory.projection,
        weight_bits=WEIGHT_BITS,
        weight_fraction=WEIGHT_BITS - 1,
        output_bits=config.stored.width,
        output_fraction=config.stored.width - INTEGER_BITS,
        seed=config.reservoir.seed,
    )


def reservoir_inputs(config) -> int:
    """Inputs that a step of the hardware walks; the others are zero."""
    return config.memory.projection * (config.classes if config.memory.gating == "error" else 1)


# -- arithmetic ------------------------------------------------------------------------------------


def down_shift(units: int) -> int:
    """s: brings a projection of unit activations to unit size, ``2**s <= sqrt(units)``."""
    return (units.bit_length() - 1) // 2


def up_shift(config) -> int:
    """a: the same for the way back, ``2**a >= sqrt(d)``."""
    return config.memory.projection.bit_length() // 2


def project(config, codes: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Projected activations q (raw z), shape (d,); `codes` is B."""
    return saturate(shift_round(codes.astype(np.int64) @ z, down_shift(z.size)), config.z)


def similarity_shift(config) -> int:
    """Shift from ``sum_j q_j E_cj`` to ``k_c``."""
    return (
        config.memory.projection.bit_length()
        - 1
        + config.z.fraction
        + config.read.fraction
        - config.e.fraction
    )


def similarities(config, q: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Similarities k (raw k) of q and E, shape (classes, d)."""
    return saturate(shift_round(read @ q, similarity_shift(config)), config.k)


def pull(config, error: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Where the errors pull: v (raw k), shape (d,), before it is projected back."""
    return saturate(shift_round(error @ read, config.read.fraction + up_shift(config)), config.k)


def jacobian_factor(config, units: int) -> tuple[int, int]:
    """Constants (factor, shift) from ``sum_c e_c k_c`` to J."""
    factor, shift = reciprocal_of_size(units)
    up = down_shift(units) - up_shift(config) + config.memory.projection.bit_length() - 1
    return factor, shift - up


def jacobian(config, units: int, weighted: int) -> int:
    """J (raw k) from the errors' sum with the similarities."""
    factor, shift = jacobian_factor(config, units)
    return int(saturate(shift_round(int(weighted) * factor, shift), config.k))


def words(config, q: np.ndarray, error: np.ndarray, label: int) -> np.ndarray:
    """The reservoir's input (raw), shape (classes * d,)."""
    gate = -error if config.memory.gating == "error" else np.arange(config.classes) == label
    return np.multiply.outer(gate.astype(np.int64), q).ravel()


def decode_shift(config) -> int:
    """Shift from ``W_o r`` to M."""
    reservoir = reservoir_config(config)
    return reservoir.weight.fraction + reservoir.state.fraction - reservoir.output_fraction


def decode(config, weights: np.ndarray, r: np.ndarray) -> np.ndarray:
    """M (raw, `memory.bits`), shape (classes, d); `weights` is W_o, shape (classes * d, R)."""
    decoded = saturate(
        shift_round(weights @ r, decode_shift(config)), Format(config.stored.width, 0)
    )
    return decoded.reshape(config.classes, config.memory.projection)


def unit_scale(config, memory: np.ndarray, bits: int) -> np.ndarray:
    """E (raw read format) from M, whose numbers have so many bits, row by row."""
    gains = np.searchsorted(
        unit_thresholds(memory.shape[-1], bits), np.abs(memory).sum(axis=1), side="right"
    )
    return saturate(shift_round(memory, gains[:, None] - config.read.fraction), config.read)
