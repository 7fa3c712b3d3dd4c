"""Regular files over the page cache (Linux: mm/filemap.c and fs/read_write.c's generic parts)."""

from __future__ import annotations

from stat import S_ISGID, S_ISUID

from emukernel.kernel.cred import CAP_FSETID
from emukernel.kernel.errno import EFBIG, EINVAL, ENXIO, Errno
from emukernel.kernel.fs.file import (
    O_APPEND,
    O_NOATIME,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    File,
)
from emukernel.kernel.fs.permission import without_privileges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import AddressSpace, Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.task import Task

RLIMIT_FSIZE = 1
SIGXFSZ = 25
_SEAL_COMMANDS = (1033, 1034)  # F_ADD_SEALS, F_GET_SEALS


def check_file_size_limit(task: Task, size: int) -> None:
    """RLIMIT_FSIZE for a file that shall grow to `size`: SIGXFSZ and Errno(EFBIG) beyond it."""
    if size > task.rlimits[RLIMIT_FSIZE][0]:
        from emukernel.kernel.signal.send import send_sig

        send_sig(SIGXFSZ, task)
        raise Errno(EFBIG)


def write_limit(task: Task, inode: Inode, pos: int, count: int) -> int:
    """How many of `count` bytes may be written at `pos` (generic_write_checks)."""
    limit: int = task.rlimits[RLIMIT_FSIZE][0]
    if pos + count > limit:
        if pos >= limit:
            check_file_size_limit(task, pos + 1)
        count = limit - pos
    maximum = inode.sb.max_bytes
    if pos + count > maximum:
        if pos >= maximum:
            raise Errno(EFBIG)
        count = maximum - pos
    return count


def file_remove_privs(task: Task, inode: Inode) -> None:
    """A write takes set-id bits away unless the writer has CAP_FSETID."""
    if inode.mode & (S_ISUID | S_ISGID) and not task.cred.capable(CAP_FSETID):
        inode.setattr(task, mode=without_privileges(inode.mode))


def generic_llseek(file: File, offset: int, whence: int, eof: int) -> int:
    """lseek(2) for a file that ends at `eof` and whose bytes are all data."""
    if whence == SEEK_END:
        offset += eof
    elif whence == SEEK_CUR:
        if not offset:
            return file.pos
        offset += file.pos
    elif whence in (SEEK_DATA, SEEK_HOLE):
        if not 0 <= offset < eof:
            raise Errno(ENXIO)
        if whence == SEEK_HOLE:
            offset = eof
    elif whence != SEEK_SET:
        raise Errno(EINVAL)
    if not 0 <= offset <= file.inode.sb.max_bytes:
        raise Errno(EINVAL)
    file.pos = offset
    return offset


class RegularFile(File):
    """A regular file whose contents are its inode's `mapping`."""

    __slots__ = ()

    direct = True

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__(path, flags)
        self.mapping = self.inode.mapping

    def counts_writers(self) -> bool:
        return True

    def _mapping(self) -> AddressSpace:
        mapping = self.mapping
        if mapping is None:
            raise Errno(EINVAL)
        return mapping

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        inode = self.inode
        n = inode.size - pos
        if n > it.count:
            n = it.count
        if n <= 0:
            return 0
        done = self._mapping().read(it, pos, n)
        if not self.flags & O_NOATIME:
            inode.touch_atime()
        if not done:
            from emukernel.kernel.errno import EFAULT

            raise Errno(EFAULT)
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        inode = self.inode
        count = it.count
        if not count:
            return 0
        if self.flags & O_APPEND:
            pos = inode.size
        n = write_limit(task, inode, pos, count)
        if inode.mode & (S_ISUID | S_ISGID):
            file_remove_privs(task, inode)
        inode.touch_mtime()
        done = self._mapping().write(it, pos, n)
        if pos + done > inode.size:
            inode.size = pos + done
        if self.flags & O_APPEND:
            # The caller adds what was written to the position it passed.
            self.pos = pos
        return done

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        inode = self.inode
        if whence in (SEEK_DATA, SEEK_HOLE):
            size = inode.size
            if not 0 <= offset < size:
                raise Errno(ENXIO)
            if whence == SEEK_DATA:
                found = self._mapping().seek_data(offset, size)
                if found is None:
                    raise Errno(ENXIO)
                self.pos = found
            else:
                self.pos = self._mapping().seek_hole(offset, size)
            return self.pos
        return generic_llseek(self, offset, whence, inode.size)

    def fsync(self, task: Task, datasync: bool = False) -> None:
        return

    def fcntl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd in _SEAL_COMMANDS:
            from emukernel.kernel.fs.memfd import memfd_fcntl

            return memfd_fcntl(task, self, cmd, arg)
        return super().fcntl(task, cmd, arg)

    def mmap(self, vm_flags: int) -> None:
        self.inode.touch_atime()

    def punch_hole(self, start: int, length: int) -> None:
        self._mapping().punch_hole(start, start + length)

    def truncate(self, task: Task, size: int) -> None:
        self.inode.truncate(task, size)

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        self.inode.fallocate(task, mode, offset, length)
