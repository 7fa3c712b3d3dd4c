"""Loading ELF programs (fs/binfmt_elf.c): segments, interpreter, auxiliary vector, stack."""

from __future__ import annotations

from struct import Struct, pack
from struct import error as struct_error

from emukernel.kernel.errno import EINVAL, EIO, ELIBBAD, ENOEXEC, ENOMEM, Errno
from emukernel.kernel.mm.mm import TASK_SIZE, Mm, page_align
from emukernel.kernel.mm.mmap import (
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    READ_IMPLIES_EXEC,
    RLIMIT_STACK,
    do_mmap,
    may_commit,
    may_expand_vm,
)
from emukernel.kernel.mm.vma import (
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    VM_GROWSDOWN,
    VM_MAYWRITE,
    Vma,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.exec import Binprm
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.random import RandomSource
    from emukernel.kernel.task import Task

ET_EXEC, ET_DYN, EM_X86_64 = 2, 3, 62
PT_LOAD, PT_INTERP, PT_GNU_STACK = 1, 3, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4

#: Where position-independent programs with an interpreter go: two thirds of the address space.
ELF_ET_DYN_BASE = 0x5555_5555_4000
STACK_TOP = TASK_SIZE
_MIN_GAP, _MAX_GAP = 128 << 20, TASK_SIZE // 6 * 5
_STACK_RANDOM = 0x3F_FFFF
#: The heap starts up to 1 GiB behind its place.
_BRK_RANDOM = 0x3_FFFF
#: Room below the strings on a new stack.
_STACK_EXPAND = 128 << 10
ADDR_NO_RANDOMIZE = 0x0040000
_PATH_MAX = 4096
_MASK64 = (1 << 64) - 1
_EHDR = Struct("<16sHHIQQQIHHHHHH")
_PHDR = Struct("<IIQQQQQQ")
_MAX_PHDRS = 65536 // _PHDR.size

# include/uapi/linux/auxvec.h
AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE = 0, 3, 4, 5, 6, 7
AT_FLAGS, AT_ENTRY = 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_PLATFORM, AT_HWCAP, AT_CLKTCK = 11, 12, 13, 14, 15, 16, 17
AT_SECURE, AT_RANDOM, AT_HWCAP2, AT_RSEQ_FEATURE_SIZE, AT_RSEQ_ALIGN = 23, 25, 26, 27, 28
AT_EXECFN, AT_MINSIGSTKSZ = 31, 51

#: CPUID.1:EDX of the emulated CPU (x87, SSE, SSE2, FXSR, …).
_HWCAP = 0x078B_FBFD
#: RDFSBASE and its kind may be used.
_HWCAP2_FSGSBASE = 2
_CLOCK_TICKS = 100


class Segment:
    """A PT_LOAD header."""

    __slots__ = ("align", "filesz", "flags", "memsz", "offset", "vaddr")

    def __init__(
        self, flags: int, offset: int, vaddr: int, filesz: int, memsz: int, align: int
    ) -> None:
        self.flags = flags
        self.offset = offset
        self.vaddr = vaddr
        self.filesz = filesz
        self.memsz = memsz
        self.align = align

    def prot(self) -> int:
        """PROT_ bits."""
        return (
            (PROT_READ if self.flags & PF_R else 0)
            | (PROT_WRITE if self.flags & PF_W else 0)
            | (PROT_EXEC if self.flags & PF_X else 0)
        )


class Image:
    """What the headers of an ELF file say; raises Errno(ENOEXEC) for what is no program."""

    __slots__ = ("entry", "file", "headers", "phnum", "phoff", "segments", "type")

    def __init__(self, task: Task, file: File, head: bytes) -> None:
        self.file = file
        try:
            fields = _EHDR.unpack_from(head)
        except struct_error:
            raise Errno(ENOEXEC) from None
        ident, machine, phentsize = fields[0], fields[2], fields[9]
        self.type: int = fields[1]
        self.entry: int = fields[4]
        self.phoff: int = fields[5]
        self.phnum: int = fields[10]
        if ident[:4] != b"\x7fELF" or machine != EM_X86_64 or phentsize != _PHDR.size:
            raise Errno(ENOEXEC)
        if not 1 <= self.phnum <= _MAX_PHDRS:
            raise Errno(ENOEXEC)
        try:
            table = read_exact(task, file, self.phoff, self.phnum * _PHDR.size)
        except Errno:
            raise Errno(ENOEXEC) from None
        #: (type, flags, offset, virtual address, physical one, file size, memory size, alignment)
        self.headers = list(_PHDR.iter_unpack(table))
        self.segments = [
            Segment(flags, offset, vaddr, filesz, memsz, align)
            for kind, flags, offset, vaddr, _paddr, filesz, memsz, align in self.headers
            if kind == PT_LOAD
        ]

    def interpreter(self, task: Task) -> bytes | None:
        """The path in the first PT_INTERP header; Errno(ENOEXEC, EIO)."""
        for kind, _flags, offset, _vaddr, _paddr, filesz, _memsz, _align in self.headers:
            if kind == PT_INTERP:
                if not 2 <= filesz <= _PATH_MAX:
                    raise Errno(ENOEXEC)
                name = read_exact(task, self.file, offset, filesz)
                if name[-1]:
                    raise Errno(ENOEXEC)
                return name.split(b"\0")[0]
        return None

    def executable_stack(self) -> bool:
        """What the last PT_GNU_STACK header says; without one the stack is not executable."""
        flags = [header[1] for header in self.headers if header[0] == PT_GNU_STACK]
        return bool(flags and flags[-1] & PF_X)

    def total_size(self) -> int:
        """Bytes from the first segment's page to the last one's end (total_mapping_size)."""
        if not self.segments:
            return 0
        low = min(s.vaddr & -4096 for s in self.segments)
        return (max(s.vaddr + s.memsz & _MASK64 for s in self.segments) - low) & _MASK64

    def alignment(self) -> int:
        """The largest power-of-two alignment of the segments, at least a page."""
        aligns = [s.align for s in self.segments if s.align and not s.align & (s.align - 1)]
        return max(page_align(max(aligns, default=0)), 4096)


def read_exact(task: Task, file: File, offset: int, size: int) -> bytes:
    """`size` bytes of a program file; Errno(EIO) for a file that is shorter (elf_read)."""
    if offset >= 1 << 63:
        raise Errno(EINVAL)
    data = file.read_at(task, offset, size)
    if len(data) != size:
        raise Errno(EIO)
    return data


def load_elf_binary(task: Task, bprm: Binprm) -> None:
    """Makes `bprm`'s ELF program the task's image, or raises Errno(ENOEXEC) while it still can."""
    from emukernel.kernel.exec import begin_new_exec
    from emukernel.kernel.fs.filp_open import close_exec

    image = Image(task, bprm.file, bprm.head)
    if image.type not in (ET_EXEC, ET_DYN):
        raise Errno(ENOEXEC)
    interpreter = _open_interpreter(task, image)
    try:
        mm = begin_new_exec(task, bprm)
        task.personality &= ~READ_IMPLIES_EXEC
        randomize = not task.personality & ADDR_NO_RANDOMIZE
        random = task.kernel.random
        offset = _random_pages(random, _STACK_RANDOM) if randomize else 0
        stack_top = STACK_TOP - offset
        mm.mmap_base = _mmap_base(task, random if randomize else None)
        _setup_stack(task, mm, bprm, stack_top, image.executable_stack())
        bias, end = _load_main(task, mm, image, interpreter is not None, randomize)
        entry = (image.entry + bias) & _MASK64
        base = 0
        if interpreter is not None:
            base = _load_interpreter(task, interpreter)
            entry = (interpreter.entry + base) & _MASK64
        if entry >= TASK_SIZE:
            raise Errno(EINVAL)
        _place_brk(mm, image, interpreter is not None, end, random if randomize else None)
        stack = create_elf_tables(task, bprm, mm, image, stack_top, bias, base)
    finally:
        if interpreter is not None:
            close_exec(interpreter.file)
    bprm.entry, bprm.stack = entry, stack


def _place_brk(
    mm: Mm, image: Image, has_interpreter: bool, end: int, random: RandomSource | None
) -> None:
    """Where the heap starts: behind the program, with a gap, if the layout is random."""
    moved = image.type == ET_DYN and not has_interpreter
    # A static PIE lies among the mappings: its heap gets room of its own.
    start = ELF_ET_DYN_BASE if moved else page_align(end) & _MASK64
    if random is not None:
        start += 0 if moved else 4096
        start += _random_pages(random, _BRK_RANDOM)
    mm.start_brk = mm.brk = start


def _open_interpreter(task: Task, image: Image) -> Image | None:
    name = image.interpreter(task)
    if name is None:
        return None
    from emukernel.kernel.fs.filp_open import close_exec, open_exec

    file = open_exec(task, name)
    try:
        head = read_exact(task, file, 0, _EHDR.size)
        try:
            return Image(task, file, head)
        except Errno:
            raise Errno(ELIBBAD) from None
    except BaseException:
        close_exec(file)
        raise


def _random_pages(random: RandomSource, mask: int) -> int:
    return (int.from_bytes(random.bytes(8), "little") & mask) << 12


def _mmap_base(task: Task, random: RandomSource | None) -> int:
    """Below the stack's limit and its guard gap, with 28 random bits (mmap_base)."""
    gap = task.rlimits[3][0]
    pad = (_STACK_RANDOM << 12) + (256 << 12)
    if gap + pad > gap:
        gap += pad
    gap = min(max(gap, _MIN_GAP), _MAX_GAP)
    offset = _random_pages(random, 0x0FFF_FFFF) if random is not None else 0
    return page_align(TASK_SIZE - gap - offset)


def _setup_stack(task: Task, mm: Mm, bprm: Binprm, top: int, executable: bool) -> None:
    """The stack area: the strings and a little room, the rest when it is touched.

    As in setup_arg_pages the room, but not the strings, keeps to RLIMIT_STACK.
    """
    flags = PROT_READ | PROT_WRITE | VM_MAYWRITE | VM_GROWSDOWN | mm.def_flags
    if executable:
        flags |= PROT_EXEC
    strings = page_align(bprm.string_bytes() + 8)
    limit = task.rlimits[RLIMIT_STACK][0] & -4096
    size = max(strings, min(strings + _STACK_EXPAND, limit))
    mm.insert(Vma(mm, top - size, top, flags, None, (top - size) >> 12))


def _load_main(
    task: Task, mm: Mm, image: Image, has_interpreter: bool, randomize: bool
) -> tuple[int, int]:
    """Maps the program; returns its load bias and the end of its last segment."""
    bias = 0
    kind = MAP_FIXED_NOREPLACE
    total = 0
    if image.type == ET_DYN and image.segments:
        total = image.total_size()
        if not total:
            raise Errno(EINVAL)
        bias = 0
        kind = 0
        alignment = image.alignment()
        if has_interpreter:
            base = ELF_ET_DYN_BASE
            if randomize:
                base += _random_pages(task.kernel.random, 0x0FFF_FFFF)
            bias = base & -alignment
            kind = MAP_FIXED_NOREPLACE
        elif alignment > 4096:
            # Looks where there is room, and goes down from there to an aligned address.
            room = mm.get_unmapped_area(_checked_size(total))
            bias = room & -alignment
            kind = MAP_FIXED_NOREPLACE
        bias = (bias - image.segments[0].vaddr) & -4096
    start_code, end_code, start_data, end_data, end = _MASK64, 0, 0, 0, 0
    for number, segment in enumerate(image.segments):
        vaddr = segment.vaddr
        at = (vaddr + bias) & _MASK64
        mapped = _elf_load(task, image.file, segment, at, kind, total)
        if not number and image.type == ET_DYN:
            bias += mapped - (at & -4096)
        kind, total = MAP_FIXED, 0
        _check_segment(segment, vaddr, EINVAL)
        if segment.flags & PF_X:
            start_code = min(start_code, vaddr)
            end_code = max(end_code, vaddr + segment.filesz)
        start_data = max(start_data, vaddr)
        end_data = max(end_data, vaddr + segment.filesz)
        end = max(end, vaddr + segment.memsz)
    mm.start_code, mm.end_code = (start_code + bias) & _MASK64, (end_code + bias) & _MASK64
    mm.start_data, mm.end_data = (start_data + bias) & _MASK64, (end_data + bias) & _MASK64
    return bias & _MASK64, (end + bias) & _MASK64


def _load_interpreter(task: Task, image: Image) -> int:
    """Maps the interpreter; returns its load bias (load_elf_interp)."""
    if image.type not in (ET_EXEC, ET_DYN):
        raise Errno(EINVAL)
    total = image.total_size()
    if not total:
        raise Errno(EINVAL)
    kind = MAP_FIXED if image.type == ET_EXEC else 0
    bias = 0 if image.type == ET_EXEC else -(image.segments[0].vaddr & -4096)
    for number, segment in enumerate(image.segments):
        at = (segment.vaddr + bias) & _MASK64
        mapped = _elf_load(task, image.file, segment, at, kind, total)
        if not number and image.type == ET_DYN:
            bias += mapped - (at & -4096)
        kind, total = MAP_FIXED, 0
        _check_segment(segment, (segment.vaddr + bias) & _MASK64, ENOMEM)
    return bias & _MASK64


def _check_segment(segment: Segment, address: int, error: int) -> None:
    """Whether a segment lies in user space and its file part in its memory."""
    memsz = segment.memsz
    if address >= TASK_SIZE or segment.filesz > memsz or memsz > TASK_SIZE - address:
        raise Errno(error)


def _checked_size(size: int) -> int:
    if size > TASK_SIZE:
        raise Errno(ENOMEM)
    return page_align(size)


def _elf_load(
    task: Task, file: File, segment: Segment, address: int, kind: int, total: int
) -> int:
    """One segment: file pages, the zeroed rest of the last one, then anonymous pages (elf_load).

    With `total` so much room is found for the segments to come. Returns the address of the first
    page.
    """
    prot = segment.prot()
    skew = segment.vaddr & 4095
    low = address & -4096
    size = page_align(segment.filesz + skew)
    if segment.filesz and size <= _MASK64:
        offset = (segment.offset - skew) & _MASK64
        wanted = page_align(total) if total else size
        if offset & 4095 or offset + page_align(wanted) > _MASK64:
            raise Errno(EINVAL)
        low = do_mmap(task, low, wanted, prot, kind | MAP_PRIVATE, file, offset >> 12)
        if wanted > size:
            task.mm.unmap(low + size, low + wanted)
    if segment.memsz <= segment.filesz:
        return low
    bss = low + skew + segment.filesz
    end = page_align(low + skew + segment.memsz)
    if segment.filesz and bss & 4095:
        _pad_zero(task, bss, prot)
    _map_bss(task, page_align(bss) if segment.filesz else low, end, prot)
    return low


def _pad_zero(task: Task, address: int, prot: int) -> None:
    """Zeroes the rest of a page of the file; where that is read-only it stays as it is."""
    from emukernel.kernel.uaccess import clear_user

    try:
        clear_user(task, address, -address & 4095)
    except Errno:
        if prot & PROT_WRITE:
            raise


def _map_bss(task: Task, start: int, end: int, prot: int) -> None:
    """Anonymous memory, readable and writable whatever the segment says (vm_brk_flags)."""
    if end <= start:
        return
    if end > TASK_SIZE:
        raise Errno(ENOMEM)
    mm = task.mm
    flags = PROT_READ | PROT_WRITE | prot & PROT_EXEC | VM_MAYWRITE | mm.def_flags
    mm.unmap(start, end)
    pages = (end - start) >> 12
    if not may_expand_vm(task, flags, pages):
        raise Errno(ENOMEM)
    may_commit(task, pages)
    mm.insert(Vma(mm, start, end, flags, None, start >> 12))


def create_elf_tables(
    task: Task, bprm: Binprm, mm: Mm, image: Image, top: int, bias: int, base: int
) -> int:
    """Strings, auxiliary vector, envp, argv and argc on the new stack; returns its pointer."""
    from emukernel.kernel.signal.frame import MINSIGSTKSZ
    from emukernel.kernel.uaccess import copy_to_user

    random = task.kernel.random
    # From the top down as Linux: a null word, the file's name, environment, arguments.
    position = top - 8
    blob = []

    def push(text: bytes) -> int:
        nonlocal position
        position -= len(text) + 1
        blob.append(text + b"\0")
        return position

    env_end = execfn = push(bprm.filename)
    envp = [push(text) for text in reversed(bprm.envp)][::-1]
    env_start = arg_end = position
    argv = [push(text) for text in reversed(bprm.argv)][::-1]
    arg_start = position
    strings = b"".join(reversed(blob)) + bytes(8)
    copy_to_user(task, position, strings)
    mm.arg_start, mm.arg_end, mm.env_start, mm.env_end = arg_start, arg_end, env_start, env_end

    offset = random.bytes(1)[0] << 4 if not task.personality & ADDR_NO_RANDOMIZE else 0
    position = ((position & -16) - (offset & 0x1FF0)) & -16
    position -= len(b"x86_64\0")
    platform = position
    copy_to_user(task, platform, b"x86_64\0")
    position -= 16
    random_bytes = position
    copy_to_user(task, random_bytes, random.bytes(16))
    position &= -16

    cred = task.cred
    phdr = _phdr_address(image, bias)
    auxv = [
        (AT_MINSIGSTKSZ, MINSIGSTKSZ),
        (AT_HWCAP, _HWCAP),
        (AT_PAGESZ, 4096),
        (AT_CLKTCK, _CLOCK_TICKS),
        (AT_PHDR, phdr),
        (AT_PHENT, _PHDR.size),
        (AT_PHNUM, image.phnum),
        (AT_BASE, base),
        (AT_FLAGS, 0),
        (AT_ENTRY, (image.entry + bias) & _MASK64),
        (AT_UID, cred.uid),
        (AT_EUID, cred.euid),
        (AT_GID, cred.gid),
        (AT_EGID, cred.egid),
        (AT_SECURE, int(bprm.secure)),
        (AT_RANDOM, random_bytes),
        (AT_HWCAP2, _HWCAP2_FSGSBASE),
        (AT_EXECFN, execfn),
        (AT_PLATFORM, platform),
        (AT_RSEQ_FEATURE_SIZE, 28),
        (AT_RSEQ_ALIGN, 32),
        (AT_NULL, 0),
    ]
    words = [len(argv), *argv, 0, *envp, 0]
    table = pack(f"<{len(words)}Q", *words)
    mm.saved_auxv = b"".join(pack("<QQ", *pair) for pair in auxv)
    table += mm.saved_auxv
    position = (position - len(table)) & -16
    copy_to_user(task, position, table)
    mm.start_stack = position
    return position


def _phdr_address(image: Image, bias: int) -> int:
    """Where the program headers are in memory: in the last segment that has their file offset."""
    address = 0
    for segment in image.segments:
        if segment.offset <= image.phoff < segment.offset + segment.filesz:
            address = image.phoff - segment.offset + segment.vaddr
    return (address + bias) & _MASK64


def missing_interpreter(task: Task, name: bytes) -> bytes | None:
    """The interpreter that a dynamic program names and the tree lacks, for a clear message."""
    from emukernel.kernel.fs.filp_open import close_exec, open_exec

    try:
        file = open_exec(task, name)
    except Errno:
        return None
    try:
        interpreter = Image(task, file, file.read_at(task, 0, _EHDR.size)).interpreter(task)
    except Errno:
        return None
    finally:
        close_exec(file)
    if interpreter is None:
        return None
    try:
        close_exec(open_exec(task, interpreter))
    except Errno:
        return interpreter
    return None
