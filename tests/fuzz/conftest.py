"""What the tests of the fuzzer share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emukernel.fuzz.executor import Executor
from emukernel.fuzz.target import Target


@pytest.fixture
def executor() -> Iterator[Callable[..., Executor]]:
    """Makes executors: executor(program, argv=…, **fields of Target)."""
    made: list[Executor] = []

    def make(program: Path | str, *arguments: str, **fields: Any) -> Executor:
        target = Target(str(program), ("guest", *arguments), **fields)
        made.append(Executor(target))
        return made[-1]

    yield make
    for each in made:
        each.close()
