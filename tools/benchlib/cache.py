"""Where built guests and Qiling's virtual environment are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """`$EMUKERNEL_BENCH_CACHE`, else `emukernel-bench` in the user's cache directory."""
    given = os.environ.get("EMUKERNEL_BENCH_CACHE")
    if given:
        return Path(given).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "emukernel-bench"
