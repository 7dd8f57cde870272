"""Trace ports: every write to a memory, for co-simulation."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from ..golden.program.traces import traces


def event(address_shape, data_shape):
    """Signature of a trace port: one write per clock in which `en` is high."""
    return wiring.Signature({"en": Out(1), "address": Out(address_shape), "data": Out(data_shape)})


def trace_ports(config) -> dict:
    """Members for the traces of a core, by name: a signed number, or a word of all lanes."""
    ports = {}
    for name, trace in traces(config).items():
        shape = signed(trace.width) if trace.single else unsigned(trace.lanes * trace.width)
        ports[name] = Out(event(range(trace.depth), shape))
    return ports


def show(port, en, address, data) -> list:
    """Statements that drive a trace port."""
    return [port.en.eq(en), port.address.eq(address), port.data.eq(data)]
