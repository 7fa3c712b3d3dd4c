"""Ways to reach an effect: sequences of system calls whose registers are still to be chosen."""

from __future__ import annotations

import struct

from emukernel.ftrace.region import TOP, anything, exactly, low_bits
from emukernel.fuzz.program import PAGE, Call, Program, Store
from emukernel.kernel.syscalls.signature import parse
from emukernel.kernel.syscalls.table import SYSCALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emukernel.ftrace.region import Want
    from emukernel.fuzz.audit.observe import World
    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.syscalls.signature import Signature

NUMBERS = {row[1]: row[0] for row in SYSCALLS}
SIGNATURES: dict[int, Signature] = {}

DATA = 0x500000
"""Where data lie that may lie anywhere."""

_LOW, _HIGH = 0x10000, 0x7FFF_0000_0000 - PAGE


def signature(nr: int) -> Signature:
    """The declaration of a call."""
    found = SIGNATURES.get(nr)
    if found is None:
        text = next(row[3] for row in SYSCALLS if row[0] == nr)
        found = SIGNATURES[nr] = parse(text)
    return found


def width(nr: int, position: int) -> int:
    """Bits of the register that the call looks at.

    A descriptor has 32 in every call: what is declared `unsigned long` ends in fdget(), which takes
    an int.
    """
    parameters = signature(nr).parameters
    if position >= len(parameters):
        return 64
    parameter = parameters[position]
    return 32 if parameter.kind in ("fd", "dirfd") else abs(parameter.width)


class Data:
    """Bytes in memory, given to a call by their address. Bytes and numbers (eight bytes) follow one
    another; other Data among the parts stand for their addresses."""

    __slots__ = ("parts", "size")

    def __init__(self, *parts: bytes | int | Data, size: int = 0) -> None:
        self.parts = parts
        self.size = max(size, sum(len(p) if isinstance(p, bytes) else 8 for p in parts), 1)


def text(value: bytes) -> Data:
    """A string."""
    return Data(value + b"\0")


def iovec(data: bytes) -> Data:
    """An array of one struct iovec."""
    return Data(Data(data), len(data))


class OneOf:
    """Values that serve equally, the usual one first."""

    __slots__ = ("values",)

    def __init__(self, *values: int) -> None:
        self.values = values


class Any:
    """An argument at which the call does not look here."""

    __slots__ = ()


ANY = Any()

Arg = int | Data | OneOf | Any


class Step:
    """One call: its name and arguments. `fields` are the arguments that make it reach the effect:
    it is them that a policy refuses or allows when it refuses or allows the effect. A call that is
    `forced` is made whatever the policy says of it."""

    __slots__ = ("args", "fields", "forced", "nr")

    def __init__(
        self, name: str, *args: Arg, fields: Sequence[str] = (), forced: bool = False
    ) -> None:
        self.nr = NUMBERS[name]
        self.args = args
        self.fields = tuple(fields)
        self.forced = forced

    @property
    def name(self) -> str:
        return next(name for name, nr in NUMBERS.items() if nr == self.nr)


class Put:
    """Bytes written to memory between two calls."""

    __slots__ = ("address", "data")

    def __init__(self, address: int, data: bytes) -> None:
        self.address = address
        self.data = data


class Way:
    """A sequence that reaches an effect.

    `label` names it in reports. `chief` is the position of the step that matters to a policy: the
    one that would be refused by a policy that refuses the effect. `world` is what it needs beside
    what its effect's world has; `plain` says whether it is one of the usual names of the thing, and
    `classic` whether it is the one that a person thinks of first: to refuse that by `0` is to
    refuse the thing, while to refuse a younger name is to close a door.
    `constant` is memory that can only be read at first, `data` other memory, by address. `instead`
    is an expression for the call that matters that keeps it from being a way.
    """

    __slots__ = (
        "chief",
        "classic",
        "constant",
        "data",
        "instead",
        "label",
        "plain",
        "steps",
        "world",
    )

    def __init__(
        self,
        label: str,
        *steps: Step | Put,
        chief: int = 0,
        plain: bool = True,
        world: World | None = None,
        constant: dict[int, bytes] | None = None,
        data: dict[int, bytes] | None = None,
        instead: str = "",
        classic: bool = False,
    ) -> None:
        self.classic = classic
        self.instead = instead
        self.label = label
        self.steps = steps
        self.chief = chief
        self.plain = plain
        self.world = world or {}
        self.constant = constant or {}
        self.data = data or {}

    @property
    def chief_step(self) -> Step:
        step = self.steps[self.chief]
        assert isinstance(step, Step)
        return step

    def calls(self) -> Iterator[Step]:
        """The steps that are calls."""
        for step in self.steps:
            if isinstance(step, Step):
                yield step


class Form:
    """A way with every register chosen: a program. `calls` are its calls in the order of the way's,
    `usual` whether each register is what a C program would have there."""

    __slots__ = ("calls", "program", "usual", "way")

    def __init__(self, way: Way, program: Program, calls: list[Call], usual: bool) -> None:
        self.way = way
        self.program = program
        self.calls = calls
        self.usual = usual

    @property
    def chief(self) -> Call:
        """The call that matters."""
        position = sum(isinstance(step, Step) for step in self.way.steps[: self.way.chief])
        return self.calls[position]


class _Layout:
    """Addresses for data as they are asked for."""

    def __init__(self) -> None:
        self.next = DATA
        self.data: dict[int, bytes] = {}

    def place(self, data: Data, address: int | None = None) -> int:
        if address is None:
            address = self.next
            self.next += (data.size + 63) & -64
        pieces = []
        for part in data.parts:
            if isinstance(part, Data):
                pieces.append(struct.pack("<Q", self.place(part)))
            elif isinstance(part, int):
                pieces.append(struct.pack("<Q", part & TOP))
            else:
                pieces.append(part)
        self.data[address] = b"".join(pieces).ljust(data.size, b"\0")
        return address


def usual_form(way: Way) -> Form:
    """The way as a C program goes it."""
    return _form(way, [_usual_registers(step) for step in way.calls()], True)


def passing_form(way: Way, rules: Rules) -> Form | None:
    """The way with registers that a policy lets pass at every call; None where there are none."""
    chosen: list[list[int | None]] = []
    usual = True
    for step in way.calls():
        wants = [_want(step, position) for position in range(6)]
        region = True if step.forced else rules.region(step.nr)
        picked = rules.regions.pick(region, wants)
        if picked is None:
            return None
        registers: list[int | None] = []
        for position, value in enumerate(picked):
            arg = step.args[position] if position < len(step.args) else 0
            if isinstance(arg, Data):
                # The layout's own address unless the policy wants another.
                registers.append(None if value == DATA else value)
                continue
            if not isinstance(arg, Any):
                usual = usual and value in _usual_values(step.nr, position, arg)
            registers.append(value)
        chosen.append(registers)
    try:
        form = _form(way, chosen, usual)
        form.program.elf()
    except ValueError:
        return None
    # The layout gave addresses that the policy was not asked about.
    for step, call in zip(way.calls(), form.calls, strict=True):
        if not step.forced and not rules.allows(call.nr, call.args):
            return None
    return form


def _usual_registers(step: Step) -> list[int | None]:
    """None stands for the address of data."""
    registers: list[int | None] = []
    for position in range(6):
        arg = step.args[position] if position < len(step.args) else 0
        if isinstance(arg, Data):
            registers.append(None)
        elif isinstance(arg, Any):
            registers.append(0)
        else:
            registers.append(_usual_values(step.nr, position, arg)[0])
    return registers


def _want(step: Step, position: int) -> Want:
    if position >= len(signature(step.nr).parameters):
        return exactly(0)
    arg = step.args[position] if position < len(step.args) else 0
    bits = width(step.nr, position)
    if isinstance(arg, Any):
        return anything
    if isinstance(arg, Data):
        return _address
    values = _values(arg)
    forms = _usual_values(step.nr, position, arg)
    wants = [low_bits(value & ((1 << bits) - 1), bits) for value in values]

    def want(low: int, high: int) -> int | None:
        for value in forms:
            if low <= value <= high:
                return value
        return next((found for w in wants if (found := w(low, high)) is not None), None)

    return want


def _values(arg: int | OneOf) -> tuple[int, ...]:
    return arg.values if isinstance(arg, OneOf) else (arg,)


def _usual_values(nr: int, position: int, arg: int | OneOf) -> list[int]:
    """What a C program has in the register: a negative number with zeros above it, or ones."""
    bits = width(nr, position)
    forms = []
    for value in _values(arg):
        plain = value & ((1 << bits) - 1)
        forms.append(plain)
        if bits < 64 and plain >> (bits - 1):
            forms.append(plain | (TOP ^ ((1 << bits) - 1)))
    return forms


def _address(low: int, high: int) -> int | None:
    """Where data can lie: at DATA if it may be, else at the start of a stretch of addresses.

    A single address that a policy names is where a certain program has certain data, and no other
    program's to use (audit/effects/pointers.py).
    """
    low, high = max(low, _LOW), min(high, _HIGH)
    if high - low < PAGE:
        return None
    return DATA if low <= DATA <= high else low


def _form(way: Way, chosen: list[list[int | None]], usual: bool) -> Form:
    layout = _Layout()
    layout.data.update(way.constant | way.data)
    steps: list[Call | Store] = []
    calls: list[Call] = []
    index = 0
    for step in way.steps:
        if isinstance(step, Put):
            steps.append(Store(step.address, step.data))
            continue
        registers = []
        for position, value in enumerate(chosen[index]):
            arg = step.args[position] if position < len(step.args) else 0
            if isinstance(arg, Data):
                value = layout.place(arg, value)
            registers.append(value or 0)
        index += 1
        call = Call(step.nr, registers)
        calls.append(call)
        steps.append(call)
    return Form(way, Program(steps, layout.data, way.constant), calls, usual)
