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
from emukernel.fuzz.audit.ways import NUMBERS, Data, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation

_PID = 100
"""The program's own, the first of the machine."""

SIGUSR1 = 10
_SI_QUEUE = -1
_DEADLY = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 31))
"""Signals that end a program which does nothing about them."""

_CALLS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")


class Signalled(Watch):
    """The signal arrives: it, and not seccomp, ends the program."""

    def __init__(self, sig: int) -> None:
        self.sig = sig
        self.refused = False

    def begin(self, kernel: Kernel, task: Task) -> None:
        kernel.violation_hooks.append(self._violation)

    def _violation(self, task: Task, violation: Violation) -> None:
        self.refused = True

    def end(self, kernel: Kernel) -> object:
        halt = kernel.halted
        ended = halt is not None and halt.kind == "exit" and halt.code & 0x7F == self.sig
        return {"ended by signal": self.sig} if ended and not self.refused else None


def effects(rules: Rules) -> Iterator[Effect]:
    named = rules.singled_out([NUMBERS[name] for name in _CALLS], "sig")
    for sig in sorted({SIGUSR1, *named} & _DEADLY):
        yield Effect(
            "signal",
            f"signal {sig} is sent",
            threat(__name__),
            lambda sig=sig: Signalled(sig),  # type: ignore[misc]
            list(_ways(sig)),
        )


def _ways(sig: int) -> Iterator[Way]:
    info = Data(struct.pack("<iiiiii", sig, 0, _SI_QUEUE, 0, _PID, 0).ljust(128, b"\0"))
    fields = ("sig", "pid")
    yield Way("kill", Step("kill", _PID, sig, fields=fields), classic=True)
    yield Way("tkill", Step("tkill", _PID, sig, fields=fields))
    yield Way("tgkill", Step("tgkill", _PID, _PID, sig, fields=(*fields, "tgid")))
    yield Way("rt_sigqueueinfo", Step("rt_sigqueueinfo", _PID, sig, info, fields=fields))
    yield Way(
        "rt_tgsigqueueinfo",
        Step("rt_tgsigqueueinfo", _PID, _PID, sig, info, fields=(*fields, "tgid")),
    )
    yield Way(
        "pidfd_send_signal",
        Step("pidfd_open", _PID, 0),
        Step("pidfd_send_signal", 3, sig, 0, 0, fields=fields),
        chief=1,
    )
