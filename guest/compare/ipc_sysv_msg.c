/*
 * System V message queues: types and how they are chosen, sizes and cutting, full queues, waiting receivers and
 * senders, copies, removal and signals while waiting, msgctl's commands, permissions, errors.
 */
#include "show.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <time.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif

struct message {
    long type;
    char text[9000];
};

static int id;
static int gate[2], behind_gate;

/* What children have to say comes when the parent waits for them, and not before. */
static void pass_gate(void)
{
    char byte;
    int error = errno;
    if (behind_gate)
        must("gate", read(gate[0], &byte, 1));
    errno = error;
}

static long put(long type, const char *text, int flags)
{
    struct message message = {.type = type};
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text), flags);
}

static void get(const char *what, size_t size, long type, int flags)
{
    struct message message = {.type = -7};
    long n = msgrcv(id, &message, size, type, flags);
    pass_gate();
    if (n < 0)
        show(what, n);
    else
        printf("%s: type %ld, %ld bytes \"%.*s\"\n", what, message.type, n, n > 20 ? 20 : (int)n, message.text);
}

static void stat_line(const char *what)
{
    struct msqid_ds ds;
    memset(&ds, 0, sizeof ds);
    if (msgctl(id, IPC_STAT, &ds) < 0)
        show(what, -1);
    else
        printf("%s: mode %o, %lu messages of %lu, %lu bytes, sent %s, received %s\n", what, ds.msg_perm.mode,
               (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, (unsigned long)ds.__msg_cbytes,
               ds.msg_lspid == getpid() ? "by me" : ds.msg_lspid ? "by another" : "never",
               ds.msg_lrpid == getpid() ? "by me" : ds.msg_lrpid ? "by another" : "never");
}

static void ended(const char *what)
{
    int status = -1;
    wait(&status);
    printf("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void let_pass(const char *what)
{
    must("gate", write(gate[1], "", 1));
    ended(what);
}

/* Until the child sleeps. */
static void asleep(pid_t pid)
{
    char path[40], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (state != 'S') {
        usleep(1000);
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            return;
        fclose(file);
    }
}

static pid_t reader(const char *what, size_t size, long type, int flags)
{
    pid_t pid = fork();
    if (pid == 0) {
        behind_gate = 1;
        get(what, size, type, flags);
        _exit(0);
    }
    asleep(pid);
    return pid;
}

static pid_t writer(const char *what, long type, const char *text)
{
    pid_t pid = fork();
    if (pid == 0) {
        long result = put(type, text, 0);
        behind_gate = 1;
        pass_gate();
        show(what, result);
        _exit(0);
    }
    asleep(pid);
    return pid;
}

static void handler(int sig)
{
    (void)sig;
}

int main(void)
{
    key_t key = 0x6d000000 | getpid();
    struct message big = {.type = 1};
    memset(big.text, 'b', sizeof big.text);
    must("pipe", pipe(gate));
    show("no such key", msgget(key, 0));
    id = must("msgget", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    show("exclusive", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    check("same", msgget(key, 0) == id);
    stat_line("new");

    puts("errors");
    show("send type 0", put(0, "x", 0));
    show("send type -1", put(-1, "x", 0));
    show("send 8193", msgsnd(id, &big, 8193, 0));
    show("send -1", msgsnd(id, &big, -1, 0));
    show("send bad pointer", msgsnd(id, (void *)8, 1, 0));
    show("send to -1", msgsnd(-1, &big, 1, 0));
    show("send to none", msgsnd(0x7ffffff, &big, 1, 0));
    show("receive -1", msgrcv(id, &big, -1, 0, IPC_NOWAIT));
    show("receive from -1", msgrcv(-1, &big, 1, 0, IPC_NOWAIT));
    show("receive from none", msgrcv(0x7ffffff, &big, 1, 0, IPC_NOWAIT));
    show("empty", msgrcv(id, &big, 1, 0, IPC_NOWAIT));
    show("copy that may wait", msgrcv(id, &big, 1, 0, MSG_COPY));
    show("copy except", msgrcv(id, &big, 1, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT));
    show("copy of nothing", msgrcv(id, &big, 1, 0, MSG_COPY | IPC_NOWAIT));
    show("bad command", msgctl(id, 77, NULL));
    show("stat to bad pointer", msgctl(id, IPC_STAT, (void *)8));
    show("set from bad pointer", msgctl(id, IPC_SET, (void *)8));

    puts("types");
    const long types[] = {5, 3, 9, 3, 1, 7, 5};
    for (unsigned i = 0; i < COUNT(types); i++) {
        char text[] = {'a' + i, 0};
        must("send", put(types[i], text, 0));
    }
    stat_line("seven");
    get("copy of the third", 100, 2, MSG_COPY | IPC_NOWAIT);
    get("copy of the eighth", 100, 7, MSG_COPY | IPC_NOWAIT);
    get("any", 100, 0, 0);
    get("type 3", 100, 3, 0);
    get("up to 4", 100, -4, 0);
    get("up to 6", 100, -6, 0);
    get("up to the most", 100, (long)1 << 63, 0);
    get("all but 9", 100, 9, MSG_EXCEPT);
    get("type 8", 100, 8, IPC_NOWAIT);
    get("type 9", 100, 9, 0);
    get("empty", 100, 0, IPC_NOWAIT);

    puts("sizes");
    must("send", put(2, "ten bytes.", 0));
    get("five", 5, 0, 0);
    get("five, cut", 5, 0, MSG_NOERROR);
    get("rest", 100, 0, IPC_NOWAIT);
    must("send", put(2, "", 0));
    get("nothing in it", 0, 0, 0);
    must("send", put(2, "lost", 0));
    show("to bad pointer", msgrcv(id, (void *)8, 100, 0, 0));
    get("it is gone", 100, 0, IPC_NOWAIT);
    show("8192", msgsnd(id, &big, 8192, 0));
    show("8192 more", msgsnd(id, &big, 8192, 0));
    show("full", put(1, "x", IPC_NOWAIT));
    show("nothing fits", put(1, "", IPC_NOWAIT));
    stat_line("full");
    get("one out", 9000, 0, 0);
    show("fits", put(1, "x", IPC_NOWAIT));
    get("out", 9000, 0, 0);
    get("out", 9000, 0, 0);

    puts("waiting");
    reader("reader of 4", 100, 4, 0);
    show("send 3", put(3, "three", 0));
    show("send 4", put(4, "four", 0));
    let_pass("reader");
    get("3 is still there", 100, 0, IPC_NOWAIT);
    get("4 is not", 100, 0, IPC_NOWAIT);
    stat_line("received by the reader");
    reader("small reader", 2, 0, 0);
    show("send", put(3, "large", 0));
    let_pass("reader");
    get("it stayed", 100, 0, IPC_NOWAIT);
    reader("first", 2, 0, MSG_NOERROR);
    show("send", put(3, "large", 0));
    let_pass("reader");
    msgsnd(id, &big, 8192, 0);
    msgsnd(id, &big, 8192, 0);
    writer("writer", 6, "waited");
    get("room", 9000, 0, 0);
    let_pass("writer");
    get("big", 9000, 0, 0);
    get("waited", 9000, 0, 0);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 20000);
    get("signal with SA_RESTART", 100, 0, 0);
    ualarm(0, 0);
    kill(reader("killed", 100, 0, 0), SIGKILL);
    ended("reader");
    show("send", put(1, "kept", 0));
    get("nobody took it", 100, 0, IPC_NOWAIT);

    puts("msgctl");
    struct msqid_ds ds;
    must("stat", msgctl(id, IPC_STAT, &ds));
    ds.msg_perm.mode = 0644;
    ds.msg_qbytes = 3;
    show("IPC_SET", msgctl(id, IPC_SET, &ds));
    stat_line("set");
    show("three bytes", put(1, "abc", IPC_NOWAIT));
    show("no more", put(1, "", IPC_NOWAIT));
    get("out", 9, 0, 0);
    show("1", put(1, "", IPC_NOWAIT));
    show("2", put(1, "", IPC_NOWAIT));
    show("3", put(1, "", IPC_NOWAIT));
    show("4", put(1, "", IPC_NOWAIT));
    writer("writer", 6, "ok");
    ds.msg_qbytes = 100;
    show("IPC_SET", msgctl(id, IPC_SET, &ds));
    let_pass("writer");
    if (fork() == 0) {
        drop_root();
        get("read", 9, 6, 0);
        show("write", put(1, "x", IPC_NOWAIT));
        ok("get to write", msgget(key, 0200));
        ds.msg_qbytes = 16385;
        show("set more bytes", msgctl(id, IPC_SET, &ds));
        if (ds.msg_perm.cuid != geteuid())
            show("remove", msgctl(id, IPC_RMID, NULL));
        _exit(0);
    }
    ended("other user");
    struct msginfo info;
    check("IPC_INFO", msgctl(0, IPC_INFO, (void *)&info) >= 0);
    printf("pool %d map %d max %d mnb %d mni %d ssz %d tql %d seg %d\n", info.msgpool, info.msgmap, info.msgmax,
           info.msgmnb, info.msgmni, info.msgssz, info.msgtql, info.msgseg);

    puts("removal");
    reader("reader", 9, 77, 0);
    show("IPC_RMID", msgctl(id, IPC_RMID, NULL));
    let_pass("reader");
    show("again", msgctl(id, IPC_RMID, NULL));
    show("send", put(1, "x", 0));
    id = must("msgget", msgget(IPC_PRIVATE, 0600));
    msgsnd(id, &big, 8192, 0);
    msgsnd(id, &big, 8192, 0);
    writer("writer", 1, "x");
    show("IPC_RMID", msgctl(id, IPC_RMID, NULL));
    let_pass("writer");
    show("by key", msgget(key, 0));
    return 0;
}
