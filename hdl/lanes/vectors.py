"""Vectors of all hidden layers: activations a and z, directions d, potentials."""

from amaranth.hdl import Array, Cat, Const, Mux

from ...golden.program.layout import Layout, kept_width
from ..walks.step import is_any, kinds_of
from .clusters import Banks


def each_lane(config, words) -> list:
    """Part of each lane of a word of all lanes."""
    width = len(words) // config.lanes
    return [words.word_select(lane, width) for lane in range(config.lanes)]


def z_width(config) -> int:
    """Bits of a lane of the memory of z."""
    return kept_width(config) + (not config.recurrent)


class Vectors:
    """The memories of the vectors, as submodules of `m`, and their writes.

    A word of `z` holds for each lane the activation and above it whether u > 0; of a core of
    sequences what the readout sees, then, behind all blocks of that, traces. Where the memory is
    windowed, `z` holds a slot for each sample of the window and one more.

    Parameters
    ----------
    m : Module
    config : CoreConfig
    blocks : int
        Blocks of all hidden layers.
    """

    def __init__(self, m, config, blocks):
        self.config, self.blocks = config, blocks
        layout = Layout(config)
        slots = config.memory.window + 1 if config.memory.windowed else 1
        m.submodules.z_memory = self.z = Banks(
            lanes=config.lanes,
            width=z_width(config),
            depth=slots * layout.kept_blocks,
            groups=layout.spans,
        )
        self.z_beside = None  # what updates beside read, a copy of z
        if config.update.overlap:
            m.submodules.z_beside = self.z_beside = self._memory(
                z_width(config), layout.kept_blocks
            )
        m.submodules.a_memory = self.a = self._memory(config.u.width, blocks)
        m.submodules.d_memory = self.d = self._memory(config.d.width, blocks)

    def _memory(self, bits, depth):
        return Banks(lanes=self.config.lanes, width=bits, depth=depth)

    def write(self, m, due, place, z_base, dense):
        """Write what the lanes put out.

        Parameters
        ----------
        due : Step
            The step whose words are there in the next clock.
        place : value
            Block of the words that are there.
        z_base : value
            First word of the slot of the sample at hand.
        dense : Dense
        """
        cfg, a, z, d = self.config, self.a, self.z, self.d
        kinds = kinds_of(cfg)
        averages = (*kinds.maps, *kinds.cells)
        z_due = is_any(due.kind, (*kinds.normalises, *kinds.traces))
        if averages:
            z_due |= due.sum_last & is_any(due.kind, averages)
        m.d.sync += [
            a.en.eq(due.valid & due.sum_last & is_any(due.kind, kinds.forwards)),
            z.en.eq(self._each_group(due, due.valid & z_due)),
            d.en.eq(due.valid & due.sum_last & is_any(due.kind, kinds.directions)),
        ]
        vectors = each_lane(cfg, dense.vector_out)
        width, active = kept_width(cfg), dense.active_out
        # only of sums through a non-linearity
        z_written = zip(
            vectors, [Const(0, 0)] * cfg.lanes if cfg.recurrent else active, strict=True
        )
        m.d.comb += [
            a.place.eq(place),
            a.written.eq(Cat(word[: cfg.u.width] for word in vectors)),
            z.place.eq(z_base + place),
            z.written.eq(Cat(Cat(word[:width], active) for word, active in z_written)),
            d.place.eq(place),
            d.written.eq(Cat(word[: cfg.d.width] for word in vectors)),
        ]

        if self.z_beside is not None:
            m.d.comb += [
                self.z_beside.en.eq(z.en),
                self.z_beside.place.eq(z.place),
                self.z_beside.written.eq(z.written),
            ]

    def _each_group(self, due, writes):
        """Which groups of lanes write: of a pooled map the one that its place belongs to."""
        layout, kinds = Layout(self.config), kinds_of(self.config)
        groups = range(layout.spans)
        if layout.spans == 1:
            return writes
        owns = Array(
            Cat(due.owner == (group >> layout.fold(n)) for group in groups)
            for n in range(len(self.config.windows))
        )[due.layer]
        return Mux(writes, Mux(is_any(due.kind, kinds.maps), owns, -1), 0)

    def potentials(self, m, read_place, place, dense):
        """Potentials of leaky neurons: read at `read_place`, written with the activations a."""
        m.submodules.potentials = potentials = self._memory(
            self.config.potential.width, self.blocks
        )
        m.d.comb += [
            potentials.address.eq(read_place),
            dense.potentials.eq(potentials.data),
            potentials.en.eq(self.a.en),
            potentials.place.eq(place),
            potentials.written.eq(dense.potentials_out),
        ]
