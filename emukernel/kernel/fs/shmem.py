"""tmpfs: files, directories and links in the guest's RAM (Linux: mm/shmem.c, fs/libfs.c)."""

from __future__ import annotations

from stat import S_IFDIR, S_IFLNK, S_IFREG, S_ISDIR, S_ISGID, S_ISREG

from emukernel.kernel.errno import (
    EINVAL,
    ENAMETOOLONG,
    ENOSPC,
    ENOTEMPTY,
    EOPNOTSUPP,
    Errno,
)
from emukernel.kernel.fs.address_space import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, AddressSpace
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.inode import Inode, SuperBlock, check_alive, makedev
from emukernel.kernel.fs.permission import strip_sgid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

TMPFS_MAGIC = 0x01021994

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

FALLOC_FL_KEEP_SIZE = 0x01
FALLOC_FL_PUNCH_HOLE = 0x02

BOGO_DIRENT_SIZE = 20
"""What an entry adds to a directory's st_size."""

SHORT_SYMLINK_LEN = 128
"""Longer link texts (with their NUL) take a page."""

_FIRST_OFFSET = 3
_S_IFCHR = 0o020000


class ShmemMapping(AddressSpace):
    """Pages counted against their file system's size."""

    __slots__ = ()

    def charge(self, count: int) -> None:
        sb = self.inode.sb
        assert isinstance(sb, ShmemSuperBlock)
        used = sb.used_blocks + count
        if count > 0 and used > sb.max_blocks:
            raise Errno(ENOSPC)
        sb.used_blocks = used


class ShmemSuperBlock(SuperBlock):
    """A tmpfs. As Linux has it by default, it takes up to half of the RAM, and half as many
    inodes as there are pages."""

    __slots__ = ("max_blocks", "max_inodes", "used_blocks", "used_inodes")

    def __init__(
        self,
        kernel: Kernel,
        fstype: str = "tmpfs",
        source: str = "tmpfs",
        mode: int = 0o1777,
        magic: int = TMPFS_MAGIC,
    ) -> None:
        super().__init__(kernel, fstype, magic, source)
        self.max_blocks = kernel.memory.frames // 2
        self.max_inodes = kernel.memory.frames // 2
        self.used_blocks = 0
        self.used_inodes = 0
        self.xattrs = True
        self.has_btime = True
        self.attributes_mask = 0x70  # STATX_ATTR_IMMUTABLE, APPEND and NODUMP
        self.root = Dentry(b"/", None, self.new_directory(mode, 0, 0))

    def statfs(self) -> tuple[int, int, int, int, int]:
        free = self.max_blocks - self.used_blocks
        return self.max_blocks, free, free, self.max_inodes, self.max_inodes - self.used_inodes

    def new_directory(self, mode: int, uid: int, gid: int) -> ShmemInode:
        """An empty directory with no name yet."""
        self.charge_inode()
        inode = ShmemInode(self, self.new_ino(), S_IFDIR | mode, uid, gid)
        inode.nlink = 2
        inode.size = 2 * BOGO_DIRENT_SIZE
        return inode

    def charge_inode(self) -> None:
        """One inode or hard link more; Errno(ENOSPC)."""
        if self.used_inodes >= self.max_inodes:
            raise Errno(ENOSPC)
        self.used_inodes += 1


class ShmemInode(Inode):
    """Any file on a tmpfs."""

    __slots__ = ("next_offset",)

    def __init__(self, sb: SuperBlock, ino: int, mode: int, uid: int = 0, gid: int = 0) -> None:
        super().__init__(sb, ino, mode, uid, gid)
        self.next_offset = _FIRST_OFFSET
        if S_ISREG(mode):
            self.mapping = ShmemMapping(self, sb.kernel.memory)

    # Directory contents

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        return self.entries.get(name)

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        # The newest comes first.
        found = [
            (dentry.offset, name, dentry.inode.ino, (dentry.inode.mode & 0xF000) >> 12)
            for name, dentry in self.entries.items()
            if dentry is not None
        ]
        found.reverse()
        return found

    def has_entry(self, name: bytes) -> bool:
        return name in self.entries

    def is_empty(self, task: Task, dentry: Dentry) -> bool:
        return not self.entries

    def add_entry(self, dentry: Dentry) -> None:
        """Makes `dentry`, whose name and parent are set, an entry of this directory."""
        dentry.offset = self.next_offset
        self.next_offset += 1
        dentry.unhashed = False
        self.entries[dentry.name] = dentry
        self.size += BOGO_DIRENT_SIZE
        self.touch_mtime()

    def remove_entry(self, dentry: Dentry) -> None:
        """Takes an entry out."""
        del self.entries[dentry.name]
        self.size -= BOGO_DIRENT_SIZE
        self.touch_mtime()

    # Making files

    def new_inode(self, task: Task, mode: int) -> ShmemInode:
        """A file owned by the caller that shall be in this directory."""
        sb = self.sb
        assert isinstance(sb, ShmemSuperBlock)
        cred = task.cred
        gid = cred.fsgid
        if self.mode & S_ISGID:
            gid = self.gid
            if S_ISDIR(mode):
                mode |= S_ISGID
        if S_ISDIR(mode):
            return sb.new_directory(mode & 0o7777, cred.fsuid, gid)
        sb.charge_inode()
        return ShmemInode(sb, sb.new_ino(), strip_sgid(cred, self, mode), cred.fsuid, gid)

    def create(self, task: Task, parent: Dentry, name: bytes, mode: int) -> Dentry:
        return self.mknod(task, parent, name, mode, 0)

    def mknod(self, task: Task, parent: Dentry, name: bytes, mode: int, rdev: int) -> Dentry:
        check_alive(self)
        inode = self.new_inode(task, mode)
        inode.rdev = rdev
        dentry = Dentry(name, parent, inode)
        self.add_entry(dentry)
        return dentry

    def mkdir(self, task: Task, parent: Dentry, name: bytes, mode: int) -> Dentry:
        check_alive(self)
        inode = self.new_inode(task, S_IFDIR | mode)
        dentry = Dentry(name, parent, inode)
        self.add_entry(dentry)
        self.nlink += 1
        return dentry

    def symlink(self, task: Task, parent: Dentry, name: bytes, target: bytes) -> Dentry:
        check_alive(self)
        if len(target) + 1 > PAGE_SIZE:
            raise Errno(ENAMETOOLONG)
        inode = self.new_inode(task, S_IFLNK | 0o777)
        inode.link = target
        inode.size = len(target)
        dentry = Dentry(name, parent, inode)
        self.add_entry(dentry)
        return dentry

    @property
    def blocks(self) -> int:
        if self.mapping is not None:
            return self.mapping.blocks()
        return 8 if len(self.link) + 1 > SHORT_SYMLINK_LEN else 0

    def tmpfile(self, task: Task, parent: Dentry, mode: int) -> Dentry:
        inode = self.new_inode(task, S_IFREG | mode)
        inode.nlink = 0
        dentry = Dentry(b"#%d" % inode.ino, parent, inode)
        dentry.unhashed = True
        return dentry

    def link_to(self, task: Task, old: Dentry, parent: Dentry, name: bytes) -> None:
        inode = old.inode
        assert isinstance(inode, ShmemInode)
        # A file from O_TMPFILE paid for its first name already.
        if inode.nlink:
            inode.charge_name()
        inode.nlink += 1
        inode.ctime = self.sb.kernel.clock.realtime()
        self.add_entry(Dentry(name, parent, inode))

    # Removing and renaming

    def unlink(self, task: Task, dentry: Dentry) -> None:
        self.remove_entry(dentry)
        drop_name(dentry)

    def rmdir(self, task: Task, dentry: Dentry) -> None:
        if not dentry.inode.is_empty(task, dentry):
            raise Errno(ENOTEMPTY)
        self.remove_entry(dentry)
        drop_name(dentry)
        self.nlink -= 1

    def rename(
        self,
        task: Task,
        old: Dentry,
        parent: Dentry,
        name: bytes,
        target: Dentry | None,
        flags: int,
    ) -> None:
        new_dir = parent.inode
        assert isinstance(new_dir, ShmemInode)
        if flags & RENAME_EXCHANGE:
            assert target is not None
            self._exchange(old, parent, target)
            return
        is_dir = S_ISDIR(old.inode.mode)
        if target is not None:
            if S_ISDIR(target.inode.mode):
                new_dir.rmdir(task, target)
            else:
                new_dir.unlink(task, target)
        old_parent, old_name = old.parent, old.name
        assert old_parent is not None
        whiteout = self.new_inode(task, _S_IFCHR) if flags & RENAME_WHITEOUT else None
        self.remove_entry(old)
        old.parent = parent
        old.name = name
        new_dir.add_entry(old)
        if is_dir:
            self.nlink -= 1
            new_dir.nlink += 1
        if whiteout is not None:
            whiteout.rdev = makedev(0, 0)
            self.add_entry(Dentry(old_name, old_parent, whiteout))
        old.inode.ctime = self.ctime

    def _exchange(self, old: Dentry, parent: Dentry, target: Dentry) -> None:
        new_dir = parent.inode
        assert isinstance(new_dir, ShmemInode)
        old_parent, old_name = old.parent, old.name
        self.remove_entry(old)
        new_dir.remove_entry(target)
        old.name, old.parent = target.name, parent
        target.name, target.parent = old_name, old_parent
        self.add_entry(target)
        new_dir.add_entry(old)
        balance = S_ISDIR(target.inode.mode) - S_ISDIR(old.inode.mode)
        self.nlink += balance
        new_dir.nlink -= balance
        old.inode.ctime = target.inode.ctime = self.ctime

    # Contents

    def truncate(self, task: Task, size: int) -> None:
        mapping = self.mapping
        if mapping is None:
            raise Errno(EINVAL)
        if size < self.size:
            self.size = size
            mapping.truncate(size)
        else:
            self.size = size
        self.touch_mtime()

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        """fallocate(2); arguments were checked in general."""
        mapping = self.mapping
        assert mapping is not None
        if mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE):
            raise Errno(EOPNOTSUPP)
        end = offset + length
        if mode & FALLOC_FL_PUNCH_HOLE:
            mapping.punch_hole(offset, end)
            self.touch_mtime()
            return
        from emukernel.kernel.fs.filemap import check_file_size_limit

        if not mode & FALLOC_FL_KEEP_SIZE and end > self.size:
            check_file_size_limit(task, end)
        first = offset >> PAGE_SHIFT
        count = (end + PAGE_MASK >> PAGE_SHIFT) - first
        sb = self.sb
        assert isinstance(sb, ShmemSuperBlock)
        if count > sb.max_blocks:
            raise Errno(ENOSPC)
        present = [i for i in range(first, first + count) if i in mapping.pages]
        if count - len(present) > sb.max_blocks - sb.used_blocks:
            raise Errno(ENOSPC)
        mapping.prepare_write(offset, length)
        if not mode & FALLOC_FL_KEEP_SIZE and end > self.size:
            self.size = end
        self.ctime = sb.kernel.clock.realtime()

    def evict(self) -> None:
        if self.next_offset < 0:
            # A removed directory can be opened and closed again through a working directory.
            return
        self.next_offset = -1
        super().evict()
        self.uncharge_name()

    def charge_name(self) -> None:
        """A name takes as much as an inode."""
        sb = self.sb
        assert isinstance(sb, ShmemSuperBlock)
        sb.charge_inode()

    def uncharge_name(self) -> None:
        """The counterpart of charge_name."""
        sb = self.sb
        assert isinstance(sb, ShmemSuperBlock)
        sb.used_inodes -= 1


def drop_name(dentry: Dentry) -> None:
    """`dentry` was taken out of its directory: one link less, and a directory is dead."""
    inode = dentry.inode
    dentry.unhashed = True
    if S_ISDIR(inode.mode):
        inode.nlink = 0
    else:
        inode.nlink -= 1
    inode.ctime = inode.sb.kernel.clock.realtime()
    if inode.nlink and isinstance(inode, ShmemInode):
        inode.uncharge_name()
    inode.release_unused()


def shmem_zero_setup(kernel: Kernel, size: int) -> File:
    """The file behind a shared anonymous mapping of `size` bytes."""
    from emukernel.kernel.fs.file import O_RDWR
    from emukernel.kernel.fs.filemap import RegularFile
    from emukernel.kernel.fs.mount import pseudo_mount

    mnt = pseudo_mount(kernel, "tmpfs", TMPFS_MAGIC)
    sb = mnt.sb
    assert isinstance(sb, ShmemSuperBlock)
    sb.charge_inode()
    inode = ShmemInode(sb, sb.new_ino(), S_IFREG | 0o777)
    inode.nlink = 0
    inode.size = size
    return RegularFile(Path(mnt, Dentry(b"/dev/zero (deleted)", None, inode)), O_RDWR)
