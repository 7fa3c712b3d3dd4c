"""get_mempolicy(2) and set_mempolicy(2) (mm/mempolicy.c). The machine has one node, 0: a policy is
checked and remembered, and every page comes from that node whatever it says."""

from __future__ import annotations

from emukernel.kernel.errno import EFAULT, EINVAL, Errno
from emukernel.kernel.uaccess import clear_user, copy_from_user, copy_to_user, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL = range(5)
MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE, MPOL_MAX = 5, 6, 7
MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES, MPOL_F_NUMA_BALANCING = 1 << 15, 1 << 14, 1 << 13
_MODE_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING
_USER_NODES = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES
MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED = 1, 2, 4

#: The nodes that there are, and those that there could be (MAX_NUMNODES).
_NODES = 1
_MAX_NODES = 1024
_PAGE_BITS = 4096 * 8


def _get_nodes(task: Task, nmask: int, maxnode: int) -> int:
    """A set of nodes in user memory. Errno(EINVAL, EFAULT)."""
    maxnode = (maxnode - 1) & (1 << 64) - 1
    if not maxnode or not nmask:
        return 0
    if maxnode > _PAGE_BITS:
        raise Errno(EINVAL)
    size = (maxnode + 63) // 64 * 8
    nodes = int.from_bytes(copy_from_user(task, nmask, size), "little") & (1 << maxnode) - 1
    if nodes >> _MAX_NODES:
        raise Errno(EINVAL)
    return nodes


def sys_set_mempolicy(task: Task, mode: int, nmask: int, maxnode: int) -> int:
    """set_mempolicy(2)."""
    flags = mode & _MODE_FLAGS
    kind = mode & ~_MODE_FLAGS & 0xFFFF_FFFF
    if kind >= MPOL_MAX or flags & _USER_NODES == _USER_NODES:
        raise Errno(EINVAL)
    if flags & MPOL_F_NUMA_BALANCING and kind not in (MPOL_BIND, MPOL_PREFERRED_MANY):
        raise Errno(EINVAL)
    nodes = _get_nodes(task, nmask, maxnode)
    if kind in (MPOL_DEFAULT, MPOL_LOCAL):
        if nodes or (kind == MPOL_LOCAL and flags & _USER_NODES):
            raise Errno(EINVAL)
    elif not nodes:
        if kind != MPOL_PREFERRED or flags & _USER_NODES:
            raise Errno(EINVAL)
        kind = MPOL_LOCAL
    elif not flags & MPOL_F_RELATIVE_NODES and not nodes & _NODES:
        raise Errno(EINVAL)
    task.mempolicy = None if kind == MPOL_DEFAULT else (kind, flags, nodes)
    return 0


def sys_get_mempolicy(
    task: Task, policy: int, nmask: int, maxnode: int, addr: int, flags: int
) -> int:
    """get_mempolicy(2). Areas of memory have no policy of their own: there is no mbind(2)."""
    if nmask and maxnode < _NODES:
        raise Errno(EINVAL)
    if flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED):
        raise Errno(EINVAL)
    kind, mode_flags, nodes = task.mempolicy or (MPOL_DEFAULT, 0, 0)
    value = kind | mode_flags
    shown = 0 if kind == MPOL_LOCAL else nodes if mode_flags & _USER_NODES else nodes & _NODES
    if flags & MPOL_F_MEMS_ALLOWED:
        if flags & (MPOL_F_NODE | MPOL_F_ADDR):
            raise Errno(EINVAL)
        value, shown = 0, _NODES
    elif flags & MPOL_F_ADDR:
        if task.mm.vma_at(addr) is None:
            raise Errno(EFAULT)
        value = shown = MPOL_DEFAULT
        if flags & MPOL_F_NODE:
            copy_from_user(task, addr, 1)
    elif addr:
        raise Errno(EINVAL)
    elif flags & MPOL_F_NODE:
        if kind not in (MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE):
            raise Errno(EINVAL)
        value = 0
    if policy:
        put_user_u32(task, policy, value)
    if nmask:
        _put_nodes(task, nmask, maxnode, shown)
    return 0


def _put_nodes(task: Task, nmask: int, maxnode: int, nodes: int) -> None:
    """Writes a set of nodes, and zeros up to `maxnode` (copy_nodes_to_user)."""
    size = (maxnode - 1 + 63) // 64 * 8
    known = (_NODES + 63) // 64 * 8
    if size > known:
        if size > 4096:
            raise Errno(EINVAL)
        clear_user(task, nmask + known, size - known)
    copy_to_user(task, nmask, (nodes & (1 << 64) - 1).to_bytes(8, "little")[: min(size, known)])
