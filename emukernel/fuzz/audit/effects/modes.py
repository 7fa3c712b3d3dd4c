"""A file's mode or owner is changed.

chmod, fchmod and fchmodat are one thing, as are chown, lchown, fchown and fchownat. Of a mode the
kernel looks at twelve bits, and of the register at sixteen.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import VICTIM, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import OneOf, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SETUID_MODE = 0o4755
OWNER = 1000
_FD = 3
_WORLD = {"descriptors": {str(_FD): "victim"}}


class Attributes(Watch):
    """The victim's mode, or its owner."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.inode: Inode | None = None

    def begin(self, kernel: Kernel, task: Task) -> None:
        self.inode = task.files.table[_FD].inode

    def end(self, kernel: Kernel) -> object:
        inode = self.inode
        assert inode is not None
        if self.what == "mode":
            mode = inode.mode & 0o7777
            return {"mode": f"{mode:o}"} if mode == SETUID_MODE else None
        return {"owner": OWNER} if inode.uid == OWNER else None


def effects(rules: Rules) -> Iterator[Effect]:
    mode = OneOf(SETUID_MODE, SETUID_MODE | 0o10000, SETUID_MODE | 0o20000, 0o104755)
    names = ("mode", "filename")
    yield Effect(
        "file-mode",
        "a file's mode is changed (to setuid root)",
        threat(__name__),
        lambda: Attributes("mode"),
        [
            Way("chmod", Step("chmod", text(VICTIM), mode, fields=names)),
            Way("fchmod", Step("fchmod", _FD, mode, fields=("mode",))),
            Way("fchmodat", Step("fchmodat", -100, text(VICTIM), mode, fields=names)),
        ],
        _WORLD,
    )
    fields = ("user", "filename")
    keep = OneOf(-1, 0, OWNER)
    yield Effect(
        "file-owner",
        "a file gets another owner",
        threat(__name__),
        lambda: Attributes("owner"),
        [
            Way("chown", Step("chown", text(VICTIM), OWNER, keep, fields=fields)),
            Way("lchown", Step("lchown", text(VICTIM), OWNER, keep, fields=fields)),
            Way("fchown", Step("fchown", _FD, OWNER, keep, fields=("user",))),
            Way(
                "fchownat",
                Step("fchownat", -100, text(VICTIM), OWNER, keep, OneOf(0, 0x100), fields=fields),
            ),
        ],
        _WORLD,
    )
