"""The surfaces through which tasks ask for seccomp; one is active per boot.

A surface (`SeccompAbi`) answers the prctl options that are seccomp's, keeps a task's state over
fork and execve, decides on the calls that the entry path's table did not let through, and writes
what /proc and the kernel log say. The kernel calls it, reads `state.calls` (see `computing`) and
`state.mode`, and needs nothing else of seccomp:

    abi = get_abi("v1")
    task.seccomp = SeccompState()                      # the first task
    if option in abi.options:                          # prctl(2)
        return abi.prctl(task.seccomp, task, option, arg2, arg3, arg4, arg5)
    child.seccomp = abi.fork(task.seccomp)             # fork, vfork, clone; threads too
    abi.execve(task.seccomp)                           # first thing in execve and execveat
    verdict = abi.refuse(task.seccomp, ...)            # the table did not let a call through
"""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, ENOSYS, EPERM, Errno
from emukernel.seccomp.mode import (
    PR_GET_SECCOMP,
    PR_SET_SECCOMP,
    SECCOMP_MODE_DISABLED,
    SECCOMP_MODE_STRICT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from emukernel.seccomp.state import SeccompState
    from emukernel.seccomp.violation import Verdict

    class Caller(Protocol):
        """What a surface asks of the task that makes the call."""

        @property
        def compat(self) -> bool:
            """Is this a 32-bit call (`int 0x80`)?"""

        def read_cstring(self, address: int, limit: int) -> bytes:
            """The bytes before the first NUL, or the first `limit` bytes if none of them is NUL.

            Raises Errno(EFAULT) when a byte that has to be looked at can't be read.
            """

        def disable_tsc(self) -> None:
            """Makes rdtsc and rdtscp fault, as prctl(PR_SET_TSC, PR_TSC_SIGSEGV) does."""


class SeccompAbi:
    """What all surfaces have in common, and what each of them has to answer."""

    __slots__ = ()

    name = ""
    options: frozenset[int] = frozenset()
    """The prctl options that are seccomp's under this surface; all others are the kernel's."""

    filter_mode = 0
    """The number of PR_SET_SECCOMP that means filters."""

    def prctl(
        self,
        state: SeccompState,
        caller: Caller,
        option: int,
        arg2: int,
        arg3: int,
        arg4: int,
        arg5: int,
    ) -> int:
        """Carries out one of `options` for a task; what prctl(2) returns.

        Raises Errno, with the state as it was. Strict mode can't be left and modes can't be
        switched (EPERM, looked at before a mode is found to be no mode: EINVAL), as in 2.6.39.
        """
        if option == PR_GET_SECCOMP:
            return state.mode
        if option != PR_SET_SECCOMP:
            return self.prctl_filter(state, caller, option, arg2, arg3, arg4, arg5)
        if state.mode not in (SECCOMP_MODE_DISABLED, arg2) or state.mode == SECCOMP_MODE_STRICT:
            raise Errno(EPERM)
        if arg2 == SECCOMP_MODE_STRICT:
            state.enter_strict()
            caller.disable_tsc()
        elif arg2 == self.filter_mode:
            self.set_filter_mode(state, caller, arg3)
        else:
            raise Errno(EINVAL)
        return 0

    def set_filter_mode(self, state: SeccompState, caller: Caller, arg3: int) -> None:
        """prctl(PR_SET_SECCOMP, filter_mode, arg3) by a task in no mode or in filter mode."""
        raise NotImplementedError

    def prctl_filter(
        self,
        state: SeccompState,
        caller: Caller,
        option: int,
        arg2: int,
        arg3: int,
        arg4: int,
        arg5: int,
    ) -> int:
        """An option beside PR_GET_SECCOMP and PR_SET_SECCOMP."""
        raise Errno(EINVAL)

    def seccomp(
        self, state: SeccompState, caller: Caller, operation: int, flags: int, uargs: int
    ) -> int:
        """seccomp(2), which came with 3.17: a surface without it answers as older kernels."""
        raise Errno(ENOSYS)

    def set_text(self, state: SeccompState, text: bytes, *, compat: bool = False) -> None:
        """Installs a policy as the surface's own calls would, for a launcher; Errno."""
        raise NotImplementedError

    def fork(self, state: SeccompState) -> SeccompState:
        """The state of a child that `state`'s task makes, be it a process or a thread."""
        return state.copy()

    def execve(self, state: SeccompState) -> None:
        """`state`'s task is in execve or execveat, past the check and before anything can fail."""

    def refuse(
        self,
        state: SeccompState,
        *,
        comm: str,
        pid: int,
        nr: int,
        args: tuple[int, int, int, int, int, int],
        ip: int,
        compat: bool,
    ) -> Verdict:
        """What becomes of a call that the entry path's table did not let through."""
        raise NotImplementedError

    def status(self, state: SeccompState) -> str:
        """The lines of /proc/PID/status after the capability sets."""
        return f"Seccomp:\t{state.mode}\n"

    def proc_seccomp_filter(self, state: SeccompState) -> bytes | None:
        """The text of /proc/PID/seccomp_filter; None where the surface has no such file."""
        return None


ABI_NAMES = ("v1",)


def get_abi(name: str, *, ptregs_events: bool = True) -> SeccompAbi:
    """The surface of that name (the kernel option `seccomp_abi`).

    `ptregs_events` (the kernel option of that name): calls without an event in 2.6.39 have one.
    Raises ValueError for an unknown name, with those there are.
    """
    if name == "v1":
        from emukernel.seccomp.abi.v1 import V1

        return V1(ptregs_events=ptregs_events)
    raise ValueError(f"unknown seccomp_abi {name!r} (there are: {', '.join(ABI_NAMES)})")
