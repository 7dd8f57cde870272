"""The reservoir as working memory: arithmetic against floats, the twin, decoders, their files."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.core import Core
from hebbware.golden.data.sets import load
from hebbware.golden.errors import InputError
from hebbware.golden.layers.normalise import normalise
from hebbware.golden.learn import checkpoint, fidelity, train
from hebbware.golden.program.walk import Store, latest
from hebbware.golden.reservoir import decoder as decoders
from hebbware.golden.reservoir import memory as reservoir_memory
from hebbware.golden.reservoir.block import ReservoirMemory
from hebbware.golden.twin import constants
from hebbware.golden.twin.core import Twin

BASE = CoreConfig.of(
    (64, 24, 16, 10), lanes=8, memory__kind="reservoir", memory__horizon=5, memory__projection=8,
    reservoir__units=32, reservoir__gain=-8, modulator__beta_log2=2, reservoir__decoder="zero",
)  # fmt: skip
SMALL = BASE.derive(**dense((6, 8, 4)), memory__projection=4, memory__horizon=3)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Decoders are kept where only this test sees them, and are trained on few steps."""
    monkeypatch.delenv("HEBBWARE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(decoders, "STEPS", 1200)
    decoders.ridge_decoder.cache_clear()
    yield
    decoders.ridge_decoder.cache_clear()


def weights_of(config, seed=0):
    shape = (config.classes * config.memory.projection, config.reservoir.units)
    return np.random.default_rng(seed).integers(-127, 128, shape)


def test_projected_modulator_is_the_float_one_within_its_roundings():
    """k, v and J of random E and z, against the equations in double precision."""
    rng = np.random.default_rng(1)
    units, d, config = 24, BASE.memory.projection, BASE
    for _ in range(50):
        codes = rng.choice([-1, 1], (d, units))
        z = rng.integers(-40, 60, units)
        read = rng.integers(-128, 128, (config.classes, d))
        error = rng.integers(-300, 300, config.classes)
        q = reservoir_memory.project(config, codes, z)
        s, a = reservoir_memory.down_shift(units), reservoir_memory.up_shift(config)
        assert (s, a) == (2, 2)
        exact_q = codes @ z / 16 / 4  # sqrt(24) is between 4 and 8
        clipped = np.clip(exact_q, -8, 127 / 16)
        assert np.abs(q / 16 - clipped).max() <= 0.5 / 16
        k = reservoir_memory.similarities(config, q, read)
        exact_k = np.clip(read / 64 @ (q / 16) / d, -8, 8)
        assert np.abs(k / 1024 - np.clip(exact_k, -4, 4 - 2**-10)).max() <= 0.5 / 1024
        v = reservoir_memory.pull(config, error, read)
        exact_v = np.clip(error / 1024 @ (read / 64) / 4, -4, 4 - 2**-10)
        assert np.abs(v / 1024 - exact_v).max() <= 0.5 / 1024
        # J takes z's part out of the back-projection: J |z|^2 = z B^T v where |z|^2 = units
        exact_sum = error / 1024 @ (read / 64 @ exact_q / d)
        j = exact_sum * 4 / 4 * d / units
        back = codes.T @ (error / 1024 @ (read / 64) / 4)
        assert j == pytest.approx(z / 16 @ back / units)
        weighted = round(exact_sum * 1024)
        if abs(j) < 3.9:
            assert abs(reservoir_memory.jacobian(config, units, weighted) / 1024 - j) <= 1 / 1024


def test_input_is_gated_by_class_or_by_error():
    q, error = np.array([3, -5, 7, 1]), np.array([4, 0, -9, 5])
    by_class = reservoir_memory.words(SMALL, q, error, 2).reshape(4, 4)
    assert by_class[2].tolist() == q.tolist()
    assert not by_class[[0, 1, 3]].any()
    by_error = reservoir_memory.words(SMALL.derive(memory__gating="error"), q, error, 2).reshape(
        4, 4
    )
    assert by_error.tolist() == [[-e * v for v in q.tolist()] for e in error.tolist()]


def test_rows_come_to_unit_scale():
    """E has an rms between 2^-1/2 and 2^1/2 whatever the size of M, for normally distributed M."""
    rng = np.random.default_rng(2)
    config = BASE.derive(memory__read_bits=12)
    for scale in (20, 150, 1000, 6000):
        memory = np.round(rng.normal(0, scale, (10, 64))).astype(np.int64)
        read = reservoir_memory.unit_scale(config, memory, 16) / 64
        rms = np.sqrt((read**2).mean(axis=1))
        assert (rms > 0.6).all()
        assert (rms < 1.7).all()
    assert not reservoir_memory.unit_scale(config, np.zeros((3, 8), np.int64), 16).any()


def test_exact_memory_is_the_leaky_sum_of_its_input():
    config = SMALL.derive(reservoir__decoder="exact", memory__horizon=4)
    memory = ReservoirMemory(config)
    rng = np.random.default_rng(3)
    sums = np.zeros((4, 4))
    for _ in range(200):
        inputs = rng.integers(-2000, 2000, 16)
        got = memory.write(0, inputs)
        sums += inputs.reshape(4, 4) - sums / 16
    assert np.abs(got / 256 - sums).max() < 0.1  # 16 floors of 1/256 each


def test_hidden_layers_learn_nothing_where_the_decoder_is_zero():
    dataset = load("digits")
    core = Core(BASE)
    before = [w.copy() for w in core.weights]
    core.learn_many(dataset.x_train[:20], dataset.y_train[:20])
    for old, new in zip(before[:-1], core.weights[:-1], strict=True):
        assert (old == new).all()
    assert (before[-1] != core.weights[-1]).any()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "memory.gating": "error",
            "memory.horizon": 8,
            "reservoir.topology": "cycle",
            "neuron.slope_shift": 3,
        },
        {
            "reservoir.decoder": "exact",
            "memory.gating": "error",
            "formats.z_bits": 10,
            "reservoir.bits": 16,
        },
        {
            **dense((64, 40, 10)),
            "reservoir.units": 16,
            "formats.weight_bits": 16,
            "reservoir.bits": 4,
        },
    ],
)
def test_twin_learns_the_same(fields, monkeypatch):
    config = BASE.derive(**fields)
    monkeypatch.setattr(decoders, "decoder_weights", weights_of)
    monkeypatch.setattr(constants, "decoder_weights", weights_of)
    dataset = load("digits")
    plain, compiled = Core(config), Twin(config)
    x, y = dataset.x_train[:120], dataset.y_train[:120]
    expected = plain.learn_many(x, y)[1]
    got = [compiled.learn_many(x[part], y[part])[1] for part in (slice(50), slice(50, None))]
    assert (np.concatenate(got) == expected).all()
    for mine, theirs in zip(plain.weights, compiled.weights, strict=True):
        assert (mine == theirs).all()
    assert plain.saturated == compiled.saturated
    for name in plain.reservoir.MEMBERS:
        for mine, theirs in zip(
            getattr(plain.reservoir, name), getattr(compiled.reservoir, name), strict=True
        ):
            assert mine.shape == theirs.shape
            assert (mine == theirs).all()
    assert any(read.any() for read in plain.reservoir.reads)


def test_checkpoint_holds_the_reservoir(tmp_path):
    dataset = load("digits")
    config = SMALL.derive(**dense((64, 16, 10)), reservoir__decoder="ridge")
    core = Core(config)
    core.learn_many(dataset.x_train[:30], dataset.y_train[:30])
    path = tmp_path / "run.npz"
    checkpoint.save(path, train.State(core, "digits", "f", 1, 0))
    again = checkpoint.load(path).core
    assert again.reservoir.states[0].any()
    for part in (core, again):
        part.learn_many(dataset.x_train[30:50], dataset.y_train[30:50])
    assert (core.weights[0] == again.weights[0]).all()
    assert (core.reservoir.states[0] == again.reservoir.states[0]).all()


# -- decoders --------------------------------------------------------------------------------------


def test_decoder_reproduces_leaky_sums_of_signals_it_was_not_trained_on():
    """Held out R^2 as told, and on signals of another seed, computed here in floating point."""
    config = SMALL.derive(
        reservoir__decoder="ridge", reservoir__units=64, reservoir__bits=12, memory__horizon=4
    )
    decoder = decoders.ridge_decoder(config)
    assert decoder.r2 > 0.8
    signals = decoders.signals(config, 600, seed=5).inputs
    memory = ReservoirMemory(config)
    sums, wanted, found = np.zeros(16), [], []
    for inputs in signals:
        decoded = memory.write(0, inputs)
        sums = sums * (1 - 2.0**-config.memory.horizon) + inputs
        wanted.append(sums)
        found.append(decoder.scale * decoded.ravel())
    wanted, found = np.array(wanted[100:]), np.array(found[100:])
    r2 = 1 - ((wanted - found) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum()
    assert r2 > 0.75


def test_delta_rule_comes_near_the_regression():
    config = SMALL.derive(
        reservoir__decoder="ridge", reservoir__units=64, reservoir__bits=12, memory__horizon=4
    )
    ridge, delta = (decoders.train_decoder(config, method) for method in decoders.METHODS)
    assert (delta.weights != ridge.weights).any()
    assert 0.4 < delta.r2 < ridge.r2
    with pytest.raises(InputError, match="method must be one of ridge, delta, not 'sgd'"):
        decoders.train_decoder(config, "sgd")


def test_modulator_of_the_core_is_the_float_one():
    """Directions that the core learns by, against xi in double precision from the same memory."""
    config = BASE.derive(
        formats__d_bits=16,
        formats__d_fraction=12,
        formats__error_fraction=12,
        formats__exp_bits=10,
        formats__reciprocal_bits=10,
        memory__bits=18,
        memory__read_bits=12,
        memory__read_fraction=10,
        reservoir__decoder="ridge",
        formats__weight_bits=16,
    )
    dataset = load("digits")
    core, compared = Core(config), 0
    for x, label in zip(dataset.x_train[:60], dataset.y_train[:60].tolist(), strict=True):
        before = [read / config.read.one for read in core.reservoir.reads]
        seen = latest(core.walk(x, label))
        for layer, read in enumerate(before):
            if (Store.D, layer) not in seen:
                continue
            a, d, z = seen[Store.A, layer], seen[Store.D, layer], seen[Store.Z, layer]
            power = normalise(config, a)[1].power
            codes = core.codes[layer].astype(float)
            xi = fidelity.modulator(config, codes, z / config.z.one, read, label)
            expected = np.clip(xi * 2.0**-power, -8, 8) * (a > 0)
            assert np.abs(d / config.d.one - expected).max() < 0.1 * 2.0**-power + 0.02
            compared += np.abs(expected).max() > 0.5 * 2.0**-power
    assert compared > 60


def test_fidelity_in_the_loop():
    """Near 1 where the reservoir is large and fine, and R^2 of the modulator is told apart."""
    config = SMALL.derive(**dense((64, 16, 10)), reservoir__decoder="ridge", reservoir__units=128,
        reservoir__bits=16, memory__projection=4, memory__horizon=4,
    )  # fmt: skip
    dataset = load("digits")
    told = fidelity.in_loop(Core(config), dataset.x_train, dataset.y_train, samples=100)
    assert [f.layer for f in told] == [0]
    assert told[0].memory > 0.8
    assert 0.8 < told[0].rows < 1
    assert 0.3 < told[0].modulator < 1
    with pytest.raises(InputError, match=r"reservoir\.decoder must be a trained one"):
        fidelity.in_loop(
            Core(config.derive(reservoir__decoder="exact")), dataset.x_train, dataset.y_train
        )


def test_decoders_are_trained_once_and_then_read(monkeypatch):
    config = SMALL.derive(reservoir__decoder="ridge")
    first = decoders.decoder_weights(config)
    decoders.ridge_decoder.cache_clear()
    monkeypatch.setattr(decoders, "train_decoder", lambda config: pytest.fail("trained again"))
    assert (decoders.decoder_weights(config.derive(seed=3)) == first).all()
    shuffled = decoders.decoder_weights(config.derive(reservoir__decoder="shuffled"))
    assert (shuffled != first).any()
    assert (np.sort(shuffled.ravel()) == np.sort(first.ravel())).all()


def test_other_weights_of_the_decoder_are_another_core(tmp_path):
    """The fingerprint, which a board holds, and checkpoints cover them, wherever they are from."""
    path, trained = tmp_path / "decoder.npz", decoders.train_decoder(SMALL)
    config = SMALL.derive(reservoir__decoder=str(path))
    decoders.save_decoder(path, trained)
    core, before = Core(config), config.fingerprint
    saved = tmp_path / "run.npz"
    checkpoint.save(saved, train.State(core, "digits", "f", 1, 0))
    assert SMALL.derive(reservoir__decoder=str(path)).fingerprint == before
    trained.weights[0, 0] += 1
    decoders.save_decoder(path, trained)
    changed = config.derive(lanes=config.lanes)
    assert changed == config
    assert changed.fingerprint != before
    with pytest.raises(InputError, match="reservoirs have another decoder"):
        checkpoint.load(saved)


def test_decoder_file_of_another_configuration_is_refused(tmp_path):
    path = tmp_path / "decoder.npz"
    decoders.save_decoder(path, decoders.train_decoder(SMALL))
    assert decoders.decoder_weights(SMALL.derive(reservoir__decoder=str(path))).any()
    with pytest.raises(InputError, match=r"was made for reservoir.units = 32.*has 64"):
        Core(SMALL.derive(reservoir__decoder=str(path), reservoir__units=64))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="no decoder file, or a damaged one"):
        Core(SMALL.derive(reservoir__decoder=str(path)))
    with pytest.raises(InputError, match="cannot read decoder"):
        Core(SMALL.derive(reservoir__decoder=str(tmp_path / "none.npz")))


def test_format_of_the_decoded_numbers_saturates():
    config = SMALL.derive(memory__bits=10, reservoir__units=512)
    decoded = reservoir_memory.decode(config, np.full((16, 512), 127), np.full(512, 127))
    assert (decoded == 511).all()
