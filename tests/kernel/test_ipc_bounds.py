"""Who takes all IPC objects that there are gets errors, and the machine goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run

SOURCE = Path(__file__).with_name("ipc_bounds.c")

EXPECTED = """\
shared memory: killed
semaphores: some, Cannot allocate memory
again: yes
messages of 8192: Cannot allocate memory
messages of 0: Cannot allocate memory
shared memory: killed
lost pages: none
queues: Cannot allocate memory
again: 0
timers: 1000, Resource temporarily unavailable
done
"""


def test_ipc_is_bounded_by_the_machines_memory(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    program = guest_source(SOURCE.read_text(encoding="utf-8"), libc="glibc")
    done = emukernel(program, options=["--memory", "64M"])
    assert done.out == EXPECTED, done.err
    assert done.status == 0
