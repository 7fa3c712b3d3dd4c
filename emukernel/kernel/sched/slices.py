"""Time slices when no host clock may be looked at (`--deterministic`).

A slice is a number of blocks of code, drawn from the seed. The engine counts them, so that a task
is preempted at the same place in each run; and time, which otherwise stands still but for calls,
goes on by what the slice was worth. So whoever spins without a call is preempted too, and timers
come to it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel

#: The shortest slice, and how much longer the longest is, in blocks of code.
_SHORTEST, _SPREAD = 2_000, 8_192
#: What a block is worth on the virtual clock.
_BLOCK_NS = 10

_MASK64 = (1 << 64) - 1


class VirtualSlices:
    """The slices of one kernel: a stream of lengths that the seed begins; plain data."""

    __slots__ = ("_length", "_state")

    def __init__(self, seed: int) -> None:
        self._state = (seed * 0x9E37_79B9_7F4A_7C15 + 0x1234_5678_9ABC_DEF1) & _MASK64 or 1
        self._length = 0

    def start(self, kernel: Kernel) -> None:
        """The current task gets the CPU."""
        # xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003)
        state = self._state
        state ^= state << 13 & _MASK64
        state ^= state >> 7
        state ^= state << 17 & _MASK64
        self._state = state
        self._length = _SHORTEST + (state >> 32) % _SPREAD
        kernel.cpu.count_down(self._length)

    def check(self, kernel: Kernel) -> None:
        """The CPU has stopped: at the slice's end or a timer's moment others have their turn."""
        if kernel.cpu.counted_down():
            kernel.clock.advance(self._length * _BLOCK_NS)
            kernel.need_resched = True
            return
        deadline = kernel.sched.next_deadline()
        if deadline is not None and deadline <= kernel.clock.monotonic():
            kernel.need_resched = True
