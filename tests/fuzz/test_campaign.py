"""Campaigns: what they find, that they can be repeated, ended and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz_guests import NESTED

from emukernel.fuzz.campaign import Campaign, Settings
from emukernel.fuzz.corpus import QUEUE, Folder, export, read_seeds
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.target import Target
from emukernel.policy import Policy

Build = Callable[..., Path]

DEMO = Path(__file__).resolve().parents[2] / "emukernel" / "data"


@pytest.fixture(scope="module")
def nested(guest_source: Build) -> Path:
    return guest_source(NESTED, name="nested")


def campaign(program: Path | str, out: Path, resume: bool = False, **settings: Any) -> Campaign:
    words = ("guest", *settings.pop("arguments", ()))
    # `seed` is the campaign's: the machine's stays as it is.
    own = {f for f in Target.__dataclass_fields__ if f in settings and f != "seed"}
    fields = {name: settings.pop(name) for name in own}
    target = Target(str(program), words, **fields)
    made = Campaign(Settings(target, str(out), **settings), resume=resume)
    made.run()
    return made


def demo_policy() -> Policy:
    return Policy.from_file(str(DEMO / "demo.policy"))


def names(out: Path) -> dict[str, list[str]]:
    return {
        folder: sorted(os.listdir(out / folder))
        for folder in ("queue", "crashes", "hangs", "denied", "findings")
    }


def test_nested_magic_numbers_are_found_from_nothing(nested: Path, tmp_path: Path) -> None:
    found = campaign(nested, tmp_path / "out", execs=20_000).findings()
    assert [finding.kind for finding in found] == ["abort"]
    data = found[0].input
    assert data is not None
    assert data[:6] == b"\xef\xbe\xad\xde\x34\x12"
    assert len(data) == 12


def test_a_denied_call_says_what_who_and_how_to_allow_it(tmp_path: Path) -> None:
    found = campaign(DEMO / "demo.elf", tmp_path / "out", execs=3000, policy=demo_policy())
    (finding,) = found.findings()
    assert (finding.kind, finding.rule) == ("denied", "denied-no-entry")
    assert finding.input == b"!"
    assert "no entry for sys_open" in finding.title
    assert "leak_passwords" in finding.title
    assert '"/etc/passwd"' in finding.evidence["call"]
    assert finding.evidence["entry"] == "sys_open: flags == 0 && mode == 0"
    assert finding.evidence["stack"][1]["function"].startswith("parse_document")


def test_a_denied_predicate_has_its_value_and_place(tmp_path: Path) -> None:
    policy = Policy.from_text(
        "sys_read: fd == 0\nsys_write: fd == 2\nsys_exit_group: 1", file="p.policy"
    )
    found = campaign(DEMO / "demo.elf", tmp_path / "out", execs=500, policy=policy)
    finding = next(f for f in found.findings() if f.rule == "denied-predicate")
    assert finding.evidence["predicates"] == [{"text": "fd == 2", "field": "fd", "value": 1}]
    assert finding.evidence["entry"] == "sys_write: (fd == 2) || (fd == 1)"
    assert finding.place is not None
    assert (finding.place.file, finding.place.line, finding.place.column) == ("p.policy", 2, 12)


def test_one_job_is_reproducible(guest: Build, tmp_path: Path) -> None:
    parser = guest("bench/parser")
    for out in ("a", "b"):
        campaign(parser, tmp_path / out, execs=4000, seed=7)
    assert names(tmp_path / "a") == names(tmp_path / "b")
    for name in os.listdir(tmp_path / "a" / "queue"):
        assert (tmp_path / "a/queue" / name).read_bytes() == (
            tmp_path / "b/queue" / name
        ).read_bytes()
    campaign(parser, tmp_path / "c", execs=4000, seed=8)
    assert names(tmp_path / "a") != names(tmp_path / "c")


def test_a_campaign_goes_on_from_its_folder(nested: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    campaign(nested, out, execs=1500)
    before = names(out)
    went_on = campaign(nested, out, resume=True, execs=20_000)
    after = names(out)
    for folder, items in before.items():
        assert set(items) <= set(after[folder])
    assert [finding.kind for finding in went_on.findings()] == ["abort"]
    assert went_on.stats.execs >= 20_000
    numbers = [name[3:9] for items in after.values() for name in items if name.startswith("id:")]
    assert len(numbers) == len(set(numbers))


def test_a_killed_campaign_loses_nothing(nested: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "emukernel", "fuzz", "--out", str(out), str(nested)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 60
        while time.monotonic() < limit and not list(out.glob("findings/*.json")):
            assert child.poll() is None
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    before = names(out)
    assert before["findings"]
    again = campaign(nested, out, resume=True, execs=1)
    assert len(again.findings()) == len(before["findings"])
    assert set(before["queue"]) <= set(names(out)["queue"])


def test_two_jobs_share_what_they_find(nested: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = campaign(nested, out, execs=30_000, jobs=2)
    assert [finding.kind for finding in made.findings()] == ["abort"]
    assert made.stats.execs >= 30_000
    numbers = [int(name[3:9]) for name in os.listdir(out / "queue")]
    assert len(numbers) == len(set(numbers))


def test_the_folder_is_read_by_tools_for_afl(nested: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    campaign(nested, out, execs=2000)
    stats = dict(
        (part.strip() for part in line.split(":", 1))
        for line in (out / "fuzzer_stats").read_text().splitlines()
    )
    assert int(stats["execs_done"]) >= 2000
    assert int(stats["corpus_count"]) >= len(os.listdir(out / "queue"))
    header, *rows = (out / "plot_data").read_text().splitlines()
    assert header.startswith("# relative_time, cycles_done, cur_item, corpus_count")
    assert all(len(row.split(", ")) == len(header.split(", ")) for row in rows)


def test_corpora_go_both_ways(nested: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "afl" / "default" / "queue"
    seeds.mkdir(parents=True)
    (seeds / "id:000000,orig:x").write_bytes(b"\xef\xbe\xad\xde\x34\x12x0\xd6/\x01")
    assert [name for name, _ in read_seeds(str(tmp_path / "afl"))] == ["id:000000,orig:x"]
    out = tmp_path / "out"
    made = campaign(nested, out, execs=400, seeds=str(tmp_path / "afl"))
    assert [finding.kind for finding in made.findings()] == ["abort"]
    count = export(Folder(str(out)), str(tmp_path / "flat"))
    flat = {path.read_bytes() for path in (tmp_path / "flat").iterdir()}
    assert len(flat) == count == len(Folder(str(out)).new_items(QUEUE))


INPUTS = r"""
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    char b[16] = "";
    if (argc > 2) strncpy(b, argv[2], 15);
    else if (argc > 1) read(open(argv[1], O_RDONLY), b, 15);
    else read(0, b, 15);
    if (!memcmp(b, "BOOM", 4)) *(volatile char *)0 = 1;
    return 0;
}
"""


@pytest.mark.parametrize(
    ("mode", "arguments"), [("stdin", ()), ("file", ("@@",)), ("argv", ("x", "@@"))]
)
def test_ways_for_the_input(
    guest_source: Build, tmp_path: Path, mode: str, arguments: tuple[str, ...]
) -> None:
    program = guest_source(INPUTS, name="inputs")
    made = campaign(
        program, tmp_path / "out", execs=6000, mode=mode, arguments=arguments, max_len=64
    )
    (finding,) = made.findings()
    assert (finding.kind, finding.input) == ("crash", b"BOOM")


ENDLESS = r"""
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
volatile int x;
__attribute__((noinline)) void spin(void) { for (;;) x++; }
__attribute__((noinline)) void eat(void)
{
    for (;;) { volatile char *p = malloc(1 << 20); for (int i = 0; p && i < 1 << 20; i += 4096) p[i] = 1; }
}
int main(void)
{
    char b[8] = "";
    read(0, b, 7);
    if (b[0] == 'S') spin();
    if (b[0] == 'M') eat();
    if (b[0] == 'P') pause();
    return 0;
}
"""  # noqa: E501


def test_hangs_deadlocks_and_memory(guest_source: Build, tmp_path: Path) -> None:
    program = guest_source(ENDLESS, name="endless")
    made = campaign(
        program, tmp_path / "out", execs=2000, memory=16 << 20, exec_timeout=0.3
    )
    found = {finding.rule: finding for finding in made.findings()}
    assert set(found) == {"hang", "deadlock", "oom"}
    assert "spin" in found["hang"].title
    assert {rule: finding.input for rule, finding in found.items()} == {
        "hang": b"S", "deadlock": b"P", "oom": b"M",
    }


def test_findings_are_repeated_by_replay(tmp_path: Path, emukernel_command: Any) -> None:
    out = tmp_path / "out"
    done = emukernel_command(
        "fuzz", "--filter", DEMO / "demo.policy", "--out", out, "--execs", "2000",
        "--fail-on", "denied,crash", DEMO / "demo.elf",
    )
    assert (done.returncode, done.stdout.splitlines()[0][:7]) == (1, "denied:")
    (file,) = (out / "findings").iterdir()
    again = emukernel_command("replay", file)
    assert again.returncode == 0
    assert again.stdout.startswith("denied: no entry for sys_open")
    traced = emukernel_command("replay", "--trace", file)
    assert 'open("/etc/passwd"' in traced.stderr
    shown = emukernel_command("fuzz", "show", out)
    assert shown.returncode == 0
    assert "no entry for sys_open" in shown.stdout
    assert Finding.from_json(file.read_text()).id == file.stem


def test_wild_jumps_are_few_findings(guest_source: Build, tmp_path: Path) -> None:
    source = r"""
    #include <unistd.h>
    int main(void)
    {
        void (*volatile go)(void) = 0;
        if (read(0, (void *)&go, 8) > 2) go();
        return 0;
    }
    """
    made = campaign(guest_source(source, name="wild"), tmp_path / "out", execs=3000)
    titles = [finding.title for finding in made.findings()]
    # By where the jump was from: some land in the middle of other functions first.
    assert 1 <= titles.count("SIGSEGV after a jump to no code") <= 3


def test_the_policy_is_audited_too(
    guest: Build, tmp_path: Path, emukernel_command: Any
) -> None:
    policy = Policy.from_text("sys_read: fd == 0\nsys_open: 0\nsys_openat: 1\nsys_exit_group: 1")
    program = guest("fuzz/magic")
    for out, audit in (("with", True), ("without", False)):
        made = campaign(program, tmp_path / out, execs=100, policy=policy, audit=audit)
        found = [finding for finding in made.findings() if finding.kind == "bypass"]
        assert [finding.title for finding in found] == (
            ["sys_open is walked around: openat"] if audit else []
        )
        assert made.stats.findings.get("bypass", 0) == audit
    (file,) = (tmp_path / "with" / "findings").glob("bypass-*.json")
    again = emukernel_command("replay", "--trace", file)
    assert (again.returncode, again.stdout[:7]) == (0, "bypass:")
    assert "[seccomp: refused: no entry for sys_open]" in again.stderr


def test_a_mutator_that_fails_is_one_line(
    nested: Path, tmp_path: Path, emukernel_command: Any
) -> None:
    file = tmp_path / "broken.py"
    file.write_text("class Mutator:\n    def mutate(self, *arguments): return 1 / 0\n")
    done = emukernel_command("fuzz", "--mutator", file, "--out", tmp_path / "out", nested)
    assert (done.returncode, done.stderr) == (
        2, "emukernel fuzz: the mutator failed: ZeroDivisionError: division by zero\n",
    )


@pytest.fixture
def emukernel_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "emukernel", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "x"], "no GUEST given"),
        (["GUEST"], "--out DIR is needed"),
        (["--out", "x", "--jobs", "0", "GUEST"], "--jobs: '0' is not a number from 1"),
        (["--out", "x", "--fail-on", "bugs", "GUEST"], "no kind 'bugs'; there are: denied"),
        (["--out", "x", "--seeds", "no/dir", "GUEST"], "--seeds: no/dir: no such directory"),
        (["--out", "x", "--input", "file", "GUEST"], "no ARG has @@"),
        (["--out", "x", "--resume"], "no campaign is there"),
        (["--out", "x", "no/such/guest"], "no such program"),
        (["--out", "x", "--fork-at", "nowhere", "GUEST"], "no symbol 'nowhere'"),
        (["--out", "x", "--jobs", "2", "--fork-at", "nowhere", "GUEST"], "no symbol 'nowhere'"),
        (["--out", "x", "--bind", "/tmp:/t:rw", "GUEST"], "can't be taken back"),
        (["show", "x"], "no campaign is there"),
    ],
)
def test_bad_usage_is_one_line(
    words: list[str], message: str, tmp_path: Path, emukernel_command: Any
) -> None:
    words = [str(tmp_path / "x") if w == "x" else w for w in words]
    words = [str(DEMO / "demo.elf") if w == "GUEST" else w for w in words]
    done = emukernel_command("fuzz", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x").exists()
