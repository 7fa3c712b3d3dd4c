"""emukernel: a full-system emulator of a seccomp-enabled x86-64 Linux kernel.

    from emukernel import Kernel, Policy

    kernel = Kernel(filter=Policy.from_file("policy.txt"))
    result = kernel.run("./guest.elf", ["guest", "argument"])
    print(result.exit_status, result.violations)

Names are imported when they are first used, so that `import emukernel` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.api import Kernel, Result, UsageError, event_filter
    from emukernel.ftrace.expression import FilterError
    from emukernel.ftrace.filter import EventFilter
    from emukernel.policy.error import PolicyError
    from emukernel.policy.policy import Policy

__version__ = "0.1.0"
__all__ = [
    "EventFilter",
    "FilterError",
    "Kernel",
    "Policy",
    "PolicyError",
    "Result",
    "UsageError",
    "__version__",
    "event_filter",
]

_HOMES = {
    "EventFilter": "emukernel.ftrace.filter",
    "FilterError": "emukernel.ftrace.expression",
    "Kernel": "emukernel.api",
    "Policy": "emukernel.policy.policy",
    "PolicyError": "emukernel.policy.error",
    "Result": "emukernel.api",
    "UsageError": "emukernel.api",
    "event_filter": "emukernel.api",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'emukernel' has no attribute {name!r}")
    return getattr(__import__(home, fromlist=(name,)), name)
