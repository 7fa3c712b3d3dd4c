"""What is wrong with a policy, found without a program to run under it.

`audit` reads the text with a solver (`static.py`), and looks for ways around it (`search.py`): it
makes small programs that do what the policy refuses under another name or in another form, and runs
them in the emulated kernel. Only what got by is reported as a `bypass`, with the program.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.audit.search import Trial
    from emukernel.fuzz.finding import Finding
    from emukernel.policy.policy import Policy


def audit(policy: Policy) -> list[Finding]:
    """The findings on a policy, kinds `bypass` and `loose`, by their place in its text."""
    return Audit(policy).findings


class Audit:
    """An audit, done: its `findings`, and as `trials` every way around that was tried."""

    __slots__ = ("findings", "trials")

    def __init__(self, policy: Policy) -> None:
        from emukernel.fuzz.audit.effects import all_effects
        from emukernel.fuzz.audit.rules import Rules
        from emukernel.fuzz.audit.search import Search
        from emukernel.fuzz.audit.static import static_findings
        from emukernel.fuzz.audit.trap import search_traps
        from emukernel.fuzz.audit.truncation import search_truncations

        rules = Rules(policy)
        search = Search(rules)
        for effect in all_effects(rules):
            search.try_effect(effect)
        search_truncations(search)
        search_traps(search)
        unique = {finding.id: finding for finding in (*search.findings, *static_findings(rules))}
        self.findings = sorted(unique.values(), key=_order)
        self.trials: list[Trial] = search.trials


def _order(finding: Finding) -> tuple[int, int, int, str]:
    place = finding.place
    line, column = (place.line, place.column) if place is not None else (1 << 30, 0)
    return line, column, 0 if finding.kind == "bypass" else 1, finding.title


def replay(finding: Finding) -> tuple[list[str], list[str]]:
    """Runs the two programs of a `bypass` under the policy again: the trace of the one that is
    refused, and of the one that gets by. ValueError for a finding of another origin."""
    from base64 import b64decode

    from emukernel.fuzz.audit.observe import Watch, observe
    from emukernel.policy.policy import Policy

    data = finding.replay
    if finding.kind != "bypass" or data.get("audit") != 1:
        raise ValueError("not a finding of a policy's audit")
    filters = Policy.from_text(data["policy"]).filters
    meant = Policy.from_text(data["meant"]).filters if "meant" in data else filters
    refused, passed = b64decode(data["refused"]), b64decode(data["passed"])
    return (
        observe(refused, meant, data["world"], Watch(), trace=True).trace,
        observe(passed, filters, data["world"], Watch(), trace=True).trace,
    )
