"""Data sets of sequences: ReckOn's files, the same task drawn, recordings, images row by row."""

import io
import wave
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data import sequences, sets, speech
from hebbware.golden.errors import InputError
from hebbware.golden.learn import checkpoint, controls
from hebbware.golden.learn.train import check_fit, inputs, train

EVENTS = "2\n30, 8\n3, 8\n-2, 1\n21, 11\n-1, 12\n0, 0\n-2, 0\n-1, 12\n"


def test_events(tmp_path):
    path = tmp_path / "events.dat"
    path.write_text(EVENTS)
    x, y = sequences.read_events(path)
    assert (x.shape, x.dtype, y.tolist()) == ((2, 12, 40), np.uint8, [1, 0])
    assert np.argwhere(x).tolist() == [[0, 8, 3], [0, 8, 30], [0, 11, 21], [1, 0, 0]]
    assert set(np.unique(x)) == {0, 255}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2\n30", "x\n30", "line 1: the first line must be the number of samples, not 'x'"),
        ("30, 8", "30; 8", "line 2: must be two whole numbers with a comma, not '30; 8'"),
        ("30, 8", "40, 8", r"line 2: neuron must lie in 0\.\.39, not 40"),
        ("3, 8", "3, 7", "line 3: events must be in order of time, from tick 8 on, not 7"),
        ("-2, 1", "-2, 2", r"line 4: class must lie in 0\.\.1, not 2"),
        (
            "-1, 12\n0",
            "-1, 11\n0",
            "line 6: a sample must end after its last event, at tick 11, not",
        ),
        (
            "-2, 0\n-1, 12",
            "-2, 0\n-1, 13",
            "line 9: a sample must have 12 ticks as the first one, no",
        ),
        ("-2, 0\n", "", "line 8: a sample must have a target before it ends, not none"),
        ("2\n30", "3\n30", "line 10: must hold 3 samples that end, not 2"),
    ],
)
def test_bad_events(old, new, message, tmp_path):
    path = tmp_path / "events.dat"
    path.write_text(EVENTS.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        sequences.read_events(path)
    assert str(path) in str(caught.value)


def test_files_of_cue_accumulation(monkeypatch, tmp_path):
    monkeypatch.delenv("HEBBWARE_DATA", raising=False)
    with pytest.raises(
        InputError, match=r"no folder holds dataset_cueAcc_train\.dat; get ReckOn's"
    ):
        sets.load("cue-accumulation")
    for name in sequences.FILES.values():
        (tmp_path / name).write_text(EVENTS)
    found = sets.load("cue-accumulation", tmp_path)
    assert (found.shape, found.x_test.shape, found.y_train.tolist()) == ((12, 40), (2, 480), [1, 0])


def test_drawn_cues():
    """Cues where they should be, as often as they should be, and the label is the side of most."""
    found = sets.load("cues:train=40:test=10:count=3:delay=70:noise=0.02", seed=3)
    ticks = 50 + 3 * 150 - 50 + 70 + 150
    assert (found.shape, found.x_train.shape, found.x_test.shape) == (
        (ticks, 40),
        (40, ticks * 40),
        (10, ticks * 40),
    )
    x = found.x_train.reshape(40, ticks, 4, 10) > 0
    sides = np.stack([x[:, s : s + 100, :2].sum((1, 3)) for s in (50, 200, 350)], axis=1)
    assert (sides.min(axis=2) == 0).all()  # each cue is on one side
    assert abs(sides.max(axis=2).mean() - 40) < 3
    right = (sides[..., 1] > 0).sum(axis=1)
    np.testing.assert_array_equal(found.y_train, right > 1)
    assert 5 < found.y_train.sum() < 35
    assert not x[:, :50, :3].any()
    assert not x[:, 450:-150, :3].any()
    assert abs(x[:, -150:, 2].mean() - 0.04) < 0.002
    assert abs(x[:, :, 3].mean() - 0.02) < 0.001
    again, other = (
        sets.load("cues:train=40:test=10:count=3:delay=70:noise=0.02", seed=s) for s in (3, 4)
    )
    np.testing.assert_array_equal(found.x_train, again.x_train)
    assert (found.x_train != other.x_train).any()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cues:count=2", "count must be odd, from 1 on, not 2"),
        ("cues:noise=2", r"noise must lie in 0\.\.1, not 2\.0"),
        ("cues:delay=-1", "delay must be at least 0, not -1"),
        ("cues:delay=x", "data set cues: delay must be a number, not 'x'"),
        ("cues:depth=1", "option of data set cues must be one of train, test, count, delay, noise"),
    ],
)
def test_bad_options_of_cues(name, message):
    with pytest.raises(InputError, match=message):
        sets.load(name)


# -- recordings ------------------------------------------------------------------------------------


def recording(frequency, seconds=0.4, rate=8000, channels=1):
    """A tone that begins after a tenth of the time, as the content of a WAV file."""
    t = np.arange(int(seconds * rate)) / rate
    sound = np.where(t < seconds / 10, 0, 9000 * np.sin(2 * np.pi * frequency * t)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(sound, channels).tobytes())
    return buffer.getvalue()


def archive(folder, files):
    with zipfile.ZipFile(folder / "recordings.zip", "w") as made:
        for name, content in files.items():
            made.writestr(name, content)


def test_spoken_digits(tmp_path):
    files = {
        f"recordings/{d}_ann_{take}.wav": recording(300 * (d + 1))
        for d in (3, 7)
        for take in (4, 5)
    }
    archive(tmp_path, files)
    found = sets.load("spoken-digits", tmp_path)
    assert (found.shape, found.classes, found.y_train.tolist(), found.y_test.tolist()) == (
        (40, 32), 10, [3, 7], [3, 7],
    )  # fmt: skip
    np.testing.assert_array_equal(found.x_train, found.x_test)
    # 1,200 and 2,400 Hz: the loudest band is the one whose middle, in mel, is nearest
    top = 2595 * np.log10(1 + 4000 / 700)
    for row, frequency in zip(found.x_train.reshape(2, 40, 32), (1200, 2400), strict=True):
        wanted = 2595 * np.log10(1 + frequency / 700) / (top / 33) - 1
        assert row[20].argmax() == round(wanted)
        assert row.max() == 255
        assert not row[:2].any()  # silence
        assert row[20, 0] == 0  # far from the tone
    (tmp_path / "recordings").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "recordings.zip").unlink()
    np.testing.assert_array_equal(sets.load("spoken-digits", tmp_path).x_train, found.x_train)


def test_bytes_are_decibels():
    """Half of the amplitude is 6 dB less: 30.7 of 255 steps of 50 dB, whatever the length."""
    t = np.arange(4000) / 8000
    sound = np.sin(2 * np.pi * 1000 * t) * np.where(t < 0.25, 1, 0.5)
    rows = speech.log_mel(8000, sound)
    assert rows.shape == (40, 32)
    assert rows[10].max() - rows[30].max() in (30, 31)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.wav": b""}, r"a\.wav: name must be DIGIT_SPEAKER_TAKE\.wav"),
        ({"1_a_7.wav": b"RIFF"}, r"1_a_7\.wav is no WAV file"),
        (
            {"1_a_7.wav": recording(500, channels=2)},
            r"1_a_7\.wav: must have one channel with sound",
        ),
        ({"1_a_7.wav": recording(0)}, r"1_a_7\.wav: must have one channel with sound"),
        ({"1_a_7.wav": recording(500)}, r"must hold takes 0\.\.4"),
    ],
)
def test_bad_recordings(files, message, tmp_path):
    archive(tmp_path, files)
    with pytest.raises(InputError, match=message):
        sets.load("spoken-digits", tmp_path)


def test_no_recordings(monkeypatch, tmp_path):
    monkeypatch.delenv("HEBBWARE_DATA", raising=False)
    with pytest.raises(InputError, match=r"no folder holds recordings\.zip or recordings; get the"):
        sets.load("spoken-digits", tmp_path)
    (tmp_path / "recordings.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"cannot read .*recordings\.zip"):
        sets.load("spoken-digits", tmp_path)


# -- rows of images, and how a core takes them -----------------------------------------------------


def sequence_config(ticks=8, size=8):
    return CoreConfig.of(
        (size, 6, 10), layer__kind=["recurrent", "readout"], neuron__ticks=ticks, input__bits=4
    )


def test_rows_of_digits():
    rows, images = sets.load("digits-rows"), sets.load("digits")
    assert (rows.name, rows.shape) == ("digits-rows", (8, 8))
    config = sequence_config()
    check_fit(config, rows)
    found = inputs(config, rows.x_test)
    np.testing.assert_array_equal(found, images.x_test.reshape(-1, 8, 8) >> 4)


@pytest.mark.parametrize(
    ("ticks", "size", "message"),
    [
        (
            7,
            8,
            r"data set digits-rows has sequences of 8 ticks, but the configuration takes neuro",
        ),
        (8, 7, "data set digits-rows has 64 inputs, but the configuration takes 56"),
    ],
)
def test_sequences_of_another_shape(ticks, size, message):
    with pytest.raises(InputError, match=message):
        check_fit(sequence_config(ticks, size), sets.load("digits-rows"))


def test_training_of_both_engines():
    """The same curve; the rate is that of the test set."""
    dataset = sets.split_validation(sets.load("digits-rows"), 30)
    x, y = dataset.x_test, dataset.y_test
    small = replace(dataset, x_train=x, y_train=y)
    config = sequence_config().derive(layer__init_std=[0.6, 0.1])
    found = [train(config, small, 2, engine=engine) for engine in ("plain", "compiled")]
    curves = [(r.state.train, r.state.validation, r.test, r.rate) for r in found]
    assert curves[0] == curves[1]
    assert 0 < curves[0][3] < 1


@pytest.mark.parametrize("name", ["cue-accumulation", "spoken-digits", "digits-rows"])
def test_presets_have_controls(name):
    found = controls.configurations(load(name))
    assert {c.modulator.kind for c in found.values()} == {"none", "random"}


def test_a_checkpoint_goes_on(tmp_path):
    """From a file of sequences, whose encoding has a range for each tick of each input."""
    rng = np.random.default_rng(2)
    y = np.arange(24) % 2
    x = rng.normal(size=(24, 6, 3)) + y[:, None, None]
    np.savez(tmp_path / "own.npz", x=x, y=y, x_test=x[:6], y_test=y[:6])
    dataset = sets.load(str(tmp_path / "own.npz"))
    assert dataset.shape == (6, 3)
    config = CoreConfig.of(
        (3, 5, 2), layer__kind=["recurrent", "readout"], neuron__ticks=6, layer__init_std=[0.9, 0.1]
    )
    path = tmp_path / "run.npz"

    def keep(state):
        if state.epoch == 1:
            checkpoint.save(path, state)

    whole = train(config, dataset, 2, validation=0, after_epoch=keep)
    state = checkpoint.load(path)
    assert state.epoch == 1
    resumed = train(config, dataset, 2, state=state)
    assert resumed.state.train == whole.state.train
    for one, other in zip(whole.state.core.weights, resumed.state.core.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.rate == resumed.rate > 0


@pytest.mark.slow  # half a minute
def test_four_cues_against_three(capsys):
    """Drawn samples whose sides differ by one cue, seeds 201, 203 and 207: a readout that sees the
    last 128 ticks alone fails on some of these; see docs/recurrent.md.
    """
    short = {
        "neuron.leak_shifts": [11], "neuron.readout_shift": 7, "layer.rate": [12, 17],
        "formats.z_fraction": 6,
    }  # fmt: skip
    found = {"whole sequence": [], "128 ticks": []}
    for seed in (201, 203, 207):
        drawn = sets.load("cues:train=50:test=300", seed=seed)
        events = drawn.x_test.reshape(-1, 2250, 4, 10)[:, :1150, :2] > 0
        cues = np.stack([events[:, 50 + 150 * n :][:, :100].sum(axis=(1, 3)) for n in range(7)])
        close = np.abs((cues[..., 1] > cues[..., 0]).sum(axis=0) - 3.5) < 1
        some = replace(drawn, x_test=drawn.x_test[close], y_test=drawn.y_test[close])
        assert len(some.y_test) > 50
        for name, fields in zip(found, ({}, short), strict=True):
            config = load("cue-accumulation", fields).derive(seed=seed)
            found[name].append(train(config, some, 5, validation=0).test)
    with capsys.disabled():
        print("\nfour cues against three:", {k: np.round(v, 3).tolist() for k, v in found.items()})
    assert min(found["whole sequence"]) > 0.8 > min(found["128 ticks"])


@pytest.mark.slow  # 1 minute
def test_cue_accumulation_is_learned():
    """Of the drawn task and, where they are at hand, of ReckOn's files; chance is 50 %."""
    config = load("cue-accumulation")
    found = {"cues": train(config, sets.load("cues"), 5, validation=0).test}
    try:
        dataset = sets.load("cue-accumulation")
    except InputError:
        pass
    else:
        found["files"] = train(config, dataset, 5, validation=0).test
    assert min(found.values()) >= 0.9, found
    frozen = train(config.derive(modulator__kind="none"), sets.load("cues"), 5, validation=0)
    assert frozen.test < 0.8
