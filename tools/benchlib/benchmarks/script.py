"""busybox: a shell script of loops, pipes and substitutions, and a loop in awk.

What the script prints must be the same everywhere. On qemu-user the commands that the shell execs
run natively, outside it; nearly all that the script uses is built in or runs in a forked shell.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session

TITLE = "busybox runs scripts"
LINES = 1000
STEPS = 200_000

#: Lines of the script, {n} being a line's number.
_PATTERNS = (
    "for i in 1 2 3 4 5 6 7 8; do t=$(( (t * 31 + i * {n}) % 65521 )); done",
    "a=$(echo {n} $t | tr 0-4 5-9)",
    'for w in $a; do case $w in *7*) t=$((t + 1)) ;; *) t=$((t + 2)) ;; esac; done',
    "b=$(for i in 3 1 2; do echo $i$a; done | sort | head -n 1)",
    "echo line {n} $b | while read x y z; do echo $y; done | cat >/dev/null",
    "f{n}() {{ local k=$1; while [ $k -gt 0 ]; do k=$((k - 1)); t=$((t + k)); done; }}; f{n} 6",
    'case "${{b#*[13]}}" in "") t=0 ;; *) t=$((t + ${{#b}})) ;; esac',
    "( t=$((t * 2)); exit $((t % 3)) ) || t=$((t + $?))",
    "set -- $a x y; t=$((t + $#)); shift; t=$((t + $#))",
    "test $((t % 2)) -eq 0 && c=$(echo $c{n} | cut -c 1-40 | wc -c)",
)


def script(lines: int) -> str:
    """A script of so many lines, the same each time. It prints what it has computed."""
    body = [_PATTERNS[n % len(_PATTERNS)].format(n=n) for n in range(lines - 2)]
    return "\n".join(["t=1 a= b= c=", *body, 'echo "$t $a $b $c"', ""])


def measure(session: Session) -> Section:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise RunError("no busybox (Debian: busybox-static)")
    text = script(session.size(LINES, least=len(_PATTERNS) + 2))
    steps = session.size(STEPS)
    program = f"BEGIN {{ for (i = 0; i < {steps}; i++) s += i % 7 * 3; print s }}"
    rows = []
    for label, arguments in (("sh", ["sh", "-c", text]), ("awk", ["awk", program])):
        printed: list[str] = []
        jobs = {
            p.name: partial(_run, session, p, Path(busybox), arguments, printed)
            for p in session.with_tasks()
        }
        rows.append(Row(label, "s", session.interleave(jobs)))
    sh, awk = (row.ratio("emukernel", "qemu-user") for row in rows)
    lines, loop = f"sh, {LINES} lines", f"awk, {STEPS} steps"
    return Section(
        title=TITLE,
        rows=rows,
        targets=[
            Target(f"{lines}, of qemu-user's time", sh, 25, True),
            Target(f"{loop}, of qemu-user's time", awk, 3, True),
        ],
    )


def _run(
    session: Session, platform: Platform, busybox: Path, arguments: list[str], printed: list[str]
) -> float:
    """Seconds of a whole run; RunError unless it prints the same as the first of its kind."""
    finished = session.run_command(platform, platform.command(busybox, arguments))
    printed.append(finished.stdout)
    if not finished.stdout or finished.stdout != printed[0]:
        raise RunError(f"it printed {finished.stdout[:80]!r}, not {printed[0][:80]!r}")
    return finished.seconds
