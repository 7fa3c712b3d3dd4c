"""Run one program under Qiling, by its environment's Python: `qiling_run.py ROOTFS PROGRAM [ARG…]`.

The guest's root is the folder ROOTFS; its standard streams and its exit status are this process's.

Qiling 1.4.6's clock_gettime(2) puts microseconds where nanoseconds belong, so that a guest can't
time itself. It is replaced by one that tells this machine's clock; all else is Qiling as it comes.
"""

from __future__ import annotations

import sys
import time

from qiling import Qiling  # type: ignore[import-not-found]
from qiling.const import QL_VERBOSE  # type: ignore[import-not-found]


def clock_gettime(machine: Qiling, clock: int, timespec: int, *_: int) -> int:
    seconds, nanoseconds = divmod(time.clock_gettime_ns(clock), 1_000_000_000)
    machine.mem.write_ptr(timespec, seconds, 8)
    machine.mem.write_ptr(timespec + 8, nanoseconds, 8)
    return 0


def main() -> int:
    rootfs, *argv = sys.argv[1:]
    machine = Qiling(argv, rootfs, verbose=QL_VERBOSE.DISABLED)
    machine.os.set_syscall("clock_gettime", clock_gettime)
    machine.run()
    return int(machine.os.exit_code)


if __name__ == "__main__":
    sys.exit(main())
