"""Out of memory: one process is ended so that the others can go on (mm/oom_kill.c)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGKILL = 9

_OOM_SCORE_ADJ_MIN = -1000
OOM_NEVER = float("-inf")
"""The badness of a process that is not to be chosen."""


def out_of_memory(task: Task) -> bool:
    """No frame is left for the current task: ends the process that has most of them.

    True: another process ended, its frames are free, so the access is worth another try. False:
    the task itself is to end, as soon as it is on its way back to user mode.
    """
    from emukernel.kernel.exit import do_group_exit
    from emukernel.kernel.signal.send import force_sig

    kernel = task.kernel
    if dying(task):
        # It was chosen before.
        return False
    victim = _select(kernel, task)
    _report(kernel, task, victim)
    kernel.oom_killed = True
    kernel.oom_kills += 1
    if victim.mm is not task.mm:
        for sharer in _processes(kernel):
            if sharer.mm is victim.mm:
                do_group_exit(sharer, SIGKILL)
        return True
    # Whoever shares the memory must go too, or nothing would be freed.
    for sharer in _processes(kernel):
        if sharer.mm is task.mm and sharer.tgid != task.tgid:
            do_group_exit(sharer, SIGKILL)
    force_sig(task, SIGKILL)
    return False


def dying(task: Task) -> bool:
    """Whether a SIGKILL, or the end of its process, waits for the task (fatal_signal_pending)."""
    return task.signal.group_exit or bool(task.pending.signal >> (SIGKILL - 1) & 1)


def _processes(kernel: Kernel) -> list[Task]:
    """A live thread of each process."""
    return list({t.tgid: t for t in kernel.tasks.values() if t.state not in "ZX"}.values())


def _select(kernel: Kernel, task: Task) -> Task:
    """The process with the most memory, page tables included; `task` in doubt."""
    victim, most = task, badness(task)
    for candidate in _processes(kernel):
        points = badness(candidate)
        if points > most:
            victim, most = candidate, points
    return victim


def badness(task: Task) -> float:
    """Pages that the end of the process would free, plus its oom_score_adj (oom_badness)."""
    adjustment = task.signal.oom_score_adj
    if adjustment == _OOM_SCORE_ADJ_MIN:
        return OOM_NEVER
    mm = task.mm
    return mm.rss + mm.page_table.frames + adjustment * task.kernel.memory.frames // 1000


def _report(kernel: Kernel, task: Task, victim: Task) -> None:
    def comm(of: Task) -> str:
        return of.comm.decode("latin-1")

    kernel.log.printk(
        f"{comm(task)} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
        f"oom_score_adj={task.signal.oom_score_adj}"
    )
    mm = victim.mm
    kernel.log.printk(
        f"Out of memory: Killed process {victim.tgid} ({comm(victim)}) "
        f"total-vm:{mm.total_vm * 4}kB, rss:{mm.rss * 4}kB, UID:{victim.cred.uid} "
        f"pgtables:{mm.page_table.frames * 4}kB oom_score_adj:{victim.signal.oom_score_adj}"
    )
