"""Whole scripts do the same under the static bash, zsh and busybox emulated as natively.

The scripts are those of tests/data/scripts; the end of a name says which shell runs it. They see
the host's tree (emulated: read-only, with changes in memory), and as commands the applets of
busybox and the other shells.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "data" / "scripts"
SHELLS = {
    ".bash": ["/bin/bash-static"],
    ".zsh": ["/bin/zsh-static", "-f"],
    ".sh": ["/bin/busybox", "sh"],
}
CASES = sorted(path.name for path in SCRIPTS.iterdir())

# The shells' own reports of jobs that signals ended have process ids in them.
_PID = re.compile(r"(: line \d+:) +\d+ ")


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with busybox's applets, bash and zsh, and nothing else."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    folder = tmp_path_factory.mktemp("commands")
    subprocess.run([busybox, "--install", "-s", folder], check=True, timeout=20)
    (folder / "bash").symlink_to("/bin/bash-static")
    (folder / "zsh").symlink_to("/bin/zsh-static")
    return folder


@pytest.mark.parametrize("name", CASES)
def test_script(
    name: str, commands: Path, tmp_path: Path, emukernel: Callable[..., guest_run.Outcome]
) -> None:
    script = SCRIPTS / name
    shell, *options = SHELLS[script.suffix]
    if not Path(shell).exists():
        pytest.skip(f"{shell} is not installed")
    env = {"PATH": str(commands), "LANG": "C", "TZ": "UTC", "HOME": "/"}
    there, here = tmp_path / "native", tmp_path / "emulated"
    there.mkdir()
    here.mkdir()
    args = [*options, str(script)]
    user = ["--uid", str(os.geteuid()), "--gid", str(os.getegid())]
    native = guest_run.run_native(shell, args, cwd=there, env=env)
    emulated = emukernel(
        shell,
        args,
        env=env,
        options=["--quiet", "--root", "/", "--cwd", str(here), *user],
    )
    assert emulated.out == native.out, emulated.err
    assert emulated.status == native.status, emulated.err
    assert _PID.sub(r"\1 PID ", emulated.err) == _PID.sub(r"\1 PID ", native.err)
    assert list(here.iterdir()) == []
