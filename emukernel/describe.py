"""In words: a call that was refused, and why a program could not be started."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.errno import Errno
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation

_ET_EXEC, _ET_DYN, _EM_X86_64 = 2, 3, 62


def describe_violation(task: Task, violation: Violation) -> tuple[str, str]:
    """(call, place): `sys_openat(dfd=…, filename=0x… "/etc/passwd", …)`, `0x401b2c (main+0x1c)`."""
    from emukernel.kernel.errno import Errno
    from emukernel.kernel.uaccess import copy_from_user
    from emukernel.strace import describe_call
    from emukernel.symbols import symbol_at

    def read_user(address: int, size: int) -> bytes | None:
        try:
            return copy_from_user(task, address, size)
        except Errno:
            return None

    call = describe_call(violation.nr, violation.args, read_user, compat=violation.compat)
    # The instruction itself: `syscall` and `int $0x80` are both two bytes long.
    address = violation.ip - 2
    symbol = symbol_at(task, address)
    return call, f"{address:#x}" + (f" ({symbol})" if symbol else "")


def describe_exec_failure(task: Task, name: bytes, shown: str, error: Errno) -> str:
    """Why execve of the guest's `name` failed, with what the user can do about it.

    `shown` is the name as the user gave it.
    """
    from emukernel.ftrace.diagnose import printable
    from emukernel.kernel.errno import EACCES, ENOENT, ENOEXEC, strerror
    from emukernel.kernel.errno import name as errno_name

    reason = ""
    shown = printable(shown)
    if error.errno == EACCES:
        reason = _not_executable(task, name, shown)
    elif error.errno in (ENOENT, ENOEXEC):
        reason = _bad_image(task, name, shown)
    return reason or f"{shown}: {strerror(error.errno)} ({errno_name(error.errno)})"


def _printable(name: bytes) -> str:
    from emukernel.ftrace.diagnose import printable

    return printable(name.decode("utf-8", "surrogateescape"))


def _not_executable(task: Task, name: bytes, shown: str) -> str:
    from stat import S_ISREG

    from emukernel.kernel.errno import Errno
    from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_FOLLOW, path_lookupat

    try:
        mode = path_lookupat(task, AT_FDCWD, name, LOOKUP_FOLLOW).inode.mode
    except Errno:
        guest = _printable(name)
        return (
            f"{shown}: user {task.cred.uid} can't reach {guest} in the guest's tree (show it "
            "elsewhere with --bind HOST:GUEST)"
        )
    if not S_ISREG(mode):
        return f"{shown}: not a regular file"
    if not mode & 0o111:
        return f"{shown}: not executable (chmod +x)"
    return ""


def _bad_image(task: Task, name: bytes, shown: str) -> str:
    """What is wrong with a program or with one of the `#!` interpreters that it leads to."""
    from emukernel.kernel.binfmt_elf import missing_interpreter
    from emukernel.kernel.binfmt_script import parse_script
    from emukernel.kernel.errno import Errno
    from emukernel.kernel.fs.filp_open import close_exec, open_exec

    for _ in range(6):
        try:
            file = open_exec(task, name)
        except Errno:
            return ""
        head = file.read_at(task, 0, 256)
        close_exec(file)
        try:
            interpreter, _argument = parse_script(head)
        except Errno:
            break
        inner = _printable(interpreter)
        try:
            close_exec(open_exec(task, interpreter))
        except Errno:
            return (
                f"{shown}: its interpreter {inner} is not a program in the guest's tree (show it "
                "with --bind HOST:GUEST, or give a root that has it with --root DIR)"
            )
        name, shown = interpreter, f"{shown}: {inner}"
    missing = missing_interpreter(task, name)
    if missing is not None:
        inner = _printable(missing)
        return (
            f"{shown}: dynamically linked: its interpreter {inner} is not in the guest's "
            "tree (link it statically, or give a root that has it with --root DIR)"
        )
    return f"{shown}: {_bad_elf(head)}"


def _bad_elf(head: bytes) -> str:
    if not head:
        return "the file is empty"
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return "neither an ELF program nor a #! script"
    if head[4] != 2 or int.from_bytes(head[18:20], "little") != _EM_X86_64:
        return "an ELF program for another machine, not for x86-64"
    if int.from_bytes(head[16:18], "little") not in (_ET_EXEC, _ET_DYN):
        return "an ELF file, but not a program"
    return "a damaged ELF program"
