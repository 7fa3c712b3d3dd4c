"""System calls on the machine that runs the tests, as the oracle: `run_native(ops, uid)`.

The calls are made in a child, chrooted into an empty tmpfs directory. That takes root.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import shutil
import tempfile
from typing import Any

from emukernel.kernel.syscalls.dispatch import ROWS

NUMBERS = {row[1]: nr for nr, row in ROWS.items()}
BASE = "/dev/shm"

Op = tuple[Any, ...]
"""(name of the call, arguments…). bytes are strings, ("buffer", n) is room for n bytes whose
contents are part of the answer, ("bytes", data) is data, ("fd", i) is what op i returned."""


def available() -> bool:
    """Can the oracle be asked here?"""
    return os.geteuid() == 0 and os.path.isdir(BASE) and os.statvfs(BASE).f_flag & 1 == 0


def run_native(ops: list[Op], uid: int = 0) -> list[Any]:
    """The answers of Linux: see `run`."""
    jail = tempfile.mkdtemp(dir=BASE)
    os.chmod(jail, 0o777)
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read_end)
            os.closerange(3, write_end)
            os.closerange(write_end + 1, 64)
            os.dup2(write_end, 200)
            os.close(write_end)
            os.close(0)
            os.close(1)
            os.chroot(jail)
            os.chdir("/")
            os.umask(0o022)
            if uid:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            answers = run(ops, native_call, NativeMemory())
            with os.fdopen(200, "wb") as pipe:
                pickle.dump(answers, pipe)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    shutil.rmtree(jail)
    return pickle.loads(data) if data else []


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class NativeMemory:
    """Buffers of this process."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def reset(self) -> None:
        self.kept = []

    def put(self, data: bytes) -> int:
        buffer = ctypes.create_string_buffer(data, max(len(data), 1))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)

    def get(self, address: int, size: int) -> bytes:
        return ctypes.string_at(address, size)


def native_call(name: str, args: list[int]) -> int:
    """One call; raises OSError."""
    ctypes.set_errno(0)
    result = _libc.syscall(
        ctypes.c_long(NUMBERS[name]), *[ctypes.c_ulong(a & (1 << 64) - 1) for a in args]
    )
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def run(ops: list[Op], call: Any, memory: Any) -> list[Any]:
    """Makes the calls; for each an errno name or (result, contents of buffers…)."""
    import errno

    results: list[int] = []
    answers: list[Any] = []
    for name, *args in ops:
        memory.reset()
        raw: list[int] = []
        buffers: list[tuple[int, int]] = []
        for arg in args:
            if isinstance(arg, bytes):
                raw.append(memory.put(arg + b"\0"))
            elif isinstance(arg, tuple) and arg[0] == "buffer":
                raw.append(memory.put(bytes(arg[1])))
                buffers.append((raw[-1], arg[1]))
            elif isinstance(arg, tuple) and arg[0] == "bytes":
                raw.append(memory.put(arg[1]))
            elif isinstance(arg, tuple):
                index = arg[1]
                raw.append(results[index] if index < len(results) else 999)
            else:
                raw.append(arg)
        try:
            result = call(name, raw)
        except OSError as error:
            results.append(998)
            answers.append(errno.errorcode[error.errno or 0])
            continue
        results.append(result)
        answers.append((result, *[memory.get(at, size) for at, size in buffers]))
    return answers
