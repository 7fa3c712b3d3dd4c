"""How C lays a struct out, and one shown as strace shows it."""

from __future__ import annotations

from struct import calcsize, unpack_from

from emukernel.strace.literal import STRING_LIMIT, quote
from emukernel.strace.scalar import scalar
from emukernel.strace.structs import STRUCTS

LETTERS = "bBhHiIqQ"

_structs: dict[str, Struct] = {}


class Field:
    """A field: `letter` is one of LETTERS, `s` for text, or "" where it is a struct itself."""

    __slots__ = ("count", "kind", "letter", "name", "offset", "size", "struct")

    def __init__(self, name: str, type: str, kind: str) -> None:
        self.name = name
        self.kind = kind.replace("/", " ")
        digits = type[:-1]
        self.struct: Struct | None = None
        self.count: int | None = None
        self.size: int
        if type[-1] in LETTERS + "s" and (digits.isdigit() or not digits):
            self.letter = type[-1]
            self.count = int(digits) if digits else None
            self.size = calcsize(f"={type}")
        else:
            self.letter = ""
            self.struct = struct(type)
            self.size = self.struct.size
        self.offset = 0

    @property
    def alignment(self) -> int:
        if self.struct:
            return self.struct.alignment
        return calcsize(f"={self.letter}")

    def show(self, data: bytes) -> str:
        """The field's value in the bytes of the whole struct."""
        if self.struct:
            return self.struct.show(data[self.offset : self.offset + self.size])
        if self.letter == "s":
            text = data[self.offset : self.offset + self.size].partition(b"\0")[0]
            return quote(text[:STRING_LIMIT], len(text) > STRING_LIMIT)
        values = unpack_from(f"<{self.count or 1}{self.letter}", data, self.offset)
        if self.count is None:
            return scalar(self.kind, values[0])
        return f"[{', '.join([scalar(self.kind, value) for value in values])}]"


class Struct:
    """A struct: its `size` and `alignment` in bytes, and its fields."""

    __slots__ = ("alignment", "fields", "shown", "size")

    def __init__(self, text: str) -> None:
        self.fields: list[Field] = []
        self.shown: list[Field] = []
        self.alignment = 1
        offset = 0
        cut = False
        for word in text.split():
            if word == "...":
                cut = True
                continue
            name, type, kind = [*word.split(":"), ""][:3]
            field = Field(name, type, kind)
            offset += -offset % field.alignment
            field.offset = offset
            offset += field.size
            self.alignment = max(self.alignment, field.alignment)
            self.fields.append(field)
            if not cut and not name.startswith("_"):
                self.shown.append(field)
        self.size: int = offset + -offset % self.alignment
        if cut:
            self.shown.append(_REST)

    def show(self, data: bytes) -> str:
        """`{tv_sec=1, tv_nsec=0}` for `size` bytes of memory."""
        texts = [
            "..." if field is _REST else f"{field.name}={field.show(data)}" for field in self.shown
        ]
        return f"{{{', '.join(texts)}}}"


_REST = Field("...", "b", "")


def struct(name: str) -> Struct:
    """The struct of that name in structs.py. KeyError where there is none."""
    found = _structs.get(name)
    if found is None:
        found = _structs[name] = Struct(STRUCTS[name])
    return found
