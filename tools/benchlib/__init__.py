"""The parts of `tools/bench`: what it can run programs on, what it measures, and how it reports.

A benchmark is a module of `benchlib.benchmarks` with a `TITLE` and a function `measure(session)`
that returns a `Section`; its guest programs are in `guest/bench/`.
"""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
"""The checkout that this tool is part of."""
