"""ioprio_get(2) and ioprio_set(2) (block/ioprio.c): kept and inherited. No device here has a queue
in which they would count."""

from __future__ import annotations

from emukernel.kernel.cred import CAP_SYS_ADMIN, CAP_SYS_NICE
from emukernel.kernel.errno import EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.sched.syscalls import sched_attr
from emukernel.kernel.task import DEAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER = 1, 2, 3
CLASS_NONE, CLASS_RT, CLASS_BE, CLASS_IDLE = range(4)
_CLASS_SHIFT = 13
_LEVEL_MASK = 7
_SCHED_FIFO, _SCHED_RR, _SCHED_IDLE = 1, 2, 5


def _class(ioprio: int) -> int:
    return ioprio >> _CLASS_SHIFT & 7


def _targets(task: Task, which: int, who: int) -> list[Task]:
    """The tasks that a call is about. Errno(EINVAL, ESRCH)."""
    tasks = task.kernel.tasks
    if which == IOPRIO_WHO_PROCESS:
        found = [task] if not who else [tasks[who]] if who in tasks else []
    elif which == IOPRIO_WHO_PGRP:
        pgrp = who or task.pgrp
        found = [other for other in tasks.values() if other.pgrp == pgrp]
    elif which == IOPRIO_WHO_USER:
        uid = who & 0xFFFF_FFFF or task.cred.uid
        found = [other for other in tasks.values() if other.cred.uid == uid]
    else:
        raise Errno(EINVAL)
    found = [other for other in found if other.state != DEAD]
    if not found:
        raise Errno(ESRCH)
    return found


def _effective(task: Task) -> int:
    """A task's priority, from its nice value where it has none of its own."""
    if _class(task.ioprio) != CLASS_NONE:
        return task.ioprio
    attr = sched_attr(task)
    kind = CLASS_BE
    if attr.policy in (_SCHED_FIFO, _SCHED_RR):
        kind = CLASS_RT
    elif attr.policy == _SCHED_IDLE:
        kind = CLASS_IDLE
    return kind << _CLASS_SHIFT | (attr.nice + 20) // 5


def sys_ioprio_set(task: Task, which: int, who: int, ioprio: int) -> int:
    """ioprio_set(2)."""
    kind = _class(ioprio)
    if kind == CLASS_RT:
        if not task.cred.capable(CAP_SYS_ADMIN) and not task.cred.capable(CAP_SYS_NICE):
            raise Errno(EPERM)
    elif kind > CLASS_IDLE or (kind == CLASS_NONE and ioprio & _LEVEL_MASK):
        raise Errno(EINVAL)
    for target in _targets(task, which, who):
        uid = target.cred.uid
        if uid not in (task.cred.euid, task.cred.uid) and not task.cred.capable(CAP_SYS_NICE):
            raise Errno(EPERM)
        target.ioprio = ioprio & 0xFFFF
    return 0


def sys_ioprio_get(task: Task, which: int, who: int) -> int:
    """ioprio_get(2): of several tasks the best, as it is in effect; of one as it was set."""
    targets = _targets(task, which, who)
    if which == IOPRIO_WHO_PROCESS:
        return targets[0].ioprio
    return min(_effective(target) for target in targets)
