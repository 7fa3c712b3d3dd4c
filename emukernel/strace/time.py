"""Times: points in time with their date, what is left of a sleep, sigevent."""

from __future__ import annotations

from struct import unpack_from

from emukernel.kernel.errno import EINTR
from emukernel.strace.call import pointer
from emukernel.strace.kinds import memory
from emukernel.strace.names import enum
from emukernel.strace.scalar import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.strace.call import Call

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2
ERESTART_RESTARTBLOCK = 516
SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 0, 1, 2, 4


def date(seconds: int, fraction: str = "") -> str:
    """`2023-11-14T22:13:20.000005+0000` in UTC; "" for times that have no such date."""
    from time import gmtime, strftime

    try:
        parts = gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{strftime('%Y-%m-%dT%H:%M:%S', parts)}{fraction}+0000"


def _commented(text: str, seconds: int, part: int, digits: int) -> str:
    if not seconds and not part:
        return text
    fraction = f".{part:0{digits}}" if 0 < part < 10**digits else ""
    when = date(seconds, fraction)
    return f"{text} /* {when} */" if when else text


def _pair(call: Call, address: int, show: Callable[[int, int], str]) -> str | None:
    data = call.read(address, 32)
    if data is None:
        return None
    a, b, c, d = unpack_from("<qqqq", data)
    return f"[{show(a, b)}, {show(c, d)}]"


def utimes(call: Call, address: int, count: int | None) -> str | None:
    """The two struct timeval of utimes(2)."""
    return _pair(
        call,
        address,
        lambda s, us: _commented(f"{{tv_sec={s}, tv_usec={us}}}", s, us, 6),
    )


def utimens(call: Call, address: int, count: int | None) -> str | None:
    """The two struct timespec of utimensat(2)."""

    def show(seconds: int, nanoseconds: int) -> str:
        if nanoseconds == UTIME_NOW:
            return "UTIME_NOW"
        if nanoseconds == UTIME_OMIT:
            return "UTIME_OMIT"
        text = f"{{tv_sec={seconds}, tv_nsec={nanoseconds}}}"
        return _commented(text, seconds, nanoseconds, 9)

    return _pair(call, address, show)


def utimbuf(call: Call, address: int, count: int | None) -> str | None:
    """struct utimbuf of utime(2)."""
    data = call.read(address, 16)
    if data is None:
        return None
    actime, modtime = unpack_from("<qq", data)
    return (
        f"{{actime={_commented(str(actime), actime, 0, 9)}, "
        f"modtime={_commented(str(modtime), modtime, 0, 9)}}}"
    )


def seconds(call: Call, address: int, count: int | None) -> str | None:
    """What time(2) wrote."""
    value = call.integer(address, 8, signed=True)
    return None if value is None else f"[{_commented(str(value), value, 0, 9)}]"


def seconds_since(call: Call) -> str:
    """What time(2) returned."""
    assert call.ret is not None
    return f"{call.ret} ({date(call.ret)})"


def remaining(call: Call, i: int) -> str | None:
    """What a sleep left undone, which is written where a signal ended it only."""
    if not call.exited:
        return None
    if call.ret in (-EINTR, -ERESTART_RESTARTBLOCK):
        return memory(call, "timespec", call.args[i])
    return pointer(call.args[i])


def sigevent(call: Call, address: int, count: int | None) -> str | None:
    """struct sigevent: value, signal, how to notify, and whom."""
    data = call.read(address, 64)
    if data is None:
        return None
    integer = unpack_from("<i", data)[0]
    value, number, notify, tid = unpack_from("<Qiii", data)
    texts = []
    if value:
        texts.append(f"sigev_value={{sival_int={integer}, sival_ptr={pointer(value)}}}")
    by_signal = notify in (SIGEV_SIGNAL, SIGEV_THREAD_ID)
    texts.append(f"sigev_signo={signal(number) if by_signal else number}")
    texts.append(f"sigev_notify={enum('signal.notify', notify)}")
    if notify == SIGEV_THREAD_ID:
        texts.append(f"sigev_notify_thread_id={tid}")
    return f"{{{', '.join(texts)}}}"
