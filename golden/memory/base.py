"""Working memories: where the class memories ``M_c`` that the modulator reads come from.

A memory is a table of the configuration, and says how ``M_c`` (shape ``(classes, units)``, raw
integers) changes with each learned sample, and how it is brought to the unit scale of the read
format: ``E_c = sat(M_c * 2**-shift_c + kappa * code_c)``.

A change is a list of `Write`: read-modify-write steps on one row each, which golden carries out and
the RTL walks. A new memory is a module in this folder and its row in `MEMORIES`.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from ..arithmetic.fixed import Format
from ..errors import InputError
from ..settings.tables import Table, whole


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


@dataclass(frozen=True, kw_only=True)
class Memory(Table):
    """What a memory must say, to golden and the RTL; here of one without numbers of its own."""

    table = "memory"
    row: ClassVar[str] = "class"  # what a row of it is
    written: ClassVar[bool] = True  # learning writes the class memory at all
    by_error: ClassVar[bool] = False  # every class is written, times its error; else the sample's
    windowed: ClassVar[bool] = False  # what the sample of ``window`` samples ago wrote goes again
    leaks: ClassVar[bool] = False  # rows forget by 2**-horizon at each write
    self_scaling: ClassVar[bool] = False  # the read shift follows the size of the row
    stochastic: ClassVar[bool] = True  # rounding of the write; False: it is exact in integers
    by_sample: ClassVar[bool] = False  # rows are samples of the window, the newest replaces one
    modulator: ClassVar[str] = "class-memory"  # family of those that read it
    projected: ClassVar[bool] = False  # rows are codes that project; the memory is a reservoir
    # of memories that do not have the field
    kappa: ClassVar[float] = 0.0
    horizon: ClassVar[int] = 0
    window: ClassVar[int] = 1
    projection: ClassVar[int] = 0

    @classmethod
    def remembers_maps(cls) -> bool:
        """Whether it can be that of a convolution."""
        return not (cls.windowed or cls.by_sample or cls.projected)

    @property
    def rule(self) -> str:
        """What hidden layers learn by, in words."""
        return f"{self.kind} memory"

    def completed(self, config) -> Self:
        """The memory with the values that follow from `config` where none is given."""
        return self

    def check(self, config):
        """Raise InputError for fields that do not fit this kind."""

    def rows(self, config) -> int:
        """Rows of each hidden layer's memory."""
        return config.classes

    def read_format(self, config) -> Format:
        """Entries as they are read."""
        return config.z

    def stored_format(self, config) -> Format:
        """Entries as they are stored, integers."""
        return Format(16, 0)

    def shift(self, config) -> int:
        """Smallest update shift that the writes need."""
        return self.horizon if self.leaks else 0

    def read_shift(self, config) -> int:
        """Constant right shift from M to the read format (self-scaling kinds find their own)."""
        return 0

    def scale(self, config) -> int:
        """Left shift of the error, or of 1, that multiplies the activation, to update units."""
        return config.update_shift

    def writes(self, config, label: int, errors, oldest: int | None) -> list[Write]:
        """Writes after a sample of class `label` whose softmax errors are `errors` (raw).

        `oldest` is the label learned ``window`` samples ago, None if there is none yet. Where rows
        are samples, `label` is the row of the newest.
        """
        if not self.written:
            return []
        if self.by_error:
            return [Write(c, e << self.scale(config)) for c, e in enumerate(errors.tolist())]
        one = 1 << self.scale(config)
        forget = (
            [Write(oldest, one, age=self.window)] if self.windowed and oldest is not None else []
        )
        return [*forget, Write(label, -one)]


@dataclass(frozen=True, kw_only=True)
class Read(Memory):
    """Base of those that are read in a format of their own.

    Parameters
    ----------
    read_bits, read_fraction : int
        Format of the class memory as read in products.
    """

    read_bits: int = whole(8, 2, 16)
    read_fraction: int = whole(6, 0, 14)

    def read_format(self, config):
        return Format(self.read_bits, self.read_fraction)

    def check(self, config):
        if self.read_fraction > self.read_bits - 1:
            raise InputError(
                "memory.read_fraction must leave the sign outside: at most memory.read_bits - 1 = "
                f"{self.read_bits - 1}, not {self.read_fraction}"
            )
        # the Jacobian's term is added to what is read; of a recurrent layer there is none
        if self.read_fraction < config.z.fraction and not config.recurrent:
            raise InputError(
                f"memory.read_fraction must be at least formats.z_fraction = {config.z.fraction}, "
                f"not {self.read_fraction}"
            )
        scaled = self.kappa * (1 << self.read_fraction)
        if scaled != int(scaled):
            raise InputError(
                f"memory.kappa must be a multiple of {2.0**-self.read_fraction} "
                f"(one step of the read format), not {self.kappa!r}"
            )


@dataclass(frozen=True, kw_only=True)
class Stored(Read):
    """Base of those that store integers.

    Parameters
    ----------
    bits : int
        Width of a stored entry, 4..18.
    """

    bits: int = whole(16, 4, 18)

    def stored_format(self, config):
        return Format(self.bits, 0)
