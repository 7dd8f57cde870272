"""Predicted clocks against ones worked out by hand, and properties that every prediction has."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.program.pipeline import tree_latency
from hebbware.golden.program.program import program, softmax_latency, total_latency
from hebbware.golden.program.stalls import go_pattern, start_state
from hebbware.golden.program.traces import channels
from hebbware.golden.program.walk import Kind
from hebbware.golden.timing.schedule import Command, predict

STREAMS = ("samples", "results", "commands", "responses")

# two inputs, one hidden layer of two units in two lanes, two classes: every row is one word
TINY = CoreConfig.of((2, 2, 2), lanes=2, memory__horizon=4, seed=3)
X = np.array([[200, 0], [0, 0]])
LABELS = [1, None]

# start program: 3 + 2 words of weights, 2 of class memory, issued at clocks 0 .. 6; written
# 10 later; free 11 after the last. The samples are in their banks at 4 and 7.
START = {"trace.weights": range(10, 15), "trace.memory": range(15, 17)}
FREE = 18

# First sample, learned, one non-zero input. It starts in the clock after the core is free.
#   pass        waits for                  issued   done
#   forward     -                          19, 20   27 = 20 + 10 + 1 - 4: a is read in stage 4
#   sum         forward                    27
#   squares     -                          28       42 = 28 + total 9 + 8, taken in stage 3
#   normalise   squares                    42       52 = 42 + 10 + 1 - 1: z is read in stage 1
#   scores      normalise                  52, 53   in the buffer at 66 = 53 + total + ARRIVE 4
#   similarity  normalise, memory          54, 55   in the buffer at 68
#   softmax of the scores                           83 = 66 + 2 * 2 + 13, first error 4 before
#   softmax of the similarities                     100 = 83 + 17: one after the other
#   direction   softmax                    100 -102 109, as forward
#   memory      softmax                    103, 104 118 = 104 + 10 + 1 + tree 1 + 1, and 1: so that
#                                                   the gain, 3 later, is there when it is read
#   readout     softmax of the scores      105, 106 114 = 106 + 10 + 1 - 3
#   update      direction                  109, 110 118
# Free two clocks after the last step: 112.
# Second sample, inferred, nothing but the bias: starts at 113.
#   forward     update                     118      125
#   sum         forward                    125
#   squares     -                          126      140
#   normalise   squares                    140      150
#   scores      normalise, readout         150, 151 in the buffer at 164
CLOCKS = {
    "results": [66, 67, 68, 164, 165, 166],
    "responses": [],
    "trace.weights": [*START["trace.weights"], 115, 116, 119, 120],
    "trace.memory": [*START["trace.memory"], 113, 114],
    "trace.vectors": [30, 52, 112, 128, 150],
    "trace.errors": [79, 80, 96, 97],
}
ADDRESSES = {
    "trace.weights": [0, 1, 2, 3, 4, 3, 4, 0, 2],  # readout; then input 0 and the bias
    "trace.memory": [0, 1, 0, 1],
    "trace.vectors": [0, 1, 2, 0, 1],  # a, z, d; a, z
    "trace.errors": [2, 3, 0, 1],
}

# The same in nine lanes, which are two clusters: written 13 later, free 14 after the last step;
# three groups of lanes get start values, so that it is free at 63.
#   forward     -                          64, 65   72 = 65 + 13 + 1 - 7: a is read in stage 7
#   sum         forward                    72
#   squares     -                          73       90 = 73 + total 14 + 8, taken in stage 5
#   normalise   squares                    90       102 = 90 + 13 + 1 - 2: z is read in stage 2
#   scores      normalise                  102, 103 in the buffer at 121 = 103 + total 14 + 4
#   similarity  normalise, memory          104, 105 in the buffer at 123
#   softmax of the scores                           138 = 121 + 17, first error 4 before
#   softmax of the similarities                     155
#   direction   softmax                    155 -157 164, as forward
#   memory      softmax                    158, 159 178 = 159 + 13 + 1 + tree 3 + 1, and 1 as above
#   readout     softmax of the scores      160, 161 169 = 161 + 13 + 1 - 6
#   update      direction                  164, 165 173
# Free at 167. Second sample:
#   forward     update                     173      180
#   sum         forward                    180
#   squares     -                          181      198
#   normalise   squares                    198      210
#   scores      normalise, readout         210, 211 in the buffer at 229
FAR = TINY.derive(lanes=9)
FAR_CLOCKS = {
    "results": [121, 122, 123, 229, 230, 231],
    "responses": [],
    "trace.weights": [*(21 * g + n for g in range(3) for n in range(13, 18)), 173, 174, 177, 178],
    "trace.memory": [*(21 * g + n for g in range(3) for n in (18, 19)), 171, 172],
    "trace.vectors": [78, 103, 170, 186, 211],
    "trace.errors": [134, 135, 151, 152],
}


def test_latencies_of_the_example():
    assert tree_latency(2) == 1
    assert total_latency(TINY) == 9
    assert tree_latency(9) == 3
    assert total_latency(FAR) == 14
    assert softmax_latency(TINY) == 17
    order = "forward sum squares normalise scores similarity direction memory readout update"
    assert [p.kind for p in program(TINY)] == order.split()


@pytest.mark.parametrize(
    ("config", "expected", "free", "end"),
    [(TINY, CLOCKS, [112, 153], 167), (FAR, FAR_CLOCKS, [167, 213], 232)],
    ids=["one cluster", "two clusters"],
)
def test_every_clock_by_hand(config, expected, free, end):
    prediction = predict(config, X, LABELS)
    for name in channels(config):
        clocks, addresses, _ = prediction.channels[name].arrays()
        assert clocks.tolist() == expected[name], name
        if name in ADDRESSES:
            assert addresses.tolist()[-len(ADDRESSES[name]) :] == ADDRESSES[name], name
    assert prediction.sample_clocks.tolist() == free
    assert prediction.clocks == end


@pytest.mark.parametrize(
    ("command", "taken_to_response", "trace"),
    [
        (Command(Op.READ, Space.STATE, State.LEARNED), 4, None),
        (Command(Op.WRITE, Space.STATE, State.EXTRA, 0, 1), 4, None),
        (Command(Op.READ, Space.GAIN, 1), 4, None),
        (Command(Op.READ, Space.WEIGHT, 2, 1), 14, None),
        (Command(Op.WRITE, Space.WEIGHT, 2, 1, -9), 14, ("trace.weights", 12)),
        (Command(Op.WRITE, Space.MEMORY, 1, 0, 77), 14, ("trace.memory", 12)),
        (Command(Op.START), 3 + 7 + 11 + 1, None),
    ],
)
def test_command_before_the_first_sample(command, taken_to_response, trace):
    """It is on offer from clock 1 on and taken when the core is free; the sample waits."""
    prediction = predict(TINY, X[:1], LABELS[:1], commands=[command])
    clocks, _, values = prediction.channels["responses"].arrays()
    responded = FREE + taken_to_response
    assert clocks.tolist() == [responded]
    if command.op is Op.WRITE:
        assert values.tolist() == [[command.data]]
    if trace:
        name, later = trace
        at = prediction.channels[name].arrays()
        row = at[0].tolist().index(FREE + later)
        assert at[1][row] == command.address
        assert at[2][row, command.lane] == command.data
    # the core is free one clock later, the sample starts two later instead of at 19
    results = prediction.channels["results"].arrays()[0]
    assert results.tolist() == [c + responded + 2 - 19 for c in CLOCKS["results"][:3]]


def test_command_waits_for_its_results_and_until_all_is_settled():
    command = Command(Op.READ, Space.STATE, State.LEARNED, after=3)
    prediction = predict(TINY, X, LABELS, commands=[command])
    # on offer at 70, one clock after the hold is seen at 69; taken when nothing is under way: at
    # 122, 12 after the last step
    assert prediction.channels["responses"].arrays()[0].tolist() == [126]
    assert prediction.channels["responses"].arrays()[2].tolist() == [[1]]
    # free at 127, the forward pass starts at 128 and not at 118
    results = prediction.channels["results"].arrays()[0].tolist()
    assert results == CLOCKS["results"][:3] + [clock + 10 for clock in CLOCKS["results"][3:]]


@pytest.mark.parametrize("lanes", [3, 9])
def test_start_writes_what_reset_writes(lanes):
    """Also lanes whose group comes later: nothing is left of what was learned."""
    config = TINY.derive(**dense((2, 9, 2)), lanes=lanes)
    command = Command(Op.START, after=len(X) * 3)
    reset, both = (
        predict(config, X[:count], LABELS[:count], commands=commands).channels["trace.weights"]
        for count, commands in ((0, []), (2, [command]))
    )
    clocks, addresses, words = reset.arrays()
    later = [part[-len(clocks) :] for part in both.arrays()]
    np.testing.assert_array_equal(later[0] - later[0][0], clocks - clocks[0])
    np.testing.assert_array_equal(later[1], addresses)
    np.testing.assert_array_equal(later[2], words)


CONFIGS = [
    CoreConfig.from_dict(
        derived(
            {**dense((5, 6, 4, 3)), "lanes": lanes, "memory.window": 2, "memory.horizon": 4},
            {"memory.kind": memory},
        )
    )
    for lanes, memory in ((1, "gated"), (3, "window"), (4, "trace"), (2, "codes"), (16, "none"))
]


def case(config, count=24):
    rng = np.random.default_rng(config.lanes)
    x = rng.integers(0, 256, (count, config.inputs)) * (rng.random((count, config.inputs)) < 0.6)
    labels = [int(c) if rng.random() < 0.7 else None for c in rng.integers(0, 3, count)]
    commands = [
        Command(Op(n % 2), Space.STATE, State.RANDOM, 0, n + 1, after=n * 12) for n in range(5)
    ]
    return x, labels, commands


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.memory)
@pytest.mark.parametrize("stall", [0, 120, 250])
def test_properties(config, stall):
    x, labels, commands = case(config)
    stalls = dict.fromkeys(STREAMS, stall)
    prediction = predict(config, x, labels, commands=commands, seed=4, stalls=stalls)
    for name, channel in prediction.channels.items():
        clocks, _, _ = channel.arrays()
        assert (np.diff(clocks) > 0).all(), name  # one record at most in each clock
        assert not clocks.size or clocks[-1] < prediction.clocks
    for name, count in (("results", 24 * 4), ("responses", 5)):
        clocks = prediction.channels[name].arrays()[0]
        assert len(clocks) == count
        # words only move when the bench is ready
        assert go_pattern(start_state(4, name), stall, prediction.clocks)[clocks].all()
    assert (np.diff(prediction.sample_clocks) > 0).all()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.memory)
def test_what_comes_later_changes_nothing_before(config):
    x, labels, _ = case(config)
    stalls = dict.fromkeys(STREAMS, 100)
    whole = predict(config, x, labels, stalls=stalls)
    for count in (0, 1, 7, 23):
        part = predict(config, x[:count], labels[:count], stalls=stalls)
        for name, channel in part.channels.items():
            for some, every in zip(channel.arrays(), whole.channels[name].arrays(), strict=True):
                if len(some):
                    np.testing.assert_array_equal(some, every[: len(some)])
        assert part.sample_clocks.tolist() == whole.sample_clocks[:count].tolist()


def test_stalls_only_delay():
    x, labels, _ = case(CONFIGS[0])
    fast, slow = (
        predict(CONFIGS[0], x, labels, stalls=dict.fromkeys(STREAMS, stall)) for stall in (0, 200)
    )
    for name in channels(CONFIGS[0]):
        (early, places, values), (late, same_places, same_values) = (
            p.channels[name].arrays() for p in (fast, slow)
        )
        assert (early <= late).all()
        np.testing.assert_array_equal(places, same_places)
        np.testing.assert_array_equal(values, same_values)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.memory)
def test_program_waits_only_for_what_it_makes(config):
    made = {p.name for p in program(config)} | {"results"}
    made |= {f"error{job}" for job in range(len(config.hidden) + 1)}
    for p in program(config):
        assert set(p.waits) <= made
        assert p.learn == (p.kind not in (
            Kind.FORWARD, Kind.SUM, Kind.SQUARES, Kind.NORMALISE, Kind.SCORES
        ))  # fmt: skip
