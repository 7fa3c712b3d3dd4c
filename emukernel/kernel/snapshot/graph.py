"""Every mutable object that a kernel reaches, with its contents, and the way back to them.

Kernel state is plain Python: objects with slots, and the built-in containers. The graph is walked
once, when the snapshot is made. Objects keep their identity: a restore writes the old contents
back into them, and what was made since is dropped.

A run changes few of some hundred objects, mostly the same ones. Those that were ever seen to
change are `hot`: they are written back without looking. All others are compared with what they
held, at once (`watch`), and what turns out to have changed is restored and becomes hot.
"""

from __future__ import annotations

import types
from collections import OrderedDict, deque
from operator import is_, itemgetter
from weakref import WeakValueDictionary

from emukernel.kernel.snapshot.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Setter = Callable[[Any, Any], None]

_MISSING = object()
"""The saved value of a slot that was never set."""

_ATOMS = (
    str,
    bytes,
    int,
    float,
    complex,
    type(None),
    type,
    types.BuiltinFunctionType,
    types.ModuleType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MappingProxyType,
    type(Ellipsis),
    range,
    memoryview,
    BaseException,
)

#: Packages whose objects are kernel state. Of all others only listed classes are.
_STATE = ("emukernel.kernel.",)
_STATE_CLASSES = {
    ("emukernel.seccomp.state", "SeccompState"),
    ("emukernel.machine.pagetable", "PageTable"),
}
#: Objects that never change once made, or that only cache.
_FIXED_CLASSES = {
    ("emukernel.kernel.options", "Options"),
    ("emukernel.kernel.interrupts", "Interrupts"),
    ("emukernel.kernel.fs.dcache", "Path"),
    ("emukernel.kernel.stats", "Stats"),
}


class SnapshotError(Exception):
    """An object that the kernel holds is of no kind that can be restored."""


class Graph:
    """The objects that `root` reaches but for its attributes named in `outside`."""

    __slots__ = (
        "_always",
        "_hot_containers",
        "_hot_slots",
        "_keep",
        "_known",
        "_objects",
        "_outside",
        "_root",
        "_saved",
        "_watch",
        "_watched",
    )

    def __init__(self, root: object, outside: Iterable[str]) -> None:
        self._root = root
        self._outside = frozenset(outside)
        # Saved contents by the object's place in `_objects`.
        self._objects: list[Any] = []
        self._saved: list[Any] = []
        # What changes too often, or in too many ways, to be watched.
        self._always: list[int] = []
        self._hot_containers: list[int] = []
        self._hot_slots: list[tuple[Setter, Any, Any]] = []
        self._known: set[tuple[int, str]] = set()
        self._keep: list[object] = []
        self._walk()
        self._watched: list[int] = []
        self._watch: Watch
        self._build_watch()

    # -- making ------------------------------------------------------------------------------

    def _walk(self) -> None:
        seen: set[int] = set()
        pending: list[tuple[object, str]] = [(self._root, "kernel")]
        while pending:
            thing, path = pending.pop()
            if id(thing) in seen or isinstance(thing, _ATOMS):
                continue
            seen.add(id(thing))
            self._keep.append(thing)
            pending.extend(self._take(thing, path))

    def _take(self, thing: Any, path: str) -> Iterable[tuple[object, str]]:
        """Saves one object; what it refers to."""
        if isinstance(thing, dict):
            self._save(thing, list(thing.items()))
            children = [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | deque | bytearray):
            self._save(thing, thing.copy())
            children = [] if isinstance(thing, bytearray) else list(thing)
        elif isinstance(thing, set):
            self._save(thing, thing.copy())
            children = list(thing)
        elif isinstance(thing, WeakValueDictionary):
            self._save(thing, dict(thing))
            children = list(thing.values())
        elif isinstance(thing, tuple | frozenset):
            children = list(thing)
        elif isinstance(thing, types.FunctionType | types.MethodType):
            return self._function(thing, path)
        elif _is_state(type(thing)):
            return self._take_object(thing, path)
        else:
            return ()
        if len(path) > 300:
            path = "…" + path[-200:]
        return [(child, f"{path}[{index}]") for index, child in enumerate(children)]

    def _function(self, thing: Any, path: str) -> Iterable[tuple[object, str]]:
        """A function is not changed by a run, but what it closes over may be."""
        if isinstance(thing, types.MethodType):
            return [(thing.__self__, f"{path}.__self__")]
        found = []
        for cell in thing.__closure__ or ():
            try:
                found.append((cell.cell_contents, f"{path}()"))
            except ValueError:
                continue
        return found

    def _take_object(self, thing: Any, path: str) -> Iterable[tuple[object, str]]:
        slots = slots_of(type(thing))
        values = {name: slot.read(thing) for name, slot in slots.items()}
        attributes = getattr(thing, "__dict__", None)
        if attributes is not None:
            if thing is self._root:
                for name in self._outside & attributes.keys():
                    values.pop(name, None)
                kept = {k: v for k, v in attributes.items() if k not in self._outside}
            else:
                kept = dict(attributes)
            self._save_attributes(thing, kept)
            values |= kept
        if slots:
            self._save(thing, tuple(values[name] for name in slots))
        return [
            (value, f"{path}.{name}") for name, value in values.items() if value is not _MISSING
        ]

    def _save(self, thing: object, contents: object) -> None:
        if isinstance(thing, set | deque | bytearray | WeakValueDictionary | OrderedDict):
            self._always.append(len(self._objects))
        self._objects.append(thing)
        self._saved.append(contents)

    def _save_attributes(self, thing: object, attributes: dict[str, object]) -> None:
        self._always.append(len(self._objects))
        self._objects.append(_Attributes(thing, attributes))
        self._saved.append(attributes)

    def _build_watch(self) -> None:
        """Watches all but what is restored without looking."""
        hot = {*self._always, *self._hot_containers}
        self._watched = [at for at in range(len(self._objects)) if at not in hot]
        self._watch = Watch([(self._objects[at], self._saved[at]) for at in self._watched])

    # -- going back --------------------------------------------------------------------------

    def restore(self) -> None:
        """Writes back what changed."""
        for write, thing, value in self._hot_slots:
            write(thing, value)
        objects, saved = self._objects, self._saved
        for at in self._hot_containers:
            thing, contents = objects[at], saved[at]
            if type(thing) is list:
                thing[:] = contents
            else:
                thing.clear()
                thing.update(contents)
        for at in self._always:
            _put_back(objects[at], saved[at])
        changed = self._watch.changed()
        if changed:
            self._restore_new([self._watched[at] for at in changed])

    def _restore_new(self, changed: list[int]) -> None:
        """Restores what never changed before, and has it restored without a look from now on."""
        rebuild = False
        for at in changed:
            thing, contents = self._objects[at], self._saved[at]
            if isinstance(thing, list | dict):
                _put_back(thing, contents)
                if type(thing) in (list, dict):
                    self._hot_containers.append(at)
                    rebuild = True
                continue
            # Something else about it may be new, as a weak reference to it.
            rebuild = True
            for slot, value in zip(slots_of(type(thing)).values(), contents, strict=True):
                now = slot.read(thing)
                if now is value:
                    continue
                rebuild = False
                slot.restore(thing, value)
                key = (at, slot.name)
                if value is not _MISSING and key not in self._known:
                    self._known.add(key)
                    self._hot_slots.append((slot.write, thing, value))
        if rebuild:
            self._build_watch()

    def differences(self) -> list[str]:
        """What is not as it was, by comparing every object by identity."""
        found = []
        for thing, contents in zip(self._objects, self._saved, strict=True):
            if not _equal(thing, contents):
                found.append(f"a {type(thing).__name__}: {_shown(thing, contents)}")
        return found


class _Attributes:
    """The `__dict__` of an object without slots, in part: the attributes in `contents`."""

    __slots__ = ("_hot", "_names", "_read", "_values", "attributes")

    def __init__(self, thing: Any, contents: dict[str, Any]) -> None:
        self.attributes: dict[str, Any] = thing.__dict__
        # Those that were seen to change: set without looking.
        self._hot: dict[str, Any] = {}
        self._names = frozenset(self.attributes)
        # Two names at least: of a single one itemgetter makes no tuple.
        names = [*contents, *contents][: max(2, len(contents))]
        self._read = itemgetter(*names) if names else None
        self._values = [contents[name] for name in names]

    def put_back(self, contents: dict[str, Any]) -> None:
        """Sets what is not as it was."""
        attributes = self.attributes
        if len(attributes) != len(self._names):
            for name in attributes.keys() - self._names:
                del attributes[name]
        attributes.update(self._hot)
        try:
            if self._read is None or all(map(is_, self._read(attributes), self._values)):
                return
        except KeyError:
            # One was deleted.
            pass
        for name, value in contents.items():
            if attributes.get(name, _MISSING) is not value:
                attributes[name] = self._hot[name] = value


class Slot:
    """One slot of a class. An unset one reads as _MISSING."""

    __slots__ = ("_descriptor", "name", "write")

    def __init__(self, name: str, descriptor: Any) -> None:
        self.name = name
        self._descriptor = descriptor
        self.write: Setter = descriptor.__set__

    def read(self, thing: Any) -> Any:
        try:
            return self._descriptor.__get__(thing)
        except AttributeError:
            return _MISSING

    def restore(self, thing: Any, value: Any) -> None:
        """Sets the slot, or empties it."""
        if value is _MISSING:
            self._descriptor.__delete__(thing)
        else:
            self.write(thing, value)


_slots: dict[type, dict[str, Slot]] = {}


def slots_of(cls: type) -> dict[str, Slot]:
    """The slots that are state of a class and its bases, but for those named in `unsaved`.

    Properties of the same name don't hide them.
    """
    found = _slots.get(cls)
    if found is None:
        unsaved = getattr(cls, "unsaved", ())
        found = {}
        for base in reversed(cls.__mro__):
            for name, descriptor in vars(base).items():
                if isinstance(descriptor, types.MemberDescriptorType) and name not in unsaved:
                    found[f"{base.__name__}.{name}"] = Slot(name, descriptor)
        _slots[cls] = found
    return found


def _is_state(cls: type) -> bool:
    names = [(base.__module__, base.__name__) for base in cls.__mro__]
    if any(name in _FIXED_CLASSES for name in names):
        return False
    return any(module.startswith(_STATE) for module, _ in names) or any(
        name in _STATE_CLASSES for name in names
    )


def _put_back(thing: Any, contents: Any) -> None:
    """Writes old contents into a container, if they are not there."""
    kind = type(thing)
    if kind is _Attributes:
        thing.put_back(contents)
    elif kind is WeakValueDictionary:
        if len(thing) != len(contents) or dict(thing) != contents:
            thing.clear()
            thing.update(contents)
    elif isinstance(thing, deque):
        thing.clear()
        thing.extend(contents)
    elif isinstance(thing, bytearray | set):
        if thing != contents:
            if isinstance(thing, set):
                thing.clear()
                thing |= contents
            else:
                thing[:] = contents
    elif isinstance(thing, dict):
        thing.clear()
        thing.update(contents)
    else:
        thing[:] = contents


def _equal(thing: Any, contents: Any) -> bool:
    """Whether an object holds just what it held: the very same things, in the same order."""
    if isinstance(thing, _Attributes):
        now = thing.attributes
        return all(now.get(name, _MISSING) is value for name, value in contents.items())
    if isinstance(thing, dict):
        return _same(thing.keys(), [key for key, _ in contents]) and _same(
            thing.values(), [value for _, value in contents]
        )
    if isinstance(thing, bytearray | set):
        return bool(thing == contents)
    if isinstance(thing, WeakValueDictionary):
        return bool(dict(thing) == contents)
    if isinstance(thing, list | deque):
        return _same(thing, contents)
    return _same([slot.read(thing) for slot in slots_of(type(thing)).values()], contents)


def _same(now: Any, then: Any) -> bool:
    return len(now) == len(then) and all(map(is_, now, then))


def _shown(thing: Any, contents: Any) -> str:
    if isinstance(thing, _Attributes):
        now = thing.attributes
        return ", ".join(k for k, v in contents.items() if now.get(k, _MISSING) is not v)
    if isinstance(thing, dict | list | deque | bytearray | set | WeakValueDictionary):
        return f"{str(thing)[:100]} was {str(contents)[:100]}"
    slots = slots_of(type(thing)).values()
    return ", ".join(s.name for s, v in zip(slots, contents, strict=True) if s.read(thing) is not v)


def references(thing: object) -> Iterator[object]:
    """What a captured object refers to, for those who look through a kernel's state."""
    yield from (slot.read(thing) for slot in slots_of(type(thing)).values())
