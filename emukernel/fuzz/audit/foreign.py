"""The same call under another number.

A filter that looks at the number of a call can be walked around where the kernel takes other
numbers for the same thing: `int $0x80` counts as i386 does, the x32 ABI adds 0x40000000 (lists of
forbidden calls have been passed by so), socketcall(2) is all socket calls in one, and of RAX the
kernel looks at the low half only. Surfaces that refuse all of these have nothing to fear; whether
they do is found by trying.
"""

from __future__ import annotations

import json
import os
from functools import cache

from emukernel.fuzz.program import Call, Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.ways import Form

X32_BIT = 0x40000000
_DATA = os.path.join(os.path.dirname(__file__), "..", "..", "data")
_SOCKETCALLS = {"socket": 1, "bind": 2, "connect": 3, "listen": 4, "accept": 5, "socketpair": 8}
_ARRAY = 0x4FF000
"""Where the arguments of a socketcall lie."""


def foreign_forms(form: Form) -> Iterator[tuple[str, bytes]]:
    """(name, program) for each other number of the call that matters in a form."""
    chief = form.chief
    name = form.way.chief_step.name

    def program(call: Call, data: dict[int, bytes] | None = None) -> bytes:
        steps = [call if step is chief else step for step in form.program.steps]
        return Program(steps, {**form.program.data, **(data or {})}).elf()

    yield f"{name} as x32 numbers it", program(Call(chief.nr | X32_BIT, chief.args))
    yield f"{name} with RAX's high half set", program(Call(chief.nr | 1 << 32, chief.args))
    number = numbers_32().get(name)
    if number is not None and all(value < 1 << 32 for value in chief.args):
        yield f"{name} by int $0x80", program(Call(number, chief.args, compat=True))
    call = _SOCKETCALLS.get(name)
    if call is not None:
        array = b"".join((value & 0xFFFFFFFF).to_bytes(4, "little") for value in chief.args)
        door = Call(numbers_32()["socketcall"], (call, _ARRAY), compat=True)
        yield f"{name} by socketcall", program(door, {_ARRAY: array})


@cache
def numbers_32() -> dict[str, int]:
    """The numbers of i386's calls by their names."""
    with open(os.path.join(_DATA, "syscalls_i386.json"), encoding="ascii") as file:
        return {name: int(number) for number, name in json.load(file).items()}
