"""Files of /proc about the machine (Linux: fs/proc/{meminfo,stat,uptime,loadavg,version}.c)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
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
    )
)


def busy_ns(kernel: Kernel) -> tuple[int, int]:
    """CPU time of all tasks in user mode and in the kernel."""
    tasks = kernel.tasks.values()
    return sum(t.utime_ns for t in tasks), sum(t.stime_ns for t in tasks)


def page_cache_pages(kernel: Kernel) -> tuple[int, int]:
    """Pages held by all tmpfs, and those among them of shared memory."""
    from emukernel.kernel.fs.shmem import ShmemSuperBlock

    counted = {}
    for mnt in [*kernel.vfs.mounts, *kernel.vfs.pseudo.values()]:
        if isinstance(mnt.sb, ShmemSuperBlock):
            counted[id(mnt.sb)] = mnt.sb.used_blocks
    total = sum(counted.values())
    return total, total


def meminfo(task: Task) -> bytes:
    """/proc/meminfo"""
    kernel = task.kernel
    memory = kernel.memory
    total = memory.frames * 4
    free = memory.free_frames * 4
    cached, shmem = page_cache_pages(kernel)
    spaces = {id(t.mm): t.mm for t in kernel.tasks.values() if t.mm is not None}.values()
    anon = sum(mm.rss for mm in spaces) * 4
    committed = sum(mm.data_vm for mm in spaces) * 4
    rows = (
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", cached * 4),
        ("SwapCached", 0),
        ("Active", anon),
        ("Inactive", cached * 4),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", anon),
        ("Mapped", anon),
        ("Shmem", shmem * 4),
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
    idle = max(up - sum(busy_ns(task.kernel)) // 10**7, 0)
    return b"%d.%02d %d.%02d\n" % (up // 100, up % 100, idle // 100, idle % 100)


def loadavg(task: Task) -> bytes:
    """/proc/loadavg. The averages are not kept: a machine that just booted has none."""
    tasks = task.kernel.tasks
    running = sum(t.state == "R" for t in tasks.values())
    return b"0.00 0.00 0.00 %d/%d %d\n" % (running, len(tasks), max(tasks))


def version(task: Task) -> bytes:
    """/proc/version"""
    uts = task.kernel.uts
    return f"{uts.sysname} version {uts.release} (emukernel) {uts.version}\n".encode()


def stat(task: Task) -> bytes:
    """/proc/stat: times in 1/100 s"""
    kernel = task.kernel
    clock = kernel.clock
    user, system = (ns // _TICK_NS for ns in busy_ns(kernel))
    up = clock.boottime() // _TICK_NS
    idle = max(up - user - system, 0)
    tasks = kernel.tasks.values()
    line = f"{user} 0 {system} {idle} 0 0 0 0 0 0\n"
    return (
        f"cpu  {line}cpu0 {line}intr 0\nctxt {sum(t.nvcsw + t.nivcsw for t in tasks)}\n"
        f"btime {(clock.realtime() - clock.boottime()) // NS}\n"
        f"processes {len(kernel.tasks)}\n"
        f"procs_running {sum(t.state == 'R' for t in tasks)}\nprocs_blocked 0\n"
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


FILES: tuple[tuple[bytes, Callable[[Task], bytes]], ...] = (
    (b"cmdline", cmdline),
    (b"cpuinfo", cpuinfo),
    (b"devices", devices),
    (b"loadavg", loadavg),
    (b"meminfo", meminfo),
    (b"stat", stat),
    (b"swaps", swaps),
    (b"uptime", uptime),
    (b"version", version),
)
