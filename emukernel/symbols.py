"""Addresses of a program as symbol and offset, for reports. Needs pyelftools."""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from emukernel.kernel.task import Task

#: Symbol tables of larger files are not read: a hostile ELF must not cost more than a report.
MAX_FILE = 256 << 20
_MAX_SYMBOLS = 1 << 20
_MAX_NAME = 512
#: struct Elf64_Sym: name, info, other, section, value, size.
_SYM = Struct("<IBBHQQ")
_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC = 0, 2, 10


class Symbols:
    """The functions of one ELF file, sorted by address; names stay in the file's string table."""

    __slots__ = ("_functions", "_starts", "_strings")

    def __init__(self, functions: list[tuple[int, int, int]], strings: bytes) -> None:
        functions.sort()
        self._functions = functions
        self._starts = [start for start, _size, _name in functions]
        self._strings = strings

    def find(self, address: int) -> str:
        """`name+0x1c` for an address in a function, or an empty text."""
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return ""
        start, size, name = self._functions[at]
        if size and address >= start + size:
            return ""
        return f"{self._name(name)}+{address - start:#x}"

    def by_name(self, bias: int) -> dict[str, int]:
        """Where each function starts, `bias` added."""
        return {self._name(name): start + bias for start, _size, name in self._functions}

    def _name(self, at: int) -> str:
        end = self._strings.find(b"\0", at, at + _MAX_NAME)
        text = self._strings[at : end if end >= 0 else at + _MAX_NAME]
        return text.decode(errors="backslashreplace")


def read_symbols(data: bytes) -> Symbols | None:
    """The function symbols of an ELF image; None without any, or when it can't be read."""
    from io import BytesIO

    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection
    except ImportError:
        return None
    try:
        table = ELFFile(BytesIO(data)).get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            return None
        symbols = _contents(data, table.header)[: _MAX_SYMBOLS * _SYM.size]
        strings = _contents(data, table.stringtable.header)
    except (ELFError, ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
        return None
    except (MemoryError, RecursionError, IndexError, UnicodeError):
        return None
    # Not by the library's own iteration: that takes a name as long as the file has it, each time.
    functions = [
        (value, size, name)
        for name, info, _other, section, value, size in _SYM.iter_unpack(
            symbols[: len(symbols) // _SYM.size * _SYM.size]
        )
        if name and section and info & 15 in (_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC)
    ]
    return Symbols(functions, strings) if functions else None


def _contents(data: bytes, header: Mapping[str, int]) -> bytes:
    return data[header["sh_offset"] : header["sh_offset"] + header["sh_size"]]


def symbol_at(task: Task, address: int) -> str:
    """`name+offset` of a code address in a task's program, or an empty text."""
    found = _image(task, address)
    if found is None or found[0] is None:
        return ""
    symbols, linked, _file = found
    name: str = symbols.find(linked)
    return name


def linked_address(task: Task, address: int) -> tuple[int, bytes] | None:
    """Where an address of a task's program is in its ELF file's own terms, and that file's bytes;
    None for what comes from no file."""
    found = _image(task, address)
    if found is None:
        return None
    _symbols, linked, file = found
    return linked, file.read_at(task, 0, file.inode.size)


def program_symbols(task: Task) -> dict[str, int]:
    """The functions of the program that a task runs, by name, at the addresses where they are."""
    file = task.mm.exe_file
    if file is None:
        return {}
    found = next((v for v in task.mm.vmas if v.file is file), None)
    image = None if found is None else _image(task, found.start)
    if found is None or image is None or image[0] is None:
        return {}
    symbols, linked, _file = image
    names: dict[str, int] = symbols.by_name(found.start - linked)
    return names


def _image(task: Task, address: int) -> tuple[Any, int, Any] | None:
    """(symbols or None, address as linked, file) of the image that an address lies in."""
    mm = task.mm
    vma = mm.vma_at(address)
    if vma is None or vma.file is None or vma.file.inode.size > MAX_FILE:
        return None
    kernel = task.kernel
    inode = vma.file.inode
    cache = kernel.symbols
    key = (inode.sb.dev, inode.ino)
    if key not in cache:
        data = vma.file.read_at(task, 0, inode.size)
        cache[key] = (read_symbols(data), _first_vaddr(data))
    symbols, first = cache[key]
    mapped = [v for v in mm.vmas if v.file is not None and v.file.inode is inode]
    base = min(v.start - (v.pgoff << 12) for v in mapped)
    # A position-independent image is linked at 0, any other where it runs.
    bias = base - first if base != first else 0
    return symbols, address - bias, vma.file


def _first_vaddr(data: bytes) -> int:
    """The page at which the file's first byte is linked."""
    from struct import error, unpack_from

    try:
        phoff = unpack_from("<Q", data, 32)[0]
        phentsize, phnum = unpack_from("<HH", data, 54)
        starts = []
        for index in range(min(phnum, 64)):
            kind, _flags, offset, vaddr = unpack_from("<IIQQ", data, phoff + index * phentsize)
            if kind == 1:
                starts.append(vaddr - offset)
        return min(starts, default=0) & -4096
    except error:
        return 0
