"""What `int 0x80` reaches: the i386 calls that mean the same as a 64-bit call.

The six registers (ebx, ecx, edx, esi, edi, ebp) arrive zero-extended, as Linux's 64-bit entry for
32-bit calls leaves them, and go through the casts of the 64-bit call: `int` becomes signed there,
a pointer or size stays below 4 GiB, and `long` is *not* sign-extended (__ia32_sys_ stubs,
arch/x86/include/asm/syscall_wrapper.h). Where Linux has a compat_sys_ function that treats an
argument in another way, the row says which types it has instead.

Calls whose structs, ids of 16 bits or split 64-bit arguments would need a translation are ENOSYS.
"""

from __future__ import annotations

from emukernel.kernel.syscalls import dispatch
from emukernel.kernel.syscalls.dispatch import (
    casting,
    find_handler,
    not_implemented,
    sys_ni_syscall,
)
from emukernel.kernel.syscalls.signature import parse
from emukernel.kernel.syscalls.table import SYSCALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from emukernel.kernel.syscalls.dispatch import Handler

I386: Final[tuple[tuple[int, str, str], ...]] = (
    (1, "exit", ""),
    (3, "read", ""),
    (4, "write", ""),
    (6, "close", ""),
    (9, "link", ""),
    (10, "unlink", ""),
    (12, "chdir", ""),
    (14, "mknod", ""),
    (15, "chmod", ""),
    (19, "lseek", "unsigned int fd, int offset, unsigned int whence"),
    (20, "getpid", ""),
    (33, "access", ""),
    (36, "sync", ""),
    (37, "kill", ""),
    (38, "rename", ""),
    (39, "mkdir", ""),
    (40, "rmdir", ""),
    (41, "dup", ""),
    (60, "umask", ""),
    (61, "chroot", ""),
    (63, "dup2", ""),
    (64, "getppid", ""),
    (65, "getpgrp", ""),
    (66, "setsid", ""),
    (83, "symlink", ""),
    (85, "readlink", ""),
    (91, "munmap", ""),
    (92, "truncate", "const char *path, int length"),
    (93, "ftruncate", "unsigned int fd, int length"),
    (94, "fchmod", ""),
    (118, "fsync", ""),
    (125, "mprotect", ""),
    (132, "getpgid", ""),
    (133, "fchdir", ""),
    (144, "msync", ""),
    (147, "getsid", ""),
    (148, "fdatasync", ""),
    (158, "sched_yield", ""),
    (172, "prctl", ""),
    (183, "getcwd", ""),
    (199, "getuid", ""),
    (200, "getgid", ""),
    (201, "geteuid", ""),
    (202, "getegid", ""),
    (213, "setuid", ""),
    (214, "setgid", ""),
    (224, "gettid", ""),
    (252, "exit_group", ""),
    (270, "tgkill", ""),
    (330, "dup3", ""),
    (355, "getrandom", ""),
)
"""(number of i386, name of the 64-bit call, the C types that compat_sys_ has where they differ)."""

_names: dict[int, str] = {}


def resolve(nr: int) -> Handler:
    """The handler of the i386 call `nr`; as dispatch.resolve() for 64-bit calls."""
    for number, name, types in I386:
        if number == nr:
            row = next(row for row in SYSCALLS if row[1] == name)
            if not types:
                return dispatch.resolve(row[0])
            function = find_handler(row)
            if function is None:
                return not_implemented(row[0], name)
            return casting(function, [p.width for p in parse(types).parameters])
    return sys_ni_syscall


def name32(nr: int) -> str | None:
    """The name of the i386 call `nr` (`sigreturn` for 119), None where there is no such call."""
    if not _names:
        import json
        import os

        here = os.path.dirname(__file__)
        path = os.path.join(here, "..", "..", "data", "syscalls_i386.json")
        with open(path, encoding="ascii") as file:
            _names.update((int(number), name) for number, name in json.load(file).items())
    return _names.get(nr)


def numbers() -> dict[str, int]:
    """The numbers of the i386 calls by name: under the 64-bit call's name where they do the same
    (getuid: 199, which is called getuid32 there)."""
    name32(0)
    found = {name: nr for nr, name in _names.items()}
    found.update((name, nr) for nr, name, _ in I386)
    return found
