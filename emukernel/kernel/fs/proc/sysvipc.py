"""/proc/sysvipc (Linux: ipc/util.c): the System V IPC objects."""

from __future__ import annotations

from emukernel.kernel.fs.kernfs import KernDirectory
from emukernel.kernel.fs.proc.root import TextEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Dentry


class SysvipcDirectory(KernDirectory):
    """/proc/sysvipc"""

    __slots__ = ()

    strict = True

    def populate(self, dentry: Dentry) -> None:
        from emukernel.kernel.ipc.msg import proc_msg
        from emukernel.kernel.ipc.sem import proc_sem
        from emukernel.kernel.ipc.shm import proc_shm

        for name, function in ((b"msg", proc_msg), (b"sem", proc_sem), (b"shm", proc_shm)):
            self.add(dentry, name, TextEntry(self.sb, function))
