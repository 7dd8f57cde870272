"""Pipelined sum over the lanes."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.pipeline import tree_fans, tree_latency


class AdderTree(wiring.Component):
    """Sum of `lanes` signed values, in the stages of `hebbware.golden.program.pipeline.tree_fans`.

    Latency: `hebbware.golden.program.pipeline.tree_latency` clocks; a new sum each clock.

    Parameters
    ----------
    lanes, width : int
        Number and width of the summands.
    total_width : int
        Width of the sum; the caller knows the bound.

    Members
    -------
    inputs : In, array of signed
    total : Out, signed
    """

    def __init__(self, *, lanes, width, total_width):
        self.lanes, self.total_width = lanes, total_width
        super().__init__(
            {
                "inputs": In(data.ArrayLayout(signed(width), lanes)),
                "total": Out(signed(total_width)),
            }
        )

    @property
    def latency(self):
        """Clocks from inputs to total."""
        return tree_latency(self.lanes)

    def elaborate(self, platform):
        m = Module()
        level = [self.inputs[i] for i in range(self.lanes)]
        for stage, fan in enumerate(tree_fans(self.lanes)):
            merged = []
            for at in range(0, len(level), fan):
                total = sum(level[at + 1 : at + fan], level[at])
                register = Signal(
                    signed(min(len(total), self.total_width)),
                    name=f"sum_{stage}_{at // fan}",
                    reset_less=True,
                )
                m.d.sync += register.eq(total)
                merged.append(register)
            level = merged
        m.d.comb += self.total.eq(level[0])
        return m
