"""State machines with a flip-flop for each state."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Signal


def either(*conditions):
    """Whether one of the conditions holds."""
    return reduce(or_, conditions)


class States:
    """A state machine in which a state is one flip-flop: nothing has to be decoded.

    What depends on states is written as a sum of products, so that the machine adds few levels of
    logic; a state's own signal may be a registered output.

    Parameters
    ----------
    names : str
        Of the states; the machine starts in the first.
    """

    def __init__(self, *names: str):
        self._signals = {
            name: Signal(name=f"in_{name.lower()}", init=name == names[0]) for name in names
        }
        self._ways = []

    def __getattr__(self, name):
        try:
            return self.__dict__["_signals"][name]
        except KeyError:
            raise AttributeError(name) from None

    def go(self, source: str, when, target: str) -> None:
        """From `source` to `target` when `when` holds; those of a state exclude each other."""
        self._ways.append((source, target, self._signals[source] & when))

    def add_to(self, m: Module) -> None:
        """Make the flip-flops change; call it after all transitions are given."""
        for name, signal in self._signals.items():
            enter = [way for source, target, way in self._ways if target == name]
            leave = [way for source, target, way in self._ways if source == name]
            m.d.sync += signal.eq(either(signal & ~either(*leave), *enter))
