"""What is wrong with a policy, and where."""

from __future__ import annotations

from emukernel.ftrace.diagnose import caret, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_PROBLEMS = 20
"""Problems of one policy that are looked for."""


class Problem:
    """One thing that is wrong with a policy.

    `line` and `column` count from 1, columns in characters; both are 0 where the problem has no
    place, and then `source`, the line, is empty. `length` is how many characters of it are meant.
    """

    __slots__ = ("column", "file", "length", "line", "message", "source")

    def __init__(
        self,
        file: str,
        message: str,
        line: int = 0,
        column: int = 0,
        source: str = "",
        length: int = 1,
    ) -> None:
        self.file = file
        self.message = message
        self.line = line
        self.column = column
        self.source = source
        self.length = length

    @property
    def place(self) -> str:
        file = printable(self.file)
        return f"{file}:{self.line}:{self.column}" if self.line else file

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: message`, and below it the line with carets under the place."""
        head = f"{self.place}: {self.message}"
        if not self.line:
            return head
        # Tabs would put the carets elsewhere, and `caret` counts bytes.
        source = self.source.replace("\t", " ").encode(errors="replace")
        start = len(self.source[: self.column - 1].encode(errors="replace"))
        end = len(self.source[: self.column - 1 + self.length].encode(errors="replace"))
        shown, mark = caret(source, start, end)
        return f"{head}\n    {shown}\n    {mark}"


class PolicyError(Exception):
    """A policy that the kernel would refuse, or that can't be read. `problems` has the reasons."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def as_json(self, file: str) -> dict[str, Any]:
        """What the tools say of the policy in `file` with --json."""
        errors = [
            {"line": p.line, "column": p.column, "length": p.length, "message": p.message}
            for p in self.problems
        ]
        return {"file": file, "ok": False, "errors": errors}
