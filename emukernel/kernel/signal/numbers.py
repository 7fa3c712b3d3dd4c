"""Signals by number: names, codes, flags, default actions (asm/signal.h, asm/siginfo.h)."""

from __future__ import annotations

SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE = range(1, 9)
SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT = range(9, 17)
SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU = range(17, 25)
SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS, SIGRTMIN = range(25, 33)
NSIG = 64
SIGRTMAX = NSIG

_NAMES = (
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE",
    "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
    "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
)  # fmt: skip

SIG_DFL, SIG_IGN = 0, 1
SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2

SA_NOCLDSTOP = 0x1
SA_NOCLDWAIT = 0x2
SA_SIGINFO = 0x4
SA_EXPOSE_TAGBITS = 0x800
SA_RESTORER = 0x0400_0000
SA_ONSTACK = 0x0800_0000
SA_RESTART = 0x1000_0000
SA_NODEFER = 0x4000_0000
SA_RESETHAND = 0x8000_0000
#: The flags that user space may set; the kernel clears all others.
UAPI_SA_FLAGS = (
    SA_NOCLDSTOP
    | SA_NOCLDWAIT
    | SA_SIGINFO
    | SA_EXPOSE_TAGBITS
    | SA_RESTORER
    | SA_ONSTACK
    | SA_RESTART
    | SA_NODEFER
    | SA_RESETHAND
)
#: The kernel's own: the action can't be changed any more, the signal will end the process.
SA_IMMUTABLE = 0x0080_0000

SS_ONSTACK, SS_DISABLE = 1, 2
SS_AUTODISARM = 1 << 31

# si_code: who sent it. Positive ones are the kernel's.
SI_USER = 0
SI_KERNEL = 0x80
SI_QUEUE = -1
SI_TIMER = -2
SI_MESGQ = -3
SI_ASYNCIO = -4
SI_SIGIO = -5
SI_TKILL = -6
SI_DETHREAD = -7
SI_ASYNCNL = -60

ILL_ILLOPC, ILL_ILLOPN, ILL_ILLADR, ILL_ILLTRP, ILL_PRVOPC = 1, 2, 3, 4, 5
FPE_INTDIV, FPE_INTOVF, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV = range(1, 8)
SEGV_MAPERR, SEGV_ACCERR = 1, 2
BUS_ADRALN, BUS_ADRERR, BUS_OBJERR = 1, 2, 3
TRAP_BRKPT, TRAP_TRACE = 1, 2
CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED = range(1, 7)
SYS_SECCOMP = 1


def sigmask(*signals: int) -> int:
    """The set of these signals: signal N is bit N-1."""
    mask = 0
    for sig in signals:
        mask |= 1 << (sig - 1)
    return mask


#: Of several pending signals these come first: they belong to the instruction that just ran.
SYNCHRONOUS_MASK = sigmask(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS)
#: Neither caught, ignored nor blocked.
KERNEL_ONLY_MASK = sigmask(SIGKILL, SIGSTOP)
#: Default action: stop.
KERNEL_STOP_MASK = sigmask(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)
#: Default action: none.
KERNEL_IGNORE_MASK = sigmask(SIGCONT, SIGCHLD, SIGWINCH, SIGURG)
#: Default action: end with a core dump. Every other signal ends without one.
KERNEL_COREDUMP_MASK = sigmask(
    SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ
)

# Bits of `SignalStruct.flags` (linux/sched/signal.h).
SIGNAL_STOP_STOPPED = 0x1
SIGNAL_STOP_CONTINUED = 0x2
SIGNAL_CLD_STOPPED = 0x10
SIGNAL_CLD_CONTINUED = 0x20
SIGNAL_UNKILLABLE = 0x40
SIGNAL_CLD_MASK = SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED
SIGNAL_STOP_MASK = SIGNAL_CLD_MASK | SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED

# Bits of `Task.jobctl`.
JOBCTL_STOP_SIGMASK = 0xFFFF
JOBCTL_STOP_PENDING = 1 << 17
JOBCTL_STOP_CONSUME = 1 << 18


def valid_signal(sig: int) -> bool:
    """Whether the number is 0 or a signal's."""
    return 0 <= sig <= NSIG


def signal_name(sig: int) -> str:
    """'SIGHUP' for 1, 'SIGRT_1' for 33 (counted from the kernel's SIGRTMIN, 32)."""
    if 1 <= sig <= len(_NAMES):
        return "SIG" + _NAMES[sig - 1]
    if SIGRTMIN <= sig <= SIGRTMAX:
        return f"SIGRT_{sig - SIGRTMIN}"
    return str(sig)
