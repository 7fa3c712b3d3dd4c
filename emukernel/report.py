"""How a run ended, in one line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.api import Refusal, Result, Run

_LIMITS = {
    "timeout": "stopped: the time limit was reached",
    "instructions": "stopped: the limit of instructions was reached",
}

_MAX_REFUSALS = 10


def ending(result: Result, run: Run) -> str:
    """Why the guest ended, or nothing when it ended by itself with a status."""
    if result.limit == "deadlock":
        return f"deadlock: every task sleeps and nothing can wake one: {result.detail}"
    if result.limit:
        return _LIMITS[result.limit]
    if not result.signal:
        return ""
    from emukernel.kernel.signal.numbers import signal_name

    refusal = fatal_refusal(result, run)
    if refusal is not None:
        text = f"killed by seccomp: {refusal}"
        if not run.loaded:
            text += (
                "\nthe policy has `on_next_syscall: 1`, so the launcher's own execve is "
                "held to it too: leave that line out, or allow sys_execve"
            )
        return text
    if result.signal == 9 and run.machine.oom_killed:
        return "killed: out of memory (--memory is the machine's RAM)"
    core = " (core dumped)" if result.core_dumped else ""
    where = f" {run.machine.last_fault}" if run.machine.last_fault else ""
    return f"killed by {signal_name(result.signal)}{core}{where}"


def fatal_refusal(result: Result, run: Run) -> Refusal | None:
    """The refusal that is the first process's end: its first thread's, as that one's status is the
    process's."""
    if result.signal != 9:
        return None
    mine = [r for r in result.violations if r.violation.pid == run.task.pid]
    return mine[-1] if mine else None


def other_refusals(result: Result, run: Run) -> str:
    """A line for each thread that a refusal ended while the first process went on, the last ten of
    many."""
    fatal = fatal_refusal(result, run)
    others = [refusal for refusal in result.violations if refusal is not fatal]
    shown = others[-_MAX_REFUSALS:]
    lines = [f"... {len(others) - len(shown)} earlier\n"] if len(others) > len(shown) else []
    for refusal in shown:
        violation = refusal.violation
        lines.append(f"task {violation.pid} ({violation.comm}) killed by seccomp: {refusal}\n")
    return "".join(lines)


def stats_text(stats: dict[str, Any]) -> str:
    """The statistics of a run as a table."""
    seconds = stats["seconds"]
    memory = stats["memory"]
    lines = ["     calls  system call"]
    lines += [f"{count:>10}  {name}" for name, count in stats["syscalls"].items()]
    lines += [
        f"{stats['syscall_total']:>10}  total",
        "",
        f"time    {seconds['total']:.3f} s: guest {seconds['guest']:.3f}, "
        f"kernel {seconds['kernel']:.3f}, filters {seconds['filters']:.6f}",
        f"memory  {memory['peak'] >> 10} KiB at most of {memory['size'] >> 10} KiB",
        f"faults  {stats['page_faults']}",
        f"blocks  {stats['translated_blocks']} translated",
    ]
    return "\n".join(lines) + "\n"
