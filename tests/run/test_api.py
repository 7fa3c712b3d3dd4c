"""The Python API: kernels, policies, results, hooks."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import emukernel
from emukernel import (
    EventFilter,
    FilterError,
    Kernel,
    Policy,
    PolicyError,
    UsageError,
    event_filter,
)

STARTS = "sys_arch_prctl: 1\nsys_set_tid_address: 1\nsys_exit_group: 1\n"
# read(0, sp, 16); write(1, sp, the result); exit_group(the result)
ECHO = "31ff4889e6ba1000000031c00f05" + "89c2bf01000000b8010000000f05" + "89c7b8e70000000f05"


def test_a_run_and_its_result(tiny: Callable[[str], Path]) -> None:
    result = Kernel(stdin=b"abc").run(str(tiny(ECHO)))
    assert (result.status, result.signal, result.exit_status) == (3, 0, 3)
    assert (result.stdout, result.stderr) == (b"abc", b"")
    assert (result.limit, result.violations, result.trace, result.stats) == ("", [], [], {})
    assert "Linux version" in result.dmesg[0]


def test_a_kernel_runs_as_often_as_one_likes(tiny: Callable[[str], Path]) -> None:
    kernel = Kernel(stdin=b"abc")
    assert [kernel.run(str(tiny(ECHO))).stdout for _ in range(3)] == [b"abc"] * 3


def test_arguments_and_environment(ends: Path) -> None:
    kernel = Kernel()
    assert kernel.run(str(ends), ["x", "args", b"\xff"]).stdout == b"x\nargs\n\xff\n"
    assert kernel.run(str(ends), ["x", "env"], {"A": "1", "B": ""}).stdout == b"A=1\nB=\n"
    assert kernel.run(str(ends), ["x", "env"]).stdout == b""


def test_a_violation(ends: Path) -> None:
    result = Kernel(filter=Policy.from_text(STARTS)).run(str(ends), ["x", "open", "/etc/passwd"])
    assert (result.signal, result.status, result.exit_status) == (9, None, 137)
    (refusal,) = result.violations
    violation = refusal.violation
    assert (violation.nr, violation.name, violation.kind) == (2, "sys_open", "no-entry")
    assert violation.reason == "no entry for sys_open"
    assert '"/etc/passwd"' in refusal.call
    assert refusal.where.startswith("0x")
    assert str(refusal) == f"{refusal.call} at {refusal.where}: {violation.reason}"


def test_a_policy_given_as_text(tiny: Callable[[str], Path]) -> None:
    policy = "sys_read: fd == 0\nsys_write: fd == 2\n"
    result = Kernel(filter=policy, stdin=b"x").run(str(tiny(ECHO)))
    assert result.violations[0].violation.reason == "sys_write: fd == 2 is false (fd = 0x1)"
    with pytest.raises(PolicyError) as caught:
        Kernel(filter="sys_raed: 1")
    assert "did you mean 'sys_read'" in str(caught.value)


def test_hooks(tiny: Callable[[str], Path]) -> None:
    seen: list[tuple[Any, ...]] = []
    result = Kernel(
        stdin=b"ab",
        before=lambda task, nr, args: seen.append(("before", task.pid, nr, args[0])),
        after=lambda task, nr, args, value: seen.append(("after", nr, value)),
    ).run(str(tiny(ECHO)))
    assert result.status == 2
    assert seen == [
        *[("before", 100, 0, 0), ("after", 0, 2)],
        *[("before", 100, 1, 1), ("after", 1, 2)],
        ("before", 100, 231, 2),
    ]


def test_what_a_hook_raises_comes_out_of_run(tiny: Callable[[str], Path]) -> None:
    def stop(task: object, nr: int, args: tuple[int, ...]) -> None:
        raise LookupError(nr)

    kernel = Kernel(stdin=b"", before=stop)
    with pytest.raises(LookupError):
        kernel.run(str(tiny(ECHO)))


def test_a_trace_and_statistics(tiny: Callable[[str], Path]) -> None:
    result = Kernel(stdin=b"abc", trace=True, stats=True).run(str(tiny(ECHO)))
    assert result.trace == [
        'read(0, "abc", 16)                      = 3',
        'write(1, "abc", 3)                      = 3',
        "exit_group(3)                           = ?",
        "+++ exited with 3 +++",
    ]
    assert result.stats["syscalls"] == {"read": 1, "write": 1, "exit_group": 1}


def test_limits(ends: Path, tiny: Callable[[str], Path]) -> None:
    result = Kernel(timeout=0.2).run(str(ends), ["x", "spin"])
    assert (result.limit, result.exit_status, result.status) == ("timeout", 124, None)
    result = Kernel(max_instructions=5000).run(str(tiny("ebfe")))
    assert (result.limit, result.exit_status) == ("instructions", 124)
    result = Kernel().run(str(ends), ["x", "pause"])
    assert (result.limit, result.exit_status) == ("deadlock", 125)
    assert "ends" in result.detail


def test_determinism(ends: Path) -> None:
    kernel = Kernel(deterministic=True, seed=3, trace=True)
    assert kernel.run(str(ends), ["x", "exit"]).trace == kernel.run(str(ends), ["x", "exit"]).trace


def test_files(files: Path, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("host")
    kernel = Kernel(binds=[(str(tmp_path), "/g", True)], cwd="/tmp")
    result = kernel.run(str(files), ["x", "read", "/g/f", "write", "/g/f", "guest"])
    assert result.stdout == b"[host]\nok\n"
    assert (tmp_path / "f").read_text() == "guest"


@pytest.mark.parametrize(
    "options",
    [
        {"memory": 5},
        {"memory": 1 << 60},
        {"memory": (8 << 20) + 1},
        {"uid": -1},
        {"gid": 1 << 32},
        {"seed": -1},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"max_instructions": 0},
        {"hostname": "a" * 65},
        {"binds": [("/tmp", "relative", False)]},
    ],
    ids=str,
)
def test_arguments_that_can_never_do(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Kernel(**options)


def test_a_policy_must_be_one() -> None:
    with pytest.raises(TypeError):
        Kernel(filter=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argv", "env"),
    [(["a\0b"], {}), (["a"], {"A=B": ""}), (["a"], {"": "x"}), (["a"], {"A": "\0"})],
)
def test_words_that_can_not_be_passed_on(
    tiny: Callable[[str], Path], argv: list[str], env: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"NUL|name"):
        Kernel().run(str(tiny(ECHO)), argv, env)


def test_a_name_with_a_nul_byte() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Kernel().run("a\0b")
    with pytest.raises(UsageError, match="NUL"):
        Kernel().run("a\0b", ["a"])


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({}, "/no/such", "/no/such: no such program"),
        ({"root": "/no/such"}, "x", "--root: /no/such: No such file"),
        ({"cwd": "/no/such"}, "x", "--cwd: /no/such: No such file"),
        ({"binds": [("/no/such", "/g", False)]}, "x", "--bind: /no/such: No such file"),
    ],
)
def test_what_can_not_be_started(options: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Kernel(**options).run(path)


def test_a_thread_may_run_a_machine(tiny: Callable[[str], Path]) -> None:
    statuses: list[int] = []
    program = str(tiny(ECHO))
    threads = [
        threading.Thread(
            target=lambda n=n: statuses.append(Kernel(stdin=b"x" * n).run(program).exit_status)
        )
        for n in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [1, 2, 3]


def test_machines_give_everything_back(tiny: Callable[[str], Path]) -> None:
    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    program = str(tiny(ECHO))
    kernel = Kernel(stdin=b"x", trace=True)
    for _ in range(5):
        kernel.run(program)
    gc.collect()
    memory, descriptors, threads = resident(), len(os.listdir("/proc/self/fd")), 0
    for _ in range(20):
        kernel.run(program)
    gc.collect()
    threads = threading.active_count()
    assert resident() - memory < 16 << 20
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2
    assert threads <= 3


def test_a_filter_as_an_object() -> None:
    for name in ("write", "sys_write", "sys_enter_write"):
        found = event_filter(name, "fd == 1 && count < 10")
        assert isinstance(found, EventFilter)
        assert found.match(1, 1, 0, 5, 0, 0, 0)
        assert not found.match(1, 2, 0, 5, 0, 0, 0)
    with pytest.raises(FilterError) as caught:
        event_filter("write", "fdd == 1")
    assert caught.value.message == "Field not found"
    with pytest.raises(UsageError, match="no event 'wrote'"):
        event_filter("wrote", "1")


def test_names_of_the_package() -> None:
    for name in emukernel.__all__:
        assert getattr(emukernel, name)
    with pytest.raises(AttributeError):
        emukernel.nothing  # noqa: B018
