"""A host directory that the guest may write to (`--bind HOST:GUEST:rw`): changes go to the host.

Confinement is as in hostfs. The host's files never get set-id bits or become devices here, and
belong to whom the host lets emukernel give them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from stat import S_IFMT, S_ISREG

from emukernel.kernel.errno import EINVAL, EOPNOTSUPP, EPERM, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.host_mapping import HostMapping
from emukernel.kernel.fs.hostfs import HostFileMapping, HostInode, host_error
from emukernel.kernel.fs.shmem import RENAME_EXCHANGE, RENAME_WHITEOUT, drop_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_SET_ID = 0o6000
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class WritableMapping(HostFileMapping):
    """Contents in the host's file. Pages that are mapped are in the cache as well."""

    __slots__ = ()

    def write_bytes(self, data: bytes | memoryview, pos: int, raising: bool = True) -> int:
        try:
            done = os.pwrite(self.fd(), data, pos)
        except OSError as error:
            if raising:
                raise host_error(error) from None
            return 0
        if pos + done > self.limit:
            self.limit = pos + done
        source = memoryview(data)
        self.note_written(pos >> 12, pos + done - 1 >> 12)
        for index in range(pos >> 12, (pos + done - 1 >> 12) + 1):
            pfn = self.pages.get(index)
            if pfn is not None:
                start = max(pos, index << 12)
                end = min(pos + done, index + 1 << 12)
                at = (pfn << 12) + (start & 4095)
                self.memory.view[at : at + end - start] = source[start - pos : end - pos]
        return done

    def page_dirtied(self, index: int) -> None:
        """A shared mapping changed the page: to the host with it, up to the end of the file."""
        pfn = self.pages.get(index)
        size = min(4096, self.inode.size - (index << 12))
        if pfn is not None and size > 0:
            try:
                os.pwrite(self.fd(), self.memory.view[pfn << 12 : (pfn << 12) + size], index << 12)
            except OSError:
                self.dirty.add(index)

    def truncate(self, size: int) -> None:
        try:
            os.ftruncate(self.fd(), size)
        except OSError as error:
            raise host_error(error) from None
        super().truncate(size)


class WritableHostInode(HostInode):
    """A file of the host that the guest may change."""

    __slots__ = ("orphan_fd",)

    def new_mapping(self, size: int) -> HostMapping:
        self.orphan_fd = -1
        return WritableMapping(self, self.sb.kernel.memory, size)

    def modify(self) -> None:
        # The host's attributes are the truth.
        return

    def file_flags(self) -> int:
        return os.O_RDWR | _OPEN

    def file_fd(self) -> int:
        if self.orphan_fd >= 0:
            return self.orphan_fd
        try:
            return super().file_fd()
        except Errno:
            # A file that the host lets us only read; writing to it fails at the host.
            fd = self._open(os.O_RDONLY | _OPEN)
            self.host.keep_fd(self.key, fd)
            return fd

    def take(self, status: os.stat_result) -> None:
        super().take(status)
        if self.mapping is not None:
            assert isinstance(self.mapping, HostMapping)
            self.mapping.limit = status.st_size

    def refresh(self, task: Task) -> None:
        if S_ISREG(self.mode) and self.orphan_fd >= 0:
            self.take(os.fstat(self.orphan_fd))
            return
        super().refresh(task)

    def touch_mtime(self) -> None:
        return

    def touch_atime(self) -> None:
        return

    # Attributes

    def _place(self) -> tuple[bytes, int]:
        """(name, descriptor of the directory) for the host's *at calls."""
        parent = self.host_parent
        if parent is None:
            raise Errno(EPERM)
        return self.host_name, parent.directory_fd()

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
        name, directory = self._place()
        try:
            if uid is not None or gid is not None:
                os.chown(
                    name,
                    -1 if uid is None else uid,
                    -1 if gid is None else gid,
                    dir_fd=directory,
                    follow_symlinks=False,
                )
            if mode is not None:
                self._chmod(mode & 0o7777 & ~_SET_ID)
            if atime is not None or mtime is not None:
                times = (
                    self.atime if atime is None else atime,
                    self.mtime if mtime is None else mtime,
                )
                os.utime(name, ns=times, dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            raise host_error(error) from None
        self.refresh(task)

    def _chmod(self, mode: int) -> None:
        """By descriptor: a name could have become a symbolic link meanwhile."""
        if S_ISREG(self.mode):
            fd = self._open(os.O_RDONLY | _OPEN)
        else:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
            fd = os.open(".", flags, dir_fd=self.directory_fd())
        try:
            os.fchmod(fd, mode)
        finally:
            os.close(fd)

    def truncate(self, task: Task, size: int) -> None:
        mapping = self.mapping
        if mapping is None:
            raise Errno(EINVAL)
        mapping.truncate(size)
        self.size = size

    # Directories

    def _adopt(self, task: Task, parent: Dentry, name: bytes, mode: int | None) -> Dentry:
        """What was just made as `name`, given to its maker and with the mode asked for."""
        status = self._status(name)
        if status is None:
            raise Errno(EPERM)
        dentry = self._child(parent, name, status)
        inode = dentry.inode
        cred = task.cred
        gid = self.gid if self.mode & 0o2000 else cred.fsgid
        if (status.st_uid, status.st_gid) != (cred.fsuid, gid):
            # Who may not give files away keeps them.
            with suppress(Errno):
                inode.setattr(task, uid=cred.fsuid, gid=gid)
        if mode is not None and S_IFMT(status.st_mode) | mode != inode.mode:
            inode.setattr(task, mode=mode)
        return dentry

    def mknod(self, task: Task, parent: Dentry, name: bytes, mode: int, rdev: int) -> Dentry:
        if not S_ISREG(mode):
            raise Errno(EPERM)
        mode &= 0o7777 & ~_SET_ID
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | _OPEN
            os.close(os.open(name, flags, mode, dir_fd=self.directory_fd()))
        except OSError as error:
            raise host_error(error) from None
        return self._adopt(task, parent, name, mode)

    def mkdir(self, task: Task, parent: Dentry, name: bytes, mode: int) -> Dentry:
        mode &= 0o7777 & ~_SET_ID
        try:
            os.mkdir(name, mode, dir_fd=self.directory_fd())
        except OSError as error:
            raise host_error(error) from None
        return self._adopt(task, parent, name, mode)

    def symlink(self, task: Task, parent: Dentry, name: bytes, target: bytes) -> Dentry:
        try:
            os.symlink(target, name, dir_fd=self.directory_fd())
        except OSError as error:
            raise host_error(error) from None
        return self._adopt(task, parent, name, None)

    def tmpfile(self, task: Task, parent: Dentry, mode: int) -> Dentry:
        raise Errno(EOPNOTSUPP)

    def link_to(self, task: Task, old: Dentry, parent: Dentry, name: bytes) -> None:
        inode = old.inode
        assert isinstance(inode, WritableHostInode)
        old_name, old_directory = inode._place()
        try:
            os.link(
                old_name,
                name,
                src_dir_fd=old_directory,
                dst_dir_fd=self.directory_fd(),
                follow_symlinks=False,
            )
        except OSError as error:
            raise host_error(error) from None
        inode.refresh(task)

    def _forget(self, dentry: Dentry) -> None:
        if self.children is not None:
            self.children.pop(dentry.name, None)
        inode = dentry.inode
        assert isinstance(inode, WritableHostInode)
        if inode.open_count and inode.mapping is not None and inode.nlink == 1:
            # Open files go on to work without a name: their descriptor stays.
            inode.orphan_fd = os.dup(inode.file_fd())

    def _remove(self, dentry: Dentry, directory: bool) -> None:
        self._forget(dentry)
        try:
            if directory:
                os.rmdir(dentry.name, dir_fd=self.directory_fd())
            else:
                os.unlink(dentry.name, dir_fd=self.directory_fd())
        except OSError as error:
            raise host_error(error) from None
        drop_name(dentry)

    def unlink(self, task: Task, dentry: Dentry) -> None:
        self._remove(dentry, False)

    def rmdir(self, task: Task, dentry: Dentry) -> None:
        self._remove(dentry, True)

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
        assert isinstance(new_dir, WritableHostInode)
        if flags & (RENAME_EXCHANGE | RENAME_WHITEOUT):
            raise Errno(EINVAL)
        if target is not None:
            new_dir._forget(target)
        try:
            os.rename(
                old.name,
                name,
                src_dir_fd=self.directory_fd(),
                dst_dir_fd=new_dir.directory_fd(),
            )
        except OSError as error:
            raise host_error(error) from None
        if target is not None:
            drop_name(target)
        if self.children is not None:
            self.children.pop(old.name, None)
        old.parent, old.name = parent, name
        inode = old.inode
        assert isinstance(inode, WritableHostInode)
        inode.host_parent, inode.host_name = new_dir, name
        status = new_dir._status(name)
        if status is not None and new_dir.children is not None:
            new_dir.children[name] = old

    def evict(self) -> None:
        if self.mapping is not None:
            self.mapping.drop(list(self.mapping.pages))
        if self.mapping is not None and self.orphan_fd >= 0:
            os.close(self.orphan_fd)
            self.orphan_fd = -1
        self.host.kept.pop(self.key, None)


