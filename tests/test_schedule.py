"""Predicted clocks against ones worked out by hand, and properties that every prediction has."""

import numpy as np
import pytest

from hebbware.golden.commands import Op, Space, State
from hebbware.golden.config import CoreConfig
from hebbware.golden.program import Kind, program, softmax_latency, total_latency, tree_latency
from hebbware.golden.schedule import CHANNELS, Command, predict
from hebbware.golden.stalls import go_pattern, start_state

STREAMS = ("samples", "results", "commands", "responses")

# two inputs, one hidden layer of two units in two lanes, two classes: every row is one word
TINY = CoreConfig(layers=(2, 2, 2), lanes=2, horizon=4, seed=3)
X = np.array([[200, 0], [0, 0]])
LABELS = [1, None]

# start program: 3 + 2 words of weights, 2 of class memory, issued at clocks 0 .. 6; written
# WRITE = 7 later; free SETTLED = 8 after the last. The samples are in their banks at 4 and 7.
START = {"trace.weights": range(7, 12), "trace.memory": range(12, 14)}
FREE = 15

# First sample, learned, one non-zero input. It starts in the clock after the core is free.
#   pass        waits for                  issued  done
#   forward     -                          16, 17  25 = 17 + SETTLED
#   sum         forward                    25
#   squares     -                          26      39 = 26 + total (5 + 1 + 1) + NORMALISE_LATENCY 6
#   normalise   squares                    39      47
#   scores      normalise                  47, 48  in the buffer at 58 = 48 + total + ARRIVE 3
#   similarity  normalise, memory          49, 50  in the buffer at 60
#   softmax of the scores                          72 = 58 + 2 * 2 + 10, first error 3 before
#   softmax of the similarities                    86 = 72 + 14: one after the other
#   direction   softmax                    86 - 88 96
#   memory      softmax                    89, 90  102 = 90 + WRITE + tree 1 + 4: a gain follows
#   readout     softmax of the scores      91, 92  100
#   update      direction                  96, 97  105
# Free two clocks after the last step: 99.
# Second sample, inferred, nothing but the bias: starts at 100.
#   forward     update                     105     113
#   sum         forward                    113
#   squares     -                          114     127
#   normalise   squares                    127     135
#   scores      normalise, readout         135, 136, in the buffer at 146
CLOCKS = {
    "results": [58, 59, 60, 146, 147, 148],
    "responses": [],
    "trace.weights": [*START["trace.weights"], 98, 99, 103, 104],
    "trace.memory": [*START["trace.memory"], 96, 97],
    "trace.vectors": [24, 46, 95, 112, 134],
    "trace.errors": [69, 70, 83, 84],
}
ADDRESSES = {
    "trace.weights": [0, 1, 2, 3, 4, 3, 4, 0, 2],  # readout; then input 0 and the bias
    "trace.memory": [0, 1, 0, 1],
    "trace.vectors": [0, 1, 2, 0, 1],  # a, z, d; a, z
    "trace.errors": [2, 3, 0, 1],
}


def test_latencies_of_the_example():
    assert tree_latency(2) == 1
    assert total_latency(TINY) == 7
    assert softmax_latency(TINY) == 14
    order = "forward sum squares normalise scores similarity direction memory readout update"
    assert [p.kind for p in program(TINY)] == order.split()


def test_every_clock_by_hand():
    prediction = predict(TINY, X, LABELS)
    for name in CHANNELS:
        clocks, addresses, _ = prediction.channels[name].arrays()
        assert clocks.tolist() == CLOCKS[name], name
        if name in ADDRESSES:
            assert addresses.tolist() == ADDRESSES[name], name
    assert prediction.sample_clocks.tolist() == [99, 138]
    assert prediction.clocks == 149


@pytest.mark.parametrize(
    ("command", "taken_to_response", "trace"),
    [
        (Command(Op.READ, Space.STATE, State.LEARNED), 2, None),
        (Command(Op.WRITE, Space.STATE, State.EXTRA, 0, 1), 2, None),
        (Command(Op.READ, Space.GAIN, 1), 2, None),
        (Command(Op.READ, Space.WEIGHT, 2, 1), 9, None),
        (Command(Op.WRITE, Space.WEIGHT, 2, 1, -9), 9, ("trace.weights", 8)),
        (Command(Op.WRITE, Space.MEMORY, 1, 0, 77), 9, ("trace.memory", 8)),
        (Command(Op.START), 2 + 7 + 8 + 1, None),
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
    # the core is free one clock later, the sample starts two later instead of at 16
    results = prediction.channels["results"].arrays()[0]
    assert results.tolist() == [c + responded + 2 - 16 for c in CLOCKS["results"][:3]]


def test_command_waits_for_its_results_and_until_all_is_settled():
    command = Command(Op.READ, Space.STATE, State.LEARNED, after=3)
    prediction = predict(TINY, X, LABELS, commands=[command])
    # on offer at 62, one clock after the hold is seen at 61; taken when update is done, at 105
    assert prediction.channels["responses"].arrays()[0].tolist() == [107]
    assert prediction.channels["responses"].arrays()[2].tolist() == [[1]]
    # free at 108, the forward pass starts at 109 and not at 105
    results = prediction.channels["results"].arrays()[0].tolist()
    assert results == CLOCKS["results"][:3] + [clock + 4 for clock in CLOCKS["results"][3:]]


CONFIGS = [
    CoreConfig(layers=(5, 6, 4, 3), lanes=lanes, memory=memory, window=2, horizon=4)
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
    for name in CHANNELS:
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
