"""Resource limits and usage: getrlimit, setrlimit, prlimit64, getrusage (kernel/sys.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_RESOURCE
from emukernel.kernel.errno import EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.time.timekeeping import task_cputime, thread_group_cputime
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.signal.structs import Usage
    from emukernel.kernel.task import Task

RLIMIT_CPU = 0
RLIMIT_FSIZE = 1
RLIMIT_DATA = 2
RLIMIT_STACK = 3
RLIMIT_CORE = 4
RLIMIT_RSS = 5
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIMIT_MEMLOCK = 8
RLIMIT_AS = 9
RLIMIT_LOCKS = 10
RLIMIT_SIGPENDING = 11
RLIMIT_MSGQUEUE = 12
RLIMIT_NICE = 13
RLIMIT_RTPRIO = 14
RLIMIT_RTTIME = 15
RLIM_NLIMITS = 16
RLIM_INFINITY = (1 << 64) - 1

NR_OPEN = 1 << 20
"""sysctl fs.nr_open: nobody gets a higher RLIMIT_NOFILE."""

RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1

_THREAD_SIZE = 16384
_MAX_THREADS = 0x3FFF_FFFF

_RLIMIT = Struct("<QQ")
# struct rusage: utime, stime (struct timeval each), then 14 longs.
_RUSAGE = Struct("<qqqq14q")


def default_rlimits(memory: int = 1 << 30) -> list[list[int]]:
    """[soft, hard] by RLIMIT number, as a machine with `memory` bytes of RAM boots with.

    INIT_RLIMITS and fork_init: an eighth of the memory may go into the stacks of threads, and one
    user may have half of those threads.
    """
    threads = max(20, min(memory // (_THREAD_SIZE * 8), _MAX_THREADS)) // 2
    limits = [[RLIM_INFINITY, RLIM_INFINITY] for _ in range(RLIM_NLIMITS)]
    limits[RLIMIT_STACK][0] = 8 << 20
    limits[RLIMIT_CORE][0] = 0
    limits[RLIMIT_NPROC] = [threads, threads]
    limits[RLIMIT_NOFILE] = [1024, 4096]
    limits[RLIMIT_MEMLOCK] = [8 << 20, 8 << 20]
    limits[RLIMIT_SIGPENDING] = [threads, threads]
    limits[RLIMIT_MSGQUEUE] = [819_200, 819_200]
    limits[RLIMIT_NICE] = [0, 0]
    limits[RLIMIT_RTPRIO] = [0, 0]
    return limits


def do_prlimit(
    task: Task, target: Task, resource: int, new: tuple[int, int] | None
) -> tuple[int, int]:
    """Reads a limit of a process and then, with `new`, sets it. Errno(EINVAL or EPERM).

    The threads of a process share their limits.
    """
    if resource >= RLIM_NLIMITS:
        raise Errno(EINVAL)
    limit = target.rlimits[resource]
    old = (limit[0], limit[1])
    if new is not None:
        soft, hard = new
        if soft > hard:
            raise Errno(EINVAL)
        if resource == RLIMIT_NOFILE and hard > NR_OPEN:
            raise Errno(EPERM)
        if hard > old[1] and not task.cred.capable(CAP_SYS_RESOURCE):
            raise Errno(EPERM)
        limit[:] = new
        if resource == RLIMIT_CPU:
            # It is on the way back to user mode that the CPU is told when to stop.
            task.kernel.need_resched = True
    return old


def sys_getrlimit(task: Task, resource: int, rlim: int) -> int:
    """getrlimit(2)."""
    copy_to_user(task, rlim, _RLIMIT.pack(*do_prlimit(task, task, resource, None)))
    return 0


def sys_setrlimit(task: Task, resource: int, rlim: int) -> int:
    """setrlimit(2)."""
    new = _RLIMIT.unpack(copy_from_user(task, rlim, 16))
    do_prlimit(task, task, resource, (new[0], new[1]))
    return 0


def _check_prlimit_permission(task: Task, target: Task) -> None:
    """Another process's limits: of one's own ids altogether, or with CAP_SYS_RESOURCE."""
    if target is task:
        return
    mine, theirs = task.cred, target.cred
    same = {mine.uid} == {theirs.uid, theirs.euid, theirs.suid} and {mine.gid} == {
        theirs.gid,
        theirs.egid,
        theirs.sgid,
    }
    if not same and not mine.capable(CAP_SYS_RESOURCE):
        raise Errno(EPERM)


def sys_prlimit64(task: Task, pid: int, resource: int, new_rlim: int, old_rlim: int) -> int:
    """prlimit(2). A failure to write the old limit comes after the new one is set."""
    new = None
    if new_rlim:
        soft, hard = _RLIMIT.unpack(copy_from_user(task, new_rlim, 16))
        new = (soft, hard)
    target = task.kernel.tasks.get(pid) if pid else task
    if target is None:
        raise Errno(ESRCH)
    _check_prlimit_permission(task, target)
    old = do_prlimit(task, target, resource, new)
    if old_rlim:
        copy_to_user(task, old_rlim, _RLIMIT.pack(*old))
    return 0


# -- usage -----------------------------------------------------------------------------------


def rusage(utime: int, stime: int, maxrss: int, counts: tuple[int, int, int, int]) -> bytes:
    """A struct rusage: times in ns, the peak of memory in KiB; minor and major faults, voluntary
    and other switches. The kernel counts no swaps, messages and signals; block input and output
    there is none."""
    minflt, majflt, nvcsw, nivcsw = counts
    times = []
    for ns in (utime, stime):
        times += [ns // 1_000_000_000, ns % 1_000_000_000 // 1000]
    return _RUSAGE.pack(*times, maxrss, 0, 0, 0, minflt, majflt, 0, 0, 0, 0, 0, 0, nvcsw, nivcsw)


def _maxrss(task: Task) -> int:
    """The peak of the address space's resident memory in KiB."""
    mm = task.mm
    return max(mm.rss, mm.hiwater_rss) * 4


def rusage_of(task: Task, who: int) -> bytes:
    """The struct rusage that getrusage(2) gives `task` for `who`. Errno(EINVAL)."""
    if who == RUSAGE_CHILDREN:
        children = task.signal.children
        counts = (children.min_flt, children.maj_flt, children.nvcsw, children.nivcsw)
        return rusage(children.utime_ns, children.stime_ns, children.maxrss * 4, counts)
    if who == RUSAGE_THREAD:
        utime, stime = task_cputime(task)
        counts = (task.min_flt, task.maj_flt, task.nvcsw, task.nivcsw)
        return rusage(utime, stime, _maxrss(task), counts)
    if who == RUSAGE_SELF:
        utime, stime = thread_group_cputime(task)
        exited = task.signal.exited
        users: list[Usage | Task] = [exited, *task.thread_group]
        counts = (
            sum([user.min_flt for user in users]),
            sum([user.maj_flt for user in users]),
            sum([user.nvcsw for user in users]),
            sum([user.nivcsw for user in users]),
        )
        return rusage(utime, stime, max(exited.maxrss * 4, _maxrss(task)), counts)
    raise Errno(EINVAL)


def sys_getrusage(task: Task, who: int, ru: int) -> int:
    """getrusage(2)."""
    copy_to_user(task, ru, rusage_of(task, who))
    return 0
