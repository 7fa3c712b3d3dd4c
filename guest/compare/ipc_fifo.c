/*
 * FIFOs: opening waits for the other end, O_NONBLOCK and O_RDWR don't; end of file, hang-up, removal; pipes opened again.
 */
#include "show.h"
#include <poll.h>
#include <sys/wait.h>

static void polled(const char *what, int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", what, n, p.revents);
}

static void ended(void)
{
    int status;
    wait(&status);
    show("child", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void on_alarm(int signal)
{
    (void)signal;
}

int main(void)
{
    char bytes[64];
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    show("mkfifo", mkfifo("fifo", 0666));
    show("again", mkfifo("fifo", 0666));
    struct stat status;
    stat("fifo", &status);
    printf("mode %o size %d\n", status.st_mode, (int)status.st_size);
    show("write, nobody reads", open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = must("read", open("fifo", O_RDONLY | O_NONBLOCK));
    printf("flags %o\n", fcntl(reader, F_GETFL));
    polled("no writer yet", reader);
    show("end", read(reader, bytes, 1));
    int writer = must("write", open("fifo", O_WRONLY | O_NONBLOCK));
    polled("a writer", reader);
    show("nothing", read(reader, bytes, 1));
    show("write", write(writer, "fifo", 4));
    show("O_TRUNC", open("fifo", O_RDONLY | O_NONBLOCK | O_TRUNC) >= 0);
    show("read", read(reader, bytes, 2));
    close(writer);
    polled("writer gone", reader);
    show("read", read(reader, bytes, 64));
    show("end", read(reader, bytes, 64));
    polled("at the end", reader);
    int other = open("fifo", O_RDONLY | O_NONBLOCK);
    polled("opened after the writer went", other);
    close(other);
    close(reader);

    int both = must("O_RDWR", open("fifo", O_RDWR));
    polled("both", both);
    show("write", write(both, "round", 5));
    show("read", read(both, bytes, 64));
    show("lseek", lseek(both, 0, SEEK_SET));
    show("O_DIRECT", open("fifo", O_RDWR | O_DIRECT));
    show("access mode 3", open("fifo", 3));
    ok("O_PATH", open("fifo", O_PATH));
    ok("O_CREAT", open("fifo", O_RDONLY | O_NONBLOCK | O_CREAT, 0600));
    show("O_EXCL", open("fifo", O_RDONLY | O_NONBLOCK | O_CREAT | O_EXCL, 0600));
    show("O_DIRECTORY", open("fifo", O_RDONLY | O_DIRECTORY));
    close(both);

    must("mkfifo", mkfifo("wait", 0600));
    if (!fork()) {
        int fd = open("wait", O_WRONLY);
        dprintf(fd, "hello from the child");
        _exit(fd < 0);
    }
    usleep(20000);
    int fd = must("open sleeps", open("wait", O_RDONLY));
    ssize_t n = read(fd, bytes, sizeof bytes);
    show_bytes("read", bytes, n);
    show("end", read(fd, bytes, sizeof bytes));
    close(fd);
    ended();

    if (!fork()) {
        usleep(20000);
        int fd = open("wait", O_RDONLY);
        n = read(fd, bytes, sizeof bytes);
        _exit(n);
    }
    fd = must("open sleeps", open("wait", O_WRONLY));
    unlink("wait");
    show("write", write(fd, "12345", 5));
    close(fd);
    ended();

    must("mkfifo", mkfifo("wait", 0600));
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    show("interrupted", open("wait", O_RDONLY));
    show("no reader is left", open("wait", O_WRONLY | O_NONBLOCK));
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    if (!fork()) {
        usleep(60000);
        fd = open("wait", O_WRONLY);
        _exit(7);
    }
    ualarm(20000, 0);
    ok("restarted", fd = open("wait", O_RDONLY));
    show("end", read(fd, bytes, 1));
    ended();

    pid_t child = fork();
    if (!child) {
        open("wait", O_WRONLY);
        _exit(0);
    }
    close(fd);
    usleep(20000);
    kill(child, SIGKILL);
    ended();
    reader = open("wait", O_RDONLY | O_NONBLOCK);
    polled("the writer was killed in open", reader);

    int pair[2];
    must("pipe", pipe(pair));
    char path[40];
    sprintf(path, "/proc/self/fd/%d", pair[0]);
    ok("a pipe again, to write", writer = open(path, O_WRONLY));
    show("write", write(writer, "again", 5));
    show("read", read(pair[0], bytes, 64));
    ok("a pipe again, both", open(path, O_RDWR));
    show("a directory", mknod("dir/fifo", S_IFIFO | 0600, 0));
}
