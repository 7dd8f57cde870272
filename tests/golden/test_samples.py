"""Samples and labels that no entry takes: each names what is wrong, and nothing happens before."""

import numpy as np
import pytest

from hebbware.boards.host.board import Board
from hebbware.boards.protocol import VERSION, Identity
from hebbware.cosim import core as cosim
from hebbware.cosim import reservoir as cosim_reservoir
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data import samples
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.learn import fidelity
from hebbware.golden.learn.train import CoreLearner
from hebbware.golden.program.traces import STREAMS
from hebbware.golden.reservoir.cell import Reservoir, ReservoirConfig
from hebbware.golden.reservoir.machine import Machine
from hebbware.golden.timing import reservoir as reservoir_schedule
from hebbware.golden.timing.schedule import predict
from hebbware.golden.twin.core import Twin
from hebbware.study.float_twin import FloatTwin

CONFIG = CoreConfig.of((7, 4, 3), lanes=2, input__bits=5)
PROJECTED = CoreConfig.of(
    (7, 4, 3), lanes=2, memory__kind="reservoir", reservoir__decoder="zero", input__bits=5
)
GOOD = np.arange(28).reshape(4, 7)


def a_board():
    """One that cannot send anything."""
    board = object.__new__(Board)
    board.config = CONFIG
    board.identity = Identity(VERSION, 256, CONFIG.fingerprint, 7, 3, "0.0.0", 0, 0, 0)
    return board


def recorded(x, labels, monkeypatch=None):
    core = Core(PROJECTED)
    object.__setattr__(core, "config", PROJECTED.derive(reservoir__decoder="ridge"))
    return fidelity.record(core, x, labels, 1)


MANY = {  # by name: takes samples, and labels of each
    "core": lambda x, y: Core(CONFIG).learn_many(x, y),
    "twin": lambda x, y: Twin(CONFIG).learn_many(x, y),
    "predict": lambda x, y: predict(CONFIG, x, y),
    "cosimulate": lambda x, y: cosim.cosimulate(CONFIG, x, y),
    "board": lambda x, y: a_board().samples(x, y),
    "fidelity": recorded,
}
UNLABELLED = {
    "core, infer": lambda x: Core(CONFIG).infer_many(x),
    "twin, infer": lambda x: Twin(CONFIG).infer_many(x),
}
ONE = {
    "core": lambda x, y: Core(CONFIG).learn(x, y),
    "twin": lambda x, y: Twin(CONFIG).learn(x, y),
    "float": lambda x, y: FloatTwin(CONFIG).learn(x, y),
}
BAD_X = [
    (lambda x: x / 31, "x must be integers, not float64"),
    (lambda x: x.astype(float), "x must be integers, not float64"),
    (lambda x: x * np.nan, "x must be integers, not float64"),
    (lambda x: x > 3, "x must be integers, not bool"),
    (lambda x: x + 300, r"x must lie in 0\.\.31, not 300\.\.3"),
    (lambda x: x - 1, r"x must lie in 0\.\.31, not -1\.\."),
    (lambda x: x.astype(np.uint64) + 2**63, r"x must lie in 0\.\.31, not 9223372036854775808"),
    (lambda x: x[..., :6], r"x must have shape \(.*7.*\), not \(.*6.*\)"),
    (lambda x: x[..., None], r"x must have shape \(.*7.*\), not \(.*7, 1\)"),
    (lambda x: [[1, 2], [3]], "x must be an array of shape"),
    (lambda x: x.astype(str), "x must be integers, not <U"),
    (lambda x: None, "x must have shape"),
]
BAD_LABELS = [
    ([0, 1, 2, 3], r"labels must lie in 0\.\.2, not 0\.\.3"),
    ([0, 1, 2, -1], r"labels must lie in 0\.\.2, not -1\.\.2"),
    ([0, 1, 2], r"labels must have shape \(4,\), not \(3,\)"),
    ([0.0, 1.0, 2.0, 0.0], "labels must be integers, not float64"),
    (np.array([0, 1, 2, np.nan]), "labels must be integers, not float64"),
    (np.zeros((4, 1), int), r"labels must have shape \(4,\), not \(4, 1\)"),
    (["a"] * 4, "labels must be integers, not <U1"),
    (5, "labels must be a list or an array, not 5"),
]
BAD_LABEL = [
    (3, r"label must lie in 0\.\.2, not 3"),
    (-1, r"label must lie in 0\.\.2, not -1"),
    (1.0, r"label must be a whole number, not 1\.0"),
    (True, "label must be a whole number, not True"),
    (None, "label must be a whole number, not None"),
    ("a", "label must be a whole number, not 'a'"),
]


@pytest.fixture(autouse=True)
def _nothing_is_built(monkeypatch):
    def build(*_, **__):
        raise AssertionError("a simulation is built")

    monkeypatch.setattr(cosim, "build_core", build)
    monkeypatch.setattr(cosim_reservoir, "build_reservoir", build)


@pytest.mark.parametrize(("spoil", "message"), BAD_X, ids=[message for _, message in BAD_X])
@pytest.mark.parametrize("entry", [*MANY, *UNLABELLED])
def test_bad_samples(entry, spoil, message):
    given = (spoil(GOOD), [0, 1, 2, 0])[: 1 + (entry in MANY)]
    with pytest.raises(InputError, match=message) as caught:
        (MANY | UNLABELLED)[entry](*given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("labels", "message"), BAD_LABELS, ids=[m for _, m in BAD_LABELS])
@pytest.mark.parametrize("entry", MANY)
def test_bad_labels(entry, labels, message):
    with pytest.raises(InputError, match=message) as caught:
        MANY[entry](GOOD, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", ["core", "twin", "fidelity"])
def test_what_is_to_be_learned_has_a_label(entry):
    with pytest.raises(InputError, match="labels must be integers, not object"):
        MANY[entry](GOOD, [0, None, 1, 2])


@pytest.mark.parametrize(("spoil", "message"), BAD_X, ids=[message for _, message in BAD_X])
@pytest.mark.parametrize("entry", ONE)
def test_a_bad_sample(entry, spoil, message):
    given = spoil(GOOD)
    with pytest.raises(InputError, match=message):
        ONE[entry](given if isinstance(given, list) or given is None else given[0], 1)


@pytest.mark.parametrize(("label", "message"), BAD_LABEL, ids=[m for _, m in BAD_LABEL])
@pytest.mark.parametrize("entry", ONE)
def test_a_bad_label(entry, label, message):
    with pytest.raises(InputError, match=message):
        ONE[entry](GOOD[0], label)


@pytest.mark.parametrize("kind", [Core, Twin])
def test_nothing_is_learned_of_samples_that_are_refused(kind):
    core = kind(CONFIG)
    before = core.random_state
    for attempt in (
        lambda: core.learn_many(GOOD, [0, 1, 2, 3]),
        lambda: core.learn(GOOD[0], 3),
        lambda: core.learn(GOOD[0] + 31, 1),
        lambda: core.infer(GOOD[0] + 31),
    ):
        with pytest.raises(InputError):
            attempt()
    assert (core.learned, core.random_state) == (0, before)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_answers_of_core_and_twin_are_alike(count):
    for x in (GOOD[:count], GOOD[:count].astype(np.uint8), np.empty((count, 7), np.int64) * 0):
        labels = list(range(count))
        answers = [
            answer
            for core in (Core(CONFIG), Twin(CONFIG))
            for answer in (core.infer_many(x), core.learn_many(x, labels))
        ]
        assert {(a.dtype, a.shape) for a, _ in answers} == {(np.dtype(np.int64), (count,))}
        assert {(s.dtype, s.shape) for _, s in answers} == {(np.dtype(np.int64), (count, 3))}
        for a, b in zip(answers[:2], answers[2:], strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            np.testing.assert_array_equal(a[1], b[1])


def test_none_stands_for_no_label_where_it_may():
    assert samples.optional_labels([None, 2, None], 3, 3) == [None, 2, None]
    assert samples.optional_labels(np.array([1, 2]), 3, 2) == [1, 2]
    assert samples.optional_labels(np.array([None, np.int64(2)]), 3, 2) == [None, 2]
    assert samples.optional_labels((), 3, 0) == []
    assert predict(CONFIG, GOOD, [None, 1, None, 0]).classes.shape == (4,)


@pytest.mark.parametrize(
    ("stalls", "message"),
    [
        (256, r"stalls of samples must be a whole number in 0\.\.255, not 256"),
        (-1, r"stalls of samples must be a whole number in 0\.\.255, not -1"),
        (1.5, r"stalls of samples must be a whole number in 0\.\.255, not 1\.5"),
        ({"result": 3}, rf"stalls must be for {', '.join(STREAMS)}, not result"),
    ],
)
def test_bad_stalls(stalls, message):
    with pytest.raises(InputError, match=message):
        cosim.cosimulate(CONFIG, GOOD, [0] * 4, stalls=stalls)


def test_a_model_of_another_configuration():
    class Built:
        config = CONFIG.derive(seed=1)

    with pytest.raises(InputError, match="model must be built of the same configuration"):
        cosim.cosimulate(CONFIG, GOOD, [0] * 4, model=Built())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w[:1], "weights must have 2 layers, not 1"),
        (lambda w: [w[0].T, w[1]], r"weights\[0\] must have shape \(8, 4\), not \(4, 8\)"),
        (lambda w: [w[0], w[1] + 4096], r"weights\[1\] must lie in -2048\.\.2047, not"),
        (lambda w: [w[0] / 2, w[1]], r"weights\[0\] must be integers, not float64"),
    ],
)
def test_weights_for_a_board(spoil, message):
    with pytest.raises(InputError, match=message):
        a_board().load_weights(spoil(Core(CONFIG).weights))


def test_a_learner_takes_bytes():
    with pytest.raises(InputError, match="x must be integers, not float64"):
        CoreLearner(CONFIG, "plain").learn(GOOD / 2, [0] * 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": GOOD}, r"x_train must be bytes \(u8\) of shape .*, not int64 of \(4, 7\)"),
        ({"x_train": GOOD / 2}, r"x_train must be bytes .*, not float64 of \(4, 7\)"),
        ({"x_test": GOOD.tolist()}, "x_test must be bytes .*, not list"),
        ({"x_test": np.zeros((2, 6), np.uint8)}, "x_test must have 7 inputs as x_train has, not 6"),
        ({"y_train": np.array([0, 1, 3, 0])}, r"y_train: labels must lie in 0\.\.2, not 0\.\.3"),
        ({"y_test": np.array([0.0, 1])}, "y_test: labels must be integers, not float64"),
        ({"y_test": np.array([0])}, r"y_test: labels must have shape \(2,\), not \(1,\)"),
    ],
)
def test_a_data_set(change, message):
    x, y = GOOD.astype(np.uint8), np.array([0, 1, 2, 0])
    parts = {"x_train": x, "y_train": y, "x_test": x[:2], "y_test": y[:2]}
    with pytest.raises(InputError, match=f"data set own: {message}"):
        Dataset("own", (7,), 3, **{**parts, **change})


# -- the reservoir block ---------------------------------------------------------------------------

BLOCK = ReservoirConfig(units=16, lanes=4, inputs=2, output="readout", outputs=2, input_bits=6,
                        input_fraction=5)  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((3, 2)), "inputs must be integers, not float64"),
        (np.zeros((3, 1), int), r"inputs must have shape \(.*2.*\), not \(.*1.*\)"),
        (np.full((3, 2), 32), r"inputs must lie in -32\.\.31, not 32\.\.32"),
        (np.full((3, 2), -33), r"inputs must lie in -32\.\.31, not -33\.\.-33"),
    ],
)
def test_inputs_of_a_reservoir(inputs, message):
    for entry in (
        lambda: reservoir_schedule.predict(BLOCK, inputs),
        lambda: cosim_reservoir.cosimulate(BLOCK, inputs, model=None),
        lambda: Reservoir(BLOCK).step(inputs[0]),
    ):
        with pytest.raises(InputError, match=message):
            entry()


def test_targets_of_a_reservoir():
    inputs, targets = np.zeros((3, 2), int), np.zeros((3, 2))
    with pytest.raises(InputError, match="targets must be integers, not float64"):
        reservoir_schedule.predict(BLOCK, inputs, targets)
    with pytest.raises(InputError, match="targets must be integers, not float64"):
        Machine(BLOCK).learn(targets[0])
    with pytest.raises(InputError, match=r"targets must have shape \(2,\), not \(3,\)"):
        Machine(BLOCK).learn([0, 0, 0])


@pytest.mark.parametrize("stalls", [256, -1, 0.5, True])
def test_stalls_of_a_reservoir(stalls):
    with pytest.raises(InputError, match=r"stalls must be a whole number in 0\.\.255, not"):
        cosim_reservoir.cosimulate(BLOCK, np.zeros((3, 2), int), stalls=stalls)
