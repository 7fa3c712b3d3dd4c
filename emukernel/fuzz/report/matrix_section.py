"""The syscall matrix as a table: a row a call, a column a function of the guest."""

from __future__ import annotations

from emukernel.fuzz.report.markup import Markup, join, tag
from emukernel.fuzz.report.matrix import REFUSED
from emukernel.fuzz.units import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.fuzz.report.load import Report
    from emukernel.fuzz.report.matrix import Cell

#: Columns and rows that are shown; what is beyond is summed up.
MAX_FUNCTIONS, MAX_CALLS = 40, 250
_OTHERS = "other functions"


def matrix_section(report: Report) -> Markup:
    """The whole section."""
    if not report.recorded:
        return tag("p", "The corpus was not run again for it.", class_="dim")
    if not report.cells:
        return tag("p", "No call was made.", class_="dim")
    said = f"Calls of {report.inputs:,} inputs, each run once"
    if report.inputs < report.total:
        said += f" (of {report.total:,}: the time was up)"
    columns = _columns(report.cells)
    table: dict[str, dict[str, list[Cell]]] = {}
    for cell in report.cells:
        column = cell.function if cell.function in columns else _OTHERS
        table.setdefault(cell.name, {}).setdefault(column, []).append(cell)
    if any(_OTHERS in row for row in table.values()) and _OTHERS not in columns:
        columns.append(_OTHERS)
    never = [name for name in report.hits if name not in table]
    rows = [_row(name, table[name], columns) for name in list(table)[:MAX_CALLS]]
    rows += [_never(name, len(columns)) for name in never[:MAX_CALLS]]
    hidden = max(0, len(table) - MAX_CALLS) + max(0, len(never) - MAX_CALLS)
    head = tag(
        "tr", tag("th", "Call", scope="col"),
        *(tag("th", tag("span", name), scope="col", class_="turned", title=name)
          for name in columns),
    )
    body = tag("table", tag("thead", head), tag("tbody", *rows), class_="matrix")
    return join(
        tag("p", said, "; what came before the first use of the input is in it once. ",
            tag("span", "12", class_="allowed key"), " allowed, ",
            tag("span", "✗3", class_="refused key"), " refused by the policy."),
        tag("div", body, class_="scroll", tabindex=0, role="region",
            aria_label="the syscall matrix"),
        tag("p", f"{hidden:,} more calls", class_="dim") if hidden else None,
    )


def _columns(cells: Sequence[Cell]) -> list[str]:
    """The functions with most refusals, then with most calls."""
    weight: dict[str, list[int]] = {}
    for cell in cells:
        row = weight.setdefault(cell.function, [0, 0])
        row[0 if cell.verdict == REFUSED else 1] += cell.count
    ordered = sorted(weight, key=lambda name: (-weight[name][0], -weight[name][1], name))
    return ordered[:MAX_FUNCTIONS]


def _row(name: str, cells: dict[str, list[Cell]], columns: Sequence[str]) -> Markup:
    return tag(
        "tr", tag("th", name, scope="row"), *(_cell(cells.get(column)) for column in columns)
    )


def _never(name: str, width: int) -> Markup:
    return tag(
        "tr", tag("th", name, scope="row"), tag("td", "never called", colspan=width),
        class_="never",
    )


def _cell(cells: Sequence[Cell] | None) -> Markup:
    if not cells:
        return tag("td")
    refused = sum(cell.count for cell in cells if cell.verdict == REFUSED)
    allowed = sum(cell.count for cell in cells if cell.verdict != REFUSED)
    style = "both" if refused and allowed else "refused" if refused else "allowed"
    shown = [short(allowed)] if allowed else []
    if refused:
        shown.append(f"✗{short(refused)}")
    return tag("td", " ".join(shown), class_=style, title="\n".join(map(_words, cells[:6])))


def _words(cell: Cell) -> str:
    where = f" ({cell.source})" if cell.source else ""
    arguments = ", ".join(f"{value:#x}" for value in cell.arguments)
    times = "once" if cell.count == 1 else f"{cell.count:,} times in {cell.inputs:,} runs"
    return f"{cell.function}{where}: {cell.verdict} {times}; first {cell.name}({arguments})"
