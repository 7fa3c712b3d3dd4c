"""Debian's static busybox: applets that need one process do the same emulated as natively.

Both sides see the same small tree, natively at its path, emulated bound read-only to that very
path, so that output with paths in it can be compared byte for byte.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

BUSYBOX = Path("/bin/busybox")
ENVIRONMENT = {"PATH": "/bin", "LANG": "C", "TZ": "UTC", "HOME": "/"}

WORDS = "pear 3\napple 10\nfig 7\nbanana 2\napple 10\ncherry 25\nfig 1\n"
PROSE = (
    "The quick brown fox\tjumps over the lazy dog.\n"
    "A second line, with numbers 1 22 333.\n"
    "\n"
    "the last line has no newline"
)


def _is_static() -> bool:
    if not BUSYBOX.is_file():
        return False
    head = BUSYBOX.read_bytes()[:4096]
    return head[:4] == b"\x7fELF" and b"/ld-" not in head


pytestmark = pytest.mark.skipif(not _is_static(), reason="/bin/busybox is absent or not static")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tree with fixed contents, modes and times."""
    root = tmp_path_factory.mktemp("busybox") / "tree"
    (root / "sub" / "deeper").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "words").write_text(WORDS)
    (root / "prose").write_text(PROSE)
    (root / "numbers").write_text("".join(f"{n * n % 97}\n" for n in range(200)))
    (root / "binary").write_bytes(bytes(range(256)) * 40)
    (root / "sub" / "file with space").write_text("x\n")
    (root / "sub" / "deeper" / "script.sh").write_text("echo hello\n")
    (root / ".hidden").write_text("hidden\n")
    (root / "link").symlink_to("sub/deeper")
    (root / "dangling").symlink_to("nowhere")
    packed = subprocess.run(
        [BUSYBOX, "gzip", "-c", root / "prose"], capture_output=True, check=True, timeout=20
    )
    (root / "prose.gz").write_bytes(packed.stdout)
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (1_000_000_000, 1_000_000_000))
    return root


def _entries(text: str) -> list[str]:
    return sorted(re.split("[\n\0]", text))


@pytest.fixture
def equal(tree: Path, emukernel: Callable[..., guest_run.Outcome]) -> Callable[..., None]:
    """`equal(applet, *args)` runs both and compares them.

    `stderr=False` for what reports how long it took, `ordered=False` for what lists a directory
    as it comes: that order is the file system's.
    """

    def run_both(*args: str, stdin: bytes = b"", stderr: bool = True, ordered: bool = True) -> None:
        native = guest_run.run_native(BUSYBOX, args, cwd=tree, env=ENVIRONMENT, stdin=stdin)
        emulated = emukernel(
            BUSYBOX,
            args,
            env=ENVIRONMENT,
            stdin=stdin,
            options=[
                "--quiet",
                "--bind",
                f"{tree}:{tree}",
                "--cwd",
                str(tree),
                "--uid",
                str(os.geteuid()),
                "--gid",
                str(os.getegid()),
            ],
        )
        if ordered:
            assert emulated.out == native.out, emulated.err
        else:
            assert _entries(emulated.out) == _entries(native.out), emulated.err
        assert emulated.status == native.status, emulated.err
        if stderr:
            assert emulated.err == native.err

    return run_both


SIMPLE = [
    ["ls"],
    ["ls", "-a"],
    ["ls", "-1R"],
    ["ls", "-F", "."],
    ["ls", "-nd", "words", "sub", "link", "dangling", "sub/deeper/script.sh"],
    ["ls", "-n", "--full-time", "words", "prose"],
    ["ls", "absent"],
    ["cat", "words", "prose"],
    ["cat", "-n", "prose"],
    ["cat", "absent"],
    ["cat", "sub"],
    ["sort", "words"],
    ["sort", "-rnk2", "words"],
    ["sort", "-u", "words"],
    ["sort", "-n", "numbers"],
    ["sed", "-n", "2,3p", "words"],
    ["sed", "-e", "s/\\([a-z]*\\) \\([0-9]*\\)/\\2:\\1/", "-e", "/^1/d", "words"],
    ["sed", "s/[aeiou]/<&>/g;y/THE/the/", "prose"],
    ["awk", '{ sum[$1] += $2 } END { print sum["apple"], sum["fig"], length(sum) }', "words"],
    ["awk", "{ total += $2; print NR, toupper($1), length($0) } END { print total / NR }", "words"],
    ["awk", 'BEGIN { printf "%d %.6f %s\\n", 7 / 2, exp(1), substr("abcdef", 2, 3) }'],
    ["awk", "-F,", 'NF > 1 { gsub(/n/, "N"); print $2 }', "prose"],
    ["sha256sum", "words", "prose", "binary"],
    ["sha1sum", "binary"],
    ["md5sum", "words", "absent", "binary"],
    ["cksum", "binary"],
    ["gzip", "-c", "binary"],
    ["gunzip", "-c", "prose.gz"],
    ["dd", "if=binary", "bs=100", "count=3", "skip=2"],
    ["find", "."],
    ["find", ".", "-name", "*e*", "-type", "f"],
    ["find", ".", "-type", "l"],
    ["find", ".", "-size", "+1k", "-o", "-perm", "755"],
    ["find", "sub", "-maxdepth", "1", "-print0"],
    ["od", "-c", "prose"],
    ["od", "-A", "x", "-t", "x1z", "-N", "100", "binary"],
    ["od", "-t", "f8", "-N", "32", "binary"],
    ["hexdump", "-C", "words"],
    ["wc", "words", "prose", "binary"],
    ["wc", "-l", "numbers"],
    ["head", "-n", "2", "words"],
    ["head", "-c", "10", "prose"],
    ["tail", "-n", "2", "words"],
    ["tail", "-c", "12", "prose"],
    ["tail", "-n", "+6", "words"],
    ["uniq", "-c", "words"],
    ["cut", "-d", " ", "-f", "2", "words"],
    ["cut", "-c", "1-3,5", "words"],
    ["base64", "binary"],
    ["expr", "6", "*", "7"],
    ["expr", "substr", "hello", "2", "3"],
    ["expr", "abc", ":", "a.*"],
    ["expr", "1", "/", "0"],
    ["printf", "%s-%d-%x-%5.2f|\\n", "text", "42", "255", "3.14159"],
    ["echo", "-e", "a\\tb\\nc"],
    ["grep", "-n", "fig", "words"],
    ["grep", "-r", "hello", "."],
    ["grep", "-c", "^[aeiou]", "words"],
    ["grep", "absent", "words"],
    ["stat", "-c", "%n %s %f %h %Y", "words", "sub/deeper/script.sh"],
    ["readlink", "link"],
    ["readlink", "-f", "link/script.sh"],
    ["basename", "/a/b/c.txt", ".txt"],
    ["dirname", "/a/b/c.txt"],
    ["seq", "-w", "5", "3", "20"],
    ["cmp", "words", "prose"],
    ["diff", "words", "prose"],
    ["strings", "prose.gz"],
    ["test", "-f", "words"],
    ["test", "-d", "words"],
    ["[", "3", "-gt", "2", "]"],
    ["true"],
    ["false"],
    ["pwd"],
    ["env"],
    ["date", "-u", "-d", "@1000000000"],
    ["factor", "600851475143"],
    ["nosuchapplet"],
]

FILTERS = [
    ["cat"],
    ["tr", "a-z", "A-Z"],
    ["tr", "-d", "aeiou"],
    ["tr", "-s", " \\n", "_"],
    ["wc"],
    ["sort", "-r"],
    ["rev"],
    ["tac"],
    ["nl"],
    ["fold", "-w", "10"],
    ["expand"],
    ["base64"],
    ["md5sum"],
    ["sha512sum"],
    ["gzip", "-c"],
    ["bzip2", "-c"],
    ["od", "-x"],
    ["tail", "-n", "1"],
    ["sed", "$!d"],
    ["awk", "{ print NF }"],
    ["dd", "bs=7", "conv=ucase"],
    ["uuencode", "name"],
]

SHELL = [
    "echo $((6*7))",
    "echo $((2**10 - 1)) $((17 % 5)) $((-7 / 2)) $((0x1f | 0100)) $((1 << 40))",
    "i=0; s=0; while [ $i -lt 100 ]; do i=$((i+1)); s=$((s+i*i)); done; echo $s",
    "a=1 b=1; for i in 1 2 3 4 5 6 7 8 9 10; do c=$((a+b)); a=$b; b=$c; done; echo $b",
    "f() { if [ $1 -lt 2 ]; then r=1; else local n=$1; f $((n-1)); r=$((r*n)); fi; }; f 9; echo $r",
    "x='a:b:c'; IFS=:; set -- $x; echo $# $3; echo ${x#*:} ${x%%:*} ${#x} ${y:-default}",
    'for f in *; do echo "$f"; done',
    'for f in sub/*; do [ -d "$f" ] && echo "dir $f" || echo "file $f"; done',
    "case hello in h*o) echo match;; *) echo no;; esac",
    'while read word number; do echo "$number $word"; done < words',
    "read line < prose; echo \"[$line]\"; printf '%s|%04d\\n' text 42",
    "echo text > /dev/null; echo error >&2; exit 3",
    "cd sub/deeper && pwd && . ./script.sh",
    "trap 'echo leaving' EXIT; umask 027; umask; exit 4",
    "eval 'v=5'; test $v = 5 && echo equal; type cd; kill -l 15",
    "no_such_command",
    "echo $(",
    "set -e; false; echo not reached",
    "set -u; echo $undefined",
    "kill -TERM $$",
]


@pytest.mark.parametrize("args", SIMPLE, ids=lambda args: " ".join(args)[:40])
def test_applet(equal: Callable[..., None], args: list[str]) -> None:
    equal(*args, stderr=args[0] != "dd", ordered=args[0] != "find")


@pytest.mark.parametrize("args", FILTERS, ids=lambda args: " ".join(args)[:40])
def test_filter(equal: Callable[..., None], args: list[str]) -> None:
    equal(*args, stdin=(WORDS + PROSE).encode(), stderr=args[0] != "dd")


@pytest.mark.parametrize("script", SHELL, ids=range(len(SHELL)))
def test_shell(equal: Callable[..., None], script: str) -> None:
    equal("sh", "-c", script)


def test_under_a_root_of_its_own(
    tree: Path, tmp_path: Path, emukernel: Callable[..., guest_run.Outcome]
) -> None:
    """`--root`: busybox from a root directory, in which it writes without writing to the host."""
    root = tmp_path / "root"
    shutil.copytree(tree, root / "data", symlinks=True)
    (root / "bin").mkdir()
    shutil.copy2(BUSYBOX, root / "bin" / "busybox")
    before = sorted(str(path) for path in root.rglob("*"))
    script = "echo changed > words; read x < words; echo $x; echo new > fresh; echo *"
    outcome = emukernel(
        "/bin/busybox",
        ["sh", "-c", script],
        env=ENVIRONMENT,
        options=["--quiet", "--root", str(root), "--cwd", "/data"],
    )
    names = sorted({path.name for path in tree.iterdir() if path.name[0] != "."} | {"fresh"})
    assert outcome.out == f"changed\n{' '.join(names)}\n"
    assert outcome.status == 0, outcome.err
    assert (root / "data" / "words").read_text() == WORDS
    assert sorted(str(path) for path in root.rglob("*")) == before
