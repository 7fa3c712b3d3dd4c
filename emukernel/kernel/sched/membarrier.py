"""membarrier(2) (kernel/sched/membarrier.c).

With one CPU every thread has passed a barrier when another one runs: what is left are the
registrations, which belong to the memory.
"""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, EPERM, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

QUERY = 0
GLOBAL, GLOBAL_EXPEDITED, REGISTER_GLOBAL_EXPEDITED = 1, 2, 4
PRIVATE_EXPEDITED, REGISTER_PRIVATE_EXPEDITED = 8, 16
PRIVATE_EXPEDITED_SYNC_CORE, REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 32, 64
PRIVATE_EXPEDITED_RSEQ, REGISTER_PRIVATE_EXPEDITED_RSEQ = 128, 256
GET_REGISTRATIONS = 512
_ALL = 0x3FF
_FLAG_CPU = 1

#: A command, and the registration that it needs.
_NEEDS = {
    PRIVATE_EXPEDITED: REGISTER_PRIVATE_EXPEDITED,
    PRIVATE_EXPEDITED_SYNC_CORE: REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
    PRIVATE_EXPEDITED_RSEQ: REGISTER_PRIVATE_EXPEDITED_RSEQ,
}
_REGISTER = (REGISTER_GLOBAL_EXPEDITED, *_NEEDS.values())


def sys_membarrier(task: Task, cmd: int, flags: int, cpu_id: int) -> int:
    """membarrier(2)."""
    if flags and not (cmd == PRIVATE_EXPEDITED_RSEQ and flags == _FLAG_CPU):
        raise Errno(EINVAL)
    mm = task.mm
    if cmd == QUERY:
        return _ALL
    if cmd in (GLOBAL, GLOBAL_EXPEDITED):
        return 0
    if cmd in _NEEDS:
        if not mm.membarrier_state & _NEEDS[cmd]:
            raise Errno(EPERM)
        return 0
    if cmd in _REGISTER:
        mm.membarrier_state |= cmd
        return 0
    if cmd == GET_REGISTRATIONS:
        state = mm.membarrier_state
        if state & (REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | REGISTER_PRIVATE_EXPEDITED_RSEQ):
            # These are shown with the plain one, although they don't give the right to it.
            state |= REGISTER_PRIVATE_EXPEDITED
        return state
    raise Errno(EINVAL)
