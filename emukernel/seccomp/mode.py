"""The numbers of seccomp's user interface (linux/prctl.h, linux/seccomp.h, the 2011 series)."""

from __future__ import annotations

PR_GET_SECCOMP = 21
PR_SET_SECCOMP = 22

# The 2011 series only: mainline gave 35 to 37 to PR_SET_MM and PR_{SET,GET}_CHILD_SUBREAPER.
PR_GET_SECCOMP_FILTER = 35
PR_SET_SECCOMP_FILTER = 36
PR_CLEAR_SECCOMP_FILTER = 37

SECCOMP_MODE_DISABLED = 0
SECCOMP_MODE_STRICT = 1
SECCOMP_MODE_FILTER = 2
