"""prctl(2) and arch_prctl(2)."""

from __future__ import annotations

from emukernel.strace.kinds import decode_as
from emukernel.strace.names import enum, enum_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

ALL = ("x", "x", "x", "x")

ARGUMENTS = {
    "PR_SET_PDEATHSIG": ("signal",),
    "PR_GET_PDEATHSIG": ("out signal",),
    "PR_GET_DUMPABLE": (),
    "PR_SET_DUMPABLE": ("enum process.dumpable",),
    "PR_GET_KEEPCAPS": (),
    "PR_SET_KEEPCAPS": ("",),
    "PR_GET_TIMING": (),
    "PR_SET_TIMING": ("",),
    "PR_SET_NAME": ("string",),
    "PR_GET_NAME": ("out path",),
    "PR_GET_SECCOMP": (),
    "PR_SET_SECCOMP": ("enum process.seccomp_mode", "prctl.filter", "omitted", "omitted"),
    "PR_CAPBSET_READ": ("enum process.cap",),
    "PR_CAPBSET_DROP": ("enum process.cap",),
    "PR_GET_TSC": ("out tsc",),
    "PR_SET_TSC": ("enum process.tsc",),
    "PR_GET_SECUREBITS": (),
    "PR_SET_SECUREBITS": ("x",),
    "PR_SET_TIMERSLACK": ("",),
    "PR_GET_TIMERSLACK": (),
    "PR_TASK_PERF_EVENTS_DISABLE": (),
    "PR_TASK_PERF_EVENTS_ENABLE": (),
    "PR_SET_CHILD_SUBREAPER": ("",),
    "PR_GET_CHILD_SUBREAPER": ("out int",),
    "PR_SET_NO_NEW_PRIVS": ("", "x", "x", "x"),
    "PR_GET_TID_ADDRESS": ("out address_at",),
    "PR_SET_PTRACER": ("fd",),
    "PR_CAP_AMBIENT": ("enum process.cap_ambient", "enum process.cap", "x", "x"),
}
"""The kinds of the second to fifth arguments, by option; an option that is not here: ALL."""

ARCH_ARGUMENTS = {
    "ARCH_GET_FS": "out address_at",
    "ARCH_GET_GS": "out address_at",
    "ARCH_GET_CPUID": "omitted",
}

SECCOMP_MODE_FILTER = 2


def arg(call: Call, i: int) -> str | None:
    option = enum_set("process.prctl")[1].get(call.value(0), "")
    kinds = ARGUMENTS.get(option, ALL)
    return decode_as(call, i, kinds[i - 1]) if i <= len(kinds) else ""


def filter(call: Call, i: int) -> str | None:
    """PR_SET_SECCOMP's text, where the mode before it takes one."""
    if call.value(i - 1) != SECCOMP_MODE_FILTER:
        return ""
    return decode_as(call, i, "string")


def result(call: Call) -> str:
    assert call.ret is not None
    option = enum_set("process.prctl")[1].get(call.value(0))
    if option == "PR_GET_DUMPABLE":
        return f"{call.ret} ({enum('process.dumpable', call.ret)})"
    if option == "PR_GET_SECCOMP" and call.ret:
        return f"{call.ret} ({enum('process.seccomp_mode', call.ret)})"
    return str(call.ret)


def arch_arg2(call: Call, i: int) -> str | None:
    option = enum_set("process.arch_prctl")[1].get(call.value(0), "")
    return decode_as(call, i, ARCH_ARGUMENTS.get(option, "x"))
