"""Inodes and super blocks: what a file is, apart from its names (Linux: fs/inode.c, fs/super.c).

A file system is a SuperBlock and subclasses of Inode that override the operations it has; the
defaults here refuse as Linux does when a file system leaves an operation out.
"""

from __future__ import annotations

from stat import (
    S_ISBLK,
    S_ISCHR,
    S_ISDIR,
    S_ISFIFO,
    S_ISLNK,
    S_ISREG,
    S_ISSOCK,
)

from emukernel.kernel.errno import (
    EACCES,
    EINVAL,
    ENODEV,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EOPNOTSUPP,
    EPERM,
    ETXTBSY,
    Errno,
)
from emukernel.kernel.fs.permission import generic_permission

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.address_space import AddressSpace
    from emukernel.kernel.fs.dcache import Dentry, Path
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

    DirectoryEntry = tuple[int, bytes, int, int]
    """(offset in the directory, name, inode number, DT_* type)."""

RELATIME_NS = 24 * 3600 * 10**9
NAME_MAX = 255
MAX_LFS_FILESIZE = (1 << 63) - 1


def makedev(major: int, minor: int) -> int:
    """A device number as stat(2) and mknod(2) spell it (new_encode_dev)."""
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def dev_major(dev: int) -> int:
    """The major number of a device number."""
    return dev >> 8 & 0xFFF


def dev_minor(dev: int) -> int:
    """The minor number of a device number."""
    return dev & 0xFF | dev >> 12 & 0xFFF00


class SuperBlock:
    """A mounted file system: its type, its device number and its root dentry.

    `magic` is statfs(2)'s f_type. `source` and `options` are what /proc/mounts shows.
    """

    __slots__ = (
        "attributes_mask",
        "block_size",
        "dev",
        "fstype",
        "has_btime",
        "kernel",
        "magic",
        "max_bytes",
        "next_ino",
        "options",
        "readonly",
        "root",
        "source",
        "xattrs",
    )

    def __init__(self, kernel: Kernel, fstype: str, magic: int, source: str = "none") -> None:
        self.kernel = kernel
        self.fstype = fstype
        self.magic = magic
        self.source = source
        self.options = ""
        self.dev = makedev(0, kernel.vfs.next_dev_minor)
        kernel.vfs.next_dev_minor += 1
        self.readonly = False
        self.block_size = 4096
        self.max_bytes = MAX_LFS_FILESIZE
        self.next_ino = 1
        self.xattrs = False
        # What statx(2) can say: stx_attributes_mask, and whether there is a time of birth.
        self.attributes_mask = 0
        self.has_btime = False
        self.root: Dentry | None = None

    def close(self) -> None:
        """The machine is switched off: gives back what the host lent."""

    def new_ino(self) -> int:
        """The next free inode number."""
        ino = self.next_ino
        self.next_ino = ino + 1
        return ino

    def statfs(self) -> tuple[int, int, int, int, int]:
        """(blocks, free blocks, available blocks, inodes, free inodes)."""
        return 0, 0, 0, 0, 0


class Inode:
    """A file of any type. Times are ns since the epoch; `rdev` is for device nodes.

    `open_count` counts struct files on it, `writecount` those open for writing (negative: that
    many running programs deny it). `entries` is a directory's content where the file system keeps
    it in memory, `link` a symbolic link's text.
    """

    __slots__ = (
        "__weakref__",
        "atime",
        "btime",
        "ctime",
        "entries",
        "gid",
        "ino",
        "link",
        "linkable",
        "locks",
        "mapping",
        "marks",
        "mode",
        "mtime",
        "nlink",
        "open_count",
        "pipe",
        "rdev",
        "sb",
        "size",
        "uid",
        "writecount",
        "xattrs",
    )

    def __init__(self, sb: SuperBlock, ino: int, mode: int, uid: int = 0, gid: int = 0) -> None:
        self.sb = sb
        self.ino = ino
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = 0
        self.nlink = 1
        self.rdev = 0
        self.atime = self.mtime = self.ctime = self.btime = sb.kernel.clock.realtime()
        self.mapping: AddressSpace | None = None
        self.entries: dict[bytes, Dentry | None] = {}
        self.link = b""
        # A nameless file that linkat(2) may give a name (O_TMPFILE without O_EXCL).
        self.linkable = False
        self.open_count = 0
        self.writecount = 0
        self.locks: Any = None
        # The pipe of a FIFO that someone has open.
        self.pipe: Any = None
        # inotify's watches on this file; (): its directory may be watched; None: nobody watches.
        self.marks: Any = None
        self.xattrs: dict[bytes, bytes] | None = None

    # Attributes

    @property
    def blocks(self) -> int:
        """Storage in units of 512 bytes."""
        return 0 if self.mapping is None else self.mapping.blocks()

    def refresh(self, task: Task) -> None:
        """Brings attributes up to date that others than this kernel may have changed."""

    def permission(self, cred: Cred, mask: int) -> None:
        """Raises Errno(EACCES) unless `cred` may do `mask`."""
        generic_permission(cred, self, mask)

    def setattr(
        self,
        task: Task,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        atime: int | None = None,
        mtime: int | None = None,
    ) -> None:
        """Changes attributes; ctime becomes now. Permissions were checked by the caller."""
        if mode is not None:
            self.mode = self.mode & ~0o7777 | mode & 0o7777
        if uid is not None:
            self.uid = uid
        if gid is not None:
            self.gid = gid
        if atime is not None:
            self.atime = atime
        if mtime is not None:
            self.mtime = mtime
        self.ctime = self.sb.kernel.clock.realtime()

    def touch_atime(self) -> None:
        """A read happened: atime moves as mount option relatime has it."""
        now = self.sb.kernel.clock.realtime()
        atime = self.atime
        if atime <= self.mtime or atime <= self.ctime or now - atime >= RELATIME_NS:
            self.atime = now

    def touch_mtime(self) -> None:
        """A change of contents happened."""
        self.mtime = self.ctime = self.sb.kernel.clock.realtime()

    def truncate(self, task: Task, size: int) -> None:
        """Sets a regular file's size."""
        raise Errno(EINVAL)

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        """Allocates or frees storage of a regular file (FALLOC_FL_* in `mode`)."""
        raise Errno(EOPNOTSUPP)

    # Directories

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        """The entry `name` of this directory, whose dentry is `parent`; None if there is none."""
        raise Errno(ENOTDIR)

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        """The entries without "." and "..", in reading order, offsets from 2 on."""
        raise Errno(ENOTDIR)

    def has_entry(self, name: bytes) -> bool:
        """Is an entry that `readdir` gave still there?"""
        return True

    def is_empty(self, task: Task, dentry: Dentry) -> bool:
        """Has this directory no entries?"""
        return not self.readdir(task, dentry)

    def create(self, task: Task, parent: Dentry, name: bytes, mode: int) -> Dentry:
        """Makes a regular file for an open with O_CREAT."""
        raise Errno(EACCES)

    def mknod(self, task: Task, parent: Dentry, name: bytes, mode: int, rdev: int) -> Dentry:
        """Makes a file that is neither a directory nor a link; `mode` holds the type."""
        raise Errno(EPERM)

    def mkdir(self, task: Task, parent: Dentry, name: bytes, mode: int) -> Dentry:
        """Makes a directory."""
        raise Errno(EPERM)

    def symlink(self, task: Task, parent: Dentry, name: bytes, target: bytes) -> Dentry:
        """Makes a symbolic link."""
        raise Errno(EPERM)

    def link_to(self, task: Task, old: Dentry, parent: Dentry, name: bytes) -> None:
        """Makes `name` a further name of `old`'s inode."""
        raise Errno(EPERM)

    def unlink(self, task: Task, dentry: Dentry) -> None:
        """Removes the entry `dentry` of this directory, no directory itself."""
        raise Errno(EPERM)

    def rmdir(self, task: Task, dentry: Dentry) -> None:
        """Removes the directory `dentry`, which raises Errno(ENOTEMPTY) if it has entries."""
        raise Errno(EPERM)

    def rename(
        self,
        task: Task,
        old: Dentry,
        parent: Dentry,
        name: bytes,
        target: Dentry | None,
        flags: int,
    ) -> None:
        """Moves `old` out of this directory to `parent`/`name`, where `target` may be now."""
        raise Errno(EPERM)

    def tmpfile(self, task: Task, parent: Dentry, mode: int) -> Dentry:
        """A file without a name (O_TMPFILE)."""
        raise Errno(EOPNOTSUPP)

    # Links and files

    def get_link(self, task: Task) -> bytes | Path:
        """Where a symbolic link leads: its text, or for a magic link the place itself."""
        return self.link

    def readlink(self, task: Task) -> bytes:
        """The text that readlink(2) gives."""
        if not S_ISLNK(self.mode):
            raise Errno(EINVAL)
        return self.link

    def open(self, task: Task, path: Path, flags: int) -> File:
        """A new struct file; permissions were checked. Raises Errno(ENXIO) for a dead device."""
        mode = self.mode
        if S_ISDIR(mode):
            from emukernel.kernel.fs.readdir import DirectoryFile

            return DirectoryFile(path, flags)
        if S_ISREG(mode):
            from emukernel.kernel.fs.filemap import RegularFile

            return RegularFile(path, flags)
        if S_ISCHR(mode):
            from emukernel.kernel.fs.char_dev import chrdev_open

            return chrdev_open(task, path, flags)
        if S_ISFIFO(mode):
            from emukernel.kernel.fs.pipe import fifo_open

            return fifo_open(task, path, flags)
        if S_ISSOCK(mode) or S_ISBLK(mode):
            raise Errno(ENXIO)
        raise Errno(ENODEV)

    def release_unused(self) -> None:
        """Frees storage once no name and no open file is left."""
        if not self.nlink and not self.open_count:
            self.evict()

    def evict(self) -> None:
        """Gives the storage back."""
        if self.mapping is not None:
            self.mapping.truncate(0)
        self.xattrs = None


def get_write_access(inode: Inode) -> None:
    """One more writer; Errno(ETXTBSY) while a program runs from the file."""
    if inode.writecount < 0:
        raise Errno(ETXTBSY)
    inode.writecount += 1


def put_write_access(inode: Inode) -> None:
    """One writer less."""
    inode.writecount -= 1


def deny_write_access(inode: Inode) -> None:
    """A program starts from the file; Errno(ETXTBSY) while someone has it open for writing."""
    if inode.writecount > 0:
        raise Errno(ETXTBSY)
    inode.writecount -= 1


def allow_write_access(inode: Inode) -> None:
    """The counterpart of deny_write_access."""
    inode.writecount += 1


def dead_directory(inode: Inode) -> bool:
    """Was this directory removed while someone still refers to it?"""
    return not inode.nlink


def check_alive(inode: Inode) -> None:
    """Raises Errno(ENOENT) for a removed directory."""
    if not inode.nlink:
        raise Errno(ENOENT)
