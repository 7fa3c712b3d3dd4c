"""The surface of 28 April 2011: prctl(PR_SET_SECCOMP, 2, text), text naming calls and expressions.

    sys_read: (fd == 1) || (fd == 2)
    sys_exit: 1
    on_next_syscall: 1

Where the specification of this surface is silent, this is what 2.6.39 or the revision of 12 May
2011 do, and said at the place.
"""

from __future__ import annotations

from emukernel.kernel.errno import EACCES, EFAULT, EINVAL, Errno
from emukernel.seccomp.abi import SeccompAbi
from emukernel.seccomp.filter_set import WHITE_SPACE, FilterSet, narrowed
from emukernel.seccomp.mode import (
    PR_GET_SECCOMP,
    PR_SET_SECCOMP,
    SECCOMP_MODE_FILTER,
    SECCOMP_MODE_STRICT,
)
from emukernel.seccomp.violation import (
    COMPAT_MISMATCH,
    KILL_THREAD,
    NO_ENTRY,
    PREDICATE,
    STRICT,
    Verdict,
    Violation,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.ftrace.events import EventTable
    from emukernel.ftrace.filter import Outcome
    from emukernel.seccomp.abi import Caller
    from emukernel.seccomp.state import SeccompState

MAX_TEXT = 64 * 1024
"""Bytes of a text with its NUL. Longer ones are EINVAL, as strndup_user() has it."""

MAX_FILTER_COUNT = 512
"""The set that this many entries would fill is refused: SECCOMP_MAX_FILTER_COUNT of 12 May 2011."""

JOINT = b"(%b) && (%b)"
ON_NEXT_SYSCALL = b"on_next_syscall"
UNKNOWN = "unknown"
"""What the kernel calls a call that ftrace has no metadata for."""


def split_line(line: bytes) -> tuple[bytes, bytes] | None:
    """`NAME: EXPRESSION` without the white space around both; None for an empty line.

    Raises Errno(EINVAL) where there is no colon.
    """
    if not line.strip(WHITE_SPACE):
        return None
    name, colon, expression = line.partition(b":")
    if not colon:
        raise Errno(EINVAL)
    return name.strip(WHITE_SPACE), expression.strip(WHITE_SPACE)


class Changes:
    """The lines of one text, applied in order to a copy of the entries of a set.

    `enforced`: the set is enforced, so that entries can be narrowed and removed but not added.
    `on_next_syscall` is whether a line asked for enforcement.
    """

    __slots__ = ("_enforced", "_events", "_refused", "entries", "on_next_syscall")

    def __init__(self, events: EventTable, filters: FilterSet, *, enforced: bool) -> None:
        self._events = events
        self._enforced = enforced
        self._refused: set[int] = set()
        self.entries = filters.entries()
        self.on_next_syscall = False

    def apply(self, name: bytes, expression: bytes) -> None:
        """Applies one line, or raises and leaves `entries` as they are.

        `0` takes a call's entry away; as one NAME twice in a text narrows, no later line of the
        text gives the call another. Without an entry `0` changes nothing. An `on_next_syscall: 0`
        doesn't undo an `on_next_syscall: 1`.

        Raises Errno: EINVAL, unknown name, empty or bad `on_next_syscall`, too many entries;
        EACCES, a new entry in an enforced set; those of `narrowed`. Raises FilterError for a bad
        expression.
        """
        if name == ON_NEXT_SYSCALL:
            if expression not in (b"0", b"1"):
                raise Errno(EINVAL)
            self.on_next_syscall = self.on_next_syscall or expression == b"1"
            return
        event = self._events.by_entry(name.decode("latin-1"))
        if event is None or event.nr is None or event.entry is None or not expression:
            raise Errno(EINVAL)
        nr = event.nr
        if expression == b"0":
            self.entries.pop(nr, None)
            self._refused.add(nr)
            return
        old = self.entries.get(nr)
        if old is None and self._enforced and nr not in self._refused:
            raise Errno(EACCES)
        if old is None and len(self.entries) + 1 == MAX_FILTER_COUNT:
            raise Errno(EINVAL)
        entry = narrowed(old, nr, event.entry, event, expression, joint=JOINT)
        if nr not in self._refused:
            self.entries[nr] = entry


class V1(SeccompAbi):
    """The surface itself. `ptregs_events` is the kernel option of that name."""

    __slots__ = ("ptregs_events",)

    name = "v1"
    options = frozenset({PR_GET_SECCOMP, PR_SET_SECCOMP})
    filter_mode = SECCOMP_MODE_FILTER

    def __init__(self, *, ptregs_events: bool = True) -> None:
        self.ptregs_events = ptregs_events

    @property
    def events(self) -> EventTable:
        """The metadata that names calls. Loaded, as the engine is, when it is first needed: most
        boots come to their end without a filter."""
        from emukernel.ftrace.events import table

        return table(ptregs_events=self.ptregs_events)

    def set_filter_mode(self, state: SeccompState, caller: Caller, arg3: int) -> None:
        """Takes the text at `arg3`. Without `on_next_syscall: 1` the set waits for the next execve;
        a set that is enforced already is narrowed at once, whatever the text says of that.

        Raises Errno, with the state as it was: EFAULT, no readable text; EINVAL, longer than 64 KiB
        or bad in itself; EACCES, a new entry in an enforced set, or one added by a call of the
        other width than that which made the entries there are (as 12 May 2011 has it); E2BIG.
        """
        if arg3 == 0:
            raise Errno(EFAULT)
        text = caller.read_cstring(arg3, MAX_TEXT)
        if len(text) >= MAX_TEXT:
            raise Errno(EINVAL)
        self.set_text(state, text, compat=caller.compat)

    def set_text(self, state: SeccompState, text: bytes, *, compat: bool = False) -> None:
        """What `set_filter_mode` does with a text: also the way for a launcher outside the guest.

        ftrace's metadata know nothing of 32-bit calls, so NAMEs in a 32-bit call's text are those
        of 64-bit calls, and its entries stand under their numbers, as in the 2011 series.
        """
        from emukernel.ftrace.filter import FilterError

        changes = Changes(self.events, state.filters, enforced=state.enforcing)
        foreign = len(state.filters) > 0 and compat != state.compat
        for line in text.split(b"\n"):
            parts = split_line(line)
            if parts is None:
                continue
            name, expression = parts
            if foreign and name != ON_NEXT_SYSCALL and expression != b"0":
                raise Errno(EACCES)
            try:
                changes.apply(name, expression)
            except FilterError:
                raise Errno(EINVAL) from None
        state.install(FilterSet(changes.entries), compat=state.compat if foreign else compat)
        if changes.on_next_syscall:
            state.enforce()

    def execve(self, state: SeccompState) -> None:
        """An armed set starts here. That the execve fails afterwards doesn't disarm it again: the
        revision of 12 May 2011 decides at the call's entry, too."""
        if state.mode == SECCOMP_MODE_FILTER and not state.enforcing:
            state.enforce()

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
        """The thread dies. The log line is that of the 2011 patches, `blocked at ip:` and the
        address in hexadecimal without `0x`; a compat mismatch has a line of its own before it."""
        predicates: tuple[Outcome, ...] = ()
        if state.mode == SECCOMP_MODE_STRICT:
            kind = STRICT
        elif compat != state.compat:
            kind = COMPAT_MISMATCH
        else:
            entry = state.filters.get(nr)
            kind = NO_ENTRY
            if entry is not None and entry.filter is not None:
                kind = PREDICATE
                predicates = tuple(entry.filter.explain(nr, args).because)
        event = None if compat else self.events.by_nr(nr)
        name = None if event is None else event.entry
        violation = Violation(
            comm=comm,
            pid=pid,
            nr=nr,
            name=name,
            args=args,
            ip=ip,
            compat=compat,
            kind=kind,
            predicates=predicates,
        )
        log = [f"{comm}[{pid}]: system call {nr} ({name or UNKNOWN}) blocked at ip:{ip:x}"]
        if kind == COMPAT_MISMATCH:
            log.insert(0, f"{comm}[{pid}]: seccomp filter compat() mismatch.")
        return Verdict(KILL_THREAD, violation, log)

    def proc_seccomp_filter(self, state: SeccompState) -> bytes:
        """`Filtering:` is 1 once the set is enforced; in no mode and in strict mode it is empty."""
        lines = [b"Filtering: %d\nFilterCount: %d\n" % (state.enforcing, len(state.filters))]
        lines += [
            b"SystemCall: %d (%b)\nFilter: %b\n" % (entry.nr, entry.name.encode(), entry.text)
            for entry in state.filters
        ]
        return b"".join(lines)
