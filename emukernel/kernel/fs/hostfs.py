"""A host directory in the guest's tree, read-only for the host: changes are kept in memory.

The guest can't leave the directory, by construction: its names are looked up here, one component
at a time, with a descriptor of the directory that holds it; symbolic links are text for the
guest's own path walk, and no host call ever follows one. Devices, FIFOs and sockets of the host
can be looked at and never opened.

What the guest changes lies over the host's directory: a directory's `entries` has the names that
were added (a Dentry) or taken away (None); a file's changed pages and attributes are in its
inode, which stays as long as it differs from the host's file.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISLNK, S_ISREG

from emukernel.kernel.errno import EACCES, EIO, ENXIO, EOPNOTSUPP, ESTALE, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.host_mapping import HostMapping
from emukernel.kernel.fs.kernfs import numbered
from emukernel.kernel.fs.shmem import ShmemInode, ShmemSuperBlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

    Key = tuple[int, int]
    """(st_dev, st_ino) of the host."""

EXT4_SUPER_MAGIC = 0xEF53
"""f_type of a host directory: that of the file system which most hosts have."""

MAX_FDS = 64
"""Host descriptors that a mount keeps open beside its root's."""

_NEW_INO = 1 << 40
"""Inodes that exist only in memory are numbered from here."""

_DT_DIR, _DT_LNK, _DT_REG, _DT_UNKNOWN = 4, 10, 8, 0
_O_PATH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def host_error(error: OSError) -> Errno:
    """A host's error as the guest's."""
    return Errno(error.errno or EIO)


class HostSuperBlock(ShmemSuperBlock):
    """A mounted host directory or file.

    `inodes` finds the inode of a host file while anyone refers to it, so that two names of one
    file are one inode; `kept` holds those that differ from the host's or have pages in the cache.
    `fds` are descriptors by key, the least recently used first.
    """

    __slots__ = ("device", "fds", "inodes", "kept", "root_fd", "writable")

    unsaved = ("fds",)
    """A cache of the host's descriptors is no state of the machine: snapshots leave it alone."""

    def __init__(self, kernel: Kernel, host: bytes, *, writable: bool) -> None:
        """Raises OSError when `host` can't be opened."""
        from weakref import WeakValueDictionary

        self.root_fd = -1
        fd = os.open(host, os.O_PATH | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            if not S_ISDIR(status.st_mode):
                os.close(fd)
                fd = -1
                if not S_ISREG(status.st_mode):
                    raise OSError(EACCES, os.strerror(EACCES), os.fsdecode(host))
                mode = os.O_RDWR if writable else os.O_RDONLY
                fd = os.open(host, mode | os.O_CLOEXEC | os.O_NONBLOCK)
                status = os.fstat(fd)
            super().__init__(kernel, "hostfs", "host", 0o755, EXT4_SUPER_MAGIC)
        except BaseException:
            if fd >= 0:
                os.close(fd)
            raise
        self.root_fd = fd
        self.writable = writable
        self.device = status.st_dev
        self.next_ino = _NEW_INO
        self.xattrs = False
        self.fds: dict[Key, int] = {}
        self.inodes: MutableMapping[Key, HostInode] = WeakValueDictionary()
        self.kept: dict[Key, HostInode] = {}
        root = self.inode_of(status, None, b"")
        self.kept[root.key] = root
        self.root = Dentry(b"/", None, root)

    def statfs(self) -> tuple[int, int, int, int, int]:
        free = self.max_blocks - self.used_blocks
        try:
            host = os.fstatvfs(self.root_fd)
        except OSError:
            return super().statfs()
        blocks = host.f_blocks * host.f_frsize // 4096
        if self.writable:
            free = host.f_bavail * host.f_frsize // 4096
        return blocks, min(free, blocks), min(free, blocks), host.f_files, host.f_ffree

    def inode_of(self, status: os.stat_result, parent: HostInode | None, name: bytes) -> HostInode:
        """The inode of the host file that `status` describes, found as `name` in `parent`."""
        key = status.st_dev, status.st_ino
        inode = self.inodes.get(key)
        if inode is None:
            if self.writable:
                from emukernel.kernel.fs.hostfs_rw import WritableHostInode

                inode = WritableHostInode(self, key, status, parent, name)
            else:
                inode = HostInode(self, key, status, parent, name)
            self.inodes[key] = inode
        elif parent is not None:
            inode.host_parent = parent
            inode.host_name = name
            inode.take(status)
        return inode

    def number(self, device: int, ino: int) -> int:
        """The guest's inode number of a host file: the host's, apart by device."""
        return ino if device == self.device else ino ^ (device & 0xFFFF) << 44

    # Descriptors

    def keep_fd(self, key: Key, fd: int) -> None:
        """Takes an open descriptor, closing the least recently used one when there are too many."""
        old = self.fds.pop(key, None)
        if old is not None:
            os.close(old)
        elif len(self.fds) >= MAX_FDS:
            os.close(self.fds.pop(next(iter(self.fds))))
        self.fds[key] = fd

    def cached_fd(self, key: Key) -> int | None:
        """An open descriptor of that file, which becomes the most recently used."""
        fd = self.fds.pop(key, None)
        if fd is not None:
            self.fds[key] = fd
        return fd

    def close(self) -> None:
        """Gives all host descriptors back."""
        for fd in self.fds.values():
            os.close(fd)
        self.fds.clear()
        if self.root_fd >= 0:
            os.close(self.root_fd)
            self.root_fd = -1


class HostFileMapping(HostMapping):
    """The contents of a regular file of a host directory."""

    __slots__ = ()

    def fd(self) -> int:
        inode = self.inode
        assert isinstance(inode, HostInode)
        return inode.file_fd()

    def charge(self, count: int) -> None:
        # Cached pages must not vanish with an inode that nobody refers to for a while.
        inode = self.inode
        assert isinstance(inode, HostInode)
        if count > 0:
            inode.host.kept[inode.key] = inode


class HostInode(ShmemInode):
    """A file of the host. `host_parent` and `host_name` say where it is there.

    `modified` is set when the guest changed its attributes or contents: from then on it is not
    brought up to date with the host any more.
    """

    __slots__ = ("children", "host_name", "host_parent", "key", "modified")

    def __init__(
        self,
        sb: HostSuperBlock,
        key: Key,
        status: os.stat_result,
        parent: HostInode | None,
        name: bytes,
    ) -> None:
        super().__init__(sb, sb.number(*key), status.st_mode, status.st_uid, status.st_gid)
        self.key = key
        self.host_parent = parent
        self.host_name = name
        self.modified = False
        self.children: MutableMapping[bytes, Dentry] | None = None
        self.mapping = None
        if S_ISREG(status.st_mode):
            self.mapping = self.new_mapping(status.st_size)
        self.take(status)

    def new_mapping(self, size: int) -> HostMapping:
        """The page cache of a regular file of this size."""
        return HostFileMapping(self, self.sb.kernel.memory, size)

    @property
    def host(self) -> HostSuperBlock:
        assert isinstance(self.sb, HostSuperBlock)
        return self.sb

    def take(self, status: os.stat_result) -> None:
        """Takes the host's attributes over, unless the guest has changed some."""
        if self.modified:
            return
        self.mode = status.st_mode
        self.uid = status.st_uid
        self.gid = status.st_gid
        self.nlink = status.st_nlink
        self.rdev = status.st_rdev
        self.size = status.st_size
        self.atime = status.st_atime_ns
        self.mtime = status.st_mtime_ns
        self.ctime = status.st_ctime_ns
        self.btime = self.ctime
        mapping = self.mapping
        if isinstance(mapping, HostMapping) and not mapping.dirty:
            mapping.limit = status.st_size

    def modify(self) -> None:
        """The guest is about to change something: the inode is kept from now on."""
        if not self.modified:
            self.modified = True
            self.host.kept[self.key] = self

    @property
    def blocks(self) -> int:
        if self.mapping is not None:
            return self.mapping.blocks()
        return self.size + 511 >> 9 if S_ISDIR(self.mode) else 0

    # Descriptors of the host

    def directory_fd(self) -> int:
        """An O_PATH descriptor of this directory. Raises Errno."""
        host = self.host
        missing: list[HostInode] = []
        node = self
        while True:
            if node.host_parent is None:
                fd = host.root_fd
                break
            known = host.cached_fd(node.key)
            if known is not None:
                fd = known
                break
            missing.append(node)
            node = node.host_parent
        for node in reversed(missing):
            fd = node._open_in(fd, _O_PATH | os.O_DIRECTORY)
            host.keep_fd(node.key, fd)
        return fd

    def file_fd(self) -> int:
        """A readable descriptor of this regular file. Raises Errno."""
        host = self.host
        if self.host_parent is None:
            return host.root_fd
        fd = host.cached_fd(self.key)
        if fd is None:
            fd = self._open(self.file_flags())
            host.keep_fd(self.key, fd)
        return fd

    def file_flags(self) -> int:
        """How the host's file is opened."""
        return os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

    def _open(self, flags: int) -> int:
        parent = self.host_parent
        assert parent is not None
        return self._open_in(parent.directory_fd(), flags)

    def _open_in(self, directory: int, flags: int) -> int:
        try:
            fd = os.open(self.host_name, flags, dir_fd=directory)
            status = os.fstat(fd)
        except OSError as error:
            raise host_error(error) from None
        if (status.st_dev, status.st_ino) != self.key:
            os.close(fd)
            raise Errno(ESTALE)
        return fd

    def _status(self, name: bytes) -> os.stat_result | None:
        """What the host has under `name` in this directory; None: nothing."""
        try:
            return os.stat(name, dir_fd=self.directory_fd(), follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise host_error(error) from None

    # Attributes

    def refresh(self, task: Task) -> None:
        if self.modified:
            return
        parent = self.host_parent
        try:
            if parent is None:
                status: os.stat_result | None = os.fstat(self.host.root_fd)
            else:
                status = parent._status(self.host_name)
        except (OSError, Errno):
            return
        if status is not None and (status.st_dev, status.st_ino) == self.key:
            self.take(status)

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
        self.modify()
        super().setattr(task, mode=mode, uid=uid, gid=gid, atime=atime, mtime=mtime)

    def touch_atime(self) -> None:
        if self.modified:
            super().touch_atime()

    def touch_mtime(self) -> None:
        self.modify()
        super().touch_mtime()

    def get_link(self, task: Task) -> bytes | Path:
        parent = self.host_parent
        assert parent is not None
        try:
            return os.readlink(self.host_name, dir_fd=parent.directory_fd())
        except OSError as error:
            raise host_error(error) from None

    def readlink(self, task: Task) -> bytes:
        if not S_ISLNK(self.mode):
            return super().readlink(task)
        text = self.get_link(task)
        assert isinstance(text, bytes)
        return text

    # Contents

    def open(self, task: Task, path: Path, flags: int) -> File:
        if S_ISREG(self.mode):
            self.file_fd()  # the host may refuse
        elif not S_ISDIR(self.mode):
            raise Errno(ENXIO)
        return super().open(task, path, flags)

    def truncate(self, task: Task, size: int) -> None:
        self.modify()
        super().truncate(task, size)

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        if mode:
            raise Errno(EOPNOTSUPP)
        if offset + length > self.size:
            self.truncate(task, offset + length)

    # Directories

    def _child(self, parent: Dentry, name: bytes, status: os.stat_result) -> Dentry:
        children = self.children
        if children is None:
            from weakref import WeakValueDictionary

            children = self.children = WeakValueDictionary()
        found = children.get(name)
        if found is not None:
            inode = found.inode
            assert isinstance(inode, HostInode)
            if not found.unhashed and inode.key == (status.st_dev, status.st_ino):
                inode.host_parent, inode.host_name = self, name
                inode.take(status)
                return found
        found = Dentry(name, parent, self.host.inode_of(status, self, name))
        children[name] = found
        return found

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        if name in self.entries:
            return self.entries[name]
        status = self._status(name)
        return None if status is None else self._child(parent, name, status)

    def has_entry(self, name: bytes) -> bool:
        return self.entries.get(name, self) is not None

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        host = self.host
        overlay = self.entries
        found: list[tuple[bytes, int, int]] = []
        directory = self.directory_fd()
        try:
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
        except OSError as error:
            raise host_error(error) from None
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    if name not in overlay:
                        ino = host.number(host.device, entry.inode())
                        found.append((name, ino, _entry_type(entry)))
        except OSError as error:
            raise host_error(error) from None
        finally:
            os.close(fd)
        found += [
            (name, dentry.inode.ino, dentry.inode.mode >> 12)
            for name, dentry in overlay.items()
            if dentry is not None
        ]
        return numbered(found)

    def is_empty(self, task: Task, dentry: Dentry) -> bool:
        return not self.readdir(task, dentry)

    def add_entry(self, dentry: Dentry) -> None:
        self.modify()
        dentry.offset = self.next_offset
        self.next_offset += 1
        dentry.unhashed = False
        self.entries[dentry.name] = dentry
        self.touch_mtime()

    def remove_entry(self, dentry: Dentry) -> None:
        self.modify()
        name = dentry.name
        if self._status(name) is not None:
            self.entries[name] = None
        else:
            self.entries.pop(name, None)
        if self.children is not None:
            self.children.pop(name, None)
        inode = dentry.inode
        if isinstance(inode, HostInode):
            # Its link count and its place are the guest's from now on.
            inode.modify()
        self.touch_mtime()

    def charge_name(self) -> None:
        return

    def uncharge_name(self) -> None:
        return

    def evict(self) -> None:
        super().evict()
        self.host.kept.pop(self.key, None)


def _entry_type(entry: os.DirEntry[str]) -> int:
    """DT_* of a host's entry; what can't be told cheaply is DT_UNKNOWN."""
    if entry.is_symlink():
        return _DT_LNK
    if entry.is_dir(follow_symlinks=False):
        return _DT_DIR
    if entry.is_file(follow_symlinks=False):
        return _DT_REG
    return _DT_UNKNOWN


def shrink_page_cache(kernel: Kernel) -> int:
    """Frees cached pages of host files that are unchanged and mapped nowhere; how many.

    For when memory runs out: what was freed is read again when it is needed.
    """
    freed = 0
    for mnt in kernel.vfs.mounts:
        sb = mnt.sb
        if not isinstance(sb, HostSuperBlock):
            continue
        for key, inode in list(sb.kept.items()):
            mapping = inode.mapping
            if isinstance(mapping, HostMapping):
                freed += mapping.reclaim()
                if not mapping.pages and not inode.modified:
                    del sb.kept[key]
    return freed
