"""The kernel's access to user memory: through the guest's page tables, faulting pages in.

Nothing here trusts an address. A pointer that the program itself could not use is EFAULT, never a
fault of ours. Runs of pages whose frames are neighbours in RAM are copied at once.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EFAULT, EINVAL, ENAMETOOLONG, Errno
from emukernel.kernel.mm.fault import Fault, user_page
from emukernel.kernel.mm.mm import TASK_SIZE
from emukernel.machine.pagetable import ADDRESS, DIRTY, PRESENT, USER, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.kernel.task import Task

    Buffer = bytes | bytearray | memoryview
    Iter = "IovIter | BytesIter"

#: The most one read or write moves (include/linux/fs.h).
MAX_RW_COUNT = 0x7FFF_F000
UIO_MAXIOV = 1024

_FRAME = ADDRESS >> 12

_READABLE = PRESENT | USER
# A page that the kernel writes to is dirty, as one that the program wrote to: a page that is not
# takes the long way, once.
_WRITABLE = PRESENT | USER | WRITE | DIRTY

_U32 = Struct("<I")
_S32 = Struct("<i")
_U64 = Struct("<Q")
_S64 = Struct("<q")
_IOVEC = Struct("<QQ")


def access_ok(address: int, size: int) -> bool:
    """Whether [address, address + size) lies below the kernel's half; pages don't matter yet."""
    return address + size <= TASK_SIZE


def spans(task: Task, address: int, size: int, write: bool) -> Iterator[tuple[int, int]]:
    """(physical address, length) of runs that together are [address, address + size).

    Ends early, silently, where the program could not access the memory: the caller compares what
    it got with what it wanted.
    """
    mm = task.mm
    leaves = mm.page_table.leaves
    words = mm.page_table.words
    code_frames = mm.memory.code_frames
    wanted = _WRITABLE if write else _READABLE
    run = length = 0
    end = address + size
    while address < end:
        vpn = address >> 12
        leaf = leaves.get(vpn >> 9)
        entry = 0 if leaf is None else words[leaf + (vpn & 511)]
        if entry & wanted != wanted:
            try:
                entry = user_page(task, mm, address, write)
            except Fault:
                break
        if write and entry >> 12 & _FRAME in code_frames:
            # Translated code must not outlive the bytes it was made from.
            mm.memory.on_stale_code()
        offset = address & 4095
        physical = (entry & ADDRESS) + offset
        step = min(4096 - offset, end - address)
        if physical == run + length:
            length += step
        else:
            if length:
                yield run, length
            run, length = physical, step
        address += step
    if length:
        yield run, length


def copy_from_user(task: Task, address: int, size: int) -> bytes:
    """`size` bytes of user memory; EFAULT."""
    offset = address & 4095
    if offset + size <= 4096:
        entry = task.mm.page_table.get(address >> 12)
        if entry & _READABLE == _READABLE and size:
            start = (entry & ADDRESS) + offset
            return bytes(task.mm.memory.view[start : start + size])
    if not size:
        return b""
    if not access_ok(address, size):
        raise Errno(EFAULT)
    view = task.mm.memory.view
    data = b"".join([view[p : p + n] for p, n in spans(task, address, size, False)])
    if len(data) != size:
        raise Errno(EFAULT)
    return data


def copy_to_user(task: Task, address: int, data: Buffer) -> None:
    """Writes `data` to user memory; EFAULT, with the bytes before the bad page written."""
    size = len(data)
    offset = address & 4095
    if offset + size <= 4096:
        entry = task.mm.page_table.get(address >> 12)
        if entry & _WRITABLE == _WRITABLE:
            memory = task.mm.memory
            if entry >> 12 & _FRAME not in memory.code_frames:
                start = (entry & ADDRESS) + offset
                memory.view[start : start + size] = data
                return
    if IovIter(task, [(address, size)]).copy_to_iter(data) != size:
        raise Errno(EFAULT)


def clear_user(task: Task, address: int, size: int) -> None:
    """Zeroes user memory; EFAULT."""
    it = IovIter(task, [(address, size)])
    while it.count:
        step = min(it.count, 1 << 16)
        if it.copy_to_iter(bytes(step)) != step:
            raise Errno(EFAULT)


def strncpy_from_user(
    task: Task, address: int, limit: int = 4096, toolong: int = ENAMETOOLONG
) -> bytes:
    """A NUL-terminated string without its NUL; `toolong` if `limit` bytes hold no NUL."""
    text = read_string(task, address, limit)
    if len(text) == limit:
        raise Errno(toolong)
    return text


def read_string(task: Task, address: int, limit: int) -> bytes:
    """The bytes before the first NUL, at most `limit`; EFAULT where a needed one can't be read."""
    view = task.mm.memory.view
    parts = []
    size = 0
    while size < limit:
        step = min(4096 - (address & 4095), limit - size)
        if not access_ok(address, 1):
            raise Errno(EFAULT)
        for start, length in spans(task, address, step, False):
            chunk = bytes(view[start : start + length])
            break
        else:
            raise Errno(EFAULT)
        end = chunk.find(0)
        if end >= 0:
            parts.append(chunk[:end])
            break
        parts.append(chunk)
        size += step
        address += step
    return b"".join(parts)


def get_user_u32(task: Task, address: int) -> int:
    """An unsigned 32-bit word."""
    value: int = _U32.unpack(copy_from_user(task, address, 4))[0]
    return value


def get_user_s32(task: Task, address: int) -> int:
    """A signed 32-bit word."""
    value: int = _S32.unpack(copy_from_user(task, address, 4))[0]
    return value


def get_user_u64(task: Task, address: int) -> int:
    """An unsigned 64-bit word."""
    value: int = _U64.unpack(copy_from_user(task, address, 8))[0]
    return value


def get_user_s64(task: Task, address: int) -> int:
    """A signed 64-bit word."""
    value: int = _S64.unpack(copy_from_user(task, address, 8))[0]
    return value


def put_user_u32(task: Task, address: int, value: int) -> None:
    """Writes a 32-bit word (negative numbers as two's complement)."""
    copy_to_user(task, address, _U32.pack(value & 0xFFFF_FFFF))


def put_user_u64(task: Task, address: int, value: int) -> None:
    """Writes a 64-bit word (negative numbers as two's complement)."""
    copy_to_user(task, address, _U64.pack(value & 0xFFFF_FFFF_FFFF_FFFF))


class IovIter:
    """A place in a list of user segments (struct iov_iter). `count` is what is left."""

    __slots__ = ("_index", "_offset", "count", "segments", "task")

    def __init__(self, task: Task, segments: list[tuple[int, int]]) -> None:
        self.task = task
        self.segments = segments
        self.count = sum([size for _address, size in segments])
        self._index = 0
        self._offset = 0

    def copy_to_iter(self, data: Buffer) -> int:
        """Copies `data` out; how many bytes, less than all when the memory faults."""
        task = self.task
        view = task.mm.memory.view
        source = memoryview(data)
        total = len(source)
        done = 0
        while done < total and self._index < len(self.segments):
            address, size = self.segments[self._index]
            want = min(size - self._offset, total - done)
            moved = 0
            if want and access_ok(address, size):
                for start, length in spans(task, address + self._offset, want, True):
                    view[start : start + length] = source[done : done + length]
                    done += length
                    moved += length
            self._step(size, moved)
            if moved < want:
                break
        return done

    def copy_from_iter(self, count: int) -> bytes:
        """Takes up to `count` bytes in; fewer when the memory faults or ends."""
        task = self.task
        view = task.mm.memory.view
        parts = []
        left = count
        while left and self._index < len(self.segments):
            address, size = self.segments[self._index]
            want = min(size - self._offset, left)
            moved = 0
            if want and access_ok(address, size):
                for start, length in spans(task, address + self._offset, want, False):
                    parts.append(view[start : start + length])
                    moved += length
            left -= moved
            self._step(size, moved)
            if moved < want:
                break
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def _step(self, size: int, moved: int) -> None:
        self._offset += moved
        self.count -= moved
        if self._offset >= size:
            self._index += 1
            self._offset = 0

    def advance(self, count: int) -> None:
        """Skips `count` bytes."""
        while count and self._index < len(self.segments):
            size = self.segments[self._index][1]
            step = min(size - self._offset, count)
            self._step(size, step)
            count -= step

    def revert(self, count: int) -> None:
        """Goes back over `count` bytes."""
        self.count += count
        while count > self._offset:
            count -= self._offset
            self._index -= 1
            self._offset = self.segments[self._index][1]
        self._offset -= count


class BytesIter:
    """The same over kernel memory: a bytearray to fill or bytes to take from."""

    __slots__ = ("_buffer", "_offset", "count")

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self._buffer = memoryview(buffer)
        self._offset = 0
        self.count = len(buffer)

    def copy_to_iter(self, data: Buffer) -> int:
        """Copies `data` in; how many bytes there was room for."""
        size = min(len(data), self.count)
        self._buffer[self._offset : self._offset + size] = memoryview(data)[:size]
        self.advance(size)
        return size

    def copy_from_iter(self, count: int) -> bytes:
        """Takes up to `count` bytes."""
        data = bytes(self._buffer[self._offset : self._offset + min(count, self.count)])
        self.advance(len(data))
        return data

    def advance(self, count: int) -> None:
        """Skips `count` bytes."""
        self._offset += count
        self.count -= count

    def revert(self, count: int) -> None:
        """Goes back over `count` bytes."""
        self.advance(-count)


def import_single_range(task: Task, address: int, size: int) -> IovIter:
    """One buffer of read(2) or write(2); EFAULT for one that leaves user space at once."""
    size = min(size, MAX_RW_COUNT)
    if not access_ok(address, size):
        raise Errno(EFAULT)
    return IovIter(task, [(address, size)])


def import_iovec(task: Task, address: int, nr_segs: int) -> list[tuple[int, int]]:
    """The segments of a struct iovec array, cut to MAX_RW_COUNT in all; EINVAL, EFAULT.

    Their number is an unsigned int here, whatever the call declares it as.
    """
    nr_segs &= 0xFFFF_FFFF
    if nr_segs > UIO_MAXIOV:
        raise Errno(EINVAL)
    data = copy_from_user(task, address, nr_segs * 16) if nr_segs else b""
    segments = []
    total = 0
    for base, size in _IOVEC.iter_unpack(data):
        if size >= 1 << 63:
            raise Errno(EINVAL)
        if not access_ok(base, size):
            raise Errno(EFAULT)
        size = min(size, MAX_RW_COUNT - total)
        total += size
        segments.append((base, size))
    return segments
