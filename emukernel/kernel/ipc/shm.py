"""System V shared memory: shmget, shmat, shmdt, shmctl (ipc/shm.c).

A segment is a nameless file in RAM, an attachment a shared mapping of it: so the number of
attachments is that of the areas that show the file, whatever fork, exec, mprotect and munmap did.
"""

from __future__ import annotations

from stat import S_IFREG
from struct import Struct

from emukernel.kernel.cred import CAP_IPC_LOCK
from emukernel.kernel.errno import EINVAL, ENOMEM, ENOSPC, EPERM, Errno
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import O_RDONLY, O_RDWR, File
from emukernel.kernel.fs.filemap import RegularFile
from emukernel.kernel.fs.inode import MAX_LFS_FILESIZE
from emukernel.kernel.fs.mount import pseudo_mount
from emukernel.kernel.fs.shmem import TMPFS_MAGIC, ShmemInode, ShmemSuperBlock
from emukernel.kernel.ipc.util import (
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    PERM,
    S_IRUGO,
    S_IRWXUGO,
    S_IWUGO,
    S_IXUGO,
    IpcPerm,
    ipc_namespace,
    ipcget,
    now,
)
from emukernel.kernel.mm.mm import TASK_SIZE
from emukernel.kernel.mm.mmap import (
    MAP_FIXED,
    MAP_SHARED,
    RLIMIT_MEMLOCK,
    do_mmap,
    may_commit,
)
from emukernel.kernel.mm.vma import PROT_EXEC, PROT_READ, PROT_WRITE
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.ipc.util import IpcNamespace
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC = 0o10000, 0o20000, 0o40000, 0o100000
SHM_HUGETLB, SHM_NORESERVE = 0o4000, 0o10000
SHM_LOCK, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY = 11, 12, 13, 14, 15
#: Bits of the mode: to go with the last attachment; locked in memory.
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000

SHMMIN = 1

_U64 = (1 << 64) - 1
#: struct shmid64_ds behind its permissions, struct shminfo64, struct shm_info.
_SHMID = Struct("<QqqqiiQ16x")
_SHMINFO = Struct("<5Q32x")
_SHM_INFO = Struct("<i4x5Q")


class ShmFile(RegularFile):
    """One attachment's open file. Every area that shows it has a reference."""

    __slots__ = ("segment",)

    def __init__(self, path: Path, flags: int, segment: Segment) -> None:
        super().__init__(path, flags)
        self.segment = segment

    def get(self) -> File:
        """An area more: attached, or by fork, or cut off another one."""
        self.segment.attached()
        return super().get()

    def put(self) -> None:
        """An area less; a segment that was removed goes with the last one."""
        super().put()
        self.segment.detached()


class Segment(IpcPerm):
    """A shared memory segment (struct shmid_kernel). Times in s, `cpid` and `lpid` are of the
    creator and of who attached or detached last."""

    __slots__ = ("atime", "cpid", "dtime", "file", "kernel", "locked_uid", "lpid", "size")

    def __init__(self, task: Task, key: int, flags: int, size: int) -> None:
        super().__init__(task, key, flags)
        self.kernel: Kernel = task.kernel
        self.size = size
        self.atime = self.dtime = 0
        self.cpid = task.tgid
        self.lpid = 0
        #: Whose locked memory it counts as (SHM_LOCK).
        self.locked_uid: int | None = None
        self.file: RegularFile

    @property
    def pages(self) -> int:
        """Its size in pages."""
        return (self.size + 4095) >> 12

    @property
    def nattch(self) -> int:
        """How many areas show it."""
        mapping = self.file.mapping
        assert mapping is not None
        return len(mapping.mmaps)

    @property
    def rss(self) -> int:
        """Its pages that are in memory."""
        mapping = self.file.mapping
        assert mapping is not None
        return len(mapping.pages)

    def attached(self) -> None:
        """Notes who attaches, and when."""
        task = self.kernel.current
        self.atime = now(task)
        self.lpid = task.tgid

    def detached(self) -> None:
        """Notes who detaches, and when; removes the segment if that was due."""
        task = self.kernel.current
        self.dtime = now(task)
        self.lpid = task.tgid
        self.remove_unused()

    def remove_unused(self) -> None:
        """A segment to be removed that nobody has attached is no more."""
        if self.mode & SHM_DEST and not self.nattch and not self.removed:
            destroy(self)

    def stat(self) -> bytes:
        """The struct shmid64_ds."""
        return self.pack() + _SHMID.pack(
            self.size, self.atime, self.dtime, self.ctime, self.cpid, self.lpid, self.nattch
        )


def destroy(segment: Segment) -> None:
    """Gives everything back (shm_destroy)."""
    ns = ipc_namespace(segment.kernel)
    ns.shm.remove(segment)
    ns.shm_pages -= segment.pages
    unlock(segment)
    segment.file.put()


def _new_segment(task: Task, ns: IpcNamespace, key: int, size: int, flags: int) -> Segment:
    if not SHMMIN <= size <= ns.limits["shmmax"][0]:
        raise Errno(EINVAL)
    pages = (size + 4095 & _U64) >> 12
    if pages << 12 < size or ns.shm_pages + pages > ns.limits["shmall"][0]:
        raise Errno(ENOSPC)
    if flags & SHM_HUGETLB:
        # No huge pages are reserved: what hugetlbfs says of an empty pool.
        raise Errno(ENOMEM)
    if size > MAX_LFS_FILESIZE:
        raise Errno(EINVAL)
    if not flags & SHM_NORESERVE:
        may_commit(task, pages)
    segment = Segment(task, key, flags, size)
    mnt = pseudo_mount(task.kernel, "tmpfs", TMPFS_MAGIC)
    sb = mnt.sb
    assert isinstance(sb, ShmemSuperBlock)
    sb.charge_inode()
    try:
        ns.shm.add(segment)
    except Errno:
        sb.used_inodes -= 1
        raise
    inode = ShmemInode(sb, segment.id, S_IFREG | S_IRWXUGO, task.cred.fsuid, task.cred.fsgid)
    inode.nlink = 0
    inode.size = size
    name = b"/SYSV%08x (deleted)" % (key & 0xFFFF_FFFF)
    segment.file = RegularFile(Path(mnt, Dentry(name, None, inode)), O_RDWR)
    ns.shm_pages += pages
    return segment


def sys_shmget(task: Task, key: int, size: int, shmflg: int) -> int:
    """shmget(2)."""
    ns = ipc_namespace(task.kernel)

    def check(segment: Segment) -> None:
        if segment.size < size:
            raise Errno(EINVAL)

    return ipcget(
        task, ns.shm, key, shmflg, lambda: _new_segment(task, ns, key, size, shmflg), check
    )


def sys_shmat(task: Task, shmid: int, shmaddr: int, shmflg: int) -> int:
    """shmat(2)."""
    if shmid < 0:
        raise Errno(EINVAL)
    flags = MAP_SHARED
    if shmaddr:
        if shmaddr & 4095:
            if not shmflg & SHM_RND:
                raise Errno(EINVAL)
            shmaddr &= ~4095
            if not shmaddr and shmflg & SHM_REMAP:
                raise Errno(EINVAL)
        flags |= MAP_FIXED
    elif shmflg & SHM_REMAP:
        raise Errno(EINVAL)
    prot, access, open_flags = PROT_READ | PROT_WRITE, S_IRUGO | S_IWUGO, O_RDWR
    if shmflg & SHM_RDONLY:
        prot, access, open_flags = PROT_READ, S_IRUGO, O_RDONLY
    if shmflg & SHM_EXEC:
        prot |= PROT_EXEC
        access |= S_IXUGO
    segment = ipc_namespace(task.kernel).shm.get(shmid)
    segment.check(task, access)
    if shmaddr and not shmflg & SHM_REMAP:
        end = shmaddr + segment.size
        if end > _U64 or task.mm.overlapping(shmaddr, end):
            raise Errno(EINVAL)
    file = ShmFile(segment.file.path, open_flags, segment)
    try:
        return do_mmap(task, shmaddr, segment.size, prot, flags, file, 0)
    finally:
        # The areas hold it now; this is no detachment.
        RegularFile.put(file)
        segment.remove_unused()


def sys_shmdt(task: Task, shmaddr: int) -> int:
    """shmdt(2): takes out every area that is left of an attachment at `shmaddr`."""
    if shmaddr & 4095:
        raise Errno(EINVAL)
    mm = task.mm
    attached: ShmFile | None = None
    end = TASK_SIZE
    for vma in mm.overlapping(shmaddr, end):
        file = vma.file
        if vma.end > end:
            break
        if not isinstance(file, ShmFile) or (vma.start - shmaddr) >> 12 != vma.pgoff:
            continue
        if attached is None:
            attached = file
            end = shmaddr + (file.segment.pages << 12)
        if file is attached:
            mm.unmap(vma.start, vma.end)
    if attached is None:
        raise Errno(EINVAL)
    return 0


# -- shmctl --------------------------------------------------------------------------------------


def sys_shmctl(task: Task, shmid: int, cmd: int, buf: int) -> int:
    """shmctl(2)."""
    if cmd < 0 or shmid < 0:
        raise Errno(EINVAL)
    ns = ipc_namespace(task.kernel)
    if cmd == IPC_INFO:
        most, pages, number = (ns.limits[name][0] for name in ("shmmax", "shmall", "shmmni"))
        copy_to_user(task, buf, _SHMINFO.pack(most, SHMMIN, number, number, pages))
        return ns.shm.max_slot()
    if cmd == SHM_INFO:
        resident = sum(segment.rss for segment in ns.shm.objects.values())
        info = _SHM_INFO.pack(len(ns.shm.objects), ns.shm_pages, resident, 0, 0, 0)
        copy_to_user(task, buf, info)
        return ns.shm.max_slot()
    if cmd in (IPC_STAT, SHM_STAT, SHM_STAT_ANY):
        segment = ns.shm.get(shmid) if cmd == IPC_STAT else ns.shm.by_slot(shmid)
        if cmd != SHM_STAT_ANY:
            segment.check(task, S_IRUGO)
        copy_to_user(task, buf, segment.stat())
        return 0 if cmd == IPC_STAT else segment.id
    if cmd == IPC_SET:
        data = copy_from_user(task, buf, PERM.size + _SHMID.size)
        segment = ns.shm.control(task, shmid)
        segment.set_perm(data)
        segment.ctime = now(task)
        return 0
    if cmd == IPC_RMID:
        segment = ns.shm.control(task, shmid)
        if segment.nattch:
            segment.mode |= SHM_DEST
            ns.shm.make_private(segment)
        else:
            destroy(segment)
        return 0
    if cmd in (SHM_LOCK, SHM_UNLOCK):
        _lock(task, ns.shm.get(shmid), cmd == SHM_LOCK)
        return 0
    raise Errno(EINVAL)


def _lock(task: Task, segment: Segment, lock: bool) -> None:
    """SHM_LOCK and SHM_UNLOCK. Nothing is ever swapped; permission and limit are real."""
    limit = task.rlimits[RLIMIT_MEMLOCK][0]
    may = task.cred.capable(CAP_IPC_LOCK)
    if not may and (not segment.owned_by(task) or (lock and not limit)):
        raise Errno(EPERM)
    if not lock:
        unlock(segment)
        return
    if segment.mode & SHM_LOCKED:
        return
    counts = task.kernel.vfs.user_counts
    uid = task.cred.uid
    pages = counts.get(("shm_lock", uid), 0) + segment.pages
    if not may and pages << 12 > limit:
        raise Errno(ENOMEM)
    counts["shm_lock", uid] = pages
    segment.locked_uid = uid
    segment.mode |= SHM_LOCKED


def unlock(segment: Segment) -> None:
    """The segment's pages may be swapped."""
    uid = segment.locked_uid
    if uid is None:
        return
    counts = segment.kernel.vfs.user_counts
    left = counts["shm_lock", uid] - segment.pages
    if left:
        counts["shm_lock", uid] = left
    else:
        del counts["shm_lock", uid]
    segment.locked_uid = None
    segment.mode &= ~SHM_LOCKED


def proc_shm(task: Task) -> bytes:
    """/proc/sysvipc/shm"""
    lines = [
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
        "  cgid      atime      dtime      ctime                   rss                  swap\n"
    ]
    for _slot, s in sorted(ipc_namespace(task.kernel).shm.objects.items()):
        lines.append(
            f"{s.key:10d} {s.id:10d}  {s.mode:4o} {s.size:21d} {s.cpid:5d} {s.lpid:5d}  "
            f"{s.nattch:5d} {s.uid:5d} {s.gid:5d} {s.cuid:5d} {s.cgid:5d} {s.atime:10d} "
            f"{s.dtime:10d} {s.ctime:10d} {s.rss << 12:21d} {0:21d}\n"
        )
    return "".join(lines).encode()
