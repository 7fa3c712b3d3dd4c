"""What one system call costs: the difference between a long loop of it and a short one."""

from __future__ import annotations

from pathlib import Path

from benchlib.platforms import Platform
from benchlib.session import Session

CALLS = {"emukernel": 400_000, "qiling": 20_000, "qemu-user": 2_000_000, "native": 4_000_000}
"""The long loop's length, by platform: about half a second, and a second for Qiling."""

ENTRIES = ("sys_getppid: nr == 110", "sys_exit_group: 1", "sys_execve: 1")
"""What a policy for the guest needs: its own two calls, and the launcher's."""


def getppid(session: Session, platform: Platform, policy: Path | None = None) -> float:
    """Microseconds of one getppid(2). Starting, translating the loop and ending drop out."""
    calls = session.size(CALLS[platform.name], least=10)
    short, long = (
        session.run(platform, "getppid", [count], policy=policy).seconds
        for count in (calls // 10, calls)
    )
    return (long - short) / (calls - calls // 10) * 1e6
