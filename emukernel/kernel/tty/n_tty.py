"""N_TTY, the line discipline (drivers/tty/n_tty.c): what is typed becomes what is read.

`buf` holds the bytes between the positions `tail` and `head`, which count from the terminal's
start. In canonical mode what is before `canon_head` is whole lines; `line_ends` are the positions
of their last characters, of which an end of file is there as NUL.
"""

from __future__ import annotations

import re
from collections import deque

from emukernel.kernel.tty.n_tty_output import (
    ERASE_TAB,
    MOVE_BACK_COL,
    N_TTY_BUF_SIZE,
    SET_CANON_COL,
    OutputProcessing,
    is_control,
)
from emukernel.kernel.tty.termios import (
    DISABLED_CHAR,
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ECHONL,
    ECHOPRT,
    EXTPROC,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNCR,
    INLCR,
    ISIG,
    ISTRIP,
    IUCLC,
    IUTF8,
    IXANY,
    IXON,
    NOFLSH,
    PARMRK,
    VEOF,
    VEOL,
    VEOL2,
    VERASE,
    VINTR,
    VKILL,
    VLNEXT,
    VMIN,
    VQUIT,
    VREPRINT,
    VSTART,
    VSTOP,
    VSUSP,
    VTIME,
    VWERASE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.tty.termios import Termios
    from emukernel.kernel.tty.tty_io import Tty

SIGINT, SIGQUIT, SIGTSTP = 2, 3, 20
POLLIN = 0x001 | 0x040

_STRIP = bytes([c & 0x7F for c in range(256)])
_LOWER = bytes(
    [c + 32 if 65 <= c <= 90 or (192 <= c <= 222 and c != 215) else c for c in range(256)]
)
_NEVER = re.compile(rb"(?!)")
_NL, _CR, _TAB = 10, 13, 9
_WORD = frozenset(
    [*b"0123456789_", *[c for c in range(256) if 65 <= c & ~32 <= 90 and c < 128]]
    + [c for c in range(192, 256) if c not in (215, 247)]
)
_ERASE, _WERASE, _KILL = range(3)


class NTty(OutputProcessing):
    """The line discipline of one terminal."""

    __slots__ = (
        "buf",
        "canon_head",
        "erasing",
        "icanon",
        "line_ends",
        "lnext",
        "raw",
        "special",
        "tail",
    )

    def __init__(self, tty: Tty) -> None:
        super().__init__(tty)
        self.buf = bytearray()
        self.tail = self.canon_head = 0
        self.line_ends: deque[int] = deque()
        self.icanon = self.raw = self.lnext = self.erasing = False
        #: Finds the characters that are more than themselves (char_map).
        self.special = _NEVER

    @property
    def head(self) -> int:
        return self.tail + len(self.buf)

    # -- settings ------------------------------------------------------------------------------

    def set_termios(self, old: Termios | None) -> None:
        """The terminal has new settings."""
        tty = self.tty
        termios = tty.termios
        lflag, iflag, cc = termios.lflag, termios.iflag, termios.cc
        if old is None or (old.lflag ^ lflag) & (ICANON | EXTPROC):
            self.line_ends.clear()
            if lflag & ICANON and self.buf:
                # What is there counts as a line.
                self.line_ends.append(self.head - 1)
                self.canon_head = self.head
            else:
                self.canon_head = self.tail
            self.erasing = self.lnext = False
        self.icanon = bool(lflag & ICANON)
        chars: set[int] = set()
        if iflag & (IGNCR | ICRNL):
            chars.add(_CR)
        if iflag & INLCR:
            chars.add(_NL)
        if lflag & ICANON:
            chars.update((cc[VERASE], cc[VKILL], cc[VEOF], _NL, cc[VEOL]))
            if lflag & IEXTEN:
                chars.update((cc[VWERASE], cc[VLNEXT], cc[VEOL2]))
                if lflag & ECHO:
                    chars.add(cc[VREPRINT])
        if iflag & IXON:
            chars.update((cc[VSTART], cc[VSTOP]))
        if lflag & ISIG:
            chars.update((cc[VINTR], cc[VQUIT], cc[VSUSP]))
        chars.discard(DISABLED_CHAR)
        self.special = (
            re.compile(b"[" + b"".join(re.escape(bytes((c,))) for c in sorted(chars)) + b"]")
            if chars
            else _NEVER
        )
        self.raw = not (
            iflag & (ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK)
            or lflag & (ICANON | ISIG | ECHO)
        )
        if old is not None and old.iflag & IXON and not iflag & IXON:
            tty.start()
            self.process_echoes()
        tty.write_wait.wake_up()
        tty.read_wait.wake_up()

    # -- input ---------------------------------------------------------------------------------

    def receive_buf(self, data: bytes) -> int:
        """Takes what the driver received; how many bytes. Less than all: there is no room."""
        total = len(data)
        at = 0
        while at < total:
            room = N_TTY_BUF_SIZE - len(self.buf)
            if self.tty.termios.iflag & PARMRK:
                room = (room + 2) // 3
            room -= 1
            if room <= 0:
                if not self.icanon or self.canon_head != self.tail:
                    break
                # A line that is too long: its last character is written over.
                skipped = self._overflow(data, at)
                if skipped:
                    at += skipped
                    continue
                if room < 0:
                    del self.buf[-1]
                room = 1
            chunk = data[at : at + room]
            at += len(chunk)
            if self.raw:
                self.buf += chunk
            else:
                self._receive(chunk)
        if at:
            if not self.raw:
                self.process_echoes()
            if self.buf and not (self.icanon and not self.tty.termios.lflag & EXTPROC):
                self.tty.read_wait.wake_up(0, POLLIN)
        return at

    def _overflow(self, data: bytes, at: int) -> int:
        """Takes plain characters for which a line has no room all at once; how many.

        The last one stays. None of them if there is more to each than that.
        """
        termios = self.tty.termios
        if self.lnext or termios.iflag & (ISTRIP | IUCLC | PARMRK) or termios.lflag & EXTPROC:
            return 0
        match = self.special.search(data, at)
        run = data[at : match.start()] if match else data[at:]
        if run:
            self._restart_any()
            if termios.lflag & ECHO:
                self._echo(run)
            del self.buf[N_TTY_BUF_SIZE - 1 :]
            self.buf += run[-1:]
        return len(run)

    def _receive(self, data: bytes) -> None:
        """The standard way: runs of plain characters, and special ones between them."""
        termios = self.tty.termios
        if termios.iflag & ISTRIP:
            data = data.translate(_STRIP)
        if termios.iflag & IUCLC and termios.lflag & IEXTEN:
            data = data.translate(_LOWER)
        at = 0
        while at < len(data):
            if self.lnext:
                self.lnext = False
                self._char(data[at : at + 1])
                at += 1
                continue
            if self.tty.termios.lflag & EXTPROC:
                self.buf += data[at:]
                return
            match = self.special.search(data, at)
            end = match.start() if match else len(data)
            if end > at:
                self._char(data[at:end])
            at = end
            if match:
                self._special(data[at])
                at += 1

    def _restart_any(self) -> None:
        tty = self.tty
        if tty.stopped and tty.termios.iflag & IXON and tty.termios.iflag & IXANY:
            tty.start()
            self.process_echoes()

    def _char(self, run: bytes) -> None:
        """Plain characters."""
        self._restart_any()
        if self.tty.termios.lflag & ECHO:
            self._echo(run)
        self._put(run)

    def _echo(self, run: bytes) -> None:
        self._finish_erasing()
        if self.canon_head == self.head:
            self.echo_move(SET_CANON_COL)
        self.echo_chars(run, bool(self.tty.termios.lflag & ECHOCTL))

    def _put(self, run: bytes) -> None:
        if self.tty.termios.iflag & PARMRK:
            run = run.replace(b"\xff", b"\xff\xff")
        self.buf += run

    def _special(self, c: int) -> None:
        """A character that may mean something."""
        tty = self.tty
        termios = tty.termios
        iflag, lflag, cc = termios.iflag, termios.lflag, termios.cc
        if iflag & IXON and c in (cc[VSTART], cc[VSTOP]):
            if c == cc[VSTART]:
                tty.start()
                self.process_echoes()
            else:
                tty.stop()
            return
        if lflag & ISIG:
            for which, sig in ((VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)):
                if c == cc[which]:
                    self._signal(sig, c)
                    return
        self._restart_any()
        if c == _CR:
            if iflag & IGNCR:
                return
            if iflag & ICRNL:
                c = _NL
        elif c == _NL and iflag & INLCR:
            c = _CR
        if self.icanon and self._canon(c):
            return
        if lflag & ECHO:
            if c == _NL:
                self._finish_erasing()
                self.echo_raw(b"\n")
            else:
                self._echo(bytes((c,)))
        self._put(bytes((c,)))

    def _signal(self, sig: int, c: int) -> None:
        """A character that sends a signal to the foreground group."""
        tty = self.tty
        termios = tty.termios
        tty.signal_foreground(sig)
        if not termios.lflag & NOFLSH:
            self.forget_echoes()
            tty.flush_output()
            self._reset()
            tty.packet_flush()
        if termios.iflag & IXON:
            tty.start()
        if termios.lflag & ECHO:
            self.echo_chars(bytes((c,)), bool(termios.lflag & ECHOCTL))
        self.process_echoes()

    def _canon(self, c: int) -> bool:
        """Editing of a line; false for a character that belongs to it."""
        termios = self.tty.termios
        lflag, cc = termios.lflag, termios.cc
        extended = lflag & IEXTEN
        if c == cc[VERASE] or c == cc[VKILL] or (c == cc[VWERASE] and extended):
            self._erase(c)
            return True
        if c == cc[VLNEXT] and extended:
            self.lnext = True
            if lflag & ECHO:
                self._finish_erasing()
                if lflag & ECHOCTL:
                    self.echo_raw(b"^\b")
            return True
        if c == cc[VREPRINT] and lflag & ECHO and extended:
            self._finish_erasing()
            controls = bool(lflag & ECHOCTL)
            self.echo_chars(bytes((c,)), controls)
            self.echo_raw(b"\n")
            self.echo_chars(bytes(self.buf[self.canon_head - self.tail :]), controls)
            return True
        if c == _NL:
            if lflag & (ECHO | ECHONL):
                self.echo_raw(b"\n")
        elif c == cc[VEOF]:
            c = DISABLED_CHAR
        elif c == cc[VEOL] or (c == cc[VEOL2] and extended):
            if lflag & ECHO:
                if self.canon_head == self.head:
                    self.echo_move(SET_CANON_COL)
                self.echo_chars(bytes((c,)), bool(lflag & ECHOCTL))
            if c == 0xFF and termios.iflag & PARMRK:
                self.buf.append(c)
        else:
            return False
        self.line_ends.append(self.head)
        self.buf.append(c)
        self.canon_head = self.head
        self.tty.read_wait.wake_up(0, POLLIN)
        return True

    # -- erasing -------------------------------------------------------------------------------

    def _finish_erasing(self) -> None:
        if self.erasing:
            self.echo_raw(b"/")
            self.erasing = False

    def _continues(self, c: int) -> bool:
        """A byte of a UTF-8 character that is not its first."""
        return bool(self.tty.termios.iflag & IUTF8) and c & 0xC0 == 0x80

    def _erase(self, c: int) -> None:
        """ERASE, WERASE or KILL (eraser)."""
        if self.head == self.canon_head:
            return
        termios = self.tty.termios
        lflag, cc = termios.lflag, termios.cc
        buf = self.buf
        start = self.canon_head - self.tail
        if c == cc[VERASE]:
            kind = _ERASE
        elif c == cc[VWERASE]:
            kind = _WERASE
        else:
            kind = _KILL
            if not lflag & ECHO:
                del buf[start:]
                return
            if not lflag & ECHOK or not lflag & ECHOKE or not lflag & ECHOE:
                del buf[start:]
                self._finish_erasing()
                self.echo_chars(cc[VKILL : VKILL + 1], bool(lflag & ECHOCTL))
                if lflag & ECHOK:
                    self.echo_raw(b"\n")
                return
        in_word = False
        while len(buf) > start:
            at = len(buf) - 1
            while self._continues(buf[at]) and at > start:
                at -= 1
            if self._continues(buf[at]):
                # No part of a character is erased.
                break
            if kind == _WERASE:
                if buf[at] in _WORD:
                    in_word = True
                elif in_word:
                    break
            erased = bytes(buf[at:])
            del buf[at:]
            if lflag & ECHO:
                self._echo_erased(erased, kind)
            if kind == _ERASE:
                break
        if len(buf) == start and lflag & ECHO:
            self._finish_erasing()

    def _echo_erased(self, erased: bytes, kind: int) -> None:
        """Shows that a character, the bytes `erased`, is gone."""
        termios = self.tty.termios
        lflag = termios.lflag
        controls = bool(lflag & ECHOCTL)
        c = erased[0]
        if lflag & ECHOPRT:
            if not self.erasing:
                self.echo_raw(b"\\")
                self.erasing = True
            self.echo_chars(erased[:1], controls)
            for i in range(1, len(erased)):
                self.echo_raw(erased[i : i + 1])
                self.echo_move(MOVE_BACK_COL)
        elif kind == _ERASE and not lflag & ECHOE:
            self.echo_chars(termios.cc[VERASE : VERASE + 1], controls)
        elif c == _TAB:
            columns, after_tab = self._columns_before()
            self.echo_move(ERASE_TAB, columns & 7 | (0x80 if after_tab else 0))
        elif not is_control(c):
            self.echo_raw(b"\b \b")
        elif controls:
            self.echo_raw(b"\b \b\b \b")

    def _columns_before(self) -> tuple[int, bool]:
        """Columns used since a tab (True) or the start of the line (False)."""
        columns = 0
        for at in range(len(self.buf) - 1, self.canon_head - self.tail - 1, -1):
            c = self.buf[at]
            if c == _TAB:
                return columns, True
            if is_control(c):
                if self.tty.termios.lflag & ECHOCTL:
                    columns += 2
            elif not self._continues(c):
                columns += 1
        return columns, False

    # -- reading -------------------------------------------------------------------------------

    def input_available(self, polled: bool = False) -> bool:
        """Is there something to read? `polled`: as poll(2) sees it, VMIN bytes."""
        termios = self.tty.termios
        if self.icanon and not termios.lflag & EXTPROC:
            return self.canon_head != self.tail
        amount = 1
        if polled and not termios.cc[VTIME]:
            amount = termios.cc[VMIN] or 1
        return len(self.buf) >= amount

    def take(self, count: int) -> bytes:
        """Up to `count` bytes of what can be read: in canonical mode of one line."""
        if not self.icanon or self.tty.termios.lflag & EXTPROC:
            return self._consume(count)
        buf = self.buf
        ends = self.line_ends
        limit = min(count, self.canon_head - self.tail)
        end = ends[0] - self.tail if ends else limit
        if end < limit:
            ends.popleft()
            data = self._consume(end + 1)
            return data if data[-1] != DISABLED_CHAR else data[:-1]
        data = self._consume(limit)
        if count == limit and ends and ends[0] == self.tail and buf[0] == DISABLED_CHAR:
            # The end of file right after it is what ends this read.
            ends.popleft()
            self._consume(1)
        return data

    def _consume(self, count: int) -> bytes:
        data = bytes(self.buf[:count])
        del self.buf[:count]
        self.tail += len(data)
        if not self.icanon:
            self.canon_head = self.tail
        return data

    def pending(self) -> int:
        """FIONREAD: bytes of whole lines, or all that came."""
        if not self.tty.termios.lflag & ICANON or self.tty.termios.lflag & EXTPROC:
            return len(self.buf)
        eofs = [end for end in self.line_ends if self.buf[end - self.tail] == DISABLED_CHAR]
        return self.canon_head - self.tail - len(eofs)

    def flush_buffer(self) -> None:
        """Drops all input (n_tty_flush_buffer)."""
        self._reset()
        self.tty.packet_flush()

    def _reset(self) -> None:
        self.buf.clear()
        self.line_ends.clear()
        self.tail = self.canon_head = 0
        self.forget_echoes()
        self.erasing = False
