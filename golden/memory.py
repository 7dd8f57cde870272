"""Working memories: where the class memories ``M_c`` that the modulator reads come from.

A memory kind says how ``M_c`` (shape ``(classes, units)``, raw integers of ``memory_bits``) changes
with each learned sample, and how it is brought to the unit scale of the read format:
``E_c = sat(M_c * 2**-shift_c + kappa * code_c)``.

A change is a list of `Write`: read-modify-write steps on one row each, which golden carries out and
the RTL walks. Adding a kind is adding a class here and its row to `KINDS`.
"""

from typing import NamedTuple

from . import reservoir_memory
from .errors import InputError

STORED_FRACTION = 3  # gated memories keep e * z with 3 fraction bits


class Write(NamedTuple):
    """One three-factor step ``M_row += floor((-M_row * leak - scalar * z + random) / 2**S)``.

    ``S`` is the configuration's ``update_shift``; `scalar` and the leak are scaled to it.

    Parameters
    ----------
    row : int
        Class.
    scalar : int
        Multiplies the activation; carries the sign and the step.
    age : int
        Which activation: 0 is the sample at hand, n the one learned n samples ago.
    """

    row: int
    scalar: int
    age: int = 0


class Memory:
    """What a kind must say, to golden and the RTL. Functions take the configuration first.

    `reads` names the fields of the configuration that this kind reads and some other does not; see
    `hebbware.golden.fields`.
    """

    reads: tuple[str, ...] = ()
    row = "class"  # what a row of it is
    written = True  # learning writes the class memory at all
    by_error = False  # every class is written, in proportion to its error; else the sample's alone
    windowed = False  # what the sample of ``window`` samples ago wrote is taken out again
    leaks = False  # rows forget by 2**-horizon at each write
    self_scaling = False  # the read shift follows the size of the row
    stochastic = True  # rounding of the write; False: the writes are exact in integers
    by_sample = False  # rows are samples of the window, not classes, and the newest replaces one
    modulator = "class-memory"  # which one reads it
    projected = False  # rows are codes that project activations; the memory itself is a reservoir

    @staticmethod
    def check(config):
        """Raise InputError for fields that do not fit this kind."""

    @staticmethod
    def horizon(config) -> int:
        """`horizon` where none is given."""
        return 12

    @staticmethod
    def fixed(config) -> dict[str, float]:
        """Fields that are not free with this kind, and what they are then."""
        return {}

    @staticmethod
    def rows(config) -> int:
        """Rows of each hidden layer's memory."""
        return config.classes

    @classmethod
    def shift(cls, config) -> int:
        """Smallest update shift that the writes need."""
        return config.horizon if cls.leaks else 0

    @staticmethod
    def read_shift(config) -> int:
        """Constant right shift from M to the read format (self-scaling kinds find their own)."""
        return 0

    @classmethod
    def scale(cls, config) -> int:
        """Left shift of the error, or of 1, that multiplies the activation, to update units."""
        return config.update_shift

    @classmethod
    def writes(cls, config, label: int, errors, oldest: int | None) -> list[Write]:
        """Writes after a sample of class `label` whose softmax errors are `errors` (raw).

        `oldest` is the label learned ``window`` samples ago, None if there is none yet. Where rows
        are samples, `label` is the row of the newest.
        """
        if not cls.written:
            return []
        if cls.by_error:
            return [Write(c, e << cls.scale(config)) for c, e in enumerate(errors.tolist())]
        one = 1 << cls.scale(config)
        forget = (
            [Write(oldest, one, age=config.window)] if cls.windowed and oldest is not None else []
        )
        return [*forget, Write(label, -one)]


class Gated(Memory):
    """Error-gated sums: ``M_c <- M_c - 2**-l M_c - e_c z``, keeping what was surprising."""

    reads = ("memory_bits", "read_bits", "read_fraction", "beta_log2", "horizon")
    by_error = True
    leaks = True
    self_scaling = True

    @staticmethod
    def gain(config) -> int:
        """Right shift that brings error x activation to the stored fraction bits."""
        return config.error_fraction + config.z_fraction - STORED_FRACTION

    @classmethod
    def shift(cls, config):
        return max(config.horizon, cls.gain(config))

    @classmethod
    def scale(cls, config):
        return config.update_shift - cls.gain(config)


class Trace(Memory):
    """Leaky class means: ``M_y <- M_y + 2**-l (z - M_y)``, stored with l extra fraction bits."""

    reads = ("memory_bits", "read_bits", "read_fraction", "beta_log2", "horizon", "kappa")
    leaks = True

    @staticmethod
    def horizon(config):
        return max(min(12, config.memory_bits - config.z_bits), 1)

    @staticmethod
    def check(config):
        room = config.memory_bits - config.z_bits
        if config.horizon > room:
            raise InputError(
                f"horizon must be at most memory_bits - z_bits = {room} for the trace memory, "
                f"not {config.horizon}"
            )

    @staticmethod
    def read_shift(config):
        return config.z_fraction + config.horizon - config.read_fraction


class Window(Memory):
    """Sums over the last N samples: ``M_y += z``, ``M_yold -= z_old``; read as ``8 / N * M``."""

    reads = ("memory_bits", "read_bits", "read_fraction", "beta_log2", "window", "kappa")
    stochastic = False
    windowed = True

    @staticmethod
    def check(config):
        if config.window << (config.z_bits - 1) > 1 << (config.memory_bits - 1):
            most = 2.0 ** (config.memory_bits - config.z_bits)
            raise InputError(
                f"window must be at most 2**(memory_bits - z_bits) = {most:g} "
                f"so that its sums are exact, not {config.window}"
            )

    @staticmethod
    def read_shift(config):
        return config.z_fraction + config.window.bit_length() - 1 - 3 - config.read_fraction


class Codes(Memory):
    """No memory: fixed random +-1 codes (direct random target projection). A control."""

    reads = ("read_bits", "read_fraction", "beta_log2", "kappa")
    written = False


class Reservoir(Memory):
    """Decoded from the state of a reservoir: see `hebbware.golden.reservoir_memory`.

    The rows are the random codes of the projection; learning writes none of them.
    """

    reads = (
        *("memory_bits", "read_bits", "read_fraction", "beta_log2", "horizon", "projection"),
        *("gating", "reservoir_units", "reservoir_bits", "reservoir_topology", "reservoir_gain"),
        *("reservoir_lanes", "reservoir_seed", "readout"),
    )
    row = "projected number"
    written = False
    projected = True

    @staticmethod
    def horizon(config):
        return 6  # a longer one is more than the decoder of so small a reservoir can tell

    @staticmethod
    def fixed(config):
        return {"kappa": 1.0}  # the codes are all that is read

    check = staticmethod(reservoir_memory.check)

    @staticmethod
    def rows(config):
        return config.projection


class Frozen(Memory):
    """No modulator: hidden layers keep their start weights. A control."""

    written = False
    coded = False

    @staticmethod
    def fixed(config):
        # nothing is read, and the datapath is no wider than the activations need
        return {"read_bits": config.z_bits, "read_fraction": config.z_fraction}


class Samples(Memory):
    """The last N samples' activations themselves, ``M_slot <- z``: see `hebbware.golden.hsic`."""

    reads = ("window", "gamma", "sigmas")
    row = "sample"
    stochastic = False
    by_sample = True
    modulator = "hsic"

    @staticmethod
    def fixed(config):
        # rows are read as they are stored, which is what the activations were
        return {
            "memory_bits": config.z_bits,
            "read_bits": config.z_bits,
            "read_fraction": config.z_fraction,
        }

    @staticmethod
    def rows(config):
        return config.window

    @classmethod
    def scale(cls, config):
        return 0  # the activation is written as it is


KINDS: dict[str, type[Memory]] = {
    "gated": Gated,
    "window": Window,
    "trace": Trace,
    "codes": Codes,
    "none": Frozen,
    "samples": Samples,
    "reservoir": Reservoir,
}
