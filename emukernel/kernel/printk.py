"""The kernel log: a ring of records, read by syslog(2), /dev/kmsg and `--dmesg` (kernel/printk)."""

from __future__ import annotations

from emukernel.kernel.wait import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.kernel.time.timekeeping import Clock

    Record = tuple[int, int, str]
    """Priority (facility * 8 + level), ns since boot, text."""

LOG_BUF_LEN = 1 << 17
"""Bytes that the log holds; the oldest records go when more come."""

RECORD_MAX = 1024
"""Characters of a record; longer texts are cut (LOG_LINE_MAX)."""

KERN_EMERG, KERN_ALERT, KERN_CRIT, KERN_ERR = 0, 1, 2, 3
KERN_WARNING, KERN_NOTICE, KERN_INFO, KERN_DEBUG = 4, 5, 6, 7
LOG_KERN, LOG_USER = 0, 1

DEFAULT_CONSOLE_LOGLEVEL = 7
_RECORD_OVERHEAD = 32
_ONCE_MAX = 1024


class KernelLog:
    """The log of one machine; plain data.

    `records` are those that are still held, and `first` is the sequence number of `records[0]`.
    `queue` is woken by every new record. The rest is syslog(2)'s: `syslog_seq` is the next record
    that SYSLOG_ACTION_READ gives and `syslog_partial` how many bytes of it were given already,
    `clear_seq` the first that a clear left.
    """

    __slots__ = (
        "_clock",
        "_said",
        "_size",
        "clear_seq",
        "console_loglevel",
        "first",
        "queue",
        "records",
        "saved_console_loglevel",
        "syslog_partial",
        "syslog_seq",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: set[str] = set()
        self._size = 0
        self.records: list[Record] = []
        self.first = 0
        self.queue = WaitQueue()
        self.syslog_seq = self.syslog_partial = self.clear_seq = 0
        self.console_loglevel = DEFAULT_CONSOLE_LOGLEVEL
        self.saved_console_loglevel = -1

    @property
    def next_seq(self) -> int:
        """The sequence number that the next record will have."""
        return self.first + len(self.records)

    def printk(self, text: str, level: int = KERN_INFO, facility: int = LOG_KERN) -> None:
        """Adds a record, at the time of now."""
        text = text[:RECORD_MAX]
        self.records.append((facility << 3 | level, self._clock.monotonic(), text))
        self._size += len(text) + _RECORD_OVERHEAD
        if self._size > LOG_BUF_LEN:
            self._drop_oldest()
        self.queue.wake_up()

    def once(self, key: str, text: str, level: int = KERN_INFO) -> None:
        """Adds a record unless one was added under this key before (pr_info_once)."""
        if key not in self._said and len(self._said) < _ONCE_MAX:
            self._said.add(key)
            self.printk(text, level)

    def _drop_oldest(self) -> None:
        """Makes room: an eighth of the log at a time, as moving the list up has its cost."""
        gone = 0
        while self._size > LOG_BUF_LEN // 8 * 7:
            self._size -= len(self.records[gone][2]) + _RECORD_OVERHEAD
            gone += 1
        del self.records[:gone]
        self.first += gone
        if self.syslog_seq < self.first:
            self.syslog_seq, self.syslog_partial = self.first, 0
        self.clear_seq = max(self.clear_seq, self.first)

    def lines(self) -> Iterator[str]:
        """All that is held, as dmesg(1) prints it."""
        for record in self.records:
            yield from format_lines(record)

    def syslog_text(self, sequence: int) -> bytes:
        """A record as syslog(2) gives it: every line with its level and time, and a newline."""
        record = self.records[sequence - self.first]
        text = "".join(f"<{record[0]}>{line}\n" for line in format_lines(record))
        return text.encode("utf-8", "surrogateescape")

    def kmsg_text(self, sequence: int) -> bytes:
        """A record as /dev/kmsg gives it: `6,SEQUENCE,MICROSECONDS,-;TEXT` and a newline.

        Bytes that are no printable ASCII, and the backslash, are written `\\xNN`.
        """
        priority, stamp, text = self.records[sequence - self.first]
        escaped = "".join(
            chr(byte) if 32 <= byte < 127 and byte != 0x5C else f"\\x{byte:02x}"
            for byte in text.encode("utf-8", "surrogateescape")
        )
        return f"{priority},{sequence},{stamp // 1000},-;{escaped}\n".encode()

    def write_kmsg(self, data: bytes) -> None:
        """Takes what user space writes to /dev/kmsg: `<PRIORITY>TEXT` or text alone.

        Facility 0 is the kernel's own: user space's records have LOG_USER instead.
        """
        level, facility = KERN_WARNING, LOG_USER
        if data[:1] == b"<":
            number, bracket, rest = data[1:].partition(b">")
            if bracket and number.isdigit() and len(number) < 10:
                level = int(number) & 7
                facility = int(number) >> 3 or LOG_USER
                data = rest
        text = data.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        self.printk(text, level, facility)


def format_lines(record: Record) -> list[str]:
    """The lines of a record behind its time: `[    1.234567] text`."""
    _, stamp, text = record
    stamp //= 1000
    head = f"[{stamp // 1_000_000:5}.{stamp % 1_000_000:06}] "
    return [head + line for line in text.split("\n")]
