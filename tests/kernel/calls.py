"""Scripts of system calls that run natively and emulated, to compare what they return."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import guest_build
import guest_run

HERE = Path(__file__).resolve().parent
NUMBERS = {
    row["name"]: row["nr"]
    for row in json.loads((HERE.parent.parent / "emukernel/data/syscalls_x86_64.json").read_text())
}
BAD = 0x10
"""An address where nothing can ever be mapped."""

Emulate = Callable[..., guest_run.Outcome]


def at(offset: int) -> str:
    """An address in the buffer."""
    return f"@{offset}"


class Script:
    """Lines for the program `calls.c`, and what each of them is."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.meant: list[str] = []

    def call(self, name: str, *args: int | str) -> None:
        """A call; its result is printed."""
        self.lines.append(f"call {NUMBERS[name]} {' '.join(map(str, args))}")
        self.meant.append(f"{name}({', '.join(map(str, args))})")

    def poke(self, offset: int, layout: str, *values: int) -> str:
        """Puts a struct into the buffer; its address."""
        self.lines.append(f"poke {offset} {struct.pack('<' + layout, *values).hex()}")
        return at(offset)

    def dump(self, offset: int, size: int) -> None:
        """Prints bytes of the buffer."""
        self.lines.append(f"dump {offset} {size}")
        self.meant.append(f"bytes {offset} to {offset + size}")

    def run(self, emulate: Emulate, tmp_path: Path, *, nobody: bool) -> None:
        """Asserts that every line says the same natively and emulated.

        With the privileges of who runs the tests or, with `nobody`, without any.
        """
        program = guest_build.build_source((HERE / "calls.c").read_text(), name="calls")
        lines = (["nobody"] if nobody else []) + self.lines
        stdin = "".join(line + "\n" for line in lines).encode()
        native = guest_run.run_native(program, cwd=tmp_path, env={}, stdin=stdin)
        ids = ["--uid", str(os.geteuid()), "--gid", str(os.getegid())]
        emulated = emulate(program, options=ids, env={}, stdin=stdin)
        assert emulated.status == native.status == 0, emulated.err
        wanted = [f"{m}: {r}" for m, r in zip(self.meant, native.out.split(), strict=True)]
        got = [f"{m}: {r}" for m, r in zip(self.meant, emulated.out.split(), strict=True)]
        differing = [f"{mine}, Linux {w}" for mine, w in zip(got, wanted, strict=True) if mine != w]
        assert not differing, "\n".join(differing)
