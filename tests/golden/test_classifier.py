"""The scikit-learn estimator: it learns what the core learns, and passes scikit-learn's checks."""

import doctest
import inspect
import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

import hebbware.golden
from hebbware.golden import Core, CoreConfig, HebbianClassifier
from hebbware.golden.config import domains
from hebbware.golden.data.encoding import Encoding
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.learn import classifier
from hebbware.golden.learn import train as training
from hebbware.golden.memory import MEMORIES
from hebbware.golden.reservoir import decoder

SMALL = {"hidden_layers": (6, 5), "lanes": 4, "input__centred": False, "layer__rate": (7, 6, 8)}


def some_bytes(samples=60, features=7, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    x = rng.integers(0, 120, (samples, features)) + 60 * np.eye(features, dtype=int)[y]
    return x.astype(np.uint8), y


def same(core, other):
    assert core.learned == other.learned
    assert core.random_state == other.random_state
    for name in ("weights", "memories", "gains"):
        for ours, theirs in zip(getattr(core, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(ours, theirs)


# -- against the core -------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["compiled", "plain"])
def test_fit_is_the_training_of_the_core(engine):
    x, y = some_bytes()
    fields = {
        "formats__weight_bits": 8,
        "memory__horizon": 6,
        "memory__bits": 12,
        "update__rounding": "nearest",
    }
    found = HebbianClassifier(
        **SMALL, **fields, input_range=(0, 255), epochs=7, random_state=5, engine=engine
    ).fit(x, np.array(["red", "green", "blue"])[y])
    config = CoreConfig.of((7, 6, 5, 3), lanes=4, seed=5, **fields)
    numbers = np.array([2, 1, 0])[y]  # blue, green, red
    dataset = Dataset("made", (7,), 3, x, numbers, x, numbers)
    expected = training.train(config, dataset, 7, engine="plain", validation=0).state.core
    same(found.core_, expected)
    assert found.core_.config == expected.config
    np.testing.assert_array_equal(found.classes_, ["blue", "green", "red"])


def test_what_the_estimator_has_other_defaults_for():
    x, y = some_bytes()
    found = HebbianClassifier(hidden_layers=(6, 5), lanes=4, epochs=1).fit(x, y)
    expected = {"input__centred": True, "layer__rate": (7, 6, 7)}
    assert found.core_.config == CoreConfig.of((7, 6, 5, 3), lanes=4, **expected)
    one = HebbianClassifier(hidden_layers=(6,), epochs=1).fit(x, y)
    assert one.core_.config.rates == (7, 7)


def test_partial_fit_is_the_core_fed_in_order():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range=(0, 255))
    core = Core(CoreConfig.of((7, 6, 5, 3), lanes=4))
    assert found.partial_fit(x[:1], y[:1], classes=[0, 1, 2]) is found
    found.partial_fit(x[1:50], y[1:50]).partial_fit(x[50:], y[50:], classes=[2, 1, 0])
    for row, label in zip(x, y, strict=True):
        core.learn(row, int(label))
    same(found.core_, core)


def test_partial_fit_goes_on_where_fit_ended():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range=(0, 255), epochs=3).fit(x, y)
    core = Core(found.core_.config)
    for epoch in range(3):
        core.extra = core.config.extra(epoch)
        for sample in training.order(0, epoch, len(y)):
            core.learn(x[sample], int(y[sample]))
    assert core.extra == 2
    for row, label in zip(x, y, strict=True):
        core.learn(row, int(label))
    same(found.partial_fit(x, y).core_, core)


def test_scores_are_those_of_the_core():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range=(0, 255), formats__u_fraction=6).fit(x, y)
    rows = [found.core_.infer(row) for row in x]
    scores = np.array([scores for _, scores in rows]) / 64
    np.testing.assert_array_equal(found.decision_function(x), scores)
    np.testing.assert_array_equal(found.predict(x), [number for number, _ in rows])
    exps = np.exp(scores)
    np.testing.assert_allclose(found.predict_proba(x), exps / exps.sum(axis=1, keepdims=True))


def test_two_classes_have_one_decision():
    x, y = some_bytes(classes=2)
    found = HebbianClassifier(**SMALL, input_range=(0, 255)).fit(x, y)
    scores = found.core_.infer_many(x)[1] / 256
    np.testing.assert_array_equal(found.decision_function(x), scores[:, 1] - scores[:, 0])


def test_every_field_of_the_configuration_is_a_parameter():
    parameters = inspect.signature(HebbianClassifier).parameters
    own = {"hidden_layers", "input_range", "epochs", "random_state", "engine"}
    own |= {"early_stopping", "validation_fraction", "n_iter_no_change"}
    chosen = {"seed", "input.size", "layer.kind", "layer.units"}
    fields = {name.replace(".", "__") for name in {*domains()} - chosen}
    assert set(parameters) == own | fields == set(HebbianClassifier().get_params())
    assert set(parameters) - set(classifier._OWN) == fields | {"hidden_layers"}
    assert {parameters[name].default for name in fields - {"input__centred"}} == {None}
    assert parameters["input__centred"].default is True


def test_unknown_parameters_are_refused():
    with pytest.raises(
        InputError, match="no parameter 'memory__horison'; did you mean memory__hor"
    ):
        HebbianClassifier(memory__horison=3)
    with pytest.raises(ValueError, match="Invalid parameter 'lane' .*; did you mean lanes?"):
        HebbianClassifier().set_params(lane=3)


# -- inputs -----------------------------------------------------------------------------------


def scaled(found, x):
    return found._inputs(np.asarray(x))


BOTH = ([-1, -20, 0, -5], (3.5, 1, 0.25, 8))


@pytest.mark.parametrize("given", ["features", "all", (-3, 8.5), BOTH, (np.array(BOTH[0]), 9)])
def test_range_of_the_inputs(given):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 3, (40, 4)) * [1, 10, 0.1, 0]
    found = HebbianClassifier(**SMALL, input_range=given, epochs=1)
    found.fit(x, np.arange(40) % 2)
    new = rng.normal(0, 5, (30, 4)) * [1, 10, 0.1, 1]
    for column in range(4):
        part = x if given == "all" else x[:, column]
        low, high = (part.min(), part.max()) if isinstance(given, str) else given
        low, high = (np.broadcast_to(end, 4)[column] for end in (low, high))
        low, high = Fraction(float(low)), Fraction(float(high))
        for value, raw in zip(new[:, column], scaled(found, new)[:, column], strict=True):
            exact = Fraction(255) * (Fraction(value) - low) / (high - low) if high > low else 0
            assert raw == round(min(max(exact, 0), 255))


def test_bytes_stay_bytes():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range=(0, 255), epochs=1).fit(x, y)
    every = np.arange(256)[:, None] * np.ones(7, int)
    np.testing.assert_array_equal(scaled(found, every), every)
    found.set_params(input__bits=3).fit(x, y)
    np.testing.assert_array_equal(scaled(found, every), every >> 5)


def test_range_of_the_first_part_is_kept():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range="features")
    found.partial_fit(x, y, classes=[0, 1, 2])
    low, high = found.low_.copy(), found.high_.copy()
    found.partial_fit(x.astype(int) * 3 - 50, y)
    np.testing.assert_array_equal((found.low_, found.high_), (low, high))
    np.testing.assert_array_equal((low, high), (x.min(axis=0), x.max(axis=0)))


def test_huge_and_tiny_numbers():
    x = np.array([[-1.7e308, 0.0], [1.7e308, 1e-300], [0.0, 0.0]])
    found = HebbianClassifier(**SMALL, epochs=1, input_range="features").fit(x, [0, 1, 1])
    np.testing.assert_array_equal(scaled(found, x), [[0, 0], [255, 255], [128, 0]])
    np.testing.assert_array_equal(scaled(found, [[0.0, 1e308]]), [[128, 255]])


# -- scikit-learn -----------------------------------------------------------------------------


ORDERED = "weights and repetitions are compared in two orders of the samples, which count here"


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(
        estimator_checks_generator(
            HebbianClassifier(epochs=10),  # as many as are enough, to save time
            expected_failed_checks={"check_sample_weight_equivalence_on_dense_data": ORDERED},
            mark="xfail",
        )
    ),
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", ""),
)
def test_check_estimator(estimator, check):
    check(estimator)


def test_pipeline_and_grid_search():
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, train_size=600, random_state=0)
    pipeline = make_pipeline(
        VarianceThreshold(0.1), HebbianClassifier(input_range="all", epochs=10)
    )
    grid = {
        "hebbianclassifier__formats__weight_bits": np.array([4, 12]),
        "hebbianclassifier__hidden_layers": [(8,), (32, 16)],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(x_train, y_train)
    assert search.best_params_["hebbianclassifier__hidden_layers"] == (32, 16)
    assert search.best_params_["hebbianclassifier__formats__weight_bits"] == 12
    assert search.score(x_test, y_test) > 0.9
    layers = search.best_estimator_[-1].core_.config.sizes
    assert layers[1:] == (32, 16, 10)
    assert layers[0] < 64


def test_learns_digits_beyond_its_frozen_control():
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
    scores = [
        HebbianClassifier(input_range="all", epochs=5, memory__kind=memory)
        .fit(x_train, y_train)
        .score(x_test, y_test)
        for memory in ("gated", "none")
    ]
    assert scores[0] > 0.93
    assert scores[1] < 0.85


def test_pickled_network_goes_on_learning():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, memory__kind="window", memory__window=4).fit(x, y)
    copy = pickle.loads(pickle.dumps(found))
    same(copy.partial_fit(x, y).core_, found.partial_fit(x, y).core_)


def test_random_state():
    x, y = some_bytes()

    def seed(state):
        return HebbianClassifier(**SMALL, epochs=1, random_state=state).fit(x, y).core_.config.seed

    assert seed(3) == seed(np.int64(3)) == 3
    assert seed(2**32 - 1) == 2**32 - 1
    assert seed(np.random.RandomState(3)) == seed(np.random.RandomState(3))
    assert seed(None) != seed(None)


def test_plain_core_where_the_twin_refuses(monkeypatch):
    from hebbware.golden.twin import core as twin

    def refuse(config):
        raise InputError("not this one")

    x, y = some_bytes()
    compiled = HebbianClassifier(**SMALL, epochs=2).fit(x, y)
    assert type(compiled.core_) is twin.Twin
    monkeypatch.setattr(twin, "Twin", refuse)
    found = HebbianClassifier(**SMALL, epochs=2).fit(x, y)
    assert type(found.core_) is Core
    same(found.core_, compiled.core_)


def test_example_of_the_docstring():
    tests = doctest.DocTestFinder().find(HebbianClassifier, "HebbianClassifier", module=classifier)
    runner = doctest.DocTestRunner()
    results = [runner.run(test) for test in tests]
    assert sum(result.attempted for result in results) > 5
    assert sum(result.failed for result in results) == 0


def test_offered_names():
    assert hebbware.golden.__all__ == ["Core", "CoreConfig", "HebbianClassifier"]
    assert set(hebbware.golden.__all__) <= set(dir(hebbware.golden))
    assert hebbware.golden.HebbianClassifier is classifier.HebbianClassifier
    with pytest.raises(AttributeError, match="has no attribute 'Cores'"):
        _ = hebbware.golden.Cores


# -- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"formats__weight_bits": 3}, "weight_bits must lie in 4..16, not 3"),
        ({"formats__weight_bits": 8.0}, "weight_bits must be a whole number, not 8.0"),
        (
            {"update__rounding": "up"},
            "rounding must be one of floor, nearest, stochastic, not 'up'",
        ),
        ({"memory__kind": "many"}, "memory.kind must be one of gated, window, "),
        ({"hidden_layers": ()}, r"hidden_layers must be a list of at least one .*, not \(\)"),
        ({"hidden_layers": 32}, "hidden_layers must be a list of at least one .*, not 32"),
        ({"hidden_layers": (3.5, 4)}, "layer.units must be a whole number, not 3.5"),
        ({"epochs": 0}, "epochs must be a whole number in 1..1000, not 0"),
        ({"epochs": True}, "epochs must be a whole number in 1..1000, not True"),
        ({"epochs": 2.0}, "epochs must be a whole number in 1..1000, not 2.0"),
        ({"engine": "fast"}, "engine must be one of compiled, plain, not 'fast'"),
        ({"random_state": -1}, "random_state must lie in 0..4294967295, not -1"),
        ({"random_state": "x"}, "random_state must be a whole number, .* not 'x'"),
        ({"input_range": "rows"}, "input_range must be one of features, all, .* not 'rows'"),
        ({"input_range": (3, 3)}, r"input_range must .* not \(3, 3\)"),
        ({"input_range": (0, np.inf)}, r"input_range must .* not \(0, inf\)"),
        ({"input_range": (0, 1, 2)}, r"input_range must .* not \(0, 1, 2\)"),
        ({"input_range": None}, "input_range must .* not None"),
        ({"input_range": ([0] * 6, [1] * 6)}, "input_range must .* one for each feature, not "),
        ({"input_range": ([0] * 7, [1] * 6 + [-1])}, "input_range must .* not "),
        ({"input_range": ([0] * 7, [0] * 7)}, "input_range must .* not "),
        ({"input_range": "log"}, "encoding log: x must be above 0, not 0 .sample "),
        ({"early_stopping": 1}, "early_stopping must be True or False, not 1"),
        ({"early_stopping": True, "validation_fraction": 1}, "validation_fraction .* not 1"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "0.01 must hold at least one"),
        ({"early_stopping": True, "n_iter_no_change": 0}, "n_iter_no_change must .* not 0"),
    ],
)
def test_bad_parameter(parameters, message):
    x, y = some_bytes()
    with pytest.raises(InputError, match=message) as error:
        HebbianClassifier(**{**SMALL, **parameters}).fit(x, y)
    assert "\n" not in str(error.value)


def test_bad_classes():
    x, y = some_bytes()
    with pytest.raises(InputError, match="classes must be given in the first call"):
        HebbianClassifier().partial_fit(x, y)
    with pytest.raises(InputError, match="at least 2 classes, not 1 class"):
        HebbianClassifier().fit(x, np.zeros(len(x)))
    with pytest.raises(InputError, match="layer.units must lie in 2..64, not 65"):
        HebbianClassifier().fit(np.zeros((195, 2)), np.arange(195) % 65)
    found = HebbianClassifier(**SMALL)
    with pytest.raises(InputError, match="y must hold only the classes 0, 1, not 2"):
        found.partial_fit(x, y, classes=[0, 1])
    assert not hasattr(found, "core_")
    found.partial_fit(x, y, classes=[0, 1, 2])
    with pytest.raises(InputError, match="classes must stay .* 0, 1, 2, not 0, 1, 3"):
        found.partial_fit(x, y, classes=[0, 1, 3])
    with pytest.raises(InputError, match="y must hold only the classes 0, 1, 2, not 'b'"):
        found.partial_fit(x, np.full(len(y), "b"))
    with pytest.raises(InputError, match="y must hold only the classes 0, .* 10, ..., not 99"):
        HebbianClassifier().partial_fit(x, y + 97, classes=np.arange(20))


# -- memories, modulators ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen",
    [
        *({"memory__kind": memory} for memory in MEMORIES if memory != "samples"),
        {"modulator__kind": "hsic"},
    ],
)
def test_every_memory_and_modulator_works_with_the_other_defaults(chosen, monkeypatch):
    def weights(config):  # in the place of a training that takes seconds
        shape = (config.classes * config.memory.projection, config.reservoir.units)
        return np.random.default_rng(0).integers(-9, 9, shape)

    monkeypatch.setattr(decoder, "decoder_weights", weights)
    x, y = some_bytes()
    found = HebbianClassifier(**chosen, epochs=1).fit(x, y)
    assert found.predict(x).shape == y.shape
    assert found.core_.config.memory.kind == chosen.get("memory__kind", "samples")
    assert found.get_params()["memory__kind"] == chosen.get("memory__kind")  # what was given


# -- epochs, weights of samples --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "epochs"), [(9, 1000), (60, 834), (1000, 50), (1001, 50), (6000, 10)]
)
def test_epochs_show_enough_samples(samples, epochs):
    assert training.epochs_for(samples) == epochs
    assert epochs in (10, 1000) or samples * (epochs - 1) < 50_000 <= samples * epochs


def test_epochs_follow_the_samples():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL).fit(x, y)
    given = HebbianClassifier(**SMALL, epochs=training.epochs_for(60)).fit(x, y)
    same(found.core_, given.core_)
    assert found.n_iter_ == len(found.accuracy_curve_) == training.epochs_for(60)
    assert found.validation_curve_ == []


def test_accuracy_curve_is_that_of_the_training():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, input_range=(0, 255), epochs=4).fit(x, y)
    dataset = Dataset("made", (7,), 3, x, y, x, y)
    config = CoreConfig.of((7, 6, 5, 3), lanes=4)
    expected = training.train(config, dataset, 4, engine="plain", validation=0).state.train
    assert found.accuracy_curve_ == expected


def test_early_stopping_keeps_the_best_epoch():
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 1, (300, 5)), rng.integers(0, 3, 300)  # nothing to learn
    options = {**SMALL, "epochs": 40, "validation_fraction": 0.2, "n_iter_no_change": 3}
    found = HebbianClassifier(**options, early_stopping=True).fit(x, y)
    curve = found.validation_curve_
    best = curve.index(max(curve))
    assert found.n_iter_ == len(curve) == len(found.accuracy_curve_) == best + 4 < 40
    # the same samples, in the same order, for as many epochs as the best one needed
    held = np.zeros(300, bool)
    order = np.argsort(np.random.PCG64(0).random_raw(300), kind="stable")
    for label in range(3):
        rows = order[y[order] == label]
        held[rows[: len(rows) // 5]] = True
    again = HebbianClassifier(**options).fit(x[~held], y[~held])
    core = Core(found.core_.config)
    raw = scaled(again, x[~held])
    for epoch in range(best + 1):
        core.extra = core.config.extra(epoch)
        sequence = training.order(0, epoch, len(raw))
        core.learn_many(raw[sequence], y[~held][sequence])
    same(found.core_, core)
    assert found.score(x[held], y[held]) == max(curve)


def test_a_weight_is_a_number_of_repetitions():
    x, y = some_bytes()
    weights = np.random.default_rng(3).integers(0, 4, 60)
    twice, label = np.repeat(x, weights, axis=0), np.repeat(y, weights)
    weighted = HebbianClassifier(**SMALL, epochs=3).fit(x, y, sample_weight=weights)
    same(weighted.core_, HebbianClassifier(**SMALL, epochs=3).fit(twice, label).core_)
    weighted.partial_fit(x, y, sample_weight=weights.astype(float))
    other = HebbianClassifier(**SMALL, epochs=3).fit(twice, label).partial_fit(twice, label)
    same(weighted.core_, other.core_)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(60, 0.5), r" must be whole numbers .* not 0.5 \(sample 1\)"),
        (np.arange(60) - 1, r" must be whole numbers .* not -1 \(sample 1\)"),
        (np.full(60, np.nan), " must be whole numbers .* not nan"),
        (np.zeros(60), " must hold at least one number above 0"),
        (np.ones(59), r".shape must be \(60,\), numbers, not float64 of \(59,\)"),
        (["1"] * 60, r".shape must be \(60,\), numbers, not <U1"),
    ],
)
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_bad_weight(weight, message, call):
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, epochs=1)
    more = {"classes": [0, 1, 2]} if call == "partial_fit" else {}
    with pytest.raises(InputError, match=f"^sample_weight{message}"):
        getattr(found, call)(x, y, sample_weight=weight, **more)
    assert not hasattr(found, "core_")


@pytest.mark.parametrize("kind", ["quantiles", "log", "standard"])
def test_ranges_are_those_of_the_encoding(kind):
    x = np.exp(np.random.default_rng(4).normal(0, 1, (80, 3)))
    found = HebbianClassifier(**SMALL, input_range=kind, epochs=1).fit(x, np.arange(80) % 3)
    np.testing.assert_array_equal(scaled(found, x * 2), Encoding.fit(kind, x)(x * 2))


# -- ranges, and what a call that fails leaves behind ----------------------------------------------


def test_first_samples_without_a_range_are_refused():
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL)
    with pytest.raises(InputError, match=r"'standard' needs samples that differ, .* \(low, high\)"):
        found.partial_fit(x[:1], y[:1], classes=[0, 1, 2])
    with pytest.raises(InputError, match="needs samples that differ, not 5 equal ones"):
        found.fit(np.repeat(x[:1], 5, axis=0), [0, 1, 2, 0, 1])
    assert not hasattr(found, "core_")
    assert not hasattr(found, "n_features_in_")
    found.partial_fit(x, y, classes=[0, 1, 2])  # nothing was fixed by the calls before
    assert (found.low_ < found.high_).all()


def test_some_inputs_without_a_range_are_told():
    x, y = some_bytes()
    x[:5, 2] = 7
    with pytest.warns(UserWarning, match=r"1 of 7 inputs .* give input_range=\(low, high\)"):
        found = HebbianClassifier(**SMALL).partial_fit(x[:5], y[:5], classes=[0, 1, 2])
    assert (scaled(found, x)[:, 2] == 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.partial_fit(x[5:], y[5:])
        HebbianClassifier(**SMALL, input_range=(0, 255)).partial_fit(x[:1], y[:1], [0, 1, 2])
        HebbianClassifier(**SMALL, epochs=1).fit(x[:5], [0, 1, 2, 0, 1])  # those are all there are


@pytest.mark.parametrize(
    "change",
    [
        {"formats__weight_bits": 3},
        {"epochs": 0},
        {"hidden_layers": ()},
        {"input_range": "rows"},
        {},
    ],
)
def test_a_fit_that_fails_leaves_the_network_before_it(change):
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, epochs=1).fit(x, y)
    before, answers = dict(vars(found)), found.predict(x)
    wider = np.concatenate([x, x], axis=1)
    found.set_params(**change)
    with pytest.raises(InputError):
        found.fit(wider, y if change else np.zeros(len(y)))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        found.fit(wider, y[:-1])
    found.set_params(**{name: before[name] for name in change})
    assert vars(found) == before
    np.testing.assert_array_equal(found.predict(x), answers)


def test_a_fit_that_is_interrupted_leaves_the_network_before_it(monkeypatch):
    x, y = some_bytes()
    found = HebbianClassifier(**SMALL, epochs=1, engine="plain").fit(x, y)
    core, answers = found.core_, found.predict(x)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Core, "learn_many", interrupt)
        with pytest.raises(KeyboardInterrupt):
            found.fit(x, y)
    assert found.core_ is core
    np.testing.assert_array_equal(found.predict(x), answers)
