"""Running a small program in the emulated kernel, and looking at what it did.

A *world* says what a program finds: files in /tmp and descriptors that it inherits, as from a
launcher that did not close them. It is plain JSON, so that a finding can carry it:

    {"descriptors": {"3": "victim"}}

    victim  /tmp/victim, for reading and writing
    secret  /tmp/secret, for reading
    folder  the directory /tmp
    socket  one end of a pair of stream sockets
    source  /tmp/source, for reading
    program /tmp/helper, a program
    datagram, receiver
            sockets for datagrams; the receiver is bound to LOOPBACK
"""

from __future__ import annotations

from emukernel.kernel.errno import Errno
from emukernel.kernel.interrupts import Interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.file import File
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task
    from emukernel.seccomp.filter_set import FilterSet

    World = dict[str, Any]

GUEST, HELPER = b"/tmp/guest", b"/tmp/helper"
VICTIM, SECRET, SOURCE = b"/tmp/victim", b"/tmp/secret", b"/tmp/source"
OLD_CONTENT = b"as it was before"
SECRET_TEXT = b"nobody should read this"
PAYLOAD = b"out it goes!"
LOOPBACK = b"\2\0" + (4711).to_bytes(2, "big") + bytes((127, 0, 0, 1)) + bytes(8)
"""A struct sockaddr_in."""
STDIN_TEXT = b"what the standard input has to say"

_MEMORY = 4 << 20
_TIMEOUT = 10.0

_O_RDONLY, _O_RDWR, _O_DIRECTORY = 0, 2, 0o200000


class Seen:
    """What a run showed: the calls in order as (number, raw registers, result), what seccomp
    refused as (number, text), the lines of the trace, the exit status, and what was looked for."""

    __slots__ = ("calls", "effect", "refused", "status", "trace")

    def __init__(self) -> None:
        self.calls: list[tuple[int, tuple[int, ...], int]] = []
        self.refused: list[tuple[int, str]] = []
        self.trace: list[str] = []
        self.status = 0
        self.effect: object = None


class _NoSlices(Interrupts):
    """No task's slice ends: these programs never loop, and the host's clock must not show in what
    they do."""

    __slots__ = ()

    def arm_slice(self, length_ns: int) -> None:
        """Nothing."""


class Watch:
    """Looks for an effect while a program runs. Subclasses say what it is.

    `begin` is called before the first instruction, `after` after every call, `end` when the machine
    has stopped: its result is the effect, plain JSON, or None if it did not happen.
    """

    def begin(self, kernel: Kernel, task: Task) -> None:
        """The program is about to start."""

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        """A call returned."""

    def end(self, kernel: Kernel) -> object:
        """What happened."""
        return None


def observe(
    elf: bytes, filters: FilterSet | None, world: World, watch: Watch, *, trace: bool = False
) -> Seen:
    """Runs a program, under a policy's filters from its first instruction on."""
    from emukernel.api import Run
    from emukernel.kernel.exec import exec_program
    from emukernel.kernel.options import Options

    options = Options(
        memory=_MEMORY,
        stdin=STDIN_TEXT,
        capture=True,
        deterministic=True,
    )
    run = Run(options, None, _TIMEOUT)
    seen = Seen()
    try:
        machine, task = run.machine, run.task
        machine.interrupts = _NoSlices(machine)
        _furnish(machine, task, elf, world)
        exec_program(task, -100, GUEST, [b"guest"], [])
        run.loaded = True
        if filters is not None:
            task.seccomp.install(filters, compat=False)
            machine.seccomp_abi.execve(task.seccomp)
        if trace:
            from emukernel.strace import ListSink

            run.add_tracer(ListSink(seen.trace))

        def after(task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
            seen.calls.append((nr, args, result))
            watch.after(task, nr, args, result)

        run.add_hooks(None, after)
        watch.begin(machine, task)
        machine.sched.enqueue(task)
        result = run.go()
        seen.status = result.exit_status
        seen.refused = [(r.violation.nr, str(r)) for r in result.violations]
        seen.effect = watch.end(machine)
    finally:
        run.close()
    return seen


# -- the world -----------------------------------------------------------------------------------


def _furnish(kernel: Kernel, task: Task, elf: bytes, world: World) -> None:
    from emukernel.fuzz.program import Program

    put_file(kernel, GUEST, elf, 0o755)
    put_file(kernel, HELPER, Program([]).elf(), 0o755)
    put_file(kernel, VICTIM, OLD_CONTENT, 0o644)
    put_file(kernel, SECRET, SECRET_TEXT, 0o644)
    put_file(kernel, SOURCE, PAYLOAD, 0o644)
    for number, kind in sorted(world.get("descriptors", {}).items()):
        _inherit(task, int(number), kind)


def put_file(kernel: Kernel, name: bytes, content: bytes, mode: int) -> None:
    """A file in the guest's tree."""
    from emukernel.kernel.fs.init import make_place

    inode = make_place(kernel, name, False).dentry.inode
    assert inode.mapping is not None
    inode.mapping.write_bytes(content, 0)
    inode.size = len(content)
    inode.mode = inode.mode & ~0o7777 | mode


def content(kernel: Kernel, name: bytes) -> bytes | None:
    """What a file of the guest's tree has in it; None where there is none."""
    task = kernel.tasks.get(100) or kernel.current
    try:
        file = _open(task, name, _O_RDONLY)
    except Errno:
        return None
    try:
        return file.read_at(task, 0, 1 << 16)
    finally:
        file.put()


def _open(task: Task, name: bytes, flags: int) -> File:
    from emukernel.kernel.fs.filp_open import do_filp_open, legacy_flags

    return do_filp_open(task, -100, name, legacy_flags(flags, 0))


def _inherit(task: Task, number: int, kind: str) -> None:
    opened = {
        "victim": (VICTIM, _O_RDWR),
        "secret": (SECRET, _O_RDONLY),
        "source": (SOURCE, _O_RDONLY),
        "folder": (b"/tmp", _O_RDONLY | _O_DIRECTORY),
        "program": (HELPER, _O_RDONLY),
    }
    if kind in opened:
        file = _open(task, *opened[kind])
    elif kind == "socket":
        file = _socket(task)
    elif kind in ("datagram", "receiver"):
        file = _datagram(task, LOOPBACK if kind == "receiver" else None)
    else:
        raise ValueError(f"no kind of descriptor: {kind!r}")
    old = task.files.table.get(number)
    task.files.install(number, file, False)
    if old is not None:
        old.put()


def _socket(task: Task) -> File:
    """One end of a pair; its `peer` is the other, open somewhere else."""
    from emukernel.kernel.net.socket import sock_alloc_file, sock_create

    one = sock_create(task, 1, 1, 0)
    two = sock_create(task, 1, 1, 0)
    one.socketpair(task, two)
    sock_alloc_file(task, two, 0)
    return sock_alloc_file(task, one, 0)


def _datagram(task: Task, address: bytes | None) -> File:
    """A socket for datagrams, bound if there is an address."""
    from emukernel.kernel.net.socket import sock_alloc_file, sock_create

    sock = sock_create(task, 2, 2, 0)
    if address is not None:
        sock.bind(task, address)
    return sock_alloc_file(task, sock, 0)


def read_user(task: Task, address: int, size: int) -> bytes:
    """Up to `size` bytes of a task's memory; b"" where there are none."""
    from emukernel.kernel.uaccess import copy_from_user

    try:
        return copy_from_user(task, address, size)
    except Errno:
        return b""
