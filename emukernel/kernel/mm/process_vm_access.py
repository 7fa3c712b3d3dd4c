"""Memory of another process: process_vm_readv, process_vm_writev (mm/process_vm_access.c), and
process_madvise (mm/madvise.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_NICE
from emukernel.kernel.errno import EFAULT, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.futex import may_access
from emukernel.kernel.task import DEAD, ZOMBIE
from emukernel.kernel.uaccess import UIO_MAXIOV, IovIter, copy_from_user, import_iovec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_IOVEC = Struct("<QQ")
_CHUNK = 1 << 20
#: Advice that may be given about another process's memory: WILLNEED, COLD, PAGEOUT, COLLAPSE.
_REMOTE_ADVICE = (3, 20, 21, 25)


def mm_access(task: Task, target: Task) -> None:
    """May the task look into the memory of `target`? Errno(EPERM), ESRCH where there is none."""
    if target.state in (ZOMBIE, DEAD):
        raise Errno(ESRCH)
    if target.mm is not task.mm and not may_access(task, target):
        raise Errno(EPERM)


def _remote_iovec(task: Task, address: int, count: int) -> list[tuple[int, int]]:
    """The segments of the other process: addresses are looked at when they are used."""
    if count > UIO_MAXIOV:
        raise Errno(EINVAL)
    segments = list(_IOVEC.iter_unpack(copy_from_user(task, address, count * 16)))
    if any(size >= 1 << 63 for _base, size in segments):
        raise Errno(EINVAL)
    return segments


def _transfer(
    task: Task,
    pid: int,
    local: tuple[int, int],
    remote: tuple[int, int],
    flags: int,
    write: bool,
) -> int:
    """Moves as many bytes as both sides have room for; how many until memory faulted."""
    if flags:
        raise Errno(EINVAL)
    mine = IovIter(task, import_iovec(task, *local))
    if not mine.count:
        return 0
    segments = _remote_iovec(task, *remote)
    if not any(size for _base, size in segments):
        return 0
    target = task.kernel.tasks.get(pid)
    if target is None:
        raise Errno(ESRCH)
    mm_access(task, target)
    done = 0
    for base, size in segments:
        left = min(size, mine.count)
        theirs = IovIter(target, [(base, left)])
        while left:
            step = min(left, _CHUNK)
            source, sink = (mine, theirs) if write else (theirs, mine)
            data = source.copy_from_iter(step)
            moved = sink.copy_to_iter(data)
            done += moved
            left -= moved
            if moved < step:
                if not done:
                    raise Errno(EFAULT)
                return done
    return done


def sys_process_vm_readv(
    task: Task, pid: int, lvec: int, liovcnt: int, rvec: int, riovcnt: int, flags: int
) -> int:
    """process_vm_readv(2)."""
    return _transfer(task, pid, (lvec, liovcnt), (rvec, riovcnt), flags, False)


def sys_process_vm_writev(
    task: Task, pid: int, lvec: int, liovcnt: int, rvec: int, riovcnt: int, flags: int
) -> int:
    """process_vm_writev(2)."""
    return _transfer(task, pid, (lvec, liovcnt), (rvec, riovcnt), flags, True)


def sys_process_madvise(
    task: Task, pidfd: int, vec: int, vlen: int, behavior: int, flags: int
) -> int:
    """process_madvise(2): about one's own memory whatever madvise(2) knows, about another's only
    what changes nothing in it."""
    from emukernel.kernel.fs.pidfd import pidfd_of
    from emukernel.kernel.mm.madvise import sys_madvise

    if flags:
        raise Errno(EINVAL)
    segments = import_iovec(task, vec, vlen)
    target = pidfd_of(task, pidfd & 0xFFFF_FFFF).task
    mm_access(task, target)
    if target.mm is not task.mm:
        if behavior not in _REMOTE_ADVICE:
            raise Errno(EINVAL)
        if not task.cred.capable(CAP_SYS_NICE):
            raise Errno(EPERM)
    done = 0
    for base, size in segments:
        try:
            sys_madvise(target, base, size, behavior)
        except Errno:
            if not done:
                raise
            break
        done += size
    return done
