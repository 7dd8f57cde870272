"""Sweeps on a Dask cluster: the same bytes as on this machine's own processes."""

import socket
import time

import pytest

from hebbware.cli import main as cli
from hebbware.golden.errors import InputError
from hebbware.study import run, spec, sweep
from hebbware.study.store import NAME, Store

distributed = pytest.importorskip("distributed", reason="needs Dask: hebbware[study]")


def results(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if NAME.fullmatch(p.name)}


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def do(folder, **options):
    return sweep.sweep(spec.plan("tiny"), Store(folder, run.code_version()), **options)


def test_cluster_gives_the_same_bytes(tmp_path, cluster):
    assert do(tmp_path / "here", jobs=1).done == 18
    outcome = do(tmp_path / "there", scheduler=cluster.scheduler_address)
    assert (outcome.planned, outcome.runs, outcome.done) == (18, 18, 18)
    assert results(tmp_path / "there") == results(tmp_path / "here")


def test_worker_with_other_code_stops_the_sweep(tmp_path, cluster, monkeypatch):
    made = spec.plan("tiny")
    for key in made.keys.values():
        key["code"] = "v0"
    with pytest.raises(InputError, match="a worker has code version .*, the sweep v0"):
        sweep.sweep(made, Store(tmp_path, "v0"), scheduler=cluster.scheduler_address)
    assert results(tmp_path) == {}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "xyz://1"])
def test_unreachable_scheduler(tmp_path, capsys, address):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = address.format(port=port)
    began = time.monotonic()
    code = cli.main(["sweep", "tiny", "--results", str(tmp_path), "--scheduler", address])
    assert time.monotonic() - began < 20
    assert code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"error: no Dask scheduler answers at {address}")
    assert results(tmp_path) == {}


def test_lost_scheduler(tmp_path, capsys):
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    )
    address = cluster.scheduler_address

    def close(_):
        cluster.close()

    with pytest.raises(InputError, match="finished results are kept, run again to resume"):
        do(tmp_path, scheduler=address, progress=close)
    assert 1 <= len(results(tmp_path)) < 18
