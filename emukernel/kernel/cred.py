"""Who a task is and what it may do: credentials, and the calls that read and change ids.

security/commoncap.c and kernel/sys.c, kernel/groups.c. A Cred is shared by whoever inherited it and
never changes: a call that changes something gives its task a new one (`commit_creds`).
"""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import EINVAL, EPERM, Errno
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.task import Task

CAP_CHOWN = 0
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_FOWNER = 3
CAP_FSETID = 4
CAP_KILL = 5
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SETPCAP = 8
CAP_LINUX_IMMUTABLE = 9
CAP_IPC_LOCK = 14
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
CAP_SYS_NICE = 23
CAP_SYS_RESOURCE = 24
CAP_SYS_TIME = 25
CAP_MKNOD = 27
CAP_MAC_OVERRIDE = 32
CAP_SYSLOG = 34
CAP_LAST_CAP = 40
CAP_FULL_SET = (1 << CAP_LAST_CAP + 1) - 1

_FS_CAPS = (
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_LINUX_IMMUTABLE,
    CAP_MKNOD,
    CAP_MAC_OVERRIDE,
)
CAP_FS_SET = sum(1 << cap for cap in _FS_CAPS)
"""What comes and goes with fsuid 0."""

SECBIT_NOROOT = 1 << 0
SECBIT_NO_SETUID_FIXUP = 1 << 2
SECBIT_KEEP_CAPS = 1 << 4
SECBIT_KEEP_CAPS_LOCKED = 1 << 5
SECBIT_NO_CAP_AMBIENT_RAISE = 1 << 6
SECURE_ALL_BITS = 0x55
SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1

SUID_DUMP_DISABLE = 0
SUID_DUMP_USER = 1

NO_ID = 0xFFFF_FFFF
"""-1 as uid_t or gid_t: leave as it is, where a call allows it."""

NGROUPS_MAX = 65536
_S_ISUID, _S_ISGID, _S_IXGRP = 0o4000, 0o2000, 0o010


class Cred:
    """Ids and capabilities (struct cred). Capability sets are ints, bit N being capability N."""

    __slots__ = (
        "cap_ambient",
        "cap_bset",
        "cap_effective",
        "cap_inheritable",
        "cap_permitted",
        "egid",
        "euid",
        "fsgid",
        "fsuid",
        "gid",
        "groups",
        "securebits",
        "sgid",
        "suid",
        "uid",
    )

    def __init__(self, uid: int = 0, gid: int = 0, groups: tuple[int, ...] = ()) -> None:
        self.uid = self.euid = self.suid = self.fsuid = uid
        self.gid = self.egid = self.sgid = self.fsgid = gid
        self.groups = groups
        self.cap_bset = CAP_FULL_SET
        self.cap_permitted = self.cap_effective = 0
        self.cap_inheritable = self.cap_ambient = 0
        self.securebits = 0

    @classmethod
    def for_user(cls, uid: int = 0, gid: int = 0) -> Cred:
        """What a login as `uid` and `gid` gives: every capability for root, none for others."""
        cred = cls(uid, gid)
        if uid == 0:
            cred.cap_permitted = cred.cap_effective = CAP_FULL_SET
        return cred

    def copy(self) -> Cred:
        """One to change, before any task has it."""
        new = Cred.__new__(Cred)
        for name in Cred.__slots__:
            setattr(new, name, getattr(self, name))
        return new

    def capable(self, cap: int) -> bool:
        """Is the capability in the effective set?"""
        return bool(self.cap_effective >> cap & 1)

    def in_group(self, gid: int) -> bool:
        """Is `gid` the effective group or a supplementary one?"""
        return gid == self.egid or gid in self.groups


def capable(task: Task, cap: int) -> bool:
    """Has the task the capability, now?"""
    return task.cred.capable(cap)


def commit_creds(task: Task, new: Cred) -> None:
    """Gives a task new credentials.

    Who becomes someone else, or more capable, is no longer to be traced and dumped by who it was,
    and gets no signal at its parent's death.
    """
    old = task.cred
    if (
        old.euid != new.euid
        or old.egid != new.egid
        or old.fsuid != new.fsuid
        or old.fsgid != new.fsgid
        or new.cap_permitted & ~old.cap_permitted
    ):
        task.dumpable = SUID_DUMP_DISABLE
        task.pdeath_signal = 0
    task.cred = new


def _emulate_setxuid(old: Cred, new: Cred) -> None:
    """Capabilities follow the change of uids to and from 0 (cap_emulate_setxuid)."""
    if new.securebits & SECBIT_NO_SETUID_FIXUP:
        return
    if 0 in (old.uid, old.euid, old.suid) and 0 not in (new.uid, new.euid, new.suid):
        if not new.securebits & SECBIT_KEEP_CAPS:
            new.cap_permitted = new.cap_effective = 0
        # Programs older than ambient capabilities count on execve to drop everything now.
        new.cap_ambient = 0
    if old.euid == 0 and new.euid != 0:
        new.cap_effective = 0
    if old.euid != 0 and new.euid == 0:
        new.cap_effective = new.cap_permitted


def exec_cred(
    cred: Cred, inode: Inode, nosuid: bool, no_new_privs: bool = False
) -> tuple[Cred, bool]:
    """Credentials of a program started from `inode`, and whether it is to be wary (AT_SECURE).

    cap_bprm_creds_from_file: set-id bits, which `nosuid` (the mount's option) or `no_new_privs`
    turns off; root's capabilities; ambient ones. Files carry no capabilities here.
    """
    new = cred.copy()
    mode = inode.mode
    if not nosuid and not no_new_privs:
        if mode & _S_ISUID:
            new.euid = inode.uid
        if mode & (_S_ISGID | _S_IXGRP) == _S_ISGID | _S_IXGRP:
            new.egid = inode.gid
    is_setid = new.euid != cred.uid or new.egid != cred.gid

    effective = False
    permitted = 0
    if not new.securebits & SECBIT_NOROOT and 0 in (new.euid, new.uid):
        permitted = cred.cap_bset | cred.cap_inheritable
        effective = new.euid == 0
    if no_new_privs and (is_setid or permitted & ~cred.cap_permitted):
        new.euid, new.egid = new.uid, new.gid
        permitted &= cred.cap_permitted
    new.suid = new.fsuid = new.euid
    new.sgid = new.fsgid = new.egid
    if is_setid:
        new.cap_ambient = 0
    new.cap_permitted = permitted | new.cap_ambient
    new.cap_effective = new.cap_permitted if effective else new.cap_ambient
    new.securebits &= ~SECBIT_KEEP_CAPS
    gained = effective or bool(new.cap_permitted & ~new.cap_ambient)
    return new, is_setid or (new.uid != 0 and gained)


# -- user ids --------------------------------------------------------------------------------


def _uids(cred: Cred) -> tuple[int, int, int]:
    return cred.uid, cred.euid, cred.suid


def sys_getuid(task: Task) -> int:
    """getuid(2)."""
    return task.cred.uid


def sys_geteuid(task: Task) -> int:
    """geteuid(2)."""
    return task.cred.euid


def sys_setuid(task: Task, uid: int) -> int:
    """setuid(2): all three ids with CAP_SETUID, else only the effective one."""
    old = task.cred
    if uid == NO_ID:
        raise Errno(EINVAL)
    new = old.copy()
    if old.capable(CAP_SETUID):
        new.uid = new.suid = uid
    elif uid not in (old.uid, old.suid):
        raise Errno(EPERM)
    new.fsuid = new.euid = uid
    _emulate_setxuid(old, new)
    commit_creds(task, new)
    return 0


def sys_setreuid(task: Task, ruid: int, euid: int) -> int:
    """setreuid(2). -1 leaves an id as it is."""
    old = task.cred
    privileged = old.capable(CAP_SETUID)
    new = old.copy()
    if ruid != NO_ID:
        if ruid not in (old.uid, old.euid) and not privileged:
            raise Errno(EPERM)
        new.uid = ruid
    if euid != NO_ID:
        if euid not in (old.uid, old.euid, old.suid) and not privileged:
            raise Errno(EPERM)
        new.euid = euid
    if ruid != NO_ID or (euid != NO_ID and euid != old.uid):
        new.suid = new.euid
    new.fsuid = new.euid
    _emulate_setxuid(old, new)
    commit_creds(task, new)
    return 0


def sys_setresuid(task: Task, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2). -1 leaves an id as it is."""
    old = task.cred
    wanted = (ruid, euid, suid)
    changes = [new not in (NO_ID, was) for new, was in zip(wanted, _uids(old), strict=True)]
    if not any(changes) and euid in (NO_ID, old.fsuid):
        # Nothing changes: not even the file system's id, which may be another than the effective.
        return 0
    mine = (NO_ID, *_uids(old))
    if not set(wanted).issubset(mine) and not old.capable(CAP_SETUID):
        raise Errno(EPERM)
    new = old.copy()
    if ruid != NO_ID:
        new.uid = ruid
    if euid != NO_ID:
        new.euid = euid
    if suid != NO_ID:
        new.suid = suid
    new.fsuid = new.euid
    _emulate_setxuid(old, new)
    commit_creds(task, new)
    return 0


def sys_getresuid(task: Task, ruidp: int, euidp: int, suidp: int) -> int:
    """getresuid(2)."""
    cred = task.cred
    put_user_u32(task, ruidp, cred.uid)
    put_user_u32(task, euidp, cred.euid)
    put_user_u32(task, suidp, cred.suid)
    return 0


def sys_setfsuid(task: Task, uid: int) -> int:
    """setfsuid(2): returns the previous id, whether or not it changed."""
    old = task.cred
    mine = (old.uid, old.euid, old.suid, old.fsuid)
    if uid in (NO_ID, old.fsuid) or not (uid in mine or old.capable(CAP_SETUID)):
        return old.fsuid
    new = old.copy()
    new.fsuid = uid
    if not old.securebits & SECBIT_NO_SETUID_FIXUP:
        if old.fsuid == 0:
            new.cap_effective &= ~CAP_FS_SET
        elif uid == 0:
            new.cap_effective |= CAP_FS_SET & new.cap_permitted
    commit_creds(task, new)
    return old.fsuid


# -- group ids -------------------------------------------------------------------------------


def _gids(cred: Cred) -> tuple[int, int, int]:
    return cred.gid, cred.egid, cred.sgid


def sys_getgid(task: Task) -> int:
    """getgid(2)."""
    return task.cred.gid


def sys_getegid(task: Task) -> int:
    """getegid(2)."""
    return task.cred.egid


def sys_setgid(task: Task, gid: int) -> int:
    """setgid(2)."""
    old = task.cred
    if gid == NO_ID:
        raise Errno(EINVAL)
    new = old.copy()
    if old.capable(CAP_SETGID):
        new.gid = new.sgid = gid
    elif gid not in (old.gid, old.sgid):
        raise Errno(EPERM)
    new.fsgid = new.egid = gid
    commit_creds(task, new)
    return 0


def sys_setregid(task: Task, rgid: int, egid: int) -> int:
    """setregid(2). -1 leaves an id as it is."""
    old = task.cred
    privileged = old.capable(CAP_SETGID)
    new = old.copy()
    if rgid != NO_ID:
        if rgid not in (old.gid, old.egid) and not privileged:
            raise Errno(EPERM)
        new.gid = rgid
    if egid != NO_ID:
        if egid not in (old.gid, old.egid, old.sgid) and not privileged:
            raise Errno(EPERM)
        new.egid = egid
    if rgid != NO_ID or (egid != NO_ID and egid != old.gid):
        new.sgid = new.egid
    new.fsgid = new.egid
    commit_creds(task, new)
    return 0


def sys_setresgid(task: Task, rgid: int, egid: int, sgid: int) -> int:
    """setresgid(2). -1 leaves an id as it is."""
    old = task.cred
    wanted = (rgid, egid, sgid)
    changes = [new not in (NO_ID, was) for new, was in zip(wanted, _gids(old), strict=True)]
    if not any(changes) and egid in (NO_ID, old.fsgid):
        # Nothing changes: not even the file system's id, which may be another than the effective.
        return 0
    mine = (NO_ID, *_gids(old))
    if not set(wanted).issubset(mine) and not old.capable(CAP_SETGID):
        raise Errno(EPERM)
    new = old.copy()
    if rgid != NO_ID:
        new.gid = rgid
    if egid != NO_ID:
        new.egid = egid
    if sgid != NO_ID:
        new.sgid = sgid
    new.fsgid = new.egid
    commit_creds(task, new)
    return 0


def sys_getresgid(task: Task, rgidp: int, egidp: int, sgidp: int) -> int:
    """getresgid(2)."""
    cred = task.cred
    put_user_u32(task, rgidp, cred.gid)
    put_user_u32(task, egidp, cred.egid)
    put_user_u32(task, sgidp, cred.sgid)
    return 0


def sys_setfsgid(task: Task, gid: int) -> int:
    """setfsgid(2): returns the previous id, whether or not it changed."""
    old = task.cred
    mine = (old.gid, old.egid, old.sgid, old.fsgid)
    if gid in (NO_ID, old.fsgid) or not (gid in mine or old.capable(CAP_SETGID)):
        return old.fsgid
    new = old.copy()
    new.fsgid = gid
    commit_creds(task, new)
    return old.fsgid


def sys_getgroups(task: Task, gidsetsize: int, grouplist: int) -> int:
    """getgroups(2): how many there are, for a size of 0."""
    groups = task.cred.groups
    if gidsetsize < 0:
        raise Errno(EINVAL)
    if gidsetsize:
        if len(groups) > gidsetsize:
            raise Errno(EINVAL)
        if groups:
            copy_to_user(task, grouplist, pack(f"<{len(groups)}I", *groups))
    return len(groups)


def sys_setgroups(task: Task, gidsetsize: int, grouplist: int) -> int:
    """setgroups(2). The kernel keeps them sorted, and so does getgroups(2) give them."""
    if not task.cred.capable(CAP_SETGID):
        raise Errno(EPERM)
    if not 0 <= gidsetsize <= NGROUPS_MAX:
        raise Errno(EINVAL)
    groups: tuple[int, ...] = ()
    if gidsetsize:
        groups = unpack(f"<{gidsetsize}I", copy_from_user(task, grouplist, gidsetsize * 4))
    if NO_ID in groups:
        raise Errno(EINVAL)
    new = task.cred.copy()
    new.groups = tuple(sorted(groups))
    commit_creds(task, new)
    return 0
