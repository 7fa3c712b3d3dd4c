"""Who may do what to an inode: mode bits, capabilities, sticky directories (Linux: fs/namei.c)."""

from __future__ import annotations

from stat import S_ISDIR, S_ISGID, S_ISLNK, S_ISREG, S_ISUID, S_ISVTX, S_IXGRP

from emukernel.kernel.cred import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
)
from emukernel.kernel.errno import EACCES, EPERM, EROFS, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.inode import Inode

MAY_EXEC = 1
MAY_WRITE = 2
MAY_READ = 4
MAY_APPEND = 8

# capabilities(7), those that only files ask for.
CAP_SYS_CHROOT = 18

_EXEC_BITS = 0o111


def in_group(cred: Cred, gid: int) -> bool:
    """Is `gid` the fsgid or one of the supplementary groups?"""
    return gid == cred.fsgid or gid in cred.groups


def generic_permission(cred: Cred, inode: Inode, mask: int) -> None:
    """Mode bits, then capabilities. Raises Errno(EACCES)."""
    mode = inode.mode
    if cred.fsuid == inode.uid:
        granted = mode >> 6
    elif (mode >> 3 ^ mode) & 7 and in_group(cred, inode.gid):
        granted = mode >> 3
    else:
        granted = mode
    mask &= MAY_READ | MAY_WRITE | MAY_EXEC
    if not mask & ~granted:
        return
    if S_ISDIR(mode):
        if not mask & MAY_WRITE and cred.capable(CAP_DAC_READ_SEARCH):
            return
        if cred.capable(CAP_DAC_OVERRIDE):
            return
    else:
        if mask == MAY_READ and cred.capable(CAP_DAC_READ_SEARCH):
            return
        if (not mask & MAY_EXEC or mode & _EXEC_BITS) and cred.capable(CAP_DAC_OVERRIDE):
            return
    raise Errno(EACCES)


def inode_permission(cred: Cred, inode: Inode, mask: int) -> None:
    """May `cred` do `mask` (MAY_* bits) to the inode? Raises Errno(EACCES or EROFS)."""
    if mask & MAY_WRITE and inode.sb.readonly:
        mode = inode.mode
        if S_ISREG(mode) or S_ISDIR(mode) or S_ISLNK(mode):
            raise Errno(EROFS)
    inode.permission(cred, mask)


def owner_or_capable(cred: Cred, inode: Inode) -> bool:
    """Does the caller own the inode, or stand in for owners (CAP_FOWNER)?"""
    return cred.fsuid == inode.uid or cred.capable(CAP_FOWNER)


def check_sticky(cred: Cred, directory: Inode, inode: Inode) -> None:
    """In a sticky directory only the owner of it or of the victim may remove: else EPERM."""
    if (
        directory.mode & S_ISVTX
        and cred.fsuid not in (inode.uid, directory.uid)
        and not cred.capable(CAP_FOWNER)
    ):
        raise Errno(EPERM)


def strip_sgid(cred: Cred, directory: Inode, mode: int) -> int:
    """The mode of a new file: no S_ISGID for a group the creator isn't in (mode_strip_sgid)."""
    if (
        mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP
        and directory.mode & S_ISGID
        and not in_group(cred, directory.gid)
        and not cred.capable(CAP_FSETID)
    ):
        mode &= ~S_ISGID
    return mode


def without_privileges(mode: int) -> int:
    """The mode after a write or chown by someone without CAP_FSETID: no set-id bits.

    S_ISGID without S_IXGRP once meant mandatory locking and stays.
    """
    mode &= ~S_ISUID
    if mode & S_IXGRP:
        mode &= ~S_ISGID
    return mode
