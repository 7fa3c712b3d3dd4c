"""From the number of a call to the function that carries it out.

`resolve(nr)` gives a callable over the task and the six raw argument registers (unsigned 64-bit:
rdi, rsi, rdx, r10, r8, r9) that casts them to the C types of the call's signature and calls its
handler. Handlers are imported when they are first asked for. The entry path keeps what it got:

    handler = handlers.get(nr) or resolve(nr)
    result = handler(task, rdi, rsi, rdx, r10, r8, r9)
"""

from __future__ import annotations

from emukernel.kernel.errno import ENOSYS, Errno
from emukernel.kernel.syscalls.signature import parse
from emukernel.kernel.syscalls.table import SYSCALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emukernel.kernel.syscalls.table import Row
    from emukernel.kernel.task import Task

    Handler = Callable[[Task, int, int, int, int, int, int], int]

ROWS: dict[int, Row] = {row[0]: row for row in SYSCALLS}
"""The rows of the table by number."""

OUTSIDE_HOOK = frozenset((15, 56, 57, 58, 59, 60, 231, 322, 435))
"""Calls that make, replace or end an image: they must not run inside the CPU's hook."""


def resolve(nr: int) -> Handler:
    """The handler of the 64-bit call `nr`. One that the table lacks or has no code for is ENOSYS.

    All numbers outside the table get the same function: there is nothing to keep.
    """
    row = ROWS.get(nr)
    if row is None:
        return sys_ni_syscall
    function = find_handler(row)
    if function is None:
        return not_implemented(nr, row[1])
    return casting(function, (parameter.width for parameter in parse(row[3]).parameters))


def find_handler(row: Row) -> Callable[..., int] | None:
    """The function `sys_NAME` of the row's module, or None where there is no such module or none
    in it."""
    _, name, path, _ = row
    if not path:
        return None
    full = f"emukernel.kernel.{path}"
    try:
        module = __import__(full, fromlist=("*",))
    except ModuleNotFoundError as error:
        if not f"{full}.".startswith(f"{error.name}."):
            raise  # it is there, and something that it needs is not
        return None
    function: Callable[..., int] | None = getattr(module, f"sys_{name}", None)
    return function


def sys_ni_syscall(task: Task, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int:
    """A call that does not exist (kernel/sys_ni.c)."""
    raise Errno(ENOSYS)


def not_implemented(nr: int, name: str) -> Handler:
    """A call that Linux has and this kernel has not: ENOSYS, with one line in the kernel log."""

    def handler(task: Task, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int:
        unimplemented = task.kernel.unimplemented
        if nr not in unimplemented:
            unimplemented.add(nr)
            task.kernel.log.printk(f"system call {nr} (sys_{name}) is not implemented: ENOSYS")
        raise Errno(ENOSYS)

    return handler


def signed32(value: int) -> int:
    """The low 32 bits of a register, signed."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


# What a register goes through, by the width of the parameter. Most arguments are small and need no
# arithmetic.
CASTS = {
    64: "{a}",
    -64: "{a} if {a} < 0x8000000000000000 else {a} - 0x10000000000000000",
    32: "{a} if {a} <= 0xFFFFFFFF else {a} & 0xFFFFFFFF",
    -32: "{a} if {a} < 0x80000000 else signed32({a})",
    16: "{a} if {a} <= 0xFFFF else {a} & 0xFFFF",
}


def casting(function: Callable[..., int], widths: Iterable[int]) -> Handler:
    """`function(task, a, b, …)` behind the six registers, each cast to its width.

    Generated code, so that a call costs what is written here and no loop:

        lambda task, a0, a1, a2, a3, a4, a5: sys_x(task, a0 if a0 < 0x80000000 else signed32(a0))
    """
    arguments = [CASTS[width].format(a=f"a{i}") for i, width in enumerate(widths)]
    call = ", ".join(["task", *arguments])
    source = f"lambda task, a0, a1, a2, a3, a4, a5: handler({call})"
    code = compile(source, f"<casts of {function.__name__}>", "eval")
    wrapper: Handler = eval(code, {"handler": function, "signed32": signed32})
    return wrapper
