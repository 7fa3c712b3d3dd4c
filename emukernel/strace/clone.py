"""clone(2) and clone3(2)."""

from __future__ import annotations

from emukernel.strace.call import pointer
from emukernel.strace.kinds import memory
from emukernel.strace.names import flags as flag_names
from emukernel.strace.names import more_flags
from emukernel.strace.scalar import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

CSIGNAL = 0xFF
CLONE_PIDFD = 0x1000
CLONE_SETTLS = 0x80000
CLONE_PARENT_SETTID = 0x100000
CLONE_CHILD_CLEARTID = 0x200000
CLONE_CHILD_SETTID = 0x1000000
ARGS_SIZE = 64
MAX_ARGS_SIZE = 88


def flags(call: Call, i: int) -> str:
    """The stack, which stands behind the flags, and the flags with the signal at the child's end.

    The arguments of this call are shown with their names, since no two systems have them in one
    order.
    """
    value = call.value(i)
    texts = [more_flags("process.clone", value & ~CSIGNAL)]
    if texts == ["0"]:
        texts = []
    if value & CSIGNAL:
        texts.append(signal(value & CSIGNAL))
    return f"child_stack={pointer(call.args[1])}, flags={'|'.join(texts) or '0'}"


def parent_tid(call: Call, i: int) -> str | None:
    """Where the child's id goes in the parent's memory."""
    if not call.exited:
        return None
    if not call.value(0) & (CLONE_PARENT_SETTID | CLONE_PIDFD):
        return ""
    if call.failed:
        return f"parent_tid={pointer(call.args[i])}"
    return f"parent_tid={memory(call, 'int', call.args[i])}"


def tls(call: Call, i: int) -> str | None:
    """The thread-local storage: shown before the argument that stands before it, as strace does."""
    return "" if call.exited else None


def child_tid(call: Call, i: int) -> str | None:
    if not call.exited:
        return None
    texts = []
    if call.value(0) & CLONE_SETTLS:
        texts.append(f"tls={pointer(call.args[4])}")
    if call.value(0) & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID):
        texts.append(f"child_tidptr={pointer(call.args[i])}")
    return ", ".join(texts)


def size(call: Call, i: int) -> str | None:
    """The size of clone3's structure. Before it stands what the call wrote by way of that."""
    if not call.exited:
        return None
    data = call.read(call.args[0], ARGS_SIZE) if not call.failed else None
    if data is not None and len(data) == ARGS_SIZE:
        flags, pidfd, _child, parent = [
            int.from_bytes(data[at : at + 8], "little") for at in range(0, 32, 8)
        ]
        texts = []
        if flags & CLONE_PIDFD:
            texts.append(f"pidfd={memory(call, 'int', pidfd)}")
        if flags & CLONE_PARENT_SETTID:
            texts.append(f"parent_tid={memory(call, 'int', parent)}")
        if texts:
            call.changed = f" => {{{', '.join(texts)}}}"
    return str(call.value(i))


def clone_args(call: Call, address: int, size: int | None) -> str | None:
    """struct clone_args (linux/sched.h)."""
    if size is None or size < ARGS_SIZE:
        return None
    data = call.read(address, min(size, MAX_ARGS_SIZE))
    if data is None:
        return None
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data) - 7, 8)]
    clone_flags, pidfd, child, parent, exit_signal, stack, stack_size, tls = words[:8]
    texts = [f"flags={flag_names('process.clone', clone_flags)}"]
    if clone_flags & CLONE_PIDFD:
        texts.append(f"pidfd={pointer(pidfd)}")
    if clone_flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID):
        texts.append(f"child_tid={pointer(child)}")
    if clone_flags & CLONE_PARENT_SETTID:
        texts.append(f"parent_tid={pointer(parent)}")
    texts.append(f"exit_signal={signal(exit_signal)}")
    texts.append(f"stack={pointer(stack)}")
    texts.append(f"stack_size={stack_size:#x}" if stack_size else "stack_size=0")
    if clone_flags & CLONE_SETTLS:
        texts.append(f"tls={pointer(tls)}")
    return f"{{{', '.join(texts)}}}"
