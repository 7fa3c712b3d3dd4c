"""Restartable sequences: rseq(2) (kernel/rseq.c).

A thread registers a struct rseq in its memory. The kernel keeps the CPU's number in it (0: there is
one CPU), and when it interrupts the thread inside the critical section that the struct points to,
the thread goes on at the section's abort handler.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EBUSY, EFAULT, EINVAL, EPERM, Errno
from emukernel.kernel.uaccess import (
    access_ok,
    copy_from_user,
    copy_to_user,
    get_user_u32,
    get_user_u64,
    put_user_u64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

    Registration = tuple[int, int, int]
    """`task.rseq` where it is not None: address, length and signature."""

RSEQ_FLAG_UNREGISTER = 1
ORIG_RSEQ_SIZE = 32
_ALIGN = 32
RSEQ_CPU_ID_UNINITIALIZED = 0xFFFF_FFFF

# struct rseq: cpu_id_start, cpu_id, rseq_cs, flags, node_id, mm_cid.
_IDS = Struct("<II")
_NODE_AND_CID = Struct("<II")
_RSEQ_CS_OFFSET = 8
_NODE_ID_OFFSET = 20

# struct rseq_cs: version, flags, start_ip, post_commit_offset, abort_ip.
_RSEQ_CS = Struct("<IIQQQ")
_TASK_SIZE = (1 << 47) - 4096


def sys_rseq(task: Task, rseq: int, rseq_len: int, flags: int, sig: int) -> int:
    """rseq(2). EBUSY for a second registration of the same struct, EINVAL for one of another."""
    current: Registration | None = task.rseq
    if flags & RSEQ_FLAG_UNREGISTER:
        if flags & ~RSEQ_FLAG_UNREGISTER or current is None or current[:2] != (rseq, rseq_len):
            raise Errno(EINVAL)
        if current[2] != sig:
            raise Errno(EPERM)
        copy_to_user(task, rseq, _IDS.pack(0, RSEQ_CPU_ID_UNINITIALIZED))
        copy_to_user(task, rseq + _NODE_ID_OFFSET, bytes(8))
        task.rseq = None
        return 0
    if flags:
        raise Errno(EINVAL)
    if current is not None:
        if current[:2] != (rseq, rseq_len):
            raise Errno(EINVAL)
        raise Errno(EPERM if current[2] != sig else EBUSY)
    if rseq_len < ORIG_RSEQ_SIZE or rseq % _ALIGN:
        raise Errno(EINVAL)
    if not access_ok(rseq, rseq_len):
        raise Errno(EFAULT)
    if get_user_u64(task, rseq + _RSEQ_CS_OFFSET):
        put_user_u64(task, rseq + _RSEQ_CS_OFFSET, 0)
    task.rseq = (rseq, rseq_len, sig)
    try:
        _update_ids(task, rseq)
    except Errno:
        # Linux writes them on the way back to user mode, where a bad pointer is a SIGSEGV.
        from emukernel.kernel.signal.numbers import SIGSEGV
        from emukernel.kernel.signal.send import force_sig

        force_sig(task, SIGSEGV)
    return 0


def _update_ids(task: Task, rseq: int) -> None:
    copy_to_user(task, rseq, _IDS.pack(0, 0))
    copy_to_user(task, rseq + _NODE_ID_OFFSET, _NODE_AND_CID.pack(0, 0))


def rseq_handle_notify_resume(task: Task, ip: int) -> int:
    """To be called when a task that has `task.rseq` was preempted, or before a signal's frame is
    made: where it goes on, `ip` itself or the abort handler.

    Raises Errno(EFAULT or EINVAL) where the thread's structures are bad: a SIGSEGV for it.
    """
    rseq, _length, signature = task.rseq
    section = get_user_u64(task, rseq + _RSEQ_CS_OFFSET)
    if section:
        ip = _leave_section(task, rseq, section, signature, ip)
    _update_ids(task, rseq)
    return ip


def _leave_section(task: Task, rseq: int, section: int, signature: int, ip: int) -> int:
    """Where to go on; the thread is in no section afterwards (rseq_ip_fixup)."""
    if section >= _TASK_SIZE:
        raise Errno(EINVAL)
    version, flags, start, offset, abort = _RSEQ_CS.unpack(
        copy_from_user(task, section, _RSEQ_CS.size)
    )
    if start >= _TASK_SIZE or start + offset >= _TASK_SIZE or abort >= _TASK_SIZE or version:
        raise Errno(EINVAL)
    if 0 <= abort - start < offset:
        raise Errno(EINVAL)
    # The signature before the handler keeps an attacker from making the kernel jump anywhere.
    if get_user_u32(task, abort - 4) != signature:
        raise Errno(EINVAL)
    inside = 0 <= ip - start < offset
    if inside and (flags or get_user_u32(task, rseq + 16)):
        # The flags that asked for no abort are gone since 6.1.
        raise Errno(EINVAL)
    put_user_u64(task, rseq + _RSEQ_CS_OFFSET, 0)
    return int(abort) if inside else ip
