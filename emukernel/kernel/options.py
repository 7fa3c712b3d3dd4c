"""What a kernel is booted with: the command line of the emulated machine."""

from __future__ import annotations


class Options:
    """Boot options. Sizes in bytes; paths of the host as bytes or str as the caller has them.

    `root` and `binds` grant host directories: (host path, guest path, writable). `stdin` is bytes
    to feed to the guest or None for the host's own; `capture` keeps the guest's output.
    """

    __slots__ = (
        "binds",
        "capture",
        "cwd",
        "deterministic",
        "gid",
        "hostname",
        "max_instructions",
        "memory",
        "program",
        "ptregs_events",
        "root",
        "seccomp_abi",
        "seed",
        "stdin",
        "uid",
    )

    def __init__(
        self,
        *,
        memory: int = 1 << 30,
        root: str | None = None,
        binds: tuple[tuple[str, str, bool], ...] = (),
        program: str | None = None,
        cwd: str = "/",
        uid: int = 0,
        gid: int = 0,
        hostname: str = "emukernel",
        deterministic: bool = False,
        seed: int = 0,
        seccomp_abi: str = "v1",
        ptregs_events: bool = True,
        stdin: bytes | None = None,
        capture: bool = False,
        max_instructions: int | None = None,
    ) -> None:
        self.memory = memory
        self.root = root
        self.binds = binds
        self.program = program
        self.cwd = cwd
        self.uid = uid
        self.gid = gid
        self.hostname = hostname
        self.deterministic = deterministic
        self.seed = seed
        self.seccomp_abi = seccomp_abi
        self.ptregs_events = ptregs_events
        self.stdin = stdin
        self.capture = capture
        self.max_instructions = max_instructions
