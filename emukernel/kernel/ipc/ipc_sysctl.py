"""The limits of IPC in /proc/sys/kernel and /proc/sys/fs/mqueue (ipc/ipc_sysctl.c, mq_sysctl.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel

_INT_MAX = (1 << 31) - 1
_ULONG_MAX = (1 << 64) - 1
_IPCMNI = 32768
_SHM_DEFAULT = _ULONG_MAX - (1 << 24)
_HARD_MSGMAX, _HARD_MSGSIZEMAX = 65536, 16 << 20

LIMITS: dict[bytes, tuple[tuple[int, ...], int, int]] = {
    b"fs/mqueue/msg_default": ((10,), 1, _HARD_MSGMAX),
    b"fs/mqueue/msg_max": ((10,), 1, _HARD_MSGMAX),
    b"fs/mqueue/msgsize_default": ((8192,), 128, _HARD_MSGSIZEMAX),
    b"fs/mqueue/msgsize_max": ((8192,), 128, _HARD_MSGSIZEMAX),
    b"fs/mqueue/queues_max": ((256,), -_INT_MAX - 1, _INT_MAX),
    b"kernel/msgmax": ((8192,), 0, _INT_MAX),
    b"kernel/msgmnb": ((16384,), 0, _INT_MAX),
    b"kernel/msgmni": ((32000,), 0, _IPCMNI),
    # semmsl semmns semopm semmni
    b"kernel/sem": ((32000, 1024000000, 500, 32000), -_INT_MAX - 1, _INT_MAX),
    b"kernel/shmall": ((_SHM_DEFAULT,), 0, _ULONG_MAX),
    b"kernel/shmmax": ((_SHM_DEFAULT,), 0, _ULONG_MAX),
    b"kernel/shmmni": ((4096,), 0, _IPCMNI),
}
"""By name: the values when the machine starts, and between which numbers each may be set."""


def default_limits() -> dict[str, list[int]]:
    """The limits of a new machine, by the last part of the name."""
    return {
        name.rpartition(b"/")[2].decode(): list(values)
        for name, (values, _low, _high) in LIMITS.items()
    }


def show_limit(kernel: Kernel, name: bytes) -> str:
    """The text of the file."""
    from emukernel.kernel.ipc.util import ipc_namespace

    limits = ipc_namespace(kernel).limits
    return "\t".join([str(value) for value in limits[name.rpartition(b"/")[2].decode()]])


def store_limit(kernel: Kernel, name: bytes, data: bytes) -> None:
    """Sets as many of the values as there are numbers in what was written. Errno(EINVAL)."""
    from emukernel.kernel.ipc.util import ipc_namespace

    ns = ipc_namespace(kernel)
    _values, low, high = LIMITS[name]
    limit = ns.limits[name.rpartition(b"/")[2].decode()]
    new = []
    for word in data.partition(b"\0")[0].split()[: len(limit)]:
        if not word.removeprefix(b"-").isdigit() or len(word) > 20 or not low <= int(word) <= high:
            raise Errno(EINVAL)
        new.append(int(word))
    if not new:
        raise Errno(EINVAL)
    if name == b"kernel/sem" and len(new) == 4 and not 0 <= new[3] <= _IPCMNI:
        raise Errno(EINVAL)
    limit[: len(new)] = new
    ns.shm.limit = ns.limits["shmmni"][0]
    ns.sem.limit = ns.limits["sem"][3]
    ns.msg.limit = ns.limits["msgmni"][0]
