"""fcntl(2)."""

from __future__ import annotations

from emukernel.strace.kinds import decode_as, memory
from emukernel.strace.names import enum, enum_set, flags
from emukernel.strace.open import open_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

ARGUMENTS = {
    "F_DUPFD": "fd",
    "F_DUPFD_CLOEXEC": "fd",
    "F_GETFD": "omitted",
    "F_SETFD": "flags fs.fd",
    "F_GETFL": "omitted",
    "F_SETFL": "open.flags",
    "F_GETLK": "fcntl.found_lock",
    "F_SETLK": "in flock",
    "F_SETLKW": "in flock",
    "F_OFD_GETLK": "fcntl.found_lock",
    "F_OFD_SETLK": "in flock",
    "F_OFD_SETLKW": "in flock",
    "F_SETOWN": "fd",
    "F_GETOWN": "omitted",
    "F_SETSIG": "signal",
    "F_GETSIG": "omitted",
    "F_SETLEASE": "enum fs.lock",
    "F_GETLEASE": "omitted",
    "F_SETPIPE_SZ": "",
    "F_GETPIPE_SZ": "omitted",
    "F_ADD_SEALS": "flags fs.seal",
    "F_GET_SEALS": "omitted",
}
"""The kind of the third argument, by command."""


def cmd(call: Call, i: int) -> str:
    return enum("fs.fcntl", call.value(i))


def arg(call: Call, i: int) -> str | None:
    return decode_as(call, i, ARGUMENTS.get(_command(call), "x"))


def found_lock(call: Call, i: int) -> str | None:
    """F_GETLK: the lock that is asked for goes in, the one that is in the way comes out."""
    if not call.exited:
        return None
    return memory(call, "flock" if call.failed else "flock_found", call.args[i])


def result(call: Call) -> str:
    assert call.ret is not None
    command = _command(call)
    if command == "F_GETFD" and call.ret:
        return f"{call.ret:#x} (flags {flags('fs.fd', call.ret)})"
    if command == "F_GETFL":
        return f"{call.ret:#x} (flags {open_flags(call.ret)})"
    if command == "F_GET_SEALS" and call.ret:
        return f"{call.ret:#x} (seals {flags('fs.seal', call.ret)})"
    if command == "F_GETLEASE":
        return f"{call.ret:#x} ({enum('fs.lock', call.ret)})"
    return str(call.ret)


def _command(call: Call) -> str:
    return enum_set("fs.fcntl")[1].get(call.value(1), "")
