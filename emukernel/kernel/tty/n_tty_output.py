"""N_TTY's way out: output processing and the echo (drivers/tty/n_tty.c).

Echoes wait in a queue of operations while the driver has no room; the queue is bounded, the oldest
give way. `column` follows the cursor, for tabs and for erasing them.
"""

from __future__ import annotations

import re
from collections import deque

from emukernel.kernel.tty.termios import (
    IUTF8,
    OCRNL,
    OLCUC,
    ONLCR,
    ONLRET,
    ONOCR,
    OPOST,
    TABDLY,
    XTABS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.tty.tty_io import Tty

N_TTY_BUF_SIZE = 4096

# Operations in the echo queue: text, a control character as ^X, and three on the column.
TEXT, CONTROL, SET_CANON_COL, MOVE_BACK_COL, ERASE_TAB = range(5)

_RUNS = re.compile(rb"[^\0-\x08\x0a-\x1f\x7f]+|[\0-\x08\x0a-\x1f\x7f]+")
_MOVES = re.compile(rb"[\0-\x1f\x7f]")
_CARETS = bytes([c ^ 0x40 for c in range(256)])
_SLOW = OLCUC | OCRNL | ONOCR | ONLRET
_NL, _CR, _TAB, _BS = 10, 13, 9, 8


def is_control(c: int) -> bool:
    """iscntrl()."""
    return c < 32 or c == 127


def upper(c: int) -> int:
    """toupper(), in Latin-1 as the kernel has it."""
    return c - 32 if 97 <= c <= 122 or (224 <= c <= 254 and c != 247) else c


class OutputProcessing:
    """The half of the line discipline between programs, or the echo, and the driver."""

    __slots__ = ("canon_column", "column", "echo", "echo_size", "tty")

    def __init__(self, tty: Tty) -> None:
        self.tty = tty
        self.column = self.canon_column = 0
        self.echo: deque[tuple[int, bytes | int]] = deque()
        self.echo_size = 0

    # -- output --------------------------------------------------------------------------------

    def output(self, data: bytes) -> int:
        """Writes to the driver, processed as c_oflag says; how many bytes of `data` were taken."""
        tty = self.tty
        oflag = tty.termios.oflag
        if not oflag & OPOST:
            return tty.write(data)
        room = tty.write_room()
        if room <= 0:
            return 0
        block = data[:room]
        if oflag & _SLOW or oflag & TABDLY == XTABS:
            return self._output_chars(block, room)
        if not oflag & ONLCR:
            tty.write(block)
        else:
            lines = block.count(b"\n")
            if len(block) + lines > room:
                # So much fits, whatever is in it.
                block = block[: max(room - lines, room // 2)]
            if not block:
                return 0
            tty.write(block.replace(b"\n", b"\r\n") if lines else block)
        self._follow(block, oflag)
        return len(block)

    def _follow(self, block: bytes, oflag: int) -> None:
        """Moves `column` as plainly printed text does."""
        start = max(block.rfind(b"\r"), block.rfind(b"\n") if oflag & ONLCR else -1) + 1
        if start:
            self.column = self.canon_column = 0
        if not oflag & ONLCR and block.rfind(b"\n") >= start:
            self.canon_column = self.column
        tail = block[start:] if start else block
        column = self.column
        at = 0
        for match in _MOVES.finditer(tail):
            column += self._width(tail[at : match.start()])
            at = match.end()
            c = tail[match.start()]
            if c == _TAB:
                column += 8 - (column & 7)
            elif c == _BS and column:
                column -= 1
        self.column = column + self._width(tail[at:])

    def _width(self, text: bytes) -> int:
        if self.tty.termios.iflag & IUTF8 and not text.isascii():
            return sum(c & 0xC0 != 0x80 for c in text)
        return len(text)

    def _output_chars(self, data: bytes, room: int) -> int:
        """do_output_char for each: how many were taken."""
        out = bytearray()
        done = 0
        for c in data:
            text = self._output_char(c, room - len(out))
            if text is None:
                break
            out += text
            done += 1
        if out:
            self.tty.write(bytes(out))
        return done

    def _output_char(self, c: int, room: int) -> bytes | None:
        """What one character becomes; None if there is no room for it."""
        if room < 1:
            return None
        oflag = self.tty.termios.oflag
        if c == _NL:
            if oflag & ONLRET:
                self.column = 0
            if oflag & ONLCR:
                if room < 2:
                    return None
                self.canon_column = self.column = 0
                return b"\r\n"
            self.canon_column = self.column
        elif c == _CR:
            if oflag & ONOCR and not self.column:
                return b""
            if oflag & OCRNL:
                c = _NL
                if oflag & ONLRET:
                    self.canon_column = self.column = 0
            else:
                self.canon_column = self.column = 0
        elif c == _TAB:
            spaces = 8 - (self.column & 7)
            if oflag & TABDLY == XTABS:
                if room < spaces:
                    return None
                self.column += spaces
                return b" " * spaces
            self.column += spaces
        elif c == _BS:
            if self.column:
                self.column -= 1
        elif not is_control(c):
            if oflag & OLCUC:
                c = upper(c)
            self.column += self._width(bytes((c,)))
        return bytes((c,))

    # -- echo ----------------------------------------------------------------------------------

    def echo_raw(self, text: bytes) -> None:
        """Queues text to be echoed as it is."""
        self._add(TEXT, text, len(text))

    def echo_chars(self, run: bytes, controls: bool) -> None:
        """Queues what was typed; with `controls` (ECHOCTL) control characters but tab as ^X."""
        if not controls:
            self.echo_raw(run)
            return
        for match in _RUNS.finditer(run):
            text = match.group()
            if text[0] == _TAB or not is_control(text[0]):
                self.echo_raw(text)
            else:
                pairs = bytearray(b"^" * (2 * len(text)))
                pairs[1::2] = text.translate(_CARETS)
                self._add(CONTROL, bytes(pairs), len(pairs))

    def echo_move(self, operation: int, argument: int = 0) -> None:
        """Queues an operation on the column."""
        self._add(operation, argument, 2)

    def _add(self, operation: int, argument: bytes | int, size: int) -> None:
        self.echo.append((operation, argument))
        self.echo_size += size
        while self.echo_size > N_TTY_BUF_SIZE and len(self.echo) > 1:
            self.echo_size -= _size(self.echo.popleft())

    def forget_echoes(self) -> None:
        """Drops what waits to be echoed."""
        self.echo.clear()
        self.echo_size = 0

    def process_echoes(self) -> None:
        """Carries out as much of the queue as the driver has room for."""
        echo = self.echo
        tty = self.tty
        while echo:
            operation, argument = echo[0]
            if operation in (TEXT, CONTROL):
                assert isinstance(argument, bytes)
                if operation == TEXT:
                    done = self.output(argument)
                else:
                    done = tty.write(argument[: tty.write_room() & ~1])
                    self.column += done
                self.echo_size -= done
                if done < len(argument):
                    echo[0] = operation, argument[done:]
                    return
            else:
                assert isinstance(argument, int)
                if operation == SET_CANON_COL:
                    self.canon_column = self.column
                elif operation == MOVE_BACK_COL:
                    self.column = max(self.column - 1, 0)
                elif not self._erase_tab(argument):
                    return
                self.echo_size -= 2
            echo.popleft()

    def _erase_tab(self, count: int) -> bool:
        """Goes back over a tab before which `count` columns are used, since another tab with bit
        7 set, else since the start of the input. False: no room."""
        if not count & 0x80:
            count += self.canon_column
        back = 8 - (count & 7)
        if back > self.tty.write_room():
            return False
        self.tty.write(b"\b" * back)
        self.column = max(self.column - back, 0)
        return True


def _size(item: tuple[int, bytes | int]) -> int:
    return len(item[1]) if isinstance(item[1], bytes) else 2
