"""Wraps single blocks for the bench: one word of inputs per clock in, their outputs out as events.

A `Probe` puts a source of words around the plain inputs of a block and events around its plain
outputs; several of them go into one simulation as `Probes`. Predictions are written per clock: the
word number `n` is at the inputs in clock ``n + FIRST``, before and after they are all 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Shape
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .records import Channel, pack, records

FIRST = 1  # clock in which the first word of a source that never stalls moves


@dataclass(frozen=True)
class Event:
    """Outputs that are looked at together.

    Attributes
    ----------
    outputs : tuple of str
        Names of outputs of the block.
    when : callable or None
        From the block and the word at its inputs to the value that enables the event; None: at
        every clock. The word has one field more than the block has inputs, the bit ``ask``.
    """

    outputs: tuple[str, ...]
    when: Callable | None = None


class Probe(wiring.Component):
    """A block whose plain inputs are the fields of a stream's words and whose outputs are events.

    Parameters
    ----------
    block : wiring.Component
    events : dict
        :class:`Event` by name.

    Members
    -------
    drive : In(stream)
        The word of inputs; always ready.
    NAME : Out(event)
        One for each of `events`: its outputs concatenated, first one lowest.
    streams of the block
        As they are.
    """

    def __init__(self, block: wiring.Component, events: Mapping[str, Event]):
        self.block, self.events = block, dict(events)
        members = block.signature.members
        self.inputs = {n: m.shape for n, m in members.items() if m.is_port and m.flow == In}
        self.streams = [n for n, m in members.items() if m.is_signature]
        word = data.StructLayout(self.inputs | {"ask": 1})
        self.layouts = {
            name: {n: Shape.cast(members[n].shape) for n in event.outputs}
            for name, event in self.events.items()
        }
        super().__init__(
            {"drive": In(stream.Signature(word))}
            | {name: members[name] for name in self.streams}
            | {
                name: Out(
                    wiring.Signature(
                        {
                            "en": Out(1),
                            "address": Out(1),
                            "data": Out(sum(shape.width for shape in layout.values())),
                        }
                    )
                )
                for name, layout in self.layouts.items()
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.block = block = self.block
        m.d.comb += self.drive.ready.eq(1)
        word = self.drive.payload.shape()(Mux(self.drive.valid, self.drive.payload.as_value(), 0))
        for name in self.inputs:
            m.d.comb += getattr(block, name).eq(word[name])
        for name in self.streams:
            wiring.connect(m, getattr(block, name), wiring.flipped(getattr(self, name)))
        for name, event in self.events.items():
            port, offset = getattr(self, name), 0
            m.d.comb += port.en.eq(1 if event.when is None else event.when(block, word))
            for output, shape in self.layouts[name].items():
                m.d.comb += port.data[offset : offset + shape.width].eq(getattr(block, output))
                offset += shape.width
        return m


class Probes(wiring.Component):
    """Several `Probe`s side by side: one simulation to build instead of many.

    Members
    -------
    NAME : Out(interface)
        One for each of `probes`.
    """

    def __init__(self, probes: Mapping[str, Probe]):
        self.probes = dict(probes)
        super().__init__({name: Out(probe.signature) for name, probe in self.probes.items()})

    def elaborate(self, platform):
        m = Module()
        for name, probe in self.probes.items():
            m.submodules[name] = probe
            wiring.connect(m, probe, wiring.flipped(getattr(self, name)))
        return m


def layout_fields(layout: data.StructLayout, values: Mapping, where: str = "") -> list:
    """The fields of a structure as :func:`hebbware.cosim.records.pack` takes them.

    Parameters
    ----------
    layout : data.StructLayout
    values : dict
        By field: one number for each word (64 bits, sign-extended), or rows of numbers for a field
        of several lanes, or another dict for a structure; a field that is not there is 0.
    """
    count = len(_first(values))
    if unknown := set(values) - {name for name, _ in layout}:
        raise ValueError(f"fields of {where or 'a word'} must exist: {sorted(unknown)}")
    fields = []
    for name, field in layout:
        value = values.get(name, np.zeros(count, np.int64))
        if isinstance(value, Mapping):
            fields += layout_fields(field.shape, value, name)
        elif field.width:
            fields += _parts(np.asarray(value, np.int64).reshape(count, -1), field.width)
    return fields


def _parts(rows: np.ndarray, width: int) -> list:
    """Lanes that share `width` bits, or one number in parts of at most 32 bits."""
    if rows.shape[1] > 1 or width <= 32:
        return [(rows, width // rows.shape[1])]
    return [(rows >> min(at, 63), min(32, width - at)) for at in range(0, width, 32)]


def _first(values):
    value = next(iter(values.values()))
    return _first(value) if isinstance(value, Mapping) else value


def drive(probe: Probe, values: Mapping) -> np.ndarray:
    """Words for the stream ``drive`` of `probe`: see :func:`layout_fields`."""
    return pack(*layout_fields(probe.drive.payload.shape(), values))


def event_log(probe: Probe, channel: Channel, clocks, **values) -> np.ndarray:
    """The expected log of an event of `probe`; `values` by output, one number (or row) for each."""
    layout = probe.layouts[channel.name.rpartition(".")[2]]
    if set(values) != set(layout):
        raise ValueError(f"values must be for {sorted(layout)}, not {sorted(values)}")
    clocks = np.asarray(clocks, np.int64)
    fields = []
    for name, shape in layout.items():
        fields += _parts(np.asarray(values[name], np.int64).reshape(clocks.size, -1), shape.width)
    return records(channel, clocks, pack(*fields), np.zeros(clocks.size, np.int64))
