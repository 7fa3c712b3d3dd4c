"""The system calls of Linux/x86-64: each declared once, here.

A row is (number, name, file of the handler, signature). The file is under emukernel/kernel and has
the function `sys_NAME`; where it is "" the call is ENOSYS. Dispatch makes the casts to the C types
from the signature, the trace decodes by it, `emukernel syscalls` prints it.

A signature is C parameters, each with a *kind* after a colon where its type does not say how it is
read, and the kind of the result after `->` where it is not a plain number:

    unsigned int fd:fd, char *buf:out bytes[ret], size_t count

    fd, dirfd, pid, uid, signal, mode, path, string, address, x
                        a number or a pointer to text, of that meaning (`x`: hexadecimal)
    flags SET, enum SET several names or-ed together, one name: see emukernel/strace/names
    in T, out T, inout T  a pointer to a T that the call reads, writes, or both: T is a C type, a
                        struct of emukernel/strace/structs.py or a function that knows it
    T[N]                N of them: a number, the value of the parameter N, what N points to (*N),
                        or what the call returned (ret)
    omitted             not shown
    MODULE.FUNCTION     decoded by that function of emukernel/strace

Names and types of the parameters are the kernel's own (the fields of the sys_enter events of 6.18).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Row = tuple[int, str, str, str]

# fmt: off
SYSCALLS: Final[tuple[Row, ...]] = (
    (0, "read", "fs.read_write", "unsigned int fd:fd, char *buf:out bytes[ret], size_t count"),
    (1, "write", "fs.read_write",
     "unsigned int fd:fd, const char *buf:in bytes[count], size_t count"),
    (2, "open", "fs.open",
     "const char *filename:path, int flags:open.flags, umode_t mode:open.mode -> fd"),
    (3, "close", "fs.open", "unsigned int fd:fd"),
    (4, "stat", "fs.stat", "const char *filename:path, struct stat *statbuf:out stat.stat"),
    (5, "fstat", "fs.stat", "unsigned int fd:fd, struct stat *statbuf:out stat.stat"),
    (6, "lstat", "fs.stat", "const char *filename:path, struct stat *statbuf:out stat.stat"),
    (7, "poll", "fs.select",
     "struct pollfd *ufds:poll.fds, unsigned int nfds, int timeout_msecs -> poll.ready"),
    (8, "lseek", "fs.read_write",
     "unsigned int fd:fd, off_t offset, unsigned int whence:enum fs.whence"),
    (9, "mmap", "mm.mmap",
     "unsigned long addr:address, unsigned long len, unsigned long prot:flags mm.prot, "
     "unsigned long flags:mmap.flags, unsigned long fd:fd, unsigned long off:x -> address"),
    (10, "mprotect", "mm.mprotect",
     "unsigned long start:address, size_t len, unsigned long prot:flags mm.prot"),
    (11, "munmap", "mm.mmap", "unsigned long addr:address, size_t len"),
    (12, "brk", "mm.mmap", "unsigned long brk:address -> address"),
    (13, "rt_sigaction", "signal.mask",
     "int sig:signal, const struct sigaction *act:in signal.sigaction, "
     "struct sigaction *oact:out signal.sigaction, size_t sigsetsize"),
    (14, "rt_sigprocmask", "signal.mask",
     "int how:enum signal.how, sigset_t *nset:in signal.sigset[sigsetsize], "
     "sigset_t *oset:out signal.sigset[sigsetsize], size_t sigsetsize"),
    (15, "rt_sigreturn", "signal.frame", ""),
    (16, "ioctl", "fs.ioctl",
     "unsigned int fd:fd, unsigned int cmd:ioctl.cmd, unsigned long arg:ioctl.arg"),
    (17, "pread64", "fs.read_write",
     "unsigned int fd:fd, char *buf:out bytes[ret], size_t count, loff_t pos"),
    (18, "pwrite64", "fs.read_write",
     "unsigned int fd:fd, const char *buf:in bytes[count], size_t count, loff_t pos"),
    (19, "readv", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:uio.filled, unsigned long vlen"),
    (20, "writev", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:in uio.iovec[vlen], unsigned long vlen"),
    (21, "access", "fs.open", "const char *filename:path, int mode:flags fs.access"),
    (22, "pipe", "fs.pipe", "int *fildes:out int[2]"),
    (23, "select", "fs.select",
     "int n, fd_set *inp:select.fds, fd_set *outp:select.fds, fd_set *exp:select.fds, "
     "struct __kernel_old_timeval *tvp:in timeval -> select.ready"),
    (24, "sched_yield", "sched.syscalls", ""),
    (25, "mremap", "mm.mremap",
     "unsigned long addr:address, unsigned long old_len, unsigned long new_len, "
     "unsigned long flags:flags mm.mremap, unsigned long new_addr:mmap.new_addr -> address"),
    (26, "msync", "mm.msync", "unsigned long start:address, size_t len, int flags:flags mm.msync"),
    (27, "mincore", "mm.mincore",
     "unsigned long start:address, size_t len, unsigned char *vec:out mmap.residence[len]"),
    (28, "madvise", "mm.madvise",
     "unsigned long start:address, size_t len_in, int behavior:enum mm.madvise"),
    (29, "shmget", "ipc.shm", "key_t key:ipc.key, size_t size, int shmflg:ipc.flags"),
    (30, "shmat", "ipc.shm",
     "int shmid, char *shmaddr:address, int shmflg:flags ipc.shmat -> address"),
    (31, "shmctl", "ipc.shm", "int shmid, int cmd:ipc.shm_cmd, struct shmid_ds *buf:ipc.shm_buf"),
    (32, "dup", "fs.file", "unsigned int fildes:fd -> fd"),
    (33, "dup2", "fs.file", "unsigned int oldfd:fd, unsigned int newfd:fd -> fd"),
    (34, "pause", "signal.wait", ""),
    (35, "nanosleep", "time.nanosleep",
     "struct __kernel_timespec *rqtp:in timespec, struct __kernel_timespec *rmtp:time.remaining"),
    (36, "getitimer", "time.itimer",
     "int which:enum time.itimer, struct __kernel_old_itimerval *value:out itimerval"),
    (37, "alarm", "time.itimer", "unsigned int seconds"),
    (38, "setitimer", "time.itimer",
     "int which:enum time.itimer, struct __kernel_old_itimerval *value:in itimerval, "
     "struct __kernel_old_itimerval *ovalue:out itimerval"),
    (39, "getpid", "sys", ""),
    (40, "sendfile", "fs.read_write",
     "int out_fd:fd, int in_fd:fd, loff_t *offset:inout offset, size_t count"),
    (41, "socket", "net.socket",
     "int family:enum net.family, int type:socket.type, int protocol:socket.protocol -> fd"),
    (42, "connect", "net.socket",
     "int fd:fd, struct sockaddr *uservaddr:in socket.address[addrlen], int addrlen"),
    (43, "accept", "net.socket",
     "int fd:fd, struct sockaddr *upeer_sockaddr:out socket.address[*upeer_addrlen], "
     "int *upeer_addrlen:inout length -> fd"),
    (44, "sendto", "net.sendmsg",
     "int fd:fd, void *buff:in bytes[len], size_t len, unsigned int flags:flags net.msg, "
     "struct sockaddr *addr:in socket.address[addr_len], int addr_len"),
    (45, "recvfrom", "net.sendmsg",
     "int fd:fd, void *ubuf:out bytes[ret], size_t size, unsigned int flags:flags net.msg, "
     "struct sockaddr *addr:out socket.address[*addr_len], int *addr_len:inout length"),
    (46, "sendmsg", "net.sendmsg",
     "int fd:fd, struct user_msghdr *msg:in socket.msghdr, unsigned int flags:flags net.msg"),
    (47, "recvmsg", "net.sendmsg",
     "int fd:fd, struct user_msghdr *msg:out socket.msghdr, unsigned int flags:flags net.msg"),
    (48, "shutdown", "net.socket", "int fd:fd, int how:enum net.shutdown"),
    (49, "bind", "net.socket",
     "int fd:fd, struct sockaddr *umyaddr:in socket.address[addrlen], int addrlen"),
    (50, "listen", "net.socket", "int fd:fd, int backlog"),
    (51, "getsockname", "net.socket",
     "int fd:fd, struct sockaddr *usockaddr:out socket.address[*usockaddr_len], "
     "int *usockaddr_len:inout length"),
    (52, "getpeername", "net.socket",
     "int fd:fd, struct sockaddr *usockaddr:out socket.address[*usockaddr_len], "
     "int *usockaddr_len:inout length"),
    (53, "socketpair", "net.socket",
     "int family:enum net.family, int type:socket.type, int protocol:socket.protocol, "
     "int *usockvec:out int[2]"),
    (54, "setsockopt", "net.socket",
     "int fd:fd, int level:enum net.level, int optname:socket.option, "
     "char *optval:in socket.option_value[optlen], int optlen"),
    (55, "getsockopt", "net.socket",
     "int fd:fd, int level:enum net.level, int optname:socket.option, "
     "char *optval:out socket.option_value[*optlen], int *optlen:inout length"),
    (56, "clone", "fork",
     "unsigned long clone_flags:clone.flags, unsigned long newsp:omitted, "
     "int *parent_tidptr:clone.parent_tid, int *child_tidptr:clone.child_tid, "
     "unsigned long tls:clone.tls"),
    (57, "fork", "fork", ""),
    (58, "vfork", "fork", ""),
    (59, "execve", "exec",
     "const char *filename:path, const char *const *argv:exec.argv, "
     "const char *const *envp:exec.envp"),
    (60, "exit", "exit", "int error_code"),
    (61, "wait4", "wait4",
     "pid_t upid, int *stat_addr:out wait.status, int options:flags process.wait, "
     "struct rusage *ru:out wait.rusage"),
    (62, "kill", "signal.kill", "pid_t pid:pid, int sig:signal"),
    (63, "uname", "sys", "struct new_utsname *name:out utsname"),
    (64, "semget", "ipc.sem", "key_t key:ipc.key, int nsems, int semflg:ipc.flags"),
    (65, "semop", "ipc.sem", "int semid, struct sembuf *tsops:in sembuf[nsops], unsigned nsops"),
    (66, "semctl", "ipc.sem",
     "int semid, int semnum, int cmd:ipc.sem_cmd, unsigned long arg:ipc.sem_arg"),
    (67, "shmdt", "ipc.shm", "char *shmaddr:address"),
    (68, "msgget", "ipc.msg", "key_t key:ipc.key, int msgflg:ipc.flags"),
    (69, "msgsnd", "ipc.msg",
     "int msqid, struct msgbuf *msgp:ipc.message, size_t msgsz, int msgflg:flags ipc.msg"),
    (70, "msgrcv", "ipc.msg",
     "int msqid, struct msgbuf *msgp:ipc.message, size_t msgsz, long msgtyp, "
     "int msgflg:flags ipc.msg"),
    (71, "msgctl", "ipc.msg",
     "int msqid, int cmd:ipc.msg_cmd, struct msqid_ds *buf:ipc.msg_buf"),
    (72, "fcntl", "fs.fcntl",
     "unsigned int fd:fd, unsigned int cmd:fcntl.cmd, unsigned long arg:fcntl.arg -> fcntl.result"),
    (73, "flock", "fs.locks", "unsigned int fd:fd, unsigned int cmd:flags fs.flock"),
    (74, "fsync", "fs.sync", "unsigned int fd:fd"),
    (75, "fdatasync", "fs.sync", "unsigned int fd:fd"),
    (76, "truncate", "fs.open", "const char *path:path, long length"),
    (77, "ftruncate", "fs.open", "unsigned int fd:fd, off_t length"),
    (78, "getdents", "fs.readdir",
     "unsigned int fd:fd, struct linux_dirent *dirent:out readdir.dirents[ret], "
     "unsigned int count"),
    (79, "getcwd", "fs.dcache", "char *buf:out path, unsigned long size"),
    (80, "chdir", "fs.open", "const char *filename:path"),
    (81, "fchdir", "fs.open", "unsigned int fd:fd"),
    (82, "rename", "fs.namei", "const char *oldname:path, const char *newname:path"),
    (83, "mkdir", "fs.namei", "const char *pathname:path, umode_t mode:mode"),
    (84, "rmdir", "fs.namei", "const char *pathname:path"),
    (85, "creat", "fs.open", "const char *pathname:path, umode_t mode:mode -> fd"),
    (86, "link", "fs.namei", "const char *oldname:path, const char *newname:path"),
    (87, "unlink", "fs.namei", "const char *pathname:path"),
    (88, "symlink", "fs.namei", "const char *oldname:path, const char *newname:path"),
    (89, "readlink", "fs.stat", "const char *path:path, char *buf:out bytes[ret], int bufsiz"),
    (90, "chmod", "fs.open", "const char *filename:path, umode_t mode:mode"),
    (91, "fchmod", "fs.open", "unsigned int fd:fd, umode_t mode:mode"),
    (92, "chown", "fs.open", "const char *filename:path, uid_t user:uid, gid_t group:uid"),
    (93, "fchown", "fs.open", "unsigned int fd:fd, uid_t user:uid, gid_t group:uid"),
    (94, "lchown", "fs.open", "const char *filename:path, uid_t user:uid, gid_t group:uid"),
    (95, "umask", "sys", "int mask:mode -> mode"),
    (96, "gettimeofday", "time.time",
     "struct __kernel_old_timeval *tv:out timeval, struct timezone *tz:out timezone"),
    (97, "getrlimit", "resource",
     "unsigned int resource:enum process.rlimit, struct rlimit *rlim:out rlimit"),
    (98, "getrusage", "resource", "int who:enum process.rusage, struct rusage *ru:out rusage"),
    (99, "sysinfo", "sysinfo", "struct sysinfo *info:out sysinfo"),
    (100, "times", "time.times", "struct tms *tbuf:out tms"),
    (101, "ptrace", "",
     "long request:enum process.ptrace, long pid:pid, unsigned long addr:x, unsigned long data:x"),
    (102, "getuid", "cred", ""),
    (103, "syslog", "syslog",
     "int type:syslog.action, char *buf:syslog.buffer, int len:syslog.length"),
    (104, "getgid", "cred", ""),
    (105, "setuid", "cred", "uid_t uid:uid"),
    (106, "setgid", "cred", "gid_t gid:uid"),
    (107, "geteuid", "cred", ""),
    (108, "getegid", "cred", ""),
    (109, "setpgid", "sys", "pid_t pid:pid, pid_t pgid:pid"),
    (110, "getppid", "sys", ""),
    (111, "getpgrp", "sys", ""),
    (112, "setsid", "sys", ""),
    (113, "setreuid", "cred", "uid_t ruid:uid, uid_t euid:uid"),
    (114, "setregid", "cred", "gid_t rgid:uid, gid_t egid:uid"),
    (115, "getgroups", "cred", "int gidsetsize, gid_t *grouplist:out uid[ret]"),
    (116, "setgroups", "cred", "int gidsetsize, gid_t *grouplist:in uid[gidsetsize]"),
    (117, "setresuid", "cred", "uid_t ruid:uid, uid_t euid:uid, uid_t suid:uid"),
    (118, "getresuid", "cred", "uid_t *ruidp:out uid, uid_t *euidp:out uid, uid_t *suidp:out uid"),
    (119, "setresgid", "cred", "gid_t rgid:uid, gid_t egid:uid, gid_t sgid:uid"),
    (120, "getresgid", "cred", "gid_t *rgidp:out uid, gid_t *egidp:out uid, gid_t *sgidp:out uid"),
    (121, "getpgid", "sys", "pid_t pid:pid"),
    (122, "setfsuid", "cred", "uid_t uid:uid"),
    (123, "setfsgid", "cred", "gid_t gid:uid"),
    (124, "getsid", "sys", "pid_t pid:pid"),
    (125, "capget", "capability",
     "cap_user_header_t header:in capability.header, cap_user_data_t dataptr:out capability.data"),
    (126, "capset", "capability",
     "cap_user_header_t header:in capability.header, "
     "const cap_user_data_t data:in capability.data"),
    (127, "rt_sigpending", "signal.mask",
     "sigset_t *uset:out signal.sigset[sigsetsize], size_t sigsetsize"),
    (128, "rt_sigtimedwait", "signal.wait",
     "const sigset_t *uthese:in signal.sigset[sigsetsize], siginfo_t *uinfo:out signal.siginfo, "
     "const struct __kernel_timespec *uts:in timespec, size_t sigsetsize -> signal"),
    (129, "rt_sigqueueinfo", "signal.kill",
     "pid_t pid:pid, int sig:signal, siginfo_t *uinfo:in signal.siginfo"),
    (130, "rt_sigsuspend", "signal.wait",
     "sigset_t *unewset:in signal.sigset[sigsetsize], size_t sigsetsize"),
    (131, "sigaltstack", "signal.altstack",
     "const stack_t *uss:in stack_t, stack_t *uoss:out stack_t"),
    (132, "utime", "fs.utimes", "char *filename:path, struct utimbuf *times:in time.utimbuf"),
    (133, "mknod", "fs.namei",
     "const char *filename:path, umode_t mode:file_mode, unsigned dev:stat.mknod_dev"),
    (134, "uselib", "", ""),
    (135, "personality", "sys",
     "unsigned int personality:personality.persona -> personality.result"),
    (136, "ustat", "fs.statfs", "unsigned dev:dev, struct ustat *ubuf"),
    (137, "statfs", "fs.statfs", "const char *pathname:path, struct statfs *buf:out statfs"),
    (138, "fstatfs", "fs.statfs", "unsigned int fd:fd, struct statfs *buf:out statfs"),
    (139, "sysfs", "", "int option, unsigned long arg1:x, unsigned long arg2:x"),
    (140, "getpriority", "sys", "int which:enum process.priority, int who"),
    (141, "setpriority", "sys", "int which:enum process.priority, int who, int niceval"),
    (142, "sched_setparam", "sched.syscalls", "pid_t pid:pid, struct sched_param *param:in int"),
    (143, "sched_getparam", "sched.syscalls", "pid_t pid:pid, struct sched_param *param:out int"),
    (144, "sched_setscheduler", "sched.syscalls",
     "pid_t pid:pid, int policy:sched.policy, struct sched_param *param:in int"),
    (145, "sched_getscheduler", "sched.syscalls", "pid_t pid:pid -> sched.result"),
    (146, "sched_get_priority_max", "sched.syscalls", "int policy:sched.policy"),
    (147, "sched_get_priority_min", "sched.syscalls", "int policy:sched.policy"),
    (148, "sched_rr_get_interval", "sched.syscalls",
     "pid_t pid:pid, struct __kernel_timespec *interval:out timespec"),
    (149, "mlock", "mm.mlock", "unsigned long start:address, size_t len"),
    (150, "munlock", "mm.mlock", "unsigned long start:address, size_t len"),
    (151, "mlockall", "mm.mlock", "int flags:flags mm.mlockall"),
    (152, "munlockall", "mm.mlock", ""),
    (153, "vhangup", "tty.tty_jobctrl", ""),
    (154, "modify_ldt", "", "int func, void *ptr:address, unsigned long bytecount"),
    (155, "pivot_root", "", "const char *new_root:path, const char *put_old:path"),
    (156, "_sysctl", "", "struct __sysctl_args *args"),
    (157, "prctl", "prctl",
     "int option:enum process.prctl, unsigned long arg2:prctl.arg, unsigned long arg3:prctl.arg, "
     "unsigned long arg4:prctl.arg, unsigned long arg5:prctl.arg -> prctl.result"),
    (158, "arch_prctl", "arch_prctl",
     "int option:enum process.arch_prctl, unsigned long arg2:prctl.arch_arg2"),
    (159, "adjtimex", "time.adjtimex", "struct __kernel_timex *txc_p"),
    (160, "setrlimit", "resource",
     "unsigned int resource:enum process.rlimit, struct rlimit *rlim:in rlimit"),
    (161, "chroot", "fs.open", "const char *filename:path"),
    (162, "sync", "fs.sync", ""),
    (163, "acct", "", "const char *name:path"),
    (164, "settimeofday", "time.time",
     "struct __kernel_old_timeval *tv:in timeval, struct timezone *tz:in timezone"),
    (165, "mount", "",
     "char *dev_name:path, char *dir_name:path, char *type:string, "
     "unsigned long flags:flags fs.mount, void *data:mount.data"),
    (166, "umount2", "", "char *name:path, int flags:flags fs.umount"),
    (167, "swapon", "", "const char *specialfile:path, int swap_flags:x"),
    (168, "swapoff", "", "const char *specialfile:path"),
    (169, "reboot", "", "int magic1:x, int magic2:x, unsigned int cmd:x, void *arg"),
    (170, "sethostname", "sys", "char *name:in bytes[len], int len"),
    (171, "setdomainname", "sys", "char *name:in bytes[len], int len"),
    (172, "iopl", "", "unsigned int level"),
    (173, "ioperm", "", "unsigned long from, unsigned long num, int turn_on"),
    (174, "create_module", "", "const char *name:string, size_t size"),
    (175, "init_module", "", "void *umod:address, unsigned long len, const char *uargs:string"),
    (176, "delete_module", "", "const char *name_user:string, unsigned int flags:flags fs.open"),
    (177, "get_kernel_syms", "", "struct kernel_sym *table"),
    (178, "query_module", "",
     "const char *name:string, int which, void *buf, size_t bufsize, size_t *ret"),
    (179, "quotactl", "", "unsigned int cmd:x, const char *special:path, qid_t id, void *addr"),
    (180, "nfsservctl", "", "int cmd, struct nfsctl_arg *arg, void *res"),
    (181, "getpmsg", "", ""),
    (182, "putpmsg", "", ""),
    (183, "afs_syscall", "", ""),
    (184, "tuxcall", "", ""),
    (185, "security", "", ""),
    (186, "gettid", "sys", ""),
    (187, "readahead", "fs.fadvise", "int fd:fd, loff_t offset, size_t count"),
    (188, "setxattr", "fs.xattr",
     "const char *pathname:path, const char *name:string, const void *value:in bytes[size], "
     "size_t size, int flags:flags fs.xattr"),
    (189, "lsetxattr", "fs.xattr",
     "const char *pathname:path, const char *name:string, const void *value:in bytes[size], "
     "size_t size, int flags:flags fs.xattr"),
    (190, "fsetxattr", "fs.xattr",
     "int fd:fd, const char *name:string, const void *value:in bytes[size], size_t size, "
     "int flags:flags fs.xattr"),
    (191, "getxattr", "fs.xattr",
     "const char *pathname:path, const char *name:string, void *value:out bytes[ret], size_t size"),
    (192, "lgetxattr", "fs.xattr",
     "const char *pathname:path, const char *name:string, void *value:out bytes[ret], size_t size"),
    (193, "fgetxattr", "fs.xattr",
     "int fd:fd, const char *name:string, void *value:out bytes[ret], size_t size"),
    (194, "listxattr", "fs.xattr",
     "const char *pathname:path, char *list:out bytes[ret], size_t size"),
    (195, "llistxattr", "fs.xattr",
     "const char *pathname:path, char *list:out bytes[ret], size_t size"),
    (196, "flistxattr", "fs.xattr", "int fd:fd, char *list:out bytes[ret], size_t size"),
    (197, "removexattr", "fs.xattr", "const char *pathname:path, const char *name:string"),
    (198, "lremovexattr", "fs.xattr", "const char *pathname:path, const char *name:string"),
    (199, "fremovexattr", "fs.xattr", "int fd:fd, const char *name:string"),
    (200, "tkill", "signal.kill", "pid_t pid:pid, int sig:signal"),
    (201, "time", "time.time", "__kernel_old_time_t *tloc:out time.seconds -> time.seconds_since"),
    (202, "futex", "futex",
     "u32 *uaddr:address, int op:futex.op, u32 val:futex.arg, "
     "const struct __kernel_timespec *utime:futex.arg, u32 *uaddr2:futex.arg, u32 val3:futex.arg"),
    (203, "sched_setaffinity", "sched.syscalls",
     "pid_t pid:pid, unsigned int len, unsigned long *user_mask_ptr:in sched.cpu_set[len]"),
    (204, "sched_getaffinity", "sched.syscalls",
     "pid_t pid:pid, unsigned int len, unsigned long *user_mask_ptr:out sched.cpu_set[ret]"),
    (205, "set_thread_area", "", "struct user_desc *u_info"),
    (206, "io_setup", "", "unsigned nr_events, aio_context_t *ctxp:out address_at"),
    (207, "io_destroy", "", "aio_context_t ctx:x"),
    (208, "io_getevents", "",
     "aio_context_t ctx_id:x, long min_nr, long nr, struct io_event *events:address, "
     "struct __kernel_timespec *timeout:in timespec"),
    (209, "io_submit", "", "aio_context_t ctx_id:x, long nr, struct iocb **iocbpp"),
    (210, "io_cancel", "", "aio_context_t ctx_id:x, struct iocb *iocb, struct io_event *result"),
    (211, "get_thread_area", "", "struct user_desc *u_info"),
    (212, "lookup_dcookie", "", "u64 cookie64, char *buf:out bytes[ret], size_t len"),
    (213, "epoll_create", "fs.eventpoll", "int size -> fd"),
    (214, "epoll_ctl_old", "", ""),
    (215, "epoll_wait_old", "", ""),
    (216, "remap_file_pages", "mm.mmap",
     "unsigned long start:address, unsigned long size, unsigned long prot:flags mm.prot, "
     "unsigned long pgoff, unsigned long flags:mmap.flags"),
    (217, "getdents64", "fs.readdir",
     "unsigned int fd:fd, struct linux_dirent64 *dirent:out readdir.dirents64[ret], "
     "unsigned int count"),
    (218, "set_tid_address", "fork", "int *tidptr:address"),
    (219, "restart_syscall", "signal.wait", ""),
    (220, "semtimedop", "ipc.sem",
     "int semid, struct sembuf *tsops:in sembuf[nsops], unsigned int nsops, "
     "const struct __kernel_timespec *timeout:in timespec"),
    (221, "fadvise64", "fs.fadvise",
     "int fd:fd, loff_t offset, size_t len, int advice:enum fs.fadvise"),
    (222, "timer_create", "time.posix_timers",
     "const clockid_t which_clock:enum time.clock, "
     "struct sigevent *timer_event_spec:in time.sigevent, timer_t *created_timer_id:out int"),
    (223, "timer_settime", "time.posix_timers",
     "timer_t timer_id, int flags:flags time.timer, "
     "const struct __kernel_itimerspec *new_setting:in itimerspec, "
     "struct __kernel_itimerspec *old_setting:out itimerspec"),
    (224, "timer_gettime", "time.posix_timers",
     "timer_t timer_id, struct __kernel_itimerspec *setting:out itimerspec"),
    (225, "timer_getoverrun", "time.posix_timers", "timer_t timer_id"),
    (226, "timer_delete", "time.posix_timers", "timer_t timer_id"),
    (227, "clock_settime", "time.clock",
     "const clockid_t which_clock:enum time.clock, const struct __kernel_timespec *tp:in timespec"),
    (228, "clock_gettime", "time.clock",
     "const clockid_t which_clock:enum time.clock, struct __kernel_timespec *tp:out timespec"),
    (229, "clock_getres", "time.clock",
     "const clockid_t which_clock:enum time.clock, struct __kernel_timespec *tp:out timespec"),
    (230, "clock_nanosleep", "time.nanosleep",
     "const clockid_t which_clock:enum time.clock, int flags:flags time.timer, "
     "const struct __kernel_timespec *rqtp:in timespec, "
     "struct __kernel_timespec *rmtp:time.remaining"),
    (231, "exit_group", "exit", "int error_code"),
    (232, "epoll_wait", "fs.eventpoll",
     "int epfd:fd, struct epoll_event *events:out poll.epoll_events[ret], int maxevents, "
     "int timeout"),
    (233, "epoll_ctl", "fs.eventpoll",
     "int epfd:fd, int op:enum poll.epoll_op, int fd:fd, "
     "struct epoll_event *event:in poll.epoll_event"),
    (234, "tgkill", "signal.kill", "pid_t tgid:pid, pid_t pid:pid, int sig:signal"),
    (235, "utimes", "fs.utimes",
     "char *filename:path, struct __kernel_old_timeval *utimes:in time.utimes"),
    (236, "vserver", "", ""),
    (237, "mbind", "",
     "unsigned long start:address, unsigned long len, unsigned long mode:enum mm.mempolicy, "
     "const unsigned long *nmask:address, unsigned long maxnode, unsigned int flags:x"),
    (238, "set_mempolicy", "mm.mempolicy",
     "int mode:enum mm.mempolicy, const unsigned long *nmask:address, unsigned long maxnode"),
    (239, "get_mempolicy", "mm.mempolicy",
     "int *policy:out int, unsigned long *nmask:address, unsigned long maxnode, "
     "unsigned long addr:address, unsigned long flags:x"),
    (240, "mq_open", "ipc.mqueue",
     "const char *u_name:path, int oflag:open.flags, umode_t mode:ipc.mq_mode, "
     "struct mq_attr *u_attr:ipc.mq_attr -> fd"),
    (241, "mq_unlink", "ipc.mqueue", "const char *u_name:path"),
    (242, "mq_timedsend", "ipc.mqueue",
     "mqd_t mqdes:fd, const char *u_msg_ptr:in bytes[msg_len], size_t msg_len, "
     "unsigned int msg_prio, const struct __kernel_timespec *u_abs_timeout:in timespec"),
    (243, "mq_timedreceive", "ipc.mqueue",
     "mqd_t mqdes:fd, char *u_msg_ptr:out bytes[ret], size_t msg_len, "
     "unsigned int *u_msg_prio:out unsigned, "
     "const struct __kernel_timespec *u_abs_timeout:in timespec"),
    (244, "mq_notify", "ipc.mqueue",
     "mqd_t mqdes:fd, const struct sigevent *u_notification:in time.sigevent"),
    (245, "mq_getsetattr", "ipc.mqueue",
     "mqd_t mqdes:fd, const struct mq_attr *u_mqstat:in mq_attr, "
     "struct mq_attr *u_omqstat:out mq_attr"),
    (246, "kexec_load", "",
     "unsigned long entry:address, unsigned long nr_segments, struct kexec_segment *segments, "
     "unsigned long flags:x"),
    (247, "waitid", "wait4",
     "int which:enum process.idtype, pid_t upid, struct siginfo *infop:out signal.siginfo, "
     "int options:flags process.wait, struct rusage *ru:out wait.rusage"),
    (248, "add_key", "",
     "const char *_type:string, const char *_description:string, "
     "const void *_payload:in bytes[plen], size_t plen, key_serial_t ringid"),
    (249, "request_key", "",
     "const char *_type:string, const char *_description:string, "
     "const char *_callout_info:string, key_serial_t destringid"),
    (250, "keyctl", "",
     "int option, unsigned long arg2:x, unsigned long arg3:x, unsigned long arg4:x, "
     "unsigned long arg5:x"),
    (251, "ioprio_set", "ioprio", "int which, int who, int ioprio"),
    (252, "ioprio_get", "ioprio", "int which, int who"),
    (253, "inotify_init", "fs.inotify", "-> fd"),
    (254, "inotify_add_watch", "fs.inotify",
     "int fd:fd, const char *pathname:path, u32 mask:flags fs.inotify"),
    (255, "inotify_rm_watch", "fs.inotify", "int fd:fd, __s32 wd"),
    (256, "migrate_pages", "",
     "pid_t pid, unsigned long maxnode, const unsigned long *old_nodes, "
     "const unsigned long *new_nodes"),
    (257, "openat", "fs.open",
     "int dfd:dirfd, const char *filename:path, int flags:open.flags, "
     "umode_t mode:open.mode -> fd"),
    (258, "mkdirat", "fs.namei", "int dfd:dirfd, const char *pathname:path, umode_t mode:mode"),
    (259, "mknodat", "fs.namei",
     "int dfd:dirfd, const char *filename:path, umode_t mode:file_mode, "
     "unsigned int dev:stat.mknod_dev"),
    (260, "fchownat", "fs.open",
     "int dfd:dirfd, const char *filename:path, uid_t user:uid, gid_t group:uid, "
     "int flag:flags fs.at"),
    (261, "futimesat", "fs.utimes",
     "int dfd:dirfd, const char *filename:path, "
     "struct __kernel_old_timeval *utimes:in time.utimes"),
    (262, "newfstatat", "fs.stat",
     "int dfd:dirfd, const char *filename:path, struct stat *statbuf:out stat.stat, "
     "int flag:flags fs.at"),
    (263, "unlinkat", "fs.namei",
     "int dfd:dirfd, const char *pathname:path, int flag:flags fs.unlinkat"),
    (264, "renameat", "fs.namei",
     "int olddfd:dirfd, const char *oldname:path, int newdfd:dirfd, const char *newname:path"),
    (265, "linkat", "fs.namei",
     "int olddfd:dirfd, const char *oldname:path, int newdfd:dirfd, const char *newname:path, "
     "int flags:flags fs.at"),
    (266, "symlinkat", "fs.namei",
     "const char *oldname:path, int newdfd:dirfd, const char *newname:path"),
    (267, "readlinkat", "fs.stat",
     "int dfd:dirfd, const char *pathname:path, char *buf:out bytes[ret], int bufsiz"),
    (268, "fchmodat", "fs.open", "int dfd:dirfd, const char *filename:path, umode_t mode:mode"),
    (269, "faccessat", "fs.open",
     "int dfd:dirfd, const char *filename:path, int mode:flags fs.access"),
    (270, "pselect6", "fs.select",
     "int n, fd_set *inp:select.fds, fd_set *outp:select.fds, fd_set *exp:select.fds, "
     "struct __kernel_timespec *tsp:in timespec, void *sig:select.sigmask -> select.ready"),
    (271, "ppoll", "fs.select",
     "struct pollfd *ufds:poll.fds, unsigned int nfds, "
     "struct __kernel_timespec *tsp:in timespec, "
     "const sigset_t *sigmask:in signal.sigset[sigsetsize], size_t sigsetsize -> poll.ready"),
    (272, "unshare", "", "unsigned long unshare_flags:flags process.clone"),
    (273, "set_robust_list", "futex", "struct robust_list_head *head:address, size_t len"),
    (274, "get_robust_list", "futex",
     "int pid:pid, struct robust_list_head **head_ptr:out address_at, "
     "size_t *len_ptr:out unsigned long"),
    (275, "splice", "fs.splice",
     "int fd_in:fd, loff_t *off_in:inout offset, int fd_out:fd, loff_t *off_out:inout offset, "
     "size_t len, unsigned int flags:flags fs.splice"),
    (276, "tee", "fs.splice",
     "int fdin:fd, int fdout:fd, size_t len, unsigned int flags:flags fs.splice"),
    (277, "sync_file_range", "fs.sync",
     "int fd:fd, loff_t offset, loff_t nbytes, unsigned int flags:flags fs.sync_file_range"),
    (278, "vmsplice", "fs.splice",
     "int fd:fd, const struct iovec *uiov:in uio.iovec[nr_segs], unsigned long nr_segs, "
     "unsigned int flags:flags fs.splice"),
    (279, "move_pages", "",
     "pid_t pid:pid, unsigned long nr_pages, const void **pages:address, "
     "const int *nodes:address, int *status:address, int flags:x"),
    (280, "utimensat", "fs.utimes",
     "int dfd:dirfd, const char *filename:path, "
     "struct __kernel_timespec *utimes:in time.utimens, int flags:flags fs.at"),
    (281, "epoll_pwait", "fs.eventpoll",
     "int epfd:fd, struct epoll_event *events:out poll.epoll_events[ret], int maxevents, "
     "int timeout, const sigset_t *sigmask:in signal.sigset[sigsetsize], size_t sigsetsize"),
    (282, "signalfd", "fs.signalfd",
     "int ufd:fd, sigset_t *user_mask:in signal.sigset[sizemask], size_t sizemask -> fd"),
    (283, "timerfd_create", "fs.timerfd",
     "int clockid:enum time.clock, int flags:flags time.timerfd_create -> fd"),
    (284, "eventfd", "fs.eventfd", "unsigned int count -> fd"),
    (285, "fallocate", "fs.open",
     "int fd:fd, int mode:flags fs.fallocate, loff_t offset, loff_t len"),
    (286, "timerfd_settime", "fs.timerfd",
     "int ufd:fd, int flags:flags time.timerfd, "
     "const struct __kernel_itimerspec *utmr:in itimerspec, "
     "struct __kernel_itimerspec *otmr:out itimerspec"),
    (287, "timerfd_gettime", "fs.timerfd",
     "int ufd:fd, struct __kernel_itimerspec *otmr:out itimerspec"),
    (288, "accept4", "net.socket",
     "int fd:fd, struct sockaddr *upeer_sockaddr:out socket.address[*upeer_addrlen], "
     "int *upeer_addrlen:inout length, int flags:flags net.sock -> fd"),
    (289, "signalfd4", "fs.signalfd",
     "int ufd:fd, sigset_t *user_mask:in signal.sigset[sizemask], size_t sizemask, "
     "int flags:flags poll.signalfd -> fd"),
    (290, "eventfd2", "fs.eventfd", "unsigned int count, int flags:flags poll.eventfd -> fd"),
    (291, "epoll_create1", "fs.eventpoll", "int flags:flags poll.epoll_create -> fd"),
    (292, "dup3", "fs.file",
     "unsigned int oldfd:fd, unsigned int newfd:fd, int flags:flags fs.open -> fd"),
    (293, "pipe2", "fs.pipe", "int *fildes:out int[2], int flags:flags fs.open"),
    (294, "inotify_init1", "fs.inotify", "int flags:flags poll.inotify_init -> fd"),
    (295, "preadv", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:uio.filled, unsigned long vlen, "
     "unsigned long pos_l, unsigned long pos_h:omitted"),
    (296, "pwritev", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:in uio.iovec[vlen], unsigned long vlen, "
     "unsigned long pos_l, unsigned long pos_h:omitted"),
    (297, "rt_tgsigqueueinfo", "signal.kill",
     "pid_t tgid:pid, pid_t pid:pid, int sig:signal, siginfo_t *uinfo:in signal.siginfo"),
    (298, "perf_event_open", "",
     "struct perf_event_attr *attr_uptr:address, pid_t pid:pid, int cpu, int group_fd:fd, "
     "unsigned long flags:flags process.perf_event_open -> fd"),
    (299, "recvmmsg", "net.sendmsg",
     "int fd:fd, struct mmsghdr *mmsg:address, unsigned int vlen, "
     "unsigned int flags:flags net.msg, struct __kernel_timespec *timeout:in timespec"),
    (300, "fanotify_init", "", "unsigned int flags:x, unsigned int event_f_flags:open.flags -> fd"),
    (301, "fanotify_mark", "",
     "int fanotify_fd:fd, unsigned int flags:x, __u64 mask:x, int dfd:dirfd, "
     "const char *pathname:path"),
    (302, "prlimit64", "resource",
     "pid_t pid:pid, unsigned int resource:enum process.rlimit, "
     "const struct rlimit64 *new_rlim:in rlimit, struct rlimit64 *old_rlim:out rlimit"),
    (303, "name_to_handle_at", "",
     "int dfd:dirfd, const char *name:path, struct file_handle *handle:address, "
     "void *mnt_id:address, int flag:flags fs.at"),
    (304, "open_by_handle_at", "",
     "int mountdirfd:dirfd, struct file_handle *handle:address, int flags:open.flags -> fd"),
    (305, "clock_adjtime", "time.adjtimex",
     "const clockid_t which_clock:enum time.clock, struct __kernel_timex *utx"),
    (306, "syncfs", "fs.sync", "int fd:fd"),
    (307, "sendmmsg", "net.sendmsg",
     "int fd:fd, struct mmsghdr *mmsg:address, unsigned int vlen, "
     "unsigned int flags:flags net.msg"),
    (308, "setns", "", "int fd:fd, int flags:flags process.clone"),
    (309, "getcpu", "sys",
     "unsigned *cpup:out unsigned, unsigned *nodep:out unsigned, "
     "struct getcpu_cache *unused:address"),
    (310, "process_vm_readv", "mm.process_vm_access",
     "pid_t pid:pid, const struct iovec *lvec:uio.filled, unsigned long liovcnt, "
     "const struct iovec *rvec:in uio.iovec_addresses[riovcnt], unsigned long riovcnt, "
     "unsigned long flags"),
    (311, "process_vm_writev", "mm.process_vm_access",
     "pid_t pid:pid, const struct iovec *lvec:in uio.iovec[liovcnt], unsigned long liovcnt, "
     "const struct iovec *rvec:in uio.iovec_addresses[riovcnt], unsigned long riovcnt, "
     "unsigned long flags"),
    (312, "kcmp", "",
     "pid_t pid1:pid, pid_t pid2:pid, int type, unsigned long idx1:x, unsigned long idx2:x"),
    (313, "finit_module", "", "int fd:fd, const char *uargs:string, int flags:x"),
    (314, "sched_setattr", "sched.syscalls",
     "pid_t pid:pid, struct sched_attr *uattr:address, unsigned int flags:x"),
    (315, "sched_getattr", "sched.syscalls",
     "pid_t pid:pid, struct sched_attr *uattr:address, unsigned int usize, unsigned int flags:x"),
    (316, "renameat2", "fs.namei",
     "int olddfd:dirfd, const char *oldname:path, int newdfd:dirfd, const char *newname:path, "
     "unsigned int flags:flags fs.rename"),
    (317, "seccomp", "",
     "unsigned int op:enum process.seccomp_op, unsigned int flags:flags process.seccomp_flags, "
     "void *uargs:seccomp.args"),
    (318, "getrandom", "random",
     "char *ubuf:out random_bytes[ret], size_t len, unsigned int flags:flags process.getrandom"),
    (319, "memfd_create", "fs.memfd",
     "const char *uname:string, unsigned int flags:flags fs.memfd -> fd"),
    (320, "kexec_file_load", "",
     "int kernel_fd:fd, int initrd_fd:fd, unsigned long cmdline_len, "
     "const char *cmdline_ptr:string, unsigned long flags:x"),
    (321, "bpf", "", "int cmd, union bpf_attr *uattr:address, unsigned int size"),
    (322, "execveat", "exec",
     "int fd:dirfd, const char *filename:path, const char *const *argv:exec.argv, "
     "const char *const *envp:exec.envp, int flags:flags fs.at"),
    (323, "userfaultfd", "", "int flags:flags fs.open -> fd"),
    (324, "membarrier", "sched.membarrier",
     "int cmd:enum mm.membarrier, unsigned int flags:flags mm.membarrier_flags, "
     "int cpu_id:mmap.membarrier_cpu -> mmap.membarrier"),
    (325, "mlock2", "mm.mlock",
     "unsigned long start:address, size_t len, int flags:flags mm.mlock"),
    (326, "copy_file_range", "fs.read_write",
     "int fd_in:fd, loff_t *off_in:inout offset, int fd_out:fd, loff_t *off_out:inout offset, "
     "size_t len, unsigned int flags:x"),
    (327, "preadv2", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:uio.filled, unsigned long vlen, "
     "unsigned long pos_l, unsigned long pos_h:omitted, rwf_t flags:flags fs.rwf"),
    (328, "pwritev2", "fs.read_write",
     "unsigned long fd:fd, const struct iovec *vec:in uio.iovec[vlen], unsigned long vlen, "
     "unsigned long pos_l, unsigned long pos_h:omitted, rwf_t flags:flags fs.rwf"),
    (329, "pkey_mprotect", "mm.mprotect",
     "unsigned long start:address, size_t len, unsigned long prot:flags mm.prot, int pkey"),
    (330, "pkey_alloc", "mm.mprotect",
     "unsigned long flags:x, unsigned long init_val:flags mm.pkey"),
    (331, "pkey_free", "mm.mprotect", "int pkey"),
    (332, "statx", "fs.stat",
     "int dfd:dirfd, const char *filename:path, unsigned flags:stat.statx_flags, "
     "unsigned int mask:flags fs.statx, struct statx *buffer:out stat.statx"),
    (333, "io_pgetevents", "",
     "aio_context_t ctx_id:x, long min_nr, long nr, struct io_event *events:address, "
     "struct __kernel_timespec *timeout:in timespec, const struct __aio_sigset *usig:address"),
    (334, "rseq", "rseq",
     "struct rseq *rseq:address, u32 rseq_len:x, int flags:flags process.rseq, u32 sig:x"),
    (424, "pidfd_send_signal", "fs.pidfd",
     "int pidfd:fd, int sig:signal, siginfo_t *info:in signal.siginfo, unsigned int flags:x"),
    (425, "io_uring_setup", "", "u32 entries, struct io_uring_params *params -> fd"),
    (426, "io_uring_enter", "",
     "unsigned int fd:fd, u32 to_submit, u32 min_complete, u32 flags:x, const void *argp, "
     "size_t argsz"),
    (427, "io_uring_register", "",
     "unsigned int fd:fd, unsigned int opcode, void *arg:address, unsigned int nr_args"),
    (428, "open_tree", "", "int dfd:dirfd, const char *filename:path, unsigned flags:x -> fd"),
    (429, "move_mount", "",
     "int from_dfd:dirfd, const char *from_pathname:path, int to_dfd:dirfd, "
     "const char *to_pathname:path, unsigned int flags:x"),
    (430, "fsopen", "", "const char *_fs_name:string, unsigned int flags:x -> fd"),
    (431, "fsconfig", "",
     "int fd:fd, unsigned int cmd, const char *_key:string, const void *_value:address, int aux"),
    (432, "fsmount", "", "int fs_fd:fd, unsigned int flags:x, unsigned int attr_flags:x -> fd"),
    (433, "fspick", "", "int dfd:dirfd, const char *path:path, unsigned int flags:x -> fd"),
    (434, "pidfd_open", "fs.pidfd", "pid_t pid:pid, unsigned int flags:x -> fd"),
    (435, "clone3", "fork",
     "struct clone_args *uargs:in clone.clone_args[size], size_t size:clone.size"),
    (436, "close_range", "fs.open",
     "unsigned int fd, unsigned int max_fd, unsigned int flags:flags fs.close_range"),
    (437, "openat2", "fs.open",
     "int dfd:dirfd, const char *filename:path, struct open_how *how:in open.how[usize], "
     "size_t usize -> fd"),
    (438, "pidfd_getfd", "fs.pidfd", "int pidfd:fd, int fd:fd, unsigned int flags:x -> fd"),
    (439, "faccessat2", "fs.open",
     "int dfd:dirfd, const char *filename:path, int mode:flags fs.access, "
     "int flags:flags fs.faccessat"),
    (440, "process_madvise", "mm.process_vm_access",
     "int pidfd:fd, const struct iovec *vec:in uio.iovec_addresses[vlen], size_t vlen, "
     "int behavior:enum mm.madvise, unsigned int flags:x"),
    (441, "epoll_pwait2", "fs.eventpoll",
     "int epfd:fd, struct epoll_event *events:out poll.epoll_events[ret], int maxevents, "
     "const struct __kernel_timespec *timeout:in timespec, "
     "const sigset_t *sigmask:in signal.sigset[sigsetsize], size_t sigsetsize"),
    (442, "mount_setattr", "",
     "int dfd:dirfd, const char *path:path, unsigned int flags:flags fs.at, "
     "struct mount_attr *uattr:address, size_t usize"),
    (443, "quotactl_fd", "", "unsigned int fd:fd, unsigned int cmd:x, qid_t id, void *addr"),
    (444, "landlock_create_ruleset", "",
     "const struct landlock_ruleset_attr *const attr:address, const size_t size, "
     "const __u32 flags:x -> fd"),
    (445, "landlock_add_rule", "",
     "const int ruleset_fd:fd, const enum landlock_rule_type rule_type, "
     "const void *const rule_attr:address, const __u32 flags:x"),
    (446, "landlock_restrict_self", "", "const int ruleset_fd:fd, const __u32 flags:x"),
    (447, "memfd_secret", "", "unsigned int flags:flags fs.open -> fd"),
    (448, "process_mrelease", "", "int pidfd:fd, unsigned int flags:x"),
    (449, "futex_waitv", "futex_waitv",
     "struct futex_waitv *waiters:in futex.waitv[nr_futexes], unsigned int nr_futexes, "
     "unsigned int flags:x, struct __kernel_timespec *timeout:in timespec, "
     "clockid_t clockid:enum time.clock"),
    (450, "set_mempolicy_home_node", "",
     "unsigned long start:address, unsigned long len, unsigned long home_node, "
     "unsigned long flags:x"),
)
# fmt: on
