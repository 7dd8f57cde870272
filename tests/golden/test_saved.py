"""The estimator as a folder: what is loaded goes on bit for bit, foreign folders are refused."""

import json
import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from hebbware.golden import CoreConfig, HebbianClassifier
from hebbware.golden.config import load as load_config
from hebbware.golden.errors import InputError
from hebbware.golden.learn.folder import load_state

SMALL = {"hidden_layers": (6, 5), "lanes": 4, "epochs": 3}
RNG = np.random.default_rng(5)
X = RNG.normal(0, 3, (60, 4)) * [1, 10, 0.1, 0]
NUMBERS = RNG.integers(0, 3, 60)
LABELS = {
    "text": np.array(["red", "green", "blue"]),
    "objects": np.array(["red", "green", "blue"], object),
    "numbers": np.array([7, -2, 10]),
    "halves": np.array([1.0, 2.0, 30.0]),
    "two": np.array([True, False, True]),
}


def content(core):
    parts = (core.weights, core.memories, core.gains, core.codes)
    past = [(label, [z.tolist() for z in rows]) for label, rows in core.past]
    arrays = [[array.tolist() for array in part] for part in parts]
    return arrays, past, core.random_state, core.learned, core.saturated, core.extra


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("memory", ["gated", "window"])
def test_loaded_network_goes_on_bit_for_bit(tmp_path, labels, memory):
    y = LABELS[labels][NUMBERS]
    network = HebbianClassifier(**SMALL, memory__kind=memory, early_stopping=True).fit(X, y)
    network.save(tmp_path / "net")
    found = HebbianClassifier.load(tmp_path / "net")
    assert content(found.core_) == content(network.core_)
    assert repr(found) == repr(network)
    assert found.get_params() == network.get_params()
    assert found.classes_.dtype == network.classes_.dtype
    assert (found.n_iter_, found.accuracy_curve_) == (network.n_iter_, network.accuracy_curve_)
    assert found.validation_curve_ == network.validation_curve_
    later = X * 1.5
    np.testing.assert_array_equal(found.predict(later), network.predict(later))
    network.partial_fit(later, y)
    assert content(found.partial_fit(later, y).core_) == content(network.core_)


def test_drawn_seeds_and_arrays_are_kept_as_they_were_used(tmp_path):
    low = X.min(axis=0)
    network = HebbianClassifier(
        **SMALL, random_state=np.random.RandomState(3), input_range=(low, low + [1, 2, 3, 4])
    ).fit(X, NUMBERS)
    network.save(tmp_path / "net")
    found = HebbianClassifier.load(tmp_path / "net")
    np.testing.assert_array_equal(found.decision_function(X), network.decision_function(X))
    assert content(found.fit(X, NUMBERS).core_) == content(network.core_)


def test_files_of_the_folder(tmp_path):
    y = LABELS["text"][NUMBERS]
    network = HebbianClassifier(**SMALL, input_range="features")
    network.partial_fit(X[:, :3], y, classes=y)
    network.save(tmp_path / "net")
    assert sorted(path.name for path in (tmp_path / "net").iterdir()) == [
        "checkpoint.npz",
        "classifier.json",
        "config.toml",
        "encoding.json",
    ]
    config = load_config(tmp_path / "net" / "config.toml")
    options = {"lanes": 4, "input__centred": True, "layer__rate": (7, 6, 7)}
    assert config == network.to_config() == CoreConfig.of((3, 6, 5, 3), **options)
    encoding = json.loads((tmp_path / "net" / "encoding.json").read_text())
    assert encoding == {
        "kind": "range",
        "low": X[:, :3].min(axis=0).tolist(),
        "high": X[:, :3].max(axis=0).tolist(),
        "features": [],
        "classes": ["blue", "green", "red"],
    }
    with np.load(tmp_path / "net" / "checkpoint.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "iufU" for name in archive.files)


def test_saving_again_replaces_the_network_and_nothing_else(tmp_path, monkeypatch):
    network = HebbianClassifier(**SMALL).fit(X, NUMBERS)
    path = tmp_path / "net"
    network.save(path)
    network.partial_fit(X, NUMBERS).save(path)
    after = content(network.core_)
    assert content(load_state(path).core)[:-1] == after[:-1]
    network.partial_fit(X, NUMBERS)

    def full(self, raw):
        self.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "write_bytes", full)
        with pytest.raises(InputError, match=f"cannot write network {path}: No space left"):
            network.save(path)
    assert content(load_state(path).core)[:-1] == after[:-1]
    (path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="the folder holds notes.txt, which would be lost"):
        network.save(path)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot write network .*: "):
        network.save(path / "notes.txt")


def test_untrained_network_has_nothing_to_save(tmp_path):
    for use in (HebbianClassifier().to_config, lambda: HebbianClassifier().save(tmp_path / "net")):
        with pytest.raises(NotFittedError):
            use()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("config.toml", "lanes = 4", "lanes = 2", "config.toml must be the configuration of"),
        ("config.toml", "lanes = 4", "lanes = x", "config.toml"),
        (
            "encoding.json",
            '"standard"',
            '"log"',
            "encoding.json must be the encoding of checkpoint",
        ),
        ("encoding.json", "{", "", "encoding.json is no JSON"),
        ("classifier.json", '"version": 1', '"version": 2', "classifier.json must be of version 1"),
        ("classifier.json", '"halvings": 2', '"halvings": 9', "halvings must be .* 0..4, not 9"),
        ("classifier.json", '"red"', '"rot"', "its classes are not those of its checkpoint.npz"),
        ("classifier.json", '"type"', '"sort"', "lacks 'type'"),
        ("classifier.json", '"engine"', '"motor"', "no parameter 'motor'"),
        ("checkpoint.npz", None, None, "cannot read checkpoint .*No such file"),
        ("encoding.json", None, None, "cannot read .*encoding.json: No such file"),
    ],
)
def test_foreign_folder(tmp_path, name, old, new, message):
    path = tmp_path / "net" / name
    HebbianClassifier(**SMALL).fit(X, LABELS["text"][NUMBERS]).save(tmp_path / "net")
    if old is None:
        path.unlink()
    else:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        HebbianClassifier.load(tmp_path / "net")
    assert "\n" not in str(caught.value)


def test_there_is_no_folder(tmp_path):
    with pytest.raises(InputError, match="net must be a folder with a network, and is none"):
        HebbianClassifier.load(tmp_path / "net")


def test_names_of_features_are_kept(tmp_path):
    network = HebbianClassifier(**SMALL)
    network.fit(X, NUMBERS)
    network.feature_names_in_ = np.array(list("abcd"), object)  # as scikit-learn sets it
    network.save(tmp_path / "net")
    found = HebbianClassifier.load(tmp_path / "net")
    assert found.feature_names_in_.tolist() == list("abcd")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found.predict(X)
    assert "valid feature names" in str(caught[0].message)
