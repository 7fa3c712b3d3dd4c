"""Every program of guest/compare behaves under emukernel as on the Linux of this machine.

Natively a program runs in an empty directory, emulated in the empty in-memory /tmp, both with the
same user, environment and standard input. Standard output, byte for byte, and exit status must be
equal.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import guest_build
import guest_run
import pytest
from _pytest.mark import ParameterSet

ENVIRONMENT = {"PATH": "/bin", "LANG": "C", "HOME": "/tmp"}


def _cases() -> Iterator[ParameterSet]:
    """Every program with every libc it is for; one that says why it differs must differ."""
    for source in guest_build.sources("compare"):
        wanted = guest_build.directives(source)
        marks = [pytest.mark.xfail(strict=True, reason=wanted.unequal)] if wanted.unequal else []
        for libc in wanted.libcs:
            yield pytest.param(source.stem, libc, id=f"{source.stem}-{libc}", marks=marks)


CASES = list(_cases())

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="the native half needs x86-64 Linux",
)


@pytest.mark.parametrize(("name", "libc"), CASES)
def test_equal(
    name: str,
    libc: str,
    guest: Callable[..., Path],
    emukernel: Callable[..., guest_run.Outcome],
    tmp_path: Path,
) -> None:
    program = guest(f"compare/{name}", libc)
    wanted = guest_build.directives(guest_build.find(f"compare/{name}"))
    env = ENVIRONMENT | wanted.env
    native = guest_run.run_native(program, wanted.args, cwd=tmp_path, env=env, stdin=wanted.stdin)
    emulated = emukernel(
        program,
        wanted.args,
        env=env,
        stdin=wanted.stdin,
        options=["--cwd", "/tmp", "--uid", str(os.geteuid()), "--gid", str(os.getegid())],
    )
    assert emulated.out == native.out, emulated.err
    assert emulated.status == native.status, emulated.err


def test_there_are_at_least_sixty_for_each_libc() -> None:
    for libc in guest_build.LIBCS:
        assert sum(case.values[1] == libc and not case.marks for case in CASES) >= 60, libc
