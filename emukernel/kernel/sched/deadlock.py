"""What tasks wait for, in words: said when every one of them sleeps and nothing can wake any."""

from __future__ import annotations

from emukernel.kernel.task import SLEEPING, STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from emukernel.kernel.task import Task

#: More tasks than these are counted, not named.
_NAMED = 16


def describe_sleepers(tasks: Iterable[Task]) -> str:
    """`task 100 (cat) in read(0, …) on pipe:[7], task 101 (sh) in wait4(-1, …)`."""
    asleep = [task for task in tasks if task.state in (SLEEPING, STOPPED)]
    texts = [describe_sleep(task) for task in asleep[:_NAMED]]
    if len(asleep) > _NAMED:
        texts.append(f"and {len(asleep) - _NAMED} more")
    return ", ".join(texts)


def describe_sleep(task: Task) -> str:
    """One task: its id and name, the call that it sleeps in, and the file that it is about."""
    text = f"task {task.pid} ({task.comm.decode('latin-1')})"
    if task.state == STOPPED:
        return f"{text} stopped by a signal"
    text += f" in {_call(task)}"
    file = _file(task)
    return f"{text} on {file}" if file else text


def _call(task: Task) -> str:
    from emukernel.kernel.errno import Errno
    from emukernel.kernel.uaccess import copy_from_user
    from emukernel.strace.describe import describe_call
    from emukernel.strace.line import enter, whole

    def read_user(address: int, size: int) -> bytes | None:
        try:
            return copy_from_user(task, address, size)
        except Errno:
            return None

    if task.compat:
        return describe_call(task.orig_rax, task.args, read_user, compat=True)
    return whole(enter(task.orig_rax, task.args, read_user))


def _file(task: Task) -> str:
    """The file of the descriptor that the call's first argument is, if it is one."""
    from emukernel.kernel.fs.dcache import d_path
    from emukernel.kernel.syscalls.dispatch import ROWS
    from emukernel.kernel.syscalls.signature import parse

    row = ROWS.get(task.orig_rax)
    if task.compat or row is None:
        return ""
    parameters = parse(row[3]).parameters
    if not parameters or parameters[0].kind != "fd":
        return ""
    file = task.files.table.get(task.args[0] & 0xFFFF_FFFF)
    if file is None:
        return ""
    return d_path(file.path, task.fs.root).decode("utf-8", "backslashreplace")
