"""Signals to be read (Linux: fs/signalfd.c; signalfd(2))."""

from __future__ import annotations

from struct import Struct, unpack_from

from emukernel.kernel.errno import EAGAIN, EFAULT, EINVAL, Errno
from emukernel.kernel.fs.anon_inodes import AnonFile, anon_inode_path
from emukernel.kernel.fs.file import O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN
from emukernel.kernel.signal.numbers import (
    KERNEL_ONLY_MASK,
    SI_KERNEL,
    SI_SIGIO,
    SI_TIMER,
    SI_USER,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
)
from emukernel.kernel.signal.pending import dequeue_signal
from emukernel.kernel.uaccess import get_user_u64
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.task import Task

SIGNALFD_SIGINFO_SIZE = 128
_ALL = (1 << 64) - 1
_FAULTS = (SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP)

# signo errno code, pid uid fd tid band overrun trapno status, int ptr utime stime addr,
# addr_lsb syscall call_addr arch
_SIGINFO = Struct("<IiiIIiIIIIiiQQQQH2xiQI28x")


class SignalFile(AnonFile):
    """A signalfd: reading takes signals of `mask` that are pending for the reader."""

    __slots__ = ("kernel", "mask")

    def __init__(self, path: Path, flags: int, kernel: Kernel, mask: int) -> None:
        super().__init__(path, flags)
        self.kernel = kernel
        self.mask = mask

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if it.count < SIGNALFD_SIGINFO_SIZE:
            raise Errno(EINVAL)
        done = 0
        while it.count >= SIGNALFD_SIGINFO_SIZE:
            info = dequeue_signal(task, ~self.mask & _ALL)
            if info is None:
                if done:
                    break
                if self.flags & O_NONBLOCK:
                    raise Errno(EAGAIN)
                wait_on(task, task.sighand.signalfd_queue)
                raise Errno(EAGAIN)
            copied = it.copy_to_iter(signalfd_siginfo(info))
            if copied < SIGNALFD_SIGINFO_SIZE:
                if not done:
                    raise Errno(EFAULT)
                break
            done += copied
        return done

    def poll(self, task: Task) -> int:
        pending: int = task.pending.signal | task.signal.shared_pending.signal
        return POLLIN if pending & self.mask else 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.kernel.current.sighand.signalfd_queue]

    def fdinfo(self) -> str:
        return f"sigmask:\t{self.mask:016x}\n"


def signalfd_siginfo(info: SigInfo) -> bytes:
    """struct signalfd_siginfo: which fields count follows from number and code."""
    signo, code, fields = info.signo, info.code, info.fields
    pid = uid = fd = tid = band = overrun = status = value = pointer = 0
    utime = stime = addr = syscall = call_addr = arch = 0
    if signo in _FAULTS and SI_USER < code < SI_KERNEL:
        (addr,) = unpack_from("<Q", fields)
    elif signo == SIGCHLD and SI_USER < code < SI_KERNEL:
        pid, uid, status, utime, stime = unpack_from("<IIi4xQQ", fields)
    elif signo == SIGSYS and SI_USER < code < SI_KERNEL:
        call_addr, syscall, arch = unpack_from("<QiI", fields)
    elif code == SI_SIGIO or (SI_USER < code < SI_KERNEL and (signo == SIGIO or code <= 6)):
        band, fd = unpack_from("<Qi", fields)
    elif code == SI_TIMER:
        tid, overrun, pointer = unpack_from("<IIQ", fields)
        value = unpack_from("<i", fields, 8)[0]
    elif code < SI_USER:
        pid, uid, pointer = unpack_from("<IIQ", fields)
        value = unpack_from("<i", fields, 8)[0]
    else:
        pid, uid = unpack_from("<II", fields)
    return _SIGINFO.pack(
        signo, info.errno, code, pid, uid, fd, tid, band & 0xFFFFFFFF, overrun, 0, status,
        value, pointer, utime, stime, addr, 0, syscall, call_addr, arch,
    )  # fmt: skip


def sys_signalfd4(task: Task, ufd: int, user_mask: int, sizemask: int, flags: int) -> int:
    """signalfd(2): a new file, or, with a descriptor of one, another mask for it"""
    if sizemask != 8:
        raise Errno(EINVAL)
    mask = get_user_u64(task, user_mask)
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise Errno(EINVAL)
    mask &= ~KERNEL_ONLY_MASK
    if ufd != -1:
        file = task.files.get(ufd)
        if not isinstance(file, SignalFile):
            raise Errno(EINVAL)
        file.mask = mask
        task.sighand.signalfd_queue.wake_up()
        return ufd
    path = anon_inode_path(task.kernel, b"[signalfd]")
    file = SignalFile(path, O_RDWR | flags & O_NONBLOCK, task.kernel, mask)
    return task.files.add(task, file, bool(flags & O_CLOEXEC))


def sys_signalfd(task: Task, ufd: int, user_mask: int, sizemask: int) -> int:
    """signalfd(2) of old, without flags"""
    return sys_signalfd4(task, ufd, user_mask, sizemask, 0)
