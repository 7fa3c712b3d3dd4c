/* Calls of every kind that the trace decodes, with good and bad arguments: strace's trace of it is
 * what ours is compared with. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <asm/prctl.h>
#include <linux/random.h>
#include <linux/stat.h>
#include <linux/utsname.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

#define S(...) syscall(__VA_ARGS__)
static char buf[8192];
static char text[300];
#define BAD ((void *)0x10)

static void files(void) {
    memset(text, 'x', sizeof text - 1);
    int fd = S(SYS_openat, AT_FDCWD, "f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    S(SYS_open, "missing", O_RDONLY | O_NOFOLLOW);
    S(SYS_open, "f", O_RDONLY | O_CLOEXEC, 0777);
    S(SYS_open, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    S(SYS_open, ".", O_RDWR | O_TMPFILE, 0600);
    S(SYS_open, "f", 3 | O_APPEND | O_SYNC);
    S(SYS_open, "f", O_PATH | 0x80000000);
    S(SYS_open, BAD, O_RDONLY);
    S(SYS_open, NULL, O_RDONLY | O_DSYNC | O_NOATIME);
    S(SYS_creat, "g\001\x7f\"\\\n\t\xff1", 0600);
    S(SYS_write, fd, "hello\n", 6);
    S(SYS_write, fd, text, 299);
    S(SYS_write, fd, text, 32);
    S(SYS_write, fd, text, 33);
    S(SYS_write, fd, "\0001\0a\033\x80", 6);
    S(SYS_write, fd, BAD, 6);
    S(SYS_write, fd, text, 0);
    S(SYS_write, -1, text, 3);
    S(SYS_lseek, fd, 0, SEEK_SET);
    S(SYS_lseek, fd, -5, SEEK_CUR);
    S(SYS_lseek, fd, 0, 77);
    S(SYS_read, fd, buf, 5);
    S(SYS_read, fd, buf, 100);
    S(SYS_read, fd, BAD, 100);
    S(SYS_read, 77, buf, 100);
    S(SYS_read, fd, buf, 0);
    S(SYS_pread64, fd, buf, 4, 1L);
    S(SYS_pwrite64, fd, "zz", 2, 4294967296L);
    S(SYS_ftruncate, fd, 20L);
    S(SYS_truncate, "missing", 1L);
    struct iovec iov[3] = {{buf, 4}, {buf + 10, 3}, {buf + 20, 6}};
    S(SYS_lseek, fd, 0L, SEEK_SET);
    S(SYS_readv, fd, iov, 3);
    S(SYS_readv, fd, iov, 0);
    S(SYS_readv, fd, BAD, 2);
    S(SYS_writev, fd, iov, 3);
    S(SYS_preadv, fd, iov, 2, 3L, 0L);
    S(SYS_pwritev, fd, iov, 2, 3L, 0L);
    S(SYS_preadv2, fd, iov, 2, 3L, 0L, 0x8);
    S(SYS_fallocate, fd, 0, 0L, 4096L);
    S(SYS_fallocate, fd, 3, 0L, 4096L);
    S(SYS_stat, "f", buf);
    S(SYS_stat, "missing", buf);
    S(SYS_fstat, 1, buf);
    S(SYS_lstat, "/dev/null", buf);
    S(SYS_newfstatat, AT_FDCWD, "f", buf, AT_SYMLINK_NOFOLLOW);
    S(SYS_newfstatat, fd, "", buf, AT_EMPTY_PATH);
    S(SYS_newfstatat, fd, "", buf, 0x77777);
    S(SYS_statx, AT_FDCWD, "f", AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, buf);
    S(SYS_statx, AT_FDCWD, "f", AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_SIZE, buf);
    S(SYS_statx, AT_FDCWD, "missing", 0, STATX_ALL, buf);
    S(SYS_access, "f", R_OK | X_OK);
    S(SYS_access, "f", F_OK);
    S(SYS_faccessat, AT_FDCWD, "f", W_OK);
    S(SYS_faccessat2, AT_FDCWD, "f", W_OK, AT_EACCESS);
    S(SYS_mkdir, "d", 0755);
    S(SYS_mkdirat, AT_FDCWD, "d/e", 01777);
    S(SYS_rmdir, "d/e");
    S(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR);
    S(SYS_symlink, "f", "l");
    S(SYS_symlinkat, "f", AT_FDCWD, "l");
    S(SYS_readlink, "l", buf, 100L);
    S(SYS_readlinkat, AT_FDCWD, "missing", buf, 100L);
    S(SYS_link, "f", "h");
    S(SYS_linkat, AT_FDCWD, "f", AT_FDCWD, "h", AT_SYMLINK_FOLLOW);
    S(SYS_rename, "h", "h2");
    S(SYS_renameat, AT_FDCWD, "h2", AT_FDCWD, "h3");
    S(SYS_renameat2, AT_FDCWD, "h3", AT_FDCWD, "h4", 1);
    S(SYS_renameat2, AT_FDCWD, "h4", AT_FDCWD, "l", 2);
    S(SYS_mknod, "p", S_IFIFO | 0600, 0L);
    S(SYS_mknodat, AT_FDCWD, "p", S_IFCHR | 0600, 0x0501L);
    S(SYS_chmod, "f", 0600);
    S(SYS_fchmod, fd, 04755);
    S(SYS_fchmodat, AT_FDCWD, "f", 0644);
    S(SYS_chown, "f", 0, -1);
    S(SYS_fchown, fd, 0, 0);
    S(SYS_fchownat, AT_FDCWD, "f", 0, 0, AT_SYMLINK_NOFOLLOW);
    struct timespec ts[2] = {{1700000000, 5}, {0, UTIME_NOW}};
    S(SYS_utimensat, AT_FDCWD, "f", ts, 0);
    ts[0].tv_nsec = UTIME_OMIT;
    S(SYS_utimensat, AT_FDCWD, "f", ts, AT_SYMLINK_NOFOLLOW);
    S(SYS_utimensat, AT_FDCWD, "f", NULL, 0);
    struct timeval tv[2] = {{1700000000, 5}, {1, 2}};
    S(SYS_utimes, "f", tv);
    struct utimbuf ub = {1700000000, 1};
    S(SYS_utime, "f", &ub);
    S(SYS_statfs, "/proc", buf);
    S(SYS_fstatfs, 77, buf);
    S(SYS_getcwd, buf, 8192L);
    S(SYS_getcwd, buf, 1L);
    S(SYS_chdir, ".");
    S(SYS_umask, 022);
    S(SYS_dup, fd);
    S(SYS_dup2, fd, 20);
    S(SYS_dup3, fd, 21, O_CLOEXEC);
    S(SYS_fcntl, fd, F_GETFD);
    S(SYS_fcntl, 21, F_GETFD);
    S(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    S(SYS_fcntl, fd, F_GETFL);
    S(SYS_fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK);
    S(SYS_fcntl, fd, F_DUPFD, 30);
    S(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 30);
    struct flock fl = {F_WRLCK, SEEK_SET, 0, 10, 0};
    S(SYS_fcntl, fd, F_SETLK, &fl);
    S(SYS_fcntl, fd, F_GETLK, &fl);
    S(SYS_fcntl, fd, F_GETOWN);
    S(SYS_fcntl, fd, F_SETLEASE, F_RDLCK);
    S(SYS_fcntl, fd, F_ADD_SEALS, 1);
    S(SYS_fcntl, fd, F_SETPIPE_SZ, 4096);
    S(SYS_fcntl, fd, 9999, 1);
    S(SYS_flock, fd, LOCK_EX | LOCK_NB);
    S(SYS_fsync, fd);
    S(SYS_sync_file_range, fd, 0L, 10L, 2);
    S(SYS_fadvise64, fd, 0L, 0L, 2);
    S(SYS_copy_file_range, fd, NULL, fd, NULL, 0L, 0);
    off_t off = 3;
    S(SYS_sendfile, 77, fd, &off, 10L);
    S(SYS_sendfile, 77, fd, NULL, 10L);
    int d = S(SYS_open, "/proc/self/fd", O_RDONLY | O_DIRECTORY);
    S(SYS_getdents64, d, buf, 200L);
    S(SYS_getdents, d, buf, 200L);
    S(SYS_getdents64, 77, buf, 200L);
    struct open_how how = {O_RDONLY | O_CREAT, 0644, RESOLVE_BENEATH};
    S(SYS_openat2, AT_FDCWD, "f", &how, sizeof how);
    how.flags = 0, how.mode = 0, how.resolve = 0;
    S(SYS_openat2, AT_FDCWD, "f", &how, sizeof how);
    S(SYS_close_range, 40, 50, 4);
    S(SYS_setxattr, "f", "user.a", "val", 3L, 1);
    S(SYS_getxattr, "f", "user.a", buf, 100L);
    S(SYS_listxattr, "f", buf, 100L);
    S(SYS_listxattr, "f", NULL, 0L);
    S(SYS_removexattr, "f", "user.a");
    S(SYS_close, fd);
    S(SYS_memfd_create, "m", 3);
    S(SYS_unlink, "f");
    S(SYS_unlink, "l");
    S(SYS_unlink, "h4");
    S(SYS_unlink, "p");
    S(SYS_unlink, "g\001\x7f\"\\\n\t\xff1");
}

static void memory(void) {
    char *p = (char *)S(SYS_mmap, NULL, 8192L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    S(SYS_mmap, p, 4096L, PROT_NONE, MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
    S(SYS_mmap, NULL, 4096L, PROT_EXEC, MAP_PRIVATE | MAP_POPULATE, 77, 4096L);
    S(SYS_mmap, NULL, 0L, 0x1000010, 0, 3, 0x100000000L);
    S(SYS_mprotect, p, 4096L, PROT_READ | PROT_EXEC);
    S(SYS_mprotect, p, 4096L, PROT_READ | PROT_GROWSDOWN | 0x80);
    S(SYS_madvise, p, 4096L, MADV_DONTNEED);
    S(SYS_madvise, p, 4096L, 999);
    S(SYS_mincore, p, 8192L, buf);
    S(SYS_msync, p, 4096L, MS_SYNC | MS_INVALIDATE);
    S(SYS_mlock, p, 4096L);
    S(SYS_mlock2, p, 4096L, 1);
    S(SYS_munlock, p, 4096L);
    S(SYS_mlockall, MCL_CURRENT);
    S(SYS_munlockall);
    p = (char *)S(SYS_mremap, p + 4096, 4096L, 8192L, MREMAP_MAYMOVE);
    S(SYS_mremap, p, 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, p + 65536);
    S(SYS_munmap, p, 8192L);
    S(SYS_brk, NULL);
    S(SYS_brk, 0x1000L);
    S(SYS_pkey_alloc, 0L, 1L);
    S(SYS_membarrier, 0, 0, 0);
}

static void times_(void) {
    struct timespec ts = {0, 1000}, rem;
    S(SYS_nanosleep, &ts, &rem);
    S(SYS_nanosleep, BAD, NULL);
    ts.tv_nsec = 1000000000;
    S(SYS_nanosleep, &ts, NULL);
    ts.tv_nsec = 1;
    S(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL);
    S(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
    S(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
    S(SYS_clock_gettime, CLOCK_REALTIME_COARSE, BAD);
    S(SYS_clock_gettime, 99, &ts);
    S(SYS_clock_gettime, -6, &ts);
    S(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, &ts);
    S(SYS_clock_getres, CLOCK_BOOTTIME, NULL);
    struct timeval tv;
    S(SYS_gettimeofday, &tv, NULL);
    S(SYS_gettimeofday, &tv, buf);
    S(SYS_time, NULL);
    S(SYS_time, buf);
    S(SYS_times, buf);
    struct itimerval it = {{0, 0}, {100, 5}}, ot;
    S(SYS_setitimer, ITIMER_REAL, &it, &ot);
    S(SYS_getitimer, ITIMER_REAL, &ot);
    S(SYS_alarm, 0);
    int t = S(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec its = {{1, 2}, {3, 4}};
    S(SYS_timerfd_settime, t, 0, &its, NULL);
    S(SYS_timerfd_settime, t, TFD_TIMER_ABSTIME, &its, buf);
    struct sigevent se = {0};
    se.sigev_notify = SIGEV_NONE;
    int tid;
    S(SYS_timer_create, CLOCK_MONOTONIC, &se, &tid);
    S(SYS_timer_settime, tid, 0, &its, buf);
    S(SYS_timer_gettime, tid, buf);
    S(SYS_timer_delete, tid);
}

static void handler(int s) { (void)s; }

struct ksa { void *h; unsigned long flags; void *rest; unsigned long mask; };

static void signals(void) {
    struct ksa sa = {(void *)SIG_IGN, 0, 0, 0}, old;
    S(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8);
    sa.h = (void *)0x401000, sa.flags = 0x04000000 | SA_RESTART | SA_SIGINFO, sa.rest = (void *)0x402000, sa.mask = 0x3;
    S(SYS_rt_sigaction, SIGUSR2, &sa, &old, 8);
    S(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8);
    S(SYS_rt_sigaction, 99, &sa, NULL, 8);
    S(SYS_rt_sigaction, SIGUSR2, &sa, NULL, 4);
    S(SYS_rt_sigaction, SIGRTMIN + 3, NULL, NULL, 8);
    unsigned long set = (1UL << (SIGUSR1 - 1)) | (1UL << (SIGCHLD - 1)), o;
    S(SYS_rt_sigprocmask, SIG_BLOCK, &set, &o, 8);
    set = ~0UL;
    S(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &o, 8);
    set = ~0x5UL;
    S(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    set = 0x180000000UL | 1;
    S(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    set = 0;
    S(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    S(SYS_rt_sigprocmask, 9, BAD, NULL, 8);
    S(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &o, 8);
    S(SYS_rt_sigpending, &o, 8);
    stack_t ss = {buf, 0, 8192};
    S(SYS_sigaltstack, &ss, NULL);
    S(SYS_sigaltstack, NULL, &ss);
    ss.ss_flags = SS_DISABLE;
    S(SYS_sigaltstack, &ss, NULL);
    S(SYS_kill, getpid(), 0);
    S(SYS_kill, getpid(), SIGUSR1);
    S(SYS_kill, -1000000, 200);
    S(SYS_tkill, getpid(), SIGUSR1);
    S(SYS_tgkill, getpid(), getpid(), SIGUSR1);
    struct timespec ts = {0, 1000};
    set = 1UL << (SIGUSR2 - 1);
    S(SYS_rt_sigprocmask, SIG_BLOCK, &set, &o, 8);
    S(SYS_rt_sigtimedwait, &set, buf, &ts, 8);
    S(SYS_tgkill, getpid(), getpid(), SIGUSR2);
    S(SYS_rt_sigtimedwait, &set, buf, &ts, 8);
    siginfo_t si;
    memset(&si, 0, sizeof si);
    si.si_signo = SIGUSR2, si.si_code = SI_QUEUE, si.si_pid = 5, si.si_uid = 6, si.si_value.sival_int = 7;
    S(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &si);
    S(SYS_rt_sigtimedwait, &set, buf, NULL, 8);
    signal(SIGUSR1, handler);
    S(SYS_kill, getpid(), SIGUSR1);
}

static void processes(void) {
    S(SYS_getpid); S(SYS_getppid); S(SYS_gettid); S(SYS_getuid); S(SYS_geteuid); S(SYS_getgid); S(SYS_getegid);
    S(SYS_setuid, 0); S(SYS_setreuid, -1, 0); S(SYS_setresgid, -1, -1, -1);
    S(SYS_getresuid, buf, buf + 4, buf + 8);
    S(SYS_getresgid, buf, BAD, buf + 8);
    S(SYS_setfsuid, -1);
    S(SYS_getgroups, 0, NULL);
    S(SYS_getgroups, 100, buf);
    S(SYS_setgroups, 1, BAD);
    S(SYS_getpgrp); S(SYS_getpgid, 0); S(SYS_getsid, 0); S(SYS_setpgid, 1, 99999999);
    S(SYS_uname, buf);
    S(SYS_sethostname, BAD, 3);
    S(SYS_sysinfo, buf);
    struct rlimit rl = {8192 * 1024, RLIM_INFINITY};
    S(SYS_getrlimit, RLIMIT_NOFILE, &rl);
    S(SYS_getrlimit, RLIMIT_CPU, &rl);
    rl.rlim_cur = 1000, rl.rlim_max = 1024 * 1024;
    S(SYS_prlimit64, 0, RLIMIT_CORE, &rl, NULL);
    S(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &rl);
    S(SYS_prlimit64, 0, 77, NULL, &rl);
    S(SYS_setrlimit, RLIMIT_CORE, &rl);
    S(SYS_getrusage, RUSAGE_SELF, buf);
    S(SYS_getrusage, RUSAGE_CHILDREN, BAD);
    S(SYS_getpriority, PRIO_PROCESS, 0);
    S(SYS_setpriority, PRIO_PROCESS, 0, 0);
    S(SYS_personality, 0xffffffff);
    S(SYS_prctl, PR_SET_NAME, "name");
    S(SYS_prctl, PR_GET_NAME, buf);
    S(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    S(SYS_prctl, PR_GET_PDEATHSIG, buf);
    S(SYS_prctl, PR_GET_DUMPABLE);
    S(SYS_prctl, PR_SET_DUMPABLE, 1);
    S(SYS_prctl, PR_CAPBSET_READ, CAP_SYS_ADMIN);
    S(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
    S(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    S(SYS_prctl, PR_GET_SECCOMP);
    S(SYS_prctl, PR_SET_SECCOMP, 2, NULL);
    S(SYS_prctl, PR_GET_KEEPCAPS);
    S(SYS_prctl, PR_SET_TIMERSLACK, 5);
    S(SYS_prctl, PR_GET_TSC, buf);
    S(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0);
    S(SYS_prctl, PR_SET_CHILD_SUBREAPER, 0);
    S(SYS_prctl, 9999, 1, 2, 3, 4);
    S(SYS_arch_prctl, ARCH_GET_FS, buf);
    S(SYS_arch_prctl, ARCH_SET_GS, 0x1234);
    S(SYS_arch_prctl, 0x9999, 0x1234);
    S(SYS_set_tid_address, buf);
    S(SYS_set_robust_list, buf, 24);
    S(SYS_get_robust_list, 0, buf, buf + 8);
    S(SYS_getrandom, buf, 4, GRND_NONBLOCK | GRND_RANDOM);
    S(SYS_getrandom, BAD, 4, 0);
    S(SYS_sched_yield);
    S(SYS_sched_getaffinity, 0, 0, buf);
    S(SYS_sched_setaffinity, 0, 8, BAD);
    S(SYS_sched_getscheduler, 0);
    S(SYS_sched_get_priority_max, SCHED_FIFO);
    S(SYS_sched_getparam, 0, buf);
    S(SYS_getcpu, BAD, NULL, NULL);
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    S(SYS_capget, &h, NULL);
    S(SYS_capget, &h, buf);
    S(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, buf);
    S(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1, NULL);
    S(SYS_futex, buf, FUTEX_WAKE_PRIVATE, 1);
    S(SYS_futex, buf, FUTEX_WAIT, 5, NULL);
    struct timespec ts = {0, 1000};
    memset(buf, 0, 16);
    S(SYS_futex, buf, FUTEX_WAIT_PRIVATE, 0, &ts);
    S(SYS_futex, buf, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &ts, NULL, -1);
    S(SYS_futex, buf, FUTEX_CMP_REQUEUE_PRIVATE, 1, 5, buf + 8, 7);
    S(SYS_futex, buf, FUTEX_REQUEUE, 1, 5, buf + 8);
    S(SYS_futex, buf, FUTEX_WAKE_OP, 1, 5, buf + 8, 0x1002003);
    S(SYS_futex, buf, 77, 1, 5, buf + 8, 0x1002003);
    S(SYS_syslog, 9, NULL, 0);
    S(SYS_syslog, 3, BAD, 0);
    int st;
    pid_t p = fork();
    if (!p) _exit(3);
    S(SYS_wait4, p, &st, 0, NULL);
    S(SYS_wait4, -1, &st, WNOHANG, buf);
    p = fork();
    if (!p) { raise(SIGKILL); }
    S(SYS_waitid, P_PID, p, buf, WEXITED, NULL);
    S(SYS_clone, 0x11 | CLONE_FS | CLONE_NEWUSER | CLONE_THREAD, NULL, NULL, NULL, 0L);
    struct clone_args ca = {.flags = CLONE_THREAD, .exit_signal = SIGCHLD};
    S(SYS_clone3, &ca, sizeof ca);
    S(SYS_unshare, 0);
    char *argv[] = {"prog", "arg", NULL}, *envp[] = {"A=1", NULL};
    S(SYS_execve, "./missing", argv, envp);
    S(SYS_execve, "./missing", NULL, BAD);
    S(SYS_execveat, AT_FDCWD, "missing", argv, envp, AT_SYMLINK_NOFOLLOW);
}

static void waiting(void) {
    int p[2];
    S(SYS_pipe, p);
    S(SYS_pipe2, p, O_CLOEXEC | O_NONBLOCK);
    S(SYS_pipe2, BAD, 0);
    struct pollfd pf[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT | POLLPRI, 0}};
    S(SYS_poll, pf, 2, 0);
    S(SYS_poll, pf, 1, 0);
    S(SYS_poll, NULL, 0, 1);
    S(SYS_poll, BAD, 1, 1);
    struct timespec ts = {0, 5};
    S(SYS_ppoll, pf, 1, &ts, NULL, 8);
    S(SYS_ppoll, pf, 2, &ts, buf, 8);
    fd_set r, w;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r), FD_SET(p[1], &w);
    struct timeval tv = {0, 5};
    S(SYS_select, p[1] + 1, &r, &w, NULL, &tv);
    FD_SET(p[0], &r);
    S(SYS_select, p[0] + 1, &r, NULL, NULL, &tv);
    S(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL);
    int e = S(SYS_epoll_create1, EPOLL_CLOEXEC);
    struct epoll_event ev = {EPOLLIN | EPOLLET, {.u64 = 5}};
    S(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], &ev);
    S(SYS_epoll_wait, e, buf, 5, 0);
    S(SYS_write, p[1], "x", 1);
    S(SYS_epoll_pwait, e, buf, 5, 0, NULL, 8);
    S(SYS_eventfd2, 1, EFD_NONBLOCK);
    S(SYS_inotify_init1, 0);
    S(SYS_inotify_add_watch, 77, "x", IN_CREATE | IN_DELETE);
    S(SYS_splice, 77, NULL, p[1], NULL, 10L, 1);
}

static void terminals(void) {
    S(SYS_ioctl, 77, TCGETS, buf);
    S(SYS_ioctl, 77, TIOCGWINSZ, buf);
    S(SYS_ioctl, 77, TIOCGPGRP, buf);
    S(SYS_ioctl, 77, FIONREAD, buf);
    S(SYS_ioctl, 77, 0xdead, buf);
    S(SYS_ioctl, 77, _IOR('q', 3, int), 0);
    int m = S(SYS_open, "/dev/ptmx", O_RDWR | O_NOCTTY);
    struct termios t;
    S(SYS_ioctl, m, TCGETS, &t);
    S(SYS_ioctl, m, TCSETS, &t);
    struct winsize ws = {24, 80, 0, 0};
    S(SYS_ioctl, m, TIOCSWINSZ, &ws);
    S(SYS_ioctl, m, TIOCGWINSZ, &ws);
    S(SYS_ioctl, m, TIOCGPTN, buf);
    S(SYS_ioctl, m, TIOCSPTLCK, buf);
    S(SYS_ioctl, m, FIONREAD, buf);
    S(SYS_ioctl, m, FIONBIO, buf);
    S(SYS_ioctl, m, FIOCLEX);
}

static void sockets(void) {
    int sv[2];
    S(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv);
    int s = S(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
    S(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
    S(SYS_socket, 99, 99, 99);
    struct sockaddr_in a = {AF_INET, htons(80), {htonl(0x7f000001)}, {0}};
    S(SYS_bind, s, &a, 3);
    S(SYS_connect, s, &a, sizeof a);
    struct sockaddr_un u = {AF_UNIX, "/nonexistent/x"};
    S(SYS_connect, sv[0], &u, sizeof u);
    struct sockaddr_un ab = {AF_UNIX, "\0abs"};
    S(SYS_bind, sv[0], &ab, 6);
    struct sockaddr_in6 a6 = {AF_INET6, htons(443), 0, IN6ADDR_LOOPBACK_INIT, 0};
    S(SYS_bind, s, &a6, sizeof a6);
    socklen_t l = sizeof buf;
    S(SYS_getsockname, s, buf, &l);
    S(SYS_listen, s, 5);
    S(SYS_sendto, sv[0], "hi", 2L, MSG_NOSIGNAL, NULL, 0);
    S(SYS_recvfrom, sv[1], buf, 10L, MSG_DONTWAIT, NULL, NULL);
    int one = 1;
    S(SYS_setsockopt, s, SOL_SOCKET, SO_REUSEADDR, &one, 4);
    l = 4;
    S(SYS_getsockopt, s, SOL_SOCKET, SO_TYPE, buf, &l);
    S(SYS_shutdown, sv[0], SHUT_RDWR);
    S(SYS_accept4, 77, buf, &l, SOCK_CLOEXEC);
    struct iovec iov = {"hey", 3};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    S(SYS_sendmsg, 77, &mh, 0);
}

int main(void) {
    files();
    memory();
    times_();
    signals();
    processes();
    waiting();
    terminals();
    sockets();
    S(500, 1, 2, 3, 4, 5, 6);
    S(SYS_vhangup + 1000, 1);
    S(SYS_exit_group, 7);
    return 0;
}
