"""/proc/PID and /proc/PID/task/TID (Linux: fs/proc/base.c)."""

from __future__ import annotations

from stat import S_IFLNK

from emukernel.kernel.errno import EACCES, ENOENT, ESRCH, Errno
from emukernel.kernel.fs.dcache import Dentry, Path, d_path
from emukernel.kernel.fs.inode import Inode, SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory, KernFile, numbered
from emukernel.kernel.fs.permission import generic_permission
from emukernel.kernel.fs.proc import pid_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.task import Task

    Show = Callable[[Task, Task], bytes]
    """Of the task shown and the task that reads."""

_CAP_SYS_PTRACE = 19
_DEAD = "X"


def own(inode: Inode, task: Task) -> None:
    """Files of /proc/PID belong to the task's effective ids; to root if it is not dumpable, or has
    no memory any more."""
    dumpable = task.dumpable == 1 and task.state not in "ZX"
    if dumpable or inode.mode & 0o777 == 0o555:
        inode.uid = task.cred.euid
        inode.gid = task.cred.egid
    else:
        inode.uid = inode.gid = 0


def check_ptrace(reader: Task, task: Task) -> None:
    """May `reader` look into `task` (ptrace_may_access for reading)? Errno(EACCES)."""
    if reader.tgid == task.tgid:
        return
    mine, other = reader.cred, task.cred
    same = (
        mine.fsuid == other.uid == other.euid == other.suid
        and mine.fsgid == other.gid == other.egid == other.sgid
    )
    if mine.capable(_CAP_SYS_PTRACE):
        return
    if not same or task.dumpable != 1 or other.cap_permitted & ~mine.cap_permitted:
        raise Errno(EACCES)


def threads(leader: Task) -> list[Task]:
    """The threads of a process as /proc counts them: a first thread that has ended before the
    others is still one, as a zombie."""
    group = leader.thread_group
    return group if leader in group or leader.state == _DEAD else [leader, *group]


class TaskFile(KernFile):
    """A file about one task."""

    __slots__ = ("function", "task")

    def __init__(self, sb: SuperBlock, task: Task, function: Show, mode: int) -> None:
        super().__init__(sb, mode)
        self.task = task
        self.function = function
        own(self, task)

    def refresh(self, task: Task) -> None:
        own(self, self.task)

    def show(self, task: Task) -> bytes:
        if self.task.state == _DEAD:
            raise Errno(ESRCH)
        return self.function(self.task, task)


class TaskLink(Inode):
    """A magic link of a task: cwd, root or exe."""

    __slots__ = ("name", "task")

    def __init__(self, sb: SuperBlock, task: Task, name: bytes) -> None:
        super().__init__(sb, sb.new_ino(), S_IFLNK | 0o777)
        self.task = task
        self.name = name
        own(self, task)

    def target(self, reader: Task) -> Path:
        """Where the link leads; Errno(EACCES, ENOENT)."""
        task = self.task
        check_ptrace(reader, task)
        if task.state in "ZX":
            raise Errno(ENOENT)
        if self.name == b"cwd":
            return task.fs.pwd
        if self.name == b"root":
            return task.fs.root
        if task.mm is None or task.mm.exe_file is None:
            raise Errno(ENOENT)
        return task.mm.exe_file.path

    def get_link(self, task: Task) -> Path:
        return self.target(task)

    def readlink(self, task: Task) -> bytes:
        return d_path(self.target(task), task.fs.root)


class ThreadsDirectory(KernDirectory):
    """/proc/PID/task"""

    __slots__ = ("task",)

    strict = True

    def __init__(self, sb: SuperBlock, task: Task) -> None:
        super().__init__(sb)
        self.task = task
        self.populated = True
        own(self, task)

    def refresh(self, task: Task) -> None:
        self.nlink = 2 + len(threads(self.task))

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        number = pid_number(name)
        for thread in threads(self.task):
            if thread.pid == number:
                return Dentry(name, parent, ProcessDirectory(self.sb, thread, thread_only=True))
        raise Errno(ENOENT)

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        return numbered([(b"%d" % t.pid, t.pid + (1 << 21), 4) for t in threads(self.task)])


class ProcessDirectory(KernDirectory):
    """/proc/PID, and with `thread_only` /proc/PID/task/TID."""

    __slots__ = ("task", "thread_only")

    strict = True

    def __init__(self, sb: SuperBlock, task: Task, *, thread_only: bool = False) -> None:
        super().__init__(sb)
        self.ino = task.pid + ((1 << 21) if thread_only else (1 << 20))
        self.task = task
        self.thread_only = thread_only
        own(self, task)

    def permission(self, cred: Cred, mask: int) -> None:
        if self.task.state == _DEAD and not self.thread_only:
            raise Errno(ESRCH)
        generic_permission(cred, self, mask)

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        if self.task.state == _DEAD:
            raise Errno(ENOENT)
        return super().lookup(task, parent, name)

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        if self.task.state == _DEAD:
            raise Errno(ENOENT)
        return super().readdir(task, parent)

    def populate(self, dentry: Dentry) -> None:
        from emukernel.kernel.fs.proc import fd, files, writable
        from emukernel.kernel.fs.proc.mem import MemInode, MemoryFile
        from emukernel.kernel.fs.proc.namespaces import NamespaceDirectory
        from emukernel.kernel.fs.proc.net import NetDirectory

        sb, task = self.sb, self.task
        thread = self.thread_only
        own_files = files.THREAD_FILES if thread else files.PROCESS_FILES
        for name, function, mode in files.FILES + own_files:
            self.add(dentry, name, TaskFile(sb, task, function, mode))
        for name, function, mode in files.MEMORY_FILES:
            self.add(dentry, name, MemoryFile(sb, task, function, mode))
        self.add(dentry, b"comm", writable.CommFile(sb, task, files.comm, 0o644))
        adjust = writable.OomScoreAdjFile(sb, task, files.oom_score_adj, 0o644)
        self.add(dentry, b"oom_score_adj", adjust)
        self.add(dentry, b"mem", MemInode(sb, task))
        for name in (b"cwd", b"exe", b"root"):
            self.add(dentry, name, TaskLink(sb, task, name))
        self.add(dentry, b"fd", fd.FdDirectory(sb, task))
        self.add(dentry, b"fdinfo", fd.FdinfoDirectory(sb, task))
        self.add(dentry, b"net", NetDirectory(sb))
        self.add(dentry, b"ns", NamespaceDirectory(sb, task))
        if not thread:
            slack = writable.TimerslackFile(sb, task, files.timerslack_ns, 0o666)
            self.add(dentry, b"timerslack_ns", slack)
            self.add(dentry, b"task", ThreadsDirectory(sb, task))
        if sb.kernel.seccomp_abi.proc_seccomp_filter(task.seccomp) is not None:
            show = files.seccomp_filter
            self.add(dentry, b"seccomp_filter", TaskFile(sb, task, show, 0o444))
