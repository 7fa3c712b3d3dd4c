/* /proc/self/status and stat: the fields that programs read, against what the calls say. */
#include "show.h"
#include <sys/prctl.h>

static char text[8192];

static const char *field(const char *name)
{
    static char value[256];
    char key[64];
    snprintf(key, sizeof key, "\n%s:\t", name);
    const char *at = strstr(text, key);
    if (at == NULL)
        return "absent";
    sscanf(at + strlen(key), "%255[^\n]", value);
    return value;
}

static void load(const char *path)
{
    int fd = must(path, open(path, O_RDONLY));
    text[0] = '\n';
    ssize_t size = must(path, read(fd, text + 1, sizeof text - 2));
    text[size + 1] = 0;
    close(fd);
}

int main(void)
{
    char expected[128];
    must("prctl", prctl(PR_SET_NAME, "a \\ name", 0, 0, 0));
    load("/proc/self/status");
    printf("Name %s\n", field("Name"));
    printf("State %s\n", field("State"));
    check("Pid", atoi(field("Pid")) == getpid());
    check("Tgid", atoi(field("Tgid")) == getpid());
    check("PPid", atoi(field("PPid")) == getppid());
    printf("TracerPid %s\n", field("TracerPid"));
    snprintf(expected, sizeof expected, "%d\t%d\t%d\t%d", getuid(), geteuid(), geteuid(), geteuid());
    check("Uid", strcmp(field("Uid"), expected) == 0);
    snprintf(expected, sizeof expected, "%d\t%d\t%d\t%d", getgid(), getegid(), getegid(), getegid());
    check("Gid", strcmp(field("Gid"), expected) == 0);
    printf("Threads %s\n", field("Threads"));
    long peak = atol(field("VmPeak")), size = atol(field("VmSize")), rss = atol(field("VmRSS"));
    check("VmPeak >= VmSize >= VmRSS > 0", peak >= size && size >= rss && rss > 0);
    pages(1000);
    load("/proc/self/status");
    check("VmSize grew by 1000 pages", atol(field("VmSize")) - size == 4000);
    printf("Seccomp %s\n", field("Seccomp"));

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    raise(SIGTERM);
    load("/proc/self/status");
    printf("SigBlk %s SigIgn %s SigPnd %s\n", field("SigBlk"), field("SigIgn"), field("SigPnd"));

    load("/proc/self/stat");
    int pid, ppid, pgrp, session;
    char name[64], state;
    int fields = sscanf(text + 1, "%d (%63[^)]) %c %d %d %d", &pid, name, &state, &ppid, &pgrp, &session);
    printf("stat: fields %d name %s state %c\n", fields, name, state);
    check("ids", pid == getpid() && ppid == getppid() && pgrp == getpgrp() && session == getsid(0));
    int count = 1;
    for (const char *at = strrchr(text, ')'); *at; at++)
        count += *at == ' ';
    printf("fields in all %d\n", count + 1);
    load("/proc/self/statm");
    long total, resident;
    sscanf(text + 1, "%ld %ld", &total, &resident);
    check("statm agrees with status", total * 4 == size + 4000 && resident > 0);
}
