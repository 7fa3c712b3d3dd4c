"""The planted targets of guest/fuzz: each is found from nothing, and nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from guest_build import GUEST_DIR

from emukernel.fuzz.campaign import Campaign, Settings
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.target import Target
from emukernel.policy import Policy

FOLDER = GUEST_DIR / "fuzz"
EXPECTED = {
    source.stem: match[1].split()
    for source in sorted(FOLDER.glob("*.c"))
    if (match := re.search(r"\* expect: (.*) \*/", source.read_text()))
}
#: Runs within which each must be found; most take a tenth of that.
EXECS = 30_000


def fuzz(program: Path, out: Path, execs: int, seed: int = 0) -> list[Finding]:
    file = FOLDER / f"{program.stem}.policy"
    policy = Policy.from_file(str(file)) if file.exists() else None
    target = Target(str(program), (program.name,), policy=policy, max_len=256)
    campaign = Campaign(Settings(target, str(out), execs=execs, seed=seed, audit=False))
    campaign.run()
    return campaign.findings()


def test_there_are_ten() -> None:
    assert len(EXPECTED) == 10
    assert {words[0] for words in EXPECTED.values()} >= {"crash", "denied", "loose", "bypass"}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_planted_is_found(
    name: str, guest: Callable[[str], Path], tmp_path: Path
) -> None:
    kind, rule, where = EXPECTED[name]
    found = fuzz(guest(f"fuzz/{name}"), tmp_path / "out", EXECS)
    planted = [f for f in found if (f.kind, f.rule) == (kind, rule)]
    assert planted, [f.title for f in found]
    finding = planted[0]
    stack = " ".join(frame["function"] for frame in finding.evidence.get("stack", []))
    assert where in f"{finding.title} {finding.text} {stack}" or kind == "bypass"
    # Beside it only what the same flaw shows otherwise, and what the policy has too much.
    others = {f.kind for f in found if f not in planted}
    allowed = {"loose"} | ({"denied"} if name == "truncated" else set())
    assert others <= allowed, [f.title for f in found]
