"""Qiling's virtual environment, apart from emukernel's, which needs none of its packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchlib.cache import cache_dir

VERSION = "1.4.6"
"""The release that the numbers to reach are relative to. It runs under Python 3.8 to 3.13."""


def folder() -> Path:
    """The folder of the environment, whether it exists or not."""
    return cache_dir() / f"qiling-{VERSION}"


def python() -> Path:
    """The environment's interpreter, whether it exists or not."""
    return folder() / "bin" / "python"


def install(base: str) -> int:
    """Make the environment anew with the interpreter `base`, from PyPI; the result is pip's status.

    Raises OSError where `base` can't be run or the folder can't be made.
    """
    shutil.rmtree(folder(), ignore_errors=True)
    folder().parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([base, "-m", "venv", str(folder())], check=False)
    if made.returncode != 0:
        return made.returncode
    command = [str(python()), "-m", "pip", "install", f"qiling=={VERSION}"]
    return subprocess.run(command, check=False).returncode
