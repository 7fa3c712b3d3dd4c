"""System calls out of their declarations: descriptors, paths, flags, memory that belong together.

What a parameter takes is read off the table of calls (kernel/syscalls/table.py). Registers are
made as two halves: sometimes the high one, which a call that takes an int throws away, is all
ones, 1, or what a policy compares with.
"""

from __future__ import annotations

from random import Random

from emukernel.fuzz.sequence import DATA, MAX_CALLS, CallList, Step
from emukernel.kernel.syscalls.dispatch import ROWS
from emukernel.kernel.syscalls.signature import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.kernel.syscalls.signature import Parameter, Signature

_MASK64 = (1 << 64) - 1
#: Bytes at DATA that are filled.
_MEMORY = 0x5800
_AT_FDCWD = 0xFFFF_FF9C

PATHS = (
    b"/tmp/a", b"/tmp/b", b"/tmp", b"/tmp/d", b"/tmp/d/x", b"/etc/passwd", b"/dev/null",
    b"/dev/zero", b"/proc/self/status", b"/proc/self/fd/0", b"/proc/self/exe", b"/proc/self/mem",
    b"a", b".", b"..", b"", b"/", b"/tmp/a/", b"/nowhere/x", b"/tmp/" + b"n" * 300,
    b"/sys/kernel/debug/tracing/events", b"/proc/self/maps", b"/dev/tty", b"/dev/kmsg",
)  # fmt: skip
_SIZES = (0, 1, 2, 4, 8, 15, 16, 24, 64, 100, 128, 256, 4096, 4097, 65536, 1 << 20)
_NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 10, 16, 100, 1024, 0xFFFF, 1 << 31, 0xFFFF_FFFF, _MASK64)
_ADDRESSES = (0, 8, DATA - 8, 0x7FFF_FFFF_F000, 1 << 47, 0xFFFF_8000_0000_0000, _MASK64 - 7)
_EXITS = frozenset((60, 231))


class Generator:
    """Makes and changes lists of calls.

    `numbers` are the calls to choose from, `constants` what a policy compares with.
    """

    def __init__(
        self, random: Random, numbers: Sequence[int], constants: Sequence[int] = ()
    ) -> None:
        self.random = random
        self.numbers = [nr for nr in numbers if nr in ROWS]
        self._halves = [0, 0, 0, 1, 0xFFFF_FFFF]
        self._constants: list[int] = []
        for constant in dict.fromkeys(constants):
            for near in (constant - 1, constant, constant, constant + 1):
                self._constants.append(near & _MASK64)
                self._halves += [near & 0xFFFF_FFFF, near >> 32 & 0xFFFF_FFFF]
        self._signatures: dict[int, Signature] = {}
        self._makers = [nr for nr in self.numbers if self._signature(nr).result == "fd"]

    def _signature(self, nr: int) -> Signature:
        found = self._signatures.get(nr)
        if found is None:
            found = self._signatures[nr] = parse(ROWS[nr][3])
        return found

    # -- whole lists -------------------------------------------------------------------------

    def new(self) -> CallList:
        """A new list."""
        made = CallList((), self._memory())
        for _ in range(1 + int(self.random.random() * 12)):
            made = made.inserted(len(made.steps), self._step(made, len(made.steps)))
        return made

    def mutate(self, old: CallList, other: CallList | None = None) -> CallList:
        """A list with a few things changed; `other` is one to take steps from."""
        random = self.random
        made = old
        for _ in range(1 << int(random.random() * 3)):
            count = len(made.steps)
            choice = random.random()
            if not count or (choice < 0.3 and count < MAX_CALLS):
                at = random.randrange(count + 1)
                made = made.inserted(at, self._step(made, at))
            elif choice < 0.45 and count > 1:
                made = made.without(random.randrange(count))
            elif choice < 0.55 and other is not None and count < MAX_CALLS:
                step = random.choice(other.steps)
                made = made.inserted(count, Step(step.nr, step.args))
            elif choice < 0.65:
                made = CallList(made.steps, self._touched(made.data))
            else:
                made = self._changed(made, random.randrange(count))
        return made

    def _changed(self, made: CallList, at: int) -> CallList:
        step = made.steps[at]
        parameters = self._signature(step.nr).parameters if step.nr in ROWS else ()
        if not parameters:
            return made
        which = self.random.randrange(len(parameters))
        value, result = self._argument(parameters[which], made, at)
        args, results = list(step.args), list(step.results)
        args[which], results[which] = value, result
        steps = list(made.steps)
        steps[at] = Step(step.nr, tuple(args), tuple(results))
        return CallList(tuple(steps), made.data)

    def _step(self, made: CallList, at: int) -> Step:
        random = self.random
        # Without descriptors there is little to do.
        pool = self._makers if self._makers and random.random() < 0.25 else self.numbers
        nr = random.choice(pool)
        if nr in _EXITS and random.random() < 0.9:
            nr = random.choice(pool)
        args, results = [0] * 6, [-1] * 6
        for which, parameter in enumerate(self._signature(nr).parameters[:6]):
            args[which], results[which] = self._argument(parameter, made, at)
        return Step(nr, tuple(args), tuple(results))

    # -- arguments ---------------------------------------------------------------------------

    def _argument(self, parameter: Parameter, made: CallList, at: int) -> tuple[int, int]:
        """(value, the step whose result it is or -1)."""
        random = self.random
        if self._constants and random.random() < 0.15:
            return random.choice(self._constants), -1
        kind = parameter.kind.partition(" ")[0]
        if kind in ("fd", "dirfd"):
            earlier = [i for i in range(at) if self._returns_fd(made.steps[i].nr)]
            if earlier and random.random() < 0.6:
                return 0, random.choice(earlier)
            value = _AT_FDCWD if kind == "dirfd" and random.random() < 0.6 else self._fd()
        elif parameter.is_pointer:
            return self._pointer(kind), -1
        else:
            value = self._number(parameter)
        if parameter.width in (32, -32, 16) or kind == "fd":
            value = value & 0xFFFF_FFFF | random.choice(self._halves) << 32
        return value & _MASK64, -1

    def _returns_fd(self, nr: int) -> bool:
        return nr in ROWS and self._signature(nr).result == "fd"

    def _fd(self) -> int:
        return self.random.choice((0, 1, 2, 3, 3, 4, 5, 6, 7, 100, 0xFFFF_FFFF))

    def _pointer(self, kind: str) -> int:
        random = self.random
        if random.random() < 0.06:
            return random.choice(_ADDRESSES)
        if kind in ("path", "string"):
            return DATA + 512 * random.randrange(len(PATHS))
        # Behind the paths lie words, then room to write into.
        return DATA + 0x3000 + 64 * random.randrange(160)

    def _number(self, parameter: Parameter) -> int:
        random = self.random
        word, _, name = parameter.kind.partition(" ")
        name = name.partition("[")[0]
        if word in ("flags", "enum") and name:
            from emukernel.strace.names import enum_set, flag_set

            if word == "enum":
                return random.choice(list(enum_set(name)[1]) or [0])
            bits = [value for value, _text in flag_set(name)[1]]
            value = 0
            for _ in range(random.randrange(4)):
                value |= random.choice(bits or [0])
            return value
        if word == "signal":
            return random.choice((0, 1, 9, 10, 15, 17, 18, 19, 64, 65))
        if word == "pid":
            return random.choice((0, 1, 100, 101, 0xFFFF_FFFF))
        if word == "mode":
            return random.choice((0, 0o644, 0o755, 0o1777, 0o4755, 0xFFFF))
        if parameter.type == "size_t" or parameter.name in ("count", "len", "size", "length"):
            return random.choice(_SIZES) if random.random() < 0.9 else random.choice(_NUMBERS)
        if "." in word or word == "x":
            return 1 << random.randrange(22) if random.random() < 0.5 else random.choice(_NUMBERS)
        return random.choice(_NUMBERS)

    # -- memory ------------------------------------------------------------------------------

    def _memory(self) -> bytes:
        """Paths, then words of many meanings: pointers with lengths, times, addresses."""
        random = self.random
        memory = bytearray(_MEMORY)
        for at, path in enumerate(PATHS):
            memory[512 * at : 512 * at + len(path)] = path
        for at in range(0x3000, 0x3000 + 64 * 160, 8):
            memory[at : at + 8] = self._word().to_bytes(8, "little")
        for _ in range(8):
            at = 0x3000 + 64 * random.randrange(160)
            memory[at : at + 16] = random.choice(
                (
                    b"\2\0\x1f\x90\x7f\0\0\1" + bytes(8),  # 127.0.0.1:8080
                    b"\1\0/tmp/sock" + bytes(5),
                    b"\1\0\0abstract" + bytes(5),
                )
            )
        return bytes(memory)

    def _word(self) -> int:
        random = self.random
        kind = random.random()
        if kind < 0.35:
            return DATA + 0x3000 + 64 * random.randrange(160)
        if kind < 0.45:
            return DATA + 512 * random.randrange(len(PATHS))
        if kind < 0.6 and self._constants:
            return random.choice(self._constants)
        return random.choice(_SIZES if kind < 0.85 else _NUMBERS)

    def _touched(self, data: bytes) -> bytes:
        at = 0x3000 + 8 * self.random.randrange(64 * 160 // 8)
        return data[:at] + self._word().to_bytes(8, "little") + data[at + 8 :]
