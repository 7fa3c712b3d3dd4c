"""Which of many objects changed: looked at where CPython keeps their contents.

An object with slots is an array of pointers behind its header; a list is a pointer to one, with
its length. All of them are gathered into one buffer by a single writev(2), which costs a few
nanoseconds an object and can't crash: memory that is gone is EFAULT. The buffer is then compared
with what it was. Pointers that are equal mean the very same objects, as the snapshot keeps those
alive. A dict has a version that grows with each change; where CPython has none (3.14), and on any
other implementation, the contents are compared in Python instead.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from operator import is_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORD = ctypes.sizeof(ctypes.c_void_p)
_IOV_MAX = 1024


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Watch:
    """Objects with slots, lists and dicts, each with the contents that it has now."""

    __slots__ = (
        "_batches",
        "_buffer",
        "_contents",
        "_fd",
        "_in_python",
        "_objects",
        "_owners",
        "_view",
        "_writev",
    )

    def __init__(self, objects: list[tuple[Any, Any]]) -> None:
        self._objects = objects
        self._in_python: list[int] = []
        self._fd = -1
        segments: list[tuple[int, int, int]] = []
        layout = Layout.find()
        for at, (thing, _contents) in enumerate(objects):
            where = layout.segments(thing) if layout is not None else None
            if where is None:
                self._in_python.append(at)
            else:
                segments += [(start, size, at) for start, size in where]
        self._owners: list[tuple[int, int, int]] = []
        self._batches: list[tuple[Any, int, int, int]] = []
        self._contents = b""
        if segments:
            self._gather(segments)

    def _gather(self, segments: list[tuple[int, int, int]]) -> None:
        """Prepares the calls and takes the contents of now."""
        offset = 0
        for first in range(0, len(segments), _IOV_MAX):
            part = segments[first : first + _IOV_MAX]
            vector = (_Iovec * len(part))(*[_Iovec(start, size) for start, size, _at in part])
            begin = offset
            for _start, size, at in part:
                self._owners.append((offset, size, at))
                offset += size
            self._batches.append((vector, len(part), begin, offset - begin))
        self._fd = os.memfd_create("watch", os.MFD_CLOEXEC)
        os.ftruncate(self._fd, offset)
        self._buffer = mmap.mmap(self._fd, offset)
        self._view = memoryview(self._buffer)
        writev = ctypes.PyDLL(None).pwritev
        writev.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
        writev.restype = ctypes.c_ssize_t
        self._writev = writev
        if not self._look():
            raise OSError("pwritev can't read this process's own objects")
        self._contents = bytes(self._view)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _look(self) -> bool:
        """Gathers what is there now; false where memory that was there is gone."""
        for vector, count, offset, size in self._batches:
            if self._writev(self._fd, vector, count, offset) != size:
                return False
        return True

    def changed(self) -> list[int]:
        """The objects whose contents are not those of the start, by place; mostly none."""
        found = [at for at in self._in_python if self._differs(at)]
        if self._contents:
            if not self._look():
                found += [at for at in range(len(self._objects)) if self._differs(at)]
            elif bytes(self._view) != self._contents:
                view, then = self._view, self._contents
                found += dict.fromkeys(
                    at
                    for offset, size, at in self._owners
                    if view[offset : offset + size] != then[offset : offset + size]
                )
        return found

    def _differs(self, at: int) -> bool:
        from emukernel.kernel.snapshot.graph import slots_of

        thing, contents = self._objects[at]
        if isinstance(thing, dict):
            keys = [key for key, _value in contents]
            values = [value for _key, value in contents]
            return not (_same(list(thing), keys) and _same(list(thing.values()), values))
        if isinstance(thing, list):
            return not _same(thing, contents)
        return not _same([slot.read(thing) for slot in slots_of(type(thing)).values()], contents)


def _same(now: Any, then: Any) -> bool:
    return len(now) == len(then) and all(map(is_, now, then))


class _Probe:
    __slots__ = ("first", "second")

    def __init__(self, first: object, second: object) -> None:
        self.first = first
        self.second = second


class Layout:
    """Where this interpreter keeps what objects hold; found by trying, not assumed."""

    __slots__ = ("_dict", "_header", "_list")

    _found: Layout | None = None
    _sought = False

    def __init__(self, header: int, list_words: tuple[int, int], dict_word: int | None) -> None:
        self._header = header
        self._list = list_words
        self._dict = dict_word

    @classmethod
    def find(cls) -> Layout | None:
        """The layout, or None where it is not one that is known."""
        if not cls._sought:
            cls._sought = True
            if sys.implementation.name == "cpython" and hasattr(os, "memfd_create"):
                cls._found = cls._find()
        return cls._found

    @classmethod
    def _find(cls) -> Layout | None:
        values = (object(), object())
        probe = _Probe(*values)
        words = _words(id(probe), type(probe).__basicsize__)
        wanted = [id(value) for value in values]
        at = next((i for i in range(len(words)) if words[i : i + 2] == wanted), None)
        if at is None:
            return None
        numbers = [values[0], values[1], values[0]]
        size = list.__basicsize__
        words = _words(id(numbers), size)
        length = next((i for i in range(2, len(words)) if words[i] == 3), None)
        # Behind the length comes the pointer to the items.
        if length is None or length + 1 >= len(words):
            return None
        if _words(words[length + 1], 3 * _WORD) != [id(value) for value in numbers]:
            return None
        return cls(at * _WORD, (length, length + 1), _dict_version())

    def segments(self, thing: Any) -> list[tuple[int, int]] | None:
        """(address, size) of what must not change for `thing` to be unchanged; None: unknown."""
        cls = type(thing)
        if cls is list:
            length, items = self._list
            start = id(thing) + length * _WORD
            found = [(start, 2 * _WORD)]
            if thing:
                address = _words(id(thing), cls.__basicsize__)[items]
                found.append((address, len(thing) * _WORD))
            return found
        if cls is dict:
            if self._dict is None:
                return None
            return [(id(thing) + self._dict * _WORD, _WORD)]
        if cls.__itemsize__ or hasattr(thing, "__dict__"):
            return None
        return [(id(thing) + self._header, cls.__basicsize__ - self._header)]


def _words(address: int, size: int) -> list[int]:
    count = size // _WORD
    return list((ctypes.c_size_t * count).from_address(address))


def _dict_version() -> int | None:
    """The word of a dict that is another one after each change; None if there is none."""
    value = object()
    subject: dict[Any, Any] = {1: value, 2: value}
    changes = (
        lambda: subject.__setitem__(1, object()),
        lambda: subject.__setitem__(1, value),
        lambda: subject.__setitem__(3, value),
        lambda: subject.pop(3),
        lambda: subject.update({2: object()}),
        lambda: subject.update({2: value}),
        lambda: subject.setdefault(4, value),
        lambda: subject.popitem(),
        lambda: subject.clear(),
        lambda: subject.update({1: value, 2: value}),
    )
    seen = [_words(id(subject), dict.__basicsize__)]
    for change in changes:
        change()
        seen.append(_words(id(subject), dict.__basicsize__))
    for at in range(2, len(seen[0])):
        if len({words[at] for words in seen}) == len(seen):
            return at
    return None
