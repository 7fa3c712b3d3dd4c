"""The comparisons that a run makes, with both operands, and inputs that make them come out
otherwise.

Where one side of a comparison stands in the input as it is, the other side written there instead
often opens the branch: magic numbers, lengths and checksums of four bytes fall one after another.
The hook on compare instructions costs a call each, so a machine of its own has it, on which an
input is run once. The places of the comparisons are also the one exact trace of a single run that
there is: `path` tells whether two inputs take the same way.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_uint32, c_uint64, c_void_p

from emukernel.fuzz.executor import Executor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from typing import Literal

    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.target import Target

    Comparison = tuple[int, int, int, int]
    """Address of the instruction, left operand, right operand, size in bits."""

_UC_HOOK_TCG_OPCODE = 1 << 16
_UC_TCG_OP_SUB = 0
_UC_TCG_OP_FLAG_CMP = 1
_HOOK = CFUNCTYPE(None, c_void_p, c_uint64, c_uint64, c_uint64, c_uint32, c_void_p)

#: Comparisons of one run that are kept, and of one instruction.
_MAX_LOG, _MAX_EACH = 20_000, 64
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
#: Inputs that one comparison may lead to.
_MAX_PLACES = 8


class Comparer:
    """Runs inputs of a target under the hook."""

    def __init__(self, target: Target) -> None:
        self.executor = Executor(target)
        self._log: list[Comparison] = []
        log = self._log

        def compare(
            _uc: int, address: int, left: int, right: int, size: int, _data: int
        ) -> None:
            if len(log) < _MAX_LOG:
                log.append((address, left, right, size))

        cpu = self.executor.machine.cpu
        cpu.add_hook(
            _UC_HOOK_TCG_OPCODE, _HOOK(compare), 1, 0, _UC_TCG_OP_SUB, _UC_TCG_OP_FLAG_CMP
        )
        cpu.drop_code()

    def run(self, data: bytes) -> tuple[Outcome, list[Comparison]]:
        """One run, with the distinct comparisons in the order in which they were first made."""
        self._log.clear()
        outcome = self.executor.run(data)
        each: dict[int, int] = {}
        found: list[Comparison] = []
        for address, left, right, size in dict.fromkeys(self._log):
            if each.get(address, 0) < _MAX_EACH:
                each[address] = each.get(address, 0) + 1
                mask = (1 << size) - 1
                found.append((address, left & mask, right & mask, size))
        return outcome, found

    def path(self, data: bytes) -> Hashable:
        """Equal for inputs that behave the same: comparisons with their outcomes, calls, end."""
        outcome, comparisons = self.run(data)
        return path_of(outcome, comparisons)

    def close(self) -> None:
        """Gives the machine back."""
        self.executor.close()


def path_of(outcome: Outcome, comparisons: list[Comparison]) -> Hashable:
    """What `Comparer.path` gives, of a run that was made."""
    ways = frozenset(
        (address, (left > right) - (left < right)) for address, left, right, _size in comparisons
    )
    calls = tuple(call[0] for call in outcome.calls)
    return ways, calls, outcome.verdict, outcome.status, outcome.signal


def solutions(data: bytes, comparisons: list[Comparison], max_len: int) -> Iterator[bytes]:
    """Inputs in which one comparison should come out otherwise, each once."""
    seen = {data}
    for _address, left, right, size in comparisons:
        if left == right:
            # It holds already; an input that fails it is for havoc to find.
            continue
        for value, wanted in ((left, right), (right, left)):
            for made in _replacements(data, value, wanted, size // 8, max_len):
                if made not in seen:
                    seen.add(made)
                    yield made


def _replacements(
    data: bytes, value: int, wanted: int, size: int, max_len: int
) -> Iterator[bytes]:
    if value == len(data) and 0 < wanted <= max_len:
        # A length is compared: one that is met, and one that is passed.
        for length in (wanted, min(wanted + 1, max_len)):
            yield data[:length].ljust(length, b"\0")
    for width in _widths(size, value, wanted):
        mask = (1 << 8 * width) - 1
        for order in _ORDERS[: 1 + (width > 1)]:
            pattern = (value & mask).to_bytes(width, order)
            at = data.find(pattern)
            places = 0
            while at >= 0 and places < _MAX_PLACES:
                places += 1
                for number in (wanted, wanted + 1, wanted - 1):
                    changed = (number & mask).to_bytes(width, order)
                    yield data[:at] + changed + data[at + width :]
                at = data.find(pattern, at + 1)


def _widths(size: int, value: int, wanted: int) -> Iterator[int]:
    """Sizes that the number may have had in the input before it was widened."""
    for width in (8, 4, 2, 1):
        if width > size:
            continue
        sign = (1 << 8 * size) - (1 << 8 * width - 1)
        if width == size or (
            (value < 1 << 8 * width or value >= sign)
            and (wanted < 1 << 8 * width or wanted >= sign)
        ):
            yield width


def constants(comparisons: list[Comparison], data: bytes) -> Iterator[bytes]:
    """What the run compared with that is not in the input: words for the dictionary."""
    for _address, left, right, size in comparisons:
        for value in (left, right):
            width = size // 8
            if width > 1 and 255 < value < (1 << size) - 256:
                word = value.to_bytes(width, "little")
                short = word.rstrip(b"\0")
                if len(short) <= 4 < width:
                    word = word[:4]
                if word not in data:
                    yield word
