"""The sequencer of cores with convolutions: passes walk positions as well as rows and blocks."""

from amaranth.hdl import Cat, Mux, Signal

from ...golden.program.pipeline import collects
from ...golden.program.walk import Common, Own, Rows, Store, Then
from ..shapes import index
from .facts import Facts
from .sequencer import Sequencer
from .window import ADDS, CELLS, SIZES, Window

LOOPS = ("step", "row", "turn")  # the innermost loop goes on, or the middle one, or the outermost


class PositionFacts(Facts):
    """Facts of passes that walk positions; all numbers modulo the width of their registers."""

    def __init__(self, sequencer):
        super().__init__(sequencer)
        self.bits = sequencer.place_bits
        self.address_bits = index(len(sequencer.addresses)).width

    def of(self, number):
        passes = (*self.program, *self.start)
        p, walk = passes[number], passes[number].walk
        fact = super().of(number)
        loops = self._loops(walk)
        inner, outer, third = (size for size, _, _ in loops)
        fact |= {
            "inner": inner - 1,
            "outer": outer - 1,
            "third": third - 1,
            "paired": self._paired(walk),
            "crossed": walk.positions_inner,
            "place": self._place(p),
        }
        fact |= self._groups(p, inner)
        for name, which, bits in (("place", 1, self.bits), ("address", 2, self.address_bits)):
            sizes, by = [loop[0] for loop in loops], [loop[which] for loop in loops]
            for at, loop in enumerate(LOOPS):
                back = sum(by[n] * (sizes[n] - 1) for n in range(at))
                fact[f"{name}_{loop}"] = (by[at] - back) % (1 << bits)
        return fact | self._window(p)

    @staticmethod
    def _paired(walk):
        """Whether the rows of a pass are sums, then sums of squares."""
        return walk.then is Then.STATISTICS and walk.count > 1

    @staticmethod
    def _loops(walk):
        """Of each loop, from the innermost: its length, by how many words of vectors, and of
        weights, it goes on.
        """
        rows = walk.count if walk.rows is Rows.ALL else 1
        stride = walk.stride or walk.count
        of_rows = rows, 0, 1 if walk.row_inner else walk.blocks
        of_blocks = walk.blocks, 1, stride if walk.row_inner else 1
        of_positions = walk.positions, walk.blocks, 0
        pair = (of_rows, of_blocks) if walk.row_inner else (of_blocks, of_rows)
        return (of_positions, *pair) if walk.positions_inner else (*pair, of_positions)

    def _place(self, p):
        """First word of the vector that a pass reads or writes."""
        walk, layout = p.walk, self.layout
        if Store.MAP in walk.writes:
            return layout.map_bases[walk.units]
        if Store.CELLS in walk.writes:
            return layout.cell_bases[walk.units]
        if walk.own is not Own.Z and walk.common is not Common.Z:
            return layout.vector_bases[walk.units]
        if Store.WEIGHTS in (*walk.reads, *walk.writes):
            return layout.output_base(walk.units)
        return layout.seen_base(walk.units)

    def _groups(self, p, inner):
        """What groups of lanes do that hold different positions; which of them take part."""
        walk, layout = p.walk, self.layout
        form, fold = layout.map_form(walk.units), layout.fold(p.layer)
        pools, cells = Store.MAP in walk.writes, Store.CELLS in walk.writes
        more = collects(self.config, form) if pools or cells or walk.positions_inner else 0
        groups = [group >> fold for group in range(layout.spans)]
        which = [0] * layout.spans  # of the choices of a step, that in which it takes part
        if self._paired(walk) or (walk.total and walk.own is Own.READ):
            which = groups
        elif pools:
            pool = self.config.windows[p.layer].pool
            which = [group // pool if pool < form.groups else 0 for group in groups]
        copies = pools and layout.spans > 1 and p.layer < len(layout.copy_bases) - 1
        return {
            "collects": more > 0,  # groups are brought together behind the last of these
            "real": inner - 1 - more,
            "holds": form.groups - 1 if pools else 0,
            "spot": layout.copy_bases[p.layer] if copies else layout.spots[walk.units],
            "spot_row": copies,
            "spot_turn": 1 if copies else form.groups,
            **{f"which_{group}": number for group, number in enumerate(which)},
        }

    def _window(self, p):
        """Numbers of the window, and what is added to what it says."""
        walk, layout, config = p.walk, self.layout, self.config
        blocks = layout.map_form(walk.units).blocks
        groups = range(1, layout.spans)
        others = [f"{of}_{n}" for of in ("shift", "jump") for n in groups]
        fact = dict.fromkeys((*SIZES, *ADDS, *CELLS, "source", "adds", "single", *others), 0)
        fact["from_below"] = walk.common in (Common.PATCH, Common.SOURCE)
        if walk.common is Common.PATCH:
            fact |= self._patch(p)
        elif walk.common is Common.SOURCE:
            form = layout.output_form(p.layer - 1)
            fact |= {
                "rows": 1,
                "columns": form.places,
                "wide": form.places - 1,
                "channels": form.features - 1,
                "tap_next": 1,
                "source": self._below(p.layer - 1),
            }
        elif Store.MAP in walk.writes or Store.CELLS in walk.writes:
            fact |= self._tiles(p, blocks)
        else:
            fact |= {"channels": blocks - 1, "single": 1}
        if Store.D in walk.writes and walk.positions > 1:
            w = config.windows[p.layer]
            across = w.cell[1] // layout.map_form(p.layer).groups - 1
            numbers = (across, w.grid - 1, w.cell[0] - 1, blocks, (1 - w.grid) * blocks)
            fact |= dict(zip(CELLS, numbers, strict=True))
        sources = {f"source_{n}": fact["source"] + fact.pop(f"jump_{n}") for n in groups}
        fact |= sources
        for name in (*ADDS, *CELLS[3:], "source", *sources):
            fact[name] %= 1 << self.bits
        return fact

    def _below(self, layer):
        """First word of the map of a layer, as the next one reads it."""
        copied = self.layout.spans > 1 and layer < len(self.config.windows)
        return self.layout.copy_bases[layer] if copied else self.layout.output_base(layer)

    def _patch(self, p):
        """Numbers of the patches that a convolution reads."""
        w, first = self.config.windows[p.layer], not p.layer
        words = w.channels if first else self.layout.output_form(p.layer - 1).blocks
        base = 0 if first else self._below(p.layer - 1)
        groups, fold = self.layout.map_form(p.layer).groups, self.layout.fold(p.layer)
        pad, last, along = w.kernel // 2, (w.across - groups) * w.stride, groups * w.stride
        further = {n: (n >> fold) * w.stride for n in range(1, self.layout.spans)}
        return {
            **{f"shift_{n}": columns for n, columns in further.items()},
            **{f"jump_{n}": columns * words for n, columns in further.items()},
            "rows": w.rows,
            "columns": w.columns,
            "pad": pad,
            "wide": w.kernel - 1,
            "channels": w.channels - 1,
            "across": last,
            "along": along,
            "down": w.stride,
            "tap_next": 1,
            "tap_row": (w.columns - w.kernel) * words + 1,
            "along_next": along * words,
            "down_next": (w.stride * w.columns - last) * words,
            "single": first,
            "source": base - (pad * w.columns + pad) * words,
        }

    def _tiles(self, p, blocks):
        """Numbers of the squares, or cells, of a layer's own map that it averages."""
        w = self.config.windows[p.layer]
        rows, columns = (w.pool, w.pool) if Store.MAP in p.walk.writes else w.cell
        groups = self.layout.map_form(p.layer).groups  # positions of a word
        share, columns, across = groups // columns, -(-columns // groups), w.across // groups
        last = across - columns
        return {
            "rows": w.down,
            "columns": across,
            "share": max(share, 1) - 1,
            "wide": columns - 1,
            "across": last,
            "along": columns,
            "down": rows,
            "tap_next": blocks,
            "tap_row": (last + 1) * blocks,
            "along_next": columns * blocks,
            "down_next": (rows * across - last) * blocks,
            "adds": 1,  # the block
            "source": self.layout.vector_bases[p.layer],
        }


class PositionSequencer(Sequencer):
    """As `Sequencer`, with a third loop around, or inside, those of rows and blocks.

    Members
    -------
    step : Out
        With ``spot``, the position, and ``inside``, whether the number read lies within the map.
    source_place, source_lane : Out
        Word of the activations that the step reads: its own, or that of a number of the map below.
    list_address : Out
        Number of the inputs, for the first layer.
    """

    facts_class = PositionFacts
    conditional = (*Sequencer.conditional, "place")

    def __init__(self, config, step_layout):
        super().__init__(config, step_layout)
        self.place_bits = max(
            len(self.source_place), len(self.list_address), index(self.layout.copy_bases[-1]).width
        )
        self.others = range(1, self.layout.spans)  # groups of lanes
        for group in self.others:
            address = Signal(self.place_bits, name=f"address_{group}")
            setattr(self, f"address_{group}", address)

    def _state(self):
        s = super()._state()
        begins = s.facts[s.first_start]
        s.third = Signal(range(max(fact["third"] for fact in s.facts) + 1))
        s.third_last = Signal(init=begins["third"] == 0)
        s.place = Signal(self.place_bits, init=begins["place"], name="place_now")
        s.window = Window(
            side=max(int(fact[name]) for fact in s.facts for name in (*SIZES, *CELLS[:3])) + 1,
            channels=max(fact["channels"] for fact in s.facts) + 1,
            lanes=self.config.lanes,
            address=self.place_bits,
            groups=self.layout.spans,
        )
        s.spot = Signal(len(self.step.spot), init=begins["spot"], name="spot_now")
        return s

    def _load(self, s, chosen, learn, time, count, tick):
        of = self._chosen(s, chosen)
        return [
            *super()._load(s, chosen, learn, time, count, tick),
            s.third.eq(0),
            s.third_last.eq(of("third", lambda number: number == 0)),
            s.place.eq(of("place")),
            s.spot.eq(of("spot")),
        ]

    def _end(self, s):
        s.turn = Signal(name="turn")
        return s.turn & s.third_last

    def _walk(self, m, s):
        """Row, block, position, address and place from step to step."""
        now, inner_last, turn = s.now, s.inner_last, s.turn
        m.d.comb += turn.eq(inner_last & s.outer_last)

        def moved(name, around):
            step, row = (now[f"{name}_{loop}"] for loop in LOOPS[:2])
            return Mux(turn, around, Mux(inner_last, row, step))

        around = now["place_turn"]
        if self.others:  # places of a pooled map that share a word
            around = Mux((s.third & now["holds"]) == now["holds"], around, 0)

        with m.If(s.issue):
            m.d.sync += [
                s.inner.eq(Mux(inner_last, 0, s.inner + 1)),
                s.outer.eq(Mux(turn, 0, s.outer + inner_last)),
                s.linear.eq(s.linear + moved("address", now["address_turn"])),
                s.place.eq(s.place + moved("place", around)),
                s.spot.eq(s.spot + Mux(turn, now["spot_turn"], inner_last & now["spot_row"])),
                s.first.eq(inner_last),
                s.begin.eq(0),
                s.since.eq(0),
                inner_last.eq(Mux(inner_last, s.limit == 0, s.inner + 1 == s.limit)),
            ]
            with m.If(inner_last):
                m.d.sync += s.outer_last.eq(
                    Mux(turn, now["outer"] == 0, s.outer + 1 == now["outer"])
                )
            with m.If(turn):
                m.d.sync += [s.third.eq(s.third + 1), s.third_last.eq(s.third + 1 == now["third"])]
        with m.Elif(~s.calm):
            m.d.sync += s.since.eq(s.since + 1)
        m.submodules.window = window = s.window
        m.d.comb += [
            window.issue.eq(s.issue),
            window.inner_last.eq(inner_last),
            window.turn.eq(turn),
            window.clear.eq(s.move | self.idle),
            *(getattr(window, name).eq(now[name]) for name in (*SIZES, *ADDS, *CELLS)),
            *(getattr(window, name).eq(now[name]) for name in ("crossed", "single")),
            *(getattr(window, f"shift_{n}").eq(now[f"shift_{n}"]) for n in self.others),
        ]

    def _sources(self, m, s):
        """What a step reads: a word of its own, or a number of the map below."""
        now, windowed, address = s.now, Signal(), Signal(self.place_bits)
        block = Mux(now["adds"], s.block, 0)
        m.d.comb += [
            windowed.eq(now["from_below"] | now["adds"]),
            address.eq(now["source"] + s.window.address),
            self.source_place.eq(Mux(windowed, address + block, s.place)),
            self.source_lane.eq(s.window.lane),
            self.list_address.eq(address),
        ]
        for group in self.others:
            further = now[f"source_{group}"] + s.window.address
            m.d.comb += getattr(self, f"address_{group}").eq(further)

    def _word(self, s):
        return s.block + s.window.cell

    def _more(self, s):
        row_inner, crossed, kind = s.now["row_inner"], s.now["crossed"], self.kinds.Kind
        paired, groups = s.now["paired"], range(self.layout.spans)
        squares = paired & s.outer[0]
        choice = Mux(paired, s.outer[1:], s.window.share_now)
        idle = s.now["collects"] & (s.inner > s.now["real"])
        taking_part = Cat(s.now[f"which_{group}"] == choice for group in groups)
        return super()._more(s) | {
            "kind": Mux(squares, kind.SQUARES, s.now["kind"]),
            "bias": row_inner & Mux(crossed, s.outer_last, s.inner_last),
            "tail": Mux(row_inner, s.outer_last, s.window.tail),
            "spot": s.spot + Mux(paired, s.outer[1:], 0),
            "inside": s.window.inside,
            "on": Mux(idle, 0, taking_part),
            "grouped": s.now["collects"],
            "owner": s.third & s.now["holds"],
        }
