"""What each number of a configuration may be, on its own; how they fit together is checked there.

`hebbware.golden.config` refuses what lies outside, and random configurations are drawn from here.
"""

from .commands import LANE_BITS

WHOLE = {  # smallest and largest whole number
    "lanes": (1, 1 << LANE_BITS),
    "weight_bits": (4, 16),
    "weight_ports": (1, 2),
    "time_steps": (1, 255),
    "slope_shift": (0, 7),
    "x_bits": (1, 8),
    "u_bits": (6, 16),
    "u_fraction": (4, 12),
    "z_bits": (3, 16),
    "z_fraction": (0, 12),
    "d_bits": (2, 16),
    "d_fraction": (0, 14),
    "memory_bits": (4, 18),
    "horizon": (1, 20),
    "read_bits": (2, 16),
    "read_fraction": (0, 14),
    "error_fraction": (6, 14),
    "beta_log2": (0, 8),
    "reservoir_bits": (4, 16),
    "reservoir_gain": (-16, 16),
    "reservoir_seed": (0, 2**32 - 1),
    "step_epochs": (0, 1000),
    "step_extra": (0, 8),
    "exp_bits": (4, 10),
    "reciprocal_bits": (3, 10),
    "rsqrt_bits": (4, 10),
    "seed": (0, 2**32 - 1),
}
ENTRIES = {  # the same for the entries of lists
    "layers": (1, 4096),
    "layers (hidden)": (2, 4096),
    "layers (classes)": (2, 64),
    "leak_shifts": (1, 8),
    "steps": (0, 20),
}
POWERS = {  # powers of two only
    "window": (2, 256),
    "projection": (2, 64),
    "reservoir_units": (16, 512),
    "reservoir_lanes": (1, 16),
}
REAL = {  # any number; sigmas must be above the smallest
    "gamma": (0, 16),
    "sigmas": (0, 1000),
    "kappa": (0, 1),
    "init_std": (0, 1),
}


def is_power(name: str, value: int) -> bool:
    """Whether `value` is a power of two in the range of the field `name` of `POWERS`."""
    low, high = POWERS[name]
    return low <= value <= high and value & (value - 1) == 0
