"""New inputs out of old ones: havoc, splice, dictionaries, arithmetic, interesting values."""

from __future__ import annotations

from random import Random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    class CustomMutator(Protocol):
        """What a user's mutator class has to offer (`--mutator FILE`)."""

        def mutate(self, data: bytes, random: Random, max_len: int) -> bytes:
            """An input made of `data`."""


INTERESTING = (
    *(-128, -1, 0, 1, 2, 4, 7, 8, 10, 16, 31, 32, 33, 64, 100, 127, 128, 255),
    *(256, 512, 1000, 1024, 4095, 4096, 32767, -32768, 32768, 65535, 65536),
    *(0x7FFF_FFFF, -0x8000_0000, 0xFFFF_FFFF, 1 << 32, (1 << 32) + 1, 1 << 63, (1 << 64) - 1),
)

_ARITHMETIC_MAX = 35


class Mutator:
    """Mutates inputs, at most `max_len` bytes long, with the randomness of `random`.

    `tokens` is the dictionary; others may add to it.
    """

    def __init__(self, random: Random, max_len: int, tokens: Sequence[bytes] = ()) -> None:
        self.random = random
        self.max_len = max_len
        self.tokens: list[bytes] = list(dict.fromkeys(tokens))
        self._known = set(self.tokens)
        self._changes: tuple[Callable[[bytearray], None], ...] = (
            self._flip_bit,
            self._random_byte,
            self._random_byte,
            self._interesting,
            self._interesting,
            self._arithmetic,
            self._arithmetic,
            self._delete,
            self._delete,
            self._clone,
            self._insert_bytes,
            self._insert_bytes,
            self._overwrite,
            self._token_over,
            self._token_over,
            self._token_in,
        )

    def add_token(self, token: bytes) -> bool:
        """Adds to the dictionary; false for what it has, or what is no good in one."""
        if not token or len(token) > 64 or token in self._known or len(self.tokens) >= 2048:
            return False
        self._known.add(token)
        self.tokens.append(token)
        return True

    def havoc(self, data: bytes, other: bytes | None = None) -> bytes:
        """Some changes at once; `other` is an input to splice with."""
        random = self.random
        if other is not None:
            data = self.splice(data, other)
        buffer = bytearray(data)
        changes = self._changes
        count = len(changes)
        for _ in range(1 << int(random.random() * 4)):
            changes[int(random.random() * count)](buffer)
        if len(buffer) > self.max_len:
            del buffer[self.max_len :]
        return bytes(buffer)

    def splice(self, data: bytes, other: bytes) -> bytes:
        """The start of one and the end of the other."""
        if not data or not other:
            return data or other
        random = self.random
        return data[: random.randrange(len(data)) + 1] + other[random.randrange(len(other)) :]

    # -- changes in place --------------------------------------------------------------------

    def _place(self, size: int) -> int:
        return int(self.random.random() * size)

    def _flip_bit(self, buffer: bytearray) -> None:
        if buffer:
            at = self._place(len(buffer) * 8)
            buffer[at >> 3] ^= 1 << (at & 7)

    def _random_byte(self, buffer: bytearray) -> None:
        if buffer:
            buffer[self._place(len(buffer))] = self._place(256)
        else:
            self._insert_bytes(buffer)

    def _number_at(self, buffer: bytearray) -> tuple[int, int, str]:
        """(place, size, byte order) of a number in the buffer."""
        length = len(buffer)
        size = 1 << self._place(4)
        while size > length:
            size >>= 1
        order = "big" if self.random.random() < 0.3 else "little"
        return self._place(length - size + 1), size, order

    def _interesting(self, buffer: bytearray) -> None:
        if buffer:
            at, size, order = self._number_at(buffer)
            value = INTERESTING[self._place(len(INTERESTING))] & ((1 << 8 * size) - 1)
            buffer[at : at + size] = value.to_bytes(size, order)  # type: ignore[arg-type]

    def _arithmetic(self, buffer: bytearray) -> None:
        if buffer:
            at, size, order = self._number_at(buffer)
            value = int.from_bytes(buffer[at : at + size], order)  # type: ignore[arg-type]
            value += self._place(2 * _ARITHMETIC_MAX + 1) - _ARITHMETIC_MAX
            value &= (1 << 8 * size) - 1
            buffer[at : at + size] = value.to_bytes(size, order)  # type: ignore[arg-type]

    def _block(self, length: int) -> int:
        """How long a block of a buffer of `length` is to be: mostly short."""
        limit = min(length, 32 if self.random.random() < 0.75 else 512)
        return self._place(limit) + 1

    def _delete(self, buffer: bytearray) -> None:
        if len(buffer) > 1:
            size = self._block(len(buffer) - 1)
            at = self._place(len(buffer) - size + 1)
            del buffer[at : at + size]

    def _clone(self, buffer: bytearray) -> None:
        if buffer and len(buffer) < self.max_len:
            size = self._block(len(buffer))
            start = self._place(len(buffer) - size + 1)
            at = self._place(len(buffer) + 1)
            buffer[at:at] = buffer[start : start + size]

    def _insert_bytes(self, buffer: bytearray) -> None:
        if len(buffer) < self.max_len:
            random = self.random
            size = self._block(min(64, self.max_len - len(buffer)))
            block = random.randbytes(size) if random.random() < 0.6 else bytes(
                [self._place(256)]
            ) * size
            at = len(buffer) if random.random() < 0.5 else self._place(len(buffer) + 1)
            buffer[at:at] = block

    def _overwrite(self, buffer: bytearray) -> None:
        if buffer:
            size = self._block(len(buffer))
            start = self._place(len(buffer) - size + 1)
            at = self._place(len(buffer) - size + 1)
            buffer[at : at + size] = buffer[start : start + size]

    def _token_over(self, buffer: bytearray) -> None:
        if self.tokens:
            token = self.tokens[self._place(len(self.tokens))]
            at = self._place(max(len(buffer) - len(token) + 1, 1))
            buffer[at : at + len(token)] = token
        else:
            self._random_byte(buffer)

    def _token_in(self, buffer: bytearray) -> None:
        if self.tokens:
            token = self.tokens[self._place(len(self.tokens))]
            at = self._place(len(buffer) + 1)
            buffer[at:at] = token
        else:
            self._interesting(buffer)


def load_mutator(path: str) -> CustomMutator:
    """The mutator that a Python file defines: its class `Mutator`, made without arguments.

    ValueError says what is wrong with the file.
    """
    made: CustomMutator = _load(path, "Mutator", "mutate", "data, random, max_len")
    return made


class Generated:
    """Inputs of a user's generator in the place of mutations."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def mutate(self, data: bytes, random: Random, max_len: int) -> bytes:
        """The next input, whatever `data` is."""
        made: bytes = self._generator.generate(random, max_len)
        return made


def load_generator(path: str) -> CustomMutator:
    """The same for a class `Generator` with a method `generate(random, max_len)`."""
    return Generated(_load(path, "Generator", "generate", "random, max_len"))


def _load(path: str, name: str, method: str, parameters: str) -> Any:
    import runpy

    try:
        names = runpy.run_path(path)
    except Exception as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from None
    cls = names.get(name)
    if not isinstance(cls, type) or not callable(getattr(cls, method, None)):
        raise ValueError(f"{path}: no class {name} with a method {method}({parameters})")
    try:
        return cls()
    except Exception as error:
        raise ValueError(f"{path}: {name}(): {type(error).__name__}: {error}") from None
