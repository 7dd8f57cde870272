"""How fast a board learned end to end, beside what its line and its core could do."""

from dataclasses import dataclass

import numpy as np

from ...golden.config import CoreConfig
from ...golden.estimate import estimate, ticks
from ..protocol import passes_runs

FRAME = 10  # bits of the line for a byte
PIECE = 4  # inputs that are not 0 of a control byte of packed samples, about: MNIST and digits


@dataclass(frozen=True)
class Figures:
    """Of a run that learned: from the first byte to the last result.

    Attributes
    ----------
    samples : int
    seconds : float
        By the board's clock where the board is simulated in step, else by the host's.
    bytes_sent : int
        To the board; 0 where the samples were in its memory.
    baud : int
        Of the line.
    clock : int
        Of the board in Hz.
    core_clocks : int
        Clocks that the core takes for a sample by itself.
    """

    samples: int
    seconds: float
    bytes_sent: int
    baud: int
    clock: int
    core_clocks: int

    @property
    def samples_per_second(self) -> float:
        """End to end."""
        return self.samples / self.seconds

    @property
    def bytes_per_sample(self) -> float:
        """Of the line, to the board, framing included."""
        return self.bytes_sent / self.samples

    @property
    def line_share(self) -> float:
        """How much of the time bytes went to the board."""
        return self.bytes_sent * FRAME / self.baud / self.seconds

    @property
    def core_samples_per_second(self) -> float:
        """What the core does by itself."""
        return self.clock / self.core_clocks

    @property
    def core_share(self) -> float:
        """What comes out end to end of what the core does by itself."""
        return self.samples * self.core_clocks / self.seconds / self.clock if self.clock else 0.0

    def to_dict(self) -> dict[str, float]:
        """All of them, for JSON."""
        names = (
            "samples_per_second", "bytes_per_sample", "line_share", "core_samples_per_second",
            "core_share",
        )  # fmt: skip
        return {**vars(self), **{name: getattr(self, name) for name in names}}

    def __str__(self) -> str:
        parts = [f"{self.samples_per_second:,.0f} samples/s end to end"]
        if self.bytes_sent:
            parts.append(f"{self.bytes_per_sample:.1f} bytes a sample")
            parts.append(f"{self.line_share:.1%} of the line's time used")
        if self.clock:
            own = f"{self.core_samples_per_second:,.0f} at {self.clock / 1e6:.1f} MHz"
            parts.append(f"{self.core_share:.1%} of the core's {own}")
        return ", ".join(parts)


def core_clocks(config: CoreConfig, x: np.ndarray) -> int:
    """Clocks that the core takes to learn a sample of so many non-zero inputs as these have on
    average.

    `x` holds raw inputs, int array (n, inputs), or (n, ticks, inputs) of sequences.
    """
    nonzero = round(float((np.asarray(x) != config.x_zero).sum(-1).mean()))
    of = ticks.clocks_per_sequence if config.recurrent else estimate.clocks_per_sample
    return of(config, nonzero)


def unpacked(config: CoreConfig, nonzero: float, controls: float) -> float:
    """Clocks in which `hebbware.boards.link.unpacker.Unpacker` passes on a sample of so many inputs
    other than 0 and control bytes: an input in each, or where zeros are runs one for each byte of
    the others, for the label, and about one for the last zeros.
    """
    if passes_runs(config):
        return nonzero + controls + 3
    return config.inputs + 1 + controls


def expected(board, config, clock_hz: float, clocks: int, nonzero: int) -> dict[str, float | None]:
    """About how many samples a second come out of a board end to end.

    Parameters
    ----------
    board : Board
    config : CoreConfig
    clock_hz : float
        Of the core.
    clocks : int
        That the core takes for a sample, or a sequence.
    nonzero : int
        Inputs of a sample, or of a tick, that are not 0.

    Returns
    -------
    dict
        ``line``: over the serial line at its fastest, which is full; ``memory``: from the board's
        memory for samples, None where it has none.
    """
    own, controls = clock_hz / clocks, nonzero / PIECE
    ticks = config.neuron.ticks if config.recurrent else 1
    size = ticks * (nonzero + controls + 3)  # an end, a label, framing
    found = {"line": min(own, (board.fast or board.baud) / FRAME / size), "memory": None}
    if (board.memory or board.chip) and not config.recurrent:
        found["memory"] = min(own, clock_hz / unpacked(config, nonzero, controls))
    return found
