"""What travels through the lane pipeline: the kind of a step and what belongs to it."""

from functools import lru_cache

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum

from ...golden.program.layout import Layout
from ...golden.program.program import program, start_program
from ...golden.program.walk import Common, Store
from ...golden.program.walk import Kind as GoldenKind
from ..shapes import index


def kinds(passes):
    """Kinds of steps: one for each of `passes`, a kind of pass, and what the host asks for."""
    names = [*(kind.name for kind in passes), "HOST_WEIGHT", "HOST_MEMORY"]
    return enum.Enum("Kind", {name: number for number, name in enumerate(names)})


class Kinds:
    """Kinds of steps that a core has.

    Parameters
    ----------
    walks : dict
        `hebbware.golden.program.walk.Walk` of each kind of pass.

    Attributes
    ----------
    Kind : Enum
    forwards, normalises, directions : tuple of Kind
        Write activations, normalised ones, directions.
    traces, maps, cells : tuple of Kind
        Write traces; averages over squares, or over cells, of a convolution.
    correlates : tuple of Kind
        Sum up over all positions of a convolution what changes a weight.
    sourced : tuple of Kind
        Take the inputs, or the activations below, one for each row.
    learns, remembers : tuple of Kind
        Learn weights; the class memory from what the common operand writes into it.
    updates, memory_updates, hosts : tuple of Kind
        Write the weights; the class memory; read or write one number for the host.
    handovers, memories, weighted : tuple of Kind
        Let updates beside begin; write the sample into the class memory; update weights by errors
        times z.
    dots, starts, random : tuple of Kind
        Give a total over the lanes; write start values; draw a random word.
    """

    def __init__(self, walks):
        self.walks = walks
        self.Kind = kinds(walks)
        of = self.those
        self.forwards, self.normalises, self.directions = (
            of(lambda walk, store=store: store in walk.writes)
            for store in (Store.A, Store.Z, Store.D)
        )
        sourced = of(lambda walk: walk.common is Common.SOURCE)
        self.sourced = tuple(sorted(sourced, key=lambda kind: kind.value))
        self.learns = of(lambda walk: Store.WEIGHTS in walk.writes and walk.learn)
        self.remembers = of(lambda walk: walk.common is Common.WRITE)
        self.hosts = (self.Kind.HOST_WEIGHT, self.Kind.HOST_MEMORY)
        self.updates = (*of(lambda walk: Store.WEIGHTS in walk.writes), self.Kind.HOST_WEIGHT)
        self.memory_updates = (
            *of(lambda walk: Store.MEMORY in walk.writes),
            self.Kind.HOST_MEMORY,
        )
        self.traces = of(lambda walk: Store.TRACES in walk.writes)
        self.maps, self.cells = (
            of(lambda walk, store=store: store in walk.writes) for store in (Store.MAP, Store.CELLS)
        )
        self.correlates = of(lambda walk: walk.positions_inner)
        self.handovers = of(lambda walk: walk.overlaps)
        self.memories = of(lambda walk: Store.MEMORY in walk.writes and walk.learn)
        self.weighted = of(
            lambda walk: walk.common is Common.ERROR and Store.WEIGHTS in walk.writes
        )
        self.dots = of(lambda walk: walk.total)
        self.starts = of(lambda walk: walk.start)
        self.random = of(lambda walk: walk.random)

    def of_pass(self, p):
        """Kind of the steps of a pass; where it has two, of the first ones."""
        return self.Kind[GoldenKind.SUM.name if p.kind is GoldenKind.MOMENTS else p.kind.name]

    def those(self, holds):
        """Kinds of steps for whose walk `holds` is true.

        Those that write weights come first, those that write start values last.
        """

        def place(kind):
            walk = self.walks[kind]
            return walk.start, Store.WEIGHTS not in walk.writes

        return tuple(
            self.Kind[k.name] for k in sorted(self.walks, key=place) if holds(self.walks[k])
        )


@lru_cache(maxsize=1)
def _ordinary():
    return Kinds({kind: kind.walk for kind in _usual()})


@lru_cache(maxsize=1)
def _overlapped():
    return Kinds({kind: kind.walk for kind in [*_usual(), GoldenKind.HANDOVER]})


def _usual():
    walks = ((kind, kind.walk) for kind in GoldenKind)
    return [kind for kind, walk in walks if not (walk.sequence or walk.maps or walk.overlaps)]


@lru_cache(maxsize=64)
def kinds_of(config) -> Kinds:
    """Those of a core: of sequences, or with convolutions, of its own passes; else always the same.

    A pass of moments has steps of sums and of squares.
    """
    if not (config.recurrent or config.convolves):
        return _overlapped() if config.update.overlap else _ordinary()
    passes = (*program(config), *start_program(config))
    always = [GoldenKind.START_MEMORY]
    found = {p.kind: p.walk for p in passes}
    if found.pop(GoldenKind.MOMENTS, None):
        always += [GoldenKind.SUM, GoldenKind.SQUARES]
    found |= {kind: kind.walk for kind in always}
    return Kinds({kind: found[kind] for kind in GoldenKind if kind in found})


def is_any(kind, kinds):
    """Whether `kind` is one of `kinds`."""
    if not kinds:
        return Const(0)
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
        if config.recurrent:
            fields = {
                "rest": 1,  # first tick of a sequence
                "summed": 1,  # scores of the tick are summed,
                "opens": 1,  # from this one on
                "closes": 1,  # and put out after this one
                "part": 1,  # start values: of which part of a layer's weights
            }
        layout = Layout(config)
        if config.convolves:
            fields = {
                # position, of those of all layers, or where a group of lanes keeps a pooled number
                "spot": index(max(layout.spots[-1], layout.copy_bases[-1])),
                # a bit for each group of lanes: the number that is read lies within its map;
                "inside": layout.spans,
                "on": layout.spans,  # the group takes part
                "owner": index(layout.spans),  # the position that pools, of those of a word
                "grouped": 1,  # what is summed up is that of all groups, brought together last
            }
        super().__init__(
            {
                "valid": 1,
                "kind": kinds_of(config).Kind,
                "layer": index(len(config.hidden) + 1),
                "row": index(max(config.classes, layout.memory_rows) + 1),
                "block": index(layout.widest),  # of the layer
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


def source_unit(m: Module, s, lanes: int, widest: int, place: Signal):
    """Return block and lane of the unit of the layer below that the step at hand reads.

    Units follow each other from step to step, from the first one where ``s.first`` is.

    Parameters
    ----------
    s : SimpleNamespace
        ``first`` and ``issue`` of the step.
    widest : int
        Blocks of the widest layer.
    place : Signal
        A lane, for its shape.
    """
    source_block = Signal(index(widest))
    source_lane = Signal.like(place)
    here_block, here_lane = Mux(s.first, 0, source_block), Mux(s.first, 0, source_lane)
    with m.If(s.issue):
        wrap = here_lane == lanes - 1
        m.d.sync += [
            source_lane.eq(Mux(wrap, 0, here_lane + 1)),
            source_block.eq(here_block + wrap),
        ]
    return here_block, here_lane
