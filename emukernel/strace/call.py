"""One system call while it is being decoded."""

from __future__ import annotations

from emukernel.kernel.errno import MAX_ERRNO
from emukernel.kernel.syscalls.dispatch import ROWS
from emukernel.kernel.syscalls.signature import Parameter, Signature, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    ReadUser = Callable[[int, int], bytes | None]

PAGE = 4096
MAX_READ = 4096
"""Bytes of the guest's memory that one look takes at most, whatever a guest says of its sizes."""

_calls: dict[int, tuple[str, Signature]] = {}


def _registers(*names: str) -> Signature:
    return Signature(tuple(Parameter("unsigned long", name, "x") for name in names), "")


UNKNOWN = _registers("rdi", "rsi", "rdx", "r10", "r8", "r9")
I386 = _registers("ebx", "ecx", "edx", "esi", "edi", "ebp")


def signature(nr: int) -> tuple[str, Signature]:
    """The name and signature of a call; of one that there is not `syscall_0x1f4` and the
    registers."""
    found = _calls.get(nr)
    if found is None:
        row = ROWS.get(nr)
        if row is None:
            return f"syscall_{nr & 0xFFFFFFFFFFFFFFFF:#x}", UNKNOWN
        found = _calls[nr] = (row[1], parse(row[3]))
    return found


def compat_signature(nr: int) -> tuple[str, Signature]:
    """The name of an i386 call, with `32:` before it, and its six registers."""
    from emukernel.kernel.syscalls.i386 import name32

    return f"32:{name32(nr) or f'syscall_{nr & 0xFFFFFFFF:#x}'}", I386


class Call:
    """A call with its raw arguments (unsigned 64-bit registers) and, once it has come back, its
    result.

    `texts` are the decoded arguments: None for one that is known only when the call is back, "" for
    one that is not shown. `ret` is None until then; -errno for an error.
    `read_user(address, size)` looks at the guest's memory: None where not all of it can be read.
    """

    __slots__ = (
        "args", "changed", "kept", "name", "nr", "parameters", "read_user", "result", "ret",
        "texts",
    )  # fmt: skip

    def __init__(
        self, nr: int, args: tuple[int, ...], read_user: ReadUser, *, compat: bool = False
    ) -> None:
        self.nr = nr
        self.args = args
        self.read_user = read_user
        self.name, known = compat_signature(nr) if compat else signature(nr)
        self.parameters = known.parameters
        self.result = known.result
        self.ret: int | None = None
        self.texts: list[str | None] = []
        self.kept: dict[int, str] = {}
        """What was decoded before the call for an argument that is shown after it."""
        self.changed = ""
        """What the call changed in its first argument, ` => {…}`, where that is shown both ways."""

    @property
    def exited(self) -> bool:
        return self.ret is not None

    @property
    def failed(self) -> bool:
        """The call is back, with an error."""
        return self.ret is not None and -MAX_ERRNO <= self.ret < 0

    def value(self, i: int) -> int:
        """Argument `i` as its C type has it."""
        return self.parameters[i].value(self.args[i])

    def named(self, name: str) -> int:
        """The argument of that name as its C type has it."""
        for i, parameter in enumerate(self.parameters):
            if parameter.name == name:
                return self.value(i)
        raise KeyError(name)

    def read(self, address: int, size: int) -> bytes | None:
        """`size` bytes of the guest's memory (4096 at most), None where they can't be read."""
        if size <= 0:
            return b""
        return self.read_user(address, min(size, MAX_READ))

    def integer(self, address: int, size: int, *, signed: bool = False) -> int | None:
        """The integer of `size` bytes at `address`."""
        data = self.read(address, size)
        return None if data is None else int.from_bytes(data, "little", signed=signed)

    def string(self, address: int, limit: int) -> tuple[bytes, bool] | None:
        """Up to `limit` bytes of the string at `address` without its NUL, and whether there is more
        of it; None where memory ends before the string does."""
        data = b""
        while len(data) <= limit:
            size = min(PAGE - (address + len(data)) % PAGE, limit + 1 - len(data))
            piece = self.read_user(address + len(data), size)
            if piece is None:
                return None
            text, nul, _ = piece.partition(b"\0")
            data += text
            if nul:
                return data[:limit], len(data) > limit
        return data[:limit], True


def pointer(address: int) -> str:
    """An address: `NULL`, `0x4a2010`."""
    return f"{address:#x}" if address else "NULL"
