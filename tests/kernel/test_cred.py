"""Credentials across exec, and what a change of ids takes with it."""

from __future__ import annotations

from emukernel.kernel.cred import (
    CAP_FULL_SET,
    SECBIT_KEEP_CAPS,
    SECBIT_NOROOT,
    Cred,
    exec_cred,
    sys_setresuid,
    sys_setuid,
)
from emukernel.kernel.task import Task


class File:
    """The inode of a program."""

    def __init__(self, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        self.mode, self.uid, self.gid = mode, uid, gid


def run(cred: Cred, file: File, **options: bool) -> tuple[Cred, bool]:
    nosuid = options.pop("nosuid", False)
    return exec_cred(cred, file, nosuid, **options)  # type: ignore[arg-type]


def test_root_keeps_everything() -> None:
    new, secure = run(Cred.for_user(0, 0), File())
    assert (new.cap_permitted, new.cap_effective, secure) == (CAP_FULL_SET, CAP_FULL_SET, False)


def test_a_user_has_nothing_and_gets_nothing() -> None:
    new, secure = run(Cred.for_user(1000, 1000), File())
    assert (new.uid, new.euid, new.cap_permitted, secure) == (1000, 1000, 0, False)


def test_set_user_id_root() -> None:
    new, secure = run(Cred.for_user(1000, 1000), File(0o4755))
    assert (new.uid, new.euid, new.suid, new.fsuid) == (1000, 0, 0, 0)
    assert new.cap_effective == CAP_FULL_SET
    assert secure


def test_set_group_id_needs_the_execute_bit() -> None:
    for mode, egid in ((0o2755, 5), (0o2745, 1000)):
        new, secure = run(Cred.for_user(1000, 1000), File(mode, gid=5))
        assert (new.egid, new.fsgid, secure) == (egid, egid, egid == 5)


def test_set_id_bits_can_be_turned_off() -> None:
    for option in ("nosuid", "no_new_privs"):
        new, secure = run(Cred.for_user(1000, 1000), File(0o6755), **{option: True})
        assert (new.euid, new.egid, new.cap_permitted, secure) == (1000, 1000, 0, False)


def test_no_new_privs_gives_dropped_capabilities_back_to_nobody() -> None:
    cred = Cred.for_user(0, 0)
    cred.cap_permitted = cred.cap_effective = 0b101
    assert run(cred, File(), no_new_privs=True)[0].cap_permitted == 0b101
    assert run(cred, File())[0].cap_permitted == CAP_FULL_SET


def test_ambient_capabilities_survive_plain_programs_only() -> None:
    cred = Cred.for_user(1000, 1000)
    cred.cap_permitted = cred.cap_inheritable = cred.cap_ambient = 0b10
    new, secure = run(cred, File())
    assert (new.cap_permitted, new.cap_effective, new.cap_ambient, secure) == (2, 2, 2, False)
    assert run(cred, File(0o4755, uid=5))[0].cap_ambient == 0


def test_root_is_nobody_special_with_noroot() -> None:
    cred = Cred.for_user(0, 0)
    cred.securebits = SECBIT_NOROOT | SECBIT_KEEP_CAPS
    new, _ = run(cred, File())
    assert (new.cap_permitted, new.cap_effective) == (0, 0)
    assert new.securebits == SECBIT_NOROOT


def test_exec_leaves_the_old_credentials_alone() -> None:
    cred = Cred.for_user(1000, 1000)
    before = [getattr(cred, name) for name in Cred.__slots__]
    run(cred, File(0o6755))
    assert [getattr(cred, name) for name in Cred.__slots__] == before


def test_becoming_someone_else_ends_dumping_and_the_death_signal(task: Task) -> None:
    task.pdeath_signal = 9
    old = task.cred
    assert sys_setresuid(task, 0, 0, 5) == 0
    assert (task.dumpable, task.pdeath_signal) == (1, 9)
    assert sys_setuid(task, 1000) == 0
    assert (task.dumpable, task.pdeath_signal) == (0, 0)
    assert old.uid == 0
    assert old.cap_effective == CAP_FULL_SET
