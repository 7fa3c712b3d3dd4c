"""What a person may mean to forbid, one module an effect; each opens with the threat."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.fuzz.audit.search import Effect

MODULES = (
    "writing",
    "reading",
    "opening",
    "executing",
    "processes",
    "memory",
    "modes",
    "names",
    "signals",
    "sockets",
    "connecting",
    "duplicating",
    "identity",
    "inherited",
    "renumbering",
    "terminals",
    "narrowing",
)


def all_effects(rules: Rules) -> Iterator[Effect]:
    """Every effect that has something to do with a policy."""
    for name in MODULES:
        module = __import__(f"emukernel.fuzz.audit.effects.{name}", fromlist=("effects",))
        yield from module.effects(rules)


def threat(module: str) -> str:
    """What a module's docstring says after its first line."""
    text = __import__(module, fromlist=("__doc__",)).__doc__ or ""
    return text.partition("\n\n")[2]
