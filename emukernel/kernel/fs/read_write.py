"""read(2), write(2), their kin, lseek(2) and copies between files (Linux: fs/read_write.c)."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG

from emukernel.kernel.errno import (
    EBADF,
    EFAULT,
    EFBIG,
    EINVAL,
    EISDIR,
    EOPNOTSUPP,
    EOVERFLOW,
    ESPIPE,
    ETXTBSY,
    EXDEV,
    Errno,
)
from emukernel.kernel.fs.file import (
    FMODE_READ,
    FMODE_WRITE,
    O_APPEND,
    O_NONBLOCK,
    SEEK_HOLE,
    File,
)
from emukernel.kernel.uaccess import (
    MAX_RW_COUNT,
    BytesIter,
    IovIter,
    get_user_s64,
    import_iovec,
    put_user_u64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

TASK_SIZE_MAX = (1 << 47) - 4096
_POS_MAX = (1 << 63) - 1

RWF_DSYNC = 0x02
RWF_SYNC = 0x04
RWF_NOWAIT = 0x08
RWF_APPEND = 0x10
RWF_NOAPPEND = 0x20
_RWF_SUPPORTED = 0xFF
_RWF_TAKEN = 0x01 | RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_NOAPPEND

_COPY_CHUNK = 1 << 16


def rw_verify_area(pos: int, count: int) -> None:
    """Errno(EINVAL) for a position that is negative, or a range that runs over the end of it."""
    if pos < 0 or pos + count > _POS_MAX:
        raise Errno(EINVAL)


def vfs_read(task: Task, file: File, buf: int, count: int, pos: int) -> int:
    """Reads up to `count` bytes at `pos` into user memory."""
    if not file.mode & FMODE_READ:
        raise Errno(EBADF)
    if buf + count > TASK_SIZE_MAX:
        raise Errno(EFAULT)
    if pos < 0 or pos + count > _POS_MAX:
        raise Errno(EINVAL)
    if count > MAX_RW_COUNT:
        count = MAX_RW_COUNT
    done = file.read_iter(task, IovIter(task, [(buf, count)]), pos)
    if file.inode.marks is not None:
        notify_access(file, done)
    return done


def vfs_write(task: Task, file: File, buf: int, count: int, pos: int) -> int:
    """Writes `count` bytes of user memory at `pos`."""
    if not file.mode & FMODE_WRITE:
        raise Errno(EBADF)
    if buf + count > TASK_SIZE_MAX:
        raise Errno(EFAULT)
    if pos < 0 or pos + count > _POS_MAX:
        raise Errno(EINVAL)
    if count > MAX_RW_COUNT:
        count = MAX_RW_COUNT
    done = file.write_iter(task, IovIter(task, [(buf, count)]), pos)
    if file.inode.marks is not None:
        notify_modify(file, done)
    return done


def notify_access(file: File, done: int) -> None:
    """Bytes of a file that may be watched were read."""
    if done > 0:
        from emukernel.kernel.fs.fsnotify import IN_ACCESS, fsnotify

        fsnotify(file.path.dentry, IN_ACCESS)


def notify_modify(file: File, done: int) -> None:
    """Bytes were written to a file that may be watched."""
    if done > 0:
        from emukernel.kernel.fs.fsnotify import IN_MODIFY, fsnotify

        fsnotify(file.path.dentry, IN_MODIFY)


def sys_read(task: Task, fd: int, buf: int, count: int) -> int:
    """read(2)"""
    file = task.files.get(fd)
    done = vfs_read(task, file, buf, count, file.pos)
    file.pos += done
    return done


def sys_write(task: Task, fd: int, buf: int, count: int) -> int:
    """write(2)"""
    file = task.files.get(fd)
    done = vfs_write(task, file, buf, count, file.pos)
    file.pos += done
    return done


def sys_pread64(task: Task, fd: int, buf: int, count: int, pos: int) -> int:
    """pread(2)"""
    if pos < 0:
        raise Errno(EINVAL)
    file = task.files.get(fd)
    if not file.seekable:
        raise Errno(ESPIPE)
    return vfs_read(task, file, buf, count, pos)


def sys_pwrite64(task: Task, fd: int, buf: int, count: int, pos: int) -> int:
    """pwrite(2). With O_APPEND the bytes go to the end all the same, as always in Linux."""
    if pos < 0:
        raise Errno(EINVAL)
    file = task.files.get(fd)
    if not file.seekable:
        raise Errno(ESPIPE)
    kept = file.pos
    try:
        return vfs_write(task, file, buf, count, pos)
    finally:
        file.pos = kept


# Vectors


def _check_rwf(file: File, flags: int) -> None:
    if not flags:
        return
    if flags & ~_RWF_SUPPORTED:
        raise Errno(EOPNOTSUPP)
    if flags & RWF_APPEND and flags & RWF_NOAPPEND:
        raise Errno(EINVAL)
    if flags & ~_RWF_TAKEN and (flags & ~_RWF_TAKEN != RWF_NOWAIT or S_ISREG(file.inode.mode)):
        raise Errno(EOPNOTSUPP)


def _vfs_readv(task: Task, file: File, vec: int, vlen: int, pos: int, flags: int) -> int:
    if not file.mode & FMODE_READ:
        raise Errno(EBADF)
    it = IovIter(task, import_iovec(task, vec, vlen))
    if not it.count:
        return 0
    rw_verify_area(pos, it.count)
    _check_rwf(file, flags)
    kept = file.flags
    if flags & RWF_NOWAIT:
        file.flags |= O_NONBLOCK
    try:
        done = file.read_iter(task, it, pos)
    finally:
        file.flags = kept
    if file.inode.marks is not None:
        notify_access(file, done)
    return done


def _vfs_writev(task: Task, file: File, vec: int, vlen: int, pos: int, flags: int) -> int:
    if not file.mode & FMODE_WRITE:
        raise Errno(EBADF)
    it = IovIter(task, import_iovec(task, vec, vlen))
    if not it.count:
        return 0
    rw_verify_area(pos, it.count)
    _check_rwf(file, flags)
    kept = file.flags
    if flags & RWF_NOWAIT:
        file.flags |= O_NONBLOCK
    if flags & RWF_APPEND:
        file.flags |= O_APPEND
    if flags & RWF_NOAPPEND:
        file.flags &= ~O_APPEND
    try:
        done = file.write_iter(task, it, pos)
    finally:
        file.flags = kept
    if file.inode.marks is not None:
        notify_modify(file, done)
    return done


def _do_readv(task: Task, fd: int, vec: int, vlen: int, flags: int) -> int:
    file = task.files.get(fd & 0xFFFFFFFF)
    done = _vfs_readv(task, file, vec, vlen, file.pos, flags)
    file.pos += done
    return done


def _do_writev(task: Task, fd: int, vec: int, vlen: int, flags: int) -> int:
    file = task.files.get(fd & 0xFFFFFFFF)
    done = _vfs_writev(task, file, vec, vlen, file.pos, flags)
    file.pos += done
    return done


def _signed(pos: int) -> int:
    return pos - (1 << 64) if pos >> 63 else pos


def _do_preadv(task: Task, fd: int, vec: int, vlen: int, pos: int, flags: int) -> int:
    if pos < 0:
        raise Errno(EINVAL)
    file = task.files.get(fd & 0xFFFFFFFF)
    if not file.seekable:
        raise Errno(ESPIPE)
    return _vfs_readv(task, file, vec, vlen, pos, flags)


def _do_pwritev(task: Task, fd: int, vec: int, vlen: int, pos: int, flags: int) -> int:
    if pos < 0:
        raise Errno(EINVAL)
    file = task.files.get(fd & 0xFFFFFFFF)
    if not file.seekable:
        raise Errno(ESPIPE)
    kept = file.pos
    try:
        return _vfs_writev(task, file, vec, vlen, pos, flags)
    finally:
        file.pos = kept


def sys_readv(task: Task, fd: int, vec: int, vlen: int) -> int:
    """readv(2)"""
    return _do_readv(task, fd, vec, vlen, 0)


def sys_writev(task: Task, fd: int, vec: int, vlen: int) -> int:
    """writev(2)"""
    return _do_writev(task, fd, vec, vlen, 0)


def sys_preadv(task: Task, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int) -> int:
    """preadv(2)"""
    return _do_preadv(task, fd, vec, vlen, _signed(pos_l), 0)


def sys_pwritev(task: Task, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int) -> int:
    """pwritev(2)"""
    return _do_pwritev(task, fd, vec, vlen, _signed(pos_l), 0)


def sys_preadv2(
    task: Task, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int, flags: int
) -> int:
    """preadv2(2): position -1 is the file's own."""
    pos = _signed(pos_l)
    if pos == -1:
        return _do_readv(task, fd, vec, vlen, flags)
    return _do_preadv(task, fd, vec, vlen, pos, flags)


def sys_pwritev2(
    task: Task, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int, flags: int
) -> int:
    """pwritev2(2): position -1 is the file's own."""
    pos = _signed(pos_l)
    if pos == -1:
        return _do_writev(task, fd, vec, vlen, flags)
    return _do_pwritev(task, fd, vec, vlen, pos, flags)


# Position


def sys_lseek(task: Task, fd: int, offset: int, whence: int) -> int:
    """lseek(2)"""
    file = task.files.get(fd)
    if whence > SEEK_HOLE:
        raise Errno(EINVAL)
    return file.llseek(task, offset, whence)


# From file to file


def _copy(task: Task, source: File, pos_in: int, target: File, pos_out: int, count: int) -> int:
    """Moves up to `count` bytes inside the kernel; how many.

    Where the target sleeps, the call's next entry goes on after what was moved.
    """
    call = task.call
    done: int = call.get("copied", 0)
    while done < count:
        buffer = bytearray(min(count - done, _COPY_CHUNK))
        try:
            got = source.read_iter(task, BytesIter(buffer), pos_in + done)
        except Errno:
            if done:
                break
            raise
        if not got:
            break
        try:
            put = target.write_iter(task, BytesIter(memoryview(buffer)[:got]), pos_out + done)
        except Errno:
            if done:
                break
            raise
        done += put
        call["copied"] = done
        if put < got or got < len(buffer):
            break
    return done


_U64_MAX = (1 << 64) - 1


def sys_sendfile(task: Task, out_fd: int, in_fd: int, offset: int, count: int) -> int:
    """sendfile(2)"""
    if offset:
        pos = get_user_s64(task, offset)
    source = task.files.get(in_fd)
    if not source.mode & FMODE_READ:
        raise Errno(EBADF)
    if offset:
        if not source.seekable:
            raise Errno(ESPIPE)
    else:
        pos = source.pos
    rw_verify_area(pos, min(count, _POS_MAX))
    count = min(count, MAX_RW_COUNT)
    target = task.files.get(out_fd)
    if not target.mode & FMODE_WRITE:
        raise Errno(EBADF)
    rw_verify_area(target.pos, count)
    if target.flags & O_APPEND:
        raise Errno(EINVAL)
    if not source.splices or not target.splice_writes:
        raise Errno(EINVAL)
    if target.inode.pipe is not None:
        from emukernel.kernel.fs.splice import splice_file_to_pipe

        nonblock = bool(target.flags & O_NONBLOCK)
        moved = splice_file_to_pipe(task, source, target.inode.pipe, pos, count, nonblock)
    else:
        moved = _copy(task, source, pos, target, target.pos, count)
        target.pos += moved
    notify_moved(source, target, moved)
    if offset:
        put_user_u64(task, offset, pos + moved)
    else:
        source.pos = pos + moved
    return moved


def notify_moved(source: File, target: File, moved: int) -> None:
    """Bytes went from file to file."""
    if source.inode.marks is not None:
        notify_access(source, moved)
    if target.inode.marks is not None:
        notify_modify(target, moved)


def sys_copy_file_range(
    task: Task, fd_in: int, off_in: int, fd_out: int, off_out: int, len: int, flags: int
) -> int:
    """copy_file_range(2)"""
    files = task.files
    source = files.get(fd_in)
    target = files.get(fd_out)
    pos_in = get_user_s64(task, off_in) if off_in else source.pos
    pos_out = get_user_s64(task, off_out) if off_out else target.pos
    if flags:
        raise Errno(EINVAL)
    count = _copy_checks(source, pos_in, target, pos_out, len)
    moved = 0
    if count:
        kept_in, kept_out = source.pos, target.pos
        try:
            moved = _copy(task, source, pos_in, target, pos_out, count)
        finally:
            source.pos, target.pos = kept_in, kept_out
    notify_moved(source, target, moved)
    if moved:
        if off_in:
            put_user_u64(task, off_in, pos_in + moved)
        else:
            source.pos = pos_in + moved
        if off_out:
            put_user_u64(task, off_out, pos_out + moved)
        else:
            target.pos = pos_out + moved
    return moved


def _copy_checks(source: File, pos_in: int, target: File, pos_out: int, count: int) -> int:
    """generic_copy_file_checks: how much may be copied."""
    inode_in, inode_out = source.inode, target.inode
    if S_ISDIR(inode_in.mode) or S_ISDIR(inode_out.mode):
        raise Errno(EISDIR)
    if not S_ISREG(inode_in.mode) or not S_ISREG(inode_out.mode):
        raise Errno(EINVAL)
    if (
        not source.mode & FMODE_READ
        or not target.mode & FMODE_WRITE
        or target.flags & O_APPEND
    ):
        raise Errno(EBADF)
    if type(inode_in) is not type(inode_out) and inode_in.sb.fstype != inode_out.sb.fstype:
        raise Errno(EXDEV)
    if inode_out.writecount < 0:
        raise Errno(ETXTBSY)
    # The sum is taken of unsigned numbers, where a negative position is a huge one.
    if max(pos_in & _U64_MAX, pos_out & _U64_MAX) + count > _U64_MAX:
        raise Errno(EOVERFLOW)
    if pos_in < 0 or pos_out < 0:
        raise Errno(EINVAL)
    size = inode_in.size
    count = 0 if pos_in >= size else min(count, size - pos_in)
    if pos_out + count > inode_out.sb.max_bytes:
        if pos_out >= inode_out.sb.max_bytes:
            raise Errno(EFBIG)
        count = inode_out.sb.max_bytes - pos_out
    if inode_in is inode_out and pos_out + count > pos_in and pos_out < pos_in + count:
        raise Errno(EINVAL)
    return min(count, MAX_RW_COUNT)


