"""File systems whose files are made up as they are read: the base of proc, sysfs and tracefs."""

from __future__ import annotations

from stat import S_IFDIR, S_IFREG

from emukernel.kernel.errno import EFAULT, EINVAL, EIO, ENOENT, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.file import SEEK_CUR, SEEK_SET, File
from emukernel.kernel.fs.inode import Inode, SuperBlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.task import Task

_WRITE_MAX = 4096


class KernDirectory(Inode):
    """A directory whose entries are fixed once `populate` has made them, at the first look.

    `strict`: a name that isn't there is ENOENT even for those who would make it, as in proc.
    """

    __slots__ = ("populated",)

    strict = False

    def __init__(self, sb: SuperBlock, mode: int = 0o555) -> None:
        super().__init__(sb, sb.new_ino(), S_IFDIR | mode)
        self.nlink = 2
        self.populated = False

    def populate(self, dentry: Dentry) -> None:
        """Makes the entries with `add`."""

    def add(self, dentry: Dentry, name: bytes, inode: Inode) -> Dentry:
        """A new entry of this directory, whose dentry is `dentry`."""
        child = Dentry(name, dentry, inode)
        self.entries[name] = child
        if isinstance(inode, KernDirectory):
            self.nlink += 1
        return child

    def _ready(self, dentry: Dentry) -> None:
        if not self.populated:
            self.populated = True
            self.populate(dentry)

    def refresh(self, task: Task) -> None:
        # Nothing: the link count follows from `add`.
        return

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        self._ready(parent)
        found = self.entries.get(name)
        if found is None and self.strict:
            raise Errno(ENOENT)
        return found

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        self._ready(parent)
        return numbered(
            [
                (name, child.inode.ino, child.inode.mode >> 12)
                for name, child in self.entries.items()
                if child is not None
            ]
        )


def numbered(entries: list[tuple[bytes, int, int]]) -> list[DirectoryEntry]:
    """Directory entries (name, number, type) with rising offsets from 2 on."""
    return [(i, name, ino, kind) for i, (name, ino, kind) in enumerate(entries, 2)]


class KernFile(Inode):
    """A file whose text `show` makes; what is written goes to `store`."""

    __slots__ = ()

    def __init__(self, sb: SuperBlock, mode: int = 0o444) -> None:
        super().__init__(sb, sb.new_ino(), S_IFREG | mode)

    def show(self, task: Task) -> bytes:
        """The whole text, for the reader `task`. Raises Errno."""
        raise Errno(EIO)

    def store(self, task: Task, data: bytes) -> int:
        """Takes what was written at the start of the file; how many bytes. Raises Errno."""
        raise Errno(EIO)

    def truncate(self, task: Task, size: int) -> None:
        return

    def open(self, task: Task, path: Path, flags: int) -> File:
        return TextFile(path, flags)


class ConstantFile(KernFile):
    """A file that always has the same text."""

    __slots__ = ("text",)

    def __init__(self, sb: SuperBlock, text: bytes, mode: int = 0o444) -> None:
        super().__init__(sb, mode)
        self.text = text

    def show(self, task: Task) -> bytes:
        return self.text


class TextFile(File):
    """An open KernFile. The text is made when it is read from the start, and kept until then."""

    __slots__ = ("text",)

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__(path, flags)
        self.text: bytes | None = None

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        text = self.text
        if text is None or pos == 0:
            inode = self.inode
            assert isinstance(inode, KernFile)
            text = self.text = inode.show(task)
        data = text[pos : pos + it.count]
        done = it.copy_to_iter(data)
        if data and not done:
            raise Errno(EFAULT)
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        inode = self.inode
        assert isinstance(inode, KernFile)
        data = it.copy_from_iter(min(it.count, _WRITE_MAX))
        if it.count and not data:
            raise Errno(EFAULT)
        return inode.store(task, data)

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.pos
        elif whence != SEEK_SET:
            raise Errno(EINVAL)
        if offset < 0:
            raise Errno(EINVAL)
        self.pos = offset
        return offset

    def truncate(self, task: Task, size: int) -> None:
        return
