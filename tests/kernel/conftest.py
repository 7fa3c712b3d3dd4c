"""A machine for each test that wants one."""

from __future__ import annotations

import pytest
from kernel_tasks import Machine

from emukernel.kernel.task import Task


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def task(machine: Machine) -> Task:
    """Root's process."""
    return machine.process()
