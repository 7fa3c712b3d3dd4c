"""The machine at a moment, to come back to: CPU, memory and every kernel object.

    snapshot = Snapshot(kernel)      between two runs of the CPU
    ...                              the machine goes on
    snapshot.restore()               and is again as it was, as often as wanted

Memory comes back by the pages that were dirtied (`memory`), kernel objects by those that changed
(`graph`); translated code stays. What the machine did to the host (a writable bind, a stream over
a host descriptor) is not taken back.
"""

from __future__ import annotations

from emukernel.kernel.snapshot.graph import Graph, SnapshotError
from emukernel.kernel.snapshot.memory import MemoryImage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel

#: What of a Kernel is not state: the PC itself, the host's side, tables that only fill.
_OUTSIDE = (
    "cpu",
    "memory",
    "interrupts",
    "options",
    "handlers",
    "_outside",
    "symbols",
    "stats",
    "user_context",
)


class Snapshot:
    """`kernel` as it is now. One snapshot of a machine is in use at a time: the newest.

    Raises SnapshotError where the kernel holds an object that can't be restored.
    """

    __slots__ = ("_context", "_graph", "_kernel", "_memory")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._memory = MemoryImage(kernel)
        self._graph = Graph(kernel, _OUTSIDE)
        self._context = kernel.cpu.save()

    def restore(self) -> None:
        """Makes the machine what it was. The CPU must not be running."""
        self._memory.restore()
        self._graph.restore()
        self._kernel.cpu.reset(self._context)

    def differences(self) -> list[str]:
        """What is not as it was, found by looking at everything: for tests of `restore`."""
        found = self._memory.differences() + self._graph.differences()
        if self._kernel.cpu.save() != self._context:
            found.append("the CPU's registers")
        return found


__all__ = ["Snapshot", "SnapshotError"]
