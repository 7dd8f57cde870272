"""Random configurations: how widely they are drawn, that each is equal, and how a run is kept."""

import json
import tomllib
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner

from hebbware.cli.fuzz import command
from hebbware.cosim import core, fuzz
from hebbware.cosim.configurations import STALLS, drawn_config, random_config, random_stimuli
from hebbware.cosim.fuzz import Outcome, check, code_version, read_lines, run_seeds
from hebbware.cosim.stimuli import STREAMS
from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import CoreConfig, domains
from hebbware.golden.errors import InputError
from hebbware.golden.memory import MEMORIES
from hebbware.golden.neurons.kinds import Leaky, Lif

RANGES = (
    *("weight_ports", "input.bits", "neuron.slope_shift", "update.halvings", "memory.bits"),
    *("formats.weight_bits", "formats.u_bits", "formats.z_bits", "formats.d_bits"),
    *("formats.d_fraction", "formats.error_fraction", "memory.read_bits", "modulator.beta_log2"),
    *("formats.exp_bits", "formats.reciprocal_bits", "formats.rsqrt_bits"),
    *("reservoir.bits", "reservoir.gain"),
)
FAST = [2, 18, 56, 64, 82, 97, 115]
SEEDS = range(200)


@pytest.mark.parametrize("seed", FAST)
def test_random_configuration(seed):
    found = check(seed)
    assert found.outcome == "equal", f"{found.message}\n{found.config}"
    assert found.records > 100


@pytest.mark.slow  # 200 configurations, 60 minutes on one core
@pytest.mark.parametrize("seed", SEEDS)
def test_many_random_configurations(seed):
    found = check(seed)
    assert found.outcome == "equal", f"{found.message}\n{found.config}"


@pytest.fixture(scope="module")
def configs():
    return [random_config(seed) for seed in SEEDS]


def test_the_fast_ones_meet_what_there_is(configs):
    drawn = [configs[seed] for seed in FAST]
    assert {c.memory.kind for c in drawn} == {*MEMORIES}
    assert {c.update.rounding for c in drawn} == {*Rounding}
    assert {c.neuron.kind for c in drawn} == {"static", "leaky"}
    assert {c.weight_ports for c in drawn} == {1, 2}
    assert {c.lanes > 8 for c in drawn} == {False, True}
    assert {c.lanes > max(c.hidden) for c in drawn} == {False, True}
    assert {len(c.hidden) for c in drawn} == {1, 2, 3, 4}
    assert {c.update.overlap for c in drawn} == {False, True}
    assert {c.input.runs for c in drawn} == {False, True}


def test_configurations_cover_their_ranges(configs):
    assert {(c.memory.kind, c.update.rounding) for c in configs} == {
        (m, r) for m in MEMORIES for r in Rounding
    }
    assert {c.inputs for c in configs} == {*range(1, 13)}
    assert {n for c in configs for n in c.hidden} == {*range(2, 12)}
    assert {len(c.hidden) for c in configs} == {1, 2, 3, 4}
    assert {c.lanes for c in configs} == {*range(1, 18)}
    assert len({c.classes for c in configs}) > 30
    values = [c.to_dict() for c in configs]
    of_sequences = {f"neuron.{n}" for n in Lif.domains()} - {f"neuron.{n}" for n in Leaky.domains()}
    for name, may_be in domains().items():
        if name in of_sequences or name == "layer.recurrent_init_std":  # they are drawn apart
            continue
        if name in ("lanes", "input.size", "layer.units", "layer.rate", "layer.init_std", "seed"):
            continue
        drawn = {v[name] for v in values if name in v and not isinstance(v[name], list)}
        if may_be.power:  # the largest do not fit beside much else
            assert len(drawn) >= min(may_be.high.bit_length() - 1, 4), name
        elif isinstance(may_be.high, int) and name in RANGES:
            assert drawn >= {may_be.low, may_be.high}, name
            assert drawn <= {*range(may_be.low, may_be.high + 1)}
    beside = [c for c in configs if c.update.overlap]
    assert {len(c.hidden) for c in beside} == {1, 2, 3, 4}
    assert {c.memory.kind for c in beside} == {"gated", "trace", "codes"}
    assert {(c.input.runs, c.leaky) for c in beside} == {(r, v) for r in (0, 1) for v in (0, 1)}
    leaky = [c for c in configs if c.leaky]
    assert {c.memory.kind for c in leaky} == {*MEMORIES}
    assert {len(c.neuron.leak_shifts) for c in leaky} == {1, 2}
    assert max(c.neuron.time_steps for c in leaky) > 50
    assert {c.memory.gating for c in configs if c.memory.projected} == {"class", "error"}
    readouts = {c.reservoir.decoder for c in configs if c.memory.projected}
    assert readouts > {"zero", "ridge"}
    assert any(name.endswith(".npz") for name in readouts)
    assert {0, 1} <= {c.memory.kappa for c in configs if c.memory.kind in ("window", "trace")}


def test_a_seed_stands_for_one_configuration_and_its_stimuli(configs):
    assert random_config(7) == configs[7] != configs[14]
    for one, two in zip(random_stimuli(configs[7], 7), random_stimuli(configs[7], 7), strict=True):
        np.testing.assert_array_equal(one.x, two.x)
        assert (one.labels, one.commands, one.options) == (two.labels, two.commands, two.options)


def test_stimuli_cover_what_they_promise(configs):
    suites = [random_stimuli(c, seed) for seed, c in enumerate(configs[:60])]
    for config, suite in zip(configs, suites, strict=False):
        assert [max(s.stalls.values()) for s in suite] == list(STALLS)
        words = config.classes + 1  # a command after every sample, offered before it ends
        assert [c.after for c in suite[0].commands[:-1]] == [
            n * words + 1 for n in range(len(suite[0].x))
        ]
        for stimuli in suite:
            assert stimuli.x.min() >= 0
            assert stimuli.x.max() <= config.x.max
            assert {*stimuli.labels} - {None} <= {*range(config.classes)}
            assert all(c.after <= words * len(stimuli.x) for c in stimuli.commands)
    runs = [s for suite in suites for s in suite]
    assert {name for s in runs for name in s.stalls} == {*STREAMS}
    tasks = {s.name.split(" stalled")[0] for s in runs}
    assert tasks >= {
        f"{data} {task}"
        for data in ("random", "zero", "full")
        for task in ("remap", "classes", "inferred")
    }
    for config, suite in zip(configs, suites, strict=False):
        for s in (s for s in suite if "classes" in s.name):
            every = max(len(s.x) // config.classes, 1)
            assert all(label <= n // every for n, label in enumerate(s.labels))


def test_one_seed_in_ten_takes_sequences():
    drawn = [drawn_config(seed) for seed in range(3, 120, 10)]
    assert all(c.recurrent for c in drawn)
    assert {(c.modulator.kind, c.update.rounding) for c in drawn} == {
        (m, r) for m in ("symmetric", "random", "surprise", "none") for r in Rounding
    }
    for seed, config in enumerate(drawn):
        for each in random_stimuli(config, seed):
            assert each.x.shape[1:] == config.sample_shape


# -- how a run is kept ----------------------------------------------------------------------------


def outcome(seed, kind="equal", code=None):
    config = CoreConfig.of((4, 3, 2)).to_toml()
    message = "" if kind == "equal" else "clock 7: here it parts"
    return Outcome(seed, kind, 1000, 50, message, config, code or code_version())


def write(path, *outcomes):
    path.write_text("".join(json.dumps(asdict(o)) + "\n" for o in outcomes))


def test_a_run_goes_on_where_the_last_one_ended(tmp_path, monkeypatch):
    lines, told = tmp_path / "lines", []
    write(lines, outcome(3), outcome(4, "mismatch"), outcome(5, code="older"), outcome(9))
    with lines.open("a") as file:
        file.write('{"seed": 5, "outc')  # it was stopped here
    assert [o.seed for o in read_lines(lines)] == [3, 4, 5, 9]
    found = run_seeds([3, 4], lines=lines, done=told.append)
    assert [o.outcome for o in found] == ["equal", "mismatch"]
    assert {o.seed for o in told} == {3, 4}
    assert [*read_lines(tmp_path / "none")] == []


@pytest.mark.parametrize("text", ["no JSON\n", '{"seed": 1}\n', "[]\n"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "lines"
    path.write_text(text)
    with pytest.raises(InputError, match="lines, line 1: no outcome of a random run"):
        [*read_lines(path)]


def test_a_refusal_and_a_crash_are_told_apart(monkeypatch):
    def refuse(*_, **__):
        raise InputError("lanes must not be so many")

    monkeypatch.setattr(fuzz, "build_core", refuse)
    found = check(1)
    assert (found.outcome, found.message) == ("refused", "lanes must not be so many")
    monkeypatch.setattr(fuzz, "build_core", lambda *_, **__: 1 // 0)
    assert check(1).outcome == "crash"
    assert "ZeroDivisionError" in check(1).message


def test_a_difference_is_found(monkeypatch):
    """Golden rounds in another way than the core that is simulated."""
    seed, golden = 56, core.GoldenCore

    def other(config):
        return golden(config.derive(update__rounding=Rounding.FLOOR))

    assert seed in FAST
    assert random_config(seed).update.rounding is Rounding.STOCHASTIC
    monkeypatch.setattr(core, "GoldenCore", other)
    found = check(seed)
    assert found.outcome == "mismatch"
    assert found.message.startswith("random mixed stalled 0, ")
    assert CoreConfig.from_dict(tomllib.loads(found.config)) == random_config(seed)


def test_command(tmp_path, monkeypatch):
    lines, result = tmp_path / "lines", tmp_path / "result.json"
    write(lines, outcome(3), outcome(4, "mismatch"), outcome(5))
    arguments = ["--lines", str(lines), "--json", str(result), "--first"]
    run = CliRunner().invoke(command, [*arguments, "4", "--count", "2"])
    assert "not equal: seeds 4" in str(run.exception)
    assert "seed 4: mismatch: clock 7: here it parts\nlanes = 16\n" in run.output
    assert "\n[input]\nsize = 4\n" in run.output
    assert "again: hebbware fuzz --first 4 --count 1\n" in run.output
    assert (
        "seeds 4 to 5: 2 configurations, 2,000 clocks, 100 records, 1 mismatches, 0 refused, "
        "0 crashed" in " ".join(run.output.split())
    )
    told = json.loads(result.read_text())
    assert [o["seed"] for o in told["failed"]] == [4]
    assert (told["configurations"], told["mismatches"], told["first"]) == (2, 1, 4)
    run = CliRunner().invoke(command, [*arguments, "3", "--count", "1"])
    assert run.exit_code == 0
    assert json.loads(result.read_text())["failed"] == []
