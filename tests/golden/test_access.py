"""What commands read and write: of every word of 64 bits, at every edge of what there is."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.cosim.commands import edge_command
from hebbware.cosim.stimuli import random_samples
from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.memory import MEMORIES
from hebbware.golden.program.commands import (
    ADDRESS_BITS,
    DATA_BITS,
    LANE_BITS,
    Command,
    Op,
    Space,
    State,
    pack,
    unpack,
)
from hebbware.golden.program.layout import Layout, word_width
from hebbware.golden.timing.access import Access
from hebbware.golden.timing.schedule import predict

BASE = CoreConfig.of((3, 5, 4, 3), lanes=3, memory__horizon=3, update__halvings=2, memory__bits=12)
CONFIGS = {
    memory: BASE.derive(memory__kind=memory, **values)
    for memory, values in {
        "gated": {},
        "window": {"memory.window": 4, "memory.kappa": 0.5},
        "trace": {},
        "codes": {},
        "none": {},
    }.items()
} | {
    "samples": CoreConfig.from_dict(
        {
            **dense([3, 5, 3]),
            "lanes": 9,
            "modulator.kind": "hsic",
            "memory.window": 2,
            "layer.rate": [5, 5],
        }
    ),
    "reservoir": BASE.derive(
        memory__kind="reservoir",
        reservoir__decoder="zero",
        memory__projection=2,
        reservoir__units=16,
    ),
}
EVERY_BIT = (1 << 64) - 1


def test_all_kinds_of_memory_are_met():
    assert CONFIGS.keys() == MEMORIES.keys()


def words(config, rng, count):
    """Any words, and such as are at the edge of what there is."""
    for _ in range(count):
        yield int(rng.integers(0, 1 << 64, dtype=np.uint64))
        yield edge_command(config, rng).word
    yield EVERY_BIT


@pytest.mark.parametrize("name", CONFIGS)
def test_every_word_is_answered(name):
    """A response of 32 bits, no state that a core cannot have, and samples go on."""
    config, rng = CONFIGS[name], np.random.default_rng(1)
    core = Core(config)
    access = Access(core)
    for word in words(config, rng, 300):
        response, written = access.execute(Command.of(word))
        assert -(1 << 31) <= response < 1 << 31
        assert written is None or written.shape == (config.lanes,)
    for weight in core.weights:
        assert config.weight.min <= weight.min() <= weight.max() <= config.weight.max
    for memory in core.memories:
        assert abs(memory).max() <= 1 << (config.stored.width - 1)
    assert 0 <= core.extra <= config.update.halvings
    assert core.random_state
    assert max(gain.max() for gain in core.gains) < config.stored.width
    core.learn(np.full(config.inputs, 3), 1)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_write_answers_what_a_read_answers(name):
    config, rng = CONFIGS[name], np.random.default_rng(2)
    access, changed = Access(Core(config)), 0
    for _ in range(600):
        command = replace(edge_command(config, rng), op=Op.WRITE)
        read = replace(command, op=Op.READ)
        before, _ = access.execute(read)
        answer, written = access.execute(command)
        after, nothing = access.execute(read)
        assert answer == after
        assert nothing is None
        changed += before != after
        if written is not None:
            bits = config.weight.width if command.space is Space.WEIGHT else word_width(config)
            assert (answer - command.data) % (1 << bits) == 0
            assert written[command.lane] % (1 << bits) == answer % (1 << bits)
    assert changed > 20


def state(access):
    """All that a host can see."""
    core = access.core
    return [
        *(part.tolist() for part in (*core.weights, *core.memories, *core.codes, *core.gains)),
        *(core.extra, core.learned, core.random_state, core.saturated, access.inferred),
    ]


def nowhere(config):
    """Space, address and lane of what there is not."""
    layout, far = Layout(config), (1 << ADDRESS_BITS) - 1
    weights, memory = layout.weight_bases[-1], layout.memory_bases[-1]
    gains = len(config.hidden) * config.classes * config.memory.self_scaling
    yield from ((Space.WEIGHT, address, 0) for address in (weights, weights + 1, far))
    yield from ((Space.MEMORY, address, 0) for address in (memory, memory + 1, far))
    yield from ((Space.GAIN, address, 0) for address in (gains, gains + 1, far))
    yield from ((Space.STATE, address, 0) for address in (len(State), 1 << 20, far))
    yield from ((Space.WEIGHT, 0, lane) for lane in (config.lanes, 127))
    yield from ((Space.MEMORY, 0, lane) for lane in (config.lanes, 127))
    for layer, units in enumerate(config.hidden):
        if used := units % config.lanes:
            last = layout.weight_bases[layer + 1] - 1  # the bias of the last block
            yield from ((Space.WEIGHT, last, lane) for lane in range(used, config.lanes))
            last = layout.memory_bases[layer] + layout.blocks(layer) - 1
            yield from ((Space.MEMORY, last, lane) for lane in range(used, config.lanes))
    if config.memory.kind == "none":
        yield Space.MEMORY, 0, 0


@pytest.mark.parametrize("name", CONFIGS)
def test_where_there_is_nothing(name):
    config = CONFIGS[name]
    access = Access(Core(config))
    before, met = state(access), 0
    for space, address, lane in nowhere(config):
        for op, data in ((Op.READ, 0), (Op.WRITE, 1), (Op.WRITE, -1), (3, 1)):
            assert access.execute(Command(op, space, address, lane, data)) == (0, None)
            met += 1
    assert state(access) == before
    assert met > 60


def test_what_cannot_be_held_is_not_taken():
    access = Access(Core(BASE))
    for space, address, good, bad in (
        (Space.STATE, State.EXTRA, 2, (3, -1, 1 << 31, (1 << 32) - 1)),
        (Space.STATE, State.RANDOM, -7, (0,)),
        (Space.STATE, State.LEARNED, 0, (1, -1)),
        (Space.STATE, State.INFERRED, 0, (1, -1)),
        (Space.STATE, State.SATURATED, 0, (1, -1)),
        (Space.GAIN, 4, 11, (12, 16, -1, 1 << 31)),
    ):
        assert access.execute(Command(Op.WRITE, space, address, 0, good)) == (good, None)
        for data in bad:
            assert access.execute(Command(Op.WRITE, space, address, 0, data)) == (good, None)
    assert access.core.gains[1].tolist() == [0, 11, 0]


def test_numbers_in_memories_take_the_low_bits():
    access = Access(Core(BASE))
    for space, bits in ((Space.WEIGHT, 12), (Space.MEMORY, 12)):
        for data, kept in ((5, 5), (1 << bits - 1, -(1 << bits - 1)), (-1, -1), (1 << bits, 0)):
            answer, written = access.execute(Command(Op.WRITE, space, 2, 1, data))
            assert answer == written[1] == kept
    coded = Access(Core(CONFIGS["window"]))  # the code on top is the sign of what is answered
    answer, _ = coded.execute(Command(Op.WRITE, Space.MEMORY, 0, 1, 1 << 12 | 5))
    assert answer == 5 - (1 << 12)
    assert (coded.core.codes[0][0, 1], coded.core.memories[0][0, 1]) == (-1, 5)


def test_start_whatever_the_other_fields_say():
    access = Access(Core(BASE))
    before = state(access)
    access.core.learn(np.full(3, 99), 1)
    access.core.infer(np.full(3, 99))
    access.inferred += 1
    assert access.execute(Command(Op.START, 3, 5, 127, -1)) == (0, None)
    assert state(access) == before


def test_commands_are_fields_of_a_word():
    assert pack(1, 2, 3, 4, -1) == 1 | 2 << 2 | 4 << 4 | 3 << 11 | 0xFFFFFFFF << 32
    for word in (0, EVERY_BIT, 0x0123456789ABCDEF):
        assert Command.of(word).word == pack(**unpack(word)) == word


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": 4}, {"op": -1}, {"space": 4}, {"lane": 1 << LANE_BITS}, {"lane": -1},
        {"address": 1 << ADDRESS_BITS}, {"address": -1}, {"data": 1 << DATA_BITS},
        {"data": -(1 << DATA_BITS - 1) - 1}, {"data": 1.5}, {"after": -1}, {"after": 0.5},
    ],
)  # fmt: skip
def test_what_no_word_can_hold_is_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(InputError, match=f"{name} of a command must be .* not {value}"):
        Command(**{"op": Op.READ} | wrong)


@pytest.mark.parametrize("name", CONFIGS)
def test_predictions_take_any_word_between_samples(name):
    config, rng = CONFIGS[name], np.random.default_rng(3)
    x, labels = random_samples(config, rng, 10)
    commands = [Command.of(word, n // 4 * 2) for n, word in enumerate(words(config, rng, 30))]
    prediction = predict(config, x, labels, commands=commands)
    assert len(prediction.channels["responses"].arrays()[0]) == len(commands)
