"""Whether a change of a netlist can be seen at all, decided by SAT.

Two copies of a netlist begin in the same state, any that registers and memories can hold, and run
for some clocks on the same inputs. Then one of them is changed, the other one a clock later. The
change has no effect if in all clocks all outputs and all writes of memories are equal, until the
states are equal again. That suffices: a design changed from clock t on and one changed from clock
t + 1 on are in the same state before clock t, one that the design reaches without a change, and so
never differ at an output; by induction the design changed from the beginning does not differ from
the one that is not, for as long as one likes.

Registers whose next value takes many gates to work out are cut where both copies have the same: any
value may come of them. What is proven holds all the same; what is not may yet have no effect.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

BEFORE = 24  # clocks without a change: what is in a pipeline then comes from its beginning
CLOCKS = 40  # to wait for states to be equal again
SPREAD = 120  # registers that may differ at a time
CUT = 600  # gates in the cone of a register above which it is cut
TRIALS = 128  # with random values, before the solver is asked
CONFLICTS = 5_000  # of the solver, then it gives up
ALL_CONFLICTS = 30_000  # for one change; then nothing more is asked

GATES = (
    "flatten", "opt_clean", "memory_map -rom-only", "dffunmap", "opt_expr", "simplemap", "techmap",
    "opt_expr", "opt_merge", "opt_clean", "aigmap", "opt_clean", "delete t:$scopeinfo",
    "setattr -unset src * w:* c:* m:*",
)  # fmt: skip
"""Commands of Yosys that make what `Netlist.read` reads of a design."""


class Aig:
    """And-inverter graph in which equal structures are one; a literal is ``2 * node + negated``.

    Each node has been tried with some random values of the variables, side by side in one number.
    """

    def __init__(self):
        self.ends = [(0, 0)]  # of each node; of variables twice 0. Node 0 is false
        self.tried = [0]
        self.known = {}
        self.random = random.Random(0)

    def variable(self) -> int:
        """A new one."""
        self.ends.append((0, 0))
        self.tried.append(self.random.getrandbits(TRIALS))
        return 2 * len(self.ends) - 2

    def trials(self, literal: int) -> int:
        """What a literal was in each trial."""
        tried = self.tried[literal >> 1]
        return tried ^ ((1 << TRIALS) - 1) if literal & 1 else tried

    def both(self, a: int, b: int) -> int:
        """And."""
        if a > b:
            a, b = b, a
        if a == 0 or a == b ^ 1:
            return 0
        if a in (1, b):
            return b
        key = a << 40 | b
        if key not in self.known:
            self.ends.append((a, b))
            self.tried.append(self.trials(a) & self.trials(b))
            self.known[key] = 2 * len(self.ends) - 2
        return self.known[key]

    def differ(self, a: int, b: int) -> int:
        """Exclusive or."""
        return self.both(self.both(a, b ^ 1) ^ 1, self.both(a ^ 1, b) ^ 1) ^ 1


class Solver:
    """Whether a literal of a graph can be true."""

    def __init__(self, aig: Aig):
        from pysat.solvers import Solver as Sat

        self.aig, self.sat, self.added = aig, Sat("minisat22"), {0}
        self.sat.add_clause([-1])

    def possible(self, literal: int) -> bool:
        """Whether it can, or whether that was too hard to find out."""
        if self.aig.trials(literal) or self.tired:
            return True
        if literal == 0:
            return False
        stack = [literal >> 1]
        while stack:
            node = stack.pop()
            if node in self.added:
                continue
            self.added.add(node)
            a, b = self.aig.ends[node]
            if a or b:
                self.sat.add_clause([-node - 1, _clause(a)])
                self.sat.add_clause([-node - 1, _clause(b)])
                self.sat.add_clause([node + 1, -_clause(a), -_clause(b)])
                stack += [a >> 1, b >> 1]
        self.sat.conf_budget(CONFLICTS)
        return self.sat.solve_limited([_clause(literal)]) is not False

    @property
    def tired(self) -> bool:
        """Whether all has been too hard already."""
        return self.sat.accum_stats()["conflicts"] > ALL_CONFLICTS


def _clause(literal: int) -> int:
    """A literal of the graph in the solver, whose variables count from 1."""
    variable = (literal >> 1) + 1
    return -variable if literal & 1 else variable


@dataclass(frozen=True)
class Read:
    """The read port of a memory: its `data` follow from what is `asked` (enable and address).

    In the next clock where it is `clocked`; it may hold them where it `holds`.
    """

    data: list[int]
    asked: list[int]
    clocked: bool
    holds: bool


@dataclass
class Netlist:
    """And-gates, inverters, registers and ports of memories between numbered nets.

    Attributes
    ----------
    inputs, outputs : dict
        Name to nets.
    gates : list of (net, a, b)
        Each after those that it depends on; an inverter has its only input twice, negated.
    registers : list of (net, next)
    reads : list of `Read`
    writes : list of nets
        All that goes into the write port of a memory.
    names : dict
        Net to name.
    """

    inputs: dict[str, list[int]] = field(default_factory=dict)
    outputs: dict[str, list[int]] = field(default_factory=dict)
    gates: list[tuple[int, int, int]] = field(default_factory=list)
    registers: list[tuple[int, int]] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    writes: list[list[int]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Netlist":
        """From the JSON that Yosys writes of a design's only module, after `GATES`."""
        (module,) = json.loads(path.read_text())["modules"].values()
        netlist = cls()
        for name, port in module["ports"].items():
            part = netlist.inputs if port["direction"] == "input" else netlist.outputs
            part[name] = list(map(_net, port["bits"]))
        for name, wire in module["netnames"].items():
            if not wire["hide_name"]:
                for bit, net in enumerate(map(_net, wire["bits"])):
                    netlist.names.setdefault(net, f"{name}[{bit}]")
        gates, clock = {}, netlist.inputs["clk"]
        for cell in module["cells"].values():
            pins = {pin: list(map(_net, bits)) for pin, bits in cell["connections"].items()}
            clocked = int(cell["parameters"].get("CLK_ENABLE", "1"), 2) == 1
            if clocked and pins.get("C", pins.get("CLK", clock)) != clock:
                raise ValueError("registers and memories must have the clock itself")
            match cell["type"]:
                case "$_AND_":
                    gates[pins["Y"][0]] = (pins["A"][0], pins["B"][0])
                case "$_NOT_":
                    gates[pins["Y"][0]] = (pins["A"][0],)
                case "$_DFF_P_":
                    netlist.registers.append((pins["Q"][0], pins["D"][0]))
                case "$memrd_v2":
                    asked = pins["EN"] + pins["ADDR"]
                    netlist.reads.append(Read(pins["DATA"], asked, clocked, pins["EN"] != [1]))
                case "$memwr_v2":
                    netlist.writes.append(pins["EN"] + pins["ADDR"] + pins["DATA"])
                case "$meminit_v2":
                    pass
                case other:
                    raise ValueError(f"cells must be gates, not {other}")
        netlist.gates = _in_order(gates)
        return netlist


def _net(bit: int | str) -> int:
    """Nets count from 2 on; 0 and 1 are the constants, x among them."""
    return bit if isinstance(bit, int) else int(bit == "1")


def _in_order(gates: dict[int, tuple[int, ...]]) -> list[tuple[int, ...]]:
    order, done = [], set()
    for first in gates:
        stack = [first]
        while stack:
            net = stack[-1]
            missing = [n for n in gates.get(net, ()) if n in gates and n not in done]
            if net in done or not missing:
                stack.pop()
                if net not in done:
                    done.add(net)
                    order.append((net, *gates[net]))
            stack += missing
    return order


class Checker:
    """Checks one change after another of the same netlist.

    Parameters
    ----------
    netlist : Netlist
    choice : str
        Name of the input that chooses the change; 0: none.
    """

    def __init__(self, netlist: Netlist, choice: str):
        self.netlist, self.choice = netlist, netlist.inputs[choice]
        self.place = {gate[0]: n for n, gate in enumerate(netlist.gates)}
        self.readers = defaultdict(list)
        for n, (_, *ends) in enumerate(netlist.gates):
            for net in ends:
                self.readers[net].append(n)
        self.next = dict(netlist.registers)
        self.compared = list(self._compared())
        self.big = {net for net, following in netlist.registers if self._big(following)}

    def _compared(self) -> Iterator[tuple[str, int, list[int]]]:
        """What is compared: its name, the net that says whether it means anything, its nets."""
        outputs = self.netlist.outputs
        for name, nets in outputs.items():
            port, _, member = name.rpartition("__")
            shown = {"payload": "valid", "address": "en", "data": "en"}.get(member)
            yield name, outputs[f"{port}__{shown}"][0] if shown else 1, nets
        yield from (("a memory's write", 1, nets) for nets in self.netlist.writes)

    def _big(self, net: int) -> bool:
        seen, stack = set(), [net]
        while stack and len(seen) <= CUT:
            at = self.place.get(stack.pop())
            if at is not None and at not in seen:
                seen.add(at)
                stack += self.netlist.gates[at][1:]
        return len(seen) > CUT

    def difference(self, number: int) -> str | None:
        """Where change `number` may be seen, from some state; None if it has no effect."""
        self.aig = Aig()
        self.solver = Solver(self.aig)
        self.frames: list[dict[int, int]] = []
        chosen = {net: number >> bit & 1 for bit, net in enumerate(self.choice)}
        self.chosen = [dict.fromkeys(self.choice, 0)] * (BEFORE + 1) + [chosen] * CLOCKS
        tainted = {net: bit for net, bit in chosen.items() if bit}
        for clock in range(BEFORE, BEFORE + CLOCKS):
            changed = self._clock(clock, tainted)
            for name, shown, nets in self.compared:
                for net in nets:
                    if net in changed and self._seen(clock, shown, net, changed):
                        return f"{name} differs after {clock - BEFORE} clocks"
            tainted = self._following(clock, changed)
            if not tainted:
                return None
            if len(tainted) > SPREAD or self.solver.tired:
                break
        left = ", ".join(self.netlist.names.get(net, "a register") for net in list(tainted)[:3])
        return f"after {clock + 1 - BEFORE} clocks there are differences in {left}"

    def _clock(self, clock: int, tainted: dict[int, int]) -> dict[int, int]:
        """All nets that are something else than in the copy that is changed later."""
        changed, queue, queued = dict(tainted), [], set()

        def wake(net):
            for n in self.readers[net]:
                if n not in queued:
                    queued.add(n)
                    heappush(queue, n)

        for net in tainted:
            wake(net)
        reads = [read for read in self.netlist.reads if not read.clocked]
        while queue:
            while queue:
                net, *ends = self.netlist.gates[heappop(queue)]
                value = self._gate(
                    [changed[end] if end in changed else self.value(clock, end) for end in ends]
                )
                if value != self.value(clock, net):
                    changed[net] = value
                    wake(net)
            for read in list(reads):
                if other := self._asks(clock, read, changed):
                    reads.remove(read)
                    for net in read.data:
                        changed[net] = self._any(other, self.value(clock, net))
                        wake(net)
        return changed

    def _asks(self, clock: int, read: Read, changed: dict[int, int]) -> int:
        """A literal: something else is read; 0 where that cannot be."""
        same = 1
        for net in read.asked:
            if net in changed:
                same = self.aig.both(
                    same, self.aig.differ(self.value(clock, net), changed[net]) ^ 1
                )
        return same ^ 1 if self.solver.possible(same ^ 1) else 0

    def _any(self, other: int, value: int) -> int:
        """`value`, or where `other` holds, anything."""
        kept = self.aig.both(other ^ 1, value)
        return self.aig.both(kept ^ 1, self.aig.both(other, self.aig.variable()) ^ 1) ^ 1

    def _gate(self, values: list[int]) -> int:
        return values[0] ^ 1 if len(values) == 1 else self.aig.both(*values)

    def value(self, clock: int, net: int) -> int:
        """A net of the copy that is changed later."""
        if net < 2:
            return net
        self._reach(clock)
        stack = [(clock, net)]
        while stack:
            now, at = stack[-1]
            frame = self.frames[now]
            if at in frame:
                stack.pop()
                continue
            if at in self.place:
                ends = self.netlist.gates[self.place[at]][1:]
                missing = [(now, end) for end in ends if end >= 2 and end not in frame]
                if not missing:
                    frame[at] = self._gate([end if end < 2 else frame[end] for end in ends])
            elif now and at in self.next and at not in self.big:
                before, following = self.frames[now - 1], self.next[at]
                missing = [(now - 1, following)] if following >= 2 else []
                if following < 2:
                    frame[at] = following
                elif following in before:
                    frame[at] = before[following]
            else:  # an input, what a memory holds, the first state, or cut
                frame[at], missing = self.aig.variable(), []
            stack += [pair for pair in missing if pair[1] not in self.frames[pair[0]]]
        return self.frames[clock][net]

    def _seen(self, clock: int, shown: int, net: int, changed: dict[int, int]) -> bool:
        """Whether a net may differ where that is shown; whether it is, is compared by itself."""
        differ = self.aig.differ(self.value(clock, net), changed[net])
        return self.solver.possible(self.aig.both(differ, self.value(clock, shown)))

    def _differs(self, clock: int, net: int, value: int) -> bool:
        return self.solver.possible(self.aig.differ(self.value(clock, net), value))

    def _following(self, clock: int, changed: dict[int, int]) -> dict[int, int]:
        """The state's differences in the next clock."""
        tainted = {}
        for net, following in self.netlist.registers:
            if following in changed and self._differs(clock, following, changed[following]):
                if net in self.big:
                    self._uncut(clock, net)
                tainted[net] = changed[following]
        for read in self.netlist.reads:
            if read.clocked:
                other = self._asks(clock, read, changed)
                if read.holds and any(net in changed for net in read.data):
                    other = 1
                if other:
                    tainted |= {
                        net: self._any(other, self.value(clock + 1, net)) for net in read.data
                    }
        return tainted

    def _uncut(self, clock: int, net: int) -> None:
        """A cut register is what it is where the two copies differ in it."""
        value = self.value(clock, self.next[net])
        self._reach(clock + 1)
        self.frames[clock + 1].setdefault(net, value)

    def _reach(self, clock: int) -> None:
        for now in range(len(self.frames), clock + 1):
            self.frames.append(dict(self.chosen[now]))
