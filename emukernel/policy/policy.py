"""The policy as an object."""

from __future__ import annotations

from emukernel.ftrace.events import table
from emukernel.policy.error import PolicyError, Problem
from emukernel.policy.parse import Parser, PolicyEntry, clip
from emukernel.seccomp.abi.v1 import MAX_TEXT
from emukernel.seccomp.filter_set import FilterSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FILE = 16 * MAX_TEXT
"""Bytes of a policy file, comments included."""


class Policy:
    """A policy that the kernel takes; made by `from_file`, `from_text` or `from_entries`.

    `entries` are its lines in order, `filters` the set that they make, `on_next_syscall` whether it
    is enforced at once rather than from the next execve on. `file` is what errors and lists call
    it, `source` the text that it was made of, comments and all.
    """

    __slots__ = ("entries", "file", "filters", "on_next_syscall", "ptregs_events", "source")

    def __init__(self, data: bytes, *, file: str, ptregs_events: bool) -> None:
        parser = Parser(file, table(ptregs_events=ptregs_events))
        parser.parse(data)
        self.file = file
        self.source = data.decode()
        self.ptregs_events = ptregs_events
        self.entries: tuple[PolicyEntry, ...] = tuple(parser.entries)
        self.filters = FilterSet(parser.changes.entries)
        self.on_next_syscall = parser.changes.on_next_syscall

    @classmethod
    def from_text(
        cls, text: str | bytes, *, file: str = "<policy>", ptregs_events: bool = True
    ) -> Policy:
        """Reads a policy from a text. Raises PolicyError with all that is wrong."""
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        if len(data) > MAX_FILE:
            raise PolicyError([Problem(file, _too_large())])
        return cls(data, file=file, ptregs_events=ptregs_events)

    @classmethod
    def from_file(cls, path: str, *, ptregs_events: bool = True) -> Policy:
        """Reads a policy file. Raises PolicyError, also for a file that can't be read."""
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            raise PolicyError([Problem(path, f"can't read it: {error.strerror}")]) from None
        except ValueError:
            raise PolicyError([Problem(clip(path), "not a file name")]) from None
        return cls.from_text(data, file=path, ptregs_events=ptregs_events)

    @classmethod
    def from_entries(
        cls,
        entries: Iterable[tuple[str, str]],
        *,
        on_next_syscall: bool = False,
        ptregs_events: bool = True,
    ) -> Policy:
        """Makes a policy of (name, expression) pairs. Raises PolicyError; its lines count the
        pairs."""
        lines = []
        for number, (name, expression) in enumerate(entries, 1):
            line = f"{name}: {expression}"
            if ":" in name or "\n" in line or "#" in line:
                message = "a name has no colon, and an entry no line break and no '#'"
                raise PolicyError([Problem("<entries>", message, number, 1, clip(line))])
            lines.append(line)
        if on_next_syscall:
            lines.append("on_next_syscall: 1")
        return cls.from_text("\n".join(lines), file="<entries>", ptregs_events=ptregs_events)

    def to_text(self) -> bytes:
        """The text that prctl(PR_SET_SECCOMP, 2, text) takes, without its NUL: entries and no
        comments."""
        return "".join(f"{entry.name}: {entry.expression}\n" for entry in self.entries).encode()


def _too_large() -> str:
    return f"more than {MAX_FILE // 1024} KiB; the kernel takes {MAX_TEXT // 1024} KiB of entries"
