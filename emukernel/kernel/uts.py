"""Who the emulated kernel says it is: what uname(2) and the first line of the log tell.

Its seccomp is that of a patched 2.6.39, its system calls are those of Linux 6.1, so it says 6.1:
programs go by what calls there are, and glibc and Go refuse to start on kernels before 3.2. The
suffix tells people and bug reports what they are looking at.
"""

from __future__ import annotations

NEW_UTS_LEN = 64
SYSNAME = "Linux"
VERSION_NUMBERS = (6, 1, 0)
RELEASE = "6.1.0-emukernel"
VERSION = "#1 PREEMPT Thu Apr 28 00:00:00 UTC 2011"
MACHINE = "x86_64"
MACHINE_32 = "i686"
DEFAULT_NODENAME = "emukernel"
DEFAULT_DOMAINNAME = "(none)"


class Uts:
    """The names of one machine (struct new_utsname), at most 64 characters each.

    `nodename` and `domainname` can be set; a character is a byte of what the guest gave (Latin-1).
    """

    __slots__ = ("domainname", "machine", "nodename", "release", "sysname", "version")

    def __init__(self, nodename: str = DEFAULT_NODENAME) -> None:
        self.sysname = SYSNAME
        self.nodename = nodename[:NEW_UTS_LEN]
        self.release = RELEASE
        self.version = VERSION
        self.machine = MACHINE
        self.domainname = DEFAULT_DOMAINNAME
