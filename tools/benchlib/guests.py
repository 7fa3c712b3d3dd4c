"""Compile the benchmarks' guest programs, once for each content."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchlib import PROJECT
from benchlib.cache import cache_dir
from benchlib.process import RunError

FOLDER = PROJECT / "guest" / "bench"
FLAGS = ("-O2", "-Wall", "-Wextra")

_BUILD = re.compile(r"^// build: (.*)$", re.M)
_COMPILE_SECONDS = 120


def compiler() -> str | None:
    """musl-gcc, for which the numbers to reach are; else gcc; None where there is neither."""
    return shutil.which("musl-gcc") or shutil.which("gcc")


def build(name: str) -> Path:
    """The static binary of `guest/bench/NAME.c`. Raises RunError where it can't be made."""
    driver = compiler()
    if driver is None:
        raise RunError("no compiler: musl-gcc (or gcc) is needed for the guest programs")
    try:
        return _build(name, driver)
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError(f"guest program {name}: {error}") from None


@functools.cache
def _build(name: str, driver: str) -> Path:
    source = FOLDER / f"{name}.c"
    text = source.read_bytes()
    flags = shlex.split(" ".join(_BUILD.findall(text.decode())))
    headers = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.h")))
    version = subprocess.run([driver, "--version"], capture_output=True, check=False).stdout
    digest = hashlib.sha256(repr((text, headers, flags, FLAGS, driver, version)).encode())
    folder = cache_dir() / "guests" / digest.hexdigest()[:24]
    binary = folder / name
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch, name)
        done = subprocess.run(
            [driver, *FLAGS, str(source), "-o", str(made), *flags],
            capture_output=True, text=True, timeout=_COMPILE_SECONDS, check=False,
        )
        if done.returncode != 0:
            raise RunError(f"{source} does not compile:\n{done.stderr}")
        os.replace(made, binary)
    return binary
