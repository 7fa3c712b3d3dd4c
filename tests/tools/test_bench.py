"""tools/bench runs and reports: with sizes so small that what it measures means nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parent.parent.parent / "tools" / "bench"
BENCHMARKS = (
    "cpu", "faults", "file", "filter", "fork", "fuzz", "getppid", "handoff", "hello", "pipe",
    "policy", "script", "sleepers",
)  # fmt: skip
SECONDS = 120

needs_compiler = pytest.mark.skipif(
    not (shutil.which("musl-gcc") or shutil.which("gcc")), reason="no compiler for the guests"
)

needs_busybox = pytest.mark.skipif(not shutil.which("busybox"), reason="no busybox")
NAMES = [
    pytest.param(name, marks=needs_busybox) if name == "script" else name for name in BENCHMARKS
]


def bench(*args: object, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ)
    if cache is not None:
        env["EMUKERNEL_BENCH_CACHE"] = str(cache)
    return subprocess.run(
        [sys.executable, str(BENCH), *map(str, args)], env=env, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )


def measured(tmp_path: Path, *args: object) -> tuple[dict[str, Any], str]:
    """The JSON and the table of a run that must succeed, one round at a thousandth of the sizes."""
    out = tmp_path / "out.json"
    done = bench("-n", 1, "--scale", 0.001, "--json", out, *args)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return json.loads(out.read_text(encoding="utf-8")), done.stdout


@needs_compiler
@needs_busybox
def test_every_benchmark_on_this_machine_itself(tmp_path: Path) -> None:
    document, table = measured(tmp_path, "--platforms", "native")
    assert tuple(document["benchmarks"]) == BENCHMARKS
    assert document["settings"]["rounds"] == 1
    assert document["settings"]["scale"] == 0.001
    assert document["platforms"]["native"]["absent"] is None
    for name, section in document["benchmarks"].items():
        assert f"{name}: {section['title']}" in table
        assert section["targets"]
        for target in section["targets"]:  # all of them are about emukernel
            assert target["met"] is None and target["value"] is None
            assert target["sense"] in ("at most", "at least")
            assert target["limit"] > 0
        for row in section["rows"]:
            for value in row["platforms"].values():
                assert len(value["samples"]) == 1
                assert value["median"] == value["samples"][0]
    parts = [row["label"] for row in document["benchmarks"]["cpu"]["rows"]]
    assert parts == ["xorshift", "qsort", "crc", "divide", "whole process"]


@needs_compiler
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_on_emukernel(name: str, tmp_path: Path) -> None:
    document, _ = measured(tmp_path, "--platforms", "emukernel,native", name)
    section = document["benchmarks"][name]
    assert section["notes"] == []  # a wrong result or a failed run would be one
    assert section["rows"]
    for row in section["rows"]:
        # Memory is not seen where the process that starts the run has more of it.
        if row["unit"] not in ("MB", "KiB"):
            assert row["platforms"]["emukernel"]["samples"], row["label"]


@needs_compiler
def test_a_platform_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench(
        "hello", "-n", 1, "--platforms", "qiling,native", "--json", out, cache=tmp_path / "cache"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Qiling: left out: not installed; --setup-qiling does it" in done.stdout
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["platforms"]["qiling"]["version"] is None
    assert list(document["benchmarks"]["hello"]["rows"][0]["platforms"]) == ["native"]


@needs_compiler
def test_what_fails_is_noted_and_the_rest_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench("cpu", "-n", 1, "--platforms", "native", "--timeout", 0.001, "--json", out)
    assert done.returncode == 1
    assert "native: not done after 0.001 s" in done.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["benchmarks"]["cpu"]["notes"]


def test_list_names_every_benchmark() -> None:
    done = bench("--list")
    assert done.returncode == 0
    assert tuple(line.split()[0] for line in done.stdout.splitlines()) == BENCHMARKS


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nothing"], "no benchmark 'nothing'; there are: cpu, "),
        (["--platforms", "native,bochs"], "no platform 'bochs'; there are: emukernel, "),
        (["-n", "0"], "'0': a positive whole number was expected"),
        (["--scale", "-1"], "'-1': a positive number was expected"),
        (["--scale", "nan"], "'nan': a positive number was expected"),
    ],
)
def test_bad_usage_is_one_clear_line(args: list[str], message: str) -> None:
    done = bench(*args)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
