"""The small files of /proc/PID (Linux: fs/proc/base.c, array.c, task_mmu.c)."""

from __future__ import annotations

from emukernel.kernel.errno import Errno
from emukernel.kernel.fs.proc.base import check_ptrace
from emukernel.kernel.fs.proc.maps import maps
from emukernel.kernel.fs.proc.mounts import mountinfo, mounts
from emukernel.kernel.fs.proc.status import stat, statm, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.proc.base import Show
    from emukernel.kernel.task import Task

_INFINITY = (1 << 64) - 1
_ARGUMENTS_MAX = 1 << 21

_LIMITS = (
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
)


def _user_range(task: Task, start: int, end: int) -> bytes:
    """Memory of `task`, as far as it is there."""
    from emukernel.kernel.uaccess import copy_from_user

    if end <= start or task.mm is None:
        return b""
    try:
        return copy_from_user(task, start, min(end - start, _ARGUMENTS_MAX))
    except Errno:
        return b""


def cmdline(task: Task, reader: Task) -> bytes:
    """/proc/PID/cmdline: the arguments as they are in memory now.

    A program that wrote over the last NUL goes on into its environment (setproctitle).
    """
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b""
    text = _user_range(task, mm.arg_start, mm.arg_end)
    if text and text[-1]:
        more = _user_range(task, mm.arg_start, mm.env_end)
        end = more.find(0, len(text))
        return more if end < 0 else more[:end]
    return text


def environ(task: Task, reader: Task) -> bytes:
    """/proc/PID/environ"""
    check_ptrace(reader, task)
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b""
    return _user_range(task, mm.env_start, mm.env_end)


def auxv(task: Task, reader: Task) -> bytes:
    """/proc/PID/auxv"""
    check_ptrace(reader, task)
    return b"" if task.mm is None else bytes(task.mm.saved_auxv)


def comm(task: Task, reader: Task) -> bytes:
    """/proc/PID/comm"""
    return task.comm + b"\n"


def _limit(value: int) -> str:
    return "unlimited" if value == _INFINITY else str(value)


def limits(task: Task, reader: Task) -> bytes:
    """/proc/PID/limits"""
    lines = [f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"]
    for (name, unit), (soft, hard) in zip(_LIMITS, task.rlimits, strict=False):
        line = f"{name:<25} {_limit(soft):<20} {_limit(hard):<20} "
        lines.append(line + (f"{unit:<10}\n" if unit else "\n"))
    return "".join(lines).encode()


def personality(task: Task, reader: Task) -> bytes:
    """/proc/PID/personality"""
    check_ptrace(reader, task)
    return b"%08x\n" % task.personality


def seccomp_filter(task: Task, reader: Task) -> bytes:
    """/proc/PID/seccomp_filter"""
    return task.kernel.seccomp_abi.proc_seccomp_filter(task.seccomp) or b""


def oom_score_adj(task: Task, reader: Task) -> bytes:
    """/proc/PID/oom_score_adj"""
    return b"0\n"


def wchan(task: Task, reader: Task) -> bytes:
    """/proc/PID/wchan: 0 stands for "not told" """
    return b"0"


def timers(task: Task, reader: Task) -> bytes:
    """/proc/PID/timers: the timers of timer_create(2)"""
    lines = []
    for timer in task.signal.posix_timers.values():
        how = ("signal", "none", "thread")[timer.notify & 3]
        whom = "pid" if timer.group else "tid"
        lines.append(
            f"ID: {timer.id}\nsignal: {timer.signo}/{timer.value:016x}\n"
            f"notify: {how}/{whom}.{timer.target.pid}\nClockID: {timer.clock_id}\n"
        )
    return "".join(lines).encode()


FILES: tuple[tuple[bytes, Show, int], ...] = (
    (b"auxv", auxv, 0o400),
    (b"cmdline", cmdline, 0o444),
    (b"environ", environ, 0o400),
    (b"limits", limits, 0o444),
    (b"maps", maps, 0o444),
    (b"mountinfo", mountinfo, 0o444),
    (b"mounts", mounts, 0o444),
    (b"oom_score_adj", oom_score_adj, 0o444),
    (b"personality", personality, 0o400),
    (b"stat", stat, 0o444),
    (b"statm", statm, 0o444),
    (b"status", status, 0o444),
    (b"timers", timers, 0o444),
    (b"wchan", wchan, 0o444),
)
