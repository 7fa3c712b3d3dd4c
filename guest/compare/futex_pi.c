/*
 * Priority-inheriting futexes: the word while the lock is free, taken and waited for; time limits, owners that die,
 * robust lists, deadlocks, from a condition to a lock (FUTEX_CMP_REQUEUE_PI), errors.
 */
#include "show.h"
#include <sys/wait.h>
#include <time.h>

/* linux/futex.h, which not every C library has */
enum {
    FUTEX_WAKE = 1,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_LOCK_PI = 6,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_REQUEUE_PI = 11,
    FUTEX_CMP_REQUEUE_PI,
    LOCK_PI2,
    FUTEX_PRIVATE_FLAG = 128,
    FUTEX_CLOCK_REALTIME = 256,
};
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu

static volatile uint32_t *words;
static int gate[2];
static pid_t me;

static long futex(int word, int op, long val, const void *timeout, int word2, long val3)
{
    return syscall(SYS_futex, &words[word], op, val, timeout, &words[word2], val3);
}

static void word(const char *what, int i)
{
    uint32_t value = words[i], tid = value & FUTEX_TID_MASK;
    printf("%s: %s%s%s\n", what, tid == (uint32_t)getpid() ? "mine" : tid == (uint32_t)me ? "parent's" : tid ? "another's" : "free",
           value & FUTEX_WAITERS ? ", waiters" : "", value & FUTEX_OWNER_DIED ? ", owner died" : "");
}

static struct timespec in_ms(int clock, long ms)
{
    struct timespec when;
    clock_gettime(clock, &when);
    when.tv_nsec += ms * 1000000;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    return when;
}

/* Until a child sleeps. */
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

static void pass_gate(void)
{
    char byte;
    must("gate", read(gate[0], &byte, 1));
}

static void let_pass(void)
{
    must("gate", write(gate[1], "", 1));
    wait(NULL);
}

static void handler(int sig)
{
    (void)sig;
}

/* What glibc and musl keep for a thread: a list of the locks that it has. */
struct node {
    struct node *next;
};

static struct {
    struct node *first;
    long offset;
    struct node *pending;
} head;

int main(void)
{
    struct timespec when;
    pid_t pid;
    long result;
    me = getpid();
    must("pipe", pipe(gate));
    words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    puts("free and taken");
    show("trylock", futex(0, FUTEX_TRYLOCK_PI, 0, NULL, 0, 0));
    word("word", 0);
    show("trylock again", futex(0, FUTEX_TRYLOCK_PI, 0, NULL, 0, 0));
    show("lock again", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    show("unlock", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    word("word", 0);
    show("unlock again", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    show("lock", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    show("unlock", futex(0, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, 0, 0));
    words[0] = FUTEX_OWNER_DIED;
    show("lock of a dead one", futex(0, LOCK_PI2, 0, NULL, 0, 0));
    word("word", 0);
    words[0] = 0x3ffffff;
    show("no such owner", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    printf("word %x\n", words[0]);
    show("no such owner, trylock", futex(0, FUTEX_TRYLOCK_PI, 0, NULL, 0, 0));
    words[0] = 0;

    puts("errors");
    show("unaligned", syscall(SYS_futex, (char *)words + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("bad pointer", syscall(SYS_futex, 8, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("read-only", syscall(SYS_futex, "\0\0\0\0\0\0\0\0", FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == -1 && errno != EDEADLK);
    show("unlock bad pointer", syscall(SYS_futex, 8, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    show("bad time", futex(0, FUTEX_LOCK_PI, 0, &(struct timespec){0, -1}, 0, 0));
    show("LOCK_PI with a clock", futex(0, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, 0, 0));
    show("requeue to itself", futex(0, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, 0, 0));
    show("requeue, wake two", futex(0, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, 1, 0));
    show("requeue, wake none", futex(0, FUTEX_CMP_REQUEUE_PI, 0, (void *)1, 1, 0));
    show("requeue minus one", futex(0, FUTEX_CMP_REQUEUE_PI, 1, (void *)-1, 1, 0));
    show("requeue, another value", futex(0, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, 1, 5));
    show("requeue of nobody", futex(0, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, 1, 0));
    show("wait to itself", futex(0, FUTEX_WAIT_REQUEUE_PI, 0, NULL, 0, 0));
    show("wait, another value", futex(0, FUTEX_WAIT_REQUEUE_PI, 5, NULL, 1, 0));

    puts("waiting");
    must("lock", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    pid = fork();
    if (pid == 0) {
        show("child tries", futex(0, FUTEX_TRYLOCK_PI, 0, NULL, 0, 0));
        word("word", 0);
        show("child unlocks", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
        when = in_ms(CLOCK_REALTIME, 20);
        show("20 ms", futex(0, FUTEX_LOCK_PI, 0, &when, 0, 0));
        when = in_ms(CLOCK_MONOTONIC, 20);
        show("20 ms of CLOCK_MONOTONIC", futex(0, LOCK_PI2, 0, &when, 0, 0));
        show("past", futex(0, LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &(struct timespec){0, 0}, 0, 0));
        struct sigaction action = {.sa_handler = handler};
        sigaction(SIGALRM, &action, NULL);
        ualarm(20000, 0);
        words[8] = 1;
        result = futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0);
        pass_gate();
        show("child locks", result);
        word("word", 0);
        show("child unlocks", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
        word("word", 0);
        _exit(0);
    }
    while (!words[8])
        usleep(1000);
    asleep(pid);
    word("word", 0);
    show("wake", futex(0, FUTEX_WAKE, 1, NULL, 0, 0));
    show("unlock", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    check("handed over", (words[0] & FUTEX_TID_MASK) == (uint32_t)pid);
    let_pass();

    puts("order");
    must("lock", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    for (int i = 0; i < 3; i++) {
        pid = fork();
        if (pid == 0) {
            futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0);
            printf("child %d\n", i);
            futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
            _exit(0);
        }
        asleep(pid);
    }
    result = futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
    while (wait(NULL) > 0)
        continue;
    show("unlock", result);
    word("word", 0);

    puts("owners that die");
    if (fork() == 0) {
        futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0);
        pass_gate();
        usleep(50000);
        _exit(0);
    }
    while (words[0] == 0)
        usleep(1000);
    must("gate", write(gate[1], "", 1));
    show("lock of a dying one", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    wait(NULL);
    word("word", 0);
    show("unlock", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    word("word", 0);
    if (fork() == 0) {
        static struct node node;
        head.first = (struct node *)((uintptr_t)&node | 1);
        node.next = (struct node *)&head;
        head.offset = (char *)&words[2] - (char *)&node;
        must("set_robust_list", syscall(SYS_set_robust_list, &head, sizeof head));
        futex(2, FUTEX_LOCK_PI, 0, NULL, 0, 0);
        _exit(0);
    }
    wait(NULL);
    word("robust", 2);
    show("lock", futex(2, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    word("robust", 2);
    show("unlock", futex(2, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    word("robust", 2);

    puts("deadlock");
    must("lock", futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    pid = fork();
    if (pid == 0) {
        must("lock", futex(1, FUTEX_LOCK_PI, 0, NULL, 0, 0));
        futex(0, FUTEX_LOCK_PI, 0, NULL, 0, 0);
        futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
        futex(1, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
        _exit(0);
    }
    while (!(words[0] & FUTEX_WAITERS))
        usleep(1000);
    asleep(pid);
    show("each waits for the other", futex(1, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    show("unlock", futex(0, FUTEX_UNLOCK_PI, 0, NULL, 0, 0));
    wait(NULL);
    word("first", 0);
    word("second", 1);

    puts("conditions");
    words[3] = 77;
    for (int i = 0; i < 2; i++) {
        pid = fork();
        if (pid == 0) {
            result = futex(3, FUTEX_WAIT_REQUEUE_PI, 77, NULL, 4, 0);
            printf("child %d: %ld, ", i, result);
            word("lock", 4);
            futex(4, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
            _exit(0);
        }
        asleep(pid);
    }
    show("wake", futex(3, FUTEX_WAKE, 1, NULL, 0, 0));
    show("requeue", futex(3, FUTEX_CMP_REQUEUE, 1, (void *)1, 4, 77));
    show("to another lock", futex(3, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, 5, 77));
    must("lock", futex(4, FUTEX_LOCK_PI, 0, NULL, 0, 0));
    show("both", futex(3, FUTEX_CMP_REQUEUE_PI, 1, (void *)10, 4, 77));
    word("lock", 4);
    result = futex(4, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
    while (wait(NULL) > 0)
        continue;
    show("unlock", result);
    word("lock", 4);
    pid = fork();
    if (pid == 0) {
        result = futex(3, FUTEX_WAIT_REQUEUE_PI, 77, NULL, 4, 0);
        pass_gate();
        show("free lock", result);
        word("lock", 4);
        futex(4, FUTEX_UNLOCK_PI, 0, NULL, 0, 0);
        _exit(0);
    }
    asleep(pid);
    show("one", futex(3, FUTEX_CMP_REQUEUE_PI, 1, (void *)0, 4, 77));
    let_pass();
    when = in_ms(CLOCK_MONOTONIC, 20);
    show("20 ms", futex(3, FUTEX_WAIT_REQUEUE_PI, 77, &when, 4, 0));
    return 0;
}
