"""A call in the words of the filter language: the violation's text."""

from __future__ import annotations

from emukernel.ftrace.events import table
from emukernel.kernel.syscalls.dispatch import ROWS
from emukernel.strace.call import Call
from emukernel.strace.literal import PATH_LIMIT, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import ReadUser

I386_REGISTERS = ("ebx", "ecx", "edx", "esi", "edi", "ebp")


def describe_call(
    nr: int, args: tuple[int, ...], read_user: ReadUser, *, compat: bool = False
) -> str:
    """`sys_openat(dfd=0xffffff9c, filename=0x4a2010 "/etc/passwd", flags=0x0, mode=0x0)`.

    Names are those that a filter uses, values the whole registers that it compares; where one
    points to a path or another string, that follows.
    """
    if compat:
        from emukernel.kernel.syscalls.i386 import name32

        name = name32(nr)
        shown = zip(I386_REGISTERS, args, strict=True)
        values = ", ".join([f"{register}={value:#x}" for register, value in shown])
        return f"32-bit {f'sys_{name}' if name else f'system call {nr}'}({values})"
    call = Call(nr, args, read_user)
    event = table().by_nr(nr)
    if event:
        name = event.title
    else:
        name = f"sys_{call.name}" if nr in ROWS else f"system call {nr}"
    names = [field.name for field in event.arguments] if event else []
    texts = []
    for i, parameter in enumerate(call.parameters):
        text = f"{names[i] if i < len(names) else parameter.name}={args[i]:#x}"
        if parameter.kind in ("path", "string") and args[i]:
            string = call.string(args[i], PATH_LIMIT)
            if string:
                text += f" {quote(*string)}"
        texts.append(text)
    return f"{name}({', '.join(texts)})"
