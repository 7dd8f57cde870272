"""Steps of commands: long ones are announced, by what they took before or by an estimate."""

import json
from contextlib import suppress

import pytest

from hebbware.cli import estimates, main, steps
from hebbware.cli.output import Output
from hebbware.cli.steps import Clock, Times, duration
from hebbware.golden.config import load


@pytest.fixture
def times(tmp_path, monkeypatch):
    found = Times(lambda: tmp_path)
    monkeypatch.setattr(steps, "TIMES", found)
    return found


@pytest.fixture
def seconds(monkeypatch):
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr(steps.time, "monotonic", lambda: now[0])

    def go(on):
        now[0] += on

    return go


def test_what_a_step_took_is_told_the_next_time(times, seconds, capsys):
    for took in (130, 68, 1):
        with Output().progress("building", about=80, of="core"):
            seconds(took)
    with Output().progress("building", about=80, of="core"):
        pass
    assert capsys.readouterr().err.splitlines() == [
        "building: about 1 min 20 s",
        "building: 2 min 10 s, going by the last time",
        "building: 1 min 10 s, going by the last time",
    ]


def test_time_is_in_proportion_to_the_work(times, seconds, capsys):
    with Output().progress("training", total=100, about=1.5):
        seconds(3)
    with Output().progress("training", total=1000, about=15):
        seconds(20)
    with Output().progress("training", total=0, about=0):
        seconds(5)
    assert (
        capsys.readouterr().err == "training: 19 s, going by the last time\n"
    )  # 3 (1+15) / (1+1.5)
    assert times.last("training", "") == (20, 15)


def test_a_little_work_says_not_much_of_more(times, seconds, capsys):
    with Output().progress("training", total=10, about=0.01):
        seconds(3)
    with Output().progress("training", total=1000, about=1):
        pass
    assert capsys.readouterr().err == "training: 6 s, going by the last time\n"


def test_estimates_are_corrected_by_earlier_ones_of_the_same_step(times, seconds, capsys):
    for of, took in (("a", 30), ("b", 20), ("c", 90)):
        with Output().progress("building", about=10, of=of):
            seconds(took)
    capsys.readouterr()
    with Output().progress("building", about=100, of="d"), Output().progress("other", about=100):
        pass
    assert capsys.readouterr().err == "building: about 5 min\nother: about 1 min 40 s\n"


def test_a_short_step_is_silent(times, seconds, capsys):
    with Output().progress("loading", about=1.9) as step:
        step()
        seconds(1.5)
    with Output().progress("loading", about=1.9):
        pass
    with Output().progress("drawing"):
        seconds(60)  # nobody thought so
    with Output().progress("drawing"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_step_that_fails_or_is_not_begun_is_not_kept(times, seconds, capsys):
    with suppress(ZeroDivisionError), Output().progress("building", about=10):
        seconds(1)
        raise ZeroDivisionError
    with Output().progress("simulating", about=10, later=True):
        seconds(50)
    assert times.last("building", "") is None
    assert times.last("simulating", "") is None
    assert capsys.readouterr().err == "building: about 10 s\n"


def test_what_a_step_is_doing_is_a_line_now_and_then(times, monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("hebbware.cli.output.time.monotonic", lambda: now[0])
    with Output().progress("place and route", about=60) as step:
        for second in range(0, 30, 3):
            now[0] = second
            step.doing(f"second {second}")
    assert capsys.readouterr().err.splitlines() == [
        *("place and route: about 1 min", "second 12", "second 24")
    ]


@pytest.mark.parametrize(
    "content", ["[", "[]", '{"a|": 3}', '{"a|": ["x", 1]}', '{"a|": [1]}', '{"a|": [1, 0]}']
)
def test_a_damaged_file_is_as_good_as_none(tmp_path, content):
    (tmp_path / steps.FILE).write_text(content)
    times = Times(lambda: tmp_path)
    assert times.last("a", "") is None
    assert times.scale("a") == 1
    times.keep("a", "", 3, 1)
    assert times.last("a", "") == (3, 1)


def test_only_the_latest_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "KEPT", 2)
    times = Times(lambda: tmp_path)
    for name in "abac":
        times.keep(name, "", 3, 1)
    assert list(json.loads((tmp_path / steps.FILE).read_text())) == ["a|", "c|"]


def test_without_a_place_to_keep_nothing_is_kept(tmp_path, monkeypatch, seconds):
    (tmp_path / "file").touch()
    times = Times(lambda: tmp_path / "file")
    monkeypatch.setattr(steps, "TIMES", times)
    clock = Clock("a", "", 5)
    assert clock.begin() == "a: about 5 s"
    seconds(7)
    clock.end()
    assert times.last("a", "") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (8.4, "8 s"), (59.4, "59 s"), (61, "1 min"), (128, "2 min 10 s"),
     (1234, "21 min"), (3600, "1 h"), (5000, "1 h 20 min")],
)  # fmt: skip
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_training_says_how_long_it_takes(tmp_path, monkeypatch, capsys, times):
    monkeypatch.setattr("hebbware.cli.estimates.learning", lambda *_: 75.0)
    assert main.main(["train", "--config", "xor", "--epochs", "1"]) == 0
    assert "training on xor: about 1 min 20 s\n" in capsys.readouterr().err
    (key,) = json.loads((tmp_path / steps.FILE).read_text())
    assert key == f"training on xor|{load('xor').fingerprint} compiled"


def test_a_convolution_is_known_to_use_its_weights_at_every_position():
    """CIFAR-10, four epochs: minutes, of 500 images a second or so; not hours."""
    assert 200 < estimates.learning(load("cifar10"), 4 * 45_000) < 1800
