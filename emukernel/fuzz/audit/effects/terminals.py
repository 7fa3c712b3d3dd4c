"""A character is typed at the terminal that the program was started from (TIOCSTI).

ioctl takes its command as an unsigned int. A filter `cmd != 0x5412` compares the register, so that
TIOCSTI with any bit above the lower 32 passes it (CVE-2019-10063), and the characters are read by
the shell.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.reached import Reached
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, Data, OneOf, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules

COMMANDS = {0x5412: "TIOCSTI", 0x541C: "TIOCLINUX"}


def effects(rules: Rules) -> Iterator[Effect]:
    nr = NUMBERS["ioctl"]
    for command, name in COMMANDS.items():
        way = Way(name, Step("ioctl", OneOf(0, 1, 2), command, Data(b"x"), fields=("cmd",)))
        yield Effect(
            "terminal-input",
            f"the kernel carries out {name}",
            threat(__name__),
            lambda: Reached(nr, ("cmd",)),
            [way],
        )
