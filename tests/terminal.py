"""A terminal with emukernel in its foreground, to type Ctrl-C in."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import Any

from guest_run import PROJECT

SECONDS = 30


class Terminal:
    """`emukernel run OPTIONS` as a shell would start it, on a pseudo-terminal.

    With `program` that program of the host's, with the arguments, in its place.
    """

    def __init__(self, *arguments: str, program: str | None = None) -> None:
        self.master, self.slave = pty.openpty()
        self.settings: list[Any] = termios.tcgetattr(self.slave)
        self.output = ""
        # The child leads a session of its own, and takes the terminal for its controlling one.
        starter = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        starter += "os.execv(sys.argv[1], sys.argv[1:])"
        words = [sys.executable, "-m", "emukernel", "run"] if program is None else [program]
        self.process = subprocess.Popen(
            [sys.executable, "-c", starter, *words, *arguments],
            cwd=PROJECT,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
        )

    def wait_for(self, text: str) -> None:
        """Reads until the text has come."""
        end = time.monotonic() + SECONDS
        while text not in self.output:
            assert time.monotonic() < end, self.output
            self._read(0.05)

    def type(self, text: str) -> None:
        """Types on the keyboard."""
        os.write(self.master, text.encode())

    def wait(self) -> int:
        """The exit status, as the shell would say; reads what is left."""
        end = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, self.output
            self._read(0.02)
        while self._read(0):
            pass
        status = self.process.returncode
        return status if status >= 0 else 128 - status

    def drain(self) -> None:
        """Reads what is there."""
        while self._read(0.05):
            pass

    def unchanged(self) -> bool:
        """Whether the terminal's settings are what they were."""
        return termios.tcgetattr(self.slave) == self.settings

    def close(self) -> None:
        """Ends what still runs."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.output += os.read(self.master, 4096).decode(errors="replace")
        return bool(ready)
