"""`#!` scripts (fs/binfmt_script.c)."""

from __future__ import annotations

from emukernel.kernel.errno import ENOEXEC, Errno

#: What of a file is looked at: the line must end, or a blank must follow the name, within it.
BINPRM_BUF_SIZE = 256


def parse_script(head: bytes) -> tuple[bytes, bytes | None]:
    """The interpreter of a `#!` line and its one optional argument; Errno(ENOEXEC)."""
    if head[:2] != b"#!":
        raise Errno(ENOEXEC)
    head = head[:BINPRM_BUF_SIZE].split(b"\0")[0]
    line, newline, _ = head[2:].partition(b"\n")
    if not newline and len(head) == BINPRM_BUF_SIZE:
        # Cut off: fine if the name is whole, that is, if a blank follows it.
        name = line.lstrip(b" \t")
        if not name or not (b" " in name or b"\t" in name):
            raise Errno(ENOEXEC)
    line = line.strip(b" \t")
    if not line:
        raise Errno(ENOEXEC)
    end = min((at for at in (line.find(b" "), line.find(b"\t")) if at >= 0), default=len(line))
    argument = line[end:].lstrip(b" \t")
    return line[:end], argument or None
