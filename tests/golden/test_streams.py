"""Changing streams: what comes by, what it is called, what is measured, and who follows them."""

import dataclasses

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.data.streams import STATIONARY, Stream, follow, parse
from hebbware.golden.errors import InputError
from hebbware.golden.learn import checkpoint, controls, train

CLASSES = 5


@pytest.fixture(scope="module")
def digits():
    whole = data.load("digits")
    few = {"x_train": whole.x_train[:240], "y_train": whole.y_train[:240]}
    return dataclasses.replace(whole, x_test=whole.x_test[:60], y_test=whole.y_test[:60], **few)


def config(**fields):
    return CoreConfig.from_dict(
        {**dense([64, 12, 8, 10]), "lanes": 4, "update.halve_every": 0, **fields}
    )


def by_hand(stream, y, order, learned):
    """One sample after another, as the table of the module tells it."""
    found = []
    for row in order:
        if stream.kind == "classes":
            if y[row] >= stream.number + learned // stream.samples:
                continue
            label = y[row]
        else:
            changed = stream.kind == "remap" and learned >= stream.samples
            label = (y[row] + stream.number) % CLASSES if changed else y[row]
        found.append((row, label))
        learned += 1
    return found


@pytest.mark.parametrize("learned", [0, 3, 7, 20, 31, 200])
@pytest.mark.parametrize(
    "text",
    ["stationary", "remap:1", "remap:20:4", "remap:300", "classes:1:1", "classes:7", "classes:9:4"],
)
def test_what_passes_is_as_told_sample_by_sample(text, learned):
    rng = np.random.default_rng(0)
    y, order = rng.integers(0, CLASSES, 80), rng.permutation(80)
    stream = parse(text)
    rows, labels = stream.passing(y, order, learned, CLASSES)
    assert list(zip(rows, labels, strict=True)) == by_hand(stream, y, order, learned)


def test_an_epoch_in_which_a_class_is_missing():
    """The first class is not there: nothing comes by, however long one waits."""
    y, order = np.array([1, 2, 1]), np.arange(3)
    rows, labels = Stream("classes", 4, 1).passing(y, order, 0, 3)
    assert len(rows) == len(labels) == 0


def test_measured_is_what_the_last_sample_belonged_to():
    y = np.array([0, 4, 2, 3, 1])
    remap = parse("remap:10:2")
    for learned, labels in ((0, y), (10, y), (11, [2, 1, 4, 0, 3])):
        rows, found = remap.measured(y, learned, CLASSES)
        assert rows.tolist() == [0, 1, 2, 3, 4]
        assert found.tolist() == list(labels)
    grown = parse("classes:10:2")
    for learned, seen in ((0, [0, 4]), (10, [0, 4]), (11, [0, 2, 4]), (99, [0, 1, 2, 3, 4])):
        rows, found = grown.measured(y, learned, CLASSES)
        assert rows.tolist() == seen
        assert found.tolist() == y[seen].tolist()


@pytest.mark.parametrize("text", ["stationary", "remap:7:3", "classes:12:2"])
def test_text_there_and_back(text):
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


def test_numbers_that_may_be_left_out():
    assert parse("remap:7") == Stream("remap", 7, 3)
    assert parse("classes:7") == Stream("classes", 7, 2)
    assert parse("stationary") == STATIONARY == Stream()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be one of stationary, remap:AT"),
        ("remap", "must be one of"),
        ("shuffle:3", "must be one of .*, not 'shuffle:3'"),
        ("stationary:3", "must be one of"),
        ("remap:3:1:1", "must be one of"),
        ("remap:0", "whole and 1 or more"),
        ("remap:-4", "whole and 1 or more"),
        ("remap:4:x", "whole and 1 or more"),
        ("classes:2.5", "whole and 1 or more"),
    ],
)
def test_streams_that_are_none(text, message):
    with pytest.raises(InputError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "what"), [("remap:5:10", "SHIFT must lie in 1..9"), ("classes:5:12", "N must lie in")]
)
def test_classes_that_are_too_few(digits, text, what):
    with pytest.raises(InputError, match=what):
        parse(text).check(digits)


# -- training ---------------------------------------------------------------------------------


def test_training_learns_what_the_stream_calls_the_samples(digits):
    """Two epochs; the labels change in the second. The core is trained beside it by hand."""
    stream = Stream("remap", 300, 4)
    result = train.train(config(), digits, 2, engine="plain", validation=40, stream=stream)
    part = data.split_validation(digits, 40, 0)
    core, learned, right = Core(config()), 0, []
    for epoch in range(2):
        hits = 0
        for row in train.order(0, epoch, 200):
            label = (part.y_train[row] + 4) % 10 if learned >= 300 else part.y_train[row]
            hits += core.learn(part.x_train[row], int(label))[0] == label
            learned += 1
        right.append(hits / 200)
    for found, expected in zip(result.state.core.weights, core.weights, strict=True):
        assert (found == expected).all()
    assert result.state.train == right
    classes = core.infer_many(digits.x_test)[0]
    assert result.test == (classes == (digits.y_test + 4) % 10).mean()
    held = core.infer_many(part.x_test)[0]
    assert result.state.validation[1] == (held == (part.y_test + 4) % 10).mean()


def test_a_run_that_is_continued_stays_in_its_stream(digits, tmp_path):
    stream = Stream("classes", 60, 2)
    states = []
    whole = train.train(
        *(config(), digits, 3),
        stream=stream,
        after_epoch=lambda s: states or states.append(checkpoint.save(tmp_path / "run.npz", s)),
    )
    loaded = checkpoint.load(tmp_path / "run.npz")
    assert loaded.stream == stream
    resumed = train.train(config(), digits, 3, state=loaded)
    for a, b in zip(whole.state.core.weights, resumed.state.core.weights, strict=True):
        assert (a == b).all()
    assert resumed.test == whole.test
    assert resumed.state.train == whole.state.train
    assert whole.state.core.learned < 3 * 220  # samples were passed over


def test_controls_follow_the_stream(digits):
    """A linear classifier is far above chance on labels that changed, and below it on the old."""
    late = Stream("remap", 220, 5)
    changed = controls.linear(0, digits, 6, 20, late)
    still = controls.linear(0, digits, 1, 20)
    assert changed.test > 0.6
    assert still.test > 0.5
    first = Stream("remap", 219, 5)  # one sample with other labels at the end of the epoch
    assert controls.linear(0, digits, 1, 20, first).test < 0.2
    found = controls.run(config(), digits, 2, validation=20, stream=Stream("remap", 220, 5))
    assert found["linear"].test == controls.linear(0, digits, 2, 20, late).test
    plain = train.train(
        config(memory__kind="codes", memory__kappa=1.0), digits, 2, validation=20, stream=late
    )
    assert found["codes"].test == plain.test


# -- following with marks -----------------------------------------------------------------------


class Diary:
    """Notes what it is asked; knows the classes by heart."""

    def __init__(self):
        self.epochs, self.seen, self.asked = [], [], []

    def begin(self, epoch):
        self.epochs.append((epoch, len(self.seen)))

    def learn(self, x, labels):
        self.seen += list(zip(x[:, 0].tolist(), labels.tolist(), strict=True))

    def classify(self, x):
        self.asked.append(x[:, 0].tolist())
        return np.zeros(len(x), int)


def numbered(samples, test):
    y = np.arange(samples) % 3
    x = np.arange(samples, dtype=np.uint8)[:, None]
    return data.Dataset("numbered", (1,), 3, x, y, 100 + x[:test], y[:test])


def test_marks_are_met_exactly():
    diary, dataset, stream = Diary(), numbered(20, 6), parse("remap:25:1")
    marks = [0, 1, 19, 20, 25, 26, 43]
    steps, at = [], []
    for mark in follow(diary, dataset, stream, marks, seed=2, progress=steps.append):
        at.append((mark, len(diary.seen)))
    assert at == [(mark, mark) for mark in marks]
    assert sum(steps) == len(diary.seen) == 43
    assert diary.epochs == [(0, 0), (1, 20), (2, 40)]
    order = np.concatenate([train.order(2, epoch, 20) for epoch in range(3)])[:43]
    labels = [(y + (t >= 25)) % 3 for t, y in enumerate(dataset.y_train[order])]
    assert diary.seen == list(zip(order.tolist(), labels, strict=True))


def test_marks_count_what_was_learned_and_not_what_was_passed_over():
    diary, dataset, stream = Diary(), numbered(20, 6), parse("classes:10:1")
    found = [
        (len(diary.seen), stream.accuracy(diary.classify, dataset, mark))
        for mark in follow(diary, dataset, stream, [5, 10, 15, 40])
    ]
    assert found == [(5, 1.0), (10, 1.0), (15, 0.5), (40, 1 / 3)]
    assert [len(x) for x in diary.asked] == [2, 2, 4, 6]
    assert {label for _, label in diary.seen[:10]} == {0}
    assert {label for _, label in diary.seen[10:20]} == {0, 1}


def test_a_core_follows_as_it_trains(digits):
    """The same network as the trainer's, halvings and the samples between the marks included."""
    stream, halved = Stream("remap", 300, 4), config(update__halve_every=1)
    trained = train.train(halved, digits, 2, validation=0, stream=stream)
    learner = train.CoreLearner(halved, "plain")
    accuracies = [
        stream.accuracy(learner.classify, digits, mark)
        for mark in follow(learner, digits, stream, [1, 250, 480])
    ]
    for found, expected in zip(learner.core.weights, trained.state.core.weights, strict=True):
        assert (found == expected).all()
    assert accuracies[-1] == trained.test


@pytest.mark.parametrize("marks", [[], [-1, 4], [3, 3], [5, 2]])
def test_marks_that_do_not_rise(marks):
    with pytest.raises(InputError, match="marks must be numbers of samples that rise"):
        list(follow(Diary(), numbered(20, 6), STATIONARY, marks))


def test_a_stream_without_samples_is_refused():
    none = numbered(20, 6)
    none = dataclasses.replace(none, y_train=none.y_train.clip(1))
    with pytest.raises(InputError, match="no sample of numbered comes by"):
        list(follow(Diary(), none, parse("classes:4:1"), [5]))
