"""The program of the core: the passes of a sample, their order, and what each waits for.

The sequencer in `hebbware.hdl` is generated from this table and `hebbware.golden.schedule` predicts
clocks from it; neither repeats it.

A *pass* walks rows and blocks and issues one step per clock into the lane pipeline. It starts as
soon as the pass before it has issued its last step and everything it waits for is done. A pass of
no steps takes one clock. The order hides latencies: a layer's direction and memory write fill the
clocks in which the next layer's statistics settle. Where a sample takes several time steps the
program is walked once for each, all but the last time without learning or putting out anything.

A weight memory with one port (`weight_ports`) cannot be read and written in the same clock. A step
reads at `Stages.read_weights` and writes at `Stages.write`, an odd number of clocks later: passes
that write weights issue in every second clock, so that reads and writes alternate, and a pass that
touches the weights waits until the writes of all passes before it are done.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from .init import init_groups
from .layout import Layout
from .memory import KINDS
from .reservoir_memory import reservoir_config, reservoir_inputs


class Kind(StrEnum):
    """What a pass does. ``b`` blocks, ``r`` rows of the layer, ``C`` classes."""

    FORWARD = "forward"  # u = W^T z; b * r steps (first layer: non-zero inputs and the bias)
    SUM = "sum"  # sum of a; b steps
    SQUARES = "squares"  # sum of a^2; b steps
    NORMALISE = "normalise"  # z from a; b steps
    SIMILARITY = "similarity"  # k_c = z E_c / m; C * b steps (reservoir: q_j = B_j z; d * b)
    SCORES = "scores"  # o_c = z W_c; C * b steps
    DIRECTION = "direction"  # d from e, E, z; b * (non-zero e + 1) steps, none where e = 0
    # (reservoir: from v, B, z; b * (d + 1))
    FORGET = "forget"  # the window's oldest sample leaves the class memory; b steps, or none
    MEMORY = "memory"  # write of the class memory; b steps for each row written
    UPDATE = "update"  # W -= z d; as FORWARD, none where e = 0
    READOUT = "readout"  # W_c -= e_c z; C * b steps, none where e = 0
    START_WEIGHTS = "start_weights"  # one group of lanes of a weight layer gets its start values
    START_MEMORY = "start_memory"  # the same for a class memory


# walked in each time step of a sample; all others in the last step only
SETTLING = (Kind.FORWARD, Kind.SUM, Kind.SQUARES, Kind.NORMALISE)
WRITES_WEIGHTS = (Kind.UPDATE, Kind.READOUT, Kind.START_WEIGHTS)
READS_WEIGHTS = (Kind.FORWARD, Kind.SCORES, *WRITES_WEIGHTS)


@dataclass(frozen=True)
class Pass:
    """One pass of the program.

    Parameters
    ----------
    kind : Kind
    layer : int
        Hidden layer, or the number of hidden layers for the readout.
    waits : tuple of str
        Names of passes that must be done before the first step.
    learn : bool
        Only walked for samples with a label.
    """

    kind: Kind
    layer: int
    waits: tuple[str, ...] = ()
    learn: bool = False

    @property
    def name(self) -> str:
        """Unique within a program."""
        return f"{self.kind}{self.layer}"


def errors_of(layer: int) -> str:
    """Name under which the softmax errors of `layer` (or of the readout) are waited for."""
    return f"error{layer}"


KERNELS = "kernels"  # under this name what weighs the samples of the window is waited for


def pull_of(layer: int) -> str:
    """Name under which v of `layer` is waited for, where the memory is a reservoir."""
    return f"pull{layer}"


def reservoir_of(layer: int) -> str:
    """Name under which the memory decoded from the reservoir of `layer` is waited for."""
    return f"reservoir{layer}"


def program(config) -> tuple[Pass, ...]:
    """The passes of one sample.

    In the time steps before the last one only those of `SETTLING` are walked, in the same order.
    """
    hidden, kind = len(config.hidden), KINDS[config.memory]
    passes = []

    def add(kind, layer, *waits, learn=False):
        passes.append(Pass(kind, layer, tuple(waits), learn))

    def modulate(layer):
        pulls = [pull_of(layer)] if kind.projected else []
        add(Kind.DIRECTION, layer, errors_of(layer), *pulls, learn=True)
        if kind.windowed:
            add(Kind.FORGET, layer, learn=True)

    def remember(layer):
        if config.writes_memory:
            waits = [f"forget{layer}"] if kind.windowed else []
            add(Kind.MEMORY, layer, errors_of(layer), *waits, learn=True)

    for layer in range(hidden):
        before = [f"normalise{layer - 1}"] if layer else []
        if config.learns_hidden:
            before.append(f"update{layer}")
        add(Kind.FORWARD, layer, *before)
        if config.learns_hidden and layer:
            modulate(layer - 1)
        add(Kind.SUM, layer, f"forward{layer}")
        add(Kind.SQUARES, layer)
        if config.learns_hidden and layer:
            remember(layer - 1)
        add(Kind.NORMALISE, layer, f"squares{layer}")
        if layer == hidden - 1:
            add(Kind.SCORES, hidden, f"normalise{layer}", f"readout{hidden}", "results")
        if config.learns_hidden:
            waits = [f"memory{layer}"] if config.writes_memory else []
            if kind.by_sample:
                waits.append(KERNELS)
            if kind.projected:
                waits = [reservoir_of(layer)]
            add(Kind.SIMILARITY, layer, f"normalise{layer}", *waits, learn=True)
    if config.learns_hidden:
        for layer in range(hidden - 1):
            add(Kind.UPDATE, layer, f"direction{layer}", learn=True)
        modulate(hidden - 1)
        remember(hidden - 1)
    add(Kind.READOUT, hidden, errors_of(hidden), learn=True)
    if config.learns_hidden:
        add(Kind.UPDATE, hidden - 1, f"direction{hidden - 1}", learn=True)
    if config.weight_ports == 1:
        passes = _apart(passes)
    return tuple(passes)


def _apart(passes: list[Pass]) -> list[Pass]:
    """Let every pass that touches the weights wait for all that write them."""
    writers = [p.name for p in passes if p.kind in WRITES_WEIGHTS]
    return [
        replace(p, waits=tuple(dict.fromkeys((*p.waits, *writers))))
        if p.kind in READS_WEIGHTS
        else p
        for p in passes
    ]


def pace(config, kind: Kind) -> int:
    """Clocks that each step of a pass takes; the step is issued in the last of them."""
    return 2 if config.weight_ports == 1 and kind in WRITES_WEIGHTS else 1


def start_program(config) -> tuple[Pass, ...]:
    """The passes that fill the memories for one group of lanes; walked `init_groups` times."""
    hidden = len(config.hidden)
    passes = [Pass(Kind.START_WEIGHTS, layer) for layer in range(hidden + 1)]
    if config.learns_hidden:
        passes += [Pass(Kind.START_MEMORY, layer) for layer in range(hidden)]
    return tuple(passes)


def start_clocks(config) -> int:
    """Clocks from reset to the first one in which a sample may be taken."""
    layout = Layout(config)
    clocks = pace(config, Kind.START_WEIGHTS) * layout.weight_bases[-1]
    if config.learns_hidden:
        clocks += layout.memory_bases[-1]
    return init_groups(config) * (clocks + stages(config).settled)


# -- latencies, in clocks --------------------------------------------------------------------------
#
# A step is issued in stage 0 and moves on one stage in each clock. `Stages` tells when the ports of
# memories see its addresses and its words, `hebbware.hdl.core` and `hebbware.hdl.dense` the rest.

CLUSTER = 8  # lanes that share registers: what goes to all lanes goes to clusters of them first
SOFTMAX_FIXED = 13  # clocks of a softmax beyond its two walks over the classes


def clusters(lanes: int, width: int = 1) -> list[slice]:
    """Where each cluster lies in a word of `width` bits a lane; the last one may be smaller."""
    firsts = range(0, lanes, CLUSTER)
    return [slice(at * width, min(at + CLUSTER, lanes) * width) for at in firsts]


@dataclass(frozen=True)
class Stages:
    """Clocks from a step's issue to what it does.

    With more than one cluster everything takes a wire across the device: clusters keep their own
    copies of what all lanes are told, and so lag a clock (`lag`) behind the core; and the lane of
    the pre-synaptic activation is chosen inside each cluster first (`gather`).
    """

    lag: int = 0
    gather: int = 0

    @property
    def source(self):
        """Clocks that the pre-synaptic activation takes longer than in a core of one cluster."""
        return self.lag + self.gather

    @property
    def read_z(self):
        """The memory of the activations z is addressed."""
        return 1 + self.lag

    @property
    def read_memory(self):
        """The class memory is addressed."""
        return 1 + self.source + self.lag

    @property
    def read_gain(self):
        """The gain of a row of the class memory is read."""
        return 2 + self.source

    @property
    def scale(self):
        """Mantissa and exponent are taken."""
        return 3 + self.source

    @property
    def read_weights(self):
        """The weight memory is addressed."""
        return 3 + self.source + self.lag

    @property
    def read_vectors(self):
        """The memories of activations a and directions d are addressed."""
        return 4 + self.source + self.lag

    @property
    def product(self):
        """Products are registered."""
        return 7 + self.source + self.lag

    @property
    def write(self):
        """Words are on the memories' write ports."""
        return 10 + self.source + self.lag

    @property
    def settled(self):
        """Nothing of the step is under way in the lanes."""
        return self.write + 1

    @property
    def read_back(self):
        """What the host reads or writes is on its way back; it is in a register a clock later."""
        return self.write + 2 * self.gather


def stages(config) -> Stages:
    """Of a core with so many lanes."""
    far = int(len(clusters(config.lanes)) > 1)
    return Stages(lag=far, gather=far)


def tree_fans(lanes: int) -> list[int]:
    """How many sums become one in each register stage of the adder tree over the lanes.

    Two levels of adders, four to one; clusters are summed up before they are brought together.
    """
    fans, left = [], lanes
    if lanes > CLUSTER:
        fans, left = [4, CLUSTER // 4], len(clusters(lanes))
    return fans + [4] * (((left - 1).bit_length() + 1) // 2)


def tree_latency(lanes: int) -> int:
    """Register stages of the adder tree over the lanes."""
    return len(tree_fans(lanes))


def total_latency(config) -> int:
    """From the issue of the last step of a dot product to the clock in which the total is there."""
    return stages(config).product + tree_latency(config.lanes) + 1


def magnitudes_latency(config) -> int:
    """From the issue of a row's last write to the clock in which the total of its magnitudes is
    there, from which its gain is found.
    """
    return stages(config).write + MAGNITUDES + tree_latency(config.lanes) + 1


NORMALISE_LATENCY = 8  # from the sum of squares to mean, mantissa and exponent
ARRIVE = 4  # from a dot product's total to its similarity or score in the softmax's buffer
MAGNITUDES = 1  # from written words to their magnitudes, which the tree adds up
GAIN = 3  # from the total of the magnitudes to the gain


def done_latency(config, kind: Kind) -> int:
    """From the issue of a pass's last step to the first clock in which waiting passes may start.

    Those read what the pass has written in the clock after it was written, or later. The flags of
    `hebbware.hdl.core` are raised in the clock before.
    """
    at = stages(config)
    if kind is Kind.SQUARES:
        return total_latency(config) + NORMALISE_LATENCY - at.scale
    if kind is Kind.MEMORY and KINDS[config.memory].self_scaling:
        # not before the total is there, and so early enough for the host to overwrite the gain
        return magnitudes_latency(config) + max(GAIN - at.read_gain, 1)
    read = {
        Kind.FORWARD: at.read_vectors,
        Kind.DIRECTION: at.read_vectors,
        Kind.NORMALISE: at.read_z,
        Kind.FORGET: at.read_memory,
        Kind.MEMORY: at.read_memory,
    }.get(kind, at.read_weights)
    return at.write + 1 - read


COMMAND_STEP = 2  # from taking a command to issuing its step
COMMAND_RESPONSE = 4  # to its response; where it has a step, beside that one's way back
COMMAND_START = 3  # to the first step of the start program

COEFFICIENT = 2  # from a similarity's arrival to its coefficient, in the place of a softmax error
COEFFICIENTS = 6  # from the arrival of the last one to the coefficients being there


def kernels_latency(config) -> int:
    """From the last step of the first layer's first block to the kernels being centred."""
    return 2 * config.window + 11


def softmax_latency(config) -> int:
    """From the clock in which the last logit is in the buffer to the errors being there."""
    return 2 * config.classes + SOFTMAX_FIXED


# -- the reservoir memory, see `hebbware.hdl.reservoir_memory` -------------------------------------

MULTIPLY = 4  # from the issue of the last product of a sum to the clock in which the sum is kept
UNIT_SCALE = 4  # from a row's last decoded number to the write of the first one at unit scale


def products(config) -> int:
    """Clocks in which all products of E with q, or with the errors, are issued."""
    return config.classes * config.projection


def similarity_latency(config) -> int:
    """What is between the last projected number and the last similarity, each in its buffer."""
    return products(config) + MULTIPLY


def pull_latency(config) -> int:
    """From the errors being there to the first clock in which a pass that reads v may start."""
    return products(config) + MULTIPLY


def decoded_latencies(config) -> list[int]:
    """From v being there to the write of each row's first number at unit scale.

    The reservoir's step starts in the clock before v is there, the readout in the clock after that
    is done; see `hebbware.golden.reservoir_schedule`. Numbers of a row are written one per clock.
    """
    from .reservoir_schedule import readout_tail, state_tail  # which stands on this module

    reservoir = reservoir_config(config)
    step = reservoir.blocks * (1 + reservoir_inputs(config) + reservoir.taps) + state_tail(
        reservoir
    )
    row = reservoir.blocks * config.projection
    return [
        step + (c + 1) * row + readout_tail(reservoir) + UNIT_SCALE for c in range(config.classes)
    ]


def reservoir_latency(config) -> int:
    """From v being there to the first clock in which similarities may use the new memory."""
    return decoded_latencies(config)[-1] + config.projection
