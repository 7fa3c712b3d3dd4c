"""Random sequences of file system calls give the same answers here as on Linux."""

from __future__ import annotations

import random
from struct import pack, unpack, unpack_from
from typing import Any

import pytest
import vfs_native as native
from vfs_tasks import ARENA, Caller, make_kernel, make_task

from emukernel.kernel.cred import Cred

pytestmark = pytest.mark.skipif(not native.available(), reason="the oracle needs root and tmpfs")

LONG = b"x" * 256
NAMES = [
    b"a", b"b", b"c", b"d", b"s", b"t", b"d/a", b"d/b", b"d/e", b"d/e/f", b"s/x", b"a/", b"d/",
    b"s/", b".", b"..", b"d/..", b"d/.", b"d/e/..", b"/", b"/a", b"//d//a", b"nope/x", b"a/x",
    b"a/..", b"", LONG[1:], LONG, b"d/" + LONG, b"./a", b"../a", b"t/b", b"s/.", b"s/..", b"d/e/",
]  # fmt: skip
TARGETS = [b"a", b"d", b"/d", b"../a", b"nope", b"s", b"t", b"d/e", b"/", b".", LONG[:200], b"d/"]
ACCESS = [0, 1, 2, 3]
FLAGS = [
    0, 0, 0o100, 0o300, 0o1000, 0o1100, 0o2000, 0o200000, 0o400000, 0o200100, 0o10000000,
    0o10400000, 0o20200000, 0o4000, 0o1000000, 0o2100, 0o40000,
]  # fmt: skip
MODES = [0o777, 0o755, 0o700, 0o644, 0o600, 0, 0o1777, 0o4755, 0o2755, 0o444, 0o6777, 0o300]
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
BUFFER = ("buffer", 144)


class Generator:
    """A sequence of calls, made from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.uid = self.random.choice([0, 0, 1000])
        self.ops: list[native.Op] = []
        self.opened: list[int] = []

    def pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def name(self) -> bytes:
        return self.random.choice(NAMES)

    def mode(self) -> int:
        return self.random.choice(MODES)

    def fd(self) -> Any:
        if self.opened and self.random.random() < 0.9:
            return ("fd", self.random.choice(self.opened))
        return self.pick(5, -1, 999)

    def data(self, *sizes: int) -> Any:
        return ("bytes", self.random.randbytes(self.random.choice(sizes)))

    def times(self) -> Any:
        first = self.pick(0, 5, 10**9, UTIME_NOW, UTIME_OMIT)
        second = self.pick(0, UTIME_NOW, UTIME_OMIT, -1)
        return ("bytes", pack("<4q", self.pick(1, 2), first, 3, second))

    def flags(self) -> int:
        choice = self.random.choice
        return choice(ACCESS) | choice(FLAGS) | choice(FLAGS)

    def how(self) -> Any:
        mode, resolve = self.pick(0, 0, 0o644, 0o10000), self.pick(0, 1, 2, 4, 8, 16, 24, 64)
        return ("bytes", pack("<QQQ", self.flags(), mode, resolve))

    def names(self) -> list[native.Op]:
        """Calls on names, one of each kind."""
        name, mode, pick = self.name, self.mode, self.pick
        return [
            ("mkdir", name(), mode()),
            ("mkdir", name(), mode()),
            ("mkdir", b"d", 0o755),
            ("rmdir", name()),
            ("unlink", name()),
            ("rename", name(), name()),
            ("renameat2", -100, name(), -100, name(), pick(0, 1, 2, 3, 8)),
            ("link", name(), name()),
            ("linkat", -100, name(), -100, name(), pick(0, 0x400, 0x1000, 1)),
            ("symlink", self.random.choice(TARGETS), name()),
            ("chmod", name(), mode()),
            ("chown", name(), pick(-1, 0, 1000, 1001), pick(-1, 0, 1000)),
            ("lchown", name(), pick(-1, 1000), 0),
            ("truncate", name(), pick(0, 1, 5000, 10000, -1)),
            ("access", name(), self.random.randrange(9)),
            ("faccessat2", -100, name(), self.random.randrange(8), pick(0, 0x200, 0x100, 2)),
            ("readlink", name(), ("buffer", 16), pick(16, 5, 0, -1)),
            ("stat", name(), BUFFER),
            ("lstat", name(), BUFFER),
            ("statx", -100, name(), pick(0, 0x100, 0x1000), 0x7FF, ("buffer", 256)),
            ("utimensat", -100, name(), self.times(), pick(0, 0x100, 0x1000, 1)),
            ("chdir", name()),
            ("mknod", name(), pick(0, 0o100644, 0o140644, 0o40755, 0o160000), 0),
            ("unlinkat", -100, name(), pick(0, 0x200, 1)),
            ("getcwd", ("buffer", 64), 64),
            ("setxattr", name(), pick(b"user.a", b"x.c"), self.data(3), 3, pick(0, 2)),
            ("getxattr", name(), pick(b"user.a", b"trusted.b"), ("buffer", 8), pick(0, 8, 1)),
        ]

    def files(self) -> list[native.Op]:
        """Calls on descriptors, one of each kind."""
        fd, pick = self.fd, self.pick
        return [
            ("write", fd(), self.data(100, 5000), pick(0, 1, 100)),
            ("read", fd(), ("buffer", 200), pick(0, 1, 200)),
            ("lseek", fd(), pick(0, 1, 100, 4096, -1, 20000, 1 << 62), pick(*range(6))),
            ("pread64", fd(), ("buffer", 100), 100, pick(0, 5, 4090, -1)),
            ("pwrite64", fd(), self.data(100), pick(0, 100), pick(0, 5, 4090, 9000, -1)),
            ("ftruncate", fd(), pick(0, 10, 9000, -1)),
            ("fallocate", fd(), pick(0, 0, 1, 3, 2, 16), pick(0, 4096, 100, -1), pick(0, 4096, 9)),
            ("fcntl", fd(), pick(0, 1, 2, 3, 4, 1030, 9, 11, 1025, 1027, 77), pick(0, 1, 0o6000)),
            ("dup", fd()),
            ("dup2", fd(), pick(7, 8, fd())),
            ("dup3", fd(), pick(7, fd()), pick(0, 0o2000000, 1)),
            ("close", fd()),
            ("fstat", fd(), BUFFER),
            ("fchmod", fd(), self.mode()),
            ("fchown", fd(), pick(-1, 1000), -1),
            ("fchdir", fd()),
            ("fsync", fd()),
            ("getdents64", fd(), ("buffer", 1024), pick(1024, 24, 10)),
            ("copy_file_range", fd(), 0, fd(), 0, pick(0, 100, 9000), 0),
            ("sendfile", fd(), fd(), 0, 100),
        ]

    def generate(self, count: int) -> list[native.Op]:
        while len(self.ops) < count:
            kind = self.random.random()
            if kind < 0.2:
                self.opened.append(len(self.ops))
                if self.random.random() < 0.2:
                    self.ops.append(("openat2", -100, self.name(), self.how(), 24))
                else:
                    self.ops.append(("open", self.name(), self.flags(), self.mode()))
            else:
                self.ops.append(self.random.choice(self.names() if kind < 0.65 else self.files()))
        return self.ops


class Memory:
    """User memory of the emulated task."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def reset(self) -> None:
        self.caller._next = ARENA

    def put(self, data: bytes) -> int:
        return self.caller.put(data or b"\0")

    def get(self, address: int, size: int) -> bytes:
        return self.caller.get(address, size)


def run_emulated(ops: list[native.Op], uid: int) -> list[Any]:
    """The answers of this kernel, in a directory like the oracle's."""
    task = make_task(make_kernel(32 << 20))
    task.rlimits[7] = [20000, 20000]
    caller = Caller(task)
    caller.mkdir(b"/jail", 0o777)
    caller.chmod(b"/jail", 0o777)
    caller.chroot(b"/jail")
    caller.chdir(b"/")
    caller.close(0)
    caller.close(1)
    task.cred = Cred.for_user(uid, uid)
    return native.run(ops, lambda name, args: getattr(caller, name)(*args), Memory(caller))


def comparable(op: native.Op, answer: Any) -> Any:
    """An answer without what may differ: inode and device numbers, times."""
    if isinstance(answer, str):
        return answer
    if op[0] in ("stat", "lstat", "fstat"):
        nlink, mode, uid, gid, rdev, size, _, blocks = unpack_from("<QIII4xQqqq", answer[1], 16)
        return nlink, oct(mode), uid, gid, rdev, size, blocks
    if op[0] == "statx":
        return answer[0]
    if op[0] == "getdents64":
        data, at, found = answer[1], 0, []
        while at < answer[0]:
            (length,) = unpack("<H", data[at + 16 : at + 18])
            found.append((data[at + 18], data[at + 19 : at + length].rstrip(b"\0")))
            at += length
        return answer[0], found
    return answer


@pytest.mark.parametrize("seed", range(60))
def test_same_answers(seed: int) -> None:
    generator = Generator(seed)
    ops = generator.generate(80)
    expected = native.run_native(ops, generator.uid)
    got = run_emulated(ops, generator.uid)
    assert len(expected) == len(got)
    for i, op in enumerate(ops):
        assert comparable(op, got[i]) == comparable(op, expected[i]), (i, op)
