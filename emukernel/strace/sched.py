"""The sched_ calls."""

from __future__ import annotations

from emukernel.strace.kinds import ARRAY_LIMIT
from emukernel.strace.names import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

SCHED_RESET_ON_FORK = 0x40000000
MAX_CPU_SET = 1024


def _policy(value: int) -> str:
    text = enum("process.sched", value & ~SCHED_RESET_ON_FORK)
    return f"{text}|SCHED_RESET_ON_FORK" if value & SCHED_RESET_ON_FORK else text


def policy(call: Call, i: int) -> str:
    return _policy(call.value(i) & 0xFFFFFFFF)


def result(call: Call) -> str:
    """The policy that the call returned."""
    assert call.ret is not None
    return f"{call.ret} ({_policy(call.ret)})"


def cpu_set(call: Call, address: int, size: int | None) -> str | None:
    """A set of processors: `[0 1]`."""
    if not size or size < 0:
        return "[]" if size == 0 else None
    bits = call.integer(address, min(size, MAX_CPU_SET))
    if bits is None:
        return None
    cpus: list[str] = []
    while bits and len(cpus) < ARRAY_LIMIT:
        cpus.append(str((bits & -bits).bit_length() - 1))
        bits &= bits - 1
    return f"[{' '.join([*cpus, '...'] if bits else cpus)}]"
