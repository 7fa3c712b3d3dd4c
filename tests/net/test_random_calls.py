"""Long random sequences of socket calls say the same natively and emulated."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import guest_build
import guest_run
import pytest

HERE = Path(__file__).resolve().parent
SLOTS = 12
LINES = 400
UNIX, INET = 1, 2
STREAM, DGRAM, SEQPACKET = 1, 2, 5
OOB, PEEK, TRUNC, WAITALL = 1, 2, 0x20, 0x100


def script(seed: int, families: tuple[int, ...]) -> str:
    """The lines for script.c."""
    rng = random.Random(seed)
    # Urgent bytes, and then no FIONREAD: Linux 6.18 counts those that were skipped.
    urgent = families == (UNIX,) and seed % 2
    lines = []
    for _ in range(LINES):
        slot, other = rng.randrange(SLOTS), rng.randrange(SLOTS)
        family = rng.choice(families)
        kinds = (STREAM, DGRAM, SEQPACKET) if family == UNIX else (STREAM, DGRAM)
        kind = rng.choice(kinds)
        size = rng.choice((0, 1, 3, 10, 100, 1000))
        op = rng.choice("SSPPBBLCCCDAANWWWWWRRRRRHEOOOQGX")
        if op == "P" and family == INET:
            op = "T"
        if (op in "PT" and slot == other) or (op == "Q" and urgent):
            continue
        match op:
            case "S":
                args = [slot, family, kind]
            case "P":
                args = [slot, other, kind]
            case "T" | "A" | "B" | "C":
                args = [slot, other]
            case "L":
                args = [slot, rng.choice((0, 1, 5))]
            case "N":
                args = [slot, size, other]
            case "W":
                flags = rng.choice((0, 0, 0, OOB)) if urgent else 0
                args = [slot, size, flags, rng.randrange(26)]
            case "R":
                args = [slot, size, rng.choice((0, 0, 0, PEEK, TRUNC, WAITALL))]
            case "H":
                args = [slot, rng.randrange(3)]
            case _:
                args = [slot]
        lines.append(" ".join([op, *map(str, args)]))
    return "".join(line + "\n" for line in lines)


@pytest.mark.parametrize("families", [(UNIX,), (INET,), (UNIX, INET)], ids=["unix", "inet", "both"])
@pytest.mark.parametrize("seed", range(3))
def test_random_calls(
    seed: int,
    families: tuple[int, ...],
    emukernel: Callable[..., guest_run.Outcome],
    tmp_path: Path,
) -> None:
    source = (
        (HERE / "script.c")
        .read_text()
        .replace("../../guest/compare/net.h", str(HERE.parent.parent / "guest/compare/net.h"))
    )
    program = guest_build.build_source(source, name="socket-script")
    stdin = script(seed, families).encode()
    native = guest_run.run_native(program, cwd=tmp_path, env={}, stdin=stdin)
    ids = ["--cwd", "/tmp", "--uid", str(os.geteuid()), "--gid", str(os.getegid())]
    emulated = emukernel(program, options=ids, env={}, stdin=stdin)
    wanted, got = native.out.splitlines(), emulated.out.splitlines()
    for number, (one, two) in enumerate(zip(wanted, got, strict=False)):
        before = wanted[max(number - 12, 0) : number]
        assert two == one, f"line {number}, after:\n" + "\n".join(before)
    assert len(got) == len(wanted)
    assert emulated.status == native.status == 0
