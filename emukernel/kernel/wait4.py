"""Waiting for children: wait4 and waitid (kernel/exit.c)."""

from __future__ import annotations

from struct import pack

from emukernel.kernel.errno import ECHILD, EINVAL, ERESTARTSYS, ESRCH, Errno
from emukernel.kernel.task import ZOMBIE
from emukernel.kernel.uaccess import copy_to_user, put_user_u32
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

WNOHANG, WUNTRACED, WEXITED, WCONTINUED = 1, 2, 4, 8
WNOWAIT = 0x0100_0000
_WNOTHREAD, _WALL, _WCLONE = 0x2000_0000, 0x4000_0000, 0x8000_0000
_WAIT4_FLAGS = WNOHANG | WUNTRACED | WCONTINUED | _WNOTHREAD | _WCLONE | _WALL
_WAITID_FLAGS = _WAIT4_FLAGS | WNOWAIT | WEXITED
P_ALL, P_PID, P_PGID, P_PIDFD = range(4)
_SIGCHLD, _SIGCONT = 17, 18
_CLD_EXITED, _CLD_KILLED, _CLD_DUMPED, _CLD_STOPPED, _CLD_CONTINUED = 1, 2, 3, 5, 6
_SIGNAL_STOP_STOPPED, _SIGNAL_STOP_CONTINUED = 1, 2


class Selection:
    """Which children are meant, and which of their changes."""

    __slots__ = ("kind", "number", "options")

    def __init__(self, kind: int, number: int, options: int) -> None:
        self.kind = kind
        self.number = number
        self.options = options

    def takes(self, child: Task) -> bool:
        """Whether a child is among those meant (eligible_child)."""
        if self.kind == P_PID and child.pid != self.number:
            return False
        if self.kind == P_PGID and child.pgrp != self.number:
            return False
        options = self.options
        clone = child.exit_signal != _SIGCHLD
        return bool(options & _WALL) or clone == bool(options & _WCLONE)


class Found:
    """A child whose state changed: SIGCHLD's code and the wait status."""

    __slots__ = ("child", "code", "status")

    def __init__(self, child: Task, code: int, status: int) -> None:
        self.child = child
        self.code = code
        self.status = status


def do_wait(task: Task, selection: Selection) -> Found | None:
    """The first child with something to tell; None with WNOHANG. Blocks, or Errno(ECHILD)."""
    options = selection.options
    any_left = False
    for child in _candidates(task.group_leader, selection):
        if not selection.takes(child):
            continue
        if options & _WNOTHREAD and child.real_parent is not task:
            continue
        any_left = True
        if child.state == ZOMBIE and not child.thread_group:
            if options & WEXITED:
                return _reap(task, child, bool(options & WNOWAIT))
            # Its end is of no interest, and nothing else can come.
            continue
        found = _stopped_or_continued(child, options)
        if found is not None:
            return found
    if not any_left:
        raise Errno(ECHILD)
    if options & WNOHANG:
        return None
    wait_on(task, task.signal.wait_chldexit, None, ERESTARTSYS)
    return None


def _candidates(parent: Task, selection: Selection) -> list[Task]:
    """The children to look at: the one that is named, or all."""
    if selection.kind != P_PID:
        return list(parent.children)
    child = parent.kernel.tasks.get(selection.number)
    if child is None or child.group_leader is not child or child.parent is not parent:
        return []
    return [child]


def _reap(task: Task, child: Task, keep: bool) -> Found:
    code = child.exit_code
    if code & 0x7F:
        found = Found(child, _CLD_DUMPED if code & 0x80 else _CLD_KILLED, code)
    else:
        found = Found(child, _CLD_EXITED, code)
    if not keep:
        from emukernel.kernel.exit import account_child, release_task

        account_child(task, child)
        release_task(child)
    return found


def _stopped_or_continued(child: Task, options: int) -> Found | None:
    signal = child.signal
    if options & WUNTRACED and signal.flags & _SIGNAL_STOP_STOPPED and signal.group_exit_code:
        status = signal.group_exit_code
        if not options & WNOWAIT:
            signal.group_exit_code = 0
        return Found(child, _CLD_STOPPED, status << 8 | 0x7F)
    if options & WCONTINUED and signal.flags & _SIGNAL_STOP_CONTINUED:
        if not options & WNOWAIT:
            signal.flags &= ~_SIGNAL_STOP_CONTINUED
        return Found(child, _CLD_CONTINUED, 0xFFFF)
    return None


def sys_wait4(task: Task, upid: int, stat_addr: int, options: int, ru: int) -> int:
    """wait4(2)."""
    if options & ~_WAIT4_FLAGS & 0xFFFF_FFFF:
        raise Errno(EINVAL)
    if upid == -(1 << 31):
        raise Errno(ESRCH)
    if upid == -1:
        selection = Selection(P_ALL, 0, 0)
    elif upid < 0:
        selection = Selection(P_PGID, -upid, 0)
    elif upid == 0:
        selection = Selection(P_PGID, task.pgrp, 0)
    else:
        selection = Selection(P_PID, upid, 0)
    selection.options = options & 0xFFFF_FFFF | WEXITED
    found = do_wait(task, selection)
    if found is None:
        return 0
    if stat_addr:
        put_user_u32(task, stat_addr, found.status)
    if ru:
        copy_to_user(task, ru, rusage_of(found.child))
    return found.child.pid


def rusage_of(child: Task) -> bytes:
    """struct rusage of a child that was waited for: its threads' and its children's."""
    from emukernel.kernel.resource import rusage
    from emukernel.kernel.signal.structs import Usage

    signal = child.signal
    total = Usage()
    for used in (child, signal.exited, signal.children):
        total.add(used)
    maxrss = max(signal.exited.maxrss, signal.children.maxrss) * 4
    counts = (total.min_flt, total.maj_flt, total.nvcsw, total.nivcsw)
    return rusage(total.utime_ns, total.stime_ns, maxrss, counts)


def sys_waitid(task: Task, which: int, upid: int, infop: int, options: int, ru: int) -> int:
    """waitid(2)."""
    if options & ~_WAITID_FLAGS & 0xFFFF_FFFF or not options & (WEXITED | WUNTRACED | WCONTINUED):
        raise Errno(EINVAL)
    number = upid
    nonblocking = False
    if which == P_PID:
        if upid <= 0:
            raise Errno(EINVAL)
    elif which == P_PGID:
        if upid < 0:
            raise Errno(EINVAL)
        number = upid or task.pgrp
    elif which == P_PIDFD:
        if upid < 0:
            raise Errno(EINVAL)
        from emukernel.kernel.fs.pidfd import pidfd_of

        which = P_PID
        target = pidfd_of(task, upid)
        number = target.task.pid
        nonblocking = bool(target.flags & 0o4000)
    elif which != P_ALL:
        raise Errno(EINVAL)
    selection = Selection(which, number, options & 0xFFFF_FFFF)
    if nonblocking:
        selection.options |= WNOHANG
    found = do_wait(task, selection)
    if found is None and nonblocking and not options & WNOHANG:
        from emukernel.kernel.errno import EAGAIN

        raise Errno(EAGAIN)
    if ru and found is not None:
        copy_to_user(task, ru, rusage_of(found.child))
    if infop:
        copy_to_user(task, infop, _siginfo(found))
    return 0


def _siginfo(found: Found | None) -> bytes:
    """The fields of siginfo_t that waitid fills in, the rest left as it was up to si_status."""
    if found is None:
        return pack("<iiii", 0, 0, 0, 0) + pack("<iIi", 0, 0, 0)
    status = found.status
    if found.code == _CLD_EXITED:
        status >>= 8
    elif found.code == _CLD_STOPPED:
        status = status >> 8 & 0xFF
    elif found.code == _CLD_CONTINUED:
        status = _SIGCONT
    else:
        status &= 0x7F
    child = found.child
    return pack("<iiii", _SIGCHLD, 0, found.code, 0) + pack(
        "<iIi", child.pid, child.cred.uid, status
    )
