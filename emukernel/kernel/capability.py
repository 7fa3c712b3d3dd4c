"""capget(2) and capset(2) (kernel/capability.c, security/commoncap.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_FULL_SET, CAP_SETPCAP, commit_creds
from emukernel.kernel.errno import EFAULT, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.uaccess import (
    copy_from_user,
    copy_to_user,
    get_user_s32,
    get_user_u32,
    put_user_u32,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.task import Task

_LINUX_CAPABILITY_VERSION_1 = 0x1998_0330
_LINUX_CAPABILITY_VERSION_2 = 0x2007_1026
_LINUX_CAPABILITY_VERSION_3 = 0x2008_0522

# struct __user_cap_data_struct: effective, permitted, inheritable, 32 bits of each.
_DATA = Struct("<III")
_LOW = 0xFFFF_FFFF


def _data_count(task: Task, header: int) -> int:
    """How many data structs go with the header's version.

    Raises Errno(EFAULT), or EINVAL after it wrote the version that it prefers into the header.
    """
    version = get_user_u32(task, header)
    if version == _LINUX_CAPABILITY_VERSION_1:
        return 1
    if version in (_LINUX_CAPABILITY_VERSION_2, _LINUX_CAPABILITY_VERSION_3):
        return 2
    put_user_u32(task, header, _LINUX_CAPABILITY_VERSION_3)
    raise Errno(EINVAL)


def sys_capget(task: Task, header: int, dataptr: int) -> int:
    """capget(2). Without `dataptr` it only asks for the version, and succeeds."""
    try:
        count = _data_count(task, header)
    except Errno as error:
        if dataptr or error.errno == EFAULT:
            raise
        return 0
    if not dataptr:
        return 0
    pid = get_user_s32(task, header + 4)
    if pid < 0:
        raise Errno(EINVAL)
    target = task.kernel.tasks.get(pid) if pid else task
    if target is None:
        raise Errno(ESRCH)
    cred = target.cred
    sets = (cred.cap_effective, cred.cap_permitted, cred.cap_inheritable)
    data = b"".join(_DATA.pack(*[s >> 32 * i & _LOW for s in sets]) for i in range(count))
    copy_to_user(task, dataptr, data)
    return 0


def sys_capset(task: Task, header: int, dataptr: int) -> int:
    """capset(2): for the calling thread only. Bits that mean no capability are dropped."""
    count = _data_count(task, header)
    pid = get_user_s32(task, header + 4)
    if pid not in (0, task.pid):
        raise Errno(EPERM)
    data = copy_from_user(task, dataptr, count * _DATA.size)
    effective = permitted = inheritable = 0
    for i in range(count):
        e, p, h = _DATA.unpack_from(data, i * _DATA.size)
        effective |= e << 32 * i
        permitted |= p << 32 * i
        inheritable |= h << 32 * i
    new = changed_caps(
        task.cred, effective & CAP_FULL_SET, permitted & CAP_FULL_SET, inheritable & CAP_FULL_SET
    )
    commit_creds(task, new)
    return 0


def changed_caps(old: Cred, effective: int, permitted: int, inheritable: int) -> Cred:
    """`old` with other capability sets, if the rules allow it (cap_capset); else Errno(EPERM)."""
    limit = old.cap_inheritable | old.cap_bset
    if not old.capable(CAP_SETPCAP):
        limit &= old.cap_inheritable | old.cap_permitted
    if inheritable & ~limit or permitted & ~old.cap_permitted or effective & ~permitted:
        raise Errno(EPERM)
    new = old.copy()
    new.cap_effective = effective
    new.cap_permitted = permitted
    new.cap_inheritable = inheritable
    new.cap_ambient &= permitted & inheritable
    return new
