"""The tree that a boot makes: the root, /dev, /proc, /sys, /tmp, and the guest program."""

from __future__ import annotations

import os
from stat import S_IFCHR, S_IFREG, S_ISDIR, S_ISREG

from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.devpts import DevptsSuperBlock
from emukernel.kernel.fs.inode import makedev
from emukernel.kernel.fs.mount import Mount, Vfs, mount
from emukernel.kernel.fs.proc import ProcSuperBlock
from emukernel.kernel.fs.shmem import ShmemInode, ShmemSuperBlock
from emukernel.kernel.fs.sysfs import mount_sysfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.options import Options
    from emukernel.kernel.task import Task

_DIRECTORIES = (
    (b"bin", 0o755),
    (b"etc", 0o755),
    (b"home", 0o755),
    (b"root", 0o700),
    (b"run", 0o755),
    (b"tmp", 0o1777),
    (b"usr", 0o755),
    (b"usr/bin", 0o755),
    (b"var", 0o755),
    (b"var/tmp", 0o1777),
)

_FILES = (
    (b"etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"),
    (b"etc/group", b"root:x:0:\n"),
)

_DEVICES = (
    (b"console", S_IFCHR | 0o600, 5, 1),
    (b"full", S_IFCHR | 0o666, 1, 7),
    (b"kmsg", S_IFCHR | 0o644, 1, 11),
    (b"null", S_IFCHR | 0o666, 1, 3),
    (b"ptmx", S_IFCHR | 0o666, 5, 2),
    (b"random", S_IFCHR | 0o666, 1, 8),
    (b"tty", S_IFCHR | 0o666, 5, 0),
    (b"urandom", S_IFCHR | 0o666, 1, 9),
    (b"zero", S_IFCHR | 0o666, 1, 5),
)

_DEVICE_LINKS = (
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
)


def build_root(kernel: Kernel, options: Options) -> Path:
    """Makes `kernel.vfs` and the tree; the Path of the root directory.

    With `options.root` that host directory is the root (changes stay in memory), otherwise an
    empty tmpfs with the usual directories. `options.binds` come on top. Raises OSError for a host
    path that can't be opened, Errno for a bind whose guest path leads through a file.
    """
    vfs = kernel.vfs = Vfs()
    root = None if options.root is None else os.fsencode(options.root)
    if root is None:
        sb = ShmemSuperBlock(kernel, "tmpfs", "rootfs", 0o755)
        base = mount(kernel, sb, None)
        for name, mode in _DIRECTORIES:
            make_directory(base, name, mode)
        for name, text in _FILES:
            _make_file(base, name, text)
    else:
        from emukernel.kernel.fs.hostfs import HostSuperBlock

        base = mount(kernel, HostSuperBlock(kernel, root, writable=False), None)
    vfs.root = Path(base, base.root)
    vfs.devices = mount(kernel, _devtmpfs(kernel), make_directory(base, b"dev", 0o755))
    shm = make_directory(vfs.devices, b"shm", 0o1777)
    mount(kernel, ShmemSuperBlock(kernel), shm)
    pts = make_directory(vfs.devices, b"pts", 0o755)
    vfs.devpts = mount(kernel, DevptsSuperBlock(kernel), pts)
    proc = make_directory(base, b"proc", 0o555)
    mount(kernel, ProcSuperBlock(kernel), proc)
    mount_sysfs(kernel, make_directory(base, b"sys", 0o555))
    if root is not None:
        make_directory(base, b"tmp", 0o1777)
    for host, place, writable in options.binds:
        bind(kernel, os.fsencode(host), os.fsencode(place), writable)
    kernel.root = vfs.root
    return vfs.root


def _find(parent: Dentry, name: bytes) -> Dentry | None:
    """The entry of a directory, for the kernel itself."""
    return parent.inode.lookup(None, parent, name)  # type: ignore[arg-type]


def make_directory(mnt: Mount, name: bytes, mode: int) -> Path:
    """The directory `name` (components joined by "/") below the root of a mount.

    What is missing is made, owned by root, all with `mode`. A file in the way is replaced.
    """
    dentry = mnt.root
    for part in name.split(b"/"):
        found = _find(dentry, part)
        if found is not None and not S_ISDIR(found.inode.mode):
            dentry.inode.unlink(None, found)  # type: ignore[arg-type]
            found = None
        if found is None:
            inode = dentry.inode
            sb = inode.sb
            assert isinstance(inode, ShmemInode)
            assert isinstance(sb, ShmemSuperBlock)
            found = Dentry(part, dentry, sb.new_directory(mode, 0, 0))
            inode.add_entry(found)
            inode.nlink += 1
        dentry = found
    return Path(mnt, dentry)


def _add_node(mnt: Mount, parent: Dentry, name: bytes, inode: Inode) -> Dentry:
    directory = parent.inode
    assert isinstance(directory, ShmemInode)
    existing = _find(parent, name)
    if existing is not None:
        directory.unlink(None, existing)  # type: ignore[arg-type]
    dentry = Dentry(name, parent, inode)
    directory.add_entry(dentry)
    return dentry


def _new_file(sb: ShmemSuperBlock, mode: int) -> ShmemInode:
    sb.charge_inode()
    return ShmemInode(sb, sb.new_ino(), mode)


def _make_file(mnt: Mount, name: bytes, text: bytes) -> None:
    directory, _, last = name.rpartition(b"/")
    parent = make_directory(mnt, directory, 0o755).dentry
    sb = mnt.sb
    assert isinstance(sb, ShmemSuperBlock)
    inode = _new_file(sb, S_IFREG | 0o644)
    assert inode.mapping is not None
    inode.mapping.write_bytes(text, 0)
    inode.size = len(text)
    _add_node(mnt, parent, last, inode)


def _devtmpfs(kernel: Kernel) -> ShmemSuperBlock:
    sb = ShmemSuperBlock(kernel, "devtmpfs", "devtmpfs", 0o755)
    root = sb.root
    assert root is not None
    directory = root.inode
    assert isinstance(directory, ShmemInode)
    for name, mode, major, minor in _DEVICES:
        inode = _new_file(sb, mode)
        inode.rdev = makedev(major, minor)
        directory.add_entry(Dentry(name, root, inode))
    for name, target in _DEVICE_LINKS:
        inode = _new_file(sb, 0o120777)
        inode.link = target
        inode.size = len(target)
        directory.add_entry(Dentry(name, root, inode))
    return sb


def device_path(kernel: Kernel, name: bytes) -> Path:
    """The node `name` of /dev."""
    mnt = kernel.vfs.devices
    assert mnt is not None
    dentry = _find(mnt.root, name)
    assert dentry is not None
    return Path(mnt, dentry)


def bind(kernel: Kernel, host: bytes, guest: bytes, writable: bool) -> None:
    """Mounts the host's file or directory `host` at `guest`, an absolute name in the tree.

    The mount point and the directories above it are made if they are missing. Raises OSError when
    the host path can't be opened, Errno when the guest path leads through a file.
    """
    from emukernel.kernel.fs.hostfs import HostSuperBlock

    sb = HostSuperBlock(kernel, host, writable=writable)
    assert sb.root is not None
    directory = S_ISDIR(sb.root.inode.mode)
    where = make_place(kernel, guest, directory)
    mount(kernel, sb, where)


def make_place(kernel: Kernel, guest: bytes, directory: bool) -> Path:
    """The place of the absolute name `guest`, made with all above it if it isn't there.

    Raises Errno(ENOTDIR) when something on the way is no directory.
    """
    from emukernel.kernel.errno import ENOTDIR, Errno

    root = kernel.vfs.root
    assert root is not None
    mnt, dentry = root.mnt, root.dentry
    parts = [part for part in guest.split(b"/") if part not in (b"", b".")]
    for i, part in enumerate(parts):
        if not S_ISDIR(dentry.inode.mode):
            raise Errno(ENOTDIR)
        last = i == len(parts) - 1
        found = _find(dentry, part)
        if found is None:
            inode = dentry.inode
            sb = inode.sb
            if not isinstance(inode, ShmemInode) or not isinstance(sb, ShmemSuperBlock):
                raise Errno(ENOTDIR)
            if last and not directory:
                found = _add_node(mnt, dentry, part, _new_file(sb, S_IFREG | 0o644))
            else:
                found = Dentry(part, dentry, sb.new_directory(0o755, 0, 0))
                inode.add_entry(found)
                inode.nlink += 1
        dentry = found
        while dentry.mounted is not None:
            mnt, dentry = dentry.mounted, dentry.mounted.root
    return Path(mnt, dentry)


def install_program(kernel: Kernel, fd: int, guest: bytes, mode: int = 0o755) -> Path:
    """Shows the host file open at `fd` as the program `guest` (an absolute name) in the tree.

    Its pages are read from `fd`, which stays open, when the guest needs them. A file that is
    there under that name is replaced. The file belongs to root.
    """
    from emukernel.kernel.errno import EISDIR, EXDEV, Errno
    from emukernel.kernel.fs.host_mapping import ProgramMapping

    directory, _, name = guest.rpartition(b"/")
    place = make_place(kernel, directory, True)
    sb = place.mnt.sb
    if not name or not S_ISDIR(place.dentry.inode.mode):
        raise Errno(EISDIR)
    if not isinstance(sb, ShmemSuperBlock):
        raise Errno(EXDEV)
    status = os.fstat(fd)
    inode = _new_file(sb, S_IFREG | mode)
    inode.size = status.st_size if S_ISREG(status.st_mode) else 0
    inode.mapping = ProgramMapping(inode, kernel.memory, inode.size, fd)
    return Path(place.mnt, _add_node(place.mnt, place.dentry, name, inode))



def setup_files(kernel: Kernel, task: Task) -> None:
    """What the first task has open (0, 1, 2), and where it stands (`options.cwd`).

    Errno for a working directory that isn't there.
    """
    from emukernel.kernel.fs.file import FilesStruct
    from emukernel.kernel.fs.fs_struct import FsStruct
    from emukernel.kernel.fs.lookup import (
        AT_FDCWD,
        LOOKUP_DIRECTORY,
        LOOKUP_FOLLOW,
        path_lookupat,
    )
    from emukernel.kernel.fs.stdio import CapturedStream, Stream, host_streams, setup_stdio

    options = kernel.options
    root = kernel.vfs.root
    assert root is not None
    task.files = FilesStruct()
    task.fs = FsStruct(root)
    task.fs.pwd = path_lookupat(
        task, AT_FDCWD, os.fsencode(options.cwd), LOOKUP_FOLLOW | LOOKUP_DIRECTORY
    )
    streams: list[Stream | None] = host_streams()
    if options.stdin is not None:
        streams[0] = CapturedStream(options.stdin)
    if options.capture:
        streams[1:3] = CapturedStream(writable=True), CapturedStream(writable=True)
    setup_stdio(kernel, task, streams)


def captured_output(kernel: Kernel) -> tuple[bytes, bytes] | None:
    """What the guest wrote to descriptors 1 and 2 as they were at its start, if it is kept."""
    from emukernel.kernel.fs.stdio import CapturedStream

    streams = kernel.vfs.streams
    if not kernel.options.capture or len(streams) < 3:
        return None
    out, err = streams[1], streams[2]
    assert isinstance(out, CapturedStream)
    assert isinstance(err, CapturedStream)
    return out.getvalue(), err.getvalue()
