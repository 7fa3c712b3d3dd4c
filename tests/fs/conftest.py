"""Fixtures of the file system's tests: a machine, and system calls as two users."""

from __future__ import annotations

from typing import Any

import pytest
from vfs_tasks import Caller, make_kernel, make_task


@pytest.fixture
def kernel() -> Any:
    """A machine with the in-memory root."""
    return make_kernel()


@pytest.fixture
def sys(kernel: Any) -> Caller:
    """System calls as root."""
    return Caller(make_task(kernel))


@pytest.fixture
def user(kernel: Any, sys: Caller) -> Caller:
    """System calls of user 1000 on the same machine."""
    return Caller(make_task(kernel, 1000, 101))
