"""The mount tree (Linux: fs/namespace.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EROFS, Errno
from emukernel.kernel.fs.dcache import Dentry, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import SuperBlock
    from emukernel.kernel.fs.stdio import Stream
    from emukernel.kernel.kernel import Kernel

# statfs(2) f_flags
ST_RDONLY = 1
ST_NOSUID = 2
ST_NODEV = 4
ST_NOEXEC = 8
ST_RELATIME = 4096


class Mount:
    """A file system at a place: `mountpoint` is the Path it covers, None for the first one."""

    __slots__ = ("flags", "id", "mountpoint", "root", "sb")

    def __init__(self, id: int, sb: SuperBlock, mountpoint: Path | None, flags: int) -> None:
        assert sb.root is not None
        self.id = id
        self.sb = sb
        self.root: Dentry = sb.root
        self.mountpoint = mountpoint
        self.flags = flags

    @property
    def readonly(self) -> bool:
        return bool(self.flags & ST_RDONLY)

    def options(self) -> str:
        """The per-mount options as /proc/self/mounts has them."""
        words = ["ro" if self.flags & ST_RDONLY else "rw"]
        words += [
            word
            for bit, word in (
                (ST_NOSUID, "nosuid"),
                (ST_NODEV, "nodev"),
                (ST_NOEXEC, "noexec"),
                (ST_RELATIME, "relatime"),
            )
            if self.flags & bit
        ]
        return ",".join(words)


class Vfs:
    """What the kernel has one of: `kernel.vfs`.

    `root` is where the first task starts, `mounts` the mount tree in order, `pseudo` the mounts
    that no name leads to (of pipes, of shared memory), by file system type. `streams` are what
    descriptors 0 to 2 lead to outside, `console` is the terminal among them and `foreground` its
    foreground process group (0: nobody set one), where that is not the kernel's console.
    `devices` is the mount of /dev, `devpts` that of /dev/pts,
    `boot_id` 16 random bytes, made when someone asks. `pipe_slots` counts pages that lie in pipes,
    `move_cookie` renames that inotify told of,
    `user_counts` what each user has of things that are limited: by (what, user id).
    """

    __slots__ = (
        "boot_id",
        "console",
        "devices",
        "devpts",
        "foreground",
        "mounts",
        "move_cookie",
        "next_dev_minor",
        "pipe_slots",
        "pseudo",
        "root",
        "streams",
        "user_counts",
    )

    def __init__(self) -> None:
        self.mounts: list[Mount] = []
        self.pseudo: dict[str, Mount] = {}
        self.next_dev_minor = 20
        self.root: Path | None = None
        self.streams: list[Stream | None] = []
        self.console: Stream | None = None
        self.foreground = 0
        self.devices: Mount | None = None
        self.devpts: Mount | None = None
        self.boot_id = b""
        self.pipe_slots = 0
        self.move_cookie = 0
        self.user_counts: dict[tuple[str, int], int] = {}


def mount(
    kernel: Kernel, sb: SuperBlock, mountpoint: Path | None, flags: int = ST_RELATIME
) -> Mount:
    """Mounts `sb` over `mountpoint`."""
    mounts = kernel.vfs.mounts
    new = Mount(mounts[-1].id + 1 if mounts else 20, sb, mountpoint, flags)
    mounts.append(new)
    if mountpoint is not None:
        mountpoint.dentry.mounted = new
    return new


def pseudo_mount(kernel: Kernel, fstype: str, magic: int) -> Mount:
    """The mount of the nameless file system of this type, made at first use."""
    pseudo = kernel.vfs.pseudo
    found = pseudo.get(fstype)
    if found is None:
        if fstype == "tmpfs":
            from emukernel.kernel.fs.shmem import ShmemSuperBlock

            # The kernel's own has no limit but the memory there is.
            shmem = ShmemSuperBlock(kernel)
            shmem.max_blocks = kernel.memory.frames
            sb: SuperBlock = shmem
        else:
            from emukernel.kernel.fs.inode import Inode, SuperBlock

            sb = SuperBlock(kernel, fstype, magic)
            sb.root = Dentry(b"/", None, Inode(sb, sb.new_ino(), 0o040555))
        found = pseudo[fstype] = Mount(0, sb, None, 0)
    return found


def pseudo_path(kernel: Kernel, fstype: str, magic: int, name: bytes, mode: int) -> Path:
    """A new nameless file of that type and mode. In `name`, %d is its inode number."""
    from emukernel.kernel.fs.inode import Inode

    mnt = pseudo_mount(kernel, fstype, magic)
    inode = Inode(mnt.sb, mnt.sb.new_ino(), mode)
    return Path(mnt, Dentry(name % inode.ino if b"%d" in name else name, None, inode))


def mnt_want_write(mnt: Mount) -> None:
    """Raises Errno(EROFS) if nothing may be changed through this mount."""
    if mnt.flags & ST_RDONLY or mnt.sb.readonly:
        raise Errno(EROFS)
