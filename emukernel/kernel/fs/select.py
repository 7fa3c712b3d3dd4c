"""poll(2), select(2) and their kin (Linux: fs/select.c)."""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import EBADF, EINVAL, ERESTARTNOHAND, Errno
from emukernel.kernel.fs.file import (
    FMODE_PATH,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    RLIMIT_NOFILE,
)
from emukernel.kernel.time.timekeeping import KTIME_MAX, get_timespec
from emukernel.kernel.uaccess import copy_from_user, copy_to_user
from emukernel.kernel.wait import call_deadline, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.task import Task

NS = 10**9

# Which poll bits make a descriptor ready in each of select's three sets.
_SETS = (
    POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL,
    POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL,
    POLLPRI | POLLNVAL,
)
_FDTABLE_STEP = 64


def _sleep(task: Task, queues: list[Any], deadline: int | None) -> None:
    """Waits for one of the queues (by raising Blocked); returns when the time is up."""
    if deadline != 0:
        wait_on(task, queues, deadline, ERESTARTNOHAND)


def _deadline(task: Task, timeout: int | None) -> int | None:
    """The absolute end of a wait of `timeout` ns; 0 for one that must not wait at all."""
    if timeout is None:
        return None
    return 0 if timeout <= 0 else call_deadline(task, timeout)


def do_poll(task: Task, ufds: int, nfds: int, timeout: int | None) -> int:
    """poll(2) with a timeout in ns (None: for ever)."""
    if nfds > task.rlimits[RLIMIT_NOFILE][0]:
        raise Errno(EINVAL)
    data = copy_from_user(task, ufds, nfds * 8) if nfds else b""
    deadline = _deadline(task, timeout)
    table = task.files.table
    ready = 0
    answers = []
    queues: list[Any] = []
    for at in range(0, nfds * 8, 8):
        fd, events = unpack("<ih", data[at : at + 6])
        mask = 0
        if fd >= 0:
            file = table.get(fd)
            if file is None or file.mode & FMODE_PATH:
                mask = POLLNVAL
            else:
                wanted = events & 0xFFFF | POLLERR | POLLHUP
                mask = file.poll(task) & wanted
                if not mask:
                    queues += file.poll_queues(wanted)
            ready += mask != 0
        answers.append(mask)
    if not ready:
        _sleep(task, queues, deadline)
    for i, mask in enumerate(answers):
        copy_to_user(task, ufds + i * 8 + 6, pack("<H", mask))
    return ready


def sys_poll(task: Task, ufds: int, nfds: int, timeout_msecs: int) -> int:
    """poll(2)"""
    return do_poll(task, ufds, nfds, None if timeout_msecs < 0 else timeout_msecs * 10**6)


def _timeout(task: Task, tsp: int) -> int | None:
    """The time that a call may wait, in ns, as it was at its first entry; None: for ever."""
    call = task.call
    if "timeout" not in call:
        call["timeout"] = get_timespec(task, tsp) if tsp else None
    timeout: int | None = call["timeout"]
    return timeout


def _write_back(task: Task, addr: int, timeout: int | None, unit: int) -> None:
    """What is left of the time, where the caller's timeout was. Faults are no error here."""
    if not addr or timeout is None:
        return
    deadline = task.call.get("deadline")
    left = 0 if deadline is None else max(deadline - task.kernel.clock.monotonic(), 0)
    try:
        copy_to_user(task, addr, pack("<2q", left // NS, left % NS // unit))
    except Errno:
        return


def _with_sigmask(task: Task, mask: int, size: int) -> None:
    """Puts the signal mask of ppoll or pselect6 in place, once a call."""
    if mask and "sigmask" not in task.call:
        from emukernel.kernel.signal.mask import set_user_sigmask

        set_user_sigmask(task, mask, size)
        task.call["sigmask"] = True


def _done(task: Task) -> None:
    if "sigmask" in task.call:
        from emukernel.kernel.signal.mask import restore_saved_sigmask

        restore_saved_sigmask(task)


def sys_ppoll(
    task: Task, ufds: int, nfds: int, tsp: int, sigmask: int, sigsetsize: int
) -> int:
    """ppoll(2)"""
    timeout = _timeout(task, tsp)
    _with_sigmask(task, sigmask, sigsetsize)
    try:
        result = do_poll(task, ufds, nfds, timeout)
    except Errno as error:
        if error.errno != ERESTARTNOHAND:
            _done(task)
        _write_back(task, tsp, timeout, 1)
        raise
    _done(task)
    _write_back(task, tsp, timeout, 1)
    return result


def _read_set(task: Task, addr: int, size: int) -> int:
    return int.from_bytes(copy_from_user(task, addr, size), "little") if addr else 0


def core_select(
    task: Task, n: int, addresses: tuple[int, int, int], timeout: int | None
) -> int:
    """select(2) with a timeout in ns (None: for ever)."""
    if n < 0:
        raise Errno(EINVAL)
    files = task.files
    slots = (max(files.table, default=0) // _FDTABLE_STEP + 1) * _FDTABLE_STEP
    n = min(n, slots)
    size = (n + 63) // 64 * 8
    deadline = _deadline(task, timeout)
    limit = (1 << n) - 1
    sets = [_read_set(task, addr, size) & limit for addr in addresses]
    results = [0, 0, 0]
    queues: list[Any] = []
    ready = 0
    every = sets[0] | sets[1] | sets[2]
    fd = 0
    while every >> fd:
        if every >> fd & 1:
            file = files.table.get(fd)
            if file is None or file.mode & FMODE_PATH:
                raise Errno(EBADF)
            mask = file.poll(task)
            wanted = 0
            for i, bits in enumerate(sets):
                if bits >> fd & 1:
                    wanted |= _SETS[i]
                    if mask & _SETS[i]:
                        results[i] |= 1 << fd
                        ready += 1
            queues += file.poll_queues(wanted)
        fd += 1
    if not ready:
        _sleep(task, queues, deadline)
    for addr, bits in zip(addresses, results, strict=True):
        if addr:
            copy_to_user(task, addr, bits.to_bytes(size, "little"))
    return ready


def sys_select(task: Task, n: int, inp: int, outp: int, exp: int, tvp: int) -> int:
    """select(2): the timeout becomes what is left of it"""
    call = task.call
    if "timeout" in call:
        timeout = call["timeout"]
    elif tvp:
        seconds, micros = unpack("<2q", copy_from_user(task, tvp, 16))
        if seconds < 0 or micros < 0:
            raise Errno(EINVAL)
        timeout = min(int(seconds * NS + micros * 1000), KTIME_MAX)
    else:
        timeout = None
    call["timeout"] = timeout
    try:
        result = core_select(task, n, (inp, outp, exp), timeout)
    except Errno:
        _write_back(task, tvp, timeout, 1000)
        raise
    _write_back(task, tvp, timeout, 1000)
    return result


def sys_pselect6(
    task: Task, n: int, inp: int, outp: int, exp: int, tsp: int, sig: int
) -> int:
    """pselect(2): `sig` points to the mask's address and size"""
    timeout = _timeout(task, tsp)
    if sig:
        mask, size = unpack("<2Q", copy_from_user(task, sig, 16))
        _with_sigmask(task, mask, size)
    try:
        result = core_select(task, n, (inp, outp, exp), timeout)
    except Errno as error:
        if error.errno != ERESTARTNOHAND:
            _done(task)
        _write_back(task, tsp, timeout, 1)
        raise
    _done(task)
    _write_back(task, tsp, timeout, 1)
    return result
