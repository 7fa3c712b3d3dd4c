"""What a policy's text alone shows, and the command that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emukernel.cli import main
from emukernel.ftrace.filter import create
from emukernel.fuzz.audit import audit
from emukernel.fuzz.audit.rules import Rules
from emukernel.fuzz.finding import Finding
from emukernel.policy import Policy


def loose(text: str) -> list[Finding]:
    return [finding for finding in audit(Policy.from_text(text)) if finding.kind == "loose"]


def marked(text: str, finding: Finding) -> str:
    """What stands at the finding's place."""
    place = finding.place
    assert place is not None
    line = text.split("\n")[place.line - 1]
    return line[place.column - 1 : place.column - 1 + place.length]


@pytest.mark.parametrize(
    ("text", "rule", "where", "suggestion"),
    [
        ("sys_close: fd > 3 && fd < 2", "contradiction", "fd > 3 && fd < 2", "0"),
        ("sys_close: fd < 0", "contradiction", "fd < 0", "0"),
        ("sys_close: fd != 1 || fd != 2", "tautology", "fd != 1 || fd != 2", "1"),
        ("sys_close: fd >= 0", "tautology", "fd >= 0", "1"),
        ("sys_close: fd == 1 || fd == 2 || fd == 1", "superfluous", "fd == 1", None),
        ("sys_close: fd == 5 || (fd > 3 && fd < 2)", "superfluous", "fd > 3 && fd < 2", "fd == 5"),
        ("sys_close: fd == 5 && fd < 9", "superfluous", "fd < 9", "fd == 5"),
        ("sys_close: common_pid == 0 && fd == 1", "constant-field", "common_pid == 0", None),
        ("sys_close: nr == 3 && fd == 1", "constant-field", "nr == 3", None),
        ("sys_close: (fd == 1) 7", "ignored-operand", "7", None),
        ("sys_open: filename == 0x402010", "pointer", "filename == 0x402010", None),
        ("sys_mprotect: prot < 4", "flags-by-size", "prot < 4", None),
        ("sys_openat: flags < 0x80000", "flags-by-size", "flags < 0x80000", None),
        ("sys_clone: clone_flags > 0x10000", "flags-by-size", "clone_flags > 0x10000", None),
        ("sys_openat: dfd == 0xffffff9c", "sign-extension", "dfd == 0xffffff9c", None),
        ("sys_kill: pid != 0xffffffffffffffff", "sign-extension", None, None),
        ("sys_kill: pid > 0", "sign-extension", "pid > 0", None),
        ("sys_lseek: offset > 5", "sign-extension", "offset > 5", None),
        ("sys_close: fd == 0x100000001", "discarded-bits", "fd == 0x100000001", None),
        ("sys_ioctl: 1", "wide-open", "1", None),
        ("sys_ioctl: fd == 0", "wide-open", "fd == 0", None),
        ("sys_io_uring_setup: 1", "wide-open", "1", None),
        ("sys_ptrace: 1", "wide-open", "1", None),
        ("sys_ptrace: request != 16", "truncation", None, None),
    ],
)
def test_findings(text: str, rule: str, where: str | None, suggestion: str | None) -> None:
    found = [finding for finding in loose(text) if finding.rule == rule]
    if rule == "truncation":
        assert not found  # `request` is a long: it has no bits to lose
        return
    (finding,) = found
    if where is not None:
        assert marked(text, finding) == where
    if suggestion is not None:
        assert finding.evidence["suggestion"]["expression"] == suggestion
        assert suggestion in finding.text


def test_descriptors_that_a_launcher_left_open() -> None:
    text = "sys_read: 1\nsys_write: fd == 1\nsys_exit_group: 1"
    (finding,) = loose(text)
    assert (finding.rule, marked(text, finding)) == ("inherited-descriptor", "1")
    assert finding.evidence["suggestion"] == {"name": "sys_read", "expression": "fd == 0"}
    for line in ("sys_openat: flags == 0", "sys_socket: family == 1", "sys_pipe: 1"):
        assert not loose(f"{text}\n{line}")
    assert not loose("sys_read: fd == 0 || fd == 5")


def test_what_the_emulated_kernel_lacks_is_a_remark_that_says_so() -> None:
    text = "sys_acct: 1\nsys_sysfs: option != 3\nsys_io_uring_setup: 1"
    found = {finding.rule: finding for finding in audit(Policy.from_text(text))}
    assert all(finding.kind == "loose" for finding in found.values())
    assert "On a kernel that has the call" in found["truncation"].text
    assert "does not have the call" in found["wide-open"].text


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (("fd == 1", "fd == 2"), "together with line 1 it allows nothing"),
        (("fd == 1", "fd <= 5"), "without effect: line 1 already says as much"),
        (("fd <= 5", "fd == 1"), "makes line 1 superfluous"),
        (("0", "fd == 1"), "without effect: line 1 refuses sys_close"),
        (("fd == 1", "0"), "takes back what line 1 allowed"),
        (("fd <= 5", "fd <= 3", "fd == 4"), "together with lines 1, 2 it allows nothing"),
    ],
)
def test_repeated_names(lines: tuple[str, ...], title: str) -> None:
    text = "\n".join(f"sys_close: {line}" for line in lines)
    shadowed = [finding for finding in loose(text) if finding.rule == "shadowed"]
    assert f"sys_close: {title}" in [finding.title for finding in shadowed]
    for finding in shadowed:
        better = finding.evidence.get("suggestion")
        if better:
            assert better == {"name": "sys_close", "expression": "fd == 1 || fd == 2"}


@pytest.mark.parametrize(
    "line",
    [
        "sys_close: fd == 1 || fd == 2",
        "sys_write: fd == 1 && count <= 4096",
        "sys_rt_sigaction: act == 0",
        "sys_openat: dfd == 0xffffff9c || dfd == 0xffffffffffffff9c",
        "sys_ioctl: cmd == 0x5413",
        "sys_read: fd == 7",
        "sys_mmap: prot == 3",
    ],
)
def test_nothing_to_say(line: str) -> None:
    assert loose(line) == []


def test_suggestions_are_what_the_engine_takes() -> None:
    text = "\n".join(
        (
            "sys_close: fd == 5 || (fd > 3 && fd < 2)",
            "sys_dup: fildes == 5 && fildes < 9 || fildes == 7",
            "sys_fsync: fd != 1 || fd != 2",
            "sys_lseek: fd == 1 && (offset == 0 || fd == 1)",
        )
    )
    rules = Rules(Policy.from_text(text))
    for finding in loose(text):
        better = finding.evidence["suggestion"]
        event = rules.events.by_entry(better["name"])
        assert event is not None and event.nr is not None
        if better["expression"] not in ("0", "1"):
            made = create(event, better["expression"])
            assert rules.regions.of(made.expression) is rules.region(event.nr)
        else:
            assert rules.region(event.nr) is (better["expression"] == "1")


def test_a_long_policy_is_read_in_no_time() -> None:
    from emukernel.ftrace.events import table

    entries = [
        f"{event.title}: {f'{event.arguments[0].name} <= 3' if event.arguments else 1}"
        for event in table()
    ]
    assert len(entries) > 350
    rules = Rules(Policy.from_text("\n".join(entries)))
    assert all(rules.region(line.nr) is not False for line in rules.lines)


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "x.policy"
    path.write_text("# nothing but 3\nsys_close: fd != 3\nsys_exit_group: 1\nsys_ioctl: 1\n")
    return str(path)


def test_the_text(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--policy-only", policy]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == (
        f"{policy}:2:12: bypass: sys_close: close(fd=3) is refused, close(fd=0x100000003) is not"
    )
    assert lines[1:3] == ["    sys_close: fd != 3", "               ^^^^^^^"]
    assert any("Instead: sys_close: fd != 3 && fd <= 0xffffffff" in line for line in lines)
    assert lines[-1].startswith(f"{policy}: 3 entries, ")
    assert lines[-1].endswith(": 1 bypass, 1 loose")


def test_traces(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--policy-only", "--traces", policy]) == 0
    out = capsys.readouterr().out
    assert "seccomp: refused: sys_close: fd != 3 is false" in out
    assert "seccomp: allowed by sys_close: fd != 3" in out


def test_json(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing")
    assert main(["fuzz", "--policy-only", "--json", policy, missing]) == 2
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["file"], good["ok"]) == (policy, True)
    kinds = [Finding.from_json(json.dumps(record)).kind for record in good["findings"]]
    assert kinds == ["bypass", "loose"]
    assert good["tried"] > 0
    assert (bad["file"], bad["ok"]) == (missing, False)


@pytest.mark.parametrize(
    ("kinds", "status"), [("bypass", 1), ("loose,crash", 1), ("crash", 0), ("", 0)]
)
def test_fail_on(policy: str, kinds: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--policy-only", "--fail-on", kinds, policy]) == status
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on", "bypas"], "--fail-on: no kind 'bypas'; there are: denied, crash, "),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_bad_command_lines(
    policy: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "--policy-only", *arguments, policy]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


def test_a_policy_with_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.policy"
    path.write_text("sys_read: size == 1\n")
    assert main(["fuzz", "--policy-only", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{path}:1:11: Field not found: sys_read has no field 'size'")
