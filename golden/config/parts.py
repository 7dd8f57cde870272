"""Tables that come in one kind: formats, inputs, the weight update."""

from dataclasses import dataclass
from math import prod

from ..arithmetic.fixed import Rounding
from ..errors import InputError
from ..settings.tables import Table, choice, flag, numbers, whole


@dataclass(frozen=True, kw_only=True)
class Input(Table):
    """What comes in.

    Parameters
    ----------
    size : int
        Number of inputs, 1..4096; follows from `shape` where that is given.
    shape : tuple of int, optional
        Rows, columns and channels of an image whose numbers are the inputs, channel by channel
        within a column, column by column within a row. Convolutions need it.
    bits : int
        Of an input, 1..8, unsigned: 0..1.
    centred : bool
        Inputs are read as ``2 x - 1`` (-1..1) in the place of x (0..1).
    runs : bool
        A word of the sample stream may stand for several inputs that are 0, see
        `hebbware.golden.data.words`.
    """

    table = "input"
    size: int | None = whole(None, 1, 4096)
    shape: tuple[int, ...] | None = numbers(None, 1, 4096)
    bits: int = whole(8, 1, 8)
    centred: bool = flag(False)
    runs: bool = flag(False)

    def __post_init__(self):
        super().__post_init__()
        self._check_shape()
        if self.centred and self.bits < 2:
            raise InputError("input.bits must be at least 2 where they are centred, not 1")

    def check(self, config):
        """Raise InputError where the core of `config` must see every input for itself."""
        if not self.runs:
            return
        first = config.layer[0].kind
        if first != "dense":
            raise InputError(f"input.runs must be false where layer.kind is {first!r}")
        if config.modulator.family == "hsic":
            raise InputError(
                f"input.runs must be false where modulator.kind is {config.modulator.kind!r}"
            )

    def _check_shape(self):
        if self.shape is None:
            object.__setattr__(self, "size", self.size or 1)
            return
        if len(self.shape) != 3:
            raise InputError(
                f"input.shape must be rows, columns and channels, not {list(self.shape)!r}"
            )
        size = prod(self.shape)
        if size > 4096 or self.size not in (None, size):
            rule = "at most 4096" if size > 4096 else f"input.size = {self.size}"
            raise InputError(
                f"input.shape must be of {rule} numbers, not of {size}: {list(self.shape)!r}"
            )
        object.__setattr__(self, "size", size)


@dataclass(frozen=True, kw_only=True)
class Formats(Table):
    """Number formats and sizes of tables.

    Parameters
    ----------
    weight_bits : int
        Width of a weight, 4..16; weights span -2..2.
    u_bits, u_fraction, z_bits, z_fraction, d_bits, d_fraction : int
        Of sums, normalised activations, update directions.
    error_fraction : int
        Fraction bits of similarities, probabilities and errors.
    exp_bits, reciprocal_bits, rsqrt_bits : int
        log2 of the number of entries of each table.
    """

    table = "formats"
    weight_bits: int = whole(12, 4, 16)
    u_bits: int = whole(16, 6, 16)
    u_fraction: int = whole(8, 4, 12)
    z_bits: int = whole(8, 3, 16)
    z_fraction: int = whole(4, 0, 12)
    d_bits: int = whole(8, 2, 16)
    d_fraction: int = whole(6, 0, 14)
    error_fraction: int = whole(10, 6, 14)
    exp_bits: int = whole(7, 4, 10)
    reciprocal_bits: int = whole(6, 3, 10)
    rsqrt_bits: int = whole(6, 4, 10)

    def __post_init__(self):
        super().__post_init__()
        for name in ("u", "z", "d"):
            bits, fraction = getattr(self, f"{name}_bits"), getattr(self, f"{name}_fraction")
            if fraction > bits - 1:
                raise InputError(
                    f"formats.{name}_fraction must leave the sign outside: at most "
                    f"formats.{name}_bits - 1 = {bits - 1}, not {fraction}"
                )


@dataclass(frozen=True, kw_only=True)
class Update(Table):
    """The weight update.

    Parameters
    ----------
    rounding : Rounding
    halve_every : int
        Epochs after which every rate is halved again; 0 keeps the rates.
    halvings : int
        Largest number of halvings, 0..8.
    overlap : bool
        A second multiplier in each lane updates weights beside the next sample's passes: fewer
        clocks a sample, the same numbers. See `hebbware.golden.program.overlap`.
    """

    table = "update"
    rounding: Rounding = choice(Rounding.STOCHASTIC, Rounding)
    halve_every: int = whole(1, 0, 1000)
    halvings: int = whole(4, 0, 8)
    overlap: bool = flag(False)

    @staticmethod
    def fits(memory, modulator) -> bool:
        """Whether updates can be walked beside other passes with these, or with such kinds."""
        kept = memory.windowed or memory.by_sample or memory.projected
        return modulator.learns and not kept

    def check(self, config):
        """Raise InputError where updates cannot be walked beside the other passes of `config`."""
        if not self.overlap:
            return
        if any(layer.kind != "dense" for layer in config.layer[:-1]):
            raise InputError("update.overlap must be false where a hidden layer is not dense")
        if config.weight_ports == 1:
            raise InputError("update.overlap must be false where weight_ports is 1")
        kind = config.memory
        if not self.fits(kind, config.modulator):
            raise InputError(
                f"update.overlap must be false where memory.kind is {kind.kind!r}: "
                "what it keeps of a sample is gone before updates end"
                if config.learns_hidden
                else f"update.overlap must be false where modulator.kind is "
                f"{config.modulator.kind!r}: hidden layers do not learn"
            )
