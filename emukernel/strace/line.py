"""A call as one line of text: `openat(AT_FDCWD, "f", O_RDONLY) = 3`."""

from __future__ import annotations

from emukernel.kernel.errno import name as errno_name
from emukernel.kernel.errno import strerror
from emukernel.strace.call import Call
from emukernel.strace.kinds import decode, result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import ReadUser

LINE_LIMIT = 4000
"""Characters of the arguments that are shown."""

RESULT_COLUMN = 40

_OPEN_ENDED = ("clone", "clone3")

RESTARTS = {
    512: "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
    513: "? ERESTARTNOINTR (To be restarted)",
    514: "? ERESTARTNOHAND (To be restarted if no handler)",
    516: "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
}
"""Results that the task never sees: a signal interrupted the call."""


def enter(nr: int, args: tuple[int, ...], read_user: ReadUser, *, compat: bool = False) -> Call:
    """A call as it is made, with the arguments that are known then decoded. `compat`: by int 0x80;
    of such a call the registers are shown, as numbers."""
    call = Call(nr, args, read_user, compat=compat)
    call.texts = [decode(call, i) for i in range(len(call.parameters))]
    return call


def leave(call: Call, ret: int) -> None:
    """The call is back with `ret` (-errno for an error): decode what it wrote."""
    call.ret = ret - (1 << 64) if ret >= 1 << 63 else ret
    for i, text in enumerate(call.texts):
        if text is None:
            call.texts[i] = decode(call, i)


def opening(call: Call) -> str:
    """The call as far as it is known before it is back: `read(3, `."""
    known: list[str] = []
    for text in call.texts:
        if text is None:
            # Of some it is not known yet what follows.
            end = ", " if known and call.name not in _OPEN_ENDED else ""
            return _cut(f"{call.name}({', '.join(known)}{end}")
        if text:
            known.append(text)
    return _cut(f"{call.name}({', '.join(known)}")


def rest(call: Call, late: int) -> str:
    """The arguments from the one at `late` on, and the bracket that closes them. Of a call that
    never came back they are not known."""
    if call.ret is None and late < len(call.texts):
        return " <unfinished ...>)"
    texts = [text for text in call.texts[late:] if text]
    if texts and call.name in _OPEN_ENDED:
        texts.insert(0, call.changed)
    return _cut(", ".join(texts)) + ")"


def whole(call: Call) -> str:
    """`name(argument, argument)`. What was never decoded (the call did not come back) is shown as
    its register."""
    texts = [f"{call.args[i]:#x}" if text is None else text for i, text in enumerate(call.texts)]
    if call.changed:
        texts[0] += call.changed
    return _cut(f"{call.name}({', '.join([text for text in texts if text])}") + ")"


def outcome(call: Call) -> str:
    """What stands behind `=`: `3`, `-1 ENOENT (No such file or directory)`, `?`."""
    ret = call.ret
    if ret is None:
        return "?"
    if not call.failed:
        return result(call)
    if -ret in RESTARTS:
        return RESTARTS[-ret]
    name = errno_name(-ret)
    if name.isdigit():
        return f"-1 (errno {name})"
    return f"-1 {name} ({strerror(-ret)})"


def aligned(head: str, call: Call) -> str:
    """`head` and the call's outcome, the `=` in the column where strace has it."""
    return f"{head.ljust(RESULT_COLUMN - 1)} = {outcome(call)}"


def format_call(nr: int, args: tuple[int, ...], read_user: ReadUser, ret: int | None = None) -> str:
    """The line of a call, all of whose memory is as it is now. `ret` as leave() takes it; None for
    a call that does not come back."""
    call = enter(nr, args, read_user)
    if ret is not None:
        leave(call, ret)
    return aligned(whole(call), call)


def _cut(text: str) -> str:
    return text if len(text) <= LINE_LIMIT else text[:LINE_LIMIT] + "..."
