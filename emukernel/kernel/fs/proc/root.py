"""What lies directly in /proc."""

from __future__ import annotations

from stat import S_IFLNK

from emukernel.kernel.fs.inode import Inode, SuperBlock
from emukernel.kernel.fs.kernfs import ConstantFile, KernDirectory, KernFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.fs.dcache import Dentry
    from emukernel.kernel.task import Task

TTY_DRIVERS = (
    b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
    b"/dev/console         /dev/console    5       1 system:console\n"
    b"/dev/ptmx            /dev/ptmx       5       2 system\n"
    b"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
    b"pty_master           /dev/ptm      128 0-1048575 pty:master\n"
)
"""/proc/tty/drivers: name, node, major, minors, kind."""


class TextEntry(KernFile):
    """A file whose text a function of the reading task makes."""

    __slots__ = ("function",)

    def __init__(self, sb: SuperBlock, function: Callable[[Task], bytes]) -> None:
        super().__init__(sb)
        self.function = function

    def show(self, task: Task) -> bytes:
        return self.function(task)


class TextLink(Inode):
    """A symbolic link whose text a function of the reading task makes."""

    __slots__ = ("function",)

    def __init__(self, sb: SuperBlock, function: Callable[[Task], bytes]) -> None:
        super().__init__(sb, sb.new_ino(), S_IFLNK | 0o777)
        self.function = function

    def get_link(self, task: Task) -> bytes:
        return self.function(task)

    def readlink(self, task: Task) -> bytes:
        return self.function(task)


class TtyDirectory(KernDirectory):
    """/proc/tty (Linux: fs/proc/proc_tty.c)."""

    __slots__ = ()

    strict = True

    def populate(self, dentry: Dentry) -> None:
        for name, text in ((b"drivers", TTY_DRIVERS), (b"ldiscs", b"n_tty       0\n")):
            self.add(dentry, name, ConstantFile(self.sb, text))


def proc_self(task: Task) -> bytes:
    """/proc/self"""
    return b"%d" % task.tgid


def thread_self(task: Task) -> bytes:
    """/proc/thread-self"""
    return b"%d/task/%d" % (task.tgid, task.pid)


def self_mounts(task: Task) -> bytes:
    """/proc/mounts"""
    return b"self/mounts"


def self_net(task: Task) -> bytes:
    """/proc/net"""
    return b"self/net"


def populate_root(root: KernDirectory, dentry: Dentry) -> None:
    """The entries of /proc that are no processes."""
    from emukernel.kernel.fs.proc import system
    from emukernel.kernel.fs.proc.sysctl import SysctlDirectory
    from emukernel.kernel.fs.proc.sysvipc import SysvipcDirectory

    sb = root.sb
    for name, function in system.FILES:
        root.add(dentry, name, TextEntry(sb, function))
    root.add(dentry, b"filesystems", ConstantFile(sb, system.FILESYSTEMS))
    root.add(dentry, b"mounts", TextLink(sb, self_mounts))
    root.add(dentry, b"net", TextLink(sb, self_net))
    root.add(dentry, b"self", TextLink(sb, proc_self))
    root.add(dentry, b"sys", SysctlDirectory(sb, b""))
    root.add(dentry, b"sysvipc", SysvipcDirectory(sb))
    root.add(dentry, b"thread-self", TextLink(sb, thread_self))
    root.add(dentry, b"tty", TtyDirectory(sb))
