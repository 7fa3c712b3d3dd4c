"""The benchmarks: every module here is one, under its own name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol, cast

from benchlib.report import Section
from benchlib.session import Session


class Benchmark(Protocol):
    """What a module here has: a title of a few words, and the measurement itself.

    `measure` lets RunError through where nothing at all can be measured; what fails on one platform
    only is noted by the session.
    """

    TITLE: str

    def measure(self, session: Session) -> Section: ...


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Benchmark:
    return cast(Benchmark, importlib.import_module(f"{__name__}.{name}"))
