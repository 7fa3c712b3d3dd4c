"""syslog(2), the kernel log's system call."""

from __future__ import annotations

from emukernel.strace.call import pointer
from emukernel.strace.kinds import memory
from emukernel.strace.names import enum_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

READS = (2, 3, 4)
CONSOLE_LEVEL = 8


def action(call: Call, i: int) -> str:
    value = call.value(i)
    name = enum_set("process.syslog")[1].get(value, "SYSLOG_ACTION_???")
    return f"{value if value >= 0 else hex(value & 0xFFFFFFFF)} /* {name} */"


def buffer(call: Call, i: int) -> str | None:
    """Where what is read goes; other actions have no use for it."""
    type = call.value(0)
    if type in READS:
        if not call.exited:
            return None
        return pointer(call.args[i]) if call.failed else memory(call, "bytes[ret]", call.args[i])
    return pointer(call.args[i]) if type == CONSOLE_LEVEL or not _known(type) else ""


def length(call: Call, i: int) -> str:
    type = call.value(0)
    shown = type in READS or type == CONSOLE_LEVEL or not _known(type)
    return str(call.value(i)) if shown else ""


def _known(type: int) -> bool:
    return type in enum_set("process.syslog")[1]
