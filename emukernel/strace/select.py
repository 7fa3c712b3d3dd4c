"""select(2) and pselect6(2)."""

from __future__ import annotations

from emukernel.strace.call import pointer
from emukernel.strace.kinds import ARRAY_LIMIT, memory
from emukernel.strace.signal import sigset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

FD_SETSIZE = 1024


def fd_set(call: Call, address: int) -> str | None:
    """`[3 5]`: the descriptors of a set, below the call's first argument."""
    size = min(max(call.value(0), 0), FD_SETSIZE)
    bits = call.integer(address, (size + 63) // 64 * 8)
    if bits is None:
        return None
    numbers = [str(fd) for fd in range(size) if bits >> fd & 1]
    if len(numbers) > ARRAY_LIMIT:
        numbers[ARRAY_LIMIT:] = ["..."]
    return f"[{' '.join(numbers)}]"


def fds(call: Call, i: int) -> str:
    address = call.args[i]
    return (fd_set(call, address) if address else None) or pointer(address)


def ready(call: Call) -> str:
    """What select(2) returned: how many, which, and what is left of the time."""
    assert call.ret is not None
    if not call.ret:
        return "0 (Timeout)"
    texts = []
    for word, i in (("in", 1), ("out", 2), ("except", 3)):
        text = fd_set(call, call.args[i]) if call.args[i] else None
        if text and text != "[]":
            texts.append(f"{word} {text}")
    if call.args[4]:
        struct = "timeval" if call.name == "select" else "timespec"
        texts.append(f"left {memory(call, struct, call.args[4])}")
    return f"{call.ret} ({', '.join(texts)})"


def sigmask(call: Call, i: int) -> str:
    """pselect6(2)'s last argument: the address of a signal set, and its size."""
    address = call.args[i]
    data = call.read(address, 16) if address else None
    if data is None:
        return pointer(address)
    at, size = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
    text = sigset(call, at, size) if at else None
    return f"{{sigmask={text or pointer(at)}, sigsetsize={size}}}"
