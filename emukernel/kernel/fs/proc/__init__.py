"""procfs (Linux: fs/proc): a file system of what the kernel knows.

Only the root is here; everything else is imported at the first look into /proc.
"""

from __future__ import annotations

from emukernel.kernel.errno import ENOENT, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.inode import SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory, numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

PROC_SUPER_MAGIC = 0x9FA0
_ROOT_INO = 1


class ProcSuperBlock(SuperBlock):
    """A mounted procfs. Numbers of inodes that stay are handed out first."""

    __slots__ = ()

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, "proc", PROC_SUPER_MAGIC, "proc")
        self.block_size = 1024
        self.root = Dentry(b"/", None, ProcRoot(self))


class ProcRoot(KernDirectory):
    """/proc: fixed files and a directory for each process."""

    __slots__ = ()

    strict = True

    def populate(self, dentry: Dentry) -> None:
        from emukernel.kernel.fs.proc.root import populate_root

        populate_root(self, dentry)

    def refresh(self, task: Task) -> None:
        self.nlink = 9 + sum(t.pid == t.tgid for t in task.kernel.tasks.values())

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        self._ready(parent)
        found = self.entries.get(name)
        if found is not None:
            return found
        number = pid_number(name)
        kernel = self.sb.kernel
        if number is None or number not in kernel.tasks:
            raise Errno(ENOENT)
        from emukernel.kernel.fs.proc.base import ProcessDirectory

        return Dentry(name, parent, ProcessDirectory(self.sb, kernel.tasks[number]))

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        entries = super().readdir(task, parent)
        found = [(name, ino, kind) for _, name, ino, kind in entries]
        tasks = self.sb.kernel.tasks
        leaders = [pid for pid in sorted(tasks) if tasks[pid].tgid == pid]
        found += [(b"%d" % pid, pid + (1 << 20), 4) for pid in leaders]
        return numbered(found)

    def has_entry(self, name: bytes) -> bool:
        if name in self.entries:
            return True
        number = pid_number(name)
        return number is not None and number in self.sb.kernel.tasks


def pid_number(name: bytes) -> int | None:
    """The number that a directory of /proc is named by; None for other names."""
    if not name.isdigit() or len(name) > 9 or (name[:1] == b"0" and len(name) > 1):
        return None
    return int(name)
