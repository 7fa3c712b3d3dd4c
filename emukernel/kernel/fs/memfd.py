"""Files without a name in RAM, and seals (Linux: mm/memfd.c; memfd_create(2), fcntl(2))."""

from __future__ import annotations

from stat import S_IFREG

from emukernel.kernel.errno import EBUSY, EINVAL, ENOSYS, EPERM, Errno
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import FMODE_WRITE, O_APPEND, O_LARGEFILE, O_RDWR
from emukernel.kernel.fs.filemap import RegularFile
from emukernel.kernel.fs.mount import pseudo_mount
from emukernel.kernel.fs.shmem import (
    FALLOC_FL_PUNCH_HOLE,
    TMPFS_MAGIC,
    ShmemInode,
    ShmemSuperBlock,
)
from emukernel.kernel.mm.vma import VM_MAYWRITE, VM_SHARED, VM_WRITE
from emukernel.kernel.uaccess import BytesIter, strncpy_from_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

MFD_CLOEXEC = 0x01
MFD_ALLOW_SEALING = 0x02
MFD_HUGETLB = 0x04
MFD_NOEXEC_SEAL = 0x08
MFD_EXEC = 0x10
_MFD_ALL = 0x1F
_MFD_HUGE_MASK = 0x3F << 26
_NAME_MAX = 255 - len("memfd:")

F_ADD_SEALS = 1033
F_GET_SEALS = 1034
F_SEAL_SEAL = 0x01
F_SEAL_SHRINK = 0x02
F_SEAL_GROW = 0x04
F_SEAL_WRITE = 0x08
F_SEAL_FUTURE_WRITE = 0x10
F_SEAL_EXEC = 0x20
_ALL_SEALS = 0x3F
_WRITE_SEALS = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE


class MemfdInode(ShmemInode):
    """A file that seals may protect from changes."""

    __slots__ = ("seals",)

    def __init__(self, sb: ShmemSuperBlock, mode: int, uid: int, gid: int) -> None:
        super().__init__(sb, sb.new_ino(), S_IFREG | mode, uid, gid)
        self.seals = F_SEAL_SEAL

    def open(self, task: Task, path: Path, flags: int) -> File:
        return MemfdFile(path, flags)

    def truncate(self, task: Task, size: int) -> None:
        seals = self.seals
        if (size < self.size and seals & F_SEAL_SHRINK) or (
            size > self.size and seals & F_SEAL_GROW
        ):
            raise Errno(EPERM)
        super().truncate(task, size)

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        seals = self.seals
        if mode & FALLOC_FL_PUNCH_HOLE:
            if seals & _WRITE_SEALS:
                raise Errno(EPERM)
        elif seals & F_SEAL_GROW and offset + length > self.size:
            raise Errno(EPERM)
        super().fallocate(task, mode, offset, length)

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
        if mode is not None and self.seals & F_SEAL_EXEC and (mode ^ self.mode) & 0o111:
            raise Errno(EPERM)
        super().setattr(task, mode=mode, uid=uid, gid=gid, atime=atime, mtime=mtime)


class MemfdFile(RegularFile):
    """An open file on one."""

    __slots__ = ()

    def _inode(self) -> MemfdInode:
        inode = self.inode
        assert isinstance(inode, MemfdInode)
        return inode

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        inode = self._inode()
        seals = inode.seals
        if seals & (_WRITE_SEALS | F_SEAL_GROW) and it.count:
            if seals & _WRITE_SEALS:
                raise Errno(EPERM)
            size = inode.size
            if self.flags & O_APPEND:
                pos = size
            if pos + it.count > size:
                # Page by page: those that lie wholly within the file are written.
                room = (size & -4096) - pos
                if room <= 0:
                    raise Errno(EPERM)
                it = BytesIter(it.copy_from_iter(room))
        return super().write_iter(task, it, pos)

    def map_flags(self, vm_flags: int) -> int:
        if self._inode().seals & _WRITE_SEALS and vm_flags & VM_SHARED:
            if vm_flags & VM_WRITE:
                raise Errno(EPERM)
            return vm_flags & ~VM_MAYWRITE
        return vm_flags

    def punch_hole(self, start: int, length: int) -> None:
        if self._inode().seals & _WRITE_SEALS:
            raise Errno(EPERM)
        super().punch_hole(start, length)


def memfd_fcntl(task: Task, file: File, cmd: int, arg: int) -> int:
    """F_ADD_SEALS and F_GET_SEALS. A file of tmpfs can't be sealed, others know no seals: EINVAL.

    EPERM for a sealed seal, EBUSY for F_SEAL_WRITE while writable mappings are shared.
    """
    inode = file.inode
    seals = inode.seals if isinstance(inode, MemfdInode) else F_SEAL_SEAL
    known = inode.sb.magic == TMPFS_MAGIC
    if cmd == F_GET_SEALS:
        if not known:
            raise Errno(EINVAL)
        return seals
    arg &= 0xFFFFFFFF
    if not file.mode & FMODE_WRITE:
        raise Errno(EPERM)
    if arg & ~_ALL_SEALS or not known:
        raise Errno(EINVAL)
    if seals & F_SEAL_SEAL or not isinstance(inode, MemfdInode):
        raise Errno(EPERM)
    if arg & ~seals & F_SEAL_WRITE:
        mapping = inode.mapping
        assert mapping is not None
        writable = VM_SHARED | VM_MAYWRITE
        if any(vma.flags & writable == writable for vma in mapping.mmaps):
            raise Errno(EBUSY)
    if arg & F_SEAL_EXEC and inode.mode & 0o111:
        arg |= F_SEAL_SHRINK | F_SEAL_GROW | _WRITE_SEALS
    inode.seals = seals | arg
    return 0


def sys_memfd_create(task: Task, uname: int, flags: int) -> int:
    """memfd_create(2)"""
    known = _MFD_ALL | (_MFD_HUGE_MASK if flags & MFD_HUGETLB else 0)
    if flags & ~known or flags & (MFD_EXEC | MFD_NOEXEC_SEAL) == MFD_EXEC | MFD_NOEXEC_SEAL:
        raise Errno(EINVAL)
    name = strncpy_from_user(task, uname, _NAME_MAX + 1, EINVAL)
    files = task.files
    files.unused(task)
    if flags & MFD_HUGETLB:
        # This kernel is one without CONFIG_HUGETLBFS.
        raise Errno(ENOSYS)
    mnt = pseudo_mount(task.kernel, "tmpfs", TMPFS_MAGIC)
    sb = mnt.sb
    assert isinstance(sb, ShmemSuperBlock)
    sb.charge_inode()
    mode = 0o666 if flags & MFD_NOEXEC_SEAL else 0o777
    inode = MemfdInode(sb, mode, task.cred.fsuid, task.cred.fsgid)
    inode.nlink = 0
    if flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL):
        inode.seals = F_SEAL_EXEC if flags & MFD_NOEXEC_SEAL else 0
    path = Path(mnt, Dentry(b"/memfd:" + name + b" (deleted)", None, inode))
    file = MemfdFile(path, O_RDWR | O_LARGEFILE)
    return files.add(task, file, bool(flags & MFD_CLOEXEC))

