"""What is fuzzed: a program, how its input reaches it, and the policy that it runs under."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.policy.policy import Policy

#: Ways for an input to reach the program.
STDIN, FILE, ARGV = "stdin", "file", "argv"
#: No program of the user's: the input is a packed list of system calls (`sequence`).
CALLS = "calls"
INPUT_MODES = (STDIN, FILE, ARGV, CALLS)

#: Where the program that makes them is in the guest's tree.
CALLS_PROGRAM = b"/bin/.emukernel-calls"

#: The word of a command line that stands for the input.
PLACEHOLDER = "@@"

#: Where the program finds the input of mode "file".
INPUT_PATH = b"/tmp/input"


@dataclass(frozen=True, slots=True)
class Target:
    """A program with its command line; `argv[0]` is its name, `@@` in a word is the input's place.

    `mode` is one of INPUT_MODES; in mode "argv" the word `@@` itself is the input (up to its first
    NUL). `fork_at` says where runs begin: "" for the first use of the input, a symbol, an address
    (0x…) or `syscall:NAME`. `max_len` bounds inputs, in bytes; `exec_timeout` is in seconds,
    `max_instructions` what a run has to end within when it is tried again for a hang.
    """

    program: str
    argv: tuple[str, ...]
    mode: str = STDIN
    policy: Policy | None = None
    env: tuple[bytes, ...] = ()
    memory: int = 1 << 28
    root: str | None = None
    binds: tuple[tuple[str, str, bool], ...] = ()
    cwd: str = "/"
    seed: int = 0
    seccomp_abi: str = "v1"
    ptregs_events: bool = True
    fork_at: str = ""
    max_len: int = 4096
    exec_timeout: float = 1.0
    max_instructions: int = 20_000_000

    def words(self) -> list[bytes]:
        """The program's arguments; `@@` replaced by what stands there at every run."""
        import os

        place = INPUT_PATH.decode() if self.mode == FILE else "A" * self.max_len
        if self.mode in (STDIN, CALLS):
            return [os.fsencode(word) for word in self.argv]
        return [os.fsencode(word.replace(PLACEHOLDER, place)) for word in self.argv]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON from which `from_json` makes an equal target.

        The policy is its text with the comments: findings name its lines.
        """
        policy = self.policy
        return {
            "program": self.program,
            "argv": list(self.argv),
            "mode": self.mode,
            "policy": None if policy is None else policy.source,
            "policy_file": None if policy is None else policy.file,
            "env": [word.decode("latin-1") for word in self.env],
            "memory": self.memory,
            "root": self.root,
            "binds": [list(bind) for bind in self.binds],
            "cwd": self.cwd,
            "seed": self.seed,
            "seccomp_abi": self.seccomp_abi,
            "ptregs_events": self.ptregs_events,
            "fork_at": self.fork_at,
            "max_len": self.max_len,
            "exec_timeout": self.exec_timeout,
            "max_instructions": self.max_instructions,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Target:
        """The target that `to_json` described. ValueError, KeyError, TypeError, PolicyError."""
        fields = dict(record)
        text, file = fields.pop("policy"), fields.pop("policy_file")
        policy = None
        if text is not None:
            from emukernel.policy.policy import Policy

            policy = Policy.from_text(
                str(text), file=str(file), ptregs_events=bool(fields["ptregs_events"])
            )
        if fields["mode"] not in INPUT_MODES:
            raise ValueError(f"no way for an input: {fields['mode']!r}")
        fields["argv"] = tuple(str(word) for word in fields["argv"])
        fields["env"] = tuple(word.encode("latin-1") for word in fields["env"])
        fields["binds"] = tuple((b[0], b[1], bool(b[2])) for b in fields["binds"])
        return cls(policy=policy, **fields)
