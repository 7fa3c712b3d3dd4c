"""Pipes and FIFOs (Linux: fs/pipe.c; pipe(7), fifo(7)).

A pipe is a ring of slots of one page each. What a program sees follows from that: small writes
share the last page while they fit in it, a page is free again when its last byte was read, and a
write of up to a page is never torn. Here one buffer holds what one write brought, as bytes, and
knows how many slots of the ring it stands for.
"""

from __future__ import annotations

from collections import deque

from emukernel.kernel.errno import (
    EAGAIN,
    EBUSY,
    EFAULT,
    EINVAL,
    ENOMEM,
    ENOPKG,
    ENXIO,
    EPERM,
    EPIPE,
    ERESTARTSYS,
    Errno,
)
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import (
    FMODE_READ,
    FMODE_WRITE,
    O_ACCMODE,
    O_CLOEXEC,
    O_DIRECT,
    O_EXCL,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    File,
)
from emukernel.kernel.fs.inode import Inode
from emukernel.kernel.fs.mount import pseudo_mount
from emukernel.kernel.uaccess import copy_to_user, put_user_u32
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.mount import Vfs
    from emukernel.kernel.task import Task

PIPEFS_MAGIC = 0x50495045
PIPE_DEF_BUFFERS = 16
PIPE_MIN_DEF_BUFFERS = 2
PIPE_MAX_SIZE = 1 << 20
"""fs.pipe-max-size: what F_SETPIPE_SZ grants without CAP_SYS_RESOURCE, in bytes."""

PIPE_USER_PAGES_SOFT = 16384
"""fs.pipe-user-pages-soft: beyond so many slots a user's further pipes are small."""

RING_SLOTS_MAX = 1 << 16
"""A larger ring of slots (40 bytes each) is more than Linux's kmalloc gives at once."""

F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032
FIONREAD = 0x541B
SIGPIPE = 13
PAGE_SIZE = 4096

BUF_CAN_MERGE = 1
BUF_PACKET = 2

_CAP_SYS_ADMIN, _CAP_SYS_RESOURCE = 21, 24
_INPUT = POLLIN | POLLRDNORM
_OUTPUT = POLLOUT | POLLWRNORM


class PipeBuffer:
    """Bytes in a pipe: `data` from `start` on are unread.

    `base` is where in its page data[0] lies. `flags`: BUF_*.
    """

    __slots__ = ("base", "data", "flags", "start")

    def __init__(self, data: bytes | memoryview, base: int = 0, flags: int = 0) -> None:
        self.data = data
        self.base = base
        self.flags = flags
        self.start = 0

    def __len__(self) -> int:
        return len(self.data) - self.start

    def slots(self) -> int:
        """Pages that the unread bytes lie in."""
        base = self.base
        return (base + len(self.data) + 4095 >> 12) - (base + self.start >> 12)

    def unread(self, count: int) -> bytes | memoryview:
        """The next `count` bytes."""
        start = self.start
        if not start and count == len(self.data):
            return self.data
        return memoryview(self.data)[start : start + count]


class Pipe:
    """What both ends share (struct pipe_inode_info).

    `used` of `max_usage` slots are taken. `files` counts open files, `readers` and `writers` those
    of each kind, `r_counter` and `w_counter` how many there ever were. `polled` says that someone
    has asked whether it is ready: then each write wakes pollers, data there before or not.
    """

    __slots__ = (
        "bufs",
        "files",
        "max_usage",
        "polled",
        "r_counter",
        "rd_wait",
        "readers",
        "used",
        "user",
        "vfs",
        "w_counter",
        "wr_wait",
        "writers",
    )

    def __init__(self, task: Task) -> None:
        self.bufs: deque[PipeBuffer] = deque()
        self.vfs: Vfs = task.kernel.vfs
        self.user: int = task.cred.uid
        self.used = 0
        self.files = self.readers = self.writers = 0
        self.r_counter = self.w_counter = 0
        self.polled = False
        self.rd_wait = WaitQueue()
        self.wr_wait = WaitQueue()
        self.max_usage = 0
        pages = self.account(PIPE_DEF_BUFFERS)
        self.max_usage = PIPE_DEF_BUFFERS
        if pages > PIPE_USER_PAGES_SOFT and unprivileged(task):
            self.account(PIPE_MIN_DEF_BUFFERS)
            self.max_usage = PIPE_MIN_DEF_BUFFERS

    def account(self, slots: int) -> int:
        """The ring gets `slots` slots; how many its user's rings have then."""
        counts = self.vfs.user_counts
        key = ("pipe-pages", self.user)
        total = counts.get(key, 0) + slots - self.max_usage
        if total:
            counts[key] = total
        else:
            counts.pop(key, None)
        return total

    def free_slots(self) -> int:
        """How many pages more can be written."""
        return self.max_usage - self.used

    def push(self, buf: PipeBuffer) -> None:
        """Adds a buffer, for which there is room. Errno(ENOMEM) if pipes hold half the RAM."""
        slots = buf.slots()
        vfs = self.vfs
        root = vfs.root
        assert root is not None
        if vfs.pipe_slots + slots > root.mnt.sb.kernel.memory.frames >> 1:
            raise Errno(ENOMEM)
        vfs.pipe_slots += slots
        self.used += slots
        self.bufs.append(buf)

    def consume(self, buf: PipeBuffer, count: int) -> None:
        """The first buffer has `count` unread bytes less; an empty one goes."""
        before = buf.slots()
        buf.start += count
        if buf.start == len(buf.data):
            self.bufs.popleft()
            freed = before
        else:
            freed = before - buf.slots()
        self.used -= freed
        self.vfs.pipe_slots -= freed

    def first_page(self) -> PipeBuffer:
        """The first buffer, cut down to one slot."""
        buf = self.bufs[0]
        if buf.slots() > 1:
            self.bufs.popleft()
            room = PAGE_SIZE - (buf.base + buf.start & 4095)
            cut = buf.start + room
            data = bytes(buf.data)
            rest = PipeBuffer(data[cut:], 0, buf.flags)
            buf = PipeBuffer(data[buf.start : cut], PAGE_SIZE - room, buf.flags)
            self.bufs.appendleft(rest)
            self.bufs.appendleft(buf)
        return buf

    def release(self) -> None:
        """The last file is closed."""
        self.account(0)
        self.vfs.pipe_slots -= self.used
        self.bufs.clear()
        self.used = self.max_usage = 0

    def wake_readers(self) -> None:
        """There is something to read."""
        self.rd_wait.wake_up(0, _INPUT)

    def wake_writers(self) -> None:
        """There is room."""
        self.wr_wait.wake_up(0, _OUTPUT)


def unprivileged(task: Task) -> bool:
    """Do a user's limits count for the task?"""
    cred = task.cred
    return not (cred.capable(_CAP_SYS_RESOURCE) or cred.capable(_CAP_SYS_ADMIN))


class PipeFile(File):
    """An open end of a pipe, or both ends of a FIFO opened O_RDWR.

    `hup_counter` is the pipe's `w_counter` at a FIFO's O_NONBLOCK open for reading: until the
    first writer came, POLLHUP is not shown.
    """

    __slots__ = ("hup_counter", "pipe")

    seekable = False
    direct = True
    splices = False

    def __init__(self, path: Path, flags: int, pipe: Pipe) -> None:
        super().__init__(path, flags)
        self.pipe = pipe
        self.hup_counter = -1
        pipe.files += 1
        if self.mode & FMODE_READ:
            pipe.readers += 1
            pipe.r_counter += 1
        if self.mode & FMODE_WRITE:
            pipe.writers += 1
            pipe.w_counter += 1

    def release(self) -> None:
        pipe = self.pipe
        if self.mode & FMODE_READ:
            pipe.readers -= 1
        if self.mode & FMODE_WRITE:
            pipe.writers -= 1
        if (not pipe.readers) != (not pipe.writers):
            pipe.rd_wait.wake_up()
            pipe.wr_wait.wake_up()
        pipe.files -= 1
        if not pipe.files:
            pipe.release()
            self.inode.pipe = None

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count:
            return 0
        pipe = self.pipe
        bufs = pipe.bufs
        if not bufs:
            if not pipe.writers:
                return 0
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, pipe.rd_wait)
        was_full = pipe.used >= pipe.max_usage
        used = pipe.used
        done = 0
        while bufs:
            buf = bufs[0]
            left = len(buf)
            want = left if left <= it.count else it.count
            copied = it.copy_to_iter(buf.unread(want))
            if copied < want:
                # Pages that were copied in part stay.
                first = buf.base + buf.start
                copied = max((first + copied & -PAGE_SIZE) - first, 0)
                if copied:
                    pipe.consume(buf, copied)
                    done += copied
                if not done:
                    raise Errno(EFAULT)
                break
            done += want
            if buf.flags & BUF_PACKET:
                pipe.consume(buf, left)
                break
            pipe.consume(buf, want)
            if not it.count:
                break
        if was_full and pipe.used < used:
            pipe.wake_writers()
        self.inode.touch_atime()
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count:
            return 0
        pipe = self.pipe
        call = task.call
        was_empty = not pipe.bufs
        error = done = 0
        if "written" in call:
            done = call["written"]
            it.advance(done)
        elif not was_empty and it.count & 4095 and pipe.readers:
            done, error = self._merge(it)
        while it.count and not error:
            if not pipe.readers:
                from emukernel.kernel.signal.send import send_sig

                send_sig(SIGPIPE, task)
                error = EPIPE
            elif pipe.used < pipe.max_usage:
                copied, error = self._fill(it)
                done += copied
            elif self.flags & O_NONBLOCK:
                error = EAGAIN
            elif task.sigpending:
                error = ERESTARTSYS
            else:
                if was_empty:
                    pipe.wake_readers()
                call["written"] = done
                wait_on(task, pipe.wr_wait)
        if was_empty or pipe.polled:
            pipe.wake_readers()
        call.pop("written", None)
        if not done:
            raise Errno(error)
        self.inode.touch_mtime()
        return done

    def _merge(self, it: Iter) -> tuple[int, int]:
        """Puts the part of a write that fills no page into the last page, if it fits there."""
        pipe = self.pipe
        last = pipe.bufs[-1]
        chars = it.count & 4095
        end = last.base + len(last.data)
        used = end & 4095
        if not last.flags & BUF_CAN_MERGE or not used or used + chars > PAGE_SIZE:
            return 0, 0
        data = it.copy_from_iter(chars)
        if len(data) < chars:
            return 0, EFAULT
        assert isinstance(last.data, bytes)
        cut = len(last.data) - used
        if cut > 0:
            # Only the last page is copied to grow.
            page = PipeBuffer(last.data[cut:] + data, 0, last.flags)
            if cut > last.start:
                last.data = last.data[:cut]
                pipe.bufs.append(page)
            else:
                page.start = last.start - cut
                pipe.bufs[-1] = page
        else:
            last.data += data
        return chars, 0

    def _fill(self, it: Iter) -> tuple[int, int]:
        """Takes as much as there is room for: (bytes, errno or 0)."""
        pipe = self.pipe
        room = (pipe.max_usage - pipe.used) << 12
        want = it.count if it.count <= room else room
        data = it.copy_from_iter(want)
        error = 0
        if len(data) < want:
            data = data[: len(data) & -PAGE_SIZE]
            error = EFAULT
            if not data:
                return 0, error
        try:
            if self.flags & O_DIRECT:
                for at in range(0, len(data), PAGE_SIZE):
                    pipe.push(PipeBuffer(data[at : at + PAGE_SIZE], 0, BUF_PACKET))
            else:
                pipe.push(PipeBuffer(data, 0, BUF_CAN_MERGE))
        except Errno as full:
            return 0, full.errno
        return len(data), error

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd != FIONREAD:
            return super().ioctl(task, cmd, arg)
        put_user_u32(task, arg, sum(map(len, self.pipe.bufs)))
        return 0

    def fcntl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd == F_GETPIPE_SZ:
            return self.pipe.max_usage * PAGE_SIZE
        if cmd == F_SETPIPE_SZ:
            return pipe_set_size(task, self.pipe, arg & 0xFFFFFFFF)
        return super().fcntl(task, cmd, arg)

    def poll(self, task: Task) -> int:
        pipe = self.pipe
        pipe.polled = True
        mask = 0
        if self.mode & FMODE_READ:
            if pipe.bufs:
                mask = _INPUT
            if not pipe.writers and self.hup_counter != pipe.w_counter:
                mask |= POLLHUP
        if self.mode & FMODE_WRITE:
            if pipe.used < pipe.max_usage:
                mask |= _OUTPUT
            if not pipe.readers:
                mask |= POLLERR
        return mask

    def poll_queues(self, events: int) -> list[Any]:
        queues = []
        if self.mode & FMODE_READ:
            queues.append(self.pipe.rd_wait)
        if self.mode & FMODE_WRITE:
            queues.append(self.pipe.wr_wait)
        return queues


def pipe_set_size(task: Task, pipe: Pipe, size: int) -> int:
    """F_SETPIPE_SZ: a ring with room for `size` bytes; how large it is then.

    EINVAL beyond 2 GiB, EPERM over the user's limits, EBUSY if what it holds would not fit.
    """
    if size > 1 << 31:
        raise Errno(EINVAL)
    slots = 1 << max((size + PAGE_SIZE - 1 >> 12) - 1, 0).bit_length()
    grows = slots > pipe.max_usage
    if grows and slots * PAGE_SIZE > PIPE_MAX_SIZE and not task.cred.capable(_CAP_SYS_RESOURCE):
        raise Errno(EPERM)
    before = pipe.max_usage
    pages = pipe.account(slots)
    error = 0
    if grows and pages > PIPE_USER_PAGES_SOFT and unprivileged(task):
        error = EPERM
    elif slots < pipe.used:
        error = EBUSY
    elif slots > RING_SLOTS_MAX:
        error = ENOMEM
    pipe.max_usage = slots
    if error:
        pipe.account(before)
        pipe.max_usage = before
        raise Errno(error)
    pipe.wr_wait.wake_up()
    return slots * PAGE_SIZE


# Making


def new_pipe(task: Task, flags: int) -> tuple[PipeFile, PipeFile]:
    """The reading and the writing end of a new pipe; `flags`: O_NONBLOCK, O_DIRECT."""
    mnt = pseudo_mount(task.kernel, "pipefs", PIPEFS_MAGIC)
    sb = mnt.sb
    inode = Inode(sb, sb.new_ino(), 0o010600, task.cred.fsuid, task.cred.fsgid)
    inode.pipe = pipe = Pipe(task)
    path = Path(mnt, Dentry(b"pipe:[%d]" % inode.ino, None, inode))
    reader = PipeFile(path, O_RDONLY | flags & O_NONBLOCK, pipe)
    return reader, PipeFile(path, O_WRONLY | flags & (O_NONBLOCK | O_DIRECT), pipe)


def sys_pipe2(task: Task, fildes: int, flags: int) -> int:
    """pipe2(2)"""
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL):
        raise Errno(EINVAL)
    if flags & O_EXCL:
        # Notification pipes: this kernel is one without CONFIG_WATCH_QUEUE.
        raise Errno(ENOPKG)
    files = task.files
    cloexec = bool(flags & O_CLOEXEC)
    reader, writer = new_pipe(task, flags)
    fds: list[int] = []
    try:
        fds.append(files.add(task, reader, cloexec))
        fds.append(files.add(task, writer, cloexec))
        copy_to_user(task, fildes, b"".join([fd.to_bytes(4, "little") for fd in fds]))
    except Errno:
        if not fds:
            writer.put()
        for fd in fds:
            files.close(task, fd)
        raise
    return 0


def sys_pipe(task: Task, fildes: int) -> int:
    """pipe(2)"""
    return sys_pipe2(task, fildes, 0)


# FIFOs, and pipes opened again by /proc/PID/fd


def fifo_open(task: Task, path: Path, flags: int) -> File:
    """Opens a FIFO: waits for the other end unless O_NONBLOCK or O_RDWR.

    Errno(ENXIO) for writing with O_NONBLOCK and without a reader.
    """
    inode = path.dentry.inode
    mode = flags & O_ACCMODE
    if mode > O_RDWR:
        raise Errno(EINVAL)
    named = inode.sb.fstype != "pipefs"
    pipe = inode.pipe
    if named and mode == O_WRONLY and flags & O_NONBLOCK and (pipe is None or not pipe.readers):
        raise Errno(ENXIO)
    if pipe is None:
        pipe = inode.pipe = Pipe(task)
    file = PipeFile(path, flags, pipe)
    # Whoever waits for this end sees the counter.
    pipe.rd_wait.wake_up()
    alone = (mode == O_RDONLY and not pipe.writers) or (mode == O_WRONLY and not pipe.readers)
    if named and alone:
        if not flags & O_NONBLOCK:
            other = pipe.w_counter if mode == O_RDONLY else pipe.r_counter
            # The open file is the call's until the other end comes; its next entry goes on here.
            task.call["opening"] = file
            task.call["partner"] = other
            return wait_for_partner(task)
        file.hup_counter = pipe.w_counter
    return _opened(file)


def wait_for_partner(task: Task) -> File:
    """The open of a FIFO that has begun: the file, once the other end was opened too."""
    call = task.call
    file = call["opening"]
    assert isinstance(file, PipeFile)
    pipe = file.pipe
    counter = pipe.w_counter if file.mode & FMODE_READ else pipe.r_counter
    if counter == call["partner"]:
        try:
            wait_on(task, pipe.rd_wait)
        except Errno:
            del call["opening"]
            file.put()
            raise
    del call["opening"]
    return _opened(file)


def _opened(file: PipeFile) -> File:
    if file.flags & O_DIRECT:
        file.put()
        raise Errno(EINVAL)
    return file
