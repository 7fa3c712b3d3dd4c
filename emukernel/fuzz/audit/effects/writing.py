"""Bytes go out through a descriptor.

A filter on write's descriptor says nothing of the other calls that write: writev, pwrite64,
pwritev2, sendfile, copy_file_range, splice, sendto, a shared mapping. Nor does a descriptor stay
what it was: dup2 puts any file under a number that write may use. And write itself looks at the low
half of the register only.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.descriptors import descriptors, renumbered
from emukernel.fuzz.audit.observe import OLD_CONTENT, PAYLOAD, VICTIM, Watch, content
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, NUMBERS, Data, Put, Step, Way, iovec
from emukernel.fuzz.program import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

CALLS = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "sendto", "sendmsg")
SOCKET_MAKERS = ("socket", "socketpair", "accept", "accept4", "connect", "recvmsg")
_MAP = 0x600000
_FD = ("fd", "out_fd", "fd_out")


class Written(Watch):
    """What arrives at the victim: in the file, or at the socket's other end."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.peer: Any = None

    def begin(self, kernel: Kernel, task: Task) -> None:
        sock = getattr(task.files.table.get(self.number), "sk", None)
        self.peer = getattr(sock, "peer", None)

    def end(self, kernel: Kernel) -> object:
        if self.peer is not None:
            data = b"".join(bytes(skb.data) for skb in self.peer.queue)
        else:
            data = content(kernel, VICTIM) or b""
            if data == OLD_CONTENT:
                data = b""
        return {"written": data[: len(PAYLOAD)].decode("latin-1")} if data else None


def effects(rules: Rules) -> Iterator[Effect]:
    for number in descriptors(rules, CALLS):
        for kind in ("victim", "socket"):
            ways = list(_file_ways(number) if kind == "victim" else _socket_ways(rules, number))
            if len(ways) > 1:
                yield Effect(
                    "write",
                    f"bytes go out through descriptor {number}",
                    threat(__name__),
                    lambda number=number: Written(number),  # type: ignore[misc]
                    ways,
                    {"descriptors": {str(number): kind}},
                )


def _write(number: int) -> Way:
    return Way("write", Step("write", number, Data(PAYLOAD), len(PAYLOAD), fields=_FD))


def _file_ways(number: int) -> Iterator[Way]:
    size = len(PAYLOAD)
    source = number + 1
    has_source = {"descriptors": {str(source): "source"}}
    yield _write(number)
    yield Way("pwrite64", Step("pwrite64", number, Data(PAYLOAD), size, 0, fields=_FD))
    yield Way("writev", Step("writev", number, iovec(PAYLOAD), 1, fields=_FD))
    yield Way("pwritev", Step("pwritev", number, iovec(PAYLOAD), 1, 0, 0, fields=_FD))
    yield Way("pwritev2", Step("pwritev2", number, iovec(PAYLOAD), 1, 0, 0, 0, fields=_FD))
    yield Way("sendfile", Step("sendfile", number, source, 0, size, fields=_FD), world=has_source)
    yield Way(
        "copy_file_range",
        Step("copy_file_range", source, 0, number, 0, size, 0, fields=_FD),
        world=has_source,
    )
    for pipe in ("pipe", "pipe2"):
        read, write = _lowest(number, source)
        yield Way(
            f"{pipe} and splice",
            Step(pipe, Data(size=8), *([0] if pipe == "pipe2" else [])),
            Step("write", write, Data(PAYLOAD), size),
            Step("splice", read, 0, number, 0, size, 0, fields=_FD),
            chief=2,
            world=has_source,
        )
        yield Way(
            f"{pipe} and splice of a file",
            Step(pipe, Data(size=8), *([0] if pipe == "pipe2" else [])),
            Step("splice", source, 0, write, 0, size, 0),
            Step("splice", read, 0, number, 0, size, 0, fields=_FD),
            chief=2,
            world=has_source,
        )
    yield Way(
        "a shared mapping",
        Step("mmap", _MAP, PAGE, 3, 0x11, number, 0, fields=("fd",)),
        Put(_MAP, PAYLOAD),
        plain=False,
        instead="flags == 0x22",
    )
    for label, new, steps in renumbered(number):
        yield Way(
            label,
            *steps,
            Step("write", new, Data(PAYLOAD), size),
            chief=len(steps) - 1,
            plain=False,
        )


def _socket_ways(rules: Rules, number: int) -> Iterator[Way]:
    """Where a policy lets the program have sockets of its own, sending is what it is meant to do:
    then these are no ways around."""
    yield _write(number)
    if any(rules.entry(NUMBERS[name]) is not None for name in SOCKET_MAKERS):
        return
    size = len(PAYLOAD)
    fields = ("fd",)
    yield Way("sendto", Step("sendto", number, Data(PAYLOAD), size, 0, 0, 0, fields=fields))
    header = Data(0, 0, iovec(PAYLOAD), 1, 0, 0, 0)
    yield Way("sendmsg", Step("sendmsg", number, header, 0, fields=fields))
    batch = Data(0, 0, iovec(PAYLOAD), 1, 0, 0, 0, 0)
    yield Way("sendmmsg", Step("sendmmsg", number, batch, 1, ANY, fields=fields))


def _lowest(*taken: int) -> tuple[int, int]:
    """The two numbers that the next pipe gets."""
    free = [fd for fd in range(3, 12) if fd not in taken]
    return free[0], free[1]
