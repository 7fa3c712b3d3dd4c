"""The few directories of /sys that lead to the tracing files (Linux: fs/sysfs, fs/debugfs)."""

from __future__ import annotations

from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.inode import SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.mount import Mount
    from emukernel.kernel.kernel import Kernel

SYSFS_MAGIC = 0x62656572
DEBUGFS_MAGIC = 0x64626720
TRACEFS_MAGIC = 0x74726163

_TOP = (b"block", b"bus", b"class", b"dev", b"devices", b"firmware", b"fs", b"kernel", b"module")


class TracefsRoot(KernDirectory):
    """The root of tracefs, whose files are made when someone looks."""

    __slots__ = ()

    def populate(self, dentry: Dentry) -> None:
        from emukernel.kernel.fs.tracefs import populate_root

        populate_root(self, dentry)


def _new_root(sb: SuperBlock, mode: int) -> KernDirectory:
    directory = KernDirectory(sb, mode)
    directory.populated = True
    sb.root = Dentry(b"/", None, directory)
    return directory


def mount_sysfs(kernel: Kernel, where: Path) -> None:
    """Mounts sysfs, debugfs on its kernel/debug, and tracefs on both of its places."""
    from emukernel.kernel.fs.mount import mount

    sysfs = SuperBlock(kernel, "sysfs", SYSFS_MAGIC, "sysfs")
    root = _new_root(sysfs, 0o555)
    assert sysfs.root is not None
    top = sysfs.root
    for name in _TOP:
        child = _subdirectory(sysfs, root, top, name, 0o755)
        if name == b"kernel":
            directory, place = child.inode, child
    assert isinstance(directory, KernDirectory)
    tracing = _subdirectory(sysfs, directory, place, b"tracing", 0o755)
    debug = _subdirectory(sysfs, directory, place, b"debug", 0o755)
    mounted = mount(kernel, sysfs, where)

    tracefs = SuperBlock(kernel, "tracefs", TRACEFS_MAGIC, "tracefs")
    tracefs.root = Dentry(b"/", None, TracefsRoot(tracefs, 0o700))
    mount(kernel, tracefs, Path(mounted, tracing))
    debugfs = SuperBlock(kernel, "debugfs", DEBUGFS_MAGIC, "debugfs")
    debug_root = _new_root(debugfs, 0o700)
    assert debugfs.root is not None
    place = _subdirectory(debugfs, debug_root, debugfs.root, b"tracing", 0o755)
    debug_mount: Mount = mount(kernel, debugfs, Path(mounted, debug))
    mount(kernel, tracefs, Path(debug_mount, place))


def _subdirectory(
    sb: SuperBlock, parent: KernDirectory, dentry: Dentry, name: bytes, mode: int
) -> Dentry:
    directory = KernDirectory(sb, mode)
    directory.populated = True
    return parent.add(dentry, name, directory)
