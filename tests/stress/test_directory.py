"""A directory with 100,000 names: the cost of each does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run

COUNT = 100_000


def test_very_many_names(
    guest: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    outcome = emukernel(guest("stress/directory"), [str(COUNT)], options=["--cwd", "/tmp"])
    assert outcome.out == (
        f"found {COUNT}, all different: 1\nlinks: {COUNT}\nremoved {COUNT}, rmdir: 0\n"
    ), outcome.err
    assert outcome.status == 0
