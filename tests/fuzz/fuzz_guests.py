"""Guest programs of the fuzzer's tests, as C."""

#: One byte of input chooses what is done: every bit another part of the kernel.
EVERYTHING = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int count;
static void on_signal(int number) { count += number; }

int main(void)
{
    int p[2], sv[2];
    pipe(p);
    write(p[1], "abc", 3);
    int f = open("/tmp/file", O_CREAT | O_RDWR, 0644);
    write(f, "0123456789", 10);
    char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
    char *heap = malloc(100000);
    memset(heap, 7, 100000);
    signal(SIGUSR1, on_signal);
    signal(SIGALRM, on_signal);
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    write(sv[0], "xy", 2);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), poll = epoll_create1(0);
    struct epoll_event event = { EPOLLIN, { .fd = p[0] } };
    epoll_ctl(poll, EPOLL_CTL_ADD, p[0], &event);
    char *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[0] = 1;
    int watch = inotify_init();
    inotify_add_watch(watch, "/tmp", IN_ALL_EVENTS);

    unsigned char b[256];
    int n = read(0, b, sizeof b);
    int c = n > 0 ? b[0] : 0;
    printf("%d %c%c %d %d\n", count, map[0], map[1], shared[0], heap[5]);
    if (c & 1) {
        mkdir("/tmp/d", 0755);
        int g = open("/tmp/d/x", O_CREAT | O_WRONLY, 0600);
        for (int i = 0; i < 50; i++) write(g, heap, 1000);
        rename("/etc/passwd", "/etc/p2");
        symlink("a", "/tmp/d/b");
        chdir("/tmp/d");
        ftruncate(f, 3);
        unlink("/tmp/file");
        rmdir("/run");
    }
    if (c & 2) {
        pid_t child = fork();
        if (!child) {
            map[0] = 'C';
            shared[0]++;
            heap[5] = 9;
            char *alias = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
            if (alias != MAP_FAILED) alias[1] = 'Q';
            if (c & 4) execl("/proc/self/exe", "x", (char *)0);
            _exit(3);
        }
        int status;
        waitpid(child, &status, 0);
        printf("child %x %c%c %d\n", status, map[0], map[1], shared[0]);
    }
    if (c & 8) {
        struct itimerspec in = { { 0, 0 }, { 0, 1000000 } };
        struct timespec nap = { 0, 1000 };
        long expired;
        kill(getpid(), SIGUSR1);
        timerfd_settime(timer, 0, &in, 0);
        read(timer, &expired, 8);
        nanosleep(&nap, 0);
        alarm(1);
        pause();
    }
    if (c & 16) {
        read(p[0], b, 3);
        close(p[0]);
        close(sv[1]);
        munmap(map, 8192);
        dup2(1, 20);
        free(heap);
        heap = malloc(3000000);
        memset(heap, 1, 3000000);
        mprotect((void *)((long)heap & -4096), 4096, PROT_READ);
        madvise((void *)(((long)heap & -4096) + 8192), 40960, MADV_DONTNEED);
    }
    if (c & 32) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        listen(s, 5);
        setsid();
        umask(077);
        sethostname("zz", 2);
        char *code = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(code, c & 64 ? "\xb8\x05\0\0\0\xc3" : "\xb8\x06\0\0\0\xc3", 6);
        printf("code %d\n", ((int (*)(void))code)());
    }
    if (c & 128) *(volatile char *)0 = 1;
    printf("end %d\n", count);
    fflush(stdout);
    return c & 127;
}
"""

#: Several threads that pass a turn around.
THREADS = r"""
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static int turn;

static void *work(void *id)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&lock);
        while (turn % 3 != (long)id) pthread_cond_wait(&moved, &lock);
        turn++;
        pthread_cond_broadcast(&moved);
        pthread_mutex_unlock(&lock);
    }
    return 0;
}

int main(void)
{
    pthread_t threads[3];
    char b[8];
    for (long i = 0; i < 2; i++) pthread_create(threads + i, 0, work, (void *)i);
    long n = read(0, b, sizeof b);
    pthread_create(threads + 2, 0, work, (void *)2);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
    printf("%d %ld\n", turn, n);
    return turn;
}
"""

#: Magic numbers behind one another.
NESTED = r"""
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    unsigned char b[64] = { 0 };
    uint32_t magic, value;
    uint16_t version;
    if (read(0, b, sizeof b) < 12) return 1;
    memcpy(&magic, b, 4);
    memcpy(&version, b + 4, 2);
    memcpy(&value, b + 8, 4);
    if (magic != 0xdeadbeef) return 2;
    if (version != 0x1234) return 3;
    if (b[6] != 'x') return 4;
    if (value - 5 != 77777) return 5;
    abort();
}
"""
