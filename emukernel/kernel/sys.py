"""Names and relations: uname, process ids, groups and sessions, priorities (kernel/sys.c)."""

from __future__ import annotations

from emukernel.kernel.cred import CAP_SYS_ADMIN, CAP_SYS_NICE
from emukernel.kernel.errno import EACCES, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.sched.syscalls import sched_attr
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32
from emukernel.kernel.uts import MACHINE_32, NEW_UTS_LEN, VERSION_NUMBERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

PER_MASK = 0x00FF
PER_LINUX32 = 0x0008
UNAME26 = 0x002_0000
PERSONALITY_QUERY = 0xFFFF_FFFF

PRIO_PROCESS, PRIO_PGRP, PRIO_USER = 0, 1, 2
MIN_NICE, MAX_NICE = -20, 19
RLIMIT_NICE = 13

PF_FORKNOEXEC = 0x0000_0040
"""In `task.flags`: forked, and no exec since."""


# -- names -----------------------------------------------------------------------------------


def sys_uname(task: Task, name: int) -> int:
    """uname(2), with what the personalities UNAME26 and PER_LINUX32 make of it."""
    uts = task.kernel.uts
    release = uts.release
    machine = uts.machine
    if task.personality & UNAME26:
        release = release_26(release)
    if task.personality & PER_MASK == PER_LINUX32:
        machine = MACHINE_32
    fields = (uts.sysname, uts.nodename, release, uts.version, machine, uts.domainname)
    size = NEW_UTS_LEN + 1
    copy_to_user(
        task, name, b"".join([f.encode("latin-1", "replace").ljust(size, b"\0") for f in fields])
    )
    return 0


def release_26(release: str) -> str:
    """The release for programs that can't count beyond 2.6: 6.x.y becomes 2.6.(60 + x)."""
    suffix = release.lstrip("0123456789.")
    return f"2.6.{60 + VERSION_NUMBERS[1]}{suffix}"


def _new_name(task: Task, name: int, length: int) -> str:
    if not task.cred.capable(CAP_SYS_ADMIN):
        raise Errno(EPERM)
    if not 0 <= length <= NEW_UTS_LEN:
        raise Errno(EINVAL)
    return copy_from_user(task, name, length).decode("latin-1")


def sys_sethostname(task: Task, name: int, length: int) -> int:
    """sethostname(2)."""
    task.kernel.uts.nodename = _new_name(task, name, length)
    return 0


def sys_setdomainname(task: Task, name: int, length: int) -> int:
    """setdomainname(2)."""
    task.kernel.uts.domainname = _new_name(task, name, length)
    return 0


def sys_umask(task: Task, mask: int) -> int:
    """umask(2): returns the previous one."""
    old = task.fs.umask
    task.fs.umask = mask & 0o777
    return old


def sys_personality(task: Task, personality: int) -> int:
    """personality(2): returns the previous one; 0xffffffff only asks."""
    old = task.personality
    if personality != PERSONALITY_QUERY:
        task.personality = personality
    return old


def sys_getcpu(task: Task, cpup: int, nodep: int, unused: int) -> int:
    """getcpu(2): the machine has one CPU, on one node."""
    if cpup:
        put_user_u32(task, cpup, 0)
    if nodep:
        put_user_u32(task, nodep, 0)
    return 0


# -- processes -------------------------------------------------------------------------------


def sys_getpid(task: Task) -> int:
    """getpid(2)."""
    return task.tgid


def sys_gettid(task: Task) -> int:
    """gettid(2)."""
    return task.pid


def sys_getppid(task: Task) -> int:
    """getppid(2): 1, init, for a process whose parent is no task of this machine."""
    parent = task.parent
    return 1 if parent is None else parent.tgid


def find_task(task: Task, pid: int) -> Task:
    """The task of that id; the caller for 0. Errno(ESRCH)."""
    if pid == 0:
        return task
    found = task.kernel.tasks.get(pid)
    if found is None:
        raise Errno(ESRCH)
    return found


def sys_getpgrp(task: Task) -> int:
    """getpgrp(2)."""
    return task.pgrp


def sys_getpgid(task: Task, pid: int) -> int:
    """getpgid(2)."""
    return find_task(task, pid).pgrp


def sys_getsid(task: Task, pid: int) -> int:
    """getsid(2)."""
    return find_task(task, pid).session


def sys_setpgid(task: Task, pid: int, pgid: int) -> int:
    """setpgid(2): for the caller's process, or a child of it that has not called execve yet."""
    me = task.group_leader
    pid = pid or me.pid
    pgid = pgid or pid
    if pgid < 0:
        raise Errno(EINVAL)
    leader = find_task(task, pid)
    if leader.pid != leader.tgid:
        raise Errno(EINVAL)
    parent = leader.parent
    if parent is not None and parent.tgid == me.pid:
        if leader.session != me.session:
            raise Errno(EPERM)
        if not leader.flags & PF_FORKNOEXEC:
            raise Errno(EACCES)
    elif leader is not me:
        raise Errno(ESRCH)
    if leader.session == leader.pid:
        raise Errno(EPERM)
    if pgid != pid:
        members = [t for t in task.kernel.tasks.values() if t.pgrp == pgid]
        if not members or members[0].session != me.session:
            raise Errno(EPERM)
    leader.pgrp = pgid
    for thread in leader.thread_group:
        thread.pgrp = pgid
    return 0


def sys_setsid(task: Task) -> int:
    """setsid(2): EPERM for the leader of a process group."""
    leader = task.group_leader
    sid = leader.pid
    if any(t.pgrp == sid for t in task.kernel.tasks.values()):
        raise Errno(EPERM)
    leader.session = leader.pgrp = sid
    leader.signal.tty = None
    for thread in leader.thread_group:
        thread.session = thread.pgrp = sid
    return sid


# -- priorities ------------------------------------------------------------------------------


def _chosen(task: Task, which: int, who: int) -> list[Task]:
    """The tasks that getpriority(2) and setpriority(2) are about. Errno(EINVAL)."""
    tasks = task.kernel.tasks
    if which == PRIO_PROCESS:
        found = tasks.get(who) if who else task
        return [] if found is None else [found]
    if which == PRIO_PGRP:
        pgrp = who or task.pgrp
        return [t for t in tasks.values() if t.pgrp == pgrp]
    if which == PRIO_USER:
        uid = who & 0xFFFF_FFFF or task.cred.uid
        return [t for t in tasks.values() if t.cred.uid == uid]
    raise Errno(EINVAL)


def sys_getpriority(task: Task, which: int, who: int) -> int:
    """getpriority(2). The kernel's answer is 20 - nice, 1 to 40, so as not to look like an error;
    the C library's is nice."""
    chosen = _chosen(task, which, who)
    if not chosen:
        raise Errno(ESRCH)
    return max(20 - sched_attr(t).nice for t in chosen)


def sys_setpriority(task: Task, which: int, who: int, niceval: int) -> int:
    """setpriority(2). With several tasks the last failure is reported, and the others are done."""
    chosen = _chosen(task, which, who)
    niceval = max(MIN_NICE, min(niceval, MAX_NICE))
    error = ESRCH
    for target in chosen:
        error = _set_one_prio(task, target, niceval, error)
    if error:
        raise Errno(error)
    return 0


def _set_one_prio(task: Task, target: Task, niceval: int, error: int) -> int:
    """Sets one task's nice value; the error to go on with (set_one_prio)."""
    cred = task.cred
    mine = cred.euid in (target.cred.uid, target.cred.euid)
    if not mine and not cred.capable(CAP_SYS_NICE):
        return EPERM
    attr = sched_attr(target)
    if niceval < attr.nice and not can_nice(task, target, niceval):
        return EACCES
    attr.nice = niceval
    return 0 if error == ESRCH else error


def can_nice(task: Task, target: Task, nice: int) -> bool:
    """May `task` make `target` as important as `nice`?"""
    return 20 - nice <= target.rlimits[RLIMIT_NICE][0] or task.cred.capable(CAP_SYS_NICE)
