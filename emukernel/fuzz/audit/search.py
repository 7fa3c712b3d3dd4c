"""The search for ways around a policy.

An *effect* is what a person means to forbid: that bytes go out through a descriptor, that a program
is run. It has ways to reach it. Where the policy says no to the effect (it refuses one of the ways
by a line `0` or by a predicate on what makes the way reach it) and does not say yes to it elsewhere
(a predicate that says what may be), every other way is tried:

1. the solver picks registers with which each of its calls passes the policy, if there are any;
2. the refused way runs without a policy: what it does is the effect;
3. the refused way runs under the policy: seccomp must end it at that call;
4. the other way runs under the policy: it must do exactly what (2) did.

Only then there is a finding, and it carries the programs and their traces.
"""

from __future__ import annotations

from base64 import b64encode

from emukernel.fuzz.audit.observe import Seen, Watch, observe
from emukernel.fuzz.audit.ways import Form, Way, passing_form, usual_form
from emukernel.fuzz.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from emukernel.fuzz.audit.observe import World
    from emukernel.fuzz.audit.rules import Rules
    from emukernel.seccomp.filter_set import FilterSet


class Effect:
    """Something that a policy may forbid.

    `rule` names the check, `what` the effect in a sentence ("bytes go out through descriptor 3"),
    `watch` makes what looks for it, `world` is what the programs find.
    """

    __slots__ = ("rule", "threat", "watch", "ways", "what", "world")

    def __init__(
        self,
        rule: str,
        what: str,
        threat: str,
        watch: Callable[[], Watch],
        ways: Sequence[Way],
        world: World | None = None,
    ) -> None:
        self.rule = rule
        self.what = what
        self.threat = " ".join(threat.split())
        self.watch = watch
        self.ways = ways
        self.world = world or {}


class Trial:
    """One thing that was tried: the effect, the refused form, the other form, and what came of it:
    "shown", or why it is no way around."""

    __slots__ = ("form", "outcome", "refused", "rule", "what")

    def __init__(self, rule: str, what: str, refused: str, form: str, outcome: str) -> None:
        self.rule = rule
        self.what = what
        self.refused = refused
        self.form = form
        self.outcome = outcome


class Search:
    """The search in one policy: `findings` so far, and all `trials`."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.findings: list[Finding] = []
        self.trials: list[Trial] = []
        #: (call, field) pairs for which a wider register was shown to do.
        self.truncated: set[tuple[int, str]] = set()
        self._runs: dict[tuple[bytes, bool, str, str], Seen] = {}

    # -- one effect --------------------------------------------------------------------------

    def try_effect(self, effect: Effect) -> None:
        """Looks for ways around."""
        forms = [usual_form(way) for way in effect.ways if way.plain]
        refused = next((form for form in forms if self._says_no(effect, form)), None)
        if refused is None or self._permitted(effect):
            return
        shown: set[int] = set()
        for way in effect.ways:
            other = passing_form(way, self.rules)
            # One way around by each call says enough.
            if (
                other is not None
                and other.chief.nr not in shown
                and self._show(effect, refused, way.label, other.program.elf(), other)
            ):
                shown.add(other.chief.nr)
        from emukernel.fuzz.audit.foreign import foreign_forms

        for label, program in foreign_forms(refused):
            self._show(effect, refused, label, program, None)

    def _says_no(self, effect: Effect, form: Form) -> bool:
        step, call = form.way.chief_step, form.chief
        if self.rules.is_refused_by_name(call.nr) and not form.way.classic:
            return False
        return self.rules.says_no(call.nr, call.args, step.fields)

    def _permitted(self, effect: Effect) -> bool:
        """Whether the policy lets one of the ways pass on purpose."""
        for way in effect.ways:
            form = passing_form(way, self.rules)
            if form is None or not form.usual:
                continue
            if self.rules.means_yes(form.chief.nr, form.chief.args, way.chief_step.fields):
                return True
        return False

    def _show(
        self, effect: Effect, refused: Form, label: str, elf: bytes, other: Form | None
    ) -> bool:
        """Runs the two, and takes down what came of it; whether there is a way around."""
        extra = other.way.world.get("descriptors", {}) if other is not None else {}
        descriptors = {
            **effect.world.get("descriptors", {}),
            **refused.way.world.get("descriptors", {}),
            **extra,
        }
        shown = self.show(
            rule=effect.rule,
            what=effect.what,
            watch=effect.watch,
            world={"descriptors": descriptors},
            refused_label=refused.way.label,
            refused_nr=refused.chief.nr,
            refused_elf=refused.program.elf(),
            label=label,
            elf=elf,
        )
        if shown is not None:
            from emukernel.fuzz.audit.report import bypass

            self.findings.append(bypass(self.rules, effect, refused, label, other, shown))
            if other is not None and other.chief.nr == refused.chief.nr and not other.usual:
                for field in self.rules.names(other.chief.nr, other.way.chief_step.fields):
                    self.truncated.add((other.chief.nr, field))
        return shown is not None

    def show(
        self,
        *,
        rule: str,
        what: str,
        watch: Callable[[], Watch],
        world: World,
        refused_label: str,
        refused_nr: int,
        refused_elf: bytes,
        label: str,
        elf: bytes,
        meant: FilterSet | None = None,
    ) -> dict[str, Any] | None:
        """The evidence that one program gets by with what another is refused for; None, and a
        Trial that says why, if it does not.

        `meant` is the policy under which the refused program must end, if not the policy itself.
        """
        filters = self.rules.policy.filters
        outcome = "shown"
        traces: tuple[list[str], list[str]] = ([], [])
        plain = self._run(refused_elf, None, world, watch, what)
        stopped = self._run(refused_elf, filters if meant is None else meant, world, watch, what)
        if plain.effect is None:
            outcome = "the refused form has no effect here even without a policy"
        elif not any(nr == refused_nr for nr, _ in stopped.refused):
            outcome = "the policy lets the refused form pass"
        elif stopped.effect == plain.effect:
            outcome = "the refused form has its effect all the same"
        else:
            passed = self._run(elf, filters, world, watch, what)
            traces = stopped.trace, passed.trace
            if passed.effect != plain.effect:
                outcome = "refused: " + passed.refused[0][1] if passed.refused else "no effect"
        self.trials.append(Trial(rule, what, refused_label, label, outcome))
        if outcome != "shown":
            return None
        return {
            "effect": plain.effect,
            "world": world,
            "refused": {
                "form": refused_label,
                "guest": b64encode(refused_elf).decode(),
                "trace": traces[0],
                "reason": stopped.refused[0][1],
            },
            "passed": {
                "form": label,
                "guest": b64encode(elf).decode(),
                "trace": traces[1],
            },
        }

    def _run(
        self,
        elf: bytes,
        filters: FilterSet | None,
        world: World,
        watch: Callable[[], Watch],
        what: str,
    ) -> Seen:
        if filters is not None and filters is not self.rules.policy.filters:
            return observe(elf, filters, world, watch(), trace=True)
        traced = filters is not None
        key = (elf, traced, repr(world), what)
        found = self._runs.get(key)
        if found is None:
            found = self._runs[key] = observe(elf, filters, world, watch(), trace=traced)
        return found
