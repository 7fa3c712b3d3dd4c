"""Extended attributes, as tmpfs keeps them (Linux: fs/xattr.c, xattr(7))."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG, S_ISVTX

from emukernel.kernel.cred import CAP_SYS_ADMIN
from emukernel.kernel.errno import (
    E2BIG,
    EEXIST,
    EINVAL,
    ENODATA,
    ENOSPC,
    EOPNOTSUPP,
    EPERM,
    ERANGE,
    Errno,
)
from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_FOLLOW, user_path_at
from emukernel.kernel.fs.mount import mnt_want_write
from emukernel.kernel.fs.permission import (
    MAY_READ,
    MAY_WRITE,
    inode_permission,
    owner_or_capable,
)
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, strncpy_from_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.task import Task

XATTR_CREATE, XATTR_REPLACE = 1, 2
XATTR_NAME_MAX = 255
XATTR_SIZE_MAX = 65536
XATTR_LIST_MAX = 65536
_INODE_ROOM = 1 << 20
"""Bytes of attributes that one file may have here."""

_CAP_SETFCAP = 31


def _name(task: Task, addr: int) -> bytes:
    name = strncpy_from_user(task, addr, XATTR_NAME_MAX + 1, ERANGE)
    if not name:
        raise Errno(ERANGE)
    return name


def _permission(task: Task, inode: Inode, name: bytes, mask: int) -> None:
    """xattr_permission: what each name space asks for."""
    cred = task.cred
    writing = mask == MAY_WRITE
    if name.startswith((b"security.", b"system.")):
        return
    if name.startswith(b"trusted."):
        if not cred.capable(CAP_SYS_ADMIN):
            raise Errno(EPERM if writing else ENODATA)
        return
    if name.startswith(b"user."):
        mode = inode.mode
        if not S_ISREG(mode) and not S_ISDIR(mode):
            raise Errno(EPERM if writing else ENODATA)
        if writing and S_ISDIR(mode) and mode & S_ISVTX and not owner_or_capable(cred, inode):
            raise Errno(EPERM)
    inode_permission(cred, inode, mask)


def _supported(inode: Inode, name: bytes) -> None:
    """Has the file system this name space? Errno(EOPNOTSUPP), and EINVAL for a bare prefix."""
    if not inode.sb.xattrs:
        raise Errno(EOPNOTSUPP)
    for prefix in (b"user.", b"trusted.", b"security."):
        if name.startswith(prefix):
            if name == prefix:
                raise Errno(EINVAL)
            return
    raise Errno(EOPNOTSUPP)


def _copy(task: Task, name_at: int, value: int, size: int, flags: int) -> tuple[bytes, bytes]:
    """The checked name and value of setxattr(2), which come before the file is looked up."""
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise Errno(EINVAL)
    name = _name(task, name_at)
    if size > XATTR_SIZE_MAX:
        raise Errno(E2BIG)
    return name, copy_from_user(task, value, size) if size else b""


def _set(task: Task, path: Path, attribute: tuple[bytes, bytes], flags: int) -> int:
    name, data = attribute
    inode = path.dentry.inode
    mnt_want_write(path.mnt)
    _permission(task, inode, name, MAY_WRITE)
    _supported(inode, name)
    _security(task, name)
    attributes = inode.xattrs or {}
    if name in attributes:
        if flags & XATTR_CREATE:
            raise Errno(EEXIST)
    elif flags & XATTR_REPLACE:
        raise Errno(ENODATA)
    room = _INODE_ROOM - sum(len(n) + len(v) for n, v in attributes.items() if n != name)
    if len(name) + len(data) > room:
        raise Errno(ENOSPC)
    inode.xattrs = {**attributes, name: data}
    inode.setattr(task)
    return 0


def _security(task: Task, name: bytes) -> None:
    """cap_inode_setxattr and removexattr."""
    if name.startswith(b"security."):
        cap = _CAP_SETFCAP if name == b"security.capability" else CAP_SYS_ADMIN
        if not task.cred.capable(cap):
            raise Errno(EPERM)


def _get(task: Task, path: Path, name: bytes, value: int, size: int) -> int:
    inode = path.dentry.inode
    _permission(task, inode, name, MAY_READ)
    _supported(inode, name)
    data = (inode.xattrs or {}).get(name)
    if data is None:
        raise Errno(ENODATA)
    if size:
        if len(data) > min(size, XATTR_SIZE_MAX):
            raise Errno(ERANGE)
        copy_to_user(task, value, data)
    return len(data)


def _list(task: Task, path: Path, addr: int, size: int) -> int:
    inode = path.dentry.inode
    if not inode.sb.xattrs:
        return 0
    names = [
        name
        for name in sorted(inode.xattrs or {})
        if not name.startswith(b"trusted.") or task.cred.capable(CAP_SYS_ADMIN)
    ]
    data = b"".join(name + b"\0" for name in names)
    if size:
        if len(data) > min(size, XATTR_LIST_MAX):
            raise Errno(ERANGE)
        copy_to_user(task, addr, data)
    return len(data)


def _remove(task: Task, path: Path, name: bytes) -> int:
    inode = path.dentry.inode
    mnt_want_write(path.mnt)
    _permission(task, inode, name, MAY_WRITE)
    _supported(inode, name)
    _security(task, name)
    attributes = dict(inode.xattrs or {})
    if name not in attributes:
        raise Errno(ENODATA)
    del attributes[name]
    inode.xattrs = attributes
    inode.setattr(task)
    return 0


def _follow(task: Task, addr: int) -> Path:
    return user_path_at(task, AT_FDCWD, addr, LOOKUP_FOLLOW)


def _nofollow(task: Task, addr: int) -> Path:
    return user_path_at(task, AT_FDCWD, addr, 0)


def sys_setxattr(
    task: Task, pathname: int, name: int, value: int, size: int, flags: int
) -> int:
    """setxattr(2)"""
    attribute = _copy(task, name, value, size, flags)
    return _set(task, _follow(task, pathname), attribute, flags)


def sys_lsetxattr(
    task: Task, pathname: int, name: int, value: int, size: int, flags: int
) -> int:
    """lsetxattr(2)"""
    attribute = _copy(task, name, value, size, flags)
    return _set(task, _nofollow(task, pathname), attribute, flags)


def sys_fsetxattr(task: Task, fd: int, name: int, value: int, size: int, flags: int) -> int:
    """fsetxattr(2)"""
    attribute = _copy(task, name, value, size, flags)
    return _set(task, task.files.get(fd).path, attribute, flags)


def sys_getxattr(task: Task, pathname: int, name: int, value: int, size: int) -> int:
    """getxattr(2)"""
    text = _name(task, name)
    return _get(task, _follow(task, pathname), text, value, size)


def sys_lgetxattr(task: Task, pathname: int, name: int, value: int, size: int) -> int:
    """lgetxattr(2)"""
    text = _name(task, name)
    return _get(task, _nofollow(task, pathname), text, value, size)


def sys_fgetxattr(task: Task, fd: int, name: int, value: int, size: int) -> int:
    """fgetxattr(2)"""
    text = _name(task, name)
    return _get(task, task.files.get(fd).path, text, value, size)


def sys_listxattr(task: Task, pathname: int, list: int, size: int) -> int:
    """listxattr(2)"""
    return _list(task, _follow(task, pathname), list, size)


def sys_llistxattr(task: Task, pathname: int, list: int, size: int) -> int:
    """llistxattr(2)"""
    return _list(task, _nofollow(task, pathname), list, size)


def sys_flistxattr(task: Task, fd: int, list: int, size: int) -> int:
    """flistxattr(2)"""
    return _list(task, task.files.get(fd).path, list, size)


def sys_removexattr(task: Task, pathname: int, name: int) -> int:
    """removexattr(2)"""
    text = _name(task, name)
    return _remove(task, _follow(task, pathname), text)


def sys_lremovexattr(task: Task, pathname: int, name: int) -> int:
    """lremovexattr(2)"""
    text = _name(task, name)
    return _remove(task, _nofollow(task, pathname), text)


def sys_fremovexattr(task: Task, fd: int, name: int) -> int:
    """fremovexattr(2)"""
    text = _name(task, name)
    return _remove(task, task.files.get(fd).path, text)
