"""That the kernel carries out a call, and with which arguments.

What the kernel makes of a register is what its handler is given: this looks there, behind the casts
to the declared types.
"""

from __future__ import annotations

from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.ways import signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task


class Reached(Watch):
    """The arguments that the handler of call `nr` got; only those of `fields` if any are given."""

    def __init__(self, nr: int, fields: Sequence[str] = ()) -> None:
        self.nr = nr
        self.fields = fields
        self.got: list[dict[str, int]] = []

    def begin(self, kernel: Kernel, task: Task) -> None:
        from emukernel.kernel.syscalls.dispatch import ROWS, casting, find_handler

        function = find_handler(ROWS[self.nr])
        if function is None:
            return
        handler = function
        names = [parameter.name for parameter in signature(self.nr).parameters]

        def reached(task: Task, *args: int) -> int:
            seen = dict(zip(names, args, strict=True))
            self.got.append({name: seen[name] for name in names if name in (self.fields or names)})
            result: int = handler(task, *args)
            return result

        widths = [parameter.width for parameter in signature(self.nr).parameters]
        kernel.handlers[self.nr] = casting(reached, widths)

    def end(self, kernel: Kernel) -> object:
        return {"carried out": self.got[0]} if self.got else None
