"""A file's mode or owner is changed.

chmod, fchmod and fchmodat are one thing, as are chown, lchown, fchown and fchownat. Of a mode the
kernel looks at twelve bits, and of the register at sixteen.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import VICTIM, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, OneOf, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SETUID_MODE = 0o4755
_OLD_MODE = 0o644
_CHMOD = ("chmod", "fchmod", "fchmodat")
OWNER = 1000
_FD = 3
_WORLD = {"descriptors": {str(_FD): "victim"}}


class Attributes(Watch):
    """The victim has that mode; or, without one, another owner."""

    def __init__(self, mode: int | None = None) -> None:
        self.mode = mode
        self.inode: Inode | None = None

    def begin(self, kernel: Kernel, task: Task) -> None:
        self.inode = task.files.table[_FD].inode

    def end(self, kernel: Kernel) -> object:
        inode = self.inode
        assert inode is not None
        if self.mode is not None:
            mode = inode.mode & 0o7777
            return {"mode": f"{mode:o}"} if mode == self.mode else None
        return {"owner": OWNER} if inode.uid == OWNER else None


def effects(rules: Rules) -> Iterator[Effect]:
    named = rules.singled_out([NUMBERS[name] for name in _CHMOD], "mode")
    for wanted in sorted({SETUID_MODE, *(mode & 0o7777 for mode in named)} - {_OLD_MODE}):
        # Of the sixteen bits that the call takes, four more are of no account.
        mode = OneOf(*(wanted | extra for extra in (0, 0o10000, 0o20000, 0o100000)))
        names = ("mode", "filename")
        yield Effect(
            "file-mode",
            f"a file's mode becomes {wanted:o}",
            threat(__name__),
            lambda wanted=wanted: Attributes(wanted),  # type: ignore[misc]
            [
                Way("chmod", Step("chmod", text(VICTIM), mode, fields=names), classic=True),
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
        Attributes,
        [
            Way("chown", Step("chown", text(VICTIM), OWNER, keep, fields=fields), classic=True),
            Way("lchown", Step("lchown", text(VICTIM), OWNER, keep, fields=fields)),
            Way("fchown", Step("fchown", _FD, OWNER, keep, fields=("user",))),
            Way(
                "fchownat",
                Step("fchownat", -100, text(VICTIM), OWNER, keep, OneOf(0, 0x100), fields=fields),
            ),
        ],
        _WORLD,
    )
