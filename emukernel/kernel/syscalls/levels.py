"""How far a call is supported: found out, not claimed.

`data/support.json` names, for each call, the guests of guest/compare that made it and printed the
same under emukernel as on Linux; tools/support writes it.
"""

from __future__ import annotations

import os

from emukernel.kernel.syscalls.dispatch import find_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from emukernel.kernel.syscalls.table import Row

FULL: Final = "full"
PARTIAL: Final = "partial"
NONE: Final = "none"

MEANING: Final = {
    FULL: "a test program makes this call, and does the same under emukernel as on Linux",
    PARTIAL: "there is code for it, and no such test",
    NONE: "ENOSYS",
}

DATA: Final = os.path.join(os.path.dirname(__file__), "..", "..", "data", "support.json")


def evidence(path: str = DATA) -> dict[str, list[str]]:
    """The guests that showed each call to be as Linux's, by the call's name; {} where nothing was
    recorded."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            calls: dict[str, list[str]] = json.load(file)["calls"]
    except FileNotFoundError:
        return {}
    return calls


def level(row: Row, shown: dict[str, list[str]]) -> str:
    """FULL, PARTIAL or NONE for a row of the table, given what evidence() says."""
    if find_handler(row) is None:
        return NONE
    return FULL if shown.get(row[1]) else PARTIAL
