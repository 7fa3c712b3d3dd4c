"""Source lines of code addresses, by a program's DWARF."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Rows of line tables that are read; of larger programs the rest has no lines.
_MAX_ROWS = 2_000_000


class LineTable:
    """Where each line's code starts: sorted addresses as linked, and `file:line`, "" for a gap."""

    __slots__ = ("_lines", "_starts")

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        rows.sort(key=lambda row: row[0])
        self._starts = [start for start, _line in rows]
        self._lines = [line for _start, line in rows]

    def find(self, address: int) -> str:
        """`file.c:12`, or an empty text."""
        at = bisect_right(self._starts, address) - 1
        return self._lines[at] if at >= 0 else ""


@lru_cache(maxsize=4)
def line_table(data: bytes) -> LineTable:
    """The lines of an ELF image; none where it has no DWARF or it can't be read."""
    from io import BytesIO

    from elftools.elf.elffile import ELFFile

    rows: list[tuple[int, str]] = []
    try:
        elf = ELFFile(BytesIO(data))
        if elf.has_dwarf_info():
            dwarf = elf.get_dwarf_info()
            for unit in dwarf.iter_CUs():
                program = dwarf.line_program_for_CU(unit)
                if program is not None:
                    _read_unit(program, rows)
                if len(rows) > _MAX_ROWS:
                    break
    except Exception:
        # A program's debugging information is as hostile as the rest of it.
        return LineTable([])
    return LineTable(rows)


def _read_unit(program: Any, rows: list[tuple[int, str]]) -> None:
    header = program.header
    files = header["file_entry"]
    # Files count from 0 since DWARF 5, from 1 before.
    first = 0 if header["version"] >= 5 else 1
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if state.end_sequence:
            rows.append((state.address, ""))
            continue
        at = state.file - first
        name = files[at].name.decode(errors="replace") if 0 <= at < len(files) else "?"
        rows.append((state.address, f"{name}:{state.line}"))
