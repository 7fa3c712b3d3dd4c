"""/proc/sys (Linux: fs/proc/proc_sysctl.c). A value is a function of the kernel, to read.

Writing is refused but for the few names that keep what was written: see WRITABLE, and the limits
of IPC.
"""

from __future__ import annotations

from functools import partial

from emukernel.kernel.errno import EACCES, EINVAL, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.inode import SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory, KernFile
from emukernel.kernel.ipc.ipc_sysctl import LIMITS, show_limit, store_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task


def _uuid(data: bytes) -> str:
    raw = bytearray(data)
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _boot_id(kernel: Kernel) -> str:
    vfs = kernel.vfs
    if not vfs.boot_id:
        vfs.boot_id = kernel.random.bytes(16)
    return _uuid(vfs.boot_id)


def _new_uuid(kernel: Kernel) -> str:
    return _uuid(kernel.random.bytes(16))


def _hostname(kernel: Kernel) -> str:
    return str(kernel.uts.nodename)


def _domainname(kernel: Kernel) -> str:
    return str(kernel.uts.domainname)


def _osrelease(kernel: Kernel) -> str:
    return str(kernel.uts.release)


def _ostype(kernel: Kernel) -> str:
    return str(kernel.uts.sysname)


def _version(kernel: Kernel) -> str:
    return str(kernel.uts.version)


def _file_max(kernel: Kernel) -> str:
    return str(max(kernel.memory.frames * 4 // 10, 8192))


def _open_files(kernel: Kernel) -> int:
    tables = {id(t.files): t.files for t in kernel.tasks.values()}.values()
    return len({id(file) for files in tables for file in files.table.values()})


def _file_nr(kernel: Kernel) -> str:
    return f"{_open_files(kernel)}\t0\t{_file_max(kernel)}"


def _threads_max(kernel: Kernel) -> str:
    return str(kernel.max_threads)


def _ns_last_pid(kernel: Kernel) -> str:
    return str(kernel.last_pid)


def _pty_nr(kernel: Kernel) -> str:
    from emukernel.kernel.fs.devpts import DevptsSuperBlock

    mnt = kernel.vfs.devpts
    assert mnt is not None
    assert isinstance(mnt.sb, DevptsSuperBlock)
    return str(mnt.sb.pairs)


_BUFFER = "212992"

VALUES: dict[bytes, str | Callable[[Kernel], str]] = {
    b"dev/tty/legacy_tiocsti": "0",
    b"fs/dir-notify-enable": "0",
    b"fs/file-max": _file_max,
    b"fs/file-nr": _file_nr,
    b"fs/inotify/max_queued_events": "16384",
    b"fs/inotify/max_user_instances": "128",
    b"fs/inotify/max_user_watches": "65536",
    b"fs/mount-max": "100000",
    b"fs/nr_open": "1048576",
    b"fs/overflowgid": "65534",
    b"fs/overflowuid": "65534",
    b"fs/pipe-max-size": "1048576",
    b"fs/protected_hardlinks": "1",
    b"fs/protected_symlinks": "0",
    b"fs/suid_dumpable": "0",
    b"kernel/arch": "x86_64",
    b"kernel/cap_last_cap": "40",
    b"kernel/core_pattern": "core",
    b"kernel/core_uses_pid": "0",
    b"kernel/dmesg_restrict": "0",
    b"kernel/domainname": _domainname,
    b"kernel/hostname": _hostname,
    b"kernel/kptr_restrict": "0",
    b"kernel/ngroups_max": "65536",
    b"kernel/ns_last_pid": _ns_last_pid,
    b"kernel/osrelease": _osrelease,
    b"kernel/ostype": _ostype,
    b"kernel/overflowgid": "65534",
    b"kernel/overflowuid": "65534",
    b"kernel/panic": "0",
    b"kernel/panic_on_oops": "0",
    b"kernel/pid_max": "32768",
    b"kernel/printk": "7\t4\t1\t7",
    b"kernel/pty/max": "4096",
    b"kernel/pty/nr": _pty_nr,
    b"kernel/pty/reserve": "1024",
    b"kernel/random/boot_id": _boot_id,
    b"kernel/random/entropy_avail": "256",
    b"kernel/random/poolsize": "256",
    b"kernel/random/uuid": _new_uuid,
    b"kernel/randomize_va_space": "2",
    b"kernel/tainted": "0",
    b"kernel/threads-max": _threads_max,
    b"kernel/version": _version,
    b"net/core/rmem_default": _BUFFER,
    b"net/core/rmem_max": _BUFFER,
    b"net/core/somaxconn": "4096",
    b"net/core/wmem_default": _BUFFER,
    b"net/core/wmem_max": _BUFFER,
    b"net/ipv4/ip_local_port_range": "32768\t60999",
    b"net/ipv4/ip_unprivileged_port_start": "1024",
    b"net/unix/max_dgram_qlen": "10",
    b"vm/max_map_count": "65530",
    b"vm/mmap_min_addr": "4096",
    b"vm/nr_hugepages": "0",
    b"vm/oom_dump_tasks": "0",
    b"vm/oom_kill_allocating_task": "0",
    b"vm/overcommit_kbytes": "0",
    b"vm/overcommit_memory": "0",
    b"vm/overcommit_ratio": "50",
    b"vm/panic_on_oom": "0",
    b"vm/swappiness": "0",
}

VALUES |= {name: partial(show_limit, name=name) for name in LIMITS}

WRITABLE = {b"kernel/hostname": "nodename", b"kernel/domainname": "domainname"}
"""Names that can be written, and the attribute of `kernel.uts` behind each."""

_UTS_LEN = 64


class SysctlDirectory(KernDirectory):
    """A directory of /proc/sys; `path` is its name below that, ending in "/" or empty."""

    __slots__ = ("path",)

    strict = True

    def __init__(self, sb: SuperBlock, path: bytes) -> None:
        super().__init__(sb)
        self.path = path

    def populate(self, dentry: Dentry) -> None:
        names: dict[bytes, bool] = {}
        for full in VALUES:
            if full.startswith(self.path):
                name, slash, _ = full[len(self.path) :].partition(b"/")
                names[name] = bool(slash)
        for name, directory in names.items():
            if directory:
                self.add(dentry, name, SysctlDirectory(self.sb, self.path + name + b"/"))
            else:
                self.add(dentry, name, SysctlFile(self.sb, self.path + name))


class SysctlFile(KernFile):
    """One value."""

    __slots__ = ("name",)

    def __init__(self, sb: SuperBlock, name: bytes) -> None:
        super().__init__(sb, 0o644 if name in WRITABLE or name in LIMITS else 0o444)
        self.name = name

    def show(self, task: Task) -> bytes:
        value = VALUES[self.name]
        text = value if isinstance(value, str) else value(task.kernel)
        return text.encode() + b"\n"

    def store(self, task: Task, data: bytes) -> int:
        if self.name in LIMITS:
            store_limit(task.kernel, self.name, data)
            return len(data)
        attribute = WRITABLE.get(self.name)
        if attribute is None:
            raise Errno(EACCES)
        line = data.partition(b"\n")[0].partition(b"\0")[0][:_UTS_LEN]
        try:
            setattr(task.kernel.uts, attribute, line.decode("latin-1"))
        except ValueError:
            raise Errno(EINVAL) from None
        return len(data)

