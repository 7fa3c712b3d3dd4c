"""What happened to files, told to those who watch them (Linux: fs/notify/fsnotify.c).

`inode.marks` is None for a file that nobody cares about: all that reading and writing look at. It
is a list otherwise, an empty one for a file whose directory may be watched.
"""

from __future__ import annotations

from stat import S_ISDIR

from emukernel.kernel.fs.dcache import watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Dentry
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import Inode

IN_ACCESS = 0x001
IN_MODIFY = 0x002
IN_ATTRIB = 0x004
IN_CLOSE_WRITE = 0x008
IN_CLOSE_NOWRITE = 0x010
IN_OPEN = 0x020
IN_MOVED_FROM = 0x040
IN_MOVED_TO = 0x080
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_ISDIR = 0x4000_0000

_FMODE_WRITE = 2


def fsnotify(dentry: Dentry, mask: int) -> None:
    """Something was done to a file by this name: tells who watches the directory or the file."""
    inode = dentry.inode
    if S_ISDIR(inode.mode):
        mask |= IN_ISDIR
    parent = dentry.parent
    if parent is not None and parent.inode.marks:
        for mark in list(parent.inode.marks):
            mark.handle(mask, dentry.name, unlinked=dentry.unhashed)
    for mark in list(inode.marks or ()):
        mark.handle(mask, b"")


def fsnotify_open(file: File) -> None:
    """A file was opened. From now on what is done by it is told."""
    dentry = file.path.dentry
    if watched(dentry):
        if dentry.inode.marks is None:
            dentry.inode.marks = []
        fsnotify(dentry, IN_OPEN)


def fsnotify_close(file: File) -> None:
    """The last reference to an open file goes."""
    write = file.mode & _FMODE_WRITE
    fsnotify(file.path.dentry, IN_CLOSE_WRITE if write else IN_CLOSE_NOWRITE)


def fsnotify_name(
    directory: Inode, mask: int, name: bytes, inode: Inode, cookie: int = 0
) -> None:
    """The name of `inode` in a directory was made, removed or moved."""
    if S_ISDIR(inode.mode):
        mask |= IN_ISDIR
    for mark in list(directory.marks or ()):
        mark.handle(mask, name, cookie=cookie)


def fsnotify_inode(inode: Inode, mask: int) -> None:
    """Something happened to a file that is no matter of its directory."""
    for mark in list(inode.marks or ()):
        mark.handle(mask, b"")


def fsnotify_unlink(directory: Inode, name: bytes, inode: Inode) -> None:
    """A name was removed."""
    if not S_ISDIR(inode.mode):
        fsnotify_inode(inode, IN_ATTRIB)
    fsnotify_inoderemove(inode)
    fsnotify_name(directory, IN_DELETE, name, inode)


def fsnotify_move(
    old: Inode, old_name: bytes, new: Inode, name: bytes, moved: Inode, target: Inode | None
) -> None:
    """A file was moved, in place of `target` if there was one."""
    vfs = moved.sb.kernel.vfs
    vfs.move_cookie += 1
    cookie = vfs.move_cookie & 0xFFFFFFFF
    fsnotify_name(old, IN_MOVED_FROM, old_name, moved, cookie)
    fsnotify_name(new, IN_MOVED_TO, name, moved, cookie)
    if target is not None:
        fsnotify_inode(target, IN_ATTRIB)
    fsnotify_inode(moved, IN_MOVE_SELF)
    if target is not None:
        fsnotify_inoderemove(target)


def fsnotify_inoderemove(inode: Inode) -> None:
    """A file may be gone for good: if so, its watches go with it."""
    if inode.marks and not inode.nlink and not inode.open_count:
        fsnotify_inode(inode, IN_DELETE_SELF)
        for mark in list(inode.marks):
            mark.destroy()
