"""The sched_* calls (kernel/sched/syscalls.c).

There is one CPU, and tasks take turns on it whatever their policy: policies, priorities and
affinities are checked, kept and reported as in Linux, but give nobody more of it.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_NICE
from emukernel.kernel.errno import E2BIG, EFAULT, EINVAL, EOPNOTSUPP, EPERM, ESRCH, Errno
from emukernel.kernel.uaccess import (
    access_ok,
    copy_from_user,
    copy_to_user,
    get_user_s32,
    get_user_u32,
    put_user_u32,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

SCHED_NORMAL = 0
SCHED_FIFO = 1
SCHED_RR = 2
SCHED_BATCH = 3
SCHED_IDLE = 5
SCHED_DEADLINE = 6
SCHED_RESET_ON_FORK = 0x4000_0000
_POLICIES = (SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE)
_RT_POLICIES = (SCHED_FIFO, SCHED_RR)
_FAIR_POLICIES = (SCHED_NORMAL, SCHED_BATCH)
_RT_PRIO_MAX = 99

SCHED_FLAG_RESET_ON_FORK = 0x01
SCHED_FLAG_KEEP_POLICY = 0x08
SCHED_FLAG_KEEP_PARAMS = 0x10
SCHED_FLAG_UTIL_CLAMP = 0x60
SCHED_FLAG_ALL = 0x7F

SETPARAM_POLICY = -1
"""The policy stays (sched_setparam)."""

CPU_MASK = 1
"""The machine's CPUs: number 0."""
_CPU_MASK_BYTES = 8

RR_TIMESLICE_NS = 100_000_000
MIN_NICE, MAX_NICE = -20, 19
RLIMIT_NICE, RLIMIT_RTPRIO = 13, 14

# struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period, util_min/max.
_ATTR = Struct("<IIQiIQQQII")
_ATTR_SIZE_VER0 = 48
_ATTR_SIZE_VER1 = 56
_PAGE_SIZE = 4096


class SchedAttr:
    """What a task has asked of the scheduler; plain data. `task.sched` is None for the default."""

    __slots__ = ("affinity", "nice", "policy", "reset_on_fork", "rt_priority")

    def __init__(self) -> None:
        self.policy = SCHED_NORMAL
        self.nice = 0
        self.rt_priority = 0
        self.reset_on_fork = False
        self.affinity = CPU_MASK

    def copy(self) -> SchedAttr:
        """A child's: the same, unless SCHED_RESET_ON_FORK takes back what is above the usual."""
        child = SchedAttr()
        child.affinity = self.affinity
        child.policy, child.nice, child.rt_priority = self.policy, self.nice, self.rt_priority
        if self.reset_on_fork:
            if self.policy in _RT_POLICIES:
                child.policy, child.nice, child.rt_priority = SCHED_NORMAL, 0, 0
            child.nice = max(child.nice, 0)
        return child


def sched_attr(task: Task) -> SchedAttr:
    """A task's SchedAttr, made when it is first asked for."""
    attr: SchedAttr | None = task.sched
    if attr is None:
        attr = task.sched = SchedAttr()
    return attr


def _find(task: Task, pid: int) -> Task:
    """The task of that id, the caller for 0. Errno(EINVAL for negative ones, or ESRCH)."""
    if pid < 0:
        raise Errno(EINVAL)
    found = task.kernel.tasks.get(pid) if pid else task
    if found is None:
        raise Errno(ESRCH)
    return found


def _same_owner(task: Task, target: Task) -> bool:
    return task.cred.euid in (target.cred.euid, target.cred.uid)


def sys_sched_yield(task: Task) -> int:
    """sched_yield(2): others get their turn first."""
    task.kernel.need_resched = True
    return 0


# -- policy and priority ---------------------------------------------------------------------


class Request:
    """What a call wants a task's scheduling to be (struct sched_attr in the kernel)."""

    __slots__ = ("flags", "nice", "policy", "priority", "reset_on_fork")

    def __init__(self, policy: int, priority: int) -> None:
        self.policy = policy
        self.priority = priority
        self.nice: int | None = None
        self.flags = 0
        self.reset_on_fork = False


def sched_setscheduler(task: Task, target: Task, request: Request) -> None:
    """Checks a request and carries it out (__sched_setscheduler). Errno(EINVAL or EPERM).

    SCHED_DEADLINE is refused as by an admission control that has nothing to give.
    """
    attr = sched_attr(target)
    if request.policy < 0:
        request.policy = attr.policy
        request.reset_on_fork = attr.reset_on_fork
    elif request.policy not in _POLICIES:
        raise Errno(EINVAL)
    policy, priority = request.policy, request.priority
    if priority > _RT_PRIO_MAX or (policy in _RT_POLICIES) != (priority != 0):
        raise Errno(EINVAL)
    if policy == SCHED_DEADLINE:
        raise Errno(EINVAL)
    if not task.cred.capable(CAP_SYS_NICE):
        _check_unprivileged(task, target, attr, request)
    if request.flags & SCHED_FLAG_UTIL_CLAMP:
        raise Errno(EOPNOTSUPP)
    attr.reset_on_fork = request.reset_on_fork
    if request.flags & SCHED_FLAG_KEEP_PARAMS:
        return
    attr.policy = policy
    attr.rt_priority = priority
    if request.nice is not None and policy in _FAIR_POLICIES:
        attr.nice = request.nice


def _check_unprivileged(task: Task, target: Task, attr: SchedAttr, request: Request) -> None:
    """user_check_sched_setscheduler without CAP_SYS_NICE: Errno(EPERM)."""
    policy = request.policy
    nice_limit = target.rlimits[RLIMIT_NICE][0]
    allowed = True
    if policy in _FAIR_POLICIES and request.nice is not None and request.nice < attr.nice:
        allowed = 20 - request.nice <= nice_limit
    if policy in _RT_POLICIES:
        limit = target.rlimits[RLIMIT_RTPRIO][0]
        if policy != attr.policy and not limit:
            allowed = False
        if request.priority > attr.rt_priority and request.priority > limit:
            allowed = False
    if attr.policy == SCHED_IDLE and policy != SCHED_IDLE and 20 - attr.nice > nice_limit:
        # Getting out of SCHED_IDLE is a rise like any other.
        allowed = False
    if attr.reset_on_fork and not request.reset_on_fork:
        allowed = False
    if not allowed or not _same_owner(task, target):
        raise Errno(EPERM)


def _do_setscheduler(task: Task, pid: int, policy: int, param: int) -> int:
    if not param or pid < 0:
        raise Errno(EINVAL)
    priority = get_user_s32(task, param)
    target = _find(task, pid)
    reset = policy != SETPARAM_POLICY and bool(policy & SCHED_RESET_ON_FORK)
    if reset:
        policy &= ~SCHED_RESET_ON_FORK
    # A negative priority is a very large unsigned one.
    request = Request(policy, priority & 0xFFFF_FFFF)
    request.reset_on_fork = reset
    sched_setscheduler(task, target, request)
    return 0


def sys_sched_setscheduler(task: Task, pid: int, policy: int, param: int) -> int:
    """sched_setscheduler(2)."""
    if policy < 0:
        raise Errno(EINVAL)
    return _do_setscheduler(task, pid, policy, param)


def sys_sched_setparam(task: Task, pid: int, param: int) -> int:
    """sched_setparam(2)."""
    return _do_setscheduler(task, pid, SETPARAM_POLICY, param)


def sys_sched_getscheduler(task: Task, pid: int) -> int:
    """sched_getscheduler(2)."""
    attr = sched_attr(_find(task, pid))
    return attr.policy | (SCHED_RESET_ON_FORK if attr.reset_on_fork else 0)


def sys_sched_getparam(task: Task, pid: int, param: int) -> int:
    """sched_getparam(2)."""
    if not param:
        raise Errno(EINVAL)
    put_user_u32(task, param, sched_attr(_find(task, pid)).rt_priority)
    return 0


def sys_sched_get_priority_max(task: Task, policy: int) -> int:
    """sched_get_priority_max(2)."""
    if policy not in _POLICIES:
        raise Errno(EINVAL)
    return _RT_PRIO_MAX if policy in _RT_POLICIES else 0


def sys_sched_get_priority_min(task: Task, policy: int) -> int:
    """sched_get_priority_min(2)."""
    if policy not in _POLICIES:
        raise Errno(EINVAL)
    return 1 if policy in _RT_POLICIES else 0


def sys_sched_rr_get_interval(task: Task, pid: int, interval: int) -> int:
    """sched_rr_get_interval(2): 0 under SCHED_FIFO; for others what a slice is.

    Linux answers 0 for an ordinary task that is alone on its CPU, and so does this kernel for all.
    """
    attr = sched_attr(_find(task, pid))
    from emukernel.kernel.time.timekeeping import put_timespec

    put_timespec(task, interval, RR_TIMESLICE_NS if attr.policy == SCHED_RR else 0)
    return 0


# -- sched_attr ------------------------------------------------------------------------------


def sys_sched_setattr(task: Task, pid: int, uattr: int, flags: int) -> int:
    """sched_setattr(2). The struct's size is that which the caller knows; E2BIG, with the size
    that the kernel knows written back, where it has more that isn't zero, or too little."""
    if not uattr or pid < 0 or flags:
        raise Errno(EINVAL)
    size = get_user_u32(task, uattr) or _ATTR_SIZE_VER0
    if not _ATTR_SIZE_VER0 <= size <= _PAGE_SIZE:
        put_user_u32(task, uattr, _ATTR_SIZE_VER1)
        raise Errno(E2BIG)
    data = copy_from_user(task, uattr, size)
    if any(data[_ATTR_SIZE_VER1:]):
        put_user_u32(task, uattr, _ATTR_SIZE_VER1)
        raise Errno(E2BIG)
    known = data[:_ATTR_SIZE_VER1].ljust(_ATTR_SIZE_VER1, b"\0")
    _, policy, attr_flags, nice, priority = _ATTR.unpack(known)[:5]
    if attr_flags & SCHED_FLAG_UTIL_CLAMP and size < _ATTR_SIZE_VER1:
        raise Errno(EINVAL)
    if policy >= 1 << 31:
        raise Errno(EINVAL)
    target = _find(task, pid)
    if attr_flags & SCHED_FLAG_KEEP_PARAMS:
        current = sched_attr(target)
        nice, priority = current.nice, current.rt_priority
    request = Request(SETPARAM_POLICY if attr_flags & SCHED_FLAG_KEEP_POLICY else policy, priority)
    request.nice = max(MIN_NICE, min(nice, MAX_NICE))
    request.flags = attr_flags
    request.reset_on_fork = bool(attr_flags & SCHED_FLAG_RESET_ON_FORK)
    if attr_flags & ~SCHED_FLAG_ALL:
        raise Errno(EINVAL)
    sched_setscheduler(task, target, request)
    return 0


def sys_sched_getattr(task: Task, pid: int, uattr: int, usize: int, flags: int) -> int:
    """sched_getattr(2): as much of the struct as the caller has room for."""
    if not uattr or pid < 0 or not _ATTR_SIZE_VER0 <= usize <= _PAGE_SIZE or flags:
        raise Errno(EINVAL)
    attr = sched_attr(_find(task, pid))
    size = min(usize, _ATTR_SIZE_VER1)
    nice = 0 if attr.policy in _RT_POLICIES else attr.nice
    answer = _ATTR.pack(
        size, attr.policy, int(attr.reset_on_fork), nice, attr.rt_priority, 0, 0, 0, 0, 0
    )
    if not access_ok(uattr, usize):
        raise Errno(EFAULT)
    copy_to_user(task, uattr, answer[:size].ljust(usize, b"\0"))
    return 0


# -- affinity --------------------------------------------------------------------------------


def sys_sched_setaffinity(task: Task, pid: int, length: int, user_mask_ptr: int) -> int:
    """sched_setaffinity(2): the mask has to have CPU 0 in it."""
    mask = int.from_bytes(
        copy_from_user(task, user_mask_ptr, min(length, _CPU_MASK_BYTES)), "little"
    )
    target = task.kernel.tasks.get(pid) if pid else task
    if target is None:
        raise Errno(ESRCH)
    if not _same_owner(task, target) and not task.cred.capable(CAP_SYS_NICE):
        raise Errno(EPERM)
    if not mask & CPU_MASK:
        raise Errno(EINVAL)
    sched_attr(target).affinity = mask & CPU_MASK
    return 0


def sys_sched_getaffinity(task: Task, pid: int, length: int, user_mask_ptr: int) -> int:
    """sched_getaffinity(2): returns how many bytes of the mask it wrote."""
    if length * 8 < 1 or length % 8:
        raise Errno(EINVAL)
    target = task.kernel.tasks.get(pid) if pid else task
    if target is None:
        raise Errno(ESRCH)
    mask = sched_attr(target).affinity
    copy_to_user(task, user_mask_ptr, mask.to_bytes(_CPU_MASK_BYTES, "little"))
    return _CPU_MASK_BYTES
