"""What a process knows of the tree: its root, its working directory, its umask."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path


class FsStruct:
    """Shared by tasks with CLONE_FS, copied otherwise."""

    __slots__ = ("pwd", "root", "umask")

    def __init__(self, root: Path, pwd: Path | None = None, umask: int = 0o022) -> None:
        self.root = root
        self.pwd = root if pwd is None else pwd
        self.umask = umask

    def copy(self) -> FsStruct:
        """The state of a child without CLONE_FS."""
        return FsStruct(self.root, self.pwd, self.umask)
