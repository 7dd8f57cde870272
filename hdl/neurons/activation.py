"""The non-linearity of a lane, as `hebbware.golden.neurons.dynamics`; combinational."""

from amaranth.hdl import Const, Mux

from ..lanes.fixed import shift_round


def activate(config, u):
    """``f(u)``, raw u."""
    return Mux(u[-1], below(config, u), u)


def active(config, a):
    """Whether the slope at the activation `a` is whole."""
    return a > 0


def below(config, value):
    """`value` times the slope where that is not whole."""
    shift = config.neuron.slope_shift
    return shift_round(value, shift) if shift else Const(0)
