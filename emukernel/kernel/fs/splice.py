"""Moving bytes through pipes without user space (Linux: fs/splice.c): splice, tee, vmsplice.

Buffers move from pipe to pipe as Linux's do, page by page, so that what fits is the same. Pages of
user memory that vmsplice puts into a pipe are copied: they hold what they held at the call.
"""

from __future__ import annotations

from emukernel.kernel.errno import (
    EAGAIN,
    EBADF,
    EFAULT,
    EINVAL,
    EPIPE,
    ERESTARTSYS,
    ESPIPE,
    Errno,
)
from emukernel.kernel.fs.file import FMODE_READ, FMODE_WRITE, O_APPEND, O_NONBLOCK, File
from emukernel.kernel.fs.pipe import BUF_CAN_MERGE, PAGE_SIZE, SIGPIPE, Pipe, PipeBuffer, PipeFile
from emukernel.kernel.fs.read_write import notify_moved, rw_verify_area
from emukernel.kernel.uaccess import (
    MAX_RW_COUNT,
    BytesIter,
    IovIter,
    get_user_s64,
    import_iovec,
    put_user_u64,
)
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

SPLICE_F_NONBLOCK = 0x02
_SPLICE_F_ALL = 0x0F
_POS_MAX = (1 << 63) - 1
_CHUNK = 1 << 20


def _broken(task: Task) -> Errno:
    """Nobody reads the pipe: SIGPIPE, and the error to raise."""
    from emukernel.kernel.signal.send import send_sig

    send_sig(SIGPIPE, task)
    return Errno(EPIPE)


def wait_for_data(task: Task, pipe: Pipe, nonblock: bool) -> bool:
    """Waits until the pipe has something (true) or no writer any more. Errno(EAGAIN)."""
    if pipe.bufs:
        return True
    if task.sigpending:
        raise Errno(ERESTARTSYS)
    if not pipe.writers:
        return False
    if nonblock:
        raise Errno(EAGAIN)
    wait_on(task, pipe.rd_wait)
    return False


def wait_for_space(task: Task, pipe: Pipe, nonblock: bool) -> None:
    """Waits until the pipe has a free slot. Errno(EPIPE, EAGAIN)."""
    if not pipe.readers:
        raise _broken(task)
    if pipe.used < pipe.max_usage:
        return
    if nonblock:
        raise Errno(EAGAIN)
    wait_on(task, pipe.wr_wait)


def splice_file_to_pipe(
    task: Task, source: File, pipe: Pipe, pos: int, count: int, nonblock: bool
) -> int:
    """Reads from a file at `pos` into a pipe, what there is room for; how many bytes."""
    wait_for_space(task, pipe, nonblock)
    if not source.splices:
        raise Errno(EINVAL)
    # Pages of the page cache lie in the pipe as they are.
    base = pos & PAGE_SIZE - 1 if source.mapping is not None else 0
    count = min(count, pipe.free_slots() * PAGE_SIZE - base, MAX_RW_COUNT)
    parts: list[bytes] = []
    while count:
        buffer = bytearray(min(count, _CHUNK))
        try:
            done = source.read_iter(task, BytesIter(buffer), pos)
        except Errno:
            if not parts:
                raise
            break
        parts.append(bytes(memoryview(buffer)[:done]))
        pos += done
        count -= done
        if done < len(buffer):
            break
    data = b"".join(parts)
    if data:
        pipe.push(PipeBuffer(data, base))
        pipe.wake_readers()
    return len(data)


def splice_pipe_to_file(
    task: Task, pipe: Pipe, target: File, pos: int, count: int, nonblock: bool
) -> int:
    """Writes what a pipe has to a file at `pos`; how many bytes."""
    if not target.splice_writes:
        raise Errno(EINVAL)
    call = task.call
    moved: int = call.get("spliced", 0)
    if not moved and not wait_for_data(task, pipe, nonblock):
        return 0
    while pipe.bufs and moved < count:
        buf = pipe.bufs[0]
        chunk = buf.unread(min(len(buf), count - moved))
        try:
            done = target.write_iter(task, BytesIter(chunk), pos + moved)
        except Errno:
            if not moved:
                raise
            break
        used = pipe.used
        pipe.consume(buf, done)
        if pipe.used < used:
            pipe.wake_writers()
        moved += done
        # Where the target sleeps, the call's next entry goes on from here.
        call["spliced"] = moved
        if done < len(chunk):
            break
    return moved


def splice_pipe_to_pipe(
    task: Task, source: Pipe, target: Pipe, count: int, nonblock: bool
) -> int:
    """Moves buffers from one pipe to another; how many bytes."""
    wait_for_data(task, source, nonblock)
    wait_for_space(task, target, nonblock)
    moved = freed = 0
    while moved < count and source.bufs and target.used < target.max_usage:
        page = source.first_page()
        left = count - moved
        if left >= len(page):
            size = len(page)
            source.consume(page, size)
            page.start -= size
            target.push(page)
            freed += 1
            moved += size
        else:
            _push_copy(target, page, left)
            source.consume(page, left)
            moved = count
    if moved:
        target.wake_readers()
    if freed:
        source.wake_writers()
    return moved


def _push_copy(target: Pipe, page: PipeBuffer, count: int) -> None:
    """Gives another pipe a part of a buffer of one page, to which nothing can be added."""
    copy = PipeBuffer(bytes(page.unread(count)), page.base + page.start, page.flags)
    copy.flags &= ~BUF_CAN_MERGE
    target.push(copy)


def _pipe_of(file: File) -> Pipe | None:
    return file.pipe if isinstance(file, PipeFile) else None


def _check_ends(source: File, target: File) -> None:
    if not source.mode & FMODE_READ or not target.mode & FMODE_WRITE:
        raise Errno(EBADF)


def sys_splice(
    task: Task, fd_in: int, off_in: int, fd_out: int, off_out: int, len: int, flags: int
) -> int:
    """splice(2)"""
    if not len:
        return 0
    if flags & ~_SPLICE_F_ALL:
        raise Errno(EINVAL)
    source, target = task.files.get(fd_in), task.files.get(fd_out)
    from_pipe, to_pipe = _pipe_of(source), _pipe_of(target)
    if (from_pipe is not None and off_in) or (to_pipe is not None and off_out):
        raise Errno(ESPIPE)
    pos_out = get_user_s64(task, off_out) if off_out else target.pos
    pos_in = get_user_s64(task, off_in) if off_in else source.pos
    _check_ends(source, target)
    nonblock = bool(flags & SPLICE_F_NONBLOCK)
    if from_pipe is not None and to_pipe is not None:
        if from_pipe is to_pipe:
            raise Errno(EINVAL)
        nonblock |= bool((source.flags | target.flags) & O_NONBLOCK)
        moved = splice_pipe_to_pipe(task, from_pipe, to_pipe, len, nonblock)
    elif from_pipe is not None:
        if (off_out and not target.seekable) or target.flags & O_APPEND:
            raise Errno(EINVAL)
        rw_verify_area(pos_out, min(len, _POS_MAX))
        nonblock |= bool(source.flags & O_NONBLOCK)
        moved = splice_pipe_to_file(task, from_pipe, target, pos_out, len, nonblock)
        if not off_out:
            target.pos = pos_out + moved
    elif to_pipe is not None:
        if off_in and not source.seekable:
            raise Errno(EINVAL)
        rw_verify_area(pos_in, min(len, _POS_MAX))
        nonblock |= bool(target.flags & O_NONBLOCK)
        moved = splice_file_to_pipe(task, source, to_pipe, pos_in, len, nonblock)
        if not off_in:
            source.pos = pos_in + moved
    else:
        raise Errno(EINVAL)
    notify_moved(source, target, moved)
    if off_out:
        put_user_u64(task, off_out, pos_out + moved)
    if off_in:
        put_user_u64(task, off_in, pos_in + moved)
    return moved


def sys_tee(task: Task, fdin: int, fdout: int, len: int, flags: int) -> int:
    """tee(2)"""
    if flags & ~_SPLICE_F_ALL:
        raise Errno(EINVAL)
    if not len:
        return 0
    source, target = task.files.get(fdin), task.files.get(fdout)
    _check_ends(source, target)
    from_pipe, to_pipe = _pipe_of(source), _pipe_of(target)
    if from_pipe is None or to_pipe is None or from_pipe is to_pipe:
        raise Errno(EINVAL)
    nonblock = bool(flags & SPLICE_F_NONBLOCK or (source.flags | target.flags) & O_NONBLOCK)
    return tee_pipe(task, from_pipe, to_pipe, len, nonblock)


def tee_pipe(task: Task, source: Pipe, target: Pipe, count: int, nonblock: bool) -> int:
    """Copies buffers from one pipe to another, leaving them where they are; how many bytes."""
    wait_for_data(task, source, nonblock)
    wait_for_space(task, target, nonblock)
    copied = 0
    for buf in list(source.bufs):
        for page in _pages(buf):
            if copied == count or target.used >= target.max_usage:
                break
            size = min(len(page), count - copied)
            _push_copy(target, page, size)
            copied += size
    if copied:
        target.wake_readers()
    return copied


def _pages(buf: PipeBuffer) -> list[PipeBuffer]:
    """The unread bytes of a buffer, one slot each."""
    pages = []
    at = buf.start
    while at < len(buf.data):
        base = buf.base + at & PAGE_SIZE - 1
        end = min(at + PAGE_SIZE - base, len(buf.data))
        pages.append(PipeBuffer(buf.data[at:end], base, buf.flags))
        at = end
    return pages


def sys_vmsplice(task: Task, fd: int, uiov: int, nr_segs: int, flags: int) -> int:
    """vmsplice(2): user memory into a pipe, or what is in a pipe to user memory"""
    if flags & ~_SPLICE_F_ALL:
        raise Errno(EINVAL)
    file = task.files.get(fd)
    if not file.mode & (FMODE_READ | FMODE_WRITE):
        raise Errno(EBADF)
    segments = import_iovec(task, uiov, nr_segs)
    it = IovIter(task, segments)
    if not it.count:
        return 0
    pipe = _pipe_of(file)
    if pipe is None:
        raise Errno(EBADF)
    # O_NONBLOCK of the pipe does not matter here, as in Linux.
    nonblock = bool(flags & SPLICE_F_NONBLOCK)
    if not file.mode & FMODE_WRITE:
        return _vmsplice_to_user(task, pipe, it, nonblock)
    wait_for_space(task, pipe, nonblock)
    moved = 0
    for address, size in segments:
        base = address & PAGE_SIZE - 1
        want = min(size, max(pipe.free_slots() * PAGE_SIZE - base, 0))
        data = IovIter(task, [(address, want)]).copy_from_iter(want) if want else b""
        if data:
            pipe.push(PipeBuffer(data, base))
            moved += len(data)
        if len(data) < size:
            if size and not moved:
                raise Errno(EFAULT)
            break
    if moved:
        pipe.wake_readers()
    return moved


def _vmsplice_to_user(task: Task, pipe: Pipe, it: IovIter, nonblock: bool) -> int:
    if not wait_for_data(task, pipe, nonblock):
        return 0
    moved = 0
    while pipe.bufs and it.count:
        buf = pipe.bufs[0]
        chunk = buf.unread(min(len(buf), it.count))
        done = it.copy_to_iter(chunk)
        if done < len(chunk):
            if not moved and not done:
                raise Errno(EFAULT)
            pipe.consume(buf, done)
            moved += done
            break
        pipe.consume(buf, done)
        moved += done
    pipe.wake_writers()
    return moved
