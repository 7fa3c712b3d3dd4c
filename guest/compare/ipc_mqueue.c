/*
 * POSIX message queues: names, attributes and their limits, priorities, waiting with and without a time limit,
 * notification, poll, unlinking an open queue, RLIMIT_MSGQUEUE, permissions, errors.
 */
#include "show.h"
#include <mqueue.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static char name[40];
static int gate[2];

static long mq(const char *which, int flags, int mode, struct mq_attr *attr)
{
    return syscall(SYS_mq_open, which, flags, mode, attr);
}

static long put(int fd, const char *text, unsigned priority)
{
    return syscall(SYS_mq_timedsend, fd, text, strlen(text), priority, NULL);
}

static void got(const char *what, long n, const char *text, unsigned priority)
{
    if (n < 0)
        show(what, n);
    else
        printf("%s: %ld bytes \"%.*s\", priority %u\n", what, n, (int)n, text, priority);
}

static void get(const char *what, int fd)
{
    char text[100];
    unsigned priority = 12345;
    long n = syscall(SYS_mq_timedreceive, fd, text, sizeof text, &priority, NULL);
    got(what, n, text, priority);
}

static void attributes(const char *what, int fd)
{
    struct mq_attr attr;
    if (syscall(SYS_mq_getsetattr, fd, NULL, &attr) < 0)
        show(what, -1);
    else
        printf("%s: flags %lo, %ld messages of %ld bytes, %ld in it\n", what, attr.mq_flags, attr.mq_maxmsg,
               attr.mq_msgsize, attr.mq_curmsgs);
}

static void ready(const char *what, int fd)
{
    struct pollfd pollfd = {fd, POLLIN | POLLOUT, 0};
    int n = poll(&pollfd, 1, 0);
    printf("%s: %d, in %d, out %d\n", what, n, !!(pollfd.revents & POLLIN), !!(pollfd.revents & POLLOUT));
}

static void state(const char *what, int fd)
{
    char text[100];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n < 0) {
        show(what, n);
        return;
    }
    text[n] = 0;
    char *pid = strstr(text, "NOTIFY_PID:");
    printf("%s: %.*s%s\n", what, (int)(pid - text), text, atoi(pid + 11) == getpid() ? "me" : atoi(pid + 11) ? "other" : "nobody");
}

static void ended(const char *what)
{
    int status = -1;
    wait(&status);
    printf("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void asleep(pid_t pid)
{
    char path[40], now = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (now != 'S') {
        usleep(1000);
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &now) != 1)
            return;
        fclose(file);
    }
}

static void let_pass(const char *what)
{
    must("gate", write(gate[1], "", 1));
    ended(what);
}

static void handler(int sig)
{
    (void)sig;
}

static struct timespec in_ms(long ms)
{
    struct timespec when;
    clock_gettime(CLOCK_REALTIME, &when);
    when.tv_nsec += ms * 1000000;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    return when;
}

int main(void)
{
    char text[200], byte;
    struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 20};
    struct timespec when, bad = {0, -1};
    must("pipe", pipe(gate));
    snprintf(name, sizeof name, "emukernel-%d", getpid());
    signal(SIGALRM, handler);
    umask(022);

    puts("names");
    show("none", mq(name, O_RDWR, 0, NULL));
    show("empty", mq("", O_RDWR | O_CREAT, 0600, NULL));
    show("slash", mq("/a", O_RDWR | O_CREAT, 0600, NULL));
    show("dot", mq(".", O_RDWR, 0600, NULL));
    show("dots", mq("..", O_RDWR | O_CREAT, 0600, NULL));
    memset(text, 'n', sizeof text);
    char large[300];
    memset(large, 'n', 299);
    large[256] = 0;
    show("256 bytes", mq(large, O_RDWR | O_CREAT, 0600, NULL));
    show("bad pointer", mq((void *)8, O_RDWR, 0, NULL));
    show("bad attributes", mq(name, O_RDWR | O_CREAT, 0600, (void *)8));
    show("unlink none", syscall(SYS_mq_unlink, name));
    show("unlink slash", syscall(SYS_mq_unlink, "/a"));

    puts("attributes");
    show("no messages", mq(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 0, .mq_msgsize = 10}));
    show("no bytes", mq(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 0}));
    show("minus", mq(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = -1, .mq_msgsize = 10}));
    show("65537 messages", mq(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 65537, .mq_msgsize = 1}));
    show("huge messages", mq(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = (16 << 20) + 1}));
    int fd = must("mq_open", mq(name, O_RDWR | O_CREAT | O_EXCL, 0666, &attr));
    show("exclusive", mq(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
    show("access mode 3", mq(name, 3, 0, NULL));
    show("close on exec", fcntl(fd, F_GETFD));
    printf("flags %o\n", fcntl(fd, F_GETFL));
    attributes("new", fd);
    attributes("of a pipe", gate[0]);
    attributes("of nothing", 99);
    struct stat st;
    must("fstat", fstat(fd, &st));
    printf("mode %o, size %ld, links %ld\n", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    show("set unknown flags", syscall(SYS_mq_getsetattr, fd, &(struct mq_attr){.mq_flags = O_APPEND}, NULL));
    show("set from bad pointer", syscall(SYS_mq_getsetattr, fd, 8, NULL));
    show("get to bad pointer", syscall(SYS_mq_getsetattr, fd, NULL, 8));
    show("write", write(fd, "x", 1));
    state("read", fd);

    puts("messages");
    ready("empty", fd);
    show("low", put(fd, "low", 1));
    show("high", put(fd, "high", 32767));
    ready("two", fd);
    show("low again", put(fd, "low two", 1));
    ready("full", fd);
    attributes("full", fd);
    state("read", fd);
    show("priority 32768", put(fd, "x", 32768));
    show("too long", put(fd, "123456789012345678901", 0));
    show("bad text", syscall(SYS_mq_timedsend, fd, 8, 3, 0, NULL));
    show("small buffer", syscall(SYS_mq_timedreceive, fd, text, 19, NULL, NULL));
    show("to a pipe", put(gate[1], "x", 0));
    show("from nothing", syscall(SYS_mq_timedreceive, 99, text, 100, NULL, NULL));
    show("bad time", syscall(SYS_mq_timedsend, fd, "x", 1, 0, &bad));
    show("time at bad pointer", syscall(SYS_mq_timedsend, fd, "x", 1, 0, 8));
    when = in_ms(20);
    show("full for 20 ms", syscall(SYS_mq_timedsend, fd, "x", 1, 0, &when));
    show("past", syscall(SYS_mq_timedsend, fd, "x", 1, 0, &(struct timespec){0, 0}));
    get("1", fd);
    get("2", fd);
    get("3", fd);
    when = in_ms(20);
    show("empty for 20 ms", syscall(SYS_mq_timedreceive, fd, text, 100, NULL, &when));
    show("O_NONBLOCK", syscall(SYS_mq_getsetattr, fd, &(struct mq_attr){.mq_flags = O_NONBLOCK}, &attr));
    attributes("now", fd);
    get("empty", fd);
    put(fd, "", 0);
    put(fd, "", 0);
    put(fd, "", 5);
    show("full", put(fd, "", 0));
    get("nothing in it", fd);
    show("to bad pointer", syscall(SYS_mq_timedreceive, fd, text, 100, 8, NULL));
    get("third", fd);
    get("none", fd);
    show("block again", syscall(SYS_mq_getsetattr, fd, &(struct mq_attr){0}, NULL));
    int reader = must("open", mq(name, O_RDONLY, 0, NULL)), writer = must("open", mq(name, O_WRONLY, 0, NULL));
    show("send to reader", put(reader, "x", 0));
    get("receive from writer", writer);
    close(reader);
    close(writer);

    puts("waiting");
    pid_t pid = fork();
    if (pid == 0) {
        char mine[100];
        unsigned priority;
        long n = syscall(SYS_mq_timedreceive, fd, mine, 100, &priority, NULL);
        read(gate[0], &byte, 1);
        got("waited", n, mine, priority);
        _exit(0);
    }
    asleep(pid);
    show("send", put(fd, "here", 7));
    attributes("handed over", fd);
    let_pass("receiver");
    put(fd, "1", 0);
    put(fd, "2", 0);
    put(fd, "3", 0);
    pid = fork();
    if (pid == 0) {
        long n = put(fd, "4", 9);
        read(gate[0], &byte, 1);
        show("waited", n);
        _exit(0);
    }
    asleep(pid);
    get("one out", fd);
    attributes("another in", fd);
    let_pass("sender");
    get("it comes first", fd);
    get("2", fd);
    get("3", fd);
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 20000);
    get("interrupted", fd);
    ualarm(0, 0);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    when = in_ms(60);
    show("started again", syscall(SYS_mq_timedreceive, fd, text, 100, NULL, &when));

    puts("notification");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    siginfo_t info;
    struct timespec now = {0, 0}, later = {20, 0};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 31};
    show("none to remove", syscall(SYS_mq_notify, fd, NULL));
    show("bad pointer", syscall(SYS_mq_notify, fd, 8));
    show("of a pipe", syscall(SYS_mq_notify, gate[0], &event));
    show("signal 65", syscall(SYS_mq_notify, fd, &(struct sigevent){.sigev_signo = 65}));
    show("notify 77", syscall(SYS_mq_notify, fd, &(struct sigevent){.sigev_notify = 77}));
    show("register", syscall(SYS_mq_notify, fd, &event));
    show("again", syscall(SYS_mq_notify, fd, &event));
    state("registered", fd);
    if (fork() == 0) {
        show("child", syscall(SYS_mq_notify, fd, &event));
        show("child removes", syscall(SYS_mq_notify, fd, NULL));
        close(fd);
        fd = must("open", mq(name, O_RDWR, 0, NULL));
        show("child sends", put(fd, "x", 0));
        _exit(0);
    }
    ended("child");
    memset(&info, 0, sizeof info);
    syscall(SYS_rt_sigtimedwait, &set, &info, &later, 8);
    printf("signal: %s, code %d, value %d, uid %s, pid %s\n", info.si_signo == SIGUSR1 ? "SIGUSR1" : "none", info.si_code,
           info.si_value.sival_int, info.si_uid == getuid() ? "mine" : "other", info.si_pid != getpid() ? "other" : "mine");
    state("once", fd);
    show("register", syscall(SYS_mq_notify, fd, &event));
    show("not empty", put(fd, "y", 0));
    show("no signal", syscall(SYS_rt_sigtimedwait, &set, &info, &now, 8));
    get("x", fd);
    get("y", fd);
    show("empty again", put(fd, "z", 0));
    show("signal", syscall(SYS_rt_sigtimedwait, &set, &info, &later, 8) == SIGUSR1);
    get("z", fd);
    show("register", syscall(SYS_mq_notify, fd, &event));
    close(dup(fd));
    state("closing any descriptor removes", fd);
    show("register none", syscall(SYS_mq_notify, fd, &(struct sigevent){.sigev_notify = SIGEV_NONE}));
    state("none", fd);
    show("remove", syscall(SYS_mq_notify, fd, NULL));

    puts("limits and permissions");
    struct rlimit limit = {1000, 1000}, old;
    getrlimit(RLIMIT_MSGQUEUE, &old);
    printf("limit %ld\n", (long)old.rlim_cur);
    char other[50];
    snprintf(other, sizeof other, "%s-b", name);
    if (fork() == 0) {
        setrlimit(RLIMIT_MSGQUEUE, &limit);
        show("too many bytes", mq(other, O_RDWR | O_CREAT, 0600, NULL));
        _exit(0);
    }
    ended("child");
    if (fork() == 0) {
        drop_root();
        show("11 messages", mq(other, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 11, .mq_msgsize = 1}));
        show("8193 bytes", mq(other, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 8193}));
        ok("read", mq(name, O_RDONLY, 0, NULL));
        if (st.st_uid != geteuid()) {
            show("write", mq(name, O_RDWR, 0, NULL));
            show("unlink", syscall(SYS_mq_unlink, name));
        }
        _exit(0);
    }
    ended("child");
    must("mode 0", fchmod(fd, 0));
    if (fork() == 0) {
        drop_root();
        show("read", mq(name, O_RDONLY, 0, NULL));
        _exit(0);
    }
    ended("child");

    puts("unlink");
    show("unlink", syscall(SYS_mq_unlink, name));
    show("again", syscall(SYS_mq_unlink, name));
    show("open", mq(name, O_RDWR, 0, NULL));
    show("still works", put(fd, "last", 3));
    get("last", fd);
    show("close", close(fd));
    return 0;
}
