"""Files of /proc about the machine (Linux: fs/proc/{meminfo,stat,…}.c)."""

from __future__ import annotations

from emukernel.kernel.sched.loadavg import FIXED_1, FSHIFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.signal.structs import Usage
    from emukernel.kernel.task import Task

NS = 10**9
USER_HZ = 100
_TICK_NS = NS // USER_HZ

FILESYSTEMS = b"".join(
    b"nodev\t%s\n" % name
    for name in (
        b"sysfs",
        b"tmpfs",
        b"proc",
        b"devtmpfs",
        b"debugfs",
        b"tracefs",
        b"sockfs",
        b"pipefs",
        b"ramfs",
        b"devpts",
    )
)


def total_usage(kernel: Kernel) -> Usage:
    """What all tasks since boot have used."""
    from emukernel.kernel.signal.structs import Usage

    used = Usage()
    used.add(kernel.ended)
    for task in kernel.tasks.values():
        if task.state not in "ZX":
            used.add(task)
    return used


def spaces(kernel: Kernel) -> list[Mm]:
    """Every address space once."""
    live = [t for t in kernel.tasks.values() if t.mm is not None and t.state not in "ZX"]
    return list({id(t.mm): t.mm for t in live}.values())


def shmem_pages(kernel: Kernel) -> int:
    """Pages held by all tmpfs and shared memory."""
    from emukernel.kernel.fs.shmem import ShmemSuperBlock

    supers = {id(m.sb): m.sb for m in [*kernel.vfs.mounts, *kernel.vfs.pseudo.values()]}
    return sum(sb.used_blocks for sb in supers.values() if isinstance(sb, ShmemSuperBlock))


class Pages:
    """Pages by use: `anon` are programs' own, `cached` those of files in memory (`shmem` those of
    tmpfs among them, `mapped` as often as they are mapped), `tables` page tables."""

    __slots__ = ("anon", "cached", "mapped", "shmem", "tables")

    def __init__(self, kernel: Kernel) -> None:
        from emukernel.kernel.fs.proc.status import rss_kinds
        from emukernel.kernel.fs.shmem import ShmemMapping

        everywhere = spaces(kernel)
        kinds = [rss_kinds(mm) for mm in everywhere]
        self.anon = sum(anon for anon, _, _ in kinds)
        self.mapped = sum(file + shmem for _, file, shmem in kinds)
        self.tables = sum(mm.page_table.frames for mm in everywhere)
        self.shmem = shmem_pages(kernel)
        # Of other file systems: what is mapped or open.
        caches = {id(v.mapping): v.mapping for mm in everywhere for v in mm.vmas if v.mapping}
        for files in {id(t.files): t.files for t in kernel.tasks.values()}.values():
            for file in files.table.values():
                if file.mapping is not None:
                    caches[id(file.mapping)] = file.mapping
        self.cached = self.shmem + sum(
            len(cache.pages)
            for cache in caches.values()
            if not isinstance(cache, ShmemMapping)
        )


def meminfo(task: Task) -> bytes:
    """/proc/meminfo"""
    kernel = task.kernel
    memory = kernel.memory
    total = memory.frames * 4
    free = memory.free_frames * 4
    pages = Pages(kernel)
    everywhere = spaces(kernel)
    locked = sum(mm.locked_vm for mm in everywhere) * 4
    committed = (sum(mm.data_vm for mm in everywhere) + pages.shmem) * 4
    clean = (pages.cached - pages.shmem) * 4
    rows = (
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", min(free + clean, total)),
        ("Buffers", 0),
        ("Cached", pages.cached * 4),
        ("SwapCached", 0),
        ("Active", pages.anon * 4),
        ("Inactive", pages.cached * 4),
        ("Active(anon)", pages.anon * 4),
        ("Inactive(anon)", pages.shmem * 4),
        ("Active(file)", 0),
        ("Inactive(file)", clean),
        ("Unevictable", 0),
        ("Mlocked", locked),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", pages.anon * 4),
        ("Mapped", pages.mapped * 4),
        ("Shmem", pages.shmem * 4),
        ("KReclaimable", 0),
        ("Slab", kernel.slab.frames * 4),
        ("SReclaimable", 0),
        ("SUnreclaim", kernel.slab.frames * 4),
        ("KernelStack", 0),
        ("PageTables", pages.tables * 4),
        ("CommitLimit", total // 2),
        ("Committed_AS", committed),
        ("VmallocTotal", 34359738367),
        ("VmallocUsed", 0),
        ("VmallocChunk", 0),
        ("HugePages_Total", None),
        ("HugePages_Free", None),
        ("HugePages_Rsvd", None),
        ("HugePages_Surp", None),
        ("Hugepagesize", 2048),
        ("Hugetlb", 0),
    )
    lines = [
        f"{name + ':':<16}{0:>8}\n" if value is None else f"{name + ':':<16}{value:>8} kB\n"
        for name, value in rows
    ]
    return "".join(lines).encode()


def vmstat(task: Task) -> bytes:
    """/proc/vmstat: what is kept of it"""
    kernel = task.kernel
    pages = Pages(kernel)
    used = total_usage(kernel)
    rows = (
        ("nr_free_pages", kernel.memory.free_frames),
        ("nr_anon_pages", pages.anon),
        ("nr_mapped", pages.mapped),
        ("nr_file_pages", pages.cached),
        ("nr_shmem", pages.shmem),
        ("nr_page_table_pages", pages.tables),
        ("pgfault", used.min_flt + used.maj_flt),
        ("pgmajfault", used.maj_flt),
        ("oom_kill", kernel.oom_kills),
    )
    return "".join(f"{name} {value}\n" for name, value in rows).encode()


# CPUID of the emulated processor: leaves 1, 7, 0x80000001 and the brand string.
_FLAGS = (
    "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
    "syscall nx rdtscp lm rep_good nopl cpuid pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 movbe popcnt "
    "aes xsave rdrand hypervisor lahf_lm abm fsgsbase bmi1 smep bmi2 erms"
)
_CPUINFO = (
    ("processor\t", "0"),
    ("vendor_id\t", "GenuineIntel"),
    ("cpu family\t", "6"),
    ("model\t\t", "60"),
    ("model name\t", "Intel Core Processor (Haswell)"),
    ("stepping\t", "4"),
    ("physical id\t", "0"),
    ("siblings\t", "1"),
    ("core id\t\t", "0"),
    ("cpu cores\t", "1"),
    ("apicid\t\t", "0"),
    ("initial apicid\t", "0"),
    ("fpu\t\t", "yes"),
    ("fpu_exception\t", "yes"),
    ("cpuid level\t", "13"),
    ("wp\t\t", "yes"),
    ("flags\t\t", _FLAGS),
    ("bugs\t\t", ""),
    ("clflush size\t", "64"),
    ("cache_alignment\t", "64"),
    ("address sizes\t", "40 bits physical, 48 bits virtual"),
    ("power management", ""),
)


def cpuinfo(task: Task) -> bytes:
    """/proc/cpuinfo"""
    text = "".join(
        f"{name}:{' ' + value if value or name.endswith(chr(9)) else ''}\n"
        for name, value in _CPUINFO
    )
    return (text + "\n").encode()


def uptime(task: Task) -> bytes:
    """/proc/uptime: seconds since boot, and idle ones"""
    up = task.kernel.clock.boottime() // 10**7
    used = total_usage(task.kernel)
    idle = max(up - (used.utime_ns + used.stime_ns) // 10**7, 0)
    return b"%d.%02d %d.%02d\n" % (up // 100, up % 100, idle // 100, idle % 100)


def loadavg(task: Task) -> bytes:
    """/proc/loadavg"""
    kernel = task.kernel
    tasks = kernel.tasks
    running = sum(t.state == "R" for t in tasks.values())
    kernel.loadavg.sample(kernel.clock.monotonic(), running)
    # Rounded up by half a hundredth, as in fs/proc/loadavg.c.
    loads = [load + FIXED_1 // 200 for load in kernel.loadavg.avenrun]
    shown = [b"%d.%02d" % (n >> FSHIFT, (n % FIXED_1) * 100 >> FSHIFT) for n in loads]
    return b"%b %d/%d %d\n" % (b" ".join(shown), running, len(tasks), kernel.last_pid)


def version(task: Task) -> bytes:
    """/proc/version"""
    uts = task.kernel.uts
    return f"{uts.sysname} version {uts.release} (emukernel) {uts.version}\n".encode()


def stat(task: Task) -> bytes:
    """/proc/stat: times in 1/100 s"""
    kernel = task.kernel
    clock = kernel.clock
    used = total_usage(kernel)
    user, system = used.utime_ns // _TICK_NS, used.stime_ns // _TICK_NS
    up = clock.boottime() // _TICK_NS
    idle = max(up - user - system, 0)
    running = sum(t.state == "R" for t in kernel.tasks.values())
    line = f"{user} 0 {system} {idle} 0 0 0 0 0 0\n"
    return (
        f"cpu  {line}cpu0 {line}intr 0\nctxt {used.nvcsw + used.nivcsw}\n"
        f"btime {(clock.realtime() - clock.boottime()) // NS}\n"
        f"processes {kernel.total_forks}\nprocs_running {running}\nprocs_blocked 0\n"
        "softirq 0 0 0 0 0 0 0 0 0 0 0\n"
    ).encode()


def cmdline(task: Task) -> bytes:
    """/proc/cmdline"""
    options = task.kernel.options
    text = f"seccomp_abi={options.seccomp_abi}"
    if not options.ptregs_events:
        text += " ptregs_events=0"
    return text.encode() + b"\n"


def devices(task: Task) -> bytes:
    """/proc/devices"""
    return b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n"


def swaps(task: Task) -> bytes:
    """/proc/swaps"""
    return b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def interrupts(task: Task) -> bytes:
    """/proc/interrupts: one CPU, and no devices that would interrupt it"""
    return b"            CPU0       \n"


def partitions(task: Task) -> bytes:
    """/proc/partitions: there are no disks"""
    return b""


def empty(task: Task) -> bytes:
    """/proc/modules and diskstats: the kernel has no modules, the machine no disks"""
    return b""


FILES: tuple[tuple[bytes, Callable[[Task], bytes]], ...] = (
    (b"cmdline", cmdline),
    (b"cpuinfo", cpuinfo),
    (b"devices", devices),
    (b"diskstats", empty),
    (b"interrupts", interrupts),
    (b"loadavg", loadavg),
    (b"meminfo", meminfo),
    (b"modules", empty),
    (b"partitions", partitions),
    (b"stat", stat),
    (b"swaps", swaps),
    (b"uptime", uptime),
    (b"version", version),
    (b"vmstat", vmstat),
)
