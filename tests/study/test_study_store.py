"""The results folder: names, whole files or none, and what must not be in it."""

import errno
import hashlib
import json
import os
import time

import pytest

from hebbware.golden.errors import InputError
from hebbware.study import store as stores
from hebbware.study.store import Store, canonical, run_name

KEY = {"seed": 1, "config": {"b": 0.5, "a": [1, 2]}, "control": None, "code": "v1"}
DONE = {"key": KEY, "status": "done", "error": None, "result": {"test": 0.5}, "cost": None}


def test_name_is_the_hash_of_the_canonical_key(tmp_path):
    text = '{"code":"v1","config":{"a":[1,2],"b":0.5},"control":null,"seed":1}'
    assert canonical(KEY) == text
    assert run_name(KEY) == hashlib.sha256(text.encode()).hexdigest()[:32]
    assert run_name(dict(reversed(KEY.items()))) == run_name(KEY)
    assert Store(tmp_path, "v1").write(DONE) == run_name(KEY)
    assert [path.name for path in tmp_path.iterdir()] == [f"{run_name(KEY)}.json"]


def test_content_is_read_back_and_known(tmp_path):
    name = Store(tmp_path / "new" / "folder", "v1").write(DONE)
    again = Store(tmp_path / "new" / "folder", "v1")
    assert again.read(name) == DONE
    assert again.status(name) == "done"
    assert again.status("0" * 32) is None
    assert again.path(name).read_text() == canonical(DONE) + "\n"


def test_result_of_another_sweep_is_seen_later(tmp_path):
    one, other = Store(tmp_path, "v1"), Store(tmp_path, "v1")
    assert one.status(run_name(KEY)) is None
    other.write(DONE)
    assert one.status(run_name(KEY)) == "done"


def test_other_code_version(tmp_path):
    Store(tmp_path, "v1").write(DONE)
    before = next(tmp_path.iterdir()).read_bytes()
    with pytest.raises(InputError, match="code version v1, not of v2; use another folder"):
        Store(tmp_path, "v2")
    assert next(tmp_path.iterdir()).read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", canonical(DONE | {"status": "half"}).encode()]
)
def test_file_that_is_no_result(tmp_path, content):
    (tmp_path / f"{run_name(KEY)}.json").write_bytes(content)
    with pytest.raises(InputError, match="is not the result that its name says; remove it"):
        Store(tmp_path, "v1")


def test_result_under_another_name(tmp_path):
    (tmp_path / f"{'0' * 32}.json").write_text(canonical(DONE))
    with pytest.raises(InputError, match="is not the result that its name says"):
        Store(tmp_path, "v1")


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "notes.json").write_text("{")
    (tmp_path / f".{run_name(KEY)}.12345678.tmp").write_text("{")
    old = tmp_path / ".old.tmp"
    old.write_text("{")
    os.utime(old, (time.time() - 2 * stores.STALE,) * 2)
    assert Store(tmp_path, "v1").known == {}
    assert (tmp_path / "notes.json").exists()
    assert (tmp_path / f".{run_name(KEY)}.12345678.tmp").exists()  # perhaps of a sweep at work
    assert not old.exists()


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_full_disk_leaves_what_is_there(tmp_path, monkeypatch, function):
    store = Store(tmp_path, "v1")
    name = store.write(DONE)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, full)
    for content in (DONE | {"status": "failed"}, DONE | {"key": KEY | {"seed": 2}}):
        with pytest.raises(InputError, match="No space left on device; finished results are kept"):
            store.write(content)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.json"]
    assert json.loads(store.path(name).read_text()) == DONE


def test_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="results must be a folder, not the file .*file"):
        Store(tmp_path / "file", "v1")
    with pytest.raises(InputError, match="results folder .*inside"):
        Store(tmp_path / "file" / "inside", "v1")


def test_log_has_the_times(tmp_path):
    store = Store(tmp_path, "v1")
    store.log(run="a", seconds=1.5)
    store.log(run="b", seconds=2.5)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["run"], line["seconds"]) for line in lines] == [("a", 1.5), ("b", 2.5)]
    assert all(abs(line["time"] - time.time()) < 60 for line in lines)
