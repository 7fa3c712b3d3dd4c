"""/proc/PID/mounts and mountinfo (Linux: fs/proc_namespace.c)."""

from __future__ import annotations

from emukernel.kernel.fs.dcache import Path, prepend_path
from emukernel.kernel.fs.inode import dev_major, dev_minor
from emukernel.kernel.fs.shmem import ShmemSuperBlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import SuperBlock
    from emukernel.kernel.fs.mount import Mount
    from emukernel.kernel.task import Task

_ESCAPED = {9: b"\\011", 10: b"\\012", 32: b"\\040", 35: b"\\043", 92: b"\\134"}


def mangle(text: bytes) -> bytes:
    """Octal escapes for what would break a line of fields."""
    return b"".join(_ESCAPED.get(c, bytes((c,))) for c in text)


def super_options(sb: SuperBlock) -> str:
    """The options of the file system itself, after the mount's."""
    text = "ro" if sb.readonly else "rw"
    if isinstance(sb, ShmemSuperBlock):
        text += f",size={sb.max_blocks * 4}k,nr_inodes={sb.max_inodes}"
    return text


def _visible(reader: Task, task: Task) -> list[tuple[Mount, bytes]]:
    """The mounts below the task's root, with their places seen from it."""
    found = []
    for mnt in task.kernel.vfs.mounts:
        place, reachable = prepend_path(Path(mnt, mnt.root), task.fs.root)
        if reachable:
            found.append((mnt, place))
    return found


def mounts(task: Task, reader: Task) -> bytes:
    """/proc/PID/mounts"""
    lines = []
    for mnt, place in _visible(reader, task):
        extra = super_options(mnt.sb).partition(",")[2]
        options = mnt.options() + ("," + extra if extra else "")
        lines.append(
            b"%s %s %s %s 0 0\n"
            % (mnt.sb.source.encode(), mangle(place), mnt.sb.fstype.encode(), options.encode())
        )
    return b"".join(lines)


def mountinfo(task: Task, reader: Task) -> bytes:
    """/proc/PID/mountinfo"""
    lines = []
    for mnt, place in _visible(reader, task):
        parent = mnt.id if mnt.mountpoint is None else mnt.mountpoint.mnt.id
        dev = mnt.sb.dev
        lines.append(
            b"%d %d %d:%d / %s %s - %s %s %s\n"
            % (
                mnt.id,
                parent,
                dev_major(dev),
                dev_minor(dev),
                mangle(place),
                mnt.options().encode(),
                mnt.sb.fstype.encode(),
                mnt.sb.source.encode(),
                super_options(mnt.sb).encode(),
            )
        )
    return b"".join(lines)


def mountstats(task: Task, reader: Task) -> bytes:
    """/proc/PID/mountstats"""
    return b"".join(
        b"device %s mounted on %s with fstype %s\n"
        % (mnt.sb.source.encode(), mangle(place), mnt.sb.fstype.encode())
        for mnt, place in _visible(reader, task)
    )
