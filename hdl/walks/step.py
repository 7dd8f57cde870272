"""What travels through the lane pipeline: the kind of a step and what belongs to it."""

from amaranth.hdl import Cat, Const, Value
from amaranth.lib import data, enum

from ...golden.program.layout import Layout
from ...golden.program.walk import Common, Store
from ...golden.program.walk import Kind as GoldenKind
from ..shapes import index


def kinds(passes):
    """Kinds of steps: one for each of `passes`, a kind of pass, and what the host asks for."""
    names = [*(kind.name for kind in passes), "HOST_WEIGHT", "HOST_MEMORY"]
    return enum.Enum("Kind", {name: number for number, name in enumerate(names)})


# those of cores whose samples are sequences are not built
BUILT = tuple(kind for kind in GoldenKind if not kind.walk.sequence)
Kind = kinds(BUILT)


def those(holds):
    """Kinds of steps for whose `hebbware.golden.program.walk.Walk` `holds` is true.

    Those that write weights come first, those that write start values last.
    """

    def place(kind):
        return kind.walk.start, Store.WEIGHTS not in kind.walk.writes

    return tuple(Kind[k.name] for k in sorted(BUILT, key=place) if holds(k.walk))


# write activations, normalised ones, directions
FORWARDS, NORMALISES, DIRECTIONS = (
    those(lambda walk, store=store: store in walk.writes) for store in (Store.A, Store.Z, Store.D)
)
# take the inputs, or the activations below, one for each row
SOURCED = sorted(those(lambda walk: walk.common is Common.SOURCE), key=lambda kind: kind.value)
# learn weights; the class memory from what the common operand writes into it
LEARNS = those(lambda walk: Store.WEIGHTS in walk.writes and walk.learn)
REMEMBERS = those(lambda walk: walk.common is Common.WRITE)
# write the weights; the class memory; read or write one number for the host
UPDATES = (*those(lambda walk: Store.WEIGHTS in walk.writes), Kind.HOST_WEIGHT)
MEMORY_UPDATES = (*those(lambda walk: Store.MEMORY in walk.writes), Kind.HOST_MEMORY)
HOSTS = (Kind.HOST_WEIGHT, Kind.HOST_MEMORY)
DOTS = those(lambda walk: walk.total)  # give a total over the lanes
STARTS = those(lambda walk: walk.start)  # write start values
RANDOM = those(lambda walk: walk.random)  # draw a random word


def is_any(kind, kinds):
    """Whether `kind` is one of `kinds`."""
    return kind == kinds[0] if len(kinds) == 1 else Cat(kind == k for k in kinds).any()


class Step(data.StructLayout):
    """A step of a pass.

    Parameters
    ----------
    config : CoreConfig
    blocks, words : int
        Blocks of all hidden layers; words of the larger of the two memories.
    """

    def __init__(self, config, *, blocks, words):
        fields = {"rest": 1} if config.leaky else {}  # first time step of a sample
        layout = Layout(config)
        super().__init__(
            {
                "valid": 1,
                "kind": Kind,
                "layer": index(len(config.hidden) + 1),
                "row": index(max(config.classes, layout.memory_rows) + 1),
                "block": index(layout.most_blocks),  # of the layer
                "place": index(blocks),  # the block's, of those of all layers
                "sum_first": 1,  # first and last of the steps that are summed
                "sum_last": 1,
                "end": 1,  # last step of its pass
                "bias": 1,  # the input is the constant 1
                "jacobian": 1,  # the direction's second term
                "write": 1,  # host: writes, not reads
                "learn": 1,  # the sample has a label
                "tail": 1,  # last block of a layer: some lanes may be empty
                "lane": index(config.lanes),  # host: the lane; start: the group of lanes
                "address": index(words),
            }
            | fields
        )

    def pack(self, **values):
        """A step with the given fields; all others are 0."""
        fields = []
        for name, field in self:
            value = Value.cast(values.pop(name, 0))[: field.width]
            fields.append(Cat(value, Const(0, field.width - len(value))))
        if values:
            raise TypeError(f"a step has no fields {sorted(values)}")
        return Cat(fields)
