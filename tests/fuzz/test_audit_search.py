"""The search for ways around: its programs, its verdicts, and kernels that have holes."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emukernel.fuzz.audit import Audit, audit, replay
from emukernel.fuzz.audit.effects import all_effects
from emukernel.fuzz.audit.observe import Watch, observe
from emukernel.fuzz.audit.rules import Rules
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import Way, usual_form
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.program import MASK, Call, Program, Store
from emukernel.policy import Policy

native = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="runs x86-64 Linux programs"
)


def bypasses(text: str) -> list[Finding]:
    return [finding for finding in audit(Policy.from_text(text)) if finding.kind == "bypass"]


# -- programs ------------------------------------------------------------------------------------


def run_natively(program: Program, folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "program"
    path.write_bytes(program.elf())
    path.chmod(0o755)
    return subprocess.run([path], capture_output=True, timeout=10, check=False)


@native
def test_a_program_does_the_same_natively(tmp_path: Path) -> None:
    steps = [
        Call(1, (1, 0x500000, 6)),
        Store(0x500001, b"ELLO, WORLD\n"),
        Call(1, (1 | 1 << 32, 0x500000, 13)),
        Call(1, (1, 0x7000_1234_5000, 4)),
        Call(1, (1, 0x600FFE, 4)),
        Call(4, (1, 0x500000, 1), compat=True),
        Call(231, (7,)),
    ]
    data = {0x500000: b"hello\n" + bytes(16), 0x7000_1234_5000: b"far\n", 0x600FFE: b"two\n"}
    program = Program(steps, data, constant=[0x600FFE])
    done = run_natively(program, tmp_path)
    assert done.stdout == b"hello\nhELLO, WORLD\nfar\ntwo\nh"
    assert done.returncode == 7
    seen = observe(program.elf(), None, {}, Watch(), trace=True)
    assert seen.status == 7
    assert [result for nr, _, result in seen.calls if nr == 1] == [6, 13, 4, 4]


@native
def test_constant_data_cannot_be_written(tmp_path: Path) -> None:
    program = Program([Store(0x500000, b"x")], {0x500000: b"y"}, constant=[0x500000])
    assert run_natively(program, tmp_path).returncode == -11
    assert observe(program.elf(), None, {}, Watch()).status == 128 + 11


@native
def test_a_program_without_steps_ends(tmp_path: Path) -> None:
    assert run_natively(Program([]), tmp_path).returncode == 0


@pytest.mark.parametrize(
    "data",
    [
        {0x500000: b"four", 0x500003: b"x"},
        {0x400010: b"over the code"},
        {0: b"NULL"},
        {0x7FFF_0000_0000: b"too high"},
    ],
)
def test_data_that_no_program_can_have(data: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="0x"):
        Program([], data).elf()


def test_registers_are_64_bits() -> None:
    assert Call(-1, (-100,)).args == (MASK - 99, 0, 0, 0, 0, 0)


# -- effects -------------------------------------------------------------------------------------

EVERYTHING = "\n".join(
    (
        "sys_socket: 1",
        "sys_prctl: 1",
        "sys_open: filename == 0x700000",
        "sys_execve: name == 0x700000",
    )
)
NO_SOCKETS = "sys_write: fd != 5\nsys_read: fd == 0"


def effects() -> Iterator[tuple[Effect, Way]]:
    for text in (EVERYTHING, NO_SOCKETS):
        for effect in all_effects(Rules(Policy.from_text(text))):
            for way in effect.ways:
                yield effect, way


@pytest.mark.parametrize("part", range(8))
def test_every_way_reaches_its_effect_without_a_policy(part: int) -> None:
    reached: dict[str, object] = {}
    pairs = list(effects())
    assert len({effect.rule for effect, _ in pairs}) >= 19
    for effect, way in pairs[part::8]:
        world = {
            "descriptors": {
                **effect.world.get("descriptors", {}),
                **way.world.get("descriptors", {}),
            }
        }
        seen = observe(usual_form(way).program.elf(), None, world, effect.watch())
        assert seen.effect is not None, (effect.rule, way.label)
        assert reached.setdefault(effect.what, seen.effect) == seen.effect, way.label


def test_no_effect_without_its_ways() -> None:
    for effect in all_effects(Rules(Policy.from_text(EVERYTHING))):
        assert observe(Program([]).elf(), None, effect.world, effect.watch()).effect is None
        assert effect.threat and effect.what


# -- verdicts ------------------------------------------------------------------------------------


def test_what_a_finding_carries() -> None:
    (found,) = bypasses("sys_read: fd != 3\nsys_exit_group: 1")
    assert (found.kind, found.rule) == ("bypass", "read")
    place = found.place
    assert place is not None
    assert (place.line, place.column, place.length) == (1, 11, 7)
    assert "read(fd=0x100000003" in found.text
    assert found.evidence["suggestion"] == {
        "name": "sys_read",
        "expression": "fd != 3 && fd <= 0xffffffff",
    }
    assert found.evidence["effect"] == {"read": "nobody should read this"}
    assert "fd != 3 is false" in found.evidence["refused"]["reason"]
    assert b64decode(found.replay["passed"])[:4] == b"\x7fELF"
    again = Finding.from_json(found.to_json())
    assert again == found
    refused, passed = replay(again)
    assert (refused, passed) == (
        found.evidence["refused"]["trace"],
        found.evidence["passed"]["trace"],
    )
    assert audit(Policy.from_text("sys_read: fd != 3\nsys_exit_group: 1"))[0].id == found.id


def test_only_findings_of_an_audit_are_replayed() -> None:
    with pytest.raises(ValueError, match="not a finding of a policy's audit"):
        replay(Finding("bypass", "read", "k", "t", "t"))


@pytest.mark.parametrize(
    "text",
    [
        "sys_write: 1\nsys_writev: 1",
        "sys_open: 1\nsys_openat: 1",
        "sys_write: fd == 1\nsys_writev: fd == 3\nsys_pwrite64: fd == 3",
        "sys_open: flags == 0\nsys_openat: flags == 0x241",
        "sys_openat: dfd == 0xffffff9c && flags == 0",
        "sys_openat: dfd == 0xffffffffffffff9c && flags == 0",
        "sys_fork: 1\nsys_clone: clone_flags == 0x3d0f00",
        "sys_kill: sig == 0",
        "sys_kill: sig == 0\nsys_tgkill: sig == 6",
        "sys_mmap: prot == 3\nsys_mprotect: prot == 5 || prot == 1",
        "sys_execve: name == 0x700000",
        "sys_write: fd == 1\nsys_socket: 1\nsys_sendto: 1",
        "sys_socket: family == 2\nsys_socketpair: family == 1",
        "sys_chmod: mode <= 0777\nsys_fchmodat: mode <= 0777",
        "sys_ioctl: cmd == 0x5413 || cmd == 0x5401",
        # Doors that are closed, and no word on the room.
        "sys_clone3: 0\nsys_clone: 1\nsys_vfork: 1",
        "sys_execveat: 0\nsys_execve: 1",
        "sys_openat2: 0\nsys_openat: 1\nsys_creat: 0",
        "sys_tgkill: 0\nsys_kill: 1",
        "sys_dup3: 0\nsys_dup2: 1",
    ],
)
def test_what_is_no_way_around(text: str) -> None:
    # clone_flags and fork: see the threat; to allow fork beside threads only is a hole.
    found = bypasses(text + "\nsys_exit_group: 1")
    expected = ["process"] if "sys_fork" in text else []
    assert [finding.rule for finding in found] == expected


def test_a_trap_that_fills_its_line() -> None:
    numbers = "||".join(f"fd!={number}" for number in range(10, 41))
    text = f"sys_close: {numbers}\nsys_exit_group: 1"
    assert len(numbers) > 240
    assert [f.rule for f in audit(Policy.from_text(text))] == ["boolean-trap", "tautology"]


def test_a_policy_that_lets_nothing_end() -> None:
    assert [finding.rule for finding in bypasses("sys_write: fd != 3")] == ["write"]


def test_a_policy_enforced_at_once() -> None:
    text = "sys_read: fd != 3\non_next_syscall: 1"
    assert [finding.rule for finding in bypasses(text)] == ["read"]


# -- kernels with holes --------------------------------------------------------------------------


def test_int_80_is_found_where_a_kernel_does_not_check_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from emukernel.seccomp.state import SeccompState

    enforce = SeccompState.enforce

    def forgetful(self: SeccompState) -> None:
        enforce(self)
        self.calls32 = None

    text = "sys_write: fd == 1\nsys_unlink: 0\nsys_exit_group: 1"
    assert not bypasses(text)
    monkeypatch.setattr(SeccompState, "enforce", forgetful)
    labels = [finding.evidence["passed"]["form"] for finding in bypasses(text)]
    assert "write by int $0x80" in labels
    assert "unlink by int $0x80" in labels
    assert not any("x32" in label for label in labels)


def test_x32_is_found_where_a_list_of_forbidden_numbers_is_passed_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from emukernel.kernel.kernel import Kernel
    from emukernel.seccomp.state import SeccompState

    x32 = 0x40000000

    class Passed(dict):  # type: ignore[type-arg]
        """A list of what is forbidden does not know these numbers."""

        def get(self, nr, default=None):  # type: ignore[no-untyped-def]
            return True if nr & x32 else super().get(nr, default)

    enforce, resolve = SeccompState.enforce, Kernel.resolve

    def forgetful(self: SeccompState) -> None:
        enforce(self)
        self.calls = Passed(self.calls or {})

    monkeypatch.setattr(SeccompState, "enforce", forgetful)
    monkeypatch.setattr(Kernel, "resolve", lambda self, nr: resolve(self, nr & ~x32))
    labels = [f.evidence["passed"]["form"] for f in bypasses("sys_write: fd == 1")]
    assert "write as x32 numbers it" in labels


def test_a_filter_set_that_can_be_loosened_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from emukernel.seccomp.abi.v1 import Changes

    init = Changes.__init__
    text = "sys_openat: flags == 0x241\nsys_prctl: 1\nsys_exit_group: 1"
    assert not bypasses(text)

    def lax(self, events, filters, *, enforced):  # type: ignore[no-untyped-def]
        init(self, events, filters, enforced=False)
        self.entries = {}

    monkeypatch.setattr(Changes, "__init__", lax)
    assert "narrowing" in {finding.rule for finding in bypasses(text)}


# -- anything ------------------------------------------------------------------------------------

CALLS = {
    "read": ("fd", "buf", "count"),
    "write": ("fd", "buf", "count"),
    "openat": ("dfd", "filename", "flags", "mode"),
    "mmap": ("addr", "len", "prot", "flags", "fd"),
    "kill": ("pid", "sig"),
    "ioctl": ("fd", "cmd", "arg"),
    "clone": ("clone_flags", "newsp"),
    "exit_group": ("error_code",),
    "futex": ("uaddr", "op", "val"),
    "pause": (),
    "ptrace": ("request", "pid"),
}
CONSTANTS = (0, 1, 2, 3, 9, 17, 0x5412, 0xFFFFFFFF, 1 << 32, MASK)


@st.composite
def policies(draw: st.DrawFn) -> str:
    lines = []
    for name in draw(st.lists(st.sampled_from(sorted(CALLS)), min_size=1, max_size=3)):
        predicates = [
            f"{draw(st.sampled_from((*CALLS[name], 'common_pid')))} "
            f"{draw(st.sampled_from(('==', '!=', '<', '<=', '>', '>=')))} "
            f"{draw(st.sampled_from(CONSTANTS))}"
            for _ in range(draw(st.integers(1, 3)))
        ]
        joint = draw(st.sampled_from((" && ", " || ")))
        expression = draw(st.sampled_from(("0", "1", joint.join(predicates))))
        lines.append(f"sys_{name}: {expression}")
    return "\n".join(lines)


@given(policies())
@settings(max_examples=12)
def test_any_policy_is_audited_and_what_is_found_is_shown(text: str) -> None:
    from emukernel.policy import PolicyError

    try:
        policy = Policy.from_text(text)
    except PolicyError:
        return
    done = Audit(policy)
    for finding in done.findings:
        assert finding.kind in ("bypass", "loose")
        if finding.kind == "bypass":
            refused, passed = replay(finding)
            assert any("seccomp: refused" in line for line in refused)
            assert passed == finding.evidence["passed"]["trace"]
