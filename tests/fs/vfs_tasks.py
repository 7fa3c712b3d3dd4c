"""A machine of just what the file system needs: RAM, an address space, one task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from emukernel.kernel.cred import Cred
from emukernel.kernel.errno import Errno
from emukernel.kernel.errno import name as errno_name
from emukernel.kernel.fs.init import build_root, setup_files
from emukernel.kernel.mm.mm import Mm
from emukernel.kernel.mm.slab import Slab
from emukernel.kernel.mm.vma import VM_READ, VM_WRITE, Vma
from emukernel.kernel.options import Options
from emukernel.kernel.printk import KernelLog
from emukernel.kernel.random import RandomSource
from emukernel.kernel.signal.structs import Usage
from emukernel.kernel.uts import Uts
from emukernel.machine.physmem import PhysicalMemory
from emukernel.seccomp.abi import get_abi
from emukernel.seccomp.state import SeccompState

ARENA = 0x10_0000
ARENA_SIZE = 8 << 20
INFINITY = (1 << 64) - 1


class Clock:
    """Time that goes on by a microsecond at each look."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic(self) -> int:
        self.now += 1000
        return self.now

    def boottime(self) -> int:
        return self.monotonic()

    def realtime(self) -> int:
        return 1_700_000_000 * 10**9 + self.monotonic()


def make_kernel(memory: int = 64 << 20, **options: Any) -> Any:
    """A kernel with a tree. `options` are those of emukernel.kernel.options."""
    chosen = Options(stdin=b"", capture=True, deterministic=True)
    for name, value in options.items():
        setattr(chosen, name, value)
    clock = Clock()
    kernel = SimpleNamespace(
        memory=PhysicalMemory(memory),
        cpu=SimpleNamespace(kernel_entry=0, drop_code=lambda: None, flush_tlb=lambda: None),
        clock=clock,
        log=KernelLog(clock),
        random=RandomSource(1),
        uts=Uts("box"),
        options=chosen,
        seccomp_abi=get_abi("v1"),
        tasks={},
        current=None,
        active_mm=None,
        mm_ids=0,
        zero_pfn=0,
        sigqueues={},
        ended=Usage(),
        console=None,
        enable_preemption=lambda: None,
        interrupts=SimpleNamespace(watch_console=lambda: None, patient=lambda: None),
    )
    kernel.slab = Slab(kernel.memory)
    kernel.zero_pfn = kernel.memory.alloc_frame()
    build_root(kernel, kernel.options)
    return kernel


def make_task(kernel: Any, uid: int = 0, pid: int = 100) -> Any:
    """A task with a flat area of user memory at ARENA."""
    task = SimpleNamespace(
        kernel=kernel, pid=pid, tgid=pid, comm=b"test", cred=Cred.for_user(uid, uid),
        parent=None, state="R", call={}, sigpending=False,
        rlimits=[[INFINITY, INFINITY] for _ in range(16)],
        waiting=(), deadline=None, pgrp=pid, session=pid, seccomp=SeccompState(), dumpable=1,
        blocked=0, pending=SimpleNamespace(signal=0),
        signal=SimpleNamespace(
            shared_pending=SimpleNamespace(signal=0), exited=Usage(), children=Usage(),
            tty=None, tty_old_pgrp=0,
        ),
        sched=None, flags=0,
        sighand=SimpleNamespace(actions=[(0, 0, 0, 0)] * 64), utime_ns=0, stime_ns=0,
        start_time_ns=0, min_flt=0, maj_flt=0, nvcsw=0, nivcsw=0, exit_code=0, exit_signal=17,
        personality=0,
    )  # fmt: skip
    task.signal_pending = lambda: task.sigpending
    task.thread_group = [task]
    task.group_leader = task
    task.rlimits[7] = [1024, 4096]
    mm = task.mm = Mm(kernel)
    mm.insert(Vma(mm, ARENA, ARENA + ARENA_SIZE, VM_READ | VM_WRITE))
    kernel.tasks[pid] = task
    kernel.current = task
    setup_files(kernel, task)
    return task


class Caller:
    """Makes system calls: `caller.open(b"/x", flags)`.

    Bytes become pointers to NUL-terminated copies. An error is raised as OSError with the number.
    """

    def __init__(self, task: Any) -> None:
        self.task = task
        self._next = ARENA

    def alloc(self, size: int) -> int:
        """An address with room for `size` bytes."""
        address = self._next
        self._next += (size + 15) & ~15
        if self._next > ARENA + ARENA_SIZE:
            raise MemoryError
        return address

    def put(self, data: bytes) -> int:
        """The address of a copy of `data`."""
        from emukernel.kernel.uaccess import copy_to_user

        address = self.alloc(len(data))
        if data:
            copy_to_user(self.task, address, data)
        return address

    def get(self, address: int, size: int) -> bytes:
        """User memory."""
        from emukernel.kernel.uaccess import copy_from_user

        return copy_from_user(self.task, address, size)

    def __getattr__(self, name: str) -> Any:
        from emukernel.kernel.syscalls.dispatch import ROWS, find_handler
        from emukernel.kernel.syscalls.signature import parse

        row = next(row for row in ROWS.values() if row[1] == name)
        handler = find_handler(row)
        assert handler is not None, name
        widths = [p.width for p in parse(row[3]).parameters]

        def call(*args: int | bytes) -> int:
            from emukernel.kernel.syscalls.signature import cast

            start = self._next
            self.task.kernel.current = self.task
            self.task.call = {}
            raw = [self.put(a + b"\0") if isinstance(a, bytes) else a for a in args]
            raw += [0] * (len(widths) - len(raw))
            try:
                result = handler(
                    self.task,
                    *[cast(v & INFINITY, w) for v, w in zip(raw, widths, strict=True)],
                )
            except Errno as error:
                raise OSError(error.errno, errno_name(error.errno)) from None
            finally:
                self._next = start
            return int(result)

        return call

    # Conveniences

    def read_bytes(self, fd: int, size: int) -> bytes:
        """read(2) into a fresh buffer."""
        buffer = self.alloc(size)
        done = self.read(fd, buffer, size)
        return self.get(buffer, done)

    def write_bytes(self, fd: int, data: bytes) -> int:
        """write(2) from a fresh buffer."""
        start = self._next
        address = self.put(data)
        try:
            return int(self.write(fd, address, len(data)))
        finally:
            self._next = start

    def cat(self, path: bytes) -> bytes:
        """All of a file."""
        fd = self.open(path, 0)
        parts = []
        while part := self.read_bytes(fd, 1 << 16):
            parts.append(part)
        self.close(fd)
        self._next = ARENA
        return b"".join(parts)

    def make(self, path: bytes, data: bytes = b"", mode: int = 0o644) -> None:
        """A file with these contents."""
        fd = self.open(path, 0o1101, mode)
        if data:
            self.write_bytes(fd, data)
        self.close(fd)

    def names(self, path: bytes) -> list[bytes]:
        """The entries of a directory, sorted, without "." and ".."."""
        from struct import unpack_from

        fd = self.open(path, 0o200000)
        buffer = self.alloc(4096)
        found = []
        while size := self.getdents64(fd, buffer, 4096):
            data = self.get(buffer, size)
            at = 0
            while at < size:
                (length,) = unpack_from("<H", data, at + 16)
                found.append(data[at + 19 : at + length].rstrip(b"\0"))
                at += length
        self.close(fd)
        return sorted(set(found) - {b".", b".."})
