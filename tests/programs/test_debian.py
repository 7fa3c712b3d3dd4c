"""Debian's programs, static and dynamic, under `--root /`: the same output and status as natively."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

PYTHON = """
import os, sys, subprocess, threading, socket, signal, tempfile, sqlite3, hashlib, json, select
from multiprocessing import Pipe, Process
from concurrent.futures import ThreadPoolExecutor
print(sum(range(1000)), hashlib.sha256(b"x").hexdigest()[:16], json.dumps({"a": [1, None]}))
print(subprocess.run(["/bin/sh", "-c", "cat; exit 3"], input=b"piped", capture_output=True))
with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(lambda n: n * n, range(10))))
ours, theirs = socket.socketpair()
threading.Thread(target=lambda: theirs.sendall(b"y" * 100000) or theirs.close()).start()
print(len(b"".join(iter(lambda: ours.recv(4096), b""))))
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, address = server.accept()
client.sendall(b"over loopback")
print(peer.recv(100), address == client.getsockname())
signal.signal(signal.SIGALRM, lambda number, frame: print("alarm", number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
pid = os.fork()
if not pid:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
with tempfile.TemporaryDirectory() as folder:
    with open(folder + "/file", "w") as file:
        file.write("text\\n" * 10)
    print(os.stat(folder + "/file").st_size, os.listdir(folder))
    base = sqlite3.connect(folder + "/base")
    base.execute("create table t (a, b)")
    base.executemany("insert into t values (?, ?)", [(n, n * n) for n in range(100)])
    base.commit()
    print(base.execute("select sum(b) from t where a % 2").fetchone())
    base.close()
here, there = Pipe()
process = Process(target=lambda: there.send({"from": "a child"}))
process.start()
print(here.recv(), process.join(), process.exitcode)
print(select.select([server], [client], [], 0) == ([], [client], []))
sys.exit(5)
"""

PERL = r"""
use strict; use IO::Socket::INET; use POSIX ":sys_wait_h";
my %count; $count{$_ % 7}++ for 1 .. 1000; print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
open(my $pipe, "-|", "echo one; echo two; exit 3") or die; print "got $_" while <$pipe>; close $pipe;
print "status ", $? >> 8, "\n"; print `echo backticks`;
pipe(my $r, my $w); if (!fork) { close $r; print $w "from the child\n"; exit 4 }
close $w; print <$r>; wait; print "child ", $? >> 8, "\n";
$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@;
local $_ = "a1b22c333"; print join("|", /(\d+)/g), "\n"; printf "%.3f %x %s\n", 22 / 7, 255, "x" x 3;
kill "TERM", $$; sleep 5;
"""

GIT = """
git init -q -b main repo && cd repo
git config user.name Name && git config user.email name@example.org
for i in 1 2 3; do echo "line $i" >>file; git add file; git commit -qm "Commit $i"; done
git log --format='%h %s' ; git checkout -qb side HEAD~1; echo other >another; git add .
git commit -qm Side; git merge -q -m Merge main; git log --graph --format=%s
git diff HEAD~1 --stat; git rev-parse HEAD; git fsck 2>/dev/null; git gc -q; git status --short
git clone -q . ../clone; git -C ../clone log --oneline | wc -l; git grep -n line; git blame -s file
git bisect start HEAD HEAD~2 >/dev/null; git stash list; git archive HEAD | tar -tf -
"""

MAKE = """
printf 'all: a b c\\n\\tcat a b c >$@\\n\\tcat $@\\n%%:\\n\\t@echo making $@; echo $@ >$@\\n' >Makefile
make -j 3 -O 2>&1 | sort; make; make nothing/there; echo $?
"""

CASES = {
    "python3": (["python3", "-I", "-S", "-c", PYTHON], b""),
    "perl": (["perl", "-e", PERL], b""),
    "git": (["sh", "-c", GIT], b""),
    "make": (["sh", "-c", MAKE], b""),
    "bash": (["bash", "-c", "echo $BASH_VERSION; ls / | wc -l; cat <(seq 3) | paste -s"], b""),
    "gawk": (["awk", '{ s[$1] += $2 } END { for (k in s) print k, s[k] | "sort" }'], b"a 1\nb 2\na 3\n"),
    "coreutils": (["sh", "-c", "seq 2000 | sort -R --random-source=/dev/zero | sort -n | md5sum"], b""),
    "xz": (["sh", "-c", "seq 20000 | xz -T2 -0 | xz -dc | sha256sum"], b""),
    "gcc": (["sh", "-c", "gcc -O1 -x c -o prog - && ./prog a b"], b"int main(int c, char **v) { return c + 4; }\n"),
    "sash": (["/bin/sash", "-c", "-echo built in; -pwd; true"], b""),
    "shfmt": (["shfmt", "-i", "2", "-mn"], b"if  true ;then\n echo   a;  fi; f ( ) { x=$(( 1+2 )) ; }\n"),
    "esbuild": (
        ["esbuild", "--loader=ts", "--minify"],
        b"enum E { A, B }\nexport function f(x: number): string { return `${x + 1}` + E.B }\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_program(
    name: str, tmp_path: Path, emukernel: Callable[..., guest_run.Outcome]
) -> None:
    (program, *args), stdin = CASES[name]
    for needed in (program, name):
        if needed != "coreutils" and not shutil.which(needed):
            pytest.skip(f"{needed} is not installed")
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/nowhere"}
    env |= {"GIT_AUTHOR_DATE": "@86400 +0000", "GIT_COMMITTER_DATE": "@86400 +0000"}
    there, here = tmp_path / "native" / "work", tmp_path / "emulated" / "work"
    there.mkdir(parents=True)
    here.mkdir(parents=True)
    native = guest_run.run_native(program, args, cwd=there, env=env, stdin=stdin)
    user = ["--uid", str(os.geteuid()), "--gid", str(os.getegid())]
    emulated = emukernel(
        shutil.which(program),
        args,
        env=env,
        stdin=stdin,
        options=["--quiet", "--root", "/", "--cwd", str(here), "--argv0", program, *user],
    )
    assert emulated.out == native.out, emulated.err
    assert emulated.status == native.status, emulated.err
    assert emulated.err == native.err
