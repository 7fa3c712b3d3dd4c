"""prctl's options whose answers depend on more than Linux on this machine can show."""

from __future__ import annotations

from kernel_tasks import BUFFER, Machine, errno_of

from emukernel.kernel.errno import EFAULT, EINVAL, EPERM
from emukernel.kernel.prctl import sys_prctl
from emukernel.kernel.task import Task
from emukernel.kernel.uaccess import copy_to_user
from emukernel.seccomp.abi import get_abi
from emukernel.seccomp.state import SeccompState

PR_SET_MM, PR_SET_CHILD_SUBREAPER = 35, 36


class Abi:
    """A surface to which 35 to 37 belong, as to those of May and June 2011."""

    options = frozenset((21, 22, 35, 36, 37))

    def prctl(self, state: object, caller: object, *args: int) -> int:
        return args[0] + 1000


def prctl(task: Task, *args: int) -> int:
    return sys_prctl(task, *args, *[0] * (5 - len(args)))


def booted(machine: Machine) -> Task:
    machine.seccomp_abi = get_abi("v1")  # type: ignore[attr-defined]
    task = machine.process()
    task.seccomp = SeccompState()
    return task


def test_35_to_37_belong_to_the_surface_that_claims_them(machine: Machine) -> None:
    task = booted(machine)
    assert prctl(task, PR_SET_CHILD_SUBREAPER, 1) == 0
    machine.seccomp_abi = Abi()  # type: ignore[attr-defined]
    assert [prctl(task, option, 0) for option in (22, 35, 36, 37)] == [1022, 1035, 1036, 1037]


def test_seccomp_goes_to_its_surface(machine: Machine) -> None:
    task = booted(machine)
    assert prctl(task, 21) == 0
    assert prctl(task, 22, 1) == 0
    assert prctl(task, 21) == 1
    assert task.tsc_disabled


def test_unknown_options_are_noted_once(machine: Machine) -> None:
    task = booted(machine)
    for _ in range(2):
        assert errno_of(prctl, task, 4242) == EINVAL
        assert errno_of(prctl, task, 0x53564D41) == EINVAL
    assert [text for _, _, text in machine.log.records] == ["prctl: unknown option 4242: EINVAL"]


def test_where_the_program_lies_can_be_told(machine: Machine) -> None:
    task = booted(machine)
    mm = task.mm
    mm.arg_start, mm.arg_end = BUFFER, BUFFER + 10
    assert prctl(task, PR_SET_MM, 9, BUFFER + 20) == 0
    assert mm.arg_end == BUFFER + 20
    assert errno_of(prctl, task, PR_SET_MM, 8, BUFFER + 30) == EINVAL
    assert errno_of(prctl, task, PR_SET_MM, 8, 0x1000) == EINVAL
    assert errno_of(prctl, task, PR_SET_MM, 8, 1 << 46) == EFAULT
    for option in (0, 13, 14, 16, 99):
        assert errno_of(prctl, task, PR_SET_MM, option, BUFFER) == EINVAL
    task.cred = machine.process(uid=1000).cred
    assert errno_of(prctl, task, PR_SET_MM, 9, BUFFER) == EPERM


def test_the_auxiliary_vector_can_be_replaced(machine: Machine) -> None:
    task = booted(machine)
    copy_to_user(task, BUFFER, b"\x01" * 400)
    assert prctl(task, PR_SET_MM, 12, BUFFER, 32) == 0
    assert task.mm.saved_auxv == b"\x01" * 32 + bytes(336)
    assert prctl(task, PR_SET_MM, 12, BUFFER, 368) == 0
    assert task.mm.saved_auxv == b"\x01" * 352 + bytes(16)
    assert errno_of(prctl, task, PR_SET_MM, 12, BUFFER, 369) == EINVAL
    assert errno_of(prctl, task, PR_SET_MM, 12, 0x10, 16) == EFAULT
