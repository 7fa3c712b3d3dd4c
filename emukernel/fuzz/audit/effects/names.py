"""Names in the tree are made or taken away, and files are emptied.

Most of these calls have a sibling with `at` in its name that does the same, and some a third one. A
name goes away by unlink as well as by rename; a file is emptied by truncate as by open with
O_TRUNC.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import VICTIM, Watch, content
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, OneOf, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel

_NEW = b"/tmp/new"
_CWD = -100
_AT_REMOVEDIR = 0x200
_S_IFREG, _S_IFIFO = 0o100000, 0o010000
_O_TRUNC = 0o1000
_FD = 3


class Gone(Watch):
    """The victim's name is not there any more."""

    def end(self, kernel: Kernel) -> object:
        return {"gone": VICTIM.decode()} if content(kernel, VICTIM) is None else None


class Made(Watch):
    """The new name is there; `kind` is the type of what it names (S_IFMT)."""

    def end(self, kernel: Kernel) -> object:
        from emukernel.kernel.errno import Errno
        from emukernel.kernel.fs.lookup import AT_FDCWD, path_lookupat

        task = kernel.tasks.get(100) or kernel.current
        try:
            inode = path_lookupat(task, AT_FDCWD, _NEW, 0).inode
        except Errno:
            return None
        return {"made": f"{_NEW.decode()} {inode.mode & 0o170000:o}"}


class Emptied(Watch):
    """The victim has nothing in it."""

    def end(self, kernel: Kernel) -> object:
        return {"emptied": VICTIM.decode()} if content(kernel, VICTIM) == b"" else None


def effects(rules: Rules) -> Iterator[Effect]:
    why = threat(__name__)
    yield Effect("remove", "a name is taken away", why, Gone, list(_removals()))
    victim, new = text(VICTIM), text(_NEW)
    mode = OneOf(0o755, 0o700, 0o777)
    for what, ways in (
        (
            "a directory is made",
            [
                Way("mkdir", Step("mkdir", new, mode, fields=("pathname",)), classic=True),
                Way("mkdirat", Step("mkdirat", _CWD, new, mode, fields=("pathname",))),
            ],
        ),
        (
            "a symbolic link is made",
            [
                Way("symlink", Step("symlink", victim, new), classic=True),
                Way("symlinkat", Step("symlinkat", victim, _CWD, new)),
            ],
        ),
        (
            "a second name is made for a file",
            [
                Way("link", Step("link", victim, new), classic=True),
                Way("linkat", Step("linkat", _CWD, victim, _CWD, new, 0)),
            ],
        ),
        (
            "a fifo is made",
            [
                Way(
                    "mknod",
                    Step("mknod", new, _S_IFIFO | 0o644, ANY, fields=("mode",)),
                    classic=True,
                ),
                Way("mknodat", Step("mknodat", _CWD, new, _S_IFIFO | 0o644, ANY, fields=("mode",))),
            ],
        ),
    ):
        yield Effect("make-name", what, why, Made, ways)
    yield Effect(
        "truncate",
        "a file is emptied",
        why,
        Emptied,
        [
            Way("truncate", Step("truncate", victim, 0, fields=("length",)), classic=True),
            Way("ftruncate", Step("ftruncate", _FD, 0, fields=("length",))),
        ],
        {"descriptors": {str(_FD): "victim"}},
    )


def _removals() -> Iterator[Way]:
    victim, new = text(VICTIM), text(_NEW)
    name = ("pathname", "oldname")
    yield Way("unlink", Step("unlink", victim, fields=name), classic=True)
    yield Way("unlinkat", Step("unlinkat", _CWD, victim, 0, fields=(*name, "flag")))
    for plain, label, args in (
        (False, "rename", (victim, new)),
        (False, "renameat", (_CWD, victim, _CWD, new)),
        (False, "renameat2", (_CWD, victim, _CWD, new, 0)),
    ):
        yield Way(label, Step(label, *args, fields=name), plain=plain)
