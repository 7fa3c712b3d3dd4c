"""Signatures of system calls, and what their C types do to a register.

A register is 64 bits; a parameter takes as many of them as its type has. This is what the casts in
Linux's SYSCALL_DEFINE macros do (include/linux/syscalls.h), with the sizes of x86-64.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

WIDTHS: Final = {
    "umode_t": 16,
    "int": -32,
    "__s32": -32,
    "pid_t": -32,
    "clockid_t": -32,
    "timer_t": -32,
    "key_t": -32,
    "key_serial_t": -32,
    "mqd_t": -32,
    "rwf_t": -32,
    "unsigned": 32,
    "unsigned int": 32,
    "u32": 32,
    "__u32": 32,
    "uid_t": 32,
    "gid_t": 32,
    "qid_t": 32,
    "enum landlock_rule_type": 32,
    "long": -64,
    "off_t": -64,
    "loff_t": -64,
    "unsigned long": 64,
    "size_t": 64,
    "u64": 64,
    "__u64": 64,
    "aio_context_t": 64,
    "cap_user_header_t": 64,
    "cap_user_data_t": 64,
}
"""Bits of each C type that is no pointer by its spelling; negative where it is signed."""

POINTER: Final = 64


class Parameter:
    """One parameter: its C type (`char *`), its name and its kind ("" where the type says all).

    `width` is the number of bits that the call looks at, negative where they are signed.
    """

    __slots__ = ("kind", "name", "type", "width")

    def __init__(self, type: str, name: str, kind: str) -> None:
        self.type = type
        self.name = name
        self.kind = kind
        self.width = type_width(type)

    def value(self, register: int) -> int:
        """The parameter's value in a raw register."""
        return cast(register, self.width)

    @property
    def is_pointer(self) -> bool:
        return self.type.endswith(("*", "*const")) or self.type.endswith(
            ("cap_user_header_t", "cap_user_data_t")
        )


class Signature:
    """The parameters of a call in order, and the kind of what it returns."""

    __slots__ = ("parameters", "result")

    def __init__(self, parameters: tuple[Parameter, ...], result: str) -> None:
        self.parameters = parameters
        self.result = result

    def index(self, name: str) -> int:
        """The position of the parameter of that name. KeyError where there is none."""
        for i, parameter in enumerate(self.parameters):
            if parameter.name == name:
                return i
        raise KeyError(name)


def type_width(type: str) -> int:
    """The bits of a C type, negative where it is signed. KeyError for a type not known."""
    if "*" in type:
        return POINTER
    return WIDTHS[type.removeprefix("const ")]


def cast(value: int, width: int) -> int:
    """`value` as an integer of -width signed or width unsigned bits."""
    if width > 0:
        return value & ((1 << width) - 1)
    sign = 1 << (-width - 1)
    return (value & ((sign << 1) - 1) ^ sign) - sign


def parse(signature: str) -> Signature:
    """Read a signature as the table has it (kernel/syscalls/table.py says what is in one)."""
    text, _, result = signature.partition("->")
    parameters = [_parameter(part) for part in text.split(",") if part.strip()]
    return Signature(tuple(parameters), result.strip())


def _parameter(text: str) -> Parameter:
    declaration, _, kind = text.partition(":")
    declaration = declaration.strip()
    start = len(declaration)
    while declaration[start - 1].isalnum() or declaration[start - 1] == "_":
        start -= 1
    return Parameter(declaration[:start].strip(), declaration[start:], kind.strip())
