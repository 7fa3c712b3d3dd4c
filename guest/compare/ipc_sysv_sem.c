/*
 * System V semaphores: several operations at once, waiting for zero and for more, the order of waiters, undo at exit,
 * removal and signals while waiting, time limits, semctl's commands, permissions, errors.
 */
#include "show.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>

static int id;
static int turn[2];

static long op1(int num, int op, int flags)
{
    struct sembuf sop = {num, op, flags};
    return semop(id, &sop, 1);
}

static long ctl(int num, int cmd, long arg)
{
    return syscall(SYS_semctl, id, num, cmd, arg);
}

static void values(const char *what)
{
    unsigned short all[8];
    if (ctl(0, GETALL, (long)all) < 0)
        show(what, -1);
    else
        printf("%s: %d %d %d %d, last changed by %s\n", what, all[0], all[1], all[2], all[3],
               ctl(0, GETPID, 0) == getpid() ? "me" : ctl(0, GETPID, 0) ? "another" : "nobody");
}

static void wait_for(int num, int cmd, long count)
{
    while (ctl(num, cmd, 0) != count)
        usleep(1000);
}

static int ended(const char *what)
{
    int status = -1;
    wait(&status);
    printf("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return status;
}

/* A child that tells its name when its operations are done. */
static pid_t child(char name, struct sembuf *sops, int count)
{
    pid_t pid = fork();
    if (pid == 0) {
        char text[2] = {name, semop(id, sops, count) < 0 ? '0' + (errno == EIDRM) : '+'};
        write(turn[1], text, 2);
        _exit(0);
    }
    return pid;
}

static void turns(const char *what, int count)
{
    char text[64];
    int got = 0;
    while (got < count * 2)
        got += read(turn[0], text + got, count * 2 - got);
    /* Who of several writes first is chance. */
    for (int i = 0; i < got; i += 2)
        for (int j = 0; j + 2 < got; j += 2)
            if (text[j] > text[j + 2]) {
                char name = text[j], result = text[j + 1];
                text[j] = text[j + 2], text[j + 1] = text[j + 3];
                text[j + 2] = name, text[j + 3] = result;
            }
    text[got] = 0;
    printf("%s: %s\n", what, text);
    while (count--)
        wait(NULL);
}

static void handler(int sig)
{
    (void)sig;
}

static int shares_undo(void *arg)
{
    (void)arg;
    syscall(SYS_exit, (int)op1(2, 1, SEM_UNDO));
    return 0;
}

int main(void)
{
    key_t key = 0x6c000000 | getpid();
    struct timespec none = {0, 0}, bad = {0, 1000000000}, some = {0, 20000000};
    struct sembuf two[2] = {{0, 1, 0}, {1, 1, 0}};
    must("pipe", pipe(turn));
    show("no semaphores", semget(IPC_PRIVATE, 0, 0600));
    show("minus one", semget(IPC_PRIVATE, -1, 0600));
    show("too many", semget(IPC_PRIVATE, 32001, 0600));
    show("no such key", semget(key, 1, 0));
    id = must("semget", semget(key, 4, IPC_CREAT | IPC_EXCL | 0600));
    show("exclusive", semget(key, 4, IPC_CREAT | IPC_EXCL | 0600));
    check("same", semget(key, 0, 0) == id && semget(key, 4, IPC_CREAT) == id);
    show("more", semget(key, 5, 0));
    values("new");

    puts("operations");
    show("none", semop(id, two, 0));
    show("501", semop(id, two, 501));
    show("bad pointer", semop(id, (void *)8, 1));
    show("bad id", semop(-1, two, 1));
    show("no such id", semop(0x7ffffff, two, 1));
    show("semaphore 4", op1(4, 1, 0));
    show("timeout 10^9 ns", syscall(SYS_semtimedop, id, two, 1, &bad));
    show("timeout at bad pointer", syscall(SYS_semtimedop, id, two, 1, 8));
    show("up", op1(0, 3, 0));
    show("down", op1(0, -2, 0));
    show("too far down", op1(0, -2, IPC_NOWAIT));
    show("not zero", op1(0, 0, IPC_NOWAIT));
    show("zero", op1(1, 0, IPC_NOWAIT));
    show("over the top", op1(0, 32767, 0));
    values("after");
    struct sembuf all_or_none[3] = {{1, 5, 0}, {2, 2, 0}, {3, -1, IPC_NOWAIT}};
    show("the third fails", semop(id, all_or_none, 3));
    values("nothing happened");
    struct sembuf repeated[4] = {{1, 2, 0}, {1, -1, 0}, {1, -1, 0}, {1, 0, 0}};
    show("the same one four times", semop(id, repeated, 4));
    show("no time", semtimedop(id, &(struct sembuf){3, -1, 0}, 1, &none));
    show("some time", semtimedop(id, &(struct sembuf){3, -1, 0}, 1, &some));

    puts("semctl");
    show("GETVAL", ctl(0, GETVAL, 0));
    show("GETVAL of 4", ctl(4, GETVAL, 0));
    show("GETVAL of -1", ctl(-1, GETVAL, 0));
    show("SETVAL", ctl(1, SETVAL, 9));
    show("SETVAL -1", ctl(1, SETVAL, -1));
    show("SETVAL 32768", ctl(1, SETVAL, 32768));
    show("SETVAL of 4", ctl(4, SETVAL, 1));
    show("SETVAL too much of nothing", syscall(SYS_semctl, 0x7ffffff, 0, SETVAL, 32768));
    show("GETALL to bad pointer", ctl(0, GETALL, 8));
    show("SETALL from bad pointer", ctl(0, SETALL, 8));
    unsigned short all[4] = {1, 2, 3, 40000};
    show("SETALL 40000", ctl(0, SETALL, (long)all));
    all[3] = 4;
    show("SETALL", ctl(0, SETALL, (long)all));
    values("set");
    show("bad command", ctl(0, 77, 0));
    show("bad id", syscall(SYS_semctl, -1, 0, GETVAL, 0));
    struct semid_ds ds;
    show("IPC_STAT", ctl(0, IPC_STAT, (long)&ds));
    printf("mode %o, %lu semaphores, otime %s\n", ds.sem_perm.mode, (unsigned long)ds.sem_nsems, ds.sem_otime ? "set" : "0");
    ds.sem_perm.mode = 0644;
    show("IPC_SET", ctl(0, IPC_SET, (long)&ds));
    show("IPC_SET of bad pointer", ctl(0, IPC_SET, 8));
    struct seminfo info;
    check("IPC_INFO", ctl(0, IPC_INFO, (long)&info) >= 0);
    printf("map %d mni %d mns %d mnu %d msl %d opm %d ume %d usz %d vmx %d aem %d\n", info.semmap, info.semmni,
           info.semmns, info.semmnu, info.semmsl, info.semopm, info.semume, info.semusz, info.semvmx, info.semaem);

    puts("waiting");
    all[0] = all[1] = all[2] = all[3] = 0;
    ctl(0, SETALL, (long)all);
    child('a', &(struct sembuf){0, -2, 0}, 1);
    wait_for(0, GETNCNT, 1);
    child('b', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 2);
    child('c', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 3);
    show("one up: the second can go on", op1(0, 1, 0));
    turns("woken", 1);
    show("three up", op1(0, 3, 0));
    turns("woken", 2);
    values("left");
    child('p', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 1);
    child('q', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 2);
    show("one up: the first goes on", op1(0, 1, 0));
    turns("woken", 1);
    show("one up", op1(0, 1, 0));
    turns("woken", 1);
    ctl(0, SETVAL, 2);
    child('z', &(struct sembuf){0, 0, 0}, 1);
    wait_for(0, GETZCNT, 1);
    show("down to 1", op1(0, -1, 0));
    show("still waits", ctl(0, GETZCNT, 0));
    show("SETVAL 0", ctl(0, SETVAL, 0));
    turns("woken", 1);
    struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
    child('d', both, 2);
    wait_for(0, GETNCNT, 1);
    show("up", op1(0, 1, 0));
    wait_for(1, GETNCNT, 1);
    show("it waits for the other one now", ctl(0, GETNCNT, 0));
    show("up", op1(1, 1, 0));
    turns("woken", 1);
    values("both are taken");
    struct sembuf chain[2] = {{0, -1, 0}, {2, 1, 0}};
    child('e', &(struct sembuf){2, -1, 0}, 1);
    wait_for(2, GETNCNT, 1);
    child('f', chain, 2);
    wait_for(0, GETNCNT, 1);
    show("up starts a chain", op1(0, 1, 0));
    turns("woken", 2);
    values("all zero");
    signal(SIGALRM, handler);
    if (fork() == 0) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &action, NULL);
        ualarm(20000, 20000);
        show("signal with SA_RESTART", op1(0, -1, 0));
        ualarm(0, 0);
        show("nobody waits", ctl(0, GETNCNT, 0));
        _exit(0);
    }
    ended("child");
    pid_t pid = child('k', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 1);
    kill(pid, SIGKILL);
    ended("killed");
    show("nobody waits", ctl(0, GETNCNT, 0));

    puts("undo");
    ctl(0, SETALL, (long)all);
    ctl(1, SETVAL, 5);
    if (fork() == 0) {
        show("up", op1(0, 4, SEM_UNDO));
        show("down", op1(1, -3, SEM_UNDO));
        show("without", op1(2, 1, 0));
        show("too much to undo", op1(3, 32767, SEM_UNDO));
        show("down again", op1(3, -32767, 0));
        show("twice too much", op1(3, 2, SEM_UNDO));
        values("in the child");
        _exit(0);
    }
    ended("child");
    values("undone");
    if (fork() == 0) {
        op1(0, 7, SEM_UNDO);
        op1(1, 7, SEM_UNDO);
        ctl(0, SETVAL, 3);
        _exit(0);
    }
    ended("SETVAL forgets");
    values("after");
    child('u', &(struct sembuf){3, -1, 0}, 1);
    wait_for(3, GETNCNT, 1);
    if (fork() == 0) {
        ctl(3, SETVAL, 0);
        op1(3, 1, 0);
        _exit(0);
    }
    turns("woken by a child", 2 - 1);
    wait(NULL);
    ctl(0, SETALL, (long)all);
    if (fork() == 0) {
        op1(0, 1, SEM_UNDO);
        op1(0, -1, 0);
        _exit(0);
    }
    ended("undo below zero");
    values("not below");
    char *stack = pages(16);
    int status;
    pid = clone(shares_undo, stack + 16 * PAGE, CLONE_VM | CLONE_SYSVSEM | SIGCHLD, NULL);
    waitpid(pid, &status, 0);
    show("undo is shared: not yet", ctl(2, GETVAL, 0));

    puts("permissions");
    ds.sem_perm.mode = 0444;
    must("set", ctl(0, IPC_SET, (long)&ds));
    if (fork() == 0) {
        drop_root();
        show("read", ctl(0, GETVAL, 0));
        show("wait for zero", op1(0, 0, IPC_NOWAIT));
        show("up", op1(0, 1, 0));
        show("SETVAL", ctl(0, SETVAL, 1));
        show("SETALL", ctl(0, SETALL, (long)all));
        show("get to write", semget(key, 0, 0200));
        if (ds.sem_perm.cuid != geteuid())
            show("remove", ctl(0, IPC_RMID, 0));
        _exit(0);
    }
    ended("other user");
    ds.sem_perm.mode = 0600;
    must("set", ctl(0, IPC_SET, (long)&ds));

    puts("removal");
    ctl(0, SETALL, (long)all);
    child('x', &(struct sembuf){0, -1, 0}, 1);
    wait_for(0, GETNCNT, 1);
    ctl(1, SETVAL, 1);
    child('y', &(struct sembuf){1, 0, 0}, 1);
    wait_for(1, GETZCNT, 1);
    show("IPC_RMID", ctl(0, IPC_RMID, 0));
    char text[4];
    read(turn[0], text, 2);
    read(turn[0], text + 2, 2);
    printf("told of it: %c%c\n", text[1], text[3]);
    while (wait(NULL) > 0)
        continue;
    show("again", ctl(0, IPC_RMID, 0));
    show("semop", op1(0, 1, 0));
    show("by key", semget(key, 0, 0));
    return 0;
}
