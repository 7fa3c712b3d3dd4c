"""Debian's programs, static and dynamic, under `--root /`: output and status as natively.

What they run is in tests/data/programs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

DATA = Path(__file__).resolve().parent.parent / "data" / "programs"
TYPESCRIPT = b"enum E { A, B }\nexport function f(x: number): string { return `${x + 1}` + E.B }\n"
SHELL = b"if  true ;then\n echo   a;  fi; f ( ) { x=$(( 1+2 )) ; }\n"
C_SOURCE = b"int main(int c, char **v) { return c + 4; }\n"

# What must be installed, the command, its standard input.
CASES = [
    ("python3", ["python3", "-I", "-S", str(DATA / "python3.py")], b""),
    ("perl", ["perl", str(DATA / "perl.pl")], b""),
    ("git", ["sh", str(DATA / "git.sh")], b""),
    ("make", ["sh", str(DATA / "make.sh")], b""),
    ("bash", ["bash", "-c", "echo $BASH_VERSION; ls / | wc -l; cat <(seq 3) | paste -s"], b""),
    (
        "awk",
        ["awk", '{ s[$1] += $2 } END { for (k in s) print k, s[k] | "sort" }'],
        b"a 1\nb 2\n",
    ),
    ("sort", ["sh", "-c", "seq 2000 | sort -R --random-source=/dev/zero | sort -n | md5sum"], b""),
    ("xz", ["sh", "-c", "seq 20000 | xz -T2 -0 | xz -dc | sha256sum"], b""),
    ("gcc", ["sh", "-c", "gcc -O1 -x c -o prog - && ./prog a b"], C_SOURCE),
    ("sash", ["sash", "-c", "-echo built in"], b""),
    ("shfmt", ["shfmt", "-i", "2", "-mn"], SHELL),
    ("esbuild", ["esbuild", "--loader=ts", "--minify"], TYPESCRIPT),
]


@pytest.mark.parametrize(("name", "command", "stdin"), CASES, ids=[case[0] for case in CASES])
def test_program(
    name: str,
    command: list[str],
    stdin: bytes,
    tmp_path: Path,
    emukernel: Callable[..., guest_run.Outcome],
) -> None:
    program, *args = command
    for needed in (program, name):
        if not shutil.which(needed):
            pytest.skip(f"{needed} is not installed")
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/nowhere"}
    env |= {"GIT_AUTHOR_DATE": "@86400 +0000", "GIT_COMMITTER_DATE": "@86400 +0000"}
    there, here = tmp_path / "native" / "work", tmp_path / "emulated" / "work"
    there.mkdir(parents=True)
    here.mkdir(parents=True)
    native = guest_run.run_native(program, args, cwd=there, env=env, stdin=stdin)
    user = ["--uid", str(os.geteuid()), "--gid", str(os.getegid())]
    emulated = emukernel(
        shutil.which(program),
        args,
        env=env,
        stdin=stdin,
        options=["--quiet", "--root", "/", "--cwd", str(here), "--argv0", program, *user],
    )
    assert emulated.out == native.out, emulated.err
    assert emulated.status == native.status, emulated.err
    assert emulated.err == native.err
