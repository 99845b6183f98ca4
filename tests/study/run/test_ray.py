"""Studies on a real cluster on this machine: a head, and two workers of one processor each."""

import functools
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

from experiments import curation
from lcrjax.report import conduct_study
from lcrjax.study.run import runner, trainings
from lcrjax.study.run.machines import MachineError, machine
from lcrjax.study.run.plan import Block
from lcrjax.study.run.ray_blocks import capacity, connected, environment, resources
from lcrjax.study.run.store import ROWS, machines_of, read_results
from lcrjax.study.run.trainings import train_blocks
from lcrjax.study.table import same_results
from lcrjax.training import TrainingConfig
from tests.outside.test_curation import small_experiment
from tests.study import fake_parts as fake
from tests.study.run import on_ray
from tests.study.run.on_ray import CONFIG, study, trained
from tests.study.run.test_runner import stop_after

ROOT = Path(__file__).parents[3]


def test_without_ray_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"Ray is not installed.*: pip install 'lcrjax\[ray\]'"):
        study(tmp_path / "s", ray="auto")
    with pytest.raises(ValueError, match="Ray is not installed"):  # before data are read
        conduct_study(["no such data"], tmp_path / "s", CONFIG, ray="auto")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("machines", "wanted", "at_once"),
    [
        ([{"CPU": 0.0}, {"CPU": 8.0}, {"CPU": 4.0}], {"num_cpus": 4}, 3),
        ([{"CPU": 8.0}, {"CPU": 8.0, "GPU": 4.0}], {"num_gpus": 1, "num_cpus": 1}, 4),
    ],
)
def test_a_block_takes_a_gpu_or_a_machine(machines, wanted, at_once):
    assert resources(machines, "auto") == wanted
    assert capacity(machines, wanted) == at_once
    assert capacity(machines[:1], {"num_gpus": 1}) == 1, "machines may come back"


def test_a_cluster_without_processors_is_refused():
    with pytest.raises(ValueError, match=r"no machine .* has a processor to give: start workers"):
        resources([{"CPU": 0.0, "memory": 1e9}], "auto")


@pytest.fixture(scope="module")
def address():
    """Address of the cluster, to which this process is connected."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'lcrjax[ray]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
        patch.setenv("RAY_worker_niceness", "0")
        cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        ray.init(cluster.address, runtime_env=environment(), log_to_driver=False)
        yield cluster.address
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The table of a local study that nothing disturbed."""
    return study(tmp_path_factory.mktemp("local") / "s")


def test_workers_compute_as_this_process_would(address):
    with connected(address, {"toy": fake.dataset()}) as there:
        assert there.ask(machine) == machine()
        for name in ("jax_numpy_rank_promotion", "jax_compilation_cache_dir", "jax_enable_x64"):
            assert there.ask(setting, name) == getattr(jax.config, name)
        assert there.ask(fake.block_size, fake.dataset(), 16, None) == 16


def setting(name):
    return getattr(jax.config, name)


def test_either_goes_on_where_the_other_stopped(address, whole, tmp_path):
    told = []

    def stop(progress):
        told.append(progress)
        stop_after_one(progress)

    stop_after_one = stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "s", ray=address, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "s", progress=stop_after(1))
    count = len(read_results(tmp_path / "s"))
    assert 0 < count < len(whole)
    table = study(tmp_path / "s", ray=address, progress=told.append)
    assert same_results(table, whole)
    assert machines_of(tmp_path / "s") == [machine()]
    assert {"designing", "found", "written"} <= {t.stage for t in told}
    assert told[-1].share == 1
    last = max(i for i, t in enumerate(told) if t.stage == "designing")
    shares = [t.share for t in told[last:]]
    assert shares == sorted(shares)


def test_a_killed_worker_and_one_short_of_memory_cost_no_other_row(address, whole, tmp_path):
    killed, large = (int(whole["seed"][i]) for i in (5, 20))
    seen = tmp_path / "seen"  # tasks wait until their progress was told

    def show(progress):
        if progress.training:
            seen.touch()

    more = {"until": str(seen), "progress": show}
    table = study(tmp_path / "s", ray=address, killed=killed, large=large, **more)
    assert (tmp_path / "s.log.dead").exists()
    failed = table[table["failure"].notna()]
    assert failed["seed"].tolist() == [large]
    assert failed["failure"].tolist() == ["out of memory"]
    others = table["failure"].isna()
    assert same_results(table[others], whole[others])
    assert sorted(trained(tmp_path / "s")) == sorted(whole["seed"][others])


def test_a_killed_driver_goes_on_without_repeating_a_block(address, whole, tmp_path):
    folder = tmp_path / "s"
    command = [sys.executable, "-m", "tests.study.run.on_ray", address, folder]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    driver = subprocess.Popen(command, cwd=ROOT, env=environment)
    while driver.poll() is None and len(list((folder / ROWS).glob("[!.]*.parquet"))) < 2:
        time.sleep(0.02)
    driver.kill()
    assert driver.wait() == -9, "the driver ended by itself"
    files = {p: p.read_bytes() for p in (folder / ROWS).glob("[!.]*.parquet")}
    finished = len(read_results(folder))
    assert 0 < finished < len(whole)
    while processors_taken():
        time.sleep(0.1)  # its tasks end with it
    before = len(trained(folder))
    assert same_results(study(folder, ray=address, pause=0.3), whole)
    assert files == {p: p.read_bytes() for p in files}
    assert len(trained(folder)) - before == len(whole) - finished


def processors_taken():
    import ray

    return ray.cluster_resources()["CPU"] - ray.available_resources().get("CPU", 0)


def test_machines_of_another_kind_are_refused_unless_allowed(address, whole, tmp_path, monkeypatch):
    def another():
        return {**machine(), "processor": "Z80"}

    monkeypatch.setattr(runner, "machine", another)
    data = [fake.dataset("one"), fake.dataset("two", seed=1)]
    table = fake.run_study(data, tmp_path / "t", CONFIG, ray=address, allow_mixed=True)
    assert same_results(table, whole)
    assert machines_of(tmp_path / "t") == [another(), machine()]
    with pytest.raises(MachineError, match=r"rounds differently.*\n  processor: Z80 -> "):
        study(tmp_path / "s", ray=address)


def test_blocks_are_taken_as_there_is_room_and_give_the_rows_of_this_process(address, tmp_path):
    train = functools.partial(on_ray.train, log=str(tmp_path / "log"))
    data = {"toy": fake.dataset()}
    seeds, taken = [np.array([i, 2**32 - 1 - i]) for i in range(9)], []

    def blocks():
        for i, own in enumerate(seeds):
            subsets = np.random.default_rng(i).permutation(40).reshape(2, 20)
            taken.append(i)
            yield Block("toy", 20, i, 0, subsets, own, {"seed": own, "name": np.array(["a", "b"])})

    def run(ray):
        taken.clear()
        for block, rows in train_blocks(data, blocks(), TrainingConfig(), train=train, ray=ray):
            found[block.index] = rows
            assert len(taken) <= len(found) + (0 if ray is None else 3)

    found = {}
    run(None)
    here, found = found, {}
    run(address)
    assert list(here) == sorted(found) == list(range(9))
    for i, rows in found.items():
        pd.testing.assert_frame_equal(rows, here[i], check_exact=True)
        assert list(rows)[:3] == ["seed", "name", "acc"]
    fails = functools.partial(train, large=0)
    only = itertools.islice(blocks(), 1)
    with pytest.raises(MemoryError):
        tuple(train_blocks(data, only, TrainingConfig(), train=fails, ray=address))


def test_trainings_take_machines_of_one_kind(address, monkeypatch):
    monkeypatch.setattr(trainings, "machine", lambda: {**machine(), "processor": "Z80"})
    block = Block("toy", 20, 0, 0, np.arange(20)[None], np.array([1]))
    with pytest.raises(MachineError, match=r"of several kinds.*\n  processor: Z80 -> "):
        tuple(train_blocks({"toy": fake.dataset()}, [block], TrainingConfig(), ray=address))


def test_an_experiment_on_selection_goes_on_where_it_stopped(address, tmp_path, monkeypatch):
    lines = {}
    for ways in ((None, None), (None, address), (address, address)):
        folder = tmp_path / str(len(lines))
        data = small_experiment(monkeypatch, folder)
        for repetitions, ray in enumerate(ways, 1):
            curation.train(data, (12, 24), repetitions, ray)
        lines[ways] = sorted((folder / "rows.csv").read_text().splitlines())
        assert len(trained(folder)) == len(lines[ways]) - 1
    assert len({tuple(found) for found in lines.values()}) == 1


def test_no_cluster_at_the_address_is_told_at_once(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    for words, message in {"here": "give HOST:PORT", "127.0.0.1:1": "refused"}.items():
        with pytest.raises(ValueError, match=message):
            study(tmp_path / "s", ray=words)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400 No")).start()
        with pytest.raises(ValueError, match=r"no Ray cluster answers at .* something else"):
            study(tmp_path / "s", ray=f"127.0.0.1:{server.getsockname()[1]}")
    assert not (tmp_path / "s").exists()
