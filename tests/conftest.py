"""What all tests share: the Hypothesis profile, and fixtures that build and run guests."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import guest_build
import guest_run
import pytest
from hypothesis import settings

settings.register_profile("emukernel", derandomize=True, deadline=None)
settings.load_profile("emukernel")

# Guests that die by SIGSEGV natively must not leave core files behind.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@pytest.fixture(scope="session")
def guest() -> Callable[..., Path]:
    """`guest(name, libc=None)` is the path of a built guest of `guest/`."""
    return guest_build.build


@pytest.fixture(scope="session")
def guest_source() -> Callable[..., Path]:
    """`guest_source(c_text, ...)` is the path of a program built from C text."""
    return guest_build.build_source


@pytest.fixture(scope="session")
def emukernel() -> Callable[..., guest_run.Outcome]:
    """`emukernel(program, args, options=…)` runs `emukernel run` and returns its Outcome."""
    return guest_run.run_emulated
