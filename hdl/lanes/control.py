"""Control signals of the lanes, and how a step sets them."""

from amaranth.hdl import Cat, Mux, Signal
from amaranth.lib import data, enum

from ...golden.program import widths
from ...golden.program.layout import Layout
from ..shapes import index
from ..walks.step import is_any, kinds_of


class Own(enum.Enum):
    """The lane's own operand."""

    WEIGHT = 0
    READ = 1
    Z = 2
    A = 3
    D = 4
    BYTE = 5


class Common(enum.Enum):
    """The common operand."""

    SCALAR = 0
    Z = 1
    A = 2


def own_of(m, config, step):
    """`Own` of a step, a bit for each."""
    those = kinds_of(config).those
    own = Signal(Own)
    with m.Switch(step.kind):
        for of in (Own.Z, Own.READ, Own.A, Own.D, Own.BYTE):
            for jacobian in (False, True):
                found = (of.name, jacobian)
                kinds = those(lambda walk, found=found: (walk.own.name, walk.jacobian) == found)
                if kinds:
                    with m.Case(*kinds):
                        m.d.comb += own.eq(Mux(step.jacobian, Own.Z, of) if jacobian else of)
        with m.Default():
            m.d.comb += own.eq(Own.WEIGHT)
    return Cat(own == of for of in Own)


def common_of(config, kind):
    """`Common` of a kind."""
    those = kinds_of(config).those
    z, a = (
        is_any(kind, those(lambda walk, of=of: walk.common.name == of.name))
        for of in (Common.Z, Common.A)
    )
    return Mux(z, Common.Z, Mux(a, Common.A, Common.SCALAR))


class Control(data.StructLayout):
    """Control signals broadcast to every lane; the suffix is the pipeline stage that uses them."""

    def __init__(self, config):
        super().__init__(
            {
                "own_5": len(Own),  # a bit for each `Own`
                "common_5": Common,
                "remember_5": 1,  # class memory: it leaks,
                "remember_6": 1,  # and rounds its own way
                "start_6": 1,  # start values are rounded to nearest
                "fresh_7": 1,  # the accumulator starts anew
                "slice_8": index(len(widths.slices(config))),  # where the vector's bits begin
                "forward_8": 1,
                "direction_8": 1,
                "start_8": 1,
                "forward_9": 1,
                "direction_9": 1,
                "start_9": 1,
                "blank_9": 1,  # start values of the first group: all other lanes get 0
                "host_9": 1,
            }
            | ({"traces_9": 1} if config.recurrent else {})
            # the accumulator starts from what rounds a weight, and ends as its change
            | ({"correlates_7": 1, "correlates_8": 1} if config.convolves else {})
            # sums of groups of lanes begin with nothing; the last step takes in those of all
            | ({"bare_7": 1, "gathers_7": 1} if Layout(config).spans > 1 else {})
        )
