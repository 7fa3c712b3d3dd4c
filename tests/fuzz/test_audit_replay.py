"""What an audit of a policy found can be repeated from its file."""

from __future__ import annotations

import json
from pathlib import Path

from campaign_folders import run_command


def test_a_way_around_is_shown_again(tmp_path: Path) -> None:
    policy, out = tmp_path / "holed.policy", tmp_path / "out"
    policy.write_text("sys_read: fd != 3\nsys_exit_group: 1\n")
    assert run_command("fuzz", "--policy-only", "--out", out, policy).returncode == 0
    (path,) = out.glob("bypass-*.json")
    done = run_command("replay", "--trace", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bypass: sys_read: read(fd=3, ")
    assert "refused: sys_read: fd != 3 is false (fd = 0x3)" in done.stderr
    assert 'read(3, "nobody should read this", 23)' in done.stderr

    record = json.loads(path.read_text())
    record["evidence"]["passed"]["trace"] = []
    path.write_text(json.dumps(record))
    assert run_command("replay", path).returncode == 1

    (path, *_) = out.glob("loose-*.json")
    done = run_command("replay", path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    policy = tmp_path / "p.policy"
    policy.write_text("sys_read: fd != 3\n")
    done = run_command("fuzz", "--policy-only", "--out", policy / "out", policy)
    assert done.returncode == 2
    assert done.stderr == f"emukernel fuzz: {policy}/out: Not a directory\n"
