"""What the sequencer knows of each pass."""

from ...golden.program.walk import Common, Rows, Skip, Store

# facts that decide what is loaded; no registers themselves
CONDITIONAL = (
    *("base", "clears_learned", "clears_first", "clears_last"),
    *("settled", "learned", "inferred"),
)


class Facts:
    """Facts of the passes of a sequencer, by number: of the program, then of the start program.

    Parameters
    ----------
    sequencer : Sequencer
    """

    def __init__(self, sequencer):
        self.config, self.layout, self.kinds = sequencer.config, sequencer.layout, sequencer.kinds
        self.program, self.start, self.flags = sequencer.program, sequencer.start, sequencer.flags

    def of(self, number):
        """What is known of a pass: sizes, bases, what it waits for, what follows."""
        layout, passes = self.layout, (*self.program, *self.start)
        p, start = passes[number], number >= len(self.program)
        walk = p.walk
        loops = walk.count - 1 if walk.rows is Rows.ALL else 0, walk.blocks - 1
        inner, outer = loops if walk.row_inner else loops[::-1]
        fact = {
            "kind": self.kinds.of_pass(p).value,
            "layer": p.layer,
            "slow": walk.pace == 2,  # each step takes two clocks
            "row_inner": walk.row_inner,
            "inner": inner,  # last number of the inner loop, and of the outer one
            "outer": outer,
            "counted": walk.rows is Rows.ERRORS,
            "base": walk.base,
            "strided": walk.rows in (Rows.INPUTS, Rows.SPIKES, Rows.TRACED),
            "memory_base": layout.memory_bases[walk.units],
            "place": layout.vector_bases[walk.units],
            "from_below": walk.common is Common.SOURCE,
            "source": walk.below,
            "empties": (walk.skip is Skip.NO_ERRORS) << p.layer,
            "forgets": walk.rows is Rows.OLDEST,
            "settles": number == len(self.program),  # waits until nothing is under way
            "waits": self._mask(p.waits),
        }
        if self.config.recurrent:
            fact |= self._of_tick(passes, number)
        if self.config.update.overlap:
            fact["chases"] = walk.chases
        clears = {
            name: 0 if start else self._mask(getattr(walk, name))
            for name in ("clears", "clears_learned", "clears_first", "clears_last")
        }
        if start:
            after = number + 1 if number + 1 < len(passes) else len(self.program)
            return fact | clears | dict.fromkeys(("settled", "learned", "inferred"), after)
        return fact | clears | self._followers(number)

    def _of_tick(self, passes, number):
        """The same of a core of sequences."""
        p, walk = passes[number], passes[number].walk
        jump = walk.stride or walk.count
        if walk.rows is Rows.ALL:
            jump -= walk.count - 1
        written = Store.TRACES in walk.writes
        before = [q for q in passes[len(self.program) : number] if q.layer == p.layer]
        return {
            "spiking": walk.rows is Rows.SPIKES,
            "tracing": walk.rows is Rows.TRACED,
            "of_units": walk.of_units,
            "jump": jump if walk.row_inner else 1,  # from the last row of a block to the next block
            "place": walk.below if written else self.layout.vector_bases[walk.units],
            "from_below": False,
            "memory_base": walk.base if walk.rows is Rows.ERRORS else 0,
            "empties": (walk.skip is Skip.NO_ERRORS) << len(self.config.hidden),
            "part": len(before) if walk.start and Store.WEIGHTS in walk.writes else 0,
        }

    def _mask(self, names):
        return sum(1 << self.flags.index(name) for name in set(names) if name in self.flags)

    def _followers(self, number):
        """The pass after this one: where time steps follow, while learning, while inferring."""
        later = [(n, p) for n, p in enumerate(self.program) if n > number]
        end = len(self.program)
        again = end if self.config.recurrent else 0
        return {
            "settled": next((n for n, p in later if p.walk.settling), again),
            "learned": number + 1,
            "inferred": next((n for n, p in later if not p.learn), end),
        }
