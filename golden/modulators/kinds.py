"""What hidden layers learn by. Each is a table of the configuration."""

from dataclasses import dataclass
from typing import ClassVar

from ..settings.tables import Table, numbers, real, whole
from . import hsic


@dataclass(frozen=True, kw_only=True)
class Modulator(Table):
    """Base of all kinds."""

    table = "modulator"
    family: ClassVar[str]  # kind under which memories name those that can read them
    learns: ClassVar[bool] = True  # hidden layers learn at all
    layers: ClassVar[tuple[str, ...]] = ("dense",)  # kinds of hidden layers that learn by it
    borrows: ClassVar[str | None] = None  # the memory that it has, where that is another family's
    beta_log2: ClassVar[int] = 4  # where it is no field, the width of the softmax follows it

    def check(self, config):
        """Raise InputError for fields that do not fit `config`."""

    @classmethod
    def fits(cls, memory) -> bool:
        """Whether it can have a memory of that class, or that memory."""
        return memory.kind == cls.borrows if cls.borrows else memory.modulator == cls.family

    @classmethod
    def usual(cls, memories):
        """The first memory of these classes that it can have."""
        return next(memory for memory in memories if cls.fits(memory))

    def rule(self, config) -> str:
        """What hidden layers learn by, in words."""
        return config.memory.rule

    def read_format(self, config):
        """Format of what errors are brought back by."""
        return config.memory.read_format(config)


@dataclass(frozen=True, kw_only=True)
class ClassMemory(Modulator):
    """Softmax errors of the similarities to class memories:
    `hebbware.golden.modulators.class_memory`.

    Parameters
    ----------
    beta_log2 : int
        log2 of the softmax gain on similarities, 0..8.
    """

    kind = family = "class-memory"
    layers = ("dense", "conv")
    beta_log2: int = whole(4, 0, 8)


@dataclass(frozen=True, kw_only=True)
class Hsic(Modulator):
    """HSIC with RBF kernels over the samples of a window: `hebbware.golden.modulators.hsic`.

    Parameters
    ----------
    gamma : float
        Weight of what a layer tells of the labels against what it tells of the inputs, 0..16.
    sigmas : three floats
        Kernel widths of inputs (0..1; centred -1..1), labels (one-hot) and normalised activations.
    """

    kind = family = "hsic"
    gamma: float = real(2.0, 0, 16)
    sigmas: tuple[float, ...] = numbers((0.25, 0.1, 1.0), 0, 1000, float)

    def check(self, config):
        hsic.check(config)


@dataclass(frozen=True, kw_only=True)
class Nothing(Modulator):
    """Hidden layers keep their start weights."""

    kind = family = "none"
    learns = False
    layers = ("dense", "conv", "recurrent")


@dataclass(frozen=True, kw_only=True)
class Symmetric(Modulator):
    """The readout's errors through its own weights: `hebbware.golden.modulators.feedback`."""

    kind = family = "symmetric"
    layers = ("recurrent",)
    borrows = "none"

    def rule(self, config):
        return "e-prop, symmetric feedback"

    def read_format(self, config):
        return config.weight


@dataclass(frozen=True, kw_only=True)
class Random(Modulator):
    """The readout's errors through fixed random codes: likewise."""

    kind = family = "random"
    layers = ("recurrent",)
    borrows = "codes"

    def rule(self, config):
        return "e-prop, random feedback"


@dataclass(frozen=True, kw_only=True)
class Surprise(Modulator):
    """The readout's errors through class memories, which hold what was surprising: likewise."""

    kind = family = "surprise"
    layers = ("recurrent",)
    borrows = "gated"

    def rule(self, config):
        return "e-prop, class memory as feedback"


MODULATORS: dict[str, type[Modulator]] = {
    m.kind: m for m in (ClassMemory, Hsic, Nothing, Symmetric, Random, Surprise)
}
