"""Campaigns on a Dask cluster: nothing is lost when workers come, die, stall or answer late."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from campaign_folders import DATA, DEMO, run_command

from emukernel.api import UsageError
from emukernel.fuzz.campaign import Settings
from emukernel.fuzz.corpus import CRASHES, DENIED, HANGS, QUEUE, Folder
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.lane import Lane, MemoryFolder, digest
from emukernel.fuzz.lanes import run_slice
from emukernel.fuzz.progress import Progress, Stats
from emukernel.fuzz.syscalls import calls_target
from emukernel.fuzz.target import Target
from emukernel.policy import Policy

distributed = pytest.importorskip("distributed")

from emukernel.fuzz import cluster as cluster_module  # noqa: E402
from emukernel.fuzz.cluster import ClusterCampaign, base_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A local cluster of two processes with a thread each."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    ) as made:
        yield made


def settings(out: Path, **fields: Any) -> Settings:
    policy = Policy.from_file(str(DATA / "demo.policy"))
    target = Target(str(DEMO), ("demo",), policy=policy, max_len=64)
    return Settings(target, str(out), **{"jobs": 0, **fields})


class Watch(Progress):
    """Notes what was reported, and does something once a condition holds."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.seen: set[str] = set()
        self.reported: set[str] = set()
        self.stats: list[Stats] = []
        self.actions: list[tuple[Callable[[Stats], bool], Callable[[], None]]] = []

    def update(self, stats: Stats) -> None:
        from copy import copy

        self.stats.append(copy(stats))
        self.seen.update(files(self.out))
        while self.actions and self.actions[0][0](stats):
            self.actions.pop(0)[1]()

    def found(self, finding: Finding) -> None:
        self.reported.add(finding.id)


def files(out: Path) -> list[str]:
    folders = (QUEUE, CRASHES, HANGS, DENIED)
    return [f"{folder}/{name}" for folder in folders for name in os.listdir(out / folder)]


def pids(cluster: Any) -> list[int]:
    return [worker.pid for worker in cluster.workers.values()]


def assert_whole(out: Path, watch: Watch) -> None:
    """All that was ever there or reported is there, and nothing twice."""
    names = files(out)
    assert watch.seen <= set(names)
    folder = Folder(str(out))
    assert watch.reported <= {finding.id for finding in folder.findings()}
    contents = [
        digest(name, data)
        for name in (QUEUE, CRASHES, HANGS, DENIED)
        for _, data in folder.new_items(name)
    ]
    assert len(contents) == len(set(contents)) == len(names)


def run(campaign: ClusterCampaign) -> None:
    campaign.run()
    assert not campaign.interrupted


def test_it_finds_what_a_local_campaign_does(cluster: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watch = Watch(out)
    campaign = ClusterCampaign(settings(out, execs=3000), cluster.scheduler_address, watch)
    run(campaign)
    assert_whole(out, watch)
    (finding,) = [f for f in campaign.findings() if f.kind == "denied"]
    assert finding.input in (b"!", b"#")
    # The worker's copy of the program is nobody's business.
    assert finding.replay["target"]["program"] == str(DEMO)
    last = watch.stats[-1]
    assert 3000 <= last.execs < 6000
    assert last.edges > 5
    assert max(stats.jobs for stats in watch.stats) == 2
    assert Folder(str(out)).read_stats()["execs_done"] == str(last.execs)

    # It goes on from its folder.
    before = set(files(out))
    again = Watch(out)
    campaign = ClusterCampaign(
        settings(out, execs=last.execs + 500, jobs=1), cluster.scheduler_address, again,
        resume=True,
    )
    run(campaign)
    assert before <= set(files(out))
    assert again.stats[-1].execs >= last.execs + 500
    assert not again.reported
    assert max(stats.jobs for stats in again.stats) == 1
    assert_whole(out, again)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_killed_worker_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watch = Watch(out)
    killed: list[int] = []
    done: list[int] = []

    def kill() -> None:
        killed.append(pids(cluster)[0])
        os.kill(killed[0], signal.SIGKILL)

    def restarted(_stats: Stats) -> bool:
        now = pids(cluster)
        return None not in now and killed[0] not in now

    watch.actions += [
        (lambda stats: stats.queue > 0 and stats.jobs == 2, kill),
        (restarted, lambda: done.append(watch.stats[-1].execs)),
        (lambda stats: stats.jobs == 2 and stats.execs > done[0], interrupt),
    ]
    campaign = ClusterCampaign(
        settings(out, seconds=35.0), cluster.scheduler_address, watch, patience=5.0
    )
    campaign.run()
    assert not watch.actions
    assert_whole(out, watch)
    assert "denied" in {finding.kind for finding in campaign.findings()}


def test_a_stalled_worker_costs_only_its_time(cluster: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watch = Watch(out)
    stopped: list[int] = []
    done: list[int] = []

    def stop() -> None:
        stopped.append(pids(cluster)[0])
        os.kill(stopped[0], signal.SIGSTOP)

    def go_on() -> None:
        os.kill(stopped[0], signal.SIGCONT)

    watch.actions += [
        (lambda stats: stats.queue > 0 and stats.jobs == 2, stop),
        # Its slice is given up; the other goes on alone.
        (lambda stats: stats.jobs == 1, lambda: done.append(watch.stats[-1].execs)),
        (lambda stats: stats.execs > done[0], go_on),
        # It has answered, late, and gets slices again.
        (lambda stats: stats.jobs == 2, interrupt),
    ]
    campaign = ClusterCampaign(
        settings(out, seconds=35.0), cluster.scheduler_address, watch, patience=1.0
    )
    try:
        campaign.run()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert not watch.actions
    assert_whole(out, watch)


def test_a_killed_coordinator_goes_on_from_its_folder(cluster: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "emukernel", "fuzz", "--scheduler", cluster.scheduler_address,
               "--out", str(out)]
    fresh = ["--filter", str(DATA / "demo.policy"), "--time", "60", str(DEMO)]
    child = subprocess.Popen(
        [*command, *fresh], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 30
    while time.monotonic() < end and not ((out / "denied").is_dir() and files(out)):
        time.sleep(0.05)
    child.kill()
    child.wait()
    before = {name for name in files(out) if not name.endswith(".part")}
    assert before
    done = subprocess.run(
        [*command, "--resume", "--time", "3", "--no-report"], capture_output=True, text=True,
        timeout=60, check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert before <= set(files(out))
    assert "no entry for sys_open" in done.stdout


def test_an_interrupted_campaign_ends_at_once(cluster: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended: list[float] = []

    def end() -> None:
        ended.append(time.monotonic())
        interrupt()

    watch = Watch(out)
    watch.actions.append((lambda stats: stats.queue > 0, end))
    campaign = ClusterCampaign(settings(out), cluster.scheduler_address, watch)
    campaign.run()
    assert campaign.interrupted
    assert time.monotonic() - ended[0] < 8
    assert_whole(out, watch)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_that_does_not_start_is_said_once(cluster: Any, tmp_path: Path) -> None:
    chosen = settings(tmp_path / "out", seconds=20.0)
    target = Target(str(ROOT / "README.md"), ("x",))
    chosen.target = target
    with pytest.raises(UsageError, match="a worker can't start it"):
        ClusterCampaign(chosen, cluster.scheduler_address).run()


# -- without a cluster -----------------------------------------------------------------------


def test_a_lane_says_what_is_new_until_it_is_told_back(tmp_path: Path) -> None:
    lane = Lane(base_of(settings(tmp_path / "out")), str(tmp_path))
    task = {"seconds": 30.0, "execs": 400, "token": 1, "folded": [], "findings": [], "items": []}
    first = lane.run(task)
    assert first["execs"] >= 400
    assert first["items"]
    assert len(first["findings"]) == 1
    # The answer was lost: it is said again.
    second = lane.run(task | {"token": 2})
    told = {digest(folder, data) for folder, data, _ in first["items"]}
    assert told <= {digest(folder, data) for folder, data, _ in second["items"]}
    assert second["findings"] == first["findings"]
    assert set(first["needed"]) <= set(second["needed"])
    given = [
        (folder, f"id:{at:06},x", data) for at, (folder, data, _) in enumerate(second["items"])
    ]
    known = [Finding.from_json(text).id for text in second["findings"]]
    third = lane.run(task | {"token": 3, "items": given, "findings": known, "folded": [1, 2]})
    assert not told & {digest(folder, data) for folder, data, _ in third["items"]}
    assert not third["findings"]
    assert not set(second["needed"]) & set(third["needed"])
    assert len(third["edges"]) >= len(first["edges"])
    lane.fuzzer.close()


def test_a_memory_folder_gives_what_it_was_fed_once() -> None:
    folder = MemoryFolder()
    name = folder.add(QUEUE, b"own", "op:x")
    assert name.startswith("id:x")
    folder.feed([(QUEUE, "id:000001,a", b"other"), (QUEUE, "id:000002,b", b"own")])
    assert folder.new_items(QUEUE) == [("id:000001,a", b"other")]
    assert folder.new_items(QUEUE) == []
    assert not folder.items
    folder.add(QUEUE, b"other", "op:y")
    assert not folder.items


def test_directories_of_this_machine_are_refused(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "out")
    from dataclasses import replace

    chosen.target = replace(chosen.target, root=str(tmp_path))
    with pytest.raises(UsageError, match="--root and --bind"):
        ClusterCampaign(chosen, "tcp://127.0.0.1:1")


def test_no_scheduler_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run_command(
        "fuzz", "--scheduler", "nonsense://x", "--out", tmp_path / "out", "--time", "3", DEMO
    )
    assert done.returncode == 2
    assert "nonsense://x" in done.stderr
    assert done.stderr.count("\n") == 1
    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 1.0)
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1: ") as caught:
        cluster_module.connect("tcp://127.0.0.1:1")
    assert "\n" not in str(caught.value)


def test_another_version_on_a_worker_is_said(tmp_path: Path) -> None:
    answer = run_slice({"campaign": "x", "version": "0.0.0"})
    assert "emukernel 0.0.0" in answer["error"]
    assert answer["lane"]


def test_the_command(cluster: Any, tmp_path: Path) -> None:
    done = run_command(
        "fuzz", "--scheduler", cluster.scheduler_address, "--filter", DATA / "demo.policy",
        "--out", tmp_path / "out", "--execs", "2000", "--fail-on", "denied", DEMO,
    )
    assert done.returncode == 1, done.stderr
    assert "no entry for sys_open" in done.stdout
    assert (tmp_path / "out" / "report.html").exists()
    assert "Traceback" not in done.stderr


def test_a_lane_makes_up_system_calls(tmp_path: Path) -> None:
    policy = Policy.from_text("sys_read: fd != 3\nsys_open: 1\nsys_exit_group: 1\n")
    chosen = Settings(calls_target(policy), str(tmp_path / "out"), jobs=0, syscalls=True)
    base = base_of(chosen)
    assert base["program"] is None
    lane = Lane(base, str(tmp_path))
    task = {"seconds": 30.0, "execs": 100, "token": 1, "folded": [], "findings": [], "items": []}
    assert lane.run(task)["items"]
    lane.fuzzer.close()
