"""What a finding says is to be done."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.finding import Finding


def advice_of(finding: Finding) -> tuple[str, str] | None:
    """What is to be done about a finding, in words, and the line of a policy that does it."""
    evidence = finding.evidence
    tighter, entry, name = (evidence.get(key) for key in ("replacement", "entry", "name"))
    if finding.kind == "denied" and isinstance(entry, str) and entry:
        return "Allows just this call", entry
    if not isinstance(tighter, str) or not tighter:
        return None
    if tighter == "0":
        return "Tighter", "no entry"
    return "Tighter", f"{name}: {tighter}" if isinstance(name, str) else tighter
