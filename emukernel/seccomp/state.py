"""What a task knows of its own confinement: few plain fields, one object per task (thread)."""

from __future__ import annotations

from emukernel.seccomp.computing import NO_CALLS, STRICT_CALLS, STRICT_CALLS_32
from emukernel.seccomp.filter_set import EMPTY
from emukernel.seccomp.mode import (
    SECCOMP_MODE_DISABLED,
    SECCOMP_MODE_FILTER,
    SECCOMP_MODE_STRICT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.seccomp.computing import Calls
    from emukernel.seccomp.filter_set import FilterSet


class SeccompState:
    """A task's seccomp.

    `mode` is what PR_GET_SECCOMP reports. `calls` and `calls32` are the entry path's tables (see
    `computing`); they follow from the rest. `filters` is the task's set, made by 32-bit calls if
    `compat`. With `enforcing` every call is held to it; in filter mode without, it is armed.
    """

    __slots__ = ("calls", "calls32", "compat", "enforcing", "filters", "mode")

    def __init__(self) -> None:
        self.mode = SECCOMP_MODE_DISABLED
        self.filters: FilterSet = EMPTY
        self.compat = False
        self.enforcing = False
        self.calls: Calls | None = None
        self.calls32: Calls | None = None

    def copy(self) -> SeccompState:
        """The state of a child. What is shared never changes, so it is shared by reference."""
        child = SeccompState()
        child.mode = self.mode
        child.filters = self.filters
        child.compat = self.compat
        child.enforcing = self.enforcing
        child.calls = self.calls
        child.calls32 = self.calls32
        return child

    def enter_strict(self) -> None:
        """Enters mode 1, from which there is no way on."""
        self.mode = SECCOMP_MODE_STRICT
        self.calls = STRICT_CALLS
        self.calls32 = STRICT_CALLS_32

    def install(self, filters: FilterSet, *, compat: bool) -> None:
        """Enters filter mode with this set, or replaces the one there is; enforcement goes on."""
        self.mode = SECCOMP_MODE_FILTER
        self.filters = filters
        self.compat = compat
        if self.enforcing:
            self.enforce()

    def enforce(self) -> None:
        """From now on calls are held to the set. Calls of the other width are a compat mismatch."""
        self.enforcing = True
        self.calls = NO_CALLS if self.compat else self.filters.calls
        self.calls32 = self.filters.calls if self.compat else NO_CALLS
