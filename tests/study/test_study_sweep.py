"""Sweeps: the same bytes however they run, resumed after a kill; clear ends of what goes wrong."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from hebbware.cli import main as cli
from hebbware.golden.errors import InputError
from hebbware.study import kinds, run, spec, sweep
from hebbware.study.store import NAME, Store

RUNS = 18  # of the specification `tiny`


def results(folder):
    """Bytes of all results."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if NAME.fullmatch(p.name)}


def do(folder, jobs=1, name="tiny", **options):
    return sweep.sweep(spec.plan(name), Store(folder, run.code_version()), jobs=jobs, **options)


def command(capsys, *arguments):
    """Exit code, JSON or None, lines on standard error."""
    code = cli.main(["sweep", *map(str, arguments), "--json", "-"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err.splitlines()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    outcome = do(folder)
    assert (outcome.planned, outcome.runs, outcome.done) == (RUNS, RUNS, RUNS)
    return results(folder)


def test_all_planned_runs_have_a_result(undisturbed):
    assert set(undisturbed) == {f"{name}.json" for name in spec.plan("tiny").keys}
    for name, raw in undisturbed.items():
        content = json.loads(raw)
        assert content["status"] == "done"
        assert content["key"] == spec.plan("tiny").keys[name[:-5]]


def test_two_processes_give_the_same_bytes(tmp_path, undisturbed):
    os.environ.pop("OMP_NUM_THREADS", None)
    outcome = do(tmp_path, jobs=2)
    assert (outcome.runs, outcome.done, outcome.failed, outcome.skipped) == (RUNS, RUNS, 0, 0)
    assert results(tmp_path) == undisturbed
    assert "OMP_NUM_THREADS" not in os.environ  # set for the workers only


def test_finished_runs_are_not_run_again(tmp_path, undisturbed):
    for name in list(undisturbed)[:10]:
        (tmp_path / name).write_bytes(undisturbed[name])
    outcome = do(tmp_path)
    assert (outcome.runs, outcome.skipped, outcome.done) == (8, 10, RUNS)
    assert results(tmp_path) == undisturbed
    logged = [json.loads(line)["run"] for line in (tmp_path / "log.jsonl").open()]
    assert sorted(f"{name}.json" for name in logged) == sorted(
        set(undisturbed) - set(list(undisturbed)[:10])
    )
    assert do(tmp_path).runs == 0


def test_pending_runs_begin_with_those_that_take_longest(tmp_path, undisturbed):
    made, store = spec.plan("tiny"), Store(tmp_path, run.code_version())
    names = sweep.pending(made, store)
    assert sorted(names) == sorted(made.keys)
    assert [made.keys[name]["control"] == "linear" for name in names] == [True] * 2 + [False] * 16
    done, failed = names[:5], names[5:7]
    for name in done:
        store.write(json.loads(undisturbed[f"{name}.json"]))
    for name in failed:
        content = json.loads(undisturbed[f"{name}.json"])
        store.write(content | {"status": "failed", "error": "x", "result": None, "cost": None})
    assert sweep.pending(made, store) == names[7:]
    assert sweep.pending(made, store, retry_failed=True) == names[5:]


def test_run_that_another_sweep_finishes_meanwhile_is_left_out(tmp_path, undisturbed):
    seen = []

    def other(status):
        if not seen:
            for name, raw in undisturbed.items():
                (tmp_path / name).write_bytes(raw)
        seen.append(status)

    outcome = do(tmp_path, progress=other)
    assert (outcome.runs, outcome.skipped, outcome.done) == (1, RUNS - 1, RUNS)
    assert seen == ["done"] + ["skipped"] * (RUNS - 1)


def test_failed_run_that_another_sweep_retries_meanwhile_is_left_out(tmp_path, undisturbed):
    store = Store(tmp_path, run.code_version())
    for raw in undisturbed.values():
        store.write(json.loads(raw) | {"status": "failed"})

    def other(_):
        for name, raw in undisturbed.items():
            (tmp_path / name).write_bytes(raw)

    outcome = do(tmp_path, progress=other, retry_failed=True)
    assert (outcome.runs, outcome.skipped, outcome.done) == (1, RUNS - 1, RUNS)


def test_plan_of_the_sweep_is_stored(tmp_path):
    do(tmp_path)
    stored = json.loads((tmp_path / "specs" / "tiny.json").read_text())
    assert stored == json.loads(json.dumps(spec.plan("tiny").to_dict()))
    (part,) = stored["parts"]
    assert part["fields"] == ["formats.weight_bits", "update.rounding"]
    assert part["points"][0]["values"] == {"formats.weight_bits": 6, "update.rounding": "nearest"}
    for point in part["points"]:
        for name in [*point["runs"], *sum(point["controls"].values(), [])]:
            assert (tmp_path / f"{name}.json").exists()


# -- failures --------------------------------------------------------------------------------------


@pytest.fixture
def six_bits_fail(monkeypatch):
    """Make runs with 6-bit weights fail while the list has an entry."""
    broken, train = [True], run.train.train

    def some(config, *arguments, **keywords):
        if broken and config.weight.width == 6:
            raise ValueError("it broke")
        return train(config, *arguments, **keywords)

    monkeypatch.setattr(run.train, "train", some)
    return broken


def test_failed_runs_are_kept_and_retried_on_request(tmp_path, capsys, undisturbed, six_bits_fail):
    code, found, lines = command(capsys, "tiny", "--results", tmp_path, "--jobs", 1)
    assert (code, found["planned"], found["runs"], found["done"], found["failed"]) == (
        1,
        RUNS,
        RUNS,
        10,
        8,
    )
    assert lines[-1].startswith("failed: 8 of 18 runs failed")
    failed = [json.loads(raw) for raw in results(tmp_path).values() if b'"failed"' in raw]
    assert {content["error"] for content in failed} == {"ValueError: it broke"}

    six_bits_fail.clear()
    code, found, lines = command(capsys, "tiny", "--results", tmp_path, "--jobs", 1)
    assert (code, found["runs"], found["failed"], found["skipped"]) == (1, 0, 8, RUNS)
    code, found, lines = command(
        capsys, "tiny", "--results", tmp_path, "--jobs", 1, "--retry-failed"
    )
    assert (code, found["runs"], found["done"], found["failed"]) == (0, 8, RUNS, 0)
    assert results(tmp_path) == undisturbed


def test_full_disk_in_the_middle(tmp_path, capsys, monkeypatch, undisturbed):
    replace, left = os.replace, [6]  # the plan, then five results

    def full(source, target):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        code, found, lines = command(capsys, "tiny", "--results", tmp_path, "--jobs", 2)
    assert (code, found) == (2, None)
    assert lines[-1].startswith(f"error: results folder {tmp_path}: No space left on device")
    kept = results(tmp_path)
    assert len(kept) == 5
    assert kept.items() <= undisturbed.items()
    assert do(tmp_path).runs == RUNS - 5
    assert results(tmp_path) == undisturbed


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_folder_without_permission(tmp_path, capsys):
    tmp_path.chmod(0o500)
    code, _, lines = command(capsys, "tiny", "--results", tmp_path / "new")
    tmp_path.chmod(0o700)
    assert code == 2
    assert "Permission denied" in lines[-1]


def test_worker_that_dies(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(kinds, "execute", _die)
    code, _, lines = command(capsys, "tiny", "--results", tmp_path, "--jobs", 2)
    assert code == 2
    assert "the workers are lost (BrokenProcessPool" in lines[-1]
    assert lines[-1].endswith("run again to resume")


def _die(*_):
    os._exit(9)


def test_other_code_version(tmp_path, capsys, undisturbed):
    name, raw = next(iter(undisturbed.items()))
    content = json.loads(raw)
    content["key"]["code"] = "v0"
    Store(tmp_path, "v0").write(content)
    before = results(tmp_path)
    code, _, lines = command(capsys, "tiny", "--results", tmp_path)
    assert code == 2
    assert len(lines) == 1
    assert "holds results of code version v0" in lines[0]
    assert lines[0].endswith("use another folder")
    assert results(tmp_path) == before


def test_impossible_combinations_are_all_listed_and_none_is_run(tmp_path, capsys):
    (tmp_path / "bad.toml").write_text("[grid]\nformats.weight_bits = [2, 3, 8, 17]")
    code, found, lines = command(capsys, tmp_path / "bad.toml", "--results", tmp_path / "r")
    assert (code, found) == (2, None)
    assert [line.split(": ")[1] for line in lines[:-1]] == [
        f"formats.weight_bits={n}" for n in (2, 3, 17)
    ]
    assert lines[-1] == "error: 3 combinations cannot be (listed above): none ran"
    assert not (tmp_path / "r").exists()
    with pytest.raises(InputError, match="3 combinations cannot be"):
        do(tmp_path / "r", name=tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "--results", "r"), "specification nothing"),
        (("tiny",), "Missing option '--results'"),
        (("tiny", "--results", "r", "--jobs", "0"), "--jobs"),
        (("tiny", "--results", "r", "--jobs", "1", "--scheduler", "x"), "--jobs is for local"),
    ],
)
def test_bad_command_line(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, lines = command(capsys, *arguments)
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_dry_run_runs_nothing(tmp_path, capsys, undisturbed):
    code, found, _ = command(capsys, "tiny", "--results", tmp_path / "r", "--dry-run")
    assert (code, found["planned"], found["runs"], found["done"]) == (0, RUNS, 0, 0)
    assert not (tmp_path / "r").exists()
    (tmp_path / "r").mkdir()
    for name in list(undisturbed)[:3]:
        (tmp_path / "r" / name).write_bytes(undisturbed[name])
    code, found, lines = command(capsys, "tiny", "--results", tmp_path / "r", "--dry-run")
    assert (found["done"], found["skipped"]) == (3, 3)
    assert any("15 to run" in line for line in lines)


# -- killed ----------------------------------------------------------------------------------------


def start(folder, jobs=2):
    return subprocess.Popen(
        [sys.executable, "-m", "hebbware.cli.main", "sweep", "tiny"]
        + ["--results", str(folder), "--jobs", str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # where the tests themselves run as a job in the background, this signal is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
    )


def workers_of(group):
    """Processes of a session that are still there."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, _, _, session = file.read().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if session == str(group) and state != "Z":
            found.append(entry)
    return found


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.01)


def kill_and_resume(folder, undisturbed, kills, seed, jobs):
    """Kill sweeps at random moments, a fresh folder whenever one came through; resume the last.

    Moments are counted from the first result of a sweep or from the temporary file of one, so that
    kills hit runs in flight and files half written.
    """
    random_ = random.Random(seed)
    killed = writing = fresh = 0
    while killed < kills:
        here = folder / str(fresh)
        before = len(results(here)) if here.exists() else 0
        leftovers = set(here.glob(".*.tmp"))
        process = start(here, jobs[killed % len(jobs)])
        wait_for(
            lambda here=here, before=before, process=process: (
                process.poll() is not None or (here.exists() and len(results(here)) > before)
            )
        )
        if random_.random() < 0.5:
            end = time.monotonic() + 1
            while time.monotonic() < end and not set(here.glob(".*.tmp")) - leftovers:
                pass
        else:
            time.sleep(random_.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            killed += 1
            writing += bool(set(here.glob(".*.tmp")) - leftovers)
        process.stdout.close()
        process.stderr.close()
        assert results(here).items() <= undisturbed.items()
        wait_for(lambda process=process: not workers_of(process.pid))
        if len(results(here)) == RUNS:
            fresh += 1
    for here in sorted(folder.iterdir()):
        outcome = do(here)
        assert outcome.done == RUNS
        assert results(here) == undisturbed
        logged = [json.loads(line)["run"] for line in (here / "log.jsonl").open()]
        assert len(logged) == len(set(logged)) <= RUNS  # none was done twice
    return killed, writing


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")
def test_kill_and_resume(tmp_path, undisturbed):
    killed, _ = kill_and_resume(tmp_path, undisturbed, kills=5, seed=0, jobs=(2, 1, 1, 1, 1))
    assert killed == 5


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")
def test_fifty_kills(tmp_path, undisturbed):
    killed, writing = kill_and_resume(tmp_path, undisturbed, kills=50, seed=1, jobs=(2,))
    print(f"{killed} kills, {writing} of them while a file was being written")
    assert killed == 50


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupt_is_clean(tmp_path, undisturbed, jobs):
    process = start(tmp_path, jobs)
    wait_for(lambda: process.poll() is not None or len(results(tmp_path)) > 0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers get it too
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "interrupted"
    assert 0 < len(results(tmp_path)) < RUNS
    assert results(tmp_path).items() <= undisturbed.items()
    wait_for(lambda: not workers_of(process.pid))
