"""A task made of plain Python, to call a seccomp surface without a kernel."""

from __future__ import annotations

from emukernel.kernel.errno import EFAULT, Errno
from emukernel.seccomp.abi.v1 import V1
from emukernel.seccomp.computing import allowed
from emukernel.seccomp.mode import PR_SET_SECCOMP
from emukernel.seccomp.state import SeccompState
from emukernel.seccomp.violation import Verdict

ARGS = (0, 0, 0, 0, 0, 0)


class Task:
    """Memory is what `place` put there; `compat` says how its next call is made."""

    def __init__(self, *, ptregs_events: bool = True) -> None:
        self.abi = V1(ptregs_events=ptregs_events)
        self.state = SeccompState()
        self.compat = False
        self.tsc_disabled = False
        self._memory: dict[int, bytes] = {}

    def place(self, text: bytes) -> int:
        """Puts a NUL-terminated text into memory and returns its address."""
        address = 0x10000 * (len(self._memory) + 1)
        self._memory[address] = text + b"\0"
        return address

    def read_cstring(self, address: int, limit: int) -> bytes:
        if address not in self._memory:
            raise Errno(EFAULT)
        return self._memory[address][:limit].partition(b"\0")[0]

    def disable_tsc(self) -> None:
        self.tsc_disabled = True

    def prctl(self, option: int, arg2: int = 0, arg3: int = 0) -> int:
        return self.abi.prctl(self.state, self, option, arg2, arg3, 0, 0)

    def set(self, text: bytes) -> int:
        """prctl(PR_SET_SECCOMP, 2, text)."""
        return self.prctl(PR_SET_SECCOMP, 2, self.place(text))

    def allowed(self, nr: int, *args: int) -> bool:
        """Would the `syscall` instruction get this call through?"""
        return allowed(self.state.calls, nr, (*args, *ARGS)[:6])  # type: ignore[arg-type]

    def allowed32(self, nr: int, *args: int) -> bool:
        """Would `int 0x80`?"""
        return allowed(self.state.calls32, nr, (*args, *ARGS)[:6])  # type: ignore[arg-type]

    def refuse(self, nr: int, *args: int, compat: bool = False) -> Verdict:
        return self.abi.refuse(
            self.state,
            comm="guest",
            pid=42,
            nr=nr,
            args=(*args, *ARGS)[:6],  # type: ignore[arg-type]
            ip=0x401B2C,
            compat=compat,
        )
