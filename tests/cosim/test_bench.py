"""The bench against a prediction made clock by clock in plain Python from its documentation."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.bare import bare_speed
from hebbware.cosim.bench import describe
from hebbware.cosim.build import build, without_start_values
from hebbware.cosim.records import pack, records, unpack
from hebbware.cosim.run import Stimulus, run
from hebbware.golden.arithmetic.random import xorshift32
from hebbware.golden.errors import InputError, ToolError
from hebbware.golden.program.stalls import first_go, go_pattern, start_state

BIAS = 3
TOTAL = 40


class Accumulator(wiring.Component):
    """Sums words; every fourth word hands the total on. A command sets the total."""

    def __init__(self):
        event = wiring.Signature({"en": Out(1), "address": Out(2), "data": Out(signed(TOTAL))})
        result = data.StructLayout({"total": signed(TOTAL), "number": unsigned(8)})
        super().__init__(
            {
                "x": In(stream.Signature(signed(8))),
                "command": In(stream.Signature(unsigned(33))),
                "result": Out(stream.Signature(result)),
                "trace": Out(wiring.Signature({"totals": Out(event)})),
                "bias": In(signed(4)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        total, new = Signal(signed(TOTAL)), Signal(signed(TOTAL))
        index, number, full = Signal(2), Signal(8), Signal()
        take_x, take_command = Signal(), Signal()
        event = self.trace.totals
        m.d.comb += [
            self.x.ready.eq(~full),
            self.command.ready.eq(~full),
            self.busy.eq(full),
            take_x.eq(self.x.valid & ~full),
            take_command.eq(self.command.valid & ~full),
            new.eq(
                Mux(take_command, self.command.payload, total)
                + Mux(take_x, self.x.payload + self.bias, 0)
            ),
        ]
        m.d.sync += [total.eq(new), event.en.eq(take_x), event.address.eq(index)]
        m.d.sync += event.data.eq(new)
        with m.If(take_x):
            m.d.sync += [index.eq(index + 1), full.eq(index == 3)]
        with m.If(full & (~self.result.valid | self.result.ready)):
            m.d.sync += [
                full.eq(0),
                number.eq(number + 1),
                self.result.valid.eq(1),
                self.result.payload.total.eq(total),
                self.result.payload.number.eq(number),
            ]
        with m.Elif(self.result.ready):
            m.d.sync += self.result.valid.eq(0)
        return m


class PredictedSource:
    """A source as golden/program/stalls.py describes it."""

    def __init__(self, words, hold):
        self.words, self.hold = words, hold
        self.next, self.offered = 0, None

    def step(self, go, moves, transferred):
        if self.offered is None or moves:
            self.offered = None
            more = self.next < len(self.words)
            if more and go and transferred >= self.hold[self.next]:
                self.offered = self.words[self.next]
                self.next += 1


def naive_go(state, stall):
    """Endless go pattern, one plain xorshift step a clock."""
    while True:
        yield state % 256 >= stall
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF


def predict(x, command, hold, clocks, seed, stalls):
    """Records of every channel as lists of (clock, address, data)."""
    sources = {"x": PredictedSource(x, [0] * len(x)), "command": PredictedSource(command, hold)}
    go = {name: naive_go(start_state(seed, name), stall) for name, stall in stalls.items()}
    logs = {name: [] for name in ("x", "command", "result", "trace.totals")}
    total = index = number = full = transferred = 0
    result = event = None
    for n in range(clocks):
        goes = {name: next(pattern) for name, pattern in go.items()}
        moves = {name: s.offered is not None and not full for name, s in sources.items()}
        for name in sources:
            if moves[name]:
                logs[name].append((n, None, None))
        if event:
            logs["trace.totals"].append((n, *event))
        result_moves = result is not None and goes["result"]
        if result_moves:
            logs["result"].append((n, None, result))
        base = sources["command"].offered if moves["command"] else total
        new_total = base + (sources["x"].offered + BIAS if moves["x"] else 0)
        event = (index, new_total) if moves["x"] else None
        if result is None or result_moves:
            result = (total, number % 256) if full else None
            number += full
            full = 0
        if moves["x"]:
            full = int(index == 3)
            index = (index + 1) % 4
        for name, source in sources.items():
            source.step(goes[name], moves[name], transferred)
        total = new_total
        transferred += result_moves
    return logs


def as_logs(bench, predicted):
    """Predicted lists as arrays of records."""
    logs = {}
    for name, rows in predicted.items():
        channel = bench.channels[name]
        clock, address, words = (list(c) for c in zip(*rows, strict=True))
        mask = (1 << channel.width) - 1
        if name == "result":
            words = [(total & (1 << TOTAL) - 1) | count << TOTAL for total, count in words]
        if name in ("result", "trace.totals"):
            words = [[(w & mask) >> 32 * i & 0xFFFFFFFF for i in range(2)] for w in words]
        logs[name] = records(
            channel,
            np.array(clock),
            np.array(words, np.uint32) if channel.kind != "source" else None,
            np.array(address) if channel.kind == "event" else None,
        )
    return logs


TIED = {"constants": {"bias": BIAS}, "ignored": ("busy",), "hold": {"command": "result"}}
CLOCKS = 3000


@pytest.fixture(scope="module")
def component():
    return Accumulator()


@pytest.fixture(scope="module")
def model(component):
    return build(component, **TIED)


def case(seed=0, stalls=(0, 0, 0), words=600):
    """Stimulus and predicted logs."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, words)
    command = rng.integers(0, 1 << 33, 20)
    hold = np.sort(rng.integers(0, words // 4, 20))
    stalls = dict(zip(("x", "command", "result"), stalls, strict=True))
    predicted = predict(x.tolist(), command.tolist(), hold.tolist(), CLOCKS, seed, stalls)
    command = pack((command & 0xFFFFFFFF, 32), (command >> 32, 1))
    return {"x": x, "command": Stimulus(command, hold)}, predicted, stalls


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("stalls", [(0, 0, 0), (128, 0, 0), (0, 0, 250), (90, 200, 160)])
def test_run_equals_prediction(model, seed, stalls):
    stimulus, predicted, by_name = case(seed, stalls)
    expected = as_logs(model.bench, predicted)
    result = run(model, stimulus, expected, seed=seed, stalls=by_name, clocks=CLOCKS)
    assert result.mismatch is None
    assert result.mismatches == 0
    assert result.clocks == CLOCKS
    assert result.compared == sum(len(rows) for rows in predicted.values()) > 100
    for name, log in expected.items():
        np.testing.assert_array_equal(result.logs[name], log)
    # every word of the commands waited for its results
    sent = result.logs["command"][:, 0]
    for clock, hold in zip(sent, stimulus["command"].hold, strict=False):
        assert (result.logs["result"][:, 0] < clock - 1).sum() >= hold


@pytest.mark.parametrize("channel", ["x", "command", "result", "trace.totals"])
def test_first_wrong_record_is_found(model, channel):
    stimulus, predicted, stalls = case(5, (90, 0, 160))
    expected = as_logs(model.bench, predicted)
    right = expected[channel]
    at = len(right) // 2
    clock = int(right[at, 0])

    def mismatch(log):
        result = run(model, stimulus, expected | {channel: log}, seed=5, stalls=stalls)
        assert result.mismatches == 1
        assert result.mismatch.channel == channel
        assert result.mismatch.index == at
        assert result.compared >= at
        return result.mismatch

    if channel not in ("x", "command"):
        wrong = right.copy()
        wrong[at, -1] ^= 1
        wrong[at + 5, 1] ^= 1
        found = mismatch(wrong)
        assert (found.kind, found.clock) == ("value", clock)
        assert (found.expected, found.got) == (tuple(wrong[at]), tuple(right[at]))
    early = right.copy()
    early[at, 0] -= 1
    if early[at - 1, 0] < early[at, 0]:
        found = mismatch(early)
        assert (found.kind, found.clock) == ("clock", clock - 1)
    surplus = mismatch(np.delete(right, at, axis=0))
    assert (surplus.kind, surplus.clock, surplus.expected) == ("surplus", clock, None)
    invented = right[at].copy()
    invented[0] = (int(right[at - 1, 0]) + 1) if right[at - 1, 0] + 1 < clock else clock
    if invented[0] < clock:
        found = mismatch(np.insert(right, at, invented, axis=0))
        assert (found.kind, found.clock, found.got) == ("missing", invented[0], None)


def test_differences_at_the_end(model):
    stimulus, predicted, stalls = case()
    expected = as_logs(model.bench, predicted)
    last = expected["result"][-1:]
    more = last.copy()
    more[0, 0] += 100
    log = np.concatenate([expected["result"], more])
    found = run(model, stimulus, expected | {"result": log}, stalls=stalls).mismatch
    assert (found.kind, found.index, found.clock) == ("missing", len(log) - 1, more[0, 0])
    log = expected["result"][:-1]
    found = run(model, stimulus, expected | {"result": log}, stalls=stalls).mismatch
    assert (found.kind, found.index, found.got) == ("surplus", len(log), tuple(last[0]))


def test_earliest_of_several_channels(model):
    stimulus, predicted, _ = case()
    expected = as_logs(model.bench, predicted)
    for name, at in (("result", 10), ("trace.totals", 20)):
        expected[name][at, 1] ^= 4
    found = run(model, stimulus, expected).mismatch
    assert (found.channel, found.index) == ("trace.totals", 20)
    text = found.message(model.bench.channels[found.channel], lambda c, e, g: f"{c.name} {e} {g}")
    first, second = text.split("\n")
    raw = "".join(f"{word:08x}" for word in found.expected[:1:-1])
    assert first.startswith(f"clock {found.clock}: trace.totals, record 20, value: expected clock")
    assert f"data 0x{raw}, got" in first
    assert second == f"trace.totals {found.expected} {found.got}"


def test_free_run_stops_when_asked(model):
    stimulus, predicted, _ = case()
    seen = []
    result = run(model, stimulus, clocks=10**9, until={"result": 100}, progress=seen.append)
    assert result.compared == 0
    assert len(result.logs["result"]) >= 100
    assert result.clocks < 10**6
    assert result.clocks_per_second > 0
    np.testing.assert_array_equal(
        result.logs["result"][:100], as_logs(model.bench, predicted)["result"][:100]
    )


def test_silent_source(model):
    result = run(model, {}, clocks=100)
    assert all(len(log) == 0 for log in result.logs.values())


@pytest.mark.parametrize("clocks", [1, 2, 777])
def test_all_begins_anew_after_a_reset(model, clocks):
    """Words are on offer, results counted and clocks logged when it comes."""
    stimulus, predicted, by_name = case(3, (90, 20, 160))
    expected = as_logs(model.bench, predicted)
    result = run(
        model, stimulus, expected, seed=3, stalls=by_name, clocks=CLOCKS, reset_after=clocks
    )
    assert result.mismatch is None
    assert result.clocks == CLOCKS
    for name, log in expected.items():
        np.testing.assert_array_equal(result.logs[name], log)


class Age(wiring.Component):
    """Counts clocks, those in reset too, in a register that no reset changes."""

    def __init__(self):
        members = {"en": Out(1), "address": Out(1), "data": Out(32)}
        super().__init__({"age": Out(wiring.Signature(members)), "x": In(stream.Signature(1))})

    def elaborate(self, platform):
        m = Module()
        age, counted = Signal(32, init=5, reset_less=True), Signal(32)
        m.d.sync += [age.eq(age + 1), counted.eq(counted + 1)]
        m.d.comb += [self.age.en.eq(counted[:3] == 0), self.age.data.eq(age), self.x.ready.eq(1)]
        return m


def ages(model, **options):
    log = run(model, {}, clocks=17, **options).logs["age"]
    assert log[:, 0].tolist() == [0, 8, 16]
    return log[:, 2].tolist()


def test_clocks_before_the_reset_do_happen():
    model = build(Age())
    assert ages(model) == [9, 17, 25]
    assert ages(model, reset_after=1) == [14, 22, 30]
    assert ages(model, reset_after=100) == [113, 121, 129]
    with pytest.raises(ValueError, match="reset_after must be from 0 to .*, not -1"):
        run(model, {}, clocks=10, reset_after=-1)
    with pytest.raises(ValueError, match="start_seed is needed where, and only where, random"):
        run(model, {}, clocks=10, start_seed=1)


def test_start_values_are_drawn_from_a_seed():
    model = build(Age(), random_start=True)
    first = [ages(model, start_seed=seed)[0] for seed in (0, 1, 2)]
    assert len({*first}) == 3
    assert 9 not in first
    assert ages(model, start_seed=1)[0] == first[1]
    for start_seed, message in ((None, "start_seed is needed"), (-1, "from 0 to .*, not -1")):
        with pytest.raises(ValueError, match=message):
            run(model, {}, clocks=10, start_seed=start_seed)


def test_constant_memories_keep_what_they_hold():
    text = """\
module dut(clk, a, b);
  reg [3:0] a  = 4'h7;
  reg plain;
  reg [3:0] store [1:0];
  initial begin
    store[0] = 4'h1;
    store[1] = 4'h2;
  end
  reg [3:0] table [1:0];
  initial begin
    table[0] = 4'h3;
  end
  always @(posedge clk)
      store[at] <= a;
endmodule
module other(clk);
  reg [3:0] store [1:0];
  initial begin
    store[0] = 4'h5;
  end
endmodule
"""
    blank = without_start_values(text)
    assert "reg [3:0] a ;\n  reg plain;" in blank
    assert "4'h1" not in blank
    assert "    table[0] = 4'h3;" in blank
    assert "    store[0] = 4'h5;" in blank


@pytest.mark.slow
def test_waves(tmp_path):
    model = build(Accumulator(), **TIED, waves=True)
    file = tmp_path / "a.vcd"
    run(model, {"x": np.arange(9)}, clocks=50, waves=file)
    assert "$enddefinitions" in file.read_text()
    with pytest.raises(InputError, match="^waves: cannot write .*no/a.vcd;"):
        run(model, {}, clocks=50, waves=tmp_path / "no" / "a.vcd")
    with pytest.raises(ValueError, match="waves=True"):
        run(replace(model, waves=False), {}, clocks=50, waves=file)


def test_death_of_the_simulator_is_told(model, tmp_path):
    program = tmp_path / "bench"
    program.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match="^the simulator ended with exit code 3; .*out of luck$"):
        run(replace(model, directory=tmp_path), {}, clocks=10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "clocks must be given"),
        ({"clocks": 10, "stalls": {"y": 1}}, r"stalls must be for \['command', 'result', 'x'\]"),
        ({"clocks": 10, "stalls": 256}, "stalls must be from 0 to 255, not {'x': 256"),
        ({"clocks": 10, "until": {"y": 1}}, r"until must be for .* not \['y'\]"),
        ({"clocks": 1 << 32}, r"clocks must be 1 .* to 2\*\*32-1, not 4294967296"),
        ({"expected": {"y": 0}}, "expected must be for .* not 'y'"),
        ({"expected": {"x": np.zeros((3, 2), np.uint32)}}, r"expected x must be uint32 \(3, 1\)"),
        ({"expected": {"x": np.zeros((3, 1), np.uint32)}}, "expected x: clocks must increase"),
        ({"expected": {"x": np.full((1, 1), 9, np.uint32)}, "clocks": 9}, "last record expected"),
    ],
)
def test_bad_arguments(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        run(model, {}, **arguments)


def test_bad_stimulus(model):
    for stimulus, message in (
        ({"y": np.arange(3)}, "stimulus must be for"),
        ({"x": Stimulus(np.arange(3), np.arange(3))}, "x has holds but"),
        ({"command": np.zeros((3, 1), np.uint32)}, "33 bits must be rows of 2 words"),
    ):
        with pytest.raises(ValueError, match=message):
            run(model, stimulus, clocks=10)


def test_describe(model):
    bench = model.bench
    kinds = {name: (c.kind, c.width, c.columns) for name, c in bench.channels.items()}
    assert kinds == {
        "x": ("source", 8, 1),
        "command": ("source", 33, 1),
        "result": ("sink", 48, 3),
        "trace.totals": ("event", 40, 4),
    }
    event = bench.channels["trace.totals"]
    assert (event.address_columns, event.data_columns) == (slice(1, 2), slice(2, 4))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"constants": {}}, r"plain inputs must be listed .*\['bias'\]"),
        ({"ignored": ()}, r"plain outputs must be listed .*\['busy'\]"),
        ({"ignored": ("busy", "idle")}, r"listed plain outputs must exist: \['idle'\]"),
        ({"hold": {"command": "x"}}, r"command must wait for a sink \['result'\], not 'x'"),
        ({"hold": {"result": "result"}}, "hold must be for sources, not 'result'"),
        ({"hold": {"z": "result"}}, r"hold must be for sources, not \['z'\]"),
    ],
)
def test_describe_refuses(component, changed, message):
    with pytest.raises(ValueError, match=message):
        describe(component, **(TIED | changed))


def test_pack_and_unpack_against_whole_integers():
    rng = np.random.default_rng(0)
    for width, lanes in ((12, 64), (18, 128), (32, 3), (1, 40), (31, 5)):
        values = rng.integers(-(1 << width - 1), 1 << width - 1, (20, lanes))
        head = rng.integers(0, 32, 20)
        packed = pack((head, 5), (values, width))
        for row, first, lane_values in zip(packed, head, values, strict=True):
            whole = int(first)
            for lane, value in enumerate(lane_values):
                whole |= (int(value) % (1 << width)) << (5 + lane * width)
            assert int.from_bytes(row.astype("<u4").tobytes(), "little") == whole
        np.testing.assert_array_equal(unpack(packed, 5)[:, 0], head)
        back = unpack(packed, width, lanes=lanes, offset=5, signed=True)
        np.testing.assert_array_equal(back, values)
    with pytest.raises(ValueError, match="1 to 32 bits, not 33"):
        pack((head, 33))


def test_go_pattern_equals_plain_loop():
    for seed, stall in ((0, 0), (1, 100), (2, 255)):
        state = start_state(seed, "x")
        go = go_pattern(state, stall, 40_000)
        assert go.tolist() == [
            g for g, _ in zip(naive_go(state, stall), range(40_000), strict=False)
        ]
        assert abs(go.mean() - (256 - stall) / 256) < 0.01
    assert xorshift32(1) == 270369  # Marsaglia's first word
    assert go_pattern(1, 0, 0).size == 0
    assert start_state(0, "x") != start_state(0, "y") != start_state(1, "y")
    with pytest.raises(ValueError, match="stall must be from 0 to 255, not 256"):
        go_pattern(1, 256, 10)


def test_first_go():
    go = np.array([0, 1, 0, 0, 1, 0], bool)
    assert first_go(go).tolist() == [1, 1, 4, 4, 4, 6]


@pytest.mark.slow
def test_bare_speed():
    tied = {name: TIED[name] for name in ("constants", "ignored")}
    assert bare_speed(Accumulator(), 10_000, **tied) > 10_000
