"""What the kernel does with seccomp's verdict on a refused call (kernel/seccomp.c)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGKILL = 9


def seccomp_refused(kernel: Kernel, task: Task) -> bool:
    """Carries out the active surface's verdict; True if the call may go on after all.

    Under v1, v2, v9 and in strict mode the thread ends as if by SIGKILL (2.6.39 calls do_exit).
    """
    from emukernel.kernel.exit import do_exit

    verdict = kernel.seccomp_abi.refuse(
        task.seccomp,
        comm=task.comm.decode("latin-1"),
        pid=task.pid,
        nr=task.orig_rax,
        args=task.args,
        ip=kernel.cpu.regs[16],
        compat=task.compat,
    )
    for line in verdict.log:
        kernel.log.printk(line)
    kernel.note_violation(task, verdict.violation)
    do_exit(task, SIGKILL)
    return False
