"""Opening, closing, sizes, modes and owners of files (Linux: fs/open.c)."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG

from emukernel.kernel.errno import (
    EACCES,
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    ENODEV,
    ENOTDIR,
    EOPNOTSUPP,
    EPERM,
    EROFS,
    ESPIPE,
    Errno,
)
from emukernel.kernel.fs.dcache import watched
from emukernel.kernel.fs.file import (
    FMODE_WRITE,
    O_CLOEXEC,
    O_CREAT,
    O_TRUNC,
    O_WRONLY,
)
from emukernel.kernel.fs.filp_open import OpenFlags, do_filp_open, legacy_flags
from emukernel.kernel.fs.lookup import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    LOOKUP_DIRECTORY,
    LOOKUP_EMPTY,
    LOOKUP_FOLLOW,
    getname,
    user_path_at,
)
from emukernel.kernel.fs.permission import (
    CAP_SYS_CHROOT,
    MAY_EXEC,
    MAY_WRITE,
    inode_permission,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.task import Task

CLOSE_RANGE_UNSHARE = 2
CLOSE_RANGE_CLOEXEC = 4

FALLOC_FL_KEEP_SIZE = 0x01
FALLOC_FL_PUNCH_HOLE = 0x02
_FALLOC_MODES = 0x7F
_FALLOC_EXCLUSIVE = 0x7A

# Opening and closing


def _do_sys_open(task: Task, dfd: int, filename: int, op: OpenFlags) -> int:
    files = task.files
    if "opening" in task.call:
        from emukernel.kernel.fs.pipe import wait_for_partner

        file = wait_for_partner(task)
        if watched(file.path.dentry):
            from emukernel.kernel.fs.fsnotify import fsnotify_open

            fsnotify_open(file)
    else:
        name = getname(task, filename)
        files.unused(task)
        file = do_filp_open(task, dfd, name, op)
    return files.add(task, file, bool(op.flags & O_CLOEXEC))


def sys_open(task: Task, filename: int, flags: int, mode: int) -> int:
    """open(2)"""
    return _do_sys_open(task, AT_FDCWD, filename, legacy_flags(flags, mode))


def sys_openat(task: Task, dfd: int, filename: int, flags: int, mode: int) -> int:
    """openat(2)"""
    return _do_sys_open(task, dfd, filename, legacy_flags(flags, mode))


def sys_openat2(task: Task, dfd: int, filename: int, how: int, usize: int) -> int:
    """openat2(2)"""
    from emukernel.kernel.fs.filp_open import read_open_how

    return _do_sys_open(task, dfd, filename, read_open_how(task, how, usize))


def sys_creat(task: Task, pathname: int, mode: int) -> int:
    """creat(2)"""
    flags = legacy_flags(O_CREAT | O_WRONLY | O_TRUNC, mode)
    return _do_sys_open(task, AT_FDCWD, pathname, flags)


def sys_close(task: Task, fd: int) -> int:
    """close(2)"""
    task.files.close(task, fd)
    return 0


def sys_close_range(task: Task, fd: int, max_fd: int, flags: int) -> int:
    """close_range(2)"""
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or fd > max_fd:
        raise Errno(EINVAL)
    files = task.files
    if flags & CLOSE_RANGE_UNSHARE and files.count > 1:
        files = task.files = files.unshare(task)
    chosen = [n for n in files if fd <= n <= max_fd]
    if flags & CLOSE_RANGE_CLOEXEC:
        files.cloexec.update(chosen)
    else:
        for n in chosen:
            files.close(task, n)
    return 0


# Size


def sys_truncate(task: Task, path: int, length: int) -> int:
    """truncate(2)"""
    from emukernel.kernel.fs.attr import vfs_truncate

    if length < 0:
        raise Errno(EINVAL)
    vfs_truncate(task, user_path_at(task, AT_FDCWD, path, LOOKUP_FOLLOW), length)
    return 0


def sys_ftruncate(task: Task, fd: int, length: int) -> int:
    """ftruncate(2)"""
    if length < 0:
        raise Errno(EINVAL)
    file = task.files.get(fd)
    inode = file.inode
    if S_ISDIR(inode.mode) or not file.mode & FMODE_WRITE or not S_ISREG(inode.mode):
        raise Errno(EINVAL)
    from emukernel.kernel.fs.attr import check_newsize
    from emukernel.kernel.fs.filemap import file_remove_privs

    check_newsize(task, inode, length)
    file_remove_privs(task, inode)
    file.truncate(task, length)
    if inode.marks is not None:
        from emukernel.kernel.fs.fsnotify import IN_MODIFY, fsnotify

        fsnotify(file.path.dentry, IN_MODIFY)
    return 0


def sys_fallocate(task: Task, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2)"""
    file = task.files.get(fd)
    if offset < 0 or length <= 0:
        raise Errno(EINVAL)
    if mode & ~_FALLOC_MODES:
        raise Errno(EOPNOTSUPP)
    exclusive = mode & _FALLOC_EXCLUSIVE
    if exclusive & (exclusive - 1):
        raise Errno(EINVAL)
    if mode & FALLOC_FL_PUNCH_HOLE and not mode & FALLOC_FL_KEEP_SIZE:
        raise Errno(EOPNOTSUPP)
    if not file.mode & FMODE_WRITE:
        raise Errno(EBADF)
    inode = file.inode
    kind = inode.mode & 0o170000
    if kind == 0o010000:
        raise Errno(ESPIPE)
    if S_ISDIR(inode.mode):
        raise Errno(EISDIR)
    if not S_ISREG(inode.mode):
        raise Errno(ENODEV)
    if offset + length > inode.sb.max_bytes:
        raise Errno(EFBIG)
    file.fallocate(task, mode, offset, length)
    if inode.marks is not None:
        from emukernel.kernel.fs.fsnotify import IN_MODIFY, fsnotify

        fsnotify(file.path.dentry, IN_MODIFY)
    return 0


# May I?


def _access_override(task: Task) -> Cred:
    """The credentials that access(2) asks for: the real ids, and what they would be capable of."""
    cred = task.cred
    new = cred.copy()
    new.fsuid = cred.uid
    new.fsgid = cred.gid
    if not cred.securebits & 4:  # SECURE_NO_SETUID_FIXUP
        new.cap_effective = 0 if cred.uid else cred.cap_permitted
    return new


def _do_faccessat(task: Task, dfd: int, filename: int, mode: int, flags: int) -> int:
    if mode & ~7 or flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno(EINVAL)
    lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if flags & AT_EMPTY_PATH:
        lookup |= LOOKUP_EMPTY
    cred = task.cred if flags & AT_EACCESS else _access_override(task)
    path = user_path_at(task, dfd, filename, lookup, cred)
    inode = path.dentry.inode
    if mode & MAY_EXEC and S_ISREG(inode.mode):
        from emukernel.kernel.fs.mount import ST_NOEXEC

        if path.mnt.flags & ST_NOEXEC:
            raise Errno(EACCES)
    inode_permission(cred, inode, mode)
    if mode & MAY_WRITE and path.mnt.readonly and (S_ISREG(inode.mode) or S_ISDIR(inode.mode)):
        raise Errno(EROFS)
    return 0


def sys_access(task: Task, filename: int, mode: int) -> int:
    """access(2)"""
    return _do_faccessat(task, AT_FDCWD, filename, mode, 0)


def sys_faccessat(task: Task, dfd: int, filename: int, mode: int) -> int:
    """faccessat(2), the call without flags"""
    return _do_faccessat(task, dfd, filename, mode, 0)


def sys_faccessat2(task: Task, dfd: int, filename: int, mode: int, flags: int) -> int:
    """faccessat2(2)"""
    return _do_faccessat(task, dfd, filename, mode, flags)


# Working directory and root


def sys_chdir(task: Task, filename: int) -> int:
    """chdir(2)"""
    path = user_path_at(task, AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY)
    inode_permission(task.cred, path.dentry.inode, MAY_EXEC)
    task.fs.pwd = path
    return 0


def sys_fchdir(task: Task, fd: int) -> int:
    """fchdir(2)"""
    path = task.files.get_raw(fd).path
    inode = path.dentry.inode
    if not S_ISDIR(inode.mode):
        raise Errno(ENOTDIR)
    inode_permission(task.cred, inode, MAY_EXEC)
    task.fs.pwd = path
    return 0


def sys_chroot(task: Task, filename: int) -> int:
    """chroot(2)"""
    path = user_path_at(task, AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY)
    inode_permission(task.cred, path.dentry.inode, MAY_EXEC)
    if not task.cred.capable(CAP_SYS_CHROOT):
        raise Errno(EPERM)
    task.fs.root = path
    return 0


# Modes and owners


def _do_fchmodat(task: Task, dfd: int, filename: int, mode: int) -> int:
    from emukernel.kernel.fs.attr import chmod_common

    chmod_common(task, user_path_at(task, dfd, filename, LOOKUP_FOLLOW), mode)
    return 0


def sys_chmod(task: Task, filename: int, mode: int) -> int:
    """chmod(2)"""
    return _do_fchmodat(task, AT_FDCWD, filename, mode)


def sys_fchmodat(task: Task, dfd: int, filename: int, mode: int) -> int:
    """fchmodat(2), the call without flags"""
    return _do_fchmodat(task, dfd, filename, mode)


def sys_fchmod(task: Task, fd: int, mode: int) -> int:
    """fchmod(2)"""
    from emukernel.kernel.fs.attr import chmod_common

    chmod_common(task, task.files.get(fd).path, mode)
    return 0


def sys_fchownat(task: Task, dfd: int, filename: int, user: int, group: int, flag: int) -> int:
    """fchownat(2)"""
    from emukernel.kernel.fs.attr import chown_common

    if flag & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno(EINVAL)
    lookup = 0 if flag & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if flag & AT_EMPTY_PATH:
        lookup |= LOOKUP_EMPTY
    chown_common(task, user_path_at(task, dfd, filename, lookup), user, group)
    return 0


def sys_chown(task: Task, filename: int, user: int, group: int) -> int:
    """chown(2)"""
    return sys_fchownat(task, AT_FDCWD, filename, user, group, 0)


def sys_lchown(task: Task, filename: int, user: int, group: int) -> int:
    """lchown(2)"""
    return sys_fchownat(task, AT_FDCWD, filename, user, group, AT_SYMLINK_NOFOLLOW)


def sys_fchown(task: Task, fd: int, user: int, group: int) -> int:
    """fchown(2)"""
    from emukernel.kernel.fs.attr import chown_common

    chown_common(task, task.files.get(fd).path, user, group)
    return 0

