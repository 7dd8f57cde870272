"""Specifications: what runs they name, and what they must not contain."""

import numpy as np
import pytest

from hebbware.golden.config import load
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.learn import train
from hebbware.golden.reservoir import decoder
from hebbware.study import run, spec


def write(folder, text, name="some.toml"):
    path = folder / name
    path.write_text(text)
    return path


def plan(folder, text):
    return spec.plan(write(folder, text))


BASE = 'base = "digits"\n'
RECORDINGS = ("eprop", "eprop-speech", "spoken-digits")  # what needs that data set, and its name
SMALL = 'base = "digits"\nepochs = 1\nseeds = [0, 1]\n'


def configs(made, field, control=None):
    keys = [key for key in made.keys.values() if key["control"] == control and key["seed"] == 0]
    return [key["config"][field] for key in keys]


def test_grid_zip_and_list_are_multiplied(tmp_path):
    made = plan(
        tmp_path,
        SMALL + "list = [{}, {memory.horizon = 9}]\n"
        "[grid]\nformats.weight_bits = [8, 12]\nepochs = [1, 2]\n"
        "[zip]\nformats.z_bits = [6, 7]\nformats.z_fraction = [2, 3]\n",
    )
    assert len(made.keys) == 2 * 2 * 2 * 2 * 2
    found = {
        (
            k["config"]["memory.horizon"],
            k["config"]["formats.weight_bits"],
            k["epochs"],
            k["config"]["formats.z_bits"],
        )
        for k in made.keys.values()
    }
    assert found == {(h, w, e, z) for h in (9, 12) for w in (8, 12) for e in (1, 2) for z in (6, 7)}
    assert all(
        k["config"]["formats.z_bits"] - k["config"]["formats.z_fraction"] == 4
        for k in made.keys.values()
    )
    assert made.parts[0].fields == [
        "formats.weight_bits", "epochs", "formats.z_bits", "formats.z_fraction", "memory.horizon",
    ]  # fmt: skip


def test_key_names_all_that_a_run_depends_on(tmp_path):
    (key,) = plan(
        tmp_path, 'base = "digits"\nseeds = [3]\nsamples = 200\ntest = true'
    ).keys.values()
    assert set(key["config"]) == load("digits").to_dict().keys() - {"seed"}
    assert key["config"].keys() >= {
        "layer.units",
        "memory.horizon",
        "formats.rsqrt_bits",
    }  # not window: unread
    assert key["decoder"] is None
    assert key["config"]["layer.rate"] == [7, 5, 7]  # the preset's
    held = train.held_back(data.load("digits"), None)
    assert (key["seed"], key["epochs"], key["train_samples"], key["validation"]) == (
        3,
        10,
        200,
        held,
    )
    assert key["dataset"]["name"] == "digits"
    assert len(key["dataset"]["sha256"]) == 64
    assert (key["test"], key["control"], key["code"]) == (True, None, run.code_version())


def test_spelled_out_defaults_are_the_same_runs(tmp_path):
    short = plan(tmp_path, 'base = "digits"')
    spelled = plan(
        tmp_path,
        'dataset = "digits"\nepochs = 10\nseeds = [0, 1, 2]\ntest = false\n'
        "samples = 1189\nvalidation = 108\n"
        '[base]\npreset = "digits"\nformats.weight_bits = 12\ninput.centred = false\n',
    )
    assert short.keys.keys() == spelled.keys.keys()


def test_defaults_follow_from_the_values_of_a_point(tmp_path):
    made = plan(
        tmp_path,
        "seeds = [0]\n[grid]\nlayer.units = [[16, 10]]\n"
        "[base]\ninput.size = 64\nlayer.units = [8, 10]",
    )
    assert configs(made, "layer.rate") == [[7, 8]]


def test_controls_are_shared_by_what_they_do_not_use(tmp_path):
    made = plan(
        tmp_path,
        SMALL + 'controls = ["frozen", "codes", "linear", "float"]\n'
        "[grid]\nformats.weight_bits = [8, 12]\nmemory.horizon = [9, 10, 12]\n",
    )
    count = {}
    for key in made.keys.values():
        count[key["control"]] = count.get(key["control"], 0) + 1
    assert count == {None: 12, "frozen": 4, "codes": 4, "linear": 2, "float": 2}
    for point in made.parts[0].points:
        assert len(point.runs) == 2
        for control, names in point.controls.items():
            for name, seed in zip(names, (0, 1), strict=True):
                key = made.keys[name]
                assert (key["control"], key["seed"]) == (control, seed)
                if control in ("frozen", "codes"):
                    assert (
                        key["config"]["formats.weight_bits"] == point.values["formats.weight_bits"]
                    )
                    assert (
                        key["config"]["memory.kind"]
                        == {"frozen": "none", "codes": "codes"}[control]
                    )


def test_parts_and_includes(tmp_path):
    write(tmp_path, SMALL + "[grid]\nformats.weight_bits = [8, 12]", "first.toml")
    made = plan(
        tmp_path,
        SMALL + 'include = ["first.toml"]\n[[part]]\nname = "a"\nset = {memory.kind = "window"}\n'
        "grid = {memory.window = [8, 16]}\n"
        '[[part]]\nname = "b"\ngrid = {formats.weight_bits = [10, 12]}\n',
    )
    assert [(p.spec, p.name, len(p.points)) for p in made.parts] == [
        ("first", "first", 2),
        ("some", "a", 2),
        ("some", "b", 2),
    ]
    assert len(made.keys) == 2 * (2 + 2 + 1)  # 12 bits stand in two parts, and are run once
    assert configs(made, "memory.kind") == ["gated", "gated", "window", "window", "gated"]


def test_what_a_memory_does_not_read_of_the_base_is_left_out(tmp_path):
    made = plan(
        tmp_path,
        'seeds = [0]\nlist = [{memory.kind = "gated"}, '
        '{memory.kind = "window", memory.window = 8}, {memory.kind = "none"}, '
        '{modulator.kind = "hsic", memory.window = 8}, {neuron.kind = "leaky"}]\n'
        "[base]\ninput.size = 64\nlayer.units = [8, 10]\n"
        "memory.horizon = 9\nmemory.bits = 14\nmodulator.beta_log2 = 2\n",
    )
    assert made.impossible == []
    fields = (
        *("memory.kind", "memory.horizon", "memory.bits", "memory.window", "modulator.beta_log2"),
        "neuron.time_steps",
    )
    found = [[key["config"].get(field) for field in fields] for key in made.keys.values()]
    assert found == [
        ["gated", 9, 14, None, 2, None],
        ["window", None, 14, 8, 2, None],
        ["none", None, None, None, None, None],
        ["samples", None, None, 8, None, None],
        ["gated", 9, 14, None, 2, 1],
    ]


def test_an_axis_that_some_combinations_do_not_read_is_told(tmp_path):
    made = plan(
        tmp_path,
        SMALL + '[grid]\nmemory.kind = ["gated", "window"]\nmemory.horizon = [8, 9]',
    )
    assert len(made.parts[0].points) == 2
    assert [line.partition(": ")[2] for line in made.impossible] == [
        f"memory.kind=window, memory.horizon={value}: memory.horizon must be left out where "
        "memory.kind is 'window'; it belongs to 'gated', 'trace', 'reservoir'"
        for value in (8, 9)
    ]


@pytest.mark.parametrize("base", ["digits-hsic", "digits-reservoir", "digits"])
def test_controls_of_every_base(tmp_path, base, monkeypatch):
    monkeypatch.setattr(spec, "decoder_hash", lambda config: "0" * 64)
    made = plan(tmp_path, f'base = "{base}"\nseeds = [0]\ncontrols = ["frozen", "codes", "linear"]')
    assert made.impossible == []
    found = {key["control"]: key["config"] for key in made.keys.values()}
    assert (found["codes"]["memory.kind"], found["frozen"]["memory.kind"]) == ("codes", "none")
    steps = load(base).to_dict()["layer.rate"]
    assert all(config["layer.rate"] == steps for config in found.values())
    assert found["codes"]["modulator.kind"] == "class-memory"
    assert found["frozen"]["modulator.kind"] == "none"
    for control in ("codes", "frozen"):
        others = {"memory.window", "memory.projection", "memory.horizon", "reservoir.units"}
        assert not others & found[control].keys()


def test_controls_of_recurrent_layers(tmp_path):
    text = 'base = "digits-rows"\nseeds = [0]\ncontrols = ["frozen", "codes", "linear"]'
    made = plan(tmp_path, text)
    found = {key["control"]: key["config"]["modulator.kind"] for key in made.keys.values()}
    assert found == {None: "symmetric", "frozen": "none", "codes": "random", "linear": "symmetric"}


@pytest.mark.parametrize("base", ["digits-hsic", "digits-reservoir", "linear-leaky"])
def test_a_control_that_there_is_not_is_told_before_anything_runs(tmp_path, base, monkeypatch):
    monkeypatch.setattr(spec, "decoder_hash", lambda config: "0" * 64)
    made = plan(tmp_path, f'base = "{base}"\nseeds = [0]\ncontrols = ["float"]')
    (line,) = made.impossible
    assert "the base: control float has" in line


def test_key_has_the_weights_of_a_decoder(tmp_path, monkeypatch):
    weights = np.zeros((80, 64), int)
    monkeypatch.setattr(decoder, "decoder_weights", lambda config: weights)
    text = 'base = "digits-reservoir"\nseeds = [0]'
    first, again = plan(tmp_path, text), plan(tmp_path, text)
    weights = weights + 1
    other = plan(tmp_path, text)
    assert first.keys.keys() == again.keys.keys() != other.keys.keys()
    (key,) = first.keys.values()
    assert len(key["decoder"]) == 64
    with pytest.raises(InputError, match="a worker's decoder .* has other weights"):
        run.execute(key)


def test_all_impossible_combinations_are_listed(tmp_path):
    made = plan(
        tmp_path,
        "seeds = [0]\n[grid]\nformats.weight_bits = [3, 8, 17]\nformats.z_fraction = [4, 7]\n"
        "input.size = [64, 63]\n[base]\ninput.size = 64\nlayer.units = [8, 10]",
    )
    assert len(made.impossible) == 11  # only 8 bits, 4 fraction bits and 64 inputs can be
    assert len(made.keys) == 1
    text = "\n".join(made.impossible)
    assert "formats.weight_bits=3, formats.z_fraction=4" in text
    assert "weight_bits must lie in 4..16, not 17" in text
    assert "read_fraction must be at least formats.z_fraction = 7" in text
    assert "data set digits has 64 inputs" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "unknown field 'colour'"),
        ("[grid]\ncolour = [1]", "grid: unknown field 'colour'"),
        ("[zip]\ncolour = [1]", "zip: unknown field 'colour'"),
        ("list = [{colour = 1}]", "list: unknown field 'colour'"),
        (
            "[base]\ncolour = 1\ninput.size = 64\nlayer.units = [8, 10]",
            "base: unknown field 'colour'",
        ),
        ('[[part]]\nname = "a"\ncolour = 1', "part a: unknown field 'colour'"),
        ("[grid]\nseed = [1]", "cannot have seed"),
        ("[grid]\nformats.weight_bits = 8", "grid.formats.weight_bits must be a list"),
        ("[grid]\nformats.weight_bits = []", "at least one value"),
        ("[zip]\nformats.z_bits = [1]\nformats.z_fraction = [1, 2]", "lists of one length"),
        (
            "list = [{memory.horizon = 8}]\n[grid]\nmemory.horizon = [9]",
            "memory.horizon must be varied in one place",
        ),
        ("[[part]]\n[[part]]", "another part of that name"),
        ("[grid]\nmemory.horizon = [9]\n[[part]]", "grid must stand inside the parts"),
        ("seeds = [0, 0]", "seeds must be different"),
        ("seeds = [-1]", "seeds must be different"),
        ("seeds = 1", "seeds must be a list of whole numbers"),
        ("test = 1", "test must be true or false"),
        ("validation = 1297", "validation samples must lie in 0..1296"),
        ('validation = "no"', "validation must be a number, not 'no'"),
        ("validation = true", "validation must be a number, not True"),
        ('controls = ["window"]', "controls must be of frozen"),
        ('dataset = "letters"', "dataset must be one of"),
        ('base = "nothing"', "base nothing"),
        ("base = 1", "base must be text"),
        ('include = ["nothing"]', "specification nothing"),
        ('include = ["some.toml"]', "includes itself"),
        ("include = []", "nothing to run"),
        ("", "must name a base, an include or what is varied .*; it holds nothing"),
        ('title = "none"\nepochs = 3', "must name a base, .*; it holds title, epochs"),
        ("seeds = [0", "specification .*some.toml"),
    ],
)
def test_bad_specification(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        plan(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE + "epochs = 0", "epochs must lie in 1..1000, not 0"),
        (BASE + "epochs = true", "epochs must lie in 1..1000, not True"),
        (BASE + "samples = 1190", "samples must lie in 1..1189, not 1190"),
        (BASE + 'samples = "all"', "samples must lie in 1..1189"),
        ('controls = ["float"]\n[grid]\nmemory.kind = ["nothing"]', "memory.kind must be one of"),
    ],
)
def test_impossible_run(tmp_path, text, message):
    made = plan(tmp_path, text)
    assert len(made.impossible) == 1
    assert message in made.impossible[0]


def test_missing_specification_names_the_shipped_ones():
    with pytest.raises(InputError, match="give a TOML file or one of cifar10-.*digits, .*tiny"):
        spec.plan("nothing")


IMAGES = ("mnist", "cifar10")


@pytest.mark.parametrize("name", [n for n in spec.shipped() if not n.startswith(IMAGES)])
def test_shipped_specification_is_possible(name, monkeypatch):
    if name in RECORDINGS:
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, 255, (2700, 1280), np.uint8), np.arange(2700) % 10
        made_up = data.Dataset("spoken-digits", (40, 32), 10, x, y, x[:1], y[:1])
        loaded = run.load
        monkeypatch.setattr(
            run, "load",
            lambda name, *rest: (made_up, "0" * 64) if name in RECORDINGS else loaded(name, *rest),
        )  # fmt: skip
    made = spec.plan(name)
    assert made.impossible == []
    assert all(part.title and part.points for part in made.parts)
    if name != "tiny":
        seeds = {key["seed"] for key in made.keys.values()}
        assert len(seeds) >= 3
        wanted = set() if name.startswith("eprop") else set(run.CONTROLS)
        for part in made.parts:
            for point in part.points:
                assert set(point.controls) == wanted


def test_shipped_mnist_specifications_are_possible(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (60000, 784), np.uint8), np.arange(60000) % 10
    dataset = data.Dataset("mnist", (28, 28), 10, x, y, x[:1], y[:1])
    monkeypatch.setattr(run, "load", lambda *_: (dataset, "0" * 64))
    assert {n for n in spec.shipped() if n.startswith("mnist-")} == {
        n.replace("digits", "mnist") for n in spec.shipped() if n.startswith("digits-")
    }
    made = spec.plan("mnist")
    assert made.impossible == []
    weights = next(part for part in made.parts if part.name == "weights")
    assert len(weights.points) >= 7 * 3


def test_shipped_specification_of_convolutions_is_possible(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (50000, 3072), np.uint8), np.arange(50000) % 10
    dataset = data.Dataset("cifar10", (32, 32, 3), 10, x, y, x[:1], y[:1])
    monkeypatch.setattr(run, "load", lambda *_: (dataset, "0" * 64))
    made = spec.plan("cifar10-weights")
    assert made.impossible == []
    assert [point.values for point in made.parts[0].points] == [
        {"formats.weight_bits": bits} for bits in (8, 10, 12, 14, 16)
    ]
    assert {key["train_samples"] for key in made.keys.values()} == {15000}


def test_digits_study_has_at_least_150_runs():
    assert len(spec.plan("digits").keys) >= 150
