"""A test bench in plain Verilog that holds its stimulus and expected records and checks itself.

It is synthesizable Verilog-2005, which SystemVerilog reads alike, so that any simulator can run it,
and programs that turn Verilog into something else can, too. Clock and handshake rules are in
:mod:`hebbware.golden.program.stalls`; a payload that is not on offer is undefined.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from hebbware.golden.program.stalls import start_state

from .bench import RESET_CLOCKS, Bench
from .records import Channel, as_rows, port_name, words
from .run import IDLE, Stimulus

RUN = "selfcheck_run"  # the top that makes its own clock, prints one line and stops
END = 0xFFFFFFFF  # a clock that is never reached


@dataclass(frozen=True)
class Trial:
    """A module, and all that it is to do.

    Attributes
    ----------
    verilog : str
        Its text.
    module : str
        Its name.
    bench : Bench
        Its channels.
    stimulus : dict
        :class:`Stimulus` by source.
    expected : dict
        Whole logs of all sinks and events, by channel.
    seed : int
    stalls : dict
        Of the streams' ends, see :mod:`hebbware.golden.program.stalls`.
    """

    verilog: str
    module: str
    bench: Bench
    stimulus: Mapping[str, Stimulus]
    expected: Mapping[str, np.ndarray]
    seed: int
    stalls: Mapping[str, int]

    @property
    def clocks(self) -> int:
        """Clocks to run: 64 more than up to the last record."""
        return max(int(log[-1, 0]) + 1 for log in self.expected.values() if len(log)) + IDLE

    def files(self) -> dict[str, str]:
        """The bench, the module and their data, by file name; the top is ``selfcheck``."""
        parts = resources.files(__package__).joinpath("selfcheck.v").read_text()
        files = {"dut.v": self.verilog, "selfcheck.v": parts + _top(self)}
        for name, channel in self.bench.channels.items():
            if channel.kind == "source":
                rows = _offered(channel, self.stimulus.get(name))
            else:
                last = np.zeros((1, channel.columns), np.uint32)
                last[0, 0] = END
                rows = np.concatenate([self.expected[name], last])
            files[f"{name}.hex"] = "".join(
                "".join(f"{word:08x}" for word in row[::-1]) + "\n" for row in rows.tolist()
            )
        return files


def _offered(channel: Channel, given: Stimulus | np.ndarray | None) -> np.ndarray:
    """Rows of hold and payload; the last one is never loaded."""
    if given is None:
        given = np.zeros((0, words(channel.width)), np.uint32)
    if not isinstance(given, Stimulus):
        given = Stimulus(given)
    rows = as_rows(given.words, channel.width)
    table = np.zeros((len(rows) + 1, rows.shape[1] + 1), np.uint32)
    table[:-1, 1:] = rows
    if given.hold is not None:
        table[:-1, 0] = given.hold
    return table


_TOP = """
module selfcheck (
    input wire clk,
    output wire [31:0] n,  // the clock, from {reset} edges of reset on
    output wire [{last}:0] wrong,  // one bit for each channel that is compared
    output wire unknown,
    output wire finished,
    output wire [31:0] seen,  // records
    output wire [31:0] index,
    output wire [{wide}-1:0] wanted,
    output wire [{wide}-1:0] got
);
  reg [31:0] edges;
  wire rst = edges < {reset};
  initial edges = 0;
  always @(posedge clk) edges <= edges + 1;
  assign n = edges - {reset};
  assign finished = !rst && n == {clocks};

{channels}
  {module} dut (
{connections}
  );
`ifdef YOSYS
  assign unknown = 0;
`else
  assign unknown = !rst && (^{{{answers}}}) === 1'bx;
`endif
  assign seen = {seen};
  assign index = {index};
  assign wanted = {wanted};
  assign got = {got};
endmodule

`ifndef YOSYS
module selfcheck_run;
  reg clk;
  wire [31:0] n, seen, index;
  wire [{last}:0] wrong;
  wire unknown, finished;
  wire [{wide}-1:0] wanted, got;

  selfcheck check (
      .clk(clk), .n(n), .wrong(wrong), .unknown(unknown), .finished(finished), .seen(seen),
      .index(index), .wanted(wanted), .got(got)
  );
  initial clk = 0;
  always #1 clk = !clk;
  always @(posedge clk)
    if (wrong !== 0 || unknown || finished) begin
      $display("%0d %0d %b %b %0d %h %h", n, seen, wrong, unknown, index, wanted, got);
      $finish;
    end
endmodule
`endif
"""

_SOURCE = """\
  wire {port}__valid, {port}__ready;
  wire [{width}-1:0] {port}__payload;
  check_source #(
      .WIDTH({width}), .COUNT({count}), .FILE("{name}.hex"), .STATE({state}), .STALL({stall})
  ) source__{port} (
      .clk(clk), .rst(rst), .transferred({transferred}),
      .valid({port}__valid), .payload({port}__payload), .ready({port}__ready)
  );
"""

_SINK = """\
  wire {port}__valid, {port}__ready;
  wire [{width}-1:0] {port}__payload;
  wire [{record}-1:0] {port}__record = {port}__payload;
  reg [31:0] {port}__moved;
  initial {port}__moved = 0;
  always @(posedge clk)
    if (!rst && {port}__valid && {port}__ready) {port}__moved <= {port}__moved + 1;
  check_go #(.STATE({state}), .STALL({stall})) go__{port} (
      .clk(clk), .rst(rst), .go({port}__ready)
  );
"""

_EVENT = """\
  wire {port}__en;
  wire [{address}-1:0] {port}__address;
  wire [{width}-1:0] {port}__data;
  wire [{padded}-1:0] {port}__place = {port}__address;
  wire [{record}-1:0] {port}__record = {{{port}__data, {port}__place}};
"""

_RECORDS = """\
  wire [31:0] {port}__seen;
  wire [{record}-1:0] {port}__wanted;
  check_records #(.WIDTH({record}), .COUNT({count}), .FILE("{name}.hex")) records__{port} (
      .clk(clk), .rst(rst), .n(n), .en({en}), .record({port}__record),
      .seen({port}__seen), .wanted({port}__wanted), .wrong(wrong[{number}])
  );
"""


def by_stream(bench: Bench, stalls: int | Mapping[str, int]) -> Mapping[str, int]:
    """Stalls by stream, from those or one for all."""
    if not isinstance(stalls, int):
        return stalls
    return {name: stalls for name, channel in bench.channels.items() if channel.kind != "event"}


def compared(bench: Bench) -> list[Channel]:
    """The channels that are compared, in the order of the bits of ``wrong``."""
    return [channel for channel in bench.channels.values() if channel.kind != "source"]


def _top(trial: Trial) -> str:
    """The top module around the one that is tested."""
    checked = compared(trial.bench)
    answers = [
        f"{channel.port}__{member}"
        for channel in trial.bench.channels.values()
        for member in {"source": ["ready"], "sink": ["valid"], "event": ["en"]}[channel.kind]
    ]

    def first(member: str) -> str:
        chosen = [f"wrong[{n}] ? {c.port}__{member} : " for n, c in enumerate(checked)]
        return "".join(chosen) + "0"

    ports = {"clk": "clk", "rst": "rst", **trial.bench.ports()}
    return _TOP.format(
        reset=RESET_CLOCKS, last=len(checked) - 1, clocks=trial.clocks, module=trial.module,
        wide=max(32 * (channel.columns - 1) for channel in checked),
        channels="\n".join(_channel(trial, channel) for channel in trial.bench.channels.values()),
        connections=",\n".join(f"      .{port}({net})" for port, net in ports.items()),
        answers=", ".join(answers), seen=" + ".join(f"{c.port}__seen" for c in checked),
        index=first("seen"), wanted=first("wanted"),
        got=first("record"),
    )  # fmt: skip


def _channel(trial: Trial, channel: Channel) -> str:
    """Nets of a channel and what is at their end."""
    name, port, stall = channel.name, channel.port, trial.stalls.get(channel.name, 0)
    about = {
        "name": name, "port": port, "width": channel.width, "stall": f"8'd{stall}",
        "state": f"32'd{start_state(trial.seed, name)}", "record": 32 * (channel.columns - 1),
        "address": channel.address_width, "padded": 32 * words(channel.address_width),
    }  # fmt: skip
    if channel.kind == "source":
        count = len(_offered(channel, trial.stimulus.get(name)))
        transferred = f"{port_name(channel.hold)}__moved" if channel.hold else "32'd0"
        return _SOURCE.format(**about, count=count, transferred=transferred)
    text, en = _EVENT, f"{port}__en"
    if channel.kind == "sink":
        text, en = _SINK, f"{port}__valid && {port}__ready"
    number = compared(trial.bench).index(channel)
    count = len(trial.expected[name]) + 1
    return (text + _RECORDS).format(**about, number=number, count=count, en=en)
