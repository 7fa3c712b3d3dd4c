"""Calls that a policy let pass in a run although it says no to what they do.

Three kinds can be told from the call alone. Its arguments have bits that the call throws away, and
without them the policy refuses it. It does what another call does that the policy refuses in so
many words. It works on a file that was open before the policy, which refuses every way to open one.

That what may be reached otherwise was allowed on purpose is taken from a predicate that says what
may be (`fd == 2`): then there is no finding.
"""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG

from emukernel.fuzz.denied import number
from emukernel.fuzz.finding import Finding, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.target import Target
    from emukernel.kernel.syscalls.signature import Signature
    from emukernel.kernel.task import Task
    from emukernel.seccomp.filter_set import FilterSet

_POSITIVE = ("==", "<", "<=", ">", ">=")
_FDS = ("fd", "dirfd")
_AT_FDCWD = 0xFFFF_FFFF_FFFF_FF9C
_OPEN, _OPENAT, _CREAT, _OPENAT2 = 2, 257, 85, 437
_OPENERS = (_OPEN, _OPENAT, _CREAT, _OPENAT2)
_READ, _WRITE = 0, 1
_O_CREAT_TRUNC = 0o1101
_CLONE_VM = 0x100
_M64 = (1 << 64) - 1

Equal = tuple[int, tuple[int, ...], tuple[str, ...]]
"""A call that does the same: number, arguments, and the fields by which a refusal counts."""


def _equals() -> dict[int, Callable[[Sequence[int]], Iterator[Equal]]]:
    def writes(a: Sequence[int]) -> Iterator[Equal]:
        yield _WRITE, (a[0], a[1], a[2]), ("fd",)

    def reads(a: Sequence[int]) -> Iterator[Equal]:
        yield _READ, (a[0], a[1], a[2]), ("fd",)

    def sendfile(a: Sequence[int]) -> Iterator[Equal]:
        yield _WRITE, (a[0], 0, a[3]), ("fd",)
        yield _READ, (a[1], 0, a[3]), ("fd",)

    def splice(a: Sequence[int]) -> Iterator[Equal]:
        yield _WRITE, (a[2], 0, a[4]), ("fd",)
        yield _READ, (a[0], 0, a[4]), ("fd",)

    def opened(a: Sequence[int]) -> Iterator[Equal]:
        yield _OPENAT, (_AT_FDCWD, a[0], a[1], a[2]), ("flags",)

    def openat(a: Sequence[int]) -> Iterator[Equal]:
        yield _OPEN, (a[1], a[2], a[3]), ("flags",)

    def openat2(a: Sequence[int]) -> Iterator[Equal]:
        yield _OPEN, (a[1], 0, 0), ()
        yield _OPENAT, (a[0], a[1], 0, 0), ()

    def creat(a: Sequence[int]) -> Iterator[Equal]:
        yield _OPEN, (a[0], _O_CREAT_TRUNC, a[1]), ("flags",)
        yield _OPENAT, (_AT_FDCWD, a[0], _O_CREAT_TRUNC, a[1]), ("flags",)

    def execveat(a: Sequence[int]) -> Iterator[Equal]:
        yield 59, (a[1], a[2], a[3]), ()

    def dup2(a: Sequence[int]) -> Iterator[Equal]:
        yield 292, (a[0], a[1], 0), ("oldfd", "newfd")

    def dup3(a: Sequence[int]) -> Iterator[Equal]:
        yield 33, (a[0], a[1]), ("oldfd", "newfd")

    def fork(a: Sequence[int]) -> Iterator[Equal]:
        yield 57, (), ()

    def clone(a: Sequence[int]) -> Iterator[Equal]:
        if not a[0] & _CLONE_VM:
            yield 57, (), ()

    return {
        **dict.fromkeys((18, 20, 296, 328, 44), writes),
        **dict.fromkeys((17, 19, 295, 327, 45), reads),
        40: sendfile, 275: splice, 326: splice,
        _OPEN: opened, _OPENAT: openat, _OPENAT2: openat2, _CREAT: creat,
        322: execveat, 33: dup2, 292: dup3, 58: fork, 56: clone,
    }  # fmt: skip


class Doors:
    """Looks at calls that were allowed under one policy: that of the machine at its fork point.

    `filters` is the policy in force, `None` before one is; `inherited` the descriptors of files
    that were open then.
    """

    def __init__(self, target: Target, task: Task) -> None:
        state = task.seccomp
        self._target = target
        self.filters: FilterSet | None = state.filters if state.enforcing else None
        self.inherited = {
            fd: file
            for fd, file in task.files.table.items()
            if fd > 2 and (S_ISREG(file.inode.mode) or S_ISDIR(file.inode.mode))
        }
        self._equals = _equals()
        self._signatures: dict[int, Signature] = {}
        policy = target.policy
        self._refused_by_name = {
            entry.nr for entry in (policy.entries if policy else ()) if entry.expression == "0"
        }

    def look(self, call: Call, data: bytes) -> Finding | None:
        """The finding that an allowed call is, or None, as almost always."""
        nr, args = call[0], call[1:]
        if self.filters is None or nr >> 32:
            return None
        return (
            self._truncated(nr, args, data)
            or self._equivalent(nr, args, data)
            or self._inherited(nr, args, data)
        )

    # -- the three kinds ---------------------------------------------------------------------

    def _truncated(self, nr: int, args: tuple[int, ...], data: bytes) -> Finding | None:
        assert self.filters is not None
        entry = self.filters.get(nr)
        if entry is None or entry.filter is None:
            return None
        unsigned, signed = list(args), list(args)
        for at, parameter in enumerate(self._signature(nr).parameters):
            bits = 32 if parameter.kind in _FDS else abs(parameter.width)
            low = args[at] & (1 << bits) - 1
            unsigned[at] = low
            signed[at] = low | (_M64 ^ (1 << bits) - 1) if low >> (bits - 1) else low
        if args in (tuple(unsigned), tuple(signed)):
            return None
        match = entry.filter.match
        if match(nr, *unsigned) or match(nr, *signed):
            return None
        wide = next(at for at in range(6) if args[at] not in (unsigned[at], signed[at]))
        field = self._signature(nr).parameters[wide].name
        because = entry.filter.explain(nr, unsigned).because
        predicate = ", ".join(str(outcome.predicate) for outcome in because)
        return self._finding(
            "run-truncation",
            f"{entry.name}|{field}|{predicate}",
            f"{entry.name} takes {field} = {args[wide]:#x} for {number(unsigned[wide])}, which "
            "the policy refuses",
            f"With this input the program calls {entry.name} with {field} = {args[wide]:#x}. The "
            f"policy compares all 64 bits and lets it pass; the call looks at the low ones, and "
            f"does what it does for {number(unsigned[wide])}: that is refused ({predicate} is "
            "false).",
            nr, args, data, {"instead": unsigned},
        )

    def _equivalent(self, nr: int, args: tuple[int, ...], data: bytes) -> Finding | None:
        equals = self._equals.get(nr)
        if equals is None:
            return None
        for other, values, fields in equals(args):
            reason = self._says_no(other, values, fields)
            if reason is None or self._on_purpose(nr, args, (*fields, "fd")):
                continue
            mine, its = self._name(nr), self._name(other)
            return self._finding(
                "run-equivalent",
                f"{mine}|{its}|{reason}",
                f"{mine} does what the policy refuses to {its}",
                f"With this input the program calls {mine}, which the policy allows. It does what "
                f"{its} does, and that the policy refuses: {reason}.",
                nr, args, data, {"instead": [other, *values]},
            )
        return None

    def _inherited(self, nr: int, args: tuple[int, ...], data: bytes) -> Finding | None:
        assert self.filters is not None
        if not self.inherited or any(self.filters.get(opener) for opener in _OPENERS):
            return None
        for at, parameter in enumerate(self._signature(nr).parameters):
            fd = args[at] & 0xFFFF_FFFF
            if parameter.kind not in _FDS or fd not in self.inherited:
                continue
            if nr == 3 or self._on_purpose(nr, args, (parameter.name,)):
                continue
            name = self._name(nr)
            return self._finding(
                "run-inherited",
                f"{name}|{parameter.name}",
                f"{name} reaches descriptor {fd}, a file that was open before the policy",
                f"With this input the program calls {name} on descriptor {fd}. The policy refuses "
                "every way to open a file, but this one was open when the policy came into force, "
                "and nothing in its entry says that the descriptor may be used.",
                nr, args, data, {"descriptor": fd},
            )
        return None

    # -- what the policy says ----------------------------------------------------------------

    def _says_no(self, nr: int, args: tuple[int, ...], fields: tuple[str, ...]) -> str | None:
        """Why a call is refused in so many words: by a line `0`, or a predicate on `fields`."""
        assert self.filters is not None
        if nr in self._refused_by_name:
            return f"{self._name(nr)}: 0"
        entry = self.filters.get(nr)
        if entry is None or entry.filter is None:
            return None
        explanation = entry.filter.explain(nr, args)
        if explanation.match:
            return None
        because = [o.predicate for o in explanation.because if o.predicate.field.name in fields]
        return f"{', '.join(map(str, because))} is false" if because else None

    def _on_purpose(self, nr: int, args: tuple[int, ...], fields: tuple[str, ...]) -> bool:
        """Whether the call is allowed by a predicate that says what one of the fields may be."""
        assert self.filters is not None
        entry = self.filters.get(nr)
        if entry is None or entry.filter is None:
            return False
        return any(
            outcome.predicate.op in _POSITIVE and outcome.predicate.field.name in fields
            for outcome in entry.filter.explain(nr, args).because
        )

    def _signature(self, nr: int) -> Signature:
        from emukernel.kernel.syscalls.dispatch import ROWS
        from emukernel.kernel.syscalls.signature import parse

        found = self._signatures.get(nr)
        if found is None:
            row = ROWS.get(nr)
            found = self._signatures[nr] = parse("" if row is None else row[3])
        return found

    def _name(self, nr: int) -> str:
        from emukernel.ftrace.events import table

        event = table(ptregs_events=self._target.ptregs_events).by_nr(nr)
        return f"system call {nr}" if event is None or event.entry is None else event.entry

    def _finding(
        self,
        rule: str,
        key: str,
        title: str,
        text: str,
        nr: int,
        args: tuple[int, ...],
        data: bytes,
        more: dict[str, object],
    ) -> Finding:
        from emukernel.strace import describe_call

        shown = describe_call(nr, args, lambda _address, _size: None, compat=False)
        return Finding(
            kind="bypass",
            rule=rule,
            key=key,
            title=title,
            text=f"{text}\nThe call: {shown}",
            place=self._place(nr),
            evidence={"call": shown, "nr": nr, "args": list(args), **more},
            replay={"target": self._target.to_json()},
            input=data,
        )

    def _place(self, nr: int) -> Place | None:
        policy = self._target.policy
        for entry in policy.entries if policy is not None else ():
            if entry.nr == nr:
                length = max(1, len(entry.expression))
                return Place(policy.file, entry.line, entry.expression_column, length)  # type: ignore[union-attr]
        return None
