"""Bytes reach an address of the network.

A policy that refuses connect does not keep a datagram socket from sending: sendto, sendmsg and
sendmmsg take the address themselves, the latter two in memory, where no filter can look.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import LOOPBACK, PAYLOAD, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import Data, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

_FD, _RECEIVER = 3, 9
_SIZE = len(PAYLOAD)


class Arrived(Watch):
    """A datagram in the receiver's queue."""

    def __init__(self) -> None:
        self.sock: Any = None
        self.arrived = 0

    def begin(self, kernel: Kernel, task: Task) -> None:
        self.sock = getattr(task.files.table[_RECEIVER], "sk", None)

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        self.arrived = max(self.arrived, len(self.sock.queue))

    def end(self, kernel: Kernel) -> object:
        return {"datagrams": self.arrived} if self.arrived else None


def effects(rules: Rules) -> Iterator[Effect]:
    yield Effect(
        "connect",
        "bytes reach an address of the network",
        threat(__name__),
        Arrived,
        list(_ways()),
        {"descriptors": {str(_FD): "datagram", str(_RECEIVER): "receiver"}},
    )


def _ways() -> Iterator[Way]:
    address, data, size = Data(LOOPBACK), Data(PAYLOAD), len(LOOPBACK)
    yield Way(
        "connect",
        Step("connect", _FD, address, size, fields=("fd", "uservaddr", "addrlen")),
        Step("write", _FD, data, _SIZE),
        classic=True,
    )
    to = ("fd", "addr", "addr_len")
    yield Way(
        "sendto",
        Step("sendto", _FD, data, _SIZE, 0, address, size, fields=to),
        instead="addr == 0",
    )
    message = (address, size, Data(data, _SIZE), 1, 0, 0, 0)
    yield Way("sendmsg", Step("sendmsg", _FD, Data(*message), 0, fields=("fd",)), plain=False)
    yield Way(
        "sendmmsg", Step("sendmmsg", _FD, Data(*message, 0), 1, 0, fields=("fd",)), plain=False
    )
