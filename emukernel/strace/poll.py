"""poll(2), ppoll(2), epoll(7)."""

from __future__ import annotations

from struct import unpack

from emukernel.strace.call import pointer
from emukernel.strace.kinds import ARRAY_LIMIT, array, memory
from emukernel.strace.names import flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

POLLFD_SIZE = 8
EPOLL_EVENT_SIZE = 12


def fds(call: Call, i: int) -> str:
    """What poll(2) is asked; the number of descriptors stands behind it."""
    address = call.args[i]
    if not address:
        return "NULL"

    def element(at: int) -> str | None:
        data = call.read(at, POLLFD_SIZE)
        if data is None:
            return None
        fd, events, _ = unpack("<iHH", data)
        text = f"{{fd={fd}"
        return text + "}" if fd < 0 else f"{text}, events={flags('poll.events', events)}}}"

    return array(address, call.value(i + 1), POLLFD_SIZE, element) or pointer(address)


def ready(call: Call) -> str:
    """What poll(2) returned: how many, and which for what."""
    assert call.ret is not None
    if not call.ret:
        return "0 (Timeout)"
    texts: list[str] = []
    for i in range(min(call.value(1), ARRAY_LIMIT)):
        data = call.read(call.args[0] + i * POLLFD_SIZE, POLLFD_SIZE)
        if data is None:
            break
        fd, _, revents = unpack("<iHH", data)
        if revents:
            texts.append(f"{{fd={fd}, revents={flags('poll.events', revents)}}}")
    text = f"[{', '.join(texts)}]"
    if call.name == "ppoll" and call.args[2]:
        text += f", left {memory(call, 'timespec', call.args[2])}"
    return f"{call.ret} ({text})"


def epoll_events(call: Call, address: int, count: int | None) -> str | None:
    """struct epoll_event, which is packed: events, and 8 bytes that are the program's own."""

    def element(at: int) -> str | None:
        data = call.read(at, EPOLL_EVENT_SIZE)
        if data is None:
            return None
        events, own = unpack("<IQ", data)
        return (
            f"{{events={flags('poll.epoll', events)}, data={{u32={own & 0xFFFFFFFF}, u64={own}}}}}"
        )

    return array(address, count or 0, EPOLL_EVENT_SIZE, element)


def epoll_event(call: Call, address: int, count: int | None) -> str | None:
    """The one event of epoll_ctl(2)."""
    text = epoll_events(call, address, 1)
    return None if text is None else text[1:-1]
