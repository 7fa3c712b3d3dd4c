"""The machine's first process: its tree, its program, its descriptors (init/main.c)."""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

from emukernel.kernel.errno import ENOENT, Errno, strerror
from emukernel.kernel.fs.init import build_root, install_program, setup_files
from emukernel.kernel.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel

_SEARCH = b"/usr/local/bin:/usr/bin:/bin"
#: Names under which a program can't be shown: other file systems stand there.
_TAKEN = (b"/proc/", b"/dev/", b"/sys/")


class BootError(Exception):
    """An option names something on the host that can't be used; the text says what and why."""


def mount_tree(kernel: Kernel) -> None:
    """Builds the guest's tree out of the options; BootError."""
    options = kernel.options
    for what, path in (("--root", options.root), *(("--bind", b[0]) for b in options.binds)):
        if path is None:
            continue
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            raise BootError(f"{what}: {path}: {_reason(error)}") from None
        if what == "--root" and not S_ISDIR(mode):
            raise BootError(f"{what}: {path}: not a directory")
        if not S_ISDIR(mode) and not S_ISREG(mode):
            raise BootError(f"{what}: {path}: neither a directory nor a regular file")
    try:
        build_root(kernel, options)
    except OSError as error:
        raise BootError(f"{os.fsdecode(error.filename or '')}: {_reason(error)}") from None
    except Errno as error:
        raise BootError(f"--bind: the guest path can't be made: {strerror(error.errno)}") from None


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def first_task(kernel: Kernel) -> Task:
    """The first process, without an image yet: what init leaves to its child."""
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.resource import default_rlimits
    from emukernel.kernel.signal.pending import SigPending
    from emukernel.kernel.signal.structs import Sighand, SignalStruct
    from emukernel.seccomp.state import SeccompState

    options = kernel.options
    task = Task(kernel, kernel.alloc_pid(), Cred.for_user(options.uid, options.gid))
    task.rlimits = default_rlimits(options.memory)
    task.signal = SignalStruct(task)
    task.sighand = Sighand()
    task.pending = SigPending()
    task.seccomp = SeccompState()
    task.comm = b"emukernel"
    task.start_time_ns = kernel.clock.monotonic()
    kernel.tasks[task.pid] = task
    kernel.current = task
    try:
        setup_files(kernel, task)
    except Errno as error:
        reason = strerror(error.errno)
        raise BootError(f"--cwd: {options.cwd}: {reason} in the guest's tree") from None
    return task


def find_program(kernel: Kernel, task: Task) -> bytes:
    """The guest's name of the program to run; BootError.

    With a root a name that its tree has is that file. Otherwise a host file is shown in the tree
    under its absolute name. A name without a slash is looked for along PATH as well.
    """
    program = os.fsencode(kernel.options.program or "")
    if b"\0" in program:
        raise BootError("the program's name has a NUL byte")
    if kernel.options.root is not None:
        for name in _candidates(program, _SEARCH):
            if _in_tree(task, name):
                return name
    for name in _candidates(program, os.environb.get(b"PATH", _SEARCH)):
        if os.path.isfile(name):
            return _install(kernel, name)
    if _in_tree(task, program):
        return program
    shown = os.fsdecode(program)
    if os.path.isdir(program):
        raise BootError(f"{shown}: is a directory, not a program")
    raise BootError(f"{shown}: no such program")


def _candidates(program: bytes, path: bytes) -> list[bytes]:
    if b"/" in program:
        return [program]
    return [program] + [folder + b"/" + program for folder in path.split(b":") if folder]


def _in_tree(task: Task, name: bytes) -> bool:
    from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_FOLLOW, path_lookupat

    try:
        path = path_lookupat(task, AT_FDCWD, name, LOOKUP_FOLLOW)
    except Errno as error:
        return error.errno != ENOENT and b"/" in name
    return not S_ISDIR(path.inode.mode)


def _install(kernel: Kernel, host: bytes) -> bytes:
    """Shows the host's file in the tree; a script's or program's own mode counts."""
    try:
        fd = os.open(host, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BootError(f"{os.fsdecode(host)}: {_reason(error)}") from None
    status = os.fstat(fd)
    if not S_ISREG(status.st_mode):
        os.close(fd)
        raise BootError(f"{os.fsdecode(host)}: not a regular file")
    kernel.program_fd = fd
    name = os.path.abspath(host)
    if name.startswith(_TAKEN):
        name = b"/bin/" + name.rsplit(b"/", 1)[-1]
    mode = status.st_mode & 0o777
    try:
        install_program(kernel, fd, name, mode)
    except Errno:
        # Something stands in the way, or the place can't be changed: /bin or /tmp always can.
        name = b"/tmp/" + name.rsplit(b"/", 1)[-1]
        try:
            install_program(kernel, fd, name, mode)
        except Errno:
            raise BootError(f"{os.fsdecode(host)}: can't be shown in the guest's tree") from None
    return name
