/*
 * proc_tasks.c - /proc/PID of other tasks: zombies, tasks that are gone, threads, those of other users; names that
 * need escapes; what can be written; another process's memory as a file.
 */
#include "show.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char text[65536];

static const char *name(int pid, const char *what)
{
    static char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    return path;
}

/* The contents of a file, in `text`; -1 and errno. */
static long slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    long size = 0, got;
    while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0)
        size += got;
    int error = errno;
    close(fd);
    text[size] = 0;
    errno = error;
    return got < 0 ? -1 : size;
}

static long line_of(int pid, const char *file, const char *key)
{
    if (slurp(name(pid, file)) < 0)
        return -1;
    char *at = strstr(text, key);
    if (!at) {
        printf("no %s\n", key);
        return 0;
    }
    printf("%.*s\n", (int)strcspn(at, "\n"), at);
    return 0;
}

static long put(const char *path, const char *what)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return -1;
    long done = write(fd, what, strlen(what));
    int error = errno;
    close(fd);
    errno = error;
    return done;
}

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void zombie(void)
{
    char target[256];
    int ready[2];
    if (pipe(ready))
        return;
    int pid = fork();
    if (!pid) {
        prctl(PR_SET_NAME, "a\nb\\c d)", 0, 0, 0);
        write(ready[1], "", 1);
        pause();
    }
    read(ready[0], target, 1);
    line_of(pid, "status", "Name:");
    slurp(name(pid, "comm"));
    printf("comm: %s", text);
    slurp(name(pid, "stat"));
    char *end = strrchr(text, ')');
    printf("stat: %.*s\n", (int)(end - strchr(text, '(')), strchr(text, '('));
    int status = open(name(pid, "status"), O_RDONLY), directory = open(name(pid, ""), O_RDONLY | O_DIRECTORY);
    int link = open(name(pid, "maps"), O_RDONLY);
    kill(pid, SIGTERM);
    siginfo_t info;
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    line_of(pid, "status", "State:");
    line_of(pid, "status", "Threads:");
    check("no Vm lines", !strstr(text, "VmRSS"));
    show("cmdline", slurp(name(pid, "cmdline")));
    show("exe", readlink(name(pid, "exe"), target, sizeof target));
    show("cwd", readlink(name(pid, "cwd"), target, sizeof target));
    show("root", readlink(name(pid, "root"), target, sizeof target));
    show("statm", slurp(name(pid, "statm")));
    printf("%s", text);
    show("limits", slurp(name(pid, "limits")) > 100);
    show("wchan", slurp(name(pid, "wchan")));
    show("oom_score", slurp(name(pid, "oom_score")));
    printf("%s", text);
    show("fd", entries(name(pid, "fd")));
    show("task", entries(name(pid, "task")));
    waitpid(pid, NULL, 0);
    show("open: gone", open(name(pid, "status"), O_RDONLY));
    show("read: gone", read(status, target, 10));
    show("maps: gone", read(link, target, 10) <= 0);
    show("openat: gone", openat(directory, "status", O_RDONLY));
    show("readdir: gone", syscall(SYS_getdents64, directory, text, sizeof text));
    close(status), close(link), close(directory), close(ready[0]), close(ready[1]);
}

static char stack[16384] __attribute__((aligned(16)));
static volatile int go, tid;

static int thread(void *unused)
{
    tid = syscall(SYS_gettid);
    while (!go)
        sched_yield();
    return 0;
}

static void threads(void)
{
    int own = getpid();
    clone(thread, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
    while (!tid)
        sched_yield();
    char path[64];
    show("task", entries("/proc/self/task"));
    line_of(own, "status", "Threads:");
    snprintf(path, sizeof path, "task/%d/status", tid);
    show("thread", line_of(own, path, "Threads:"));
    show("by its number", line_of(tid, "status", "State:"));
    snprintf(path, sizeof path, "task/%d/comm", tid);
    show("rename the thread", put(name(own, path), "worker\n"));
    slurp(name(own, path));
    printf("%s", text);
    slurp("/proc/self/comm");
    printf("%s", text);
    snprintf(path, sizeof path, "task/%d", own);
    show("not of the process", slurp(name(tid, "task/99999999/comm")));
    go = 1;
    snprintf(path, sizeof path, "/proc/self/task/%d", tid);
    while (!access(path, F_OK))
        sched_yield();
    show("task", entries("/proc/self/task"));
}

static void written(void)
{
    show("adj: 300", put("/proc/self/oom_score_adj", "300\n"));
    slurp("/proc/self/oom_score_adj");
    printf("%s", text);
    show("adj: 1001", put("/proc/self/oom_score_adj", "1001"));
    show("adj: text", put("/proc/self/oom_score_adj", "much"));
    show("adj: two", put("/proc/self/oom_score_adj", "3 4"));
    int pid = fork();
    if (!pid) {
        slurp("/proc/self/oom_score_adj");
        printf("inherited: %s", text);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    show("adj: 0", put("/proc/self/oom_score_adj", "0"));
    show("slack", put("/proc/self/timerslack_ns", "70000"));
    show("is", prctl(PR_GET_TIMERSLACK));
    show("default", put("/proc/self/timerslack_ns", "0"));
    slurp("/proc/self/timerslack_ns");
    printf("%s", text);
    show("comm", put("/proc/self/comm", "a name that is much too long"));
    slurp("/proc/self/comm");
    printf("%s", text);
    show("comm, with its newline", put("/proc/self/comm", "short\n"));
    slurp("/proc/self/comm");
    printf("%s", text);
    show("loginuid", slurp("/proc/self/loginuid"));
    show("cgroup", slurp("/proc/self/cgroup") > 0);
    show("uid_map", slurp("/proc/self/uid_map"));
    show("setgroups", slurp("/proc/self/setgroups"));
}

static void memory(void)
{
    int pid = fork();
    static char message[32] = "before";
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), got[32];
    munmap(page + 4096, 4096);
    if (!pid) {
        raise(SIGSTOP);
        printf("child: %s\n", message);
        _exit(0);
    }
    waitpid(pid, NULL, WUNTRACED);
    int fd = open(name(pid, "mem"), O_RDWR);
    show("pread", pread(fd, got, 7, (long)message));
    printf("%s\n", got);
    show("pwrite", pwrite(fd, "after", 6, (long)message));
    show("nothing there", pread(fd, got, 1, 16));
    show("across the end", pread(fd, got, 1, 0x7ffffffff000));
    show("lseek", lseek(fd, (long)message, SEEK_SET) == (long)message);
    show("read", read(fd, got, 6));
    printf("%s\n", got);
    show("nothing", read(fd, got, 0));
    int own = open("/proc/self/mem", O_RDWR);
    show("read-only page", pwrite(own, "x", 1, (long)page));
    printf("%c, and: %d\n", page[0], page[1]);
    mprotect(page, 4096, PROT_NONE);
    show("no access", pread(own, got, 1, (long)page));
    show("read-only text", pwrite(own, "\x90", 1, (long)memory & -4096));
    show("past its end", pread(own, got, 8, (long)page + 4092));
    close(own);
    kill(pid, SIGCONT);
    waitpid(pid, NULL, 0);
    show("gone", pread(fd, got, 1, (long)message));
    close(fd);
}

static void gone_names(void)
{
    char target[512], where[512];
    int home = open(".", O_RDONLY | O_DIRECTORY);
    mkdir("a b", 0755);
    chdir("a b");
    getcwd(where, sizeof where);
    rmdir("../a b");
    ssize_t size = readlink("/proc/self/cwd", target, sizeof target - 1);
    target[size < 0 ? 0 : size] = 0;
    check("the directory's name, deleted", !strncmp(target, where, strlen(where)) &&
                                           !strcmp(target + strlen(where), " (deleted)"));
    /* What drop_root() opens to everybody must be the directory of this test. */
    must("fchdir", fchdir(home));
    close(home);
}

static void others(void)
{
    int pid = getpid();
    if (fork()) {
        int status;
        wait(&status);
        return;
    }
    char target[64];
    drop_root();
    show("stat", slurp(name(pid, "stat")) > 0);
    show("cmdline", slurp(name(pid, "cmdline")) > 0);
    show("status", slurp(name(pid, "status")) > 0);
    prctl(PR_SET_DUMPABLE, 1);
    struct stat st;
    show("own environ", slurp("/proc/self/environ") >= 0);
    prctl(PR_SET_DUMPABLE, 0);
    stat("/proc/self/environ", &st);
    check("belongs to root once not dumpable", st.st_uid == 0);
    if (geteuid()) {
        show("own environ, not dumpable", slurp("/proc/self/environ"));
        show("own maps, not dumpable", slurp("/proc/self/maps") > 0);
        show("own exe, not dumpable", readlink("/proc/self/exe", target, sizeof target) > 0);
    }
    stat("/proc/self", &st);
    check("the directory is still ours", st.st_uid == geteuid());
    _exit(0);
}

int main(void)
{
    umask(022);
    zombie();
    threads();
    written();
    memory();
    gone_names();
    others();
    return 0;
}
