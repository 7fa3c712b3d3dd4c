"""Native programs under our Tracer.

`events_of` runs a program under ptrace(2), tells a Tracer of its calls as the kernel would, and
notes down what happened and what of the program's memory the Tracer looked at. `replay` makes the
trace again from these events, anywhere.

    python native.py PROGRAM DIRECTORY      prints the events as JSON
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from emukernel.strace import JsonSink, ListSink, TextSink, Tracer

PTRACE_TRACEME, PTRACE_GETREGS, PTRACE_SYSCALL = 0, 12, 24
PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG, PTRACE_GETSIGINFO = 0x4200, 0x4201, 0x4202
TRACESYSGOOD, TRACEFORK, TRACECLONE, TRACEEXEC, EXITKILL = 1, 2, 8, 16, 0x100000
ADDR_NO_RANDOMIZE = 0x40000
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 2 + [ctypes.c_void_p] * 2
libc.ptrace.restype = ctypes.c_long

Event = dict[str, Any]


class Memory:
    """A process's memory."""

    def __init__(self, pid: int) -> None:
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)

    def read(self, address: int, size: int) -> bytes | None:
        try:
            data = os.pread(self.fd, size, address) if address < 1 << 63 else b""
        except (OSError, OverflowError):
            return None
        return data if len(data) == size else None


def _registers(pid: int) -> tuple[int, ...]:
    buffer = ctypes.create_string_buffer(27 * 8)
    libc.ptrace(PTRACE_GETREGS, pid, None, ctypes.addressof(buffer))
    return struct.unpack("<27Q", buffer.raw)


def _child(argv: list[str]) -> None:
    os.umask(0o22)
    libc.ptrace(PTRACE_TRACEME, 0, None, None)
    libc.personality(ADDR_NO_RANDOMIZE)
    os.execve(argv[0], argv, {})


def events_of(argv: list[str], cwd: Path) -> list[Event]:
    """Run a program to its end, with an empty environment, in a directory; no ASLR."""
    first = os.fork()
    if not first:
        try:
            os.chdir(cwd)
            null = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            os.closerange(3, 64)
            _child(argv)
        finally:
            os._exit(127)
    events: list[Event] = []
    memories: dict[int, Memory] = {}

    def reader(task: SimpleNamespace, address: int, size: int) -> bytes | None:
        data = memories[task.pid].read(address, size)
        reads = events[-1]["reads"]
        reads[f"{address:x}+{size}"] = "-" if data is None else data.hex()
        return data

    def happened(**event: Any) -> None:
        events.append({**event, "reads": {}})

    tracer = Tracer(ListSink([]), reader=reader)
    inside: set[int] = set()
    os.waitpid(first, WALL)
    options = TRACESYSGOOD | TRACEFORK | TRACECLONE | TRACEEXEC | EXITKILL
    libc.ptrace(PTRACE_SETOPTIONS, first, None, options)
    tasks = {first: SimpleNamespace(pid=first)}
    memories[first] = Memory(first)
    libc.ptrace(PTRACE_SYSCALL, first, None, None)
    while tasks:
        pid, status = os.waitpid(-1, WALL)
        task = tasks.get(pid)
        if task is None:
            task = tasks[pid] = SimpleNamespace(pid=pid)
            memories[pid] = Memory(pid)
            libc.ptrace(PTRACE_SYSCALL, pid, None, None)
            continue
        if not os.WIFSTOPPED(status):
            happened(event="end", pid=pid, status=status)
            tracer.on_exit_task(task, status)
            os.close(memories.pop(pid).fd)
            del tasks[pid]
            inside.discard(pid)
            continue
        deliver = 0
        number = os.WSTOPSIG(status)
        if number == signal.SIGTRAP | 0x80:
            regs = _registers(pid)
            if pid in inside:
                inside.discard(pid)
                ret = regs[10] - (1 << 64) if regs[10] >= 1 << 63 else regs[10]
                happened(event="exit", pid=pid, ret=ret)
                tracer.on_exit(task, ret)
            else:
                inside.add(pid)
                args = tuple(regs[i] for i in (14, 13, 12, 7, 9, 8))
                happened(event="enter", pid=pid, nr=regs[15], args=args)
                tracer.on_enter(task, regs[15], args)
        elif status >> 16 == 0:
            info = ctypes.create_string_buffer(128)
            libc.ptrace(PTRACE_GETSIGINFO, pid, None, ctypes.addressof(info))
            happened(event="signal", pid=pid, siginfo=info.raw.hex())
            tracer.on_signal(task, info.raw)
            deliver = number
        libc.ptrace(PTRACE_SYSCALL, pid, None, deliver)
    return events


def replay(events: list[Event], sink: TextSink | JsonSink) -> None:
    """The trace of these events. A look at memory that was not made when they were recorded is an
    error (KeyError): then they have to be recorded anew."""
    reads: dict[str, str] = {}

    def reader(task: SimpleNamespace, address: int, size: int) -> bytes | None:
        found = reads[f"{address:x}+{size}"]
        return None if found == "-" else bytes.fromhex(found)

    tracer = Tracer(sink, reader=reader)
    for event in events:
        task = SimpleNamespace(pid=event["pid"])
        reads = event["reads"]
        if event["event"] == "enter":
            tracer.on_enter(task, event["nr"], tuple(event["args"]))
        elif event["event"] == "exit":
            tracer.on_exit(task, event["ret"])
        elif event["event"] == "signal":
            tracer.on_signal(task, bytes.fromhex(event["siginfo"]))
        else:
            tracer.on_exit_task(task, event["status"])
    tracer.close()


if __name__ == "__main__":
    print(json.dumps(events_of([sys.argv[1]], Path(sys.argv[2]))))
