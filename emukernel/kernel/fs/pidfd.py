"""Descriptors that stand for processes: pidfd_open and its family (kernel/pid.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EBADF, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.fs.anon_inodes import anon_inode_path
from emukernel.kernel.fs.file import (
    O_NONBLOCK,
    O_RDWR,
    POLLIN,
    POLLRDNORM,
    File,
)
from emukernel.kernel.task import DEAD, ZOMBIE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task


class PidFile(File):
    """A process, held on to beyond its end: its number may be another's by then."""

    __slots__ = ("task",)

    seekable = False

    def __init__(self, path: Path, flags: int, task: Task) -> None:
        super().__init__(path, flags)
        self.task = task

    def ended(self) -> bool:
        """Whether the process has no thread left."""
        return self.task.state in (ZOMBIE, DEAD) and not self.task.thread_group

    def poll(self, task: Task) -> int:
        return POLLIN | POLLRDNORM if self.ended() else 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.task.signal.pidfd_queue]

    def fdinfo(self) -> str:
        pid = -1 if self.task.state == DEAD else self.task.pid
        return f"Pid:\t{pid}\nNSpid:\t{pid}\n"


def pidfd_create(task: Task, target: Task, flags: int = 0) -> int:
    """A descriptor of `task` for the process of `target`; Errno(EMFILE)."""
    path = anon_inode_path(task.kernel, b"[pidfd]")
    file = PidFile(path, O_RDWR | flags, target)
    return task.files.add(task, file, cloexec=True)


def pidfd_of(task: Task, fd: int) -> PidFile:
    """The open file of a pidfd; Errno(EBADF)."""
    file = task.files.get(fd)
    if not isinstance(file, PidFile):
        raise Errno(EBADF)
    return file


def sys_pidfd_open(task: Task, pid: int, flags: int) -> int:
    """pidfd_open(2)."""
    if flags & ~O_NONBLOCK or pid <= 0:
        raise Errno(EINVAL)
    target = task.kernel.tasks.get(pid)
    if target is None:
        raise Errno(ESRCH)
    if target is not target.group_leader:
        raise Errno(EINVAL)
    return pidfd_create(task, target, flags)


def sys_pidfd_send_signal(task: Task, pidfd: int, sig: int, info: int, flags: int) -> int:
    """pidfd_send_signal(2)."""
    from emukernel.kernel.signal.kill import check_kill_permission
    from emukernel.kernel.signal.send import send_signal
    from emukernel.kernel.signal.siginfo import copy_siginfo_from_user, user_info

    if flags:
        raise Errno(EINVAL)
    target = pidfd_of(task, pidfd).task
    if info:
        given = int.from_bytes(_signo(task, info), "little")
        if given != sig:
            raise Errno(EINVAL)
        what = copy_siginfo_from_user(task, sig, info)
        if target.tgid != task.tgid and (what.code >= 0 or what.code == -6):
            # Only the kernel and tkill may say that they are themselves.
            raise Errno(EPERM)
    else:
        what = user_info(task, sig)
    if target.state == DEAD:
        raise Errno(ESRCH)
    check_kill_permission(task, target, sig, what)
    if sig:
        send_signal(target, what, True)
    return 0


def _signo(task: Task, info: int) -> bytes:
    from emukernel.kernel.uaccess import copy_from_user

    return copy_from_user(task, info, 4)


def sys_pidfd_getfd(task: Task, pidfd: int, fd: int, flags: int) -> int:
    """pidfd_getfd(2): takes the right to trace the process."""
    from emukernel.kernel.futex import may_access

    if flags:
        raise Errno(EINVAL)
    target = pidfd_of(task, pidfd).task
    if target.state in (ZOMBIE, DEAD):
        raise Errno(ESRCH)
    if not may_access(task, target):
        raise Errno(EPERM)
    return task.files.add(task, target.files.get_raw(fd).get(), cloexec=True)
