"""execve and execveat (fs/exec.c): replacing a task's image."""

from __future__ import annotations

from emukernel.kernel.binfmt_script import BINPRM_BUF_SIZE, parse_script
from emukernel.kernel.entry import NewImage
from emukernel.kernel.errno import E2BIG, ELOOP, ENOENT, ENOMEM, Errno
from emukernel.kernel.mm.mm import Mm
from emukernel.kernel.mm.mmap import RLIMIT_STACK
from emukernel.kernel.task import DEAD
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
MAX_ARG_STRLEN = 131072
_ARG_MAX = 131072
_STACK_LIMIT = 8 << 20
_MAX_INTERPRETERS = 5
SIGSEGV = 11


class Binprm:
    """A program on its way to being one (struct linux_binprm)."""

    __slots__ = (
        "argv",
        "comm",
        "dead",
        "entry",
        "envp",
        "file",
        "filename",
        "head",
        "interp",
        "room",
        "secure",
        "stack",
    )

    def __init__(self, file: File, filename: bytes) -> None:
        self.file = file
        self.filename = filename
        self.interp = filename
        self.comm = filename.rsplit(b"/", 1)[-1]
        self.argv: list[bytes] = []
        self.envp: list[bytes] = []
        #: Bytes that the strings may take (bprm_stack_limits).
        self.room = 0
        self.head = b""
        self.secure = False
        self.entry = self.stack = 0
        # The old image is gone: an error now ends the task.
        self.dead = False

    def string_bytes(self) -> int:
        """What the file's name, the arguments and the environment take on the stack."""
        strings = (self.filename, *self.argv, *self.envp)
        return sum([len(text) for text in strings]) + len(strings)


def sys_execve(task: Task, filename: int, argv: int, envp: int) -> int:
    """execve(2)."""
    from emukernel.kernel.fs.lookup import getname

    return do_execveat(task, AT_FDCWD, getname(task, filename), argv, envp, 0)


def sys_execveat(task: Task, fd: int, filename: int, argv: int, envp: int, flags: int) -> int:
    """execveat(2)."""
    from emukernel.kernel.fs.lookup import getname

    name = getname(task, filename, bool(flags & AT_EMPTY_PATH))
    return do_execveat(task, fd, name, argv, envp, flags)


def do_execveat(task: Task, fd: int, name: bytes, argv: int, envp: int, flags: int) -> int:
    """Opens the program, reads the arguments from user memory and replaces the image."""
    from emukernel.kernel.fs.filp_open import close_exec

    task.kernel.seccomp_abi.execve(task.seccomp)
    bprm = alloc_bprm(task, fd, name, flags)
    try:
        arguments = read_pointers(task, argv)
        environment = read_pointers(task, envp)
        set_stack_limits(task, bprm, len(arguments), len(environment))
        bprm.envp = copy_strings(task, bprm, environment)
        bprm.argv = copy_strings(task, bprm, arguments)
    except BaseException:
        close_exec(bprm.file)
        raise
    bprm_execve(task, bprm)
    raise NewImage


def alloc_bprm(task: Task, fd: int, name: bytes, flags: int) -> Binprm:
    """Opens the program."""
    from emukernel.kernel.fs.filp_open import open_exec

    file = open_exec(task, name, fd, flags)
    if fd == AT_FDCWD or name.startswith(b"/"):
        return Binprm(file, name)
    bprm = Binprm(file, b"/dev/fd/%d" % fd + (b"/" + name if name else b""))
    if not name:
        bprm.comm = file.path.dentry.name
    if fd in task.files.cloexec:
        bprm.interp = b""
    return bprm


def set_stack_limits(task: Task, bprm: Binprm, argc: int, envc: int) -> None:
    """How much the strings may take, beside the pointers to them; Errno(E2BIG).

    A quarter of the stack's limit, but no more than 6 MiB and no less than 128 KiB.
    """
    limit = max(min(task.rlimits[RLIMIT_STACK][0] // 4, _STACK_LIMIT // 4 * 3), _ARG_MAX)
    pointers = (max(argc, 1) + envc) * 8
    if limit <= pointers:
        raise Errno(E2BIG)
    bprm.room = limit - pointers


def read_pointers(task: Task, array: int) -> list[int]:
    """The pointers of a NULL-terminated array; Errno(EFAULT), E2BIG for more than ever fit."""
    from emukernel.kernel.uaccess import get_user_u64

    pointers: list[int] = []
    if not array:
        return pointers
    while True:
        pointer = get_user_u64(task, array + 8 * len(pointers))
        if not pointer:
            return pointers
        pointers.append(pointer)
        if len(pointers) * 8 > _STACK_LIMIT:
            raise Errno(E2BIG)


def copy_strings(task: Task, bprm: Binprm, pointers: list[int]) -> list[bytes]:
    """The strings behind the pointers, read from the last to the first; EFAULT, E2BIG."""
    from emukernel.kernel.uaccess import read_string

    strings = []
    room = bprm.room - bprm.string_bytes()
    for pointer in reversed(pointers):
        text = read_string(task, pointer, MAX_ARG_STRLEN)
        room -= len(text) + 1
        if len(text) == MAX_ARG_STRLEN or room < 0:
            raise Errno(E2BIG)
        strings.append(text)
    strings.reverse()
    return strings


def exec_program(
    task: Task, fd: int, name: bytes, argv: list[bytes], envp: list[bytes], flags: int = 0
) -> None:
    """execveat(2) for the kernel itself; on return the task stands at its first instruction.

    Errors before the old image is given up are raised as Errno, later ones end the task.
    """
    from emukernel.kernel.fs.filp_open import close_exec

    bprm = alloc_bprm(task, fd, name, flags)
    bprm.argv, bprm.envp = argv, envp
    try:
        set_stack_limits(task, bprm, len(argv), len(envp))
        if any(len(text) >= MAX_ARG_STRLEN for text in argv + envp):
            raise Errno(E2BIG)
        check_room(bprm)
    except Errno:
        close_exec(bprm.file)
        raise
    bprm_execve(task, bprm)


def check_room(bprm: Binprm) -> None:
    """Errno(E2BIG) when the strings do not fit (bprm_hits_stack_limit)."""
    if bprm.string_bytes() > bprm.room:
        raise Errno(E2BIG)


def bprm_execve(task: Task, bprm: Binprm) -> None:
    """Replaces the image, or leaves it and raises Errno; beyond that point the task is ended."""
    from emukernel.kernel.fs.filp_open import close_exec

    if not bprm.argv:
        # No program shall find its argv empty.
        bprm.argv = [b""]
    try:
        search_binary_handler(task, bprm)
    except (Errno, OutOfMemory) as error:
        if bprm.dead:
            from emukernel.kernel.oom import dying
            from emukernel.kernel.signal.send import force_fatal_sig

            if not dying(task):
                force_fatal_sig(task, SIGSEGV)
            return
        close_exec(bprm.file)
        if isinstance(error, OutOfMemory):
            raise Errno(ENOMEM) from None
        raise
    start_thread(task, bprm)


def search_binary_handler(task: Task, bprm: Binprm) -> None:
    """Finds the format of the file, following `#!` lines (exec_binprm)."""
    from emukernel.kernel.binfmt_elf import load_elf_binary
    from emukernel.kernel.fs.filp_open import close_exec, open_exec

    for _depth in range(_MAX_INTERPRETERS + 1):
        bprm.head = bprm.file.read_at(task, 0, BINPRM_BUF_SIZE)
        if bprm.head[:2] != b"#!":
            load_elf_binary(task, bprm)
            return
        interpreter, argument = parse_script(bprm.head)
        if not bprm.interp:
            # The script's descriptor will be closed: its interpreter could not open it.
            raise Errno(ENOENT)
        extra = [interpreter] if argument is None else [interpreter, argument]
        bprm.argv = [*extra, bprm.interp, *bprm.argv[1:]]
        check_room(bprm)
        bprm.interp = interpreter
        following = open_exec(task, interpreter)
        close_exec(bprm.file)
        bprm.file = following
    raise Errno(ELOOP)


def begin_new_exec(task: Task, bprm: Binprm) -> Mm:
    """The point of no return: a new, empty address space, and what execve resets."""
    from emukernel.kernel.exit import mm_release, zap_other_threads
    from emukernel.kernel.signal.structs import flush_signal_handlers

    kernel = task.kernel
    mm = Mm(kernel)
    bprm.dead = True
    zap_other_threads(task)
    _de_thread(task)
    old = task.mm
    if old is not None:
        mm_release(task)
    task.mm = mm
    mm.exe_file = bprm.file
    kernel.activate_mm(mm)
    if old is not None:
        old.release()
    if task.signal.posix_timers:
        from emukernel.kernel.time.posix_timers import exit_itimers, flush_itimer_signals

        exit_itimers(task)
        flush_itimer_signals(task)
    _set_credentials(task, bprm)
    task.comm = bprm.comm[:15]
    # Actions shared with another process stay that one's.
    task.sighand = task.sighand.copy()
    flush_signal_handlers(task)
    task.exit_signal = 17
    task.altstack = (0, 0, task.altstack[2])
    task.clear_child_tid = 0
    task.robust_list = (0, 0)
    task.rseq = None
    if task.files.count > 1:
        shared, task.files = task.files, task.files.copy()
        shared.put_table()
    task.files.close_on_exec(task)
    task.pdeath_signal = task.pdeath_signal if not bprm.secure else 0
    return mm


def _de_thread(task: Task) -> None:
    """The thread that execs becomes its process's only one, under the process's id."""
    leader = task.group_leader
    if leader is task:
        return
    tasks = task.kernel.tasks
    del tasks[task.pid]
    task.pid = leader.pid
    tasks[task.pid] = task
    task.group_leader = task
    task.parent = leader.parent
    if task.parent is not None:
        siblings = task.parent.children
        siblings[siblings.index(leader)] = task
    task.children = leader.children
    for child in task.children:
        child.parent = task
    task.signal.exited.add(leader)
    task.signal.curr_target = task
    leader.state = DEAD


def _set_credentials(task: Task, bprm: Binprm) -> None:
    """Set-id bits and capabilities of the new program (bprm_creds_from_file)."""
    from emukernel.kernel.cred import exec_cred

    inode = bprm.file.inode
    nosuid = bool(bprm.file.path.mnt.flags & 2) or task.no_new_privs
    task.cred, bprm.secure = exec_cred(task.cred, inode, nosuid)
    task.dumpable = 0 if bprm.secure else 1


def start_thread(task: Task, bprm: Binprm) -> None:
    """The registers at a program's first instruction (start_thread, ELF_PLAT_INIT)."""
    kernel = task.kernel
    cpu = kernel.cpu
    cpu.restore(kernel.user_context)
    cpu.load_page_table(task.mm.page_table)
    cpu.regs[16] = bprm.entry
    cpu.regs[4] = bprm.stack
    cpu.set_tsc_disabled(task.tsc_disabled)
    kernel.program_loaded(task, bprm.filename)
