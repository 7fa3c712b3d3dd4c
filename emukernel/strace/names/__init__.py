"""Names of numbers: flags that are or-ed together, and enumerations.

The sets are data, one module per subject, each with FLAGS and ENUMS: name of the set -> (what an
unknown number is called, the names). Names stand in the order in which a trace shows them. A name
without `=` has the number after that of the name before it: in FLAGS the next bit (the first: 1),
in ENUMS one more (the first: 0). A flag of several bits matches where all of them are set.

A set is asked for as `fs.whence`: `whence` of names/fs.py.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

Names = tuple[tuple[int, str], ...]

_flags: dict[str, tuple[str, Names]] = {}
_enums: dict[str, tuple[str, dict[int, str]]] = {}


def flags(name: str, value: int) -> str:
    """`PROT_READ|PROT_WRITE` for ("mm.prot", 3): bits without a name stand at the end in hex."""
    unknown, names = flag_set(name)
    if value == 0:
        return next((word for bits, word in names if bits == 0), "0")
    words = []
    rest = value
    for bits, word in names:
        if bits and rest & bits == bits:
            words.append(word)
            rest &= ~bits
    if rest:
        words.append(f"{rest:#x}" if words else f"{rest:#x} /* {unknown} */")
    return "|".join(words)


def more_flags(name: str, value: int) -> str:
    """flags() of what stands behind another name: an unknown number without the remark."""
    return flags(name, value).partition(" ")[0]


def enum(name: str, value: int) -> str:
    """`SEEK_END` for ("fs.whence", 2); a number without a name as `0x4d /* SEEK_??? */`."""
    unknown, names = enum_set(name)
    word = names.get(value)
    if word is not None:
        return word
    return f"{value & 0xFFFFFFFF if value < 0 else value:#x} /* {unknown} */"


def flag_set(name: str) -> tuple[str, Names]:
    """What an unknown flag of the set is called, and its flags with their names."""
    found = _flags.get(name)
    if found is None:
        module, _, key = name.partition(".")
        unknown, text = _module(module).FLAGS[key]
        found = _flags[name] = (unknown, _numbered(text, 1, lambda bits: bits << 1))
    return found


def enum_set(name: str) -> tuple[str, dict[int, str]]:
    """What an unknown number of the set is called, and the names by number."""
    found = _enums.get(name)
    if found is None:
        module, _, key = name.partition(".")
        unknown, text = _module(module).ENUMS[key]
        found = _enums[name] = (unknown, dict(_numbered(text, 0, lambda number: number + 1)))
    return found


def _module(name: str) -> ModuleType:
    module: ModuleType = __import__(f"emukernel.strace.names.{name}", fromlist=("*",))
    return module


def _numbered(text: str, first: int, following: Callable[[int], int]) -> Names:
    names = []
    number = first
    for word in text.split():
        word, equals, digits = word.partition("=")
        if equals:
            number = int(digits, 0)
        names.append((number, word))
        number = following(number)
    return tuple(names)
