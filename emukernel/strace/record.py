"""What the trace says, as records for programs (JSON lines)."""

from __future__ import annotations

from emukernel.kernel.errno import name as errno_name
from emukernel.strace.line import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.strace.call import Call


def call_record(pid: int, time: int, call: Call, verdict: str | None) -> dict[str, Any]:
    """A call: `args` are the raw registers, `decoded` the parameters as the text trace shows them
    (those that the call does not look at are left out), `ret` None where it did not come back and
    -1 with `errno` for an error, `outcome` what the text trace has behind `=`. `time` is in
    nanoseconds, of the moment when the call was made."""
    ret = call.ret
    return {
        "type": "syscall",
        "pid": pid,
        "time": time,
        "nr": call.nr,
        "name": call.name,
        "args": list(call.args),
        "decoded": {
            parameter.name: text
            for parameter, text in zip(call.parameters, call.texts, strict=True)
            if text
        },
        "ret": -1 if call.failed else ret,
        "errno": errno_name(-ret) if call.failed and ret is not None else None,
        "outcome": outcome(call),
        "seccomp": verdict,
    }


def signal_record(pid: int, time: int, name: str, info: str) -> dict[str, Any]:
    """A signal that is delivered: its name and its siginfo as text."""
    return {"type": "signal", "pid": pid, "time": time, "signal": name, "siginfo": info}


def stop_record(pid: int, time: int, name: str) -> dict[str, Any]:
    """A task stops by a signal of this name."""
    return {"type": "stop", "pid": pid, "time": time, "signal": name}


def superseded_record(pid: int, time: int, by: int) -> dict[str, Any]:
    """The first thread of a process is gone: the execve of thread `by` goes on under its pid."""
    return {"type": "superseded", "pid": pid, "time": time, "by": by}


def exit_record(
    pid: int, time: int, status: int | None, signal: str | None, core: bool
) -> dict[str, Any]:
    """The end of a task: its exit status, or the signal that ended it."""
    return {
        "type": "exit",
        "pid": pid,
        "time": time,
        "status": status,
        "signal": signal,
        "core": core,
    }
