"""The lane pipeline in clocks: clusters of lanes, stages, and the adder tree over the lanes.

A step is issued in stage 0 and moves on one stage in each clock. `Stages` gives the clocks in which
the ports of memories see its addresses and its words; `hebbware.hdl.lanes.dense` describes the
rest.
"""

from dataclasses import dataclass

CLUSTER = 8  # lanes that share registers: what goes to all lanes goes to clusters of them first


def clusters(lanes: int, width: int = 1) -> list[slice]:
    """Where each cluster lies in a word of `width` bits a lane; the last one may be smaller."""
    firsts = range(0, lanes, CLUSTER)
    return [slice(at * width, min(at + CLUSTER, lanes) * width) for at in firsts]


@dataclass(frozen=True)
class Stages:
    """Clocks from a step's issue to what it does.

    With several clusters signals cross the device: clusters have their own copies of the signals
    for all lanes and so lag one clock (`lag`) behind the core, and choosing one lane takes as much
    longer, as it is done inside each cluster first.
    """

    lag: int = 0

    @property
    def source(self):
        """Clocks that the pre-synaptic activation takes longer than in a core of one cluster."""
        return 2 * self.lag

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
        return self.write + 2 * self.lag


def stages(config) -> Stages:
    """Of a core with so many lanes."""
    return Stages(lag=int(len(clusters(config.lanes)) > 1))


def collects(config, form) -> int:
    """Steps that bring together the groups of lanes of a map, behind those that a word sums up.

    Sums of the lanes are added pair by pair, a clock each, to be taken in by the last step.
    """
    if form.groups == 1:
        return 0
    return (config.lanes // config.span - 1).bit_length() + 1


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
