"""A refused call, and what is to become of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from emukernel.ftrace.filter import Outcome

# Why a call was refused.
NO_ENTRY: Final = "no-entry"
PREDICATE: Final = "predicate"
STRICT: Final = "strict"
COMPAT_MISMATCH: Final = "compat-mismatch"

# What becomes of it. v1, v2, v9 and strict mode know no more; a surface that does adds its own.
KILL_THREAD: Final = "kill-thread"


class Violation:
    """A call that seccomp refused.

    `name` is the metadata name of the call (`sys_openat`), or None where there is none. `ip` is the
    address after the instruction that made the call, `args` the raw registers. `kind` is one of the
    constants above; `predicates` are, for `PREDICATE`, the false comparisons and the values they
    saw: of `a && b` the first that was false, of `a || b` both.
    """

    __slots__ = ("args", "comm", "compat", "ip", "kind", "name", "nr", "pid", "predicates")

    def __init__(
        self,
        *,
        comm: str,
        pid: int,
        nr: int,
        name: str | None,
        args: tuple[int, int, int, int, int, int],
        ip: int,
        compat: bool,
        kind: str,
        predicates: tuple[Outcome, ...] = (),
    ) -> None:
        self.comm = comm
        self.pid = pid
        self.nr = nr
        self.name = name
        self.args = args
        self.ip = ip
        self.compat = compat
        self.kind = kind
        self.predicates = predicates

    @property
    def reason(self) -> str:
        """One phrase for the author of a policy: `sys_write: fd == 1 is false (fd = 0x2)`."""
        call = self.name or f"{'32-bit ' if self.compat else ''}system call {self.nr}"
        if self.kind == STRICT:
            return f"{call} is not among the calls of strict mode"
        if self.kind == COMPAT_MISMATCH:
            made, meant = (32, 64) if self.compat else (64, 32)
            return f"compat mismatch: a {made}-bit call under filters that {meant}-bit calls set"
        if self.kind == NO_ENTRY:
            return f"no entry for {call}"
        texts = [str(outcome.predicate) for outcome in self.predicates]
        values = {outcome.predicate.field.name: outcome.value for outcome in self.predicates}
        shown = ", ".join(
            f"{field} = {value:#x}" if isinstance(value, int) else f"{field} = {value!r}"
            for field, value in values.items()
        )
        if len(texts) == 1:
            return f"{call}: {texts[0]} is false ({shown})"
        return f"{call}: {', '.join(texts[:-1])} and {texts[-1]} are false ({shown})"


class Verdict:
    """What the kernel does with a call that the entry path's table did not let through.

    `action` is one of the constants above, `value` its number where it has one (an errno, say), and
    `log` the lines for the kernel log.
    """

    __slots__ = ("action", "log", "value", "violation")

    def __init__(
        self, action: str, violation: Violation, log: Sequence[str] = (), *, value: int = 0
    ) -> None:
        self.action = action
        self.violation = violation
        self.log = log
        self.value = value
