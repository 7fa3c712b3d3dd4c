"""A run whose input comes late: when the guest already waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import guest_run
import pytest

SECONDS = 20


@pytest.fixture
def emukernel_late_input() -> Callable[[Path, Sequence[str], bytes], bytes]:
    """`run(program, options, data)` gives `data` half a second late; what the guest wrote."""

    def run(program: Path, options: Sequence[str], data: bytes) -> bytes:
        command = [sys.executable, "-m", "emukernel", "run", *options, str(program)]
        with subprocess.Popen(
            command, cwd=guest_run.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            time.sleep(0.5)
            try:
                return process.communicate(data, timeout=SECONDS)[0]
            finally:
                process.kill()

    return run
