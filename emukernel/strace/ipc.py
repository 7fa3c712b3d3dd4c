"""System V IPC: keys, commands and flags."""

from __future__ import annotations

from emukernel.strace.names import enum, more_flags
from emukernel.strace.scalar import mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

PERMISSIONS = 0o777
IPC_64 = 0x100


def key(call: Call, i: int) -> str:
    value = call.value(i) & 0xFFFFFFFF
    return f"{value:#x}" if value else "IPC_PRIVATE"


def flags(call: Call, i: int) -> str:
    """`IPC_CREAT|0600`."""
    value = call.value(i) & 0xFFFFFFFF
    rest = value & ~PERMISSIONS
    permissions = mode(value & PERMISSIONS)
    return f"{more_flags('ipc.flags', rest)}|{permissions}" if rest else permissions


def cmd(call: Call, i: int) -> str:
    value = call.value(i)
    text = enum("ipc.cmd", value & ~IPC_64)
    return f"IPC_64|{text}" if value & IPC_64 else text
