"""/proc/PID/status, stat and statm (Linux: fs/proc/array.c)."""

from __future__ import annotations

from emukernel.kernel.fs.proc.base import check_ptrace, threads
from emukernel.kernel.fs.proc.system import USER_HZ
from emukernel.kernel.fs.shmem import ShmemMapping
from emukernel.kernel.mm.vma import VM_EXEC, VM_GROWSDOWN, VM_LOCKED, VM_SHARED, VM_WRITE
from emukernel.kernel.signal.structs import Usage
from emukernel.machine.pagetable import ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.task import Task

_TICK_NS = 10**9 // USER_HZ
_CAPS = (1 << 41) - 1

_STATES = {
    "R": "R (running)",
    "S": "S (sleeping)",
    "D": "D (disk sleep)",
    "T": "T (stopped)",
    "t": "t (tracing stop)",
    "Z": "Z (zombie)",
    "X": "X (dead)",
}


def escaped_comm(comm: bytes) -> str:
    """The name with newline and backslash escaped, as in the Name: line."""
    return comm.decode("latin-1").replace("\\", "\\\\").replace("\n", "\\n")


def parent_pid(task: Task) -> int:
    """The pid of the parent process; 1, init, when it is no task of the machine."""
    return 1 if task.parent is None else task.parent.tgid


def _area_pages(mm: Mm) -> tuple[int, int, int, int]:
    """Pages of (data, stack, program text, other text), as task_mem counts them."""
    data = stack = text = 0
    for vma in mm.vmas:
        pages = vma.end - vma.start >> 12
        flags = vma.flags
        if flags & VM_GROWSDOWN:
            stack += pages
        elif flags & (VM_EXEC | VM_WRITE) == VM_EXEC:
            text += pages
        elif flags & (VM_WRITE | VM_SHARED) == VM_WRITE:
            data += pages
    program = (mm.end_code + 4095 >> 12) - (mm.start_code >> 12)
    program = max(min(program, text), 0)
    return data, stack, program, text - program


def rss_kinds(mm: Mm) -> tuple[int, int, int]:
    """Pages in memory that are (the program's own, a file's, shared memory's)."""
    file = shmem = 0
    for vma in mm.vmas:
        mapping = vma.mapping
        if mapping is None:
            continue
        pages = mapping.pages
        count = 0
        for vpn, _, entry in mm.page_table.entries(vma.start >> 12, vma.end >> 12):
            if pages.get(vma.file_page(vpn)) == (entry & ADDRESS) >> 12:
                count += 1
        if isinstance(mapping, ShmemMapping):
            shmem += count
        else:
            file += count
    return max(mm.rss - file - shmem, 0), file, shmem


def _table_pages(mm: Mm) -> int:
    """Pages of the page tables, by the last-level tables that there are."""
    leaves = mm.page_table.leaves
    return 1 + len(leaves) + len({at >> 9 for at in leaves}) + len({at >> 18 for at in leaves})


def _memory_lines(mm: Mm) -> str:
    data, stack, text, libraries = _area_pages(mm)
    locked = sum(v.end - v.start for v in mm.vmas if v.flags & VM_LOCKED) >> 10
    anon, file, shmem = rss_kinds(mm)
    rss = mm.rss
    rows = (
        ("VmPeak", mm.hiwater_vm * 4),
        ("VmSize", mm.total_vm * 4),
        ("VmLck", locked),
        ("VmPin", 0),
        ("VmHWM", max(mm.hiwater_rss, rss) * 4),
        ("VmRSS", rss * 4),
        ("RssAnon", anon * 4),
        ("RssFile", file * 4),
        ("RssShmem", shmem * 4),
        ("VmData", data * 4),
        ("VmStk", stack * 4),
        ("VmExe", text * 4),
        ("VmLib", libraries * 4),
        ("VmPTE", _table_pages(mm) * 4),
        ("VmSwap", 0),
    )
    lines = "".join(f"{name}:\t{value:>8} kB\n" for name, value in rows)
    return lines + "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t0\n"


def _signal_sets(task: Task) -> tuple[int, int, int, int, int]:
    """(pending, pending for the process, blocked, ignored, caught) as bit masks."""
    ignored = caught = 0
    for signal, action in enumerate(task.sighand.actions):
        if action[0] == 1:
            ignored |= 1 << signal
        elif action[0]:
            caught |= 1 << signal
    pending = task.pending.signal
    return pending, task.signal.shared_pending.signal, task.blocked, ignored, caught


def _signal_lines(task: Task) -> str:
    names = ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")
    return "".join(
        f"{name}:\t{mask:016x}\n" for name, mask in zip(names, _signal_sets(task), strict=True)
    )


def status(task: Task, reader: Task) -> bytes:
    """/proc/PID/status"""
    cred = task.cred
    groups = "".join(f"{group} " for group in cred.groups) or " "
    text = (
        f"Name:\t{escaped_comm(task.comm)}\n"
        f"Umask:\t{task.fs.umask:04o}\n"
        f"State:\t{_STATES[task.state]}\n"
        f"Tgid:\t{task.tgid}\n"
        f"Ngid:\t0\n"
        f"Pid:\t{task.pid}\n"
        f"PPid:\t{parent_pid(task)}\n"
        f"TracerPid:\t0\n"
        f"Uid:\t{cred.uid}\t{cred.euid}\t{cred.suid}\t{cred.fsuid}\n"
        f"Gid:\t{cred.gid}\t{cred.egid}\t{cred.sgid}\t{cred.fsgid}\n"
        f"FDSize:\t{fd_size(task)}\n"
        f"Groups:\t{groups}\n"
        f"NStgid:\t{task.tgid}\n"
        f"NSpid:\t{task.pid}\n"
        f"NSpgid:\t{task.pgrp}\n"
        f"NSsid:\t{task.session}\n"
        f"Kthread:\t0\n"
    )
    if task.mm is not None and task.state not in "ZX":
        text += _memory_lines(task.mm)
    uid = cred.uid
    queued = task.kernel.sigqueues.get(uid, 0)
    text += f"Threads:\t{len(threads(task.group_leader))}\nSigQ:\t{queued}/{task.rlimits[11][0]}\n"
    text += _signal_lines(task)
    for name, caps in (
        ("CapInh", cred.cap_inheritable),
        ("CapPrm", cred.cap_permitted),
        ("CapEff", cred.cap_effective),
        ("CapBnd", cred.cap_bset),
        ("CapAmb", cred.cap_ambient),
    ):
        text += f"{name}:\t{caps & _CAPS:016x}\n"
    text += task.kernel.seccomp_abi.status(task.seccomp)
    text += (
        "Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\n"
        f"voluntary_ctxt_switches:\t{task.nvcsw}\n"
        f"nonvoluntary_ctxt_switches:\t{task.nivcsw}\n"
    )
    return text.encode("latin-1")


def fd_size(task: Task) -> int:
    """Slots of the descriptor table, which grows by doubling from 64."""
    highest = max(task.files.table, default=0)
    size = 64
    while size <= highest:
        size *= 2
    return size


def stat(task: Task, reader: Task) -> bytes:
    """/proc/PID/stat: of the whole process, its ended threads included."""
    return _stat(task, reader, whole=True)


def thread_stat(task: Task, reader: Task) -> bytes:
    """/proc/PID/task/TID/stat: of one thread."""
    return _stat(task, reader, whole=False)


def _used(task: Task, whole: bool) -> Usage:
    """What the thread, or its whole process, has used."""
    used = Usage()
    used.add(task)
    if whole:
        used.add(task.signal.exited)
        for thread in task.thread_group:
            if thread is not task:
                used.add(thread)
    return used


def _stat(task: Task, reader: Task, *, whole: bool) -> bytes:
    """52 fields. Addresses are 0 for those who may not look into the task."""
    from emukernel.kernel.errno import Errno

    mm = task.mm if task.state not in "ZX" else None
    try:
        check_ptrace(reader, task)
        permitted = True
    except Errno:
        permitted = False
    pending, _, blocked, ignored, caught = _signal_sets(task)
    used = _used(task, whole)
    waited = task.signal.children if whole else Usage()
    policy = task.sched
    nice = 0 if policy is None else policy.nice
    real_time = 0 if policy is None else policy.rt_priority
    low = (1 << 31) - 1
    tty = task.signal.tty
    fields: list[int | str] = [
        task.pid,
        f"({task.comm.decode('latin-1')})",
        task.state,
        parent_pid(task),
        task.pgrp,
        task.session,
        0 if tty is None else tty.rdev,
        -1 if tty is None else tty.pgrp,
        0x400000 | task.flags,
        used.min_flt,
        waited.min_flt,
        used.maj_flt,
        waited.maj_flt,
        used.utime_ns // _TICK_NS,
        used.stime_ns // _TICK_NS,
        waited.utime_ns // _TICK_NS,
        waited.stime_ns // _TICK_NS,
        -1 - real_time if real_time else 20 + nice,
        nice,
        len(threads(task.group_leader)),
        0,
        task.start_time_ns // _TICK_NS,
    ]
    if mm is None:
        fields += [0, 0, task.rlimits[5][0], 0, 0, 0, 0, 0]
    else:
        fields += [mm.total_vm << 12, mm.rss, task.rlimits[5][0]]
        addresses = (mm.start_code, mm.end_code, mm.start_stack)
        fields += addresses if permitted else (1, 1, 0)
        fields += [0, 0]
    fields += [pending & low, blocked & low, ignored & low, caught & low]
    # wchan, nswap, cnswap, exit_signal, processor, rt_priority, policy, delay, guest times
    exit_signal = task.exit_signal if task is task.group_leader else -1
    fields += [int(task.state == "S"), 0, 0, exit_signal, 0, real_time]
    fields += [0 if policy is None else policy.policy, 0, 0, 0]
    if mm is None or not permitted:
        fields += [0] * 7
    else:
        fields += [mm.start_data, mm.end_data, mm.start_brk]
        fields += [mm.arg_start, mm.arg_end, mm.env_start, mm.env_end]
    fields.append(task.exit_code if permitted else 0)
    return (" ".join(map(str, fields)) + "\n").encode("latin-1")


def statm(task: Task, reader: Task) -> bytes:
    """/proc/PID/statm: pages in all, resident, shared, text, 0, data and stack, 0"""
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b"0 0 0 0 0 0 0\n"
    data, stack, text, _ = _area_pages(mm)
    _, file, shmem = rss_kinds(mm)
    return b"%d %d %d %d 0 %d 0\n" % (mm.total_vm, mm.rss, file + shmem, text, data + stack)
