"""What a run costs: calls by name, time in the guest, the kernel and the filters, memory."""

from __future__ import annotations

from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task


class Stats:
    """Counts one machine's calls and measures its times, from now on.

    While it does, every call leaves the CPU's hook, so that the CPU's time is the guest's. Times
    are the host's, in ns, under a virtual clock too.
    """

    __slots__ = ("_kernel", "_start", "blocks", "calls", "filter_ns", "guest_ns")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._start = perf_counter_ns()
        self.calls: dict[tuple[int, bool], int] = {}
        self.guest_ns = self.filter_ns = 0
        self.blocks = 0
        kernel.stats = self
        kernel.entry_work = True
        kernel.cpu.on_new_block(self._new_block)

    def _new_block(self) -> None:
        self.blocks += 1

    def count(self, task: Task) -> None:
        """One more call, before seccomp looks at it."""
        key = task.orig_rax, task.compat
        self.calls[key] = self.calls.get(key, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers; times in seconds, memory in bytes."""
        kernel = self._kernel
        total = perf_counter_ns() - self._start
        memory = kernel.memory
        calls = sorted(self.calls.items(), key=lambda item: (-item[1], item[0]))
        return {
            "syscalls": {_name(nr, compat): count for (nr, compat), count in calls},
            "syscall_total": sum(self.calls.values()),
            "page_faults": kernel.fault_count,
            "seconds": {
                "total": total / 1e9,
                "guest": self.guest_ns / 1e9,
                "filters": self.filter_ns / 1e9,
                "kernel": (total - self.guest_ns - self.filter_ns) / 1e9,
            },
            "memory": {
                "size": memory.size,
                "peak": memory.peak * 4096,
            },
            "translated_blocks": self.blocks,
        }


def _name(nr: int, compat: bool) -> str:
    if compat:
        from emukernel.kernel.syscalls.i386 import name32

        return f"{name32(nr) or hex(nr)} (32-bit)"
    from emukernel.kernel.syscalls.dispatch import ROWS

    return ROWS[nr][1] if nr in ROWS else f"syscall_{nr:#x}"
