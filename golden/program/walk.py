"""What a pass is: the rows it walks, in which order, and what each of its steps does.

Sequencer, schedule, plain core, common operand and the groups of steps in `hebbware.hdl` are made
from these values; none of them has a list of kinds of its own. A new kind is one member of `Kind`
and a constructor beside those in `hebbware.golden.program.passes`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np


class Rows(StrEnum):
    """Rows that a pass walks."""

    ALL = "all"
    INPUTS = "inputs"  # the inputs that are not zero, then the bias
    ERRORS = "errors"  # those whose error is not zero, then the Jacobian's, or an empty one
    LABEL = "label"  # the one of the sample's class, or its slot in the window
    OLDEST = "oldest"  # the one of the sample that leaves the window; none until it is full
    SPIKES = "spikes"  # the units that spiked in the tick before, then one that adds nothing
    TRACED = "traced"  # all, but where a trace is zero the one after it alone, for both


class Store(StrEnum):
    """What passes read and write."""

    WEIGHTS = "weights"
    MEMORY = "memory"  # class memory
    A = "a"  # activations before normalisation,
    Z = "z"  # and after it
    D = "d"  # directions
    MAP = "map"  # of a convolution: z averaged over squares, which the next layer reads,
    CELLS = "cells"  # and over the cells of a grid, which the class memory sees
    TRACES = "traces"  # of the inputs (layer 0) and of the units' spikes (layer 1)
    # filled by what takes the totals of a pass, see `Then`
    RESULTS = "results"
    ERRORS = "errors"  # of the softmax, or coefficients
    KERNELS = "kernels"
    DECODED = "decoded"  # class memories decoded from a reservoir


class Own(StrEnum):
    """The operand that each lane has of its own."""

    WEIGHT = "weight"
    READ = "read"  # class memory at unit scale
    Z = "z"
    A = "a"
    D = "d"
    BYTE = "byte"  # of the random word
    TRACE = "trace"  # of sequences: the trace, or what the readout sees, that leaks


class Common(StrEnum):
    """What a lane multiplies its own operand with: a number common to all lanes, or z or a."""

    NONE = "none"
    SOURCE = "source"  # the input, or the activation of the layer below, or 1 for the bias
    PATCH = "patch"  # likewise, a number of the patch at a position: it differs from group to group
    ERROR = "error"
    PULL = "pull"  # errors (or v of a reservoir memory), then the Jacobian
    WRITE = "write"  # the error or minus one, by the kind of memory
    ONE = "one"
    PART = "part"  # one part of an average, in units of what the lanes round
    MANTISSA = "mantissa"  # of the statistics
    START = "start"  # standard deviation of the layer's start weights
    Z = "z"
    A = "a"
    TRACE = "trace"  # of an input, or of a unit's spikes
    SPIKE = "spike"  # 1 where the unit has spiked


class Scale(StrEnum):
    """By which shift the common operand is scaled."""

    NONE = "none"
    SUM = "sum"  # to the one fraction of all layers' sums
    STEP = "step"  # the step size of the layer
    MEMORY = "memory"  # to the units of the class memory's writes


class Skip(StrEnum):
    """When a pass has no steps."""

    NEVER = "never"
    NO_ERRORS = "no errors"  # all errors of its layer are zero
    NO_OLDEST = "no oldest"  # the window is not full yet
    NO_SPIKES = "no spikes"  # no unit spiked in the tick before


class Then(StrEnum):
    """What takes the totals, or the written words, of a pass."""

    NOTHING = "nothing"
    STATISTICS = "statistics"  # mean, mantissa and exponent
    GAINS = "gains"  # of self-scaling memories
    KERNELS = "kernels"  # of the HSIC modulator: the inputs, as they are walked first
    SOFTMAX = "softmax"
    COEFFICIENTS = "coefficients"  # of the HSIC modulator
    PROJECTED = "projected"  # the reservoir memory, then the softmax
    RESULTS = "results"  # and, of a sample with a label, the softmax


@dataclass(frozen=True)
class Walk:
    """How a pass walks rows and blocks of a layer, and what its steps do.

    Parameters
    ----------
    rows : Rows
    count : int
        Rows that there are; `rows` says which of them are walked.
    blocks : int
        Blocks of each row.
    row_inner : bool
        Rows are walked inside a block; else the blocks of a row inside the row.
    pace : int
        Clocks that each step takes; it is issued in the last of them.
    stride : int
        Words from a block to the next one where rows are walked inside a block; 0: `count`.
    positions : int
        Of a convolution: what is said here is walked at so many positions, or groups of positions
        that share a word; or for so many squares or cells, whose positions are the rows then.
    positions_inner : bool
        Positions are walked inside a row; else rows and blocks at a position.
    units : int
        The hidden layer whose units the lanes hold.
    of_units : bool
        Traced rows are those of the units, not of the inputs.
    base : int
        Address of the first word, in the weight memory where that is read or written, else in the
        class memory.
    below : int
        First block of the activations of the layer below; 0 in the first layer.
    own, common, scale
        The operands of a step's products.
    jacobian : bool
        The last row is that of the Jacobian: z itself is the lane's own operand.
    reads, writes : tuple of Store
        Weights and class memories read; what is written: a word at each step, of `Store.A` and
        `Store.D` one for each block.
    total : bool
        Products are summed over the lanes.
    random : bool
        Each step draws a random word.
    leaks : bool
        Each block draws a word of the sequence's own generator, see
        `hebbware.golden.neurons.spiking`.
    sequence : bool
        Of cores whose samples are sequences only.
    maps : bool
        Of cores with convolutions only.
    start : bool
        Belongs to the start program.
    overlaps : bool
        Of cores with `hebbware.golden.config.parts.Update.overlap` only.
    beside : bool
        Walked by the lanes' second multipliers, beside the passes of this sample and the next one.
    chases : bool
        Each part of a block waits until a pass beside has changed its weights.
    settling : bool
        Walked in each time step of a sample; all others in the last one only.
    learn : bool
        Walked for samples with a label only.
    skip : Skip
    then : Then
    clears, clears_learned, clears_first, clears_last : tuple of str
        Names that are not done again once the pass has begun: always, for samples with a label, for
        those in the first time step, in ticks of a sequence after which results are put out.
    """

    rows: Rows = Rows.ALL
    count: int = 1
    blocks: int = 1
    row_inner: bool = False
    pace: int = 1
    stride: int = 0
    positions: int = 1
    positions_inner: bool = False
    units: int = 0
    of_units: bool = False
    base: int = 0
    below: int = 0
    own: Own = Own.WEIGHT
    common: Common = Common.NONE
    scale: Scale = Scale.NONE
    jacobian: bool = False
    reads: tuple[Store, ...] = ()
    writes: tuple[Store, ...] = ()
    total: bool = False
    random: bool = False
    leaks: bool = False
    sequence: bool = False
    maps: bool = False
    start: bool = False
    overlaps: bool = False
    beside: bool = False
    chases: bool = False
    settling: bool = False
    learn: bool = False
    skip: Skip = Skip.NEVER
    then: Then = Then.NOTHING
    clears: tuple[str, ...] = ()
    clears_learned: tuple[str, ...] = ()
    clears_first: tuple[str, ...] = ()
    clears_last: tuple[str, ...] = ()

    def touches(self, store: Store) -> bool:
        """Whether it reads or writes `store`."""
        return store in self.reads or store in self.writes

    def rows_walked(
        self, inputs: int, errors: int, oldest: bool, spikes: int = 0, traced: int = 0
    ) -> int:
        """How many rows it walks for a sample; 0 where it is left out.

        Parameters
        ----------
        inputs : int
            Inputs of the sample that are not zero.
        errors : int
            Errors of the layer that are not zero.
        oldest : bool
            The window is full.
        spikes : int
            Units that spiked in the tick before.
        traced : int
            Rows that are walked of all for their traces.
        """
        if self.skip is Skip.NO_ERRORS and not errors:
            return 0
        if self.skip is Skip.NO_OLDEST and not oldest:
            return 0
        if self.skip is Skip.NO_SPIKES and not spikes:
            return 0
        if self.rows is Rows.TRACED:
            return traced
        if self.rows is Rows.INPUTS:
            return inputs + 1
        if self.rows is Rows.SPIKES:
            return spikes + 1
        if self.rows is Rows.ERRORS:
            return errors + 1
        return self.count if self.rows is Rows.ALL else 1

    def steps(self, rows: int) -> int:
        """Steps of a pass that walks so many rows."""
        return rows * self.blocks * self.positions

    def addresses(self, rows: np.ndarray) -> np.ndarray:
        """Addresses of the words of `rows`, in the order in which they are walked.

        Shape (blocks, rows) where rows are walked inside a block, else (rows, blocks).
        """
        blocks = np.arange(self.blocks)
        if self.row_inner:
            return self.base + blocks[:, None] * (self.stride or self.count) + rows
        return self.base + rows[:, None] * self.blocks + blocks


_W, _M = (Store.WEIGHTS,), (Store.MEMORY,)


class Kind(StrEnum):
    """Kinds of passes, each with what the walks of all passes of this kind have in common.

    ``u = W^T z`` and so on say what a pass computes.
    """

    walk: Walk

    def __new__(cls, name: str, walk: Walk):
        kind = str.__new__(cls, name)
        kind._value_, kind.walk = name, walk
        return kind

    # u = W^T z
    FORWARD = "forward", Walk(
        row_inner=True, common=Common.SOURCE, scale=Scale.SUM, reads=_W, writes=(Store.A,),
        settling=True,
    )  # fmt: skip
    # sum a; sum a^2
    SUM = "sum", Walk(own=Own.A, common=Common.ONE, total=True, settling=True)
    SQUARES = (
        "squares",
        Walk(own=Own.A, common=Common.A, total=True, settling=True, then=Then.STATISTICS),
    )
    # z from a
    NORMALISE = (
        "normalise",
        Walk(own=Own.A, common=Common.MANTISSA, writes=(Store.Z,), settling=True),
    )
    # k_c = z E_c / m; of a reservoir memory q_j = B_j z
    SIMILARITY = (
        "similarity",
        Walk(own=Own.READ, common=Common.Z, reads=_M, total=True, learn=True, then=Then.SOFTMAX),
    )
    # o_c = z W_c
    SCORES = "scores", Walk(common=Common.Z, reads=_W, total=True, then=Then.RESULTS)
    # d from e, E and z; of a reservoir memory from v, B and z
    DIRECTION = "direction", Walk(
        rows=Rows.ERRORS, row_inner=True, own=Own.READ, common=Common.PULL, jacobian=True,
        reads=_M, writes=(Store.D,), learn=True, skip=Skip.NO_ERRORS,
    )  # fmt: skip
    # the window's oldest sample leaves the class memory
    FORGET = "forget", Walk(
        rows=Rows.OLDEST, own=Own.Z, common=Common.ONE, scale=Scale.MEMORY, reads=_M, writes=_M,
        random=True, learn=True, skip=Skip.NO_OLDEST,
    )  # fmt: skip
    # the sample enters it
    MEMORY = "memory", Walk(
        rows=Rows.LABEL, own=Own.Z, common=Common.WRITE, scale=Scale.MEMORY, reads=_M, writes=_M,
        random=True, learn=True,
    )  # fmt: skip
    # W -= z d
    UPDATE = "update", Walk(
        row_inner=True, own=Own.D, common=Common.SOURCE, scale=Scale.STEP, reads=_W, writes=_W,
        random=True, learn=True, skip=Skip.NO_ERRORS,
    )  # fmt: skip
    # W_c -= e_c z
    READOUT = "readout", Walk(
        own=Own.Z, common=Common.ERROR, scale=Scale.STEP, reads=_W, writes=_W,
        random=True, learn=True, skip=Skip.NO_ERRORS,
    )  # fmt: skip
    # updates may begin beside what follows
    HANDOVER = "handover", Walk(learn=True, overlaps=True)
    # -- of convolutions; their other passes are those above, at all positions --
    # u = W^T patch
    CONVOLVE = "convolve", Walk(
        row_inner=True, common=Common.PATCH, scale=Scale.SUM, reads=_W, writes=(Store.A,),
        settling=True, maps=True,
    )  # fmt: skip
    # sum a, then sum a^2, in turn
    MOMENTS = "moments", Walk(
        own=Own.A, common=Common.ONE, total=True, settling=True, then=Then.STATISTICS, maps=True
    )  # fmt: skip
    # z averaged over squares, and over cells
    POOL = "pool", Walk(
        row_inner=True, own=Own.Z, common=Common.PART, writes=(Store.MAP,), settling=True, maps=True
    )  # fmt: skip
    CELLS = "cells", Walk(
        row_inner=True, own=Own.Z, common=Common.PART, writes=(Store.CELLS,), learn=True, maps=True
    )  # fmt: skip
    # W -= sum over the positions of patch d
    CORRELATE = "correlate", Walk(
        row_inner=True, positions_inner=True, own=Own.D, common=Common.PATCH, scale=Scale.STEP,
        reads=_W, writes=_W, random=True, learn=True, skip=Skip.NO_ERRORS, maps=True,
    )  # fmt: skip
    # one group of lanes of a weight layer, or of a class memory, gets its start values
    START_WEIGHTS = (
        "start_weights",
        Walk(row_inner=True, own=Own.BYTE, common=Common.START, writes=_W, random=True, start=True),
    )
    START_MEMORY = "start_memory", Walk(writes=_M, random=True, start=True)

    # -- of sequences, a tick each; the last row of both forward passes takes the sum --
    # traces from the inputs, and from the spikes of the tick before
    TRACE_INPUTS = "trace_inputs", Walk(
        own=Own.TRACE, common=Common.SOURCE, reads=(Store.TRACES,), writes=(Store.TRACES,),
        leaks=True, settling=True, sequence=True,
    )  # fmt: skip
    TRACE_UNITS = "trace_units", Walk(
        own=Own.TRACE, common=Common.SPIKE, reads=(Store.TRACES,), writes=(Store.TRACES,),
        leaks=True, settling=True, sequence=True,
    )  # fmt: skip
    # v from itself, x and W; then from the spikes and W, where there are any; new spikes
    FORWARD_INPUTS = "forward_inputs", Walk(
        rows=Rows.INPUTS, row_inner=True, common=Common.SOURCE, scale=Scale.SUM,
        reads=(Store.WEIGHTS, Store.A), writes=(Store.A,), leaks=True, settling=True, sequence=True,
    )  # fmt: skip
    FORWARD_UNITS = "forward_units", Walk(
        rows=Rows.SPIKES, row_inner=True, common=Common.ONE, scale=Scale.SUM,
        reads=(Store.WEIGHTS, Store.A), writes=(Store.A,), settling=True, sequence=True,
        skip=Skip.NO_SPIKES,
    )  # fmt: skip
    # f from itself and the spikes
    FILTER = "filter", Walk(
        own=Own.TRACE, common=Common.SPIKE, reads=(Store.Z,), writes=(Store.Z,), leaks=True,
        settling=True, sequence=True,
    )  # fmt: skip
    # d from e, E and v; the last row takes the sum
    FEEDBACK = "feedback", Walk(
        rows=Rows.ERRORS, row_inner=True, common=Common.ERROR, writes=(Store.D,), learn=True,
        skip=Skip.NO_ERRORS, sequence=True,
    )  # fmt: skip
    # W -= trace d
    UPDATE_INPUTS = "update_inputs", Walk(
        rows=Rows.TRACED, row_inner=True, own=Own.D, common=Common.TRACE, scale=Scale.STEP,
        reads=_W, writes=_W, random=True, learn=True, skip=Skip.NO_ERRORS, sequence=True,
    )  # fmt: skip
    UPDATE_UNITS = "update_units", Walk(
        rows=Rows.TRACED, of_units=True, row_inner=True, own=Own.D, common=Common.TRACE,
        scale=Scale.STEP, reads=_W, writes=_W, random=True, learn=True, skip=Skip.NO_ERRORS,
        sequence=True,
    )  # fmt: skip


@dataclass(frozen=True)
class Pass:
    """One pass of the program.

    Parameters
    ----------
    kind : Kind
    layer : int
        Hidden layer, or the number of hidden layers for the readout.
    walk : Walk
    waits : tuple of str
        Names of what must be done before the first step.
    """

    kind: Kind
    layer: int
    walk: Walk
    waits: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Unique within a program."""
        return f"{self.kind}{self.layer}"

    @property
    def learn(self) -> bool:
        """Only walked for samples with a label."""
        return self.walk.learn


class Written(NamedTuple):
    """Words that a pass has written.

    Members
    -------
    store : Store
    layer : int
    rows : int array (n,) or None
        Numbers of the rows, of weights and class memories; slots of `Store.KERNELS`.
    values : int array
        Raw: ``(n, units)`` of weights and class memories, else a vector, or a matrix of
        `Store.DECODED`, or of a convolution ``(places, features)``.
    """

    store: Store
    layer: int
    rows: np.ndarray | None
    values: np.ndarray


class Made(NamedTuple):
    """A pass that a core has done.

    Members
    -------
    of : Pass
    time : int
        Time step.
    rows : int
        How many it has walked; 0 where it was left out.
    written : tuple of Written
    """

    of: Pass
    time: int
    rows: int
    written: tuple[Written, ...] = ()

    def values(self, store: Store) -> np.ndarray | None:
        """What it has written into `store`, if anything."""
        return next((w.values for w in self.written if w.store is store), None)


def latest(passes: Iterable[Made]) -> dict[tuple[Store, int], np.ndarray]:
    """What was written last into each store, by store and layer."""
    return {(w.store, w.layer): w.values for made in passes for w in made.written}
