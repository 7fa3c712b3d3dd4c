"""A signal is sent.

kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo and pidfd_send_signal all send signals. A
filter that lets kill probe (`sig == 0`) and no more says nothing of the others; pidfd_send_signal
names its victim by a descriptor.
"""

from __future__ import annotations

import struct

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import Data, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel

_PID = 100
"""The program's own, the first of the machine."""

SIGUSR1 = 10
_SI_QUEUE = -1
_INFO = struct.pack("<iiiiii", SIGUSR1, 0, _SI_QUEUE, 0, _PID, 0).ljust(128, b"\0")


class Signalled(Watch):
    """The signal arrives: it ends the program."""

    def end(self, kernel: Kernel) -> object:
        halt = kernel.halted
        ended = halt is not None and halt.kind == "exit" and halt.code & 0x7F == SIGUSR1
        return {"ended by signal": SIGUSR1} if ended else None


def effects(rules: Rules) -> Iterator[Effect]:
    yield Effect("signal", "a signal is sent", threat(__name__), Signalled, list(_ways()))


def _ways() -> Iterator[Way]:
    sig = SIGUSR1
    fields = ("sig", "pid")
    yield Way("kill", Step("kill", _PID, sig, fields=fields))
    yield Way("tkill", Step("tkill", _PID, sig, fields=fields))
    yield Way("tgkill", Step("tgkill", _PID, _PID, sig, fields=(*fields, "tgid")))
    yield Way("rt_sigqueueinfo", Step("rt_sigqueueinfo", _PID, sig, Data(_INFO), fields=fields))
    yield Way(
        "rt_tgsigqueueinfo",
        Step("rt_tgsigqueueinfo", _PID, _PID, sig, Data(_INFO), fields=(*fields, "tgid")),
    )
    yield Way(
        "pidfd_send_signal",
        Step("pidfd_open", _PID, 0),
        Step("pidfd_send_signal", 3, sig, 0, 0, fields=fields),
        chief=1,
    )
