"""Calls through which a program can do what its policy says nothing of.

Each with the argument that makes it so ("" where it is the call itself), a few words, and why.
"""

from __future__ import annotations


class Wide:
    """One of them."""

    __slots__ = ("field", "text", "title")

    def __init__(self, field: str, title: str, text: str) -> None:
        self.field = field
        self.title = title
        self.text = text


_URING = Wide(
    "",
    "other calls by other means",
    "io_uring carries out reads, writes, opens, connections and more on behalf of the program, "
    "from memory: a filter sees none of these.",
)
_OTHER_MEMORY = Wide(
    "",
    "it reads and writes other programs",
    "What a program that is less confined does can be changed from here: its memory is written, "
    "and it makes the calls.",
)
_MODULES = Wide("", "code for the kernel", "What is loaded into the kernel is held to no policy.")

WIDE: dict[str, Wide] = {
    "ioctl": Wide(
        "cmd",
        "hundreds of calls in one",
        "ioctl is a system call of its own for every driver and command: TIOCSTI types at the "
        "terminal, others change addresses, keys and disks. Name the commands (cmd == ...).",
    ),
    "prctl": Wide(
        "option",
        "dozens of calls in one",
        "Each option of prctl is a call of its own: it makes the program traceable by others, "
        "changes what it inherits, renames it. Name the options (option == ...).",
    ),
    "clone": Wide(
        "clone_flags",
        "threads, processes and namespaces alike",
        "With any flags clone makes threads, processes and, with CLONE_NEW*, whole namespaces in "
        "which the program is root. Name the flags (clone_flags == ...).",
    ),
    "clone3": Wide(
        "",
        "threads, processes and namespaces alike",
        "clone3 has its flags in memory, where no filter can look: it can't be allowed for threads "
        "only. C libraries fall back to clone where it fails.",
    ),
    "unshare": Wide(
        "unshare_flags",
        "new namespaces",
        "In a user namespace of its own the program has every capability, and with them most of "
        "the kernel's code in reach.",
    ),
    "execve": Wide(
        "",
        "any program there is",
        "The policy stays in force, and whatever it allows is now allowed to every program in the "
        "tree, among them some that are set-user-id.",
    ),
    "execveat": Wide(
        "",
        "any program there is",
        "The policy stays in force, and whatever it allows is now allowed to every program in the "
        "tree or behind a descriptor.",
    ),
    "ptrace": Wide(
        "request",
        "it governs other programs",
        "A program that is less confined can be made to do anything by whoever may trace it: it "
        "makes the calls, under its own policy or none.",
    ),
    "process_vm_writev": _OTHER_MEMORY,
    "process_vm_readv": _OTHER_MEMORY,
    "pidfd_getfd": Wide(
        "",
        "descriptors of other programs",
        "What another program has open, this one can take for itself.",
    ),
    "io_uring_setup": _URING,
    "io_uring_enter": _URING,
    "io_uring_register": _URING,
    "init_module": _MODULES,
    "finit_module": _MODULES,
    "kexec_load": _MODULES,
    "bpf": Wide("cmd", "programs in the kernel", "Programs that run in the kernel see all calls."),
    "mount": Wide(
        "", "another tree", "What a path means can be changed under every program that uses it."
    ),
    "open_by_handle_at": Wide(
        "",
        "files without a path",
        "Files are opened by number, past every directory and mount that would keep them away.",
    ),
    "process_madvise": _OTHER_MEMORY,
    "personality": Wide(
        "personality",
        "it turns protections off",
        "READ_IMPLIES_EXEC makes what is readable executable, ADDR_NO_RANDOMIZE fixes addresses.",
    ),
    "fcntl": Wide(
        "cmd",
        "dozens of calls in one",
        "fcntl duplicates descriptors, so that any file gets a number that others of the policy's "
        "entries allow, sets flags, locks and owners. Name the commands (cmd == ...).",
    ),
    "setsockopt": Wide(
        "optname",
        "hundreds of options in one",
        "Options of sockets reach deep into the network's code. Name those that are needed.",
    ),
    "keyctl": Wide(
        "option", "dozens of calls in one", "Each option of keyctl is a call of its own."
    ),
}
