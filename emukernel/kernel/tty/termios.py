"""struct termios, and what its bits are called (Linux: asm-generic/termbits.h; termios(3))."""

from __future__ import annotations

from struct import Struct

# c_iflag
IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IXOFF, IMAXBEL, IUTF8 = 0x1000, 0x2000, 0x4000

# c_oflag
OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
TABDLY = XTABS = 0x1800

# c_cflag
CBAUD, B38400, BOTHER = 0x100F, 0xF, 0x1000
CSIZE, CS8, CREAD, PARENB, HUPCL = 0x30, 0x30, 0x80, 0x100, 0x400
IBSHIFT = 16

# c_lflag
ISIG, ICANON, ECHO, ECHOE, ECHOK = 0x1, 0x2, 0x8, 0x10, 0x20
ECHONL, NOFLSH, TOSTOP, ECHOCTL, ECHOPRT = 0x40, 0x80, 0x100, 0x200, 0x400
ECHOKE, IEXTEN, EXTPROC = 0x800, 0x8000, 0x10000

# c_cc
VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP = range(10)
VSUSP, VEOL, VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2 = range(10, 17)
NCCS = 19

DISABLED_CHAR = 0
"""A control character with this value is none."""

INIT_C_CC = bytes.fromhex("031c7f150400010011131a00120f171600") + bytes(2)

TERMIO_SIZE, TERMIOS_SIZE, TERMIOS2_SIZE = 18, 36, 44
_TERMIO = Struct("<4HB8sx")
_TERMIOS = Struct("<4IB19s")
_SPEEDS = Struct("<2I")

_BAUD = (
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
    0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000,
    2500000, 3000000, 3500000, 4000000,
)  # fmt: skip


class Termios:
    """A terminal's settings. `cc` are the 19 control characters, speeds in bits a second."""

    __slots__ = ("cc", "cflag", "iflag", "ispeed", "lflag", "line", "oflag", "ospeed")

    def __init__(self, iflag: int, oflag: int, cflag: int, lflag: int) -> None:
        self.iflag = iflag
        self.oflag = oflag
        self.cflag = cflag
        self.lflag = lflag
        self.line = 0
        self.cc = INIT_C_CC
        self.ispeed = self.ospeed = 38400

    def copy(self) -> Termios:
        """Settings of one's own."""
        new = Termios(self.iflag, self.oflag, self.cflag, self.lflag)
        new.line, new.cc = self.line, self.cc
        new.ispeed, new.ospeed = self.ispeed, self.ospeed
        return new

    def pack(self, size: int) -> bytes:
        """struct termio, termios or termios2, by its size."""
        if size == TERMIO_SIZE:
            words = (self.iflag, self.oflag, self.cflag, self.lflag)
            return _TERMIO.pack(*[word & 0xFFFF for word in words], self.line, self.cc[:8])
        words = (self.iflag, self.oflag, self.cflag, self.lflag)
        data = _TERMIOS.pack(*words, self.line, self.cc)
        if size == TERMIOS2_SIZE:
            data += _SPEEDS.pack(self.ispeed, self.ospeed)
        return data

    def updated(self, data: bytes) -> Termios:
        """These settings with a struct termio, termios or termios2 written over them."""
        new = self.copy()
        if len(data) == TERMIO_SIZE:
            iflag, oflag, cflag, lflag, new.line, cc = _TERMIO.unpack(data)
            new.iflag = self.iflag & ~0xFFFF | iflag
            new.oflag = self.oflag & ~0xFFFF | oflag
            new.cflag = self.cflag & ~0xFFFF | cflag
            new.lflag = self.lflag & ~0xFFFF | lflag
            new.cc = cc + self.cc[8:]
        else:
            fields = _TERMIOS.unpack_from(data)
            new.iflag, new.oflag, new.cflag, new.lflag, new.line, new.cc = fields
        if len(data) == TERMIOS2_SIZE:
            new.ispeed, new.ospeed = _SPEEDS.unpack_from(data, TERMIOS_SIZE)
        new._set_speeds()
        return new

    def _set_speeds(self) -> None:
        """The speeds that the bits of c_cflag name (tty_termios_input_baud_rate and its twin)."""
        output = _baud(self.cflag & CBAUD, self.ospeed)
        code = self.cflag >> IBSHIFT & CBAUD
        self.ispeed = _baud(code, self.ispeed) if code else output
        self.ospeed = output


def _baud(code: int, other: int) -> int:
    if code == BOTHER:
        return other
    if code & 0x1000:
        code = (code & ~0x1000) + 16
    return _BAUD[code] if code < len(_BAUD) else 0


def std_termios() -> Termios:
    """What a terminal starts with (tty_std_termios)."""
    return Termios(
        ICRNL | IXON,
        OPOST | ONLCR,
        B38400 | CS8 | CREAD | HUPCL,
        ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    )
