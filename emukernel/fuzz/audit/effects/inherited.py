"""A file is written to that the program never opened.

A policy that refuses to open files for writing does not keep a program from a file that its
launcher left open: if write takes any descriptor, it takes that one.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.writing import Written
from emukernel.fuzz.audit.observe import PAYLOAD, VICTIM
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, Data, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules

_FD = 3
_O_WRONLY = 1
OPENERS = ("open", "openat", "openat2", "creat")
MAKERS = (
    *("socket", "socketpair", "accept", "accept4", "recvmsg", "pidfd_getfd"),
    *("pipe", "pipe2", "eventfd", "eventfd2", "timerfd_create", "memfd_create"),
    *("epoll_create", "epoll_create1", "signalfd", "signalfd4"),
    *("inotify_init", "inotify_init1", "dup", "dup2", "dup3"),
)
"""Calls that give a program descriptors of its own to write to."""


def effects(rules: Rules) -> Iterator[Effect]:
    if any(rules.region(NUMBERS[name]) is not False for name in MAKERS):
        return
    for opener in OPENERS[:2]:
        flags = ("flags",)
        name = text(VICTIM)
        args = (name, _O_WRONLY, 0) if opener == "open" else (-100, name, _O_WRONLY, 0)
        payload, size = Data(PAYLOAD), len(PAYLOAD)
        # The descriptor of the file that it would open is the one that it has inherited otherwise.
        opened = Way(
            f"{opener} and write",
            Step(opener, *args, fields=flags),
            Step("write", _FD + 1, payload, size),
            classic=True,
        )
        fields = ("fd",)
        others = [
            Way("write", Step("write", _FD, payload, size, fields=fields), plain=False),
            Way("pwrite64", Step("pwrite64", _FD, payload, size, 0, fields=fields), plain=False),
        ]
        yield Effect(
            "inherited-descriptor",
            "a file is written to",
            threat(__name__),
            lambda: Written(_FD),
            [opened, *others],
            {"descriptors": {str(_FD): "victim"}},
        )
