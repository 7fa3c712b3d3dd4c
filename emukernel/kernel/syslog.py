"""syslog(2): the kernel log for programs (kernel/printk/printk.c).

As with dmesg_restrict off: everybody may read all of it, and the rest takes CAP_SYSLOG.
"""

from __future__ import annotations

from emukernel.kernel.cred import CAP_SYSLOG
from emukernel.kernel.errno import EFAULT, EINVAL, EPERM, Errno
from emukernel.kernel.printk import DEFAULT_CONSOLE_LOGLEVEL, LOG_BUF_LEN
from emukernel.kernel.uaccess import access_ok, copy_to_user
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.printk import KernelLog
    from emukernel.kernel.task import Task

SYSLOG_ACTION_CLOSE = 0
SYSLOG_ACTION_OPEN = 1
SYSLOG_ACTION_READ = 2
SYSLOG_ACTION_READ_ALL = 3
SYSLOG_ACTION_READ_CLEAR = 4
SYSLOG_ACTION_CLEAR = 5
SYSLOG_ACTION_CONSOLE_OFF = 6
SYSLOG_ACTION_CONSOLE_ON = 7
SYSLOG_ACTION_CONSOLE_LEVEL = 8
SYSLOG_ACTION_SIZE_UNREAD = 9
SYSLOG_ACTION_SIZE_BUFFER = 10

_FREE = (SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_SIZE_BUFFER)
_READING = (SYSLOG_ACTION_READ, SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_READ_CLEAR)
_MINIMUM_CONSOLE_LOGLEVEL = 1


def sys_syslog(task: Task, action: int, buf: int, length: int) -> int:
    """syslog(2), which glibc calls klogctl(3)."""
    if action not in _FREE and not task.cred.capable(CAP_SYSLOG):
        raise Errno(EPERM)
    log = task.kernel.log
    if action in _READING:
        if not buf or length < 0:
            raise Errno(EINVAL)
        if not length:
            return 0
        if not access_ok(buf, length):
            raise Errno(EFAULT)
        if action == SYSLOG_ACTION_READ:
            return syslog_print(task, log, buf, length)
        return syslog_print_all(task, log, buf, length, clear=action == SYSLOG_ACTION_READ_CLEAR)
    if action in (SYSLOG_ACTION_CLOSE, SYSLOG_ACTION_OPEN):
        return 0
    if action == SYSLOG_ACTION_CLEAR:
        log.clear_seq = log.next_seq
        return 0
    if action == SYSLOG_ACTION_SIZE_UNREAD:
        unread = range(log.syslog_seq, log.next_seq)
        return sum(len(log.syslog_text(seq)) for seq in unread) - log.syslog_partial
    if action == SYSLOG_ACTION_SIZE_BUFFER:
        return LOG_BUF_LEN
    return _console(log, action, length)


def _console(log: KernelLog, action: int, level: int) -> int:
    """The actions that say what goes to the console. There is none: the levels are only kept."""
    if action == SYSLOG_ACTION_CONSOLE_OFF:
        if log.saved_console_loglevel < 0:
            log.saved_console_loglevel = log.console_loglevel
        log.console_loglevel = _MINIMUM_CONSOLE_LOGLEVEL
    elif action == SYSLOG_ACTION_CONSOLE_ON:
        if log.saved_console_loglevel >= 0:
            log.console_loglevel = log.saved_console_loglevel
            log.saved_console_loglevel = -1
    elif action == SYSLOG_ACTION_CONSOLE_LEVEL and 1 <= level <= DEFAULT_CONSOLE_LOGLEVEL + 1:
        log.console_loglevel = max(level, _MINIMUM_CONSOLE_LOGLEVEL)
        log.saved_console_loglevel = -1
    else:
        raise Errno(EINVAL)
    return 0


def syslog_print(task: Task, log: KernelLog, buf: int, length: int) -> int:
    """Takes the next records away; sleeps while there is none.

    Whole records, as many as fit; one that is larger than the whole buffer is given in pieces.
    """
    if log.syslog_seq == log.next_seq:
        wait_on(task, log.queue)
    parts: list[bytes] = []
    left = length
    seq, partial = log.syslog_seq, log.syslog_partial
    while left and seq < log.next_seq:
        text = log.syslog_text(seq)[partial:]
        if len(text) <= left:
            seq, partial = seq + 1, 0
        elif not parts:
            text = text[:left]
            partial += left
        else:
            break
        parts.append(text)
        left -= len(text)
    data = b"".join(parts)
    copy_to_user(task, buf, data)
    log.syslog_seq, log.syslog_partial = seq, partial
    return len(data)


def syslog_print_all(task: Task, log: KernelLog, buf: int, length: int, *, clear: bool) -> int:
    """Gives the newest records that fit, and takes nothing away but, if asked, by clearing."""
    parts: list[bytes] = []
    left = length
    for seq in range(log.next_seq - 1, log.clear_seq - 1, -1):
        text = log.syslog_text(seq)
        if len(text) > left:
            break
        parts.append(text)
        left -= len(text)
    data = b"".join(reversed(parts))
    copy_to_user(task, buf, data)
    if clear:
        log.clear_seq = log.next_seq
    return len(data)
