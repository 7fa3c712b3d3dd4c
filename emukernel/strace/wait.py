"""wait4(2) and waitid(2)."""

from __future__ import annotations

from emukernel.strace.kinds import memory
from emukernel.strace.scalar import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call


def status(call: Call, address: int, count: int | None) -> str | None:
    """A child's status, written where there was a child."""
    value = call.integer(address, 4) if call.ret else None
    return None if value is None else f"[{status_text(value)}]"


def status_text(value: int) -> str:
    """`{WIFEXITED(s) && WEXITSTATUS(s) == 3}` for 0x300."""
    low = value & 0x7F
    if value == 0xFFFF:
        return "{WIFCONTINUED(s)}"
    if low == 0x7F:
        return f"{{WIFSTOPPED(s) && WSTOPSIG(s) == {signal(value >> 8 & 0xFF)}}}"
    if low == 0:
        return f"{{WIFEXITED(s) && WEXITSTATUS(s) == {value >> 8 & 0xFF}}}"
    core = " && WCOREDUMP(s)" if value & 0x80 else ""
    return f"{{WIFSIGNALED(s) && WTERMSIG(s) == {signal(low)}{core}}}"


def rusage(call: Call, address: int, count: int | None) -> str | None:
    """What the child used; wait4(2) says nothing where there was no child."""
    if call.name == "wait4" and not call.ret:
        return None
    return memory(call, "rusage", address)
