"""The table of system calls against the recorded facts, and against the tree."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import emukernel
from emukernel.kernel.syscalls.i386 import I386, name32
from emukernel.kernel.syscalls.signature import parse
from emukernel.kernel.syscalls.table import SYSCALLS

PACKAGE = Path(emukernel.__file__).parent
FACTS = {
    fact["nr"]: fact for fact in json.loads((PACKAGE / "data/syscalls_x86_64.json").read_text())
}


def plain(type: str) -> str:
    return type.replace(" *", "*")


def test_the_calls_are_linuxs() -> None:
    assert [(nr, name) for nr, name, _, _ in SYSCALLS] == [
        (nr, fact["name"]) for nr, fact in FACTS.items()
    ]


@pytest.mark.parametrize("row", SYSCALLS, ids=lambda row: row[1])
def test_the_parameters_are_linuxs(row: tuple[int, str, str, str]) -> None:
    parameters = parse(row[3]).parameters
    assert [(plain(p.type), p.name) for p in parameters] == [
        (plain(fact["type"]), fact["name"]) for fact in FACTS[row[0]]["args"]
    ]


def functions_of(path: Path) -> set[str]:
    """The names that a module defines or imports at its top level."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def test_every_handler_is_where_the_table_says() -> None:
    missing = []
    for _, name, module, _ in SYSCALLS:
        if not module:
            continue
        base = PACKAGE / "kernel" / Path(*module.split("."))
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        if not path.exists() or f"sys_{name}" not in functions_of(path):
            missing.append(f"{module}: sys_{name}")
    assert not missing


def test_every_handler_takes_the_parameters_of_its_call() -> None:
    """By number: a handler may call them as it likes."""
    wrong = []
    for _, name, module, signature in SYSCALLS:
        path = PACKAGE / "kernel" / Path(*module.split(".")).with_suffix(".py") if module else None
        if path is None or not path.exists():
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name == f"sys_{name}":
                taken = len(node.args.args) - 1
                if taken != len(parse(signature).parameters):
                    wrong.append(f"{module}: sys_{name} takes {taken}")
    assert not wrong


def test_every_handler_is_in_the_table() -> None:
    """No sys_ function stands in the kernel without a row that leads to it."""
    rows = {(module, f"sys_{name}") for _, name, module, _ in SYSCALLS}
    forgotten = []
    for path in (PACKAGE / "kernel").rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE / "kernel").with_suffix("").parts)
        if module.startswith("syscalls"):
            continue
        functions = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("sys_")
        ]
        place = module.removesuffix(".__init__")
        forgotten += [f"{place}: {name}" for name in functions if (place, name) not in rows]
    assert not forgotten


def test_i386_names() -> None:
    assert name32(1) == "exit"
    assert name32(119) == "sigreturn"
    assert name32(5000) is None
    assert name32(-1) is None


def test_i386_calls_are_their_64_bit_namesakes() -> None:
    names = {name for _, name, _, _ in SYSCALLS}
    for nr, name, _ in I386:
        # uid32-style calls have the plain name in 64 bits.
        assert (name32(nr) or "").removesuffix("32") == name
        assert name in names
