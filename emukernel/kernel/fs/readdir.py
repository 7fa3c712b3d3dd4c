"""Directories as open files, and getdents(2) (Linux: fs/readdir.c, fs/libfs.c)."""

from __future__ import annotations

from struct import pack

from emukernel.kernel.errno import EFAULT, EINVAL, EISDIR, ENOTDIR, Errno
from emukernel.kernel.fs.file import (
    O_NOATIME,
    SEEK_CUR,
    SEEK_SET,
    File,
)
from emukernel.kernel.fs.inode import check_alive
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.task import Task

_DT_DIR = 4
_END = 0x7FFFFFFF
"""The position behind the last entry."""


class DirectoryFile(File):
    """An open directory. `pos` is 0 before ".", 1 before "..", then the next entry's offset.

    `entries` is what the directory held when reading began: offsets, names, numbers, types.
    """

    __slots__ = ("_index", "entries")

    splices = False

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__(path, flags)
        self.entries: list[DirectoryEntry] | None = None
        self._index = 0

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        raise Errno(EISDIR)

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.pos
        elif whence != SEEK_SET:
            raise Errno(EINVAL)
        if offset < 0:
            raise Errno(EINVAL)
        if offset != self.pos:
            self.pos = offset
            if offset < 2:
                self.entries = None
            else:
                self._index = -1
        return offset

    def fsync(self, task: Task, datasync: bool = False) -> None:
        return

    def _seek_index(self, entries: list[DirectoryEntry]) -> int:
        """The index of the first entry at or behind `pos` in reading order."""
        pos = self.pos
        descending = len(entries) > 1 and entries[0][0] > entries[-1][0]
        for index, entry in enumerate(entries):
            if entry[0] == pos or (entry[0] < pos if descending else entry[0] > pos):
                return 0 if pos < 2 else index
        return 0 if pos < 2 else len(entries)

    def next_entries(self, task: Task, room: int, old: bool) -> bytes:
        """Records for a buffer of `room` bytes, in getdents' layout if `old`; moves on.

        Errno(EINVAL) when not even one fits.
        """
        inode = self.inode
        dentry = self.path.dentry
        check_alive(inode)
        entries = self.entries
        if entries is None or self.pos == 0:
            entries = self.entries = inode.readdir(task, dentry)
            self._index = -1
        if self._index < 0:
            self._index = self._seek_index(entries)
        parent = dentry.parent if dentry.parent is not None else dentry
        if dentry is self.path.mnt.root and self.path.mnt.mountpoint is not None:
            above = self.path.mnt.mountpoint.dentry
            parent = above.parent if above.parent is not None else above
        out: list[bytes] = []
        used = 0
        index = self._index
        count = len(entries)
        while True:
            if self.pos < 2:
                first = entries[0][0] if entries else _END
                name, kind = (b".", _DT_DIR) if self.pos == 0 else (b"..", _DT_DIR)
                ino = inode.ino if self.pos == 0 else parent.inode.ino
                following = 1 if self.pos == 0 else first
            elif index >= count:
                self.pos = _END
                break
            else:
                _, name, ino, kind = entries[index]
                if not inode.has_entry(name):
                    index += 1
                    continue
                following = entries[index + 1][0] if index + 1 < count else _END
            size = (len(name) + 20 + 7) & ~7
            if used + size > room:
                if not out:
                    raise Errno(EINVAL)
                break
            if old:
                head = pack("<QqH", ino, following, size)
                out.append((head + name).ljust(size - 1, b"\0") + bytes((kind,)))
            else:
                head = pack("<QqHB", ino, following, size, kind)
                out.append((head + name).ljust(size, b"\0"))
            used += size
            if self.pos >= 2:
                index += 1
            self.pos = following
        self._index = index
        if not self.flags & O_NOATIME:
            inode.touch_atime()
        return b"".join(out)


def _getdents(task: Task, fd: int, dirent: int, count: int, old: bool) -> int:
    file = task.files.get(fd)
    if not isinstance(file, DirectoryFile):
        raise Errno(ENOTDIR)
    before = file.pos, file._index
    data = file.next_entries(task, count, old)
    if data:
        try:
            copy_to_user(task, dirent, data)
        except Errno:
            file.pos, file._index = before
            raise Errno(EFAULT) from None
    return len(data)


def sys_getdents64(task: Task, fd: int, dirent: int, count: int) -> int:
    """getdents64(2)"""
    return _getdents(task, fd, dirent, count, False)


def sys_getdents(task: Task, fd: int, dirent: int, count: int) -> int:
    """getdents(2): the type is the last byte of a record."""
    return _getdents(task, fd, dirent, count, True)
