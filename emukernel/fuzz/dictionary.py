"""Words for the mutator: dictionary files as AFL and libFuzzer have them, and what stands in a
program."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.policy.policy import Policy

_LINE = re.compile(r'^\s*(?:[A-Za-z0-9_.-]+(?:@\d+)?\s*=\s*)?"(.*)"\s*$')
_ESCAPE = re.compile(r'\\(x[0-9A-Fa-f]{2}|["\\nrt])')
_STRING = re.compile(rb"[\x20-\x7e\t\n]{3,32}\0")
_SIMPLE = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

#: Words taken out of one program.
MAX_WORDS = 512
_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_MASK64 = (1 << 64) - 1


def parse(text: str, file: str) -> list[bytes]:
    """The words of a dictionary file, `name="value"` or `"value"` a line. ValueError: where and
    what."""
    words = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f'{file}:{number}: not name="value": {line.strip()[:60]!r}')
        words.append(unescape(match[1], file, number))
    return words


def unescape(text: str, file: str, number: int) -> bytes:
    """The bytes of a literal with \\xNN, \\n, \\r, \\t, \\" and \\\\ in it. ValueError."""
    rest = _ESCAPE.sub("", text)
    if "\\" in rest or '"' in rest:
        raise ValueError(f"{file}:{number}: a backslash or quote that is no escape")

    def replace(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "x" else _SIMPLE[code]

    return _ESCAPE.sub(replace, text).encode("latin-1", "replace")


def program_words(data: bytes) -> list[bytes]:
    """Strings of an ELF program's read-only data and constants that its code compares with."""
    words: dict[bytes, None] = {}
    for flags, contents in _sections(data):
        found = _immediates(contents) if flags & _SHF_EXECINSTR else _strings(contents)
        for word in found:
            words[word] = None
            if len(words) >= MAX_WORDS:
                return list(words)
    return list(words)


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    from io import BytesIO

    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        for section in ELFFile(BytesIO(data)).iter_sections():
            flags = section["sh_flags"]
            if section["sh_type"] != "SHT_PROGBITS" or not flags & _SHF_ALLOC:
                continue
            if flags & _SHF_EXECINSTR or section.name.startswith(".rodata"):
                yield flags, section.data()[: 1 << 20]
    except (ELFError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return


def _strings(contents: bytes) -> Iterator[bytes]:
    for match in _STRING.finditer(contents):
        yield match[0][:-1]


# cmp $imm32: 3d, or 81 /7 with a ModRM of a register or of memory without displacement.
_CMP = re.compile(rb"\x3d(....)|\x81[\xf8-\xff\x38-\x3b\x3d-\x3f](....)", re.S)


def _immediates(code: bytes) -> Iterator[bytes]:
    for match in _CMP.finditer(code):
        word = match[1] or match[2]
        value = int.from_bytes(word, "little", signed=True)
        if not -256 <= value <= 256:
            yield word if value >> 16 not in (0, -1) else word[:2]


def policy_words(policy: Policy) -> list[bytes]:
    """The constants that a policy compares with, one less and one more, in four bytes and in
    eight: as they are, and with 0, 1 or all ones in the other half."""
    words: dict[bytes, None] = {}
    for entry in policy.filters:
        if entry.filter is None:
            continue
        for predicate in entry.filter.predicates:
            if predicate.is_string:
                continue
            for near in (0, -1, 1):
                value = (predicate.constant + near) & _MASK64
                low = value & 0xFFFF_FFFF
                words[low.to_bytes(4, "little")] = None
                for number in (value, low | 1 << 32, low | 0xFFFF_FFFF << 32, low << 32):
                    words[number.to_bytes(8, "little")] = None
    return list(words)[:MAX_WORDS]
