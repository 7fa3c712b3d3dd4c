"""Files of /proc/PID that can be written: comm, oom_score_adj, timerslack_ns (fs/proc/base.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EACCES, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.fs.proc.base import TaskFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_CAP_SYS_NICE, _CAP_SYS_RESOURCE = 23, 24
_OOM_MIN, _OOM_MAX = -1000, 1000


def parse_number(data: bytes) -> int:
    """A number as kstrto* takes it: decimal, 0x… or 0…, one newline behind it; Errno(EINVAL)."""
    text = data.strip().removeprefix(b"+")
    digits = text.removeprefix(b"-")
    base = 16 if digits[:2].lower() == b"0x" else 8 if digits[:1] == b"0" and digits[1:] else 10
    try:
        if not digits[:1].isdigit() or b"_" in digits:
            raise ValueError
        return int(text, base)
    except ValueError:
        raise Errno(EINVAL) from None


class CommFile(TaskFile):
    """comm, which threads of the process may write."""

    __slots__ = ()

    def store(self, task: Task, data: bytes) -> int:
        if task.tgid != self.task.tgid:
            raise Errno(EINVAL)
        self.task.comm = data[:15].partition(b"\0")[0]
        return len(data)


class OomScoreAdjFile(TaskFile):
    """oom_score_adj: from -1000, never chosen, to 1000. Less than before takes a capability."""

    __slots__ = ()

    def store(self, task: Task, data: bytes) -> int:
        value = parse_number(data[:12])
        if not _OOM_MIN <= value <= _OOM_MAX:
            raise Errno(EINVAL)
        if self.task.state == "X":
            raise Errno(ESRCH)
        signal = self.task.signal
        may = task.cred.capable(_CAP_SYS_RESOURCE)
        if value < signal.oom_score_adj_min and not may:
            raise Errno(EACCES)
        signal.oom_score_adj = value
        if may:
            signal.oom_score_adj_min = value
        return len(data)


class TimerslackFile(TaskFile):
    """timerslack_ns: how late timers of the task may be; 0 is its default."""

    __slots__ = ()

    def store(self, task: Task, data: bytes) -> int:
        value = parse_number(data[:20])
        if not 0 <= value < 1 << 64:
            raise Errno(EINVAL)
        target = self.task
        if target is not task and not task.cred.capable(_CAP_SYS_NICE):
            raise Errno(EPERM)
        target.timerslack_ns = value or target.timerslack_default
        return len(data)
