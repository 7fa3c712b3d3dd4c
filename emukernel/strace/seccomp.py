"""seccomp(2)."""

from __future__ import annotations

from emukernel.strace.kinds import decode_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

SECCOMP_GET_ACTION_AVAIL = 2


def args(call: Call, i: int) -> str | None:
    """What stands behind the operation and its flags."""
    available = call.value(0) == SECCOMP_GET_ACTION_AVAIL
    return decode_as(call, i, "in seccomp_ret" if available else "address")
