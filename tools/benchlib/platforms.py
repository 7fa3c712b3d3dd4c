"""What a guest program can be run on: emukernel, and what it is measured against.

A platform that is not there says so in `absent` and is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchlib import PROJECT, qiling_setup

_PROBE_SECONDS = 60


class Platform:
    """One way to run a static x86-64 program.

    `name` is its key in the JSON output and on the command line, `title` its column's heading.
    `version` is what was found, or None where `absent` says what is missing. `env` is the
    environment of its runs.
    """

    __slots__ = ("absent", "env", "name", "title", "version")

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.version: str | None = None
        self.absent: str | None = None
        # Modules are compiled once and kept, as in an installation.
        self.env: Mapping[str, str] = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        }

    def command(
        self, program: Path, args: Sequence[str] = (), *, policy: Path | None = None
    ) -> list[str]:
        """The command line that runs `program`. Only emukernel takes a `policy`."""
        raise NotImplementedError

    def guest_path(self, scratch: Path, name: str) -> str:
        """The path by which the guest can make a file `name`, in memory where the platform can."""
        return str(scratch / name)


class Emukernel(Platform):
    """This checkout's emukernel, run by the interpreter `python`."""

    __slots__ = ("python",)

    def __init__(self, python: str) -> None:
        super().__init__("emukernel", "emukernel")
        self.python = python
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        self.env = {**self.env, "PYTHONPATH": path}
        probe = "import sys, unicorn; print(f'Python {sys.version.split()[0]}, '"
        probe += "f'unicorn {unicorn.__version__}')"
        self.version = _output([python, "-c", probe])
        if self.version is None:
            self.absent = f"{python} can't import unicorn; --python names one that can"

    def command(
        self, program: Path, args: Sequence[str] = (), *, policy: Path | None = None
    ) -> list[str]:
        options = ["--filter", str(policy)] if policy else []
        return [self.python, "-m", "emukernel", "run", *options, str(program), *args]

    def guest_path(self, scratch: Path, name: str) -> str:
        return f"/tmp/{name}"


class Qiling(Platform):
    """Qiling in a virtual environment of its own; its guests see the folder `rootfs` as /."""

    __slots__ = ("rootfs",)

    def __init__(self, scratch: Path) -> None:
        super().__init__("qiling", "Qiling")
        self.rootfs = scratch / "qiling-root"
        (self.rootfs / "tmp").mkdir(parents=True, exist_ok=True)
        probe = "import importlib.metadata as m; print(m.version('qiling'))"
        self.version = _output([str(qiling_setup.python()), "-c", probe])
        if self.version is None:
            self.absent = "not installed; --setup-qiling does it"

    def command(
        self, program: Path, args: Sequence[str] = (), *, policy: Path | None = None
    ) -> list[str]:
        driver = Path(__file__).with_name("qiling_run.py")
        return [str(qiling_setup.python()), str(driver), str(self.rootfs), str(program), *args]

    def guest_path(self, scratch: Path, name: str) -> str:
        return f"/tmp/{name}"


class QemuUser(Platform):
    """qemu-user, preferably the static build that Debian packages as qemu-user-static."""

    __slots__ = ("binary",)

    def __init__(self) -> None:
        super().__init__("qemu-user", "qemu-user")
        self.binary = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
        if self.binary is not None:
            self.version = _output([self.binary, "--version"])
        if self.version is None:
            self.absent = "not installed (Debian: qemu-user-static)"

    def command(
        self, program: Path, args: Sequence[str] = (), *, policy: Path | None = None
    ) -> list[str]:
        return [self.binary or "", str(program), *args]


class Native(Platform):
    """This machine's own Linux."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("native", "native")
        system = os.uname()
        if system.machine == "x86_64":
            self.version = f"{system.sysname} {system.release}"
        else:
            self.absent = f"this machine is {system.machine}, not x86_64"

    def command(
        self, program: Path, args: Sequence[str] = (), *, policy: Path | None = None
    ) -> list[str]:
        return [str(program), *args]


NAMES = ("emukernel", "qiling", "qemu-user", "native")
"""Every platform's name, in the order of the table's columns."""


def find(names: Sequence[str], *, python: str, scratch: Path) -> list[Platform]:
    """The platforms called `names`, absent ones included, in the order of NAMES."""
    made: dict[str, Platform] = {}
    for name in NAMES:
        if name not in names:
            continue
        if name == "emukernel":
            made[name] = Emukernel(python)
        elif name == "qiling":
            made[name] = Qiling(scratch)
        elif name == "qemu-user":
            made[name] = QemuUser()
        else:
            made[name] = Native()
    return list(made.values())


def _output(command: Sequence[str]) -> str | None:
    """The first line that a command prints; None where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.splitlines()[0] if done.stdout else None
