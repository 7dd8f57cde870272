"""Describes the channels of a component and writes the Verilog test bench around it.

The bench makes clock and reset, feeds every input stream from a file, throttles both ends of every
stream and logs every transfer and event; nothing of that enters Python. It may reset all after some
clocks and begin anew. Clock numbers and the rules of the handshakes are in
:mod:`hebbware.golden.program.stalls`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .records import Channel, port_name, words

PERIOD = 2  # time steps in a clock
RESET_CLOCKS = 4  # rising edges with the reset high; the next one is clock 0
EVENT_MEMBERS = {"en", "address", "data"}


@dataclass(frozen=True)
class Bench:
    """The channels of a component, and what its other ports are tied to.

    Attributes
    ----------
    channels : dict
        :class:`Channel` by name.
    constants : dict
        Value of each plain input, by name.
    ignored : frozenset
        Names of the plain outputs, all left open.
    chosen : frozenset
        Names of plain inputs that each run gives a value, of up to 32 bits: ``+NAME=VALUE``.
    """

    channels: dict[str, Channel]
    constants: dict[str, int] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    chosen: frozenset[str] = frozenset()

    def ports(self) -> dict[str, str]:
        """What each port of the component, clock and reset aside, is connected to."""
        ports = {}
        for channel in self.channels.values():
            event = channel.kind == "event"
            for member in ("en", "address", "data") if event else ("valid", "ready", "payload"):
                ports[f"{channel.port}__{member}"] = f"{channel.port}__{member}"
        ports.update({port_name(n): f"{v}" for n, v in self.constants.items()})
        ports.update({port_name(n): "" for n in self.ignored})
        ports.update({port_name(n): port_name(n) for n in self.chosen})
        return ports

    def verilog(self, *, clocked: bool) -> str:
        """Text of the module ``bench`` around a module ``dut``.

        `clocked` says whether the component has the ports ``clk`` and ``rst``.
        """
        ports = {"clk": "clk", "rst": "rst"} if clocked else {}
        ports |= self.ports()
        return _BENCH.format(
            half=PERIOD // 2,
            reset=RESET_CLOCKS,
            channels="\n".join(
                [_CHOSEN.format(port=port_name(n), name=n) for n in sorted(self.chosen)]
                + [self._instance(c) for c in self.channels.values()]
            ),
            connections=",\n".join(f"      .{port}({net})" for port, net in ports.items()),
        )

    def _instance(self, channel: Channel) -> str:
        """Nets of a channel and the module at their end."""
        template, counted, declare = _STREAM, None, ""
        if channel.kind == "event":
            template = _EVENT
        elif channel.kind == "sink":
            counted = f"{channel.port}__transferred"
            declare = f"  bit [31:0] {counted};\n"
        elif channel.hold:
            counted = f"{port_name(channel.hold)}__transferred"
        return template.format(
            port=channel.port,
            name=channel.name,
            kind=channel.kind,
            width=channel.width,
            address=channel.address_width,
            padded=32 * words(channel.address_width),
            declare=declare,
            transferred=counted or "32'd0",
        )


def channel_modules(records: str = "log") -> str:
    """Verilog of the modules that :meth:`Bench.verilog` instantiates.

    `records` says what happens to records: ``log``, or ``verdict``, see the files of these names.
    """
    folder = resources.files(__package__)
    names = ("channels.sv", f"{records}.sv")
    return "\n".join(folder.joinpath(name).read_text() for name in names)


def describe(
    component: wiring.Component,
    *,
    hold: Mapping[str, str] | None = None,
    constants: Mapping[str, int] | None = None,
    ignored: Collection[str] = (),
) -> Bench:
    """Reads the channels of a component from its signature.

    An input stream is a source, an output stream a sink, an output interface with exactly the
    members ``en``, ``address`` and ``data`` an event; they may be nested in other interfaces.
    Payloads of any shape are vectors of bits here, first field lowest.

    Parameters
    ----------
    component : wiring.Component
        What to test.
    hold : dict, optional
        Sink by source: the words of this source may wait for results of that sink.
    constants : dict, optional
        Value of each plain input.
    ignored : collection, optional
        Plain outputs that are not looked at.

    Raises
    ------
    ValueError
        If a port is neither of a known kind nor listed, or a listed name does not exist.
    """
    hold, constants = dict(hold or {}), dict(constants or {})
    channels: dict[str, Channel] = {}
    plain = {In: set(), Out: set()}
    for name, member in _leaves(component.signature):
        if member.is_port:
            plain[member.flow].add(name)
        elif _is_stream(member.signature):
            channels[name] = _stream(name, member.signature, hold.pop(name, None))
        else:
            channels[name] = _event(name, member.signature)
    _check_names("inputs", constants, plain[In])
    _check_names("outputs", ignored, plain[Out])
    sinks = [c.name for c in channels.values() if c.kind == "sink"]
    for channel in channels.values():
        if channel.hold and channel.hold not in sinks:
            raise ValueError(f"{channel.name} must wait for a sink {sinks}, not {channel.hold!r}")
    if hold:
        raise ValueError(f"hold must be for sources, not {sorted(hold)}")
    return Bench(channels, constants, frozenset(ignored))


def _leaves(signature: wiring.Signature, path: str = "") -> Iterator[tuple[str, wiring.Member]]:
    """Name and member of each channel and plain port; flows are those of the component."""
    for key, member in signature.members.items():
        for index in np.ndindex(*member.dimensions):
            name = ".".join(map(str, (path, key, *index) if path else (key, *index)))
            if member.is_port or _is_stream(member.signature) or _is_event(member.signature):
                yield name, member
            else:
                yield from _leaves(member.signature, name)


def _is_stream(signature: wiring.Signature) -> bool:
    return any(isinstance(s, stream.Signature) for s in (signature, signature.flip()))


def _is_event(signature: wiring.Signature) -> bool:
    members = signature.members
    return set(members) == EVENT_MEMBERS and all(
        members[name].is_port and members[name].flow == Out and not members[name].dimensions
        for name in EVENT_MEMBERS
    )


def _stream(name: str, signature: wiring.Signature, hold: str | None) -> Channel:
    payload = signature.members["payload"]
    kind = "sink" if payload.flow == Out else "source"
    width = Shape.cast(payload.shape).width
    if width == 0 or signature.always_valid or signature.always_ready:
        raise ValueError(f"{name} must have a payload, a valid and a ready, not {signature!r}")
    if hold and kind == "sink":
        raise ValueError(f"hold must be for sources, not {name!r}")
    return Channel(name, kind, width, hold=hold)


def _event(name: str, signature: wiring.Signature) -> Channel:
    width = {key: Shape.cast(member.shape).width for key, member in signature.members.items()}
    if 0 in width.values() or width["en"] != 1:
        raise ValueError(f"{name} must have one bit `en`, some of address and data, not {width}")
    return Channel(name, "event", width["data"], width["address"])


def _check_names(what: str, listed: Collection[str], present: Collection[str]) -> None:
    if missing := set(present) - set(listed):
        raise ValueError(f"plain {what} must be listed or be part of a channel: {sorted(missing)}")
    if unknown := set(listed) - set(present):
        raise ValueError(f"listed plain {what} must exist: {sorted(unknown)}")


_BENCH = """\
module bench;
  bit clk, rst;
  bit [31:0] edges, n;  // rising edges so far; the clock, from {reset} edges of reset on
  bit [31:0] first;  // clocks after which all begins anew, with a reset; 0: none
  initial if (!$value$plusargs("reset_after=%d", first)) first = 0;
  always #{half} clk = ~clk;
  always @(posedge clk)
    if (first != 0 && edges == {reset} + first - 1) begin
      edges <= 0;
      first <= 0;
    end else edges <= edges + 1;
  assign rst = edges < {reset};
  assign n = edges - {reset};

{channels}
  dut dut (
{connections}
  );
endmodule
"""

_CHOSEN = """\
  bit [31:0] {port};
  initial if (!$value$plusargs("{name}=%d", {port})) $fatal(1, "no value of {name}");
"""

_STREAM = """\
  logic {port}__valid, {port}__ready;
  logic [{width}-1:0] {port}__payload;
{declare}  bench_{kind} #(
      .NAME("{name}"),
      .WIDTH({width})
  ) {kind}__{port} (
      .valid({port}__valid),
      .ready({port}__ready),
      .payload({port}__payload),
      .transferred({transferred}),
      .*
  );
"""

_EVENT = """\
  logic {port}__en;
  logic [{address}-1:0] {port}__address;
  logic [{width}-1:0] {port}__data;
  bench_event #(
      .NAME("{name}"),
      .WIDTH({width} + {padded})
  ) event__{port} (
      .en({port}__en),
      .record({{{port}__data, {padded}'({port}__address)}}),
      .*
  );
"""
