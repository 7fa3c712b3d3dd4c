"""The small files of /proc/PID (Linux: fs/proc/base.c, array.c, task_mmu.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EACCES, EPERM, Errno
from emukernel.kernel.fs.proc.base import check_ptrace, threads
from emukernel.kernel.fs.proc.maps import maps
from emukernel.kernel.fs.proc.mounts import mountinfo, mounts, mountstats
from emukernel.kernel.fs.proc.smaps import smaps, smaps_rollup
from emukernel.kernel.fs.proc.status import stat, statm, status, thread_stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emukernel.kernel.fs.proc.base import Show
    from emukernel.kernel.task import Task

_CAP_SYS_ADMIN, _CAP_SYS_NICE = 21, 23
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
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b""
    return _user_range(task, mm.env_start, mm.env_end)


def auxv(task: Task, reader: Task) -> bytes:
    """/proc/PID/auxv"""
    return b"" if task.mm is None or task.state in "ZX" else bytes(task.mm.saved_auxv)


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


def _lock_trace(task: Task, reader: Task) -> None:
    """The right to look into the task when the file is read; Errno(EPERM)."""
    try:
        check_ptrace(reader, task)
    except Errno:
        raise Errno(EPERM) from None


def personality(task: Task, reader: Task) -> bytes:
    """/proc/PID/personality"""
    _lock_trace(task, reader)
    return b"%08x\n" % task.personality


def syscall(task: Task, reader: Task) -> bytes:
    """/proc/PID/syscall: the call that the task is in, its registers, stack and program counter"""
    _lock_trace(task, reader)
    if task is reader:
        regs = task.kernel.cpu.regs
        nr, sp, ip = int(regs[0]), int(regs[4]), int(regs[16])
        return b"%d %s 0x%x 0x%x\n" % (nr, _hex(_arguments(regs)), sp, ip)
    if task.state in "ZX":
        return b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"
    if task.state == "R":
        return b"running\n"
    saved = _REGISTERS.unpack_from(task.context)
    if task.orig_rax < 0:
        return b"-1 0x%x 0x%x\n" % (saved[4], saved[16])
    return b"%d %s 0x%x 0x%x\n" % (task.orig_rax, _hex(task.args), saved[4], saved[16])


_REGISTERS = Struct("<17Q")
"""The general registers and RIP, first in a saved context."""


def _arguments(regs: Sequence[int]) -> list[int]:
    """RDI, RSI, RDX, R10, R8, R9."""
    return [regs[7], regs[6], regs[2], regs[10], regs[8], regs[9]]


def _hex(numbers: Iterable[int]) -> bytes:
    return b" ".join([b"0x%x" % number for number in numbers])


def stack(task: Task, reader: Task) -> bytes:
    """/proc/PID/stack: for the administrator only. A task here has no stack in the kernel."""
    if not reader.cred.capable(_CAP_SYS_ADMIN):
        raise Errno(EACCES)
    return b""


def seccomp_filter(task: Task, reader: Task) -> bytes:
    """/proc/PID/seccomp_filter"""
    return task.kernel.seccomp_abi.proc_seccomp_filter(task.seccomp) or b""


def oom_score_adj(task: Task, reader: Task) -> bytes:
    """/proc/PID/oom_score_adj"""
    return b"%d\n" % task.signal.oom_score_adj


def oom_score(task: Task, reader: Task) -> bytes:
    """/proc/PID/oom_score: how near the process is to being chosen, 0 to 2000 * 2/3"""
    from emukernel.kernel.oom import OOM_NEVER, badness

    if task.mm is None or task.state in "ZX":
        return b"0\n"
    points = badness(task)
    if points == OOM_NEVER:
        return b"0\n"
    return b"%d\n" % ((1000 + int(points * 1000 / task.kernel.memory.frames)) * 2 // 3)


def timerslack_ns(task: Task, reader: Task) -> bytes:
    """/proc/PID/timerslack_ns"""
    if task is not reader and not reader.cred.capable(_CAP_SYS_NICE):
        raise Errno(EPERM)
    return b"%d\n" % task.timerslack_ns


def nobody(task: Task, reader: Task) -> bytes:
    """/proc/PID/loginuid and sessionid: nobody logs in here, there is no audit"""
    return b"4294967295"


def cgroup(task: Task, reader: Task) -> bytes:
    """/proc/PID/cgroup: all are in the one there is"""
    return b"0::/\n"


def id_map(task: Task, reader: Task) -> bytes:
    """/proc/PID/uid_map and gid_map of the first user namespace"""
    return b"         0          0 4294967295\n"


def setgroups(task: Task, reader: Task) -> bytes:
    """/proc/PID/setgroups"""
    return b"allow\n"


def children(task: Task, reader: Task) -> bytes:
    """/proc/PID/task/TID/children. A process's children are those of its first thread."""
    return b"".join([b"%d " % child.pid for child in task.children])


def sched(task: Task, reader: Task) -> bytes:
    """/proc/PID/sched: what is kept of it. Times in ms."""
    policy = task.sched
    nice = 0 if policy is None else policy.nice
    real_time = 0 if policy is None else policy.rt_priority
    used = task.utime_ns + task.stime_ns
    rows = (
        ("se.sum_exec_runtime", f"{used // 10**6}.{used % 10**6:06d}"),
        ("nr_switches", str(task.nvcsw + task.nivcsw)),
        ("nr_voluntary_switches", str(task.nvcsw)),
        ("nr_involuntary_switches", str(task.nivcsw)),
        ("policy", str(0 if policy is None else policy.policy)),
        ("prio", str(99 - real_time if real_time else 120 + nice)),
    )
    count = len(threads(task.group_leader))
    head = f"{task.comm.decode('latin-1')} ({task.pid}, #threads: {count})\n{'-' * 67}\n"
    return (head + "".join(f"{name:<45}:{value:>21}\n" for name, value in rows)).encode("latin-1")


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
    (b"cgroup", cgroup, 0o444),
    (b"cmdline", cmdline, 0o444),
    (b"gid_map", id_map, 0o444),
    (b"limits", limits, 0o444),
    (b"loginuid", nobody, 0o444),
    (b"mountinfo", mountinfo, 0o444),
    (b"mounts", mounts, 0o444),
    (b"oom_score", oom_score, 0o444),
    (b"personality", personality, 0o400),
    (b"sched", sched, 0o444),
    (b"sessionid", nobody, 0o444),
    (b"setgroups", setgroups, 0o444),
    (b"stack", stack, 0o400),
    (b"statm", statm, 0o444),
    (b"status", status, 0o444),
    (b"timers", timers, 0o444),
    (b"syscall", syscall, 0o400),
    (b"uid_map", id_map, 0o444),
    (b"wchan", wchan, 0o444),
)

MEMORY_FILES: tuple[tuple[bytes, Show, int], ...] = (
    (b"auxv", auxv, 0o400),
    (b"environ", environ, 0o400),
    (b"maps", maps, 0o444),
    (b"smaps", smaps, 0o444),
    (b"smaps_rollup", smaps_rollup, 0o444),
)
"""About an address space: the right to see them is asked for when they are opened."""

PROCESS_FILES: tuple[tuple[bytes, Show, int], ...] = (
    (b"mountstats", mountstats, 0o400),
    (b"stat", stat, 0o444),
)
"""Of processes, not of each thread."""

THREAD_FILES: tuple[tuple[bytes, Show, int], ...] = (
    (b"children", children, 0o444),
    (b"stat", thread_stat, 0o444),
)
"""Of threads only."""
