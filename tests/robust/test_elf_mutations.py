"""2,000 damaged programs: each ends in some orderly way, soon, and in bounded memory."""

from __future__ import annotations

import gc
import random
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from mutations import mutate

from emukernel.api import Kernel, UsageError

BATCHES, BATCH = 20, 100
#: Enough for any of the whole programs; a damaged one that loops is stopped there.
INSTRUCTIONS = 300_000
GUEST_MEMORY = 16 << 20
#: What one process may grow by over a batch, in bytes: nothing is kept from run to run.
GROWTH = 32 << 20

PLAIN = """
#include <stdio.h>
int table[5000] = {1, 2, 3};
static char zeros[70000];
__thread int mine = 7;
int main(int argc, char **argv)
{
    printf("%d %d %d %s\\n", table[2], zeros[69999], mine, argv[argc - 1]);
    return 5;
}
"""


def _originals(guest_source: Callable[..., Path]) -> list[bytes]:
    paths = [
        guest_source(PLAIN, name="plain"),
        guest_source(PLAIN, name="pie", libc="glibc", flags=("-static-pie",)),
        guest_source(PLAIN, name="aligned", flags=("-static", "-Wl,-z,max-page-size=0x200000")),
        guest_source(PLAIN, name="joined", flags=("-static", "-Wl,-z,noseparate-code")),
    ]
    return [path.read_bytes() for path in paths]


def resident() -> int:
    """Bytes of this process in the host's memory, garbage collected."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_programs(
    batch: int, guest_source: Callable[..., Path], tmp_path: Path
) -> None:
    originals = _originals(guest_source)
    program = tmp_path / "damaged"
    kernel = Kernel(
        memory=GUEST_MEMORY,
        deterministic=True,
        seed=batch,
        timeout=5,
        max_instructions=INSTRUCTIONS,
        stdin=b"",
    )
    before = 0
    for number in range(BATCH):
        rng = random.Random(batch * BATCH + number)
        program.write_bytes(mutate(rng.choice(originals), rng))
        program.chmod(0o755)
        try:
            result = kernel.run(str(program), ["damaged", "word"], {})
        except UsageError as error:
            assert "\n" not in str(error)
        else:
            assert result.limit in ("", "instructions"), (batch, number, result.limit)
            assert result.limit or 0 <= result.exit_status < 256
        if number == 10:
            before = resident()
    assert resident() - before < GROWTH


def test_whole_programs_end_as_they_should(
    guest_source: Callable[..., Path], tmp_path: Path
) -> None:
    for original in _originals(guest_source):
        program = tmp_path / "whole"
        program.write_bytes(original)
        program.chmod(0o755)
        kernel = Kernel(
            memory=GUEST_MEMORY, deterministic=True, max_instructions=INSTRUCTIONS, stdin=b""
        )
        result = kernel.run(str(program), ["whole", "word"], {})
        assert (result.exit_status, result.stdout) == (5, b"3 0 7 word\n"), result.dmesg
