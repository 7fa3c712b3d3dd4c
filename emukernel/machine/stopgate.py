"""Native functions of a few instructions: if a flag is set, or a count is down, stop the engine.

The engine calls them before every block of code. Python would take a hundred times as long there,
and nothing in libunicorn itself makes the stop depend on a flag or a count of blocks.
"""

from __future__ import annotations

import mmap
import platform
from ctypes import addressof, c_char, c_void_p, cast
from struct import pack

from emukernel.machine.libunicorn import BLOCK_HOOK, lib

#: Where in their page the flag or the count is.
_FLAG = 64


def _code(flag: int, stop: int) -> bytes | None:
    """`if (*flag) return stop(uc); return;` for this host, or None for a host without it."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        # movabs $flag,%rax; cmpl $0,(%rax); jne 1f; ret; 1: movabs $stop,%rax; jmp *%rax
        return b"\x48\xb8" + pack("<Q", flag) + b"\x83\x38\x00\x75\x01\xc3\x48\xb8" + pack(
            "<Q", stop
        ) + b"\xff\xe0"  # fmt: skip
    if machine in ("aarch64", "arm64"):
        # ldr x16,flag; ldr w16,[x16]; cbnz w16,1f; ret; 1: ldr x16,stop; br x16; flag, stop
        words = (0x580000D0, 0xB9400210, 0x35000050, 0xD65F03C0, 0x58000090, 0xD61F0200)
        return pack("<6IQQ", *words, flag, stop)
    return None


def _page_of_code() -> tuple[mmap.mmap, int]:
    page = mmap.mmap(
        -1,
        mmap.PAGESIZE,
        mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
        mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
    )
    return page, addressof(c_char.from_buffer(page))


def _stop_function() -> int:
    return cast(lib.uc_emu_stop, c_void_p).value or 0


class StopGate:
    """`address` is the function, `close` has it stop the engine and `open` lets it pass."""

    __slots__ = ("_page", "address")

    def __init__(self) -> None:
        self._page, base = _page_of_code()
        code = _code(base + _FLAG, _stop_function())
        self.address = 0
        if code is not None:
            self._page[: len(code)] = code
            self.address = base

    def close(self) -> None:
        """Nothing passes from now on."""
        self._page[_FLAG] = 1

    def open(self) -> None:
        """Everything passes again."""
        self._page[_FLAG] = 0


class Countdown:
    """`hook` is a function that takes 1 off `left[0]` and stops the engine when that makes it 0.

    It is native on an x86-64 host; elsewhere it is Python's, slow and otherwise the same.
    """

    __slots__ = ("_page", "hook", "left")

    def __init__(self) -> None:
        self._page, base = _page_of_code()
        self.left = memoryview(self._page)[_FLAG : _FLAG + 8].cast("q")
        self.hook: object
        if platform.machine().lower() in ("x86_64", "amd64"):
            # movabs $left,%rax; decq (%rax); je 1f; ret; 1: movabs $stop,%rax; jmp *%rax
            code = b"\x48\xb8" + pack("<Q", base + _FLAG) + b"\x48\xff\x08\x74\x01\xc3\x48\xb8"
            code += pack("<Q", _stop_function()) + b"\xff\xe0"
            self._page[: len(code)] = code
            self.hook = base
        else:
            left = self.left

            def count(uc: int, _address: int, _size: int, _data: int) -> None:
                left[0] -= 1
                if not left[0]:
                    lib.uc_emu_stop(uc)

            self.hook = BLOCK_HOOK(count)
