"""How tasks come to be: fork, vfork, clone, clone3 (kernel/fork.c)."""

from __future__ import annotations

from contextlib import suppress
from struct import unpack

from emukernel.kernel.errno import (
    E2BIG,
    EAGAIN,
    EINVAL,
    EPERM,
    ERESTARTNOINTR,
    Errno,
)
from emukernel.kernel.mm.mm import Mm
from emukernel.kernel.mm.vma import VM_DONTCOPY, VM_LOCKED, VM_SHARED, VM_WIPEONFORK, VM_WRITE
from emukernel.kernel.sys import PF_FORKNOEXEC
from emukernel.kernel.task import Task
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel

# include/uapi/linux/sched.h
CSIGNAL = 0xFF
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT = 0x1000, 0x2000, 0x4000, 0x8000
CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS = 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000
CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID = 0x10_0000, 0x20_0000
CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID = 0x40_0000, 0x80_0000, 0x100_0000
CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x200_0000, 0x400_0000, 0x800_0000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x1000_0000, 0x2000_0000, 0x4000_0000
CLONE_IO, CLONE_NEWTIME = 0x8000_0000, 0x80
CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP = 1 << 32, 1 << 33
_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
    | CLONE_NEWNET
)  # fmt: skip
_CLONE3_FLAGS = (1 << 34) - 1 & ~(CLONE_DETACHED | CSIGNAL) | CLONE_NEWTIME

_RLIMIT_NPROC = 6
_CAP_SYS_ADMIN, _CAP_SYS_RESOURCE = 21, 24
_CLONE_ARGS_SIZE_VER0 = 64
_SIGCHLD = 17
_RAX, _RSP = 0, 4


class CloneArgs:
    """What clone and clone3 ask for (struct kernel_clone_args)."""

    __slots__ = (
        "child_tid", "exit_signal", "flags", "parent_tid", "pidfd", "set_tid", "stack", "tls",
    )  # fmt: skip

    def __init__(self, flags: int, exit_signal: int = 0, stack: int = 0, tls: int = 0) -> None:
        self.flags = flags
        self.exit_signal = exit_signal
        self.stack = stack
        self.tls = tls
        self.parent_tid = self.child_tid = self.pidfd = 0
        self.set_tid: list[int] = []


def sys_fork(task: Task) -> int:
    """fork(2)."""
    return kernel_clone(task, CloneArgs(0, _SIGCHLD))


def sys_vfork(task: Task) -> int:
    """vfork(2)."""
    return kernel_clone(task, CloneArgs(CLONE_VFORK | CLONE_VM, _SIGCHLD))


def sys_clone(
    task: Task, clone_flags: int, newsp: int, parent_tidptr: int, child_tidptr: int, tls: int
) -> int:
    """clone(2)."""
    flags = clone_flags & 0xFFFF_FFFF
    args = CloneArgs(flags & ~CSIGNAL, flags & CSIGNAL, newsp, tls)
    args.parent_tid = args.pidfd = parent_tidptr
    args.child_tid = child_tidptr
    if flags & CLONE_PIDFD and flags & CLONE_PARENT_SETTID:
        raise Errno(EINVAL)
    return kernel_clone(task, args)


def sys_clone3(task: Task, uargs: int, size: int) -> int:
    """clone3(2)."""
    from emukernel.kernel.uaccess import copy_from_user

    if size > 4096:
        raise Errno(E2BIG)
    if size < _CLONE_ARGS_SIZE_VER0:
        raise Errno(EINVAL)
    data = copy_from_user(task, uargs, size)
    if any(data[88:]):
        raise Errno(E2BIG)
    words = unpack("<11Q", data[:88].ljust(88, b"\0"))
    flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls = words[:8]
    set_tid, set_tid_size, _cgroup = words[8:]
    if set_tid_size > 32 or bool(set_tid) != bool(set_tid_size):
        raise Errno(EINVAL)
    if exit_signal & ~CSIGNAL or exit_signal > 64:
        raise Errno(EINVAL)
    if flags & ~_CLONE3_FLAGS or flags & CLONE_INTO_CGROUP:
        raise Errno(EINVAL)
    if flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND) == CLONE_SIGHAND | CLONE_CLEAR_SIGHAND:
        raise Errno(EINVAL)
    if flags & (CLONE_THREAD | CLONE_PARENT) and exit_signal:
        raise Errno(EINVAL)
    if bool(stack) != bool(stack_size) or stack + stack_size > 1 << 47:
        raise Errno(EINVAL)
    args = CloneArgs(flags, exit_signal, stack + stack_size, tls)
    args.pidfd, args.child_tid, args.parent_tid = pidfd, child_tid, parent_tid
    if set_tid_size:
        # One pid namespace there is: only its level can be asked for.
        if set_tid_size > 1:
            raise Errno(EINVAL)
        args.set_tid = list(unpack("<i", copy_from_user(task, set_tid, 4)))
        if not task.cred.capable(_CAP_SYS_ADMIN):
            raise Errno(EPERM)
    return kernel_clone(task, args)


def sys_set_tid_address(task: Task, tidptr: int) -> int:
    """set_tid_address(2)."""
    task.clear_child_tid = tidptr
    return task.pid


def kernel_clone(task: Task, args: CloneArgs) -> int:
    """Makes a child and, for vfork, waits until it has let go of the memory."""
    vfork_child = task.call.get("vfork")
    if vfork_child is None:
        child = copy_process(task, args)
        task.kernel.enable_preemption()
        task.kernel.sched.enqueue(child)
        if not args.flags & CLONE_VFORK:
            return child.pid
        task.call["vfork"] = vfork_child = child
    if vfork_child.vfork_done is not None:
        wait_on(task, vfork_child.vfork_done, killable_only=True)
    pid: int = vfork_child.pid
    return pid


def _check_flags(task: Task, flags: int) -> None:
    """The combinations that make no sense (copy_process)."""
    if flags & CLONE_NEWNS and flags & CLONE_FS:
        raise Errno(EINVAL)
    if flags & CLONE_NEWUSER and flags & CLONE_FS:
        raise Errno(EINVAL)
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise Errno(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise Errno(EINVAL)
    if flags & CLONE_THREAD and flags & (CLONE_NEWUSER | CLONE_NEWPID):
        raise Errno(EINVAL)
    if flags & CLONE_PIDFD and flags & CLONE_DETACHED:
        raise Errno(EINVAL)
    if flags & _NAMESPACES:
        # Without namespaces in the kernel these are unknown flags; asking needs the right to.
        if not flags & CLONE_NEWUSER and not task.cred.capable(_CAP_SYS_ADMIN):
            raise Errno(EPERM)
        raise Errno(EINVAL)


def _check_limits(task: Task) -> None:
    """RLIMIT_NPROC and the machine's own limit on tasks."""
    kernel = task.kernel
    cred = task.cred
    limit = task.rlimits[_RLIMIT_NPROC][0]
    if cred.uid and not cred.capable(_CAP_SYS_RESOURCE) and not cred.capable(_CAP_SYS_ADMIN):
        mine = sum(1 for other in kernel.tasks.values() if other.cred.uid == cred.uid)
        if mine >= limit:
            raise Errno(EAGAIN)
    if len(kernel.tasks) >= kernel.max_threads:
        raise Errno(EAGAIN)


def copy_process(task: Task, args: CloneArgs) -> Task:
    """A new task like the current one, not runnable yet."""
    from emukernel.kernel.signal.structs import (
        copy_signal_state,
        reset_altstack,
        share_signal_state,
    )
    from emukernel.kernel.uaccess import put_user_u32

    flags = args.flags
    _check_flags(task, flags)
    if task.sigpending and not flags & CLONE_THREAD:
        # A signal for a process must be seen by the child too, or come after the fork.
        raise Errno(ERESTARTNOINTR)
    _check_limits(task)
    kernel = task.kernel
    child = Task(kernel, kernel.alloc_pid(args.set_tid), task.cred)
    mm = share_mm(task.mm) if flags & CLONE_VM else dup_mm(task, task.mm)
    child.mm = mm
    try:
        if flags & CLONE_PIDFD:
            from emukernel.kernel.fs.pidfd import pidfd_create

            put_user_u32(task, args.pidfd, pidfd_create(task, child))
        if flags & CLONE_PARENT_SETTID:
            with suppress(Errno):
                put_user_u32(task, args.parent_tid, child.pid)
    except BaseException:
        mm.release()
        raise
    child.files = task.files.get_table() if flags & CLONE_FILES else task.files.copy()
    child.fs = task.fs if flags & CLONE_FS else task.fs.copy()
    if flags & CLONE_SYSVSEM:
        from emukernel.kernel.ipc.sem import share_undo

        share_undo(task, child)
    _inherit(task, child, args)
    if flags & CLONE_THREAD:
        child.group_leader = task.group_leader
        child.tgid = task.tgid
        child.thread_group = task.thread_group
        child.thread_group.append(child)
        child.parent = task.group_leader.parent
        share_signal_state(child, task)
    else:
        child.parent = task.group_leader.parent if flags & CLONE_PARENT else task.group_leader
        child.exit_signal = args.exit_signal
        if flags & CLONE_PARENT:
            child.exit_signal = task.group_leader.exit_signal
        child.real_parent = task.group_leader.real_parent if flags & CLONE_PARENT else task
        if child.parent is not None:
            child.parent.children.append(child)
        copy_signal_state(
            child,
            task,
            clear_sighand=bool(flags & CLONE_CLEAR_SIGHAND),
            share_sighand=bool(flags & CLONE_SIGHAND),
        )
        if flags & (CLONE_VM | CLONE_VFORK) == CLONE_VM:
            reset_altstack(child)
    child.seccomp = kernel.seccomp_abi.fork(task.seccomp)
    copy_thread(kernel, task, child, args)
    if flags & CLONE_CHILD_SETTID:
        with suppress(Errno):
            put_user_u32(child, args.child_tid, child.pid)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = args.child_tid
    if flags & CLONE_VFORK:
        child.vfork_done = WaitQueue()
    kernel.tasks[child.pid] = child
    kernel.total_forks += 1
    for hook in kernel.fork_hooks:
        hook(task, child)
    return child


def _inherit(task: Task, child: Task, args: CloneArgs) -> None:
    """Plain values that a child has from its parent."""
    child.comm = task.comm
    child.pgrp, child.session = task.pgrp, task.session
    if args.flags & CLONE_THREAD:
        child.rlimits = task.rlimits
    else:
        child.rlimits = [list(limit) for limit in task.rlimits]
    child.flags = task.flags | PF_FORKNOEXEC
    child.personality = task.personality
    child.no_new_privs = task.no_new_privs
    child.dumpable = task.dumpable
    child.tsc_disabled = task.tsc_disabled
    child.timerslack_ns = child.timerslack_default = task.timerslack_ns
    child.sched = task.sched.copy() if task.sched is not None else None
    child.ioprio = task.ioprio
    child.mempolicy = task.mempolicy
    child.start_time_ns = task.kernel.clock.monotonic()
    # Registered memory belongs to a thread; a forked copy of the memory has it still.
    child.rseq = None if args.flags & CLONE_VM else task.rseq


def copy_thread(kernel: Kernel, task: Task, child: Task, args: CloneArgs) -> None:
    """The child's registers: the parent's, with 0 in RAX, its own stack and thread pointer."""
    cpu = kernel.cpu
    mine = cpu.save()
    cpu.regs[_RAX] = 0
    if args.stack:
        cpu.regs[_RSP] = args.stack
    if args.flags & CLONE_SETTLS:
        cpu.fs_base = args.tls
    child.context = cpu.save()
    cpu.restore(mine)


def share_mm(mm: Mm) -> Mm:
    """CLONE_VM: one user more."""
    mm.users += 1
    return mm


def dup_mm(task: Task, old: Mm) -> Mm:
    """A copy of an address space: private pages are shared until somebody writes."""
    from emukernel.kernel.fs.inode import deny_write_access

    mm = Mm(task.kernel)
    for name in (
        "mmap_base", "start_code", "end_code", "start_data", "end_data", "start_brk", "brk",
        "start_stack", "arg_start", "arg_end", "env_start", "env_end", "saved_auxv",
        "membarrier_state",
    ):  # fmt: skip
        setattr(mm, name, getattr(old, name))
    if old.exe_file is not None:
        mm.exe_file = old.exe_file.get()
        deny_write_access(mm.exe_file.inode)
    try:
        for vma in old.vmas:
            if vma.flags & VM_DONTCOPY:
                continue
            copy = vma.copy(mm)
            copy.flags &= ~VM_LOCKED
            mm.append(copy)
            if not vma.flags & VM_WIPEONFORK:
                _copy_page_range(old, mm, vma.start >> 12, vma.end >> 12, vma.flags)
    except BaseException:
        old.flush_tlb()
        mm.release()
        raise
    old.flush_tlb()
    mm.hiwater_rss = mm.rss
    return mm


def _copy_page_range(old: Mm, new: Mm, first: int, last: int, flags: int) -> None:
    """Has both see the pages of one area; writable private ones become copy-on-write."""
    cow = flags & (VM_WRITE | VM_SHARED) == VM_WRITE
    table = old.page_table
    for vpn, index, count in table.leaf_ranges(first, last):
        pfns = table.frames_at(index, count)
        if pfns:
            table.copy_entries(vpn, index, count, new.page_table, cow=cow)
            old.memory.get_all(pfns)
            new.rss += len(pfns) - pfns.count(old.kernel.zero_pfn)
