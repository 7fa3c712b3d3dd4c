/* Controlling terminals and job control, in a session of the program's own. */
#include "tty.h"

static int reports[2];

static void caught(int sig)
{
    printf("caught %s\n", sig == SIGHUP ? "HUP" : sig == SIGCONT ? "CONT" : sig == SIGWINCH ? "WINCH"
           : sig == SIGINT ? "INT" : sig == SIGQUIT ? "QUIT" : sig == SIGTSTP ? "TSTP" : "?");
}

static void end(const char *what, int pid)
{
    int status = 0;
    waitpid(pid, &status, WUNTRACED);
    if (WIFSTOPPED(status))
        printf("%s: stopped by %d\n", what, WSTOPSIG(status));
    else if (WIFSIGNALED(status))
        printf("%s: ended by %d\n", what, WTERMSIG(status));
    else
        printf("%s: exit %d\n", what, WEXITSTATUS(status));
}

/* A child in a group of its own; in the foreground if asked. */
static int job(int foreground, void (*body)(void))
{
    int pid = fork();
    if (!pid) {
        setpgid(0, 0);
        if (foreground) {
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(slave, getpid());
            signal(SIGTTOU, SIG_DFL);
        }
        signal(SIGINT, SIG_DFL);
        if (write(reports[1], "r", 1) != 1)
            _exit(9);
        body();
        _exit(0);
    }
    char c;
    setpgid(pid, pid);
    if (read(reports[0], &c, 1) != 1)
        puts("no report");
    return pid;
}

static void reads(void)
{
    char text[10];
    long got = read(slave, text, 10);
    print_text("job reads", text, got);
}
static void reads_blocked(void)
{
    signal(SIGTTIN, SIG_IGN);
    reads();
}
static void writes(void) { show("job writes", write(slave, "job\n", 4)); }
static void sets(void) { change(0, 0, 0, 0, 0, 0); show("job has set", 0); }
static void sets_blocked(void)
{
    signal(SIGTTOU, SIG_IGN);
    sets();
}
static void sleeps(void) { sleep(5); }
static void opens_tty(void)
{
    int fd = open("/dev/tty", O_RDWR);
    check("/dev/tty", fd >= 0);
    printf("in the foreground: %d\n", tcgetpgrp(fd) == getpgrp());
    setsid();
    show("/dev/tty after setsid", open("/dev/tty", O_RDWR));
    printf("tcgetpgrp after setsid: %d\n", tcgetpgrp(fd) == getpgrp());
}

static void session(void)
{
    char name[64];
    show("setsid", setsid() < 0);
    int number;
    show("/dev/tty without one", open("/dev/tty", O_RDWR));
    show("tcgetpgrp without one", tcgetpgrp(slave));
    show("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
    show("TIOCSCTTY again", ioctl(slave, TIOCSCTTY, 0));
    printf("own group %d, own session %d\n", tcgetpgrp(slave) == getpgrp(), tcgetsid(slave) == getsid(0));
    show("tcsetpgrp to nobody", tcsetpgrp(slave, 999999));
    show("tcsetpgrp to init", tcsetpgrp(slave, getppid()));
    show("tcsetpgrp negative", tcsetpgrp(slave, -5));
    FILE *stat = fopen("/proc/self/stat", "r");
    int tty_nr = 0, tpgid = 0;
    if (fscanf(stat, "%*d (%*[^)]) %*c %*d %*d %*d %d %d", &tty_nr, &tpgid) != 2)
        puts("stat");
    ioctl(master, TIOCGPTN, &number);
    printf("tty_nr %d, tpgid %d\n", tty_nr == (136 << 8 | number), tpgid == getpgrp());
    fclose(stat);

    puts("background");
    int pid = job(0, reads);
    end("reads", pid);
    write(master, "line\n", 5);
    tcsetpgrp(slave, pid);
    kill(pid, SIGCONT);
    end("reads", pid);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(slave, getpgrp());
    end("reads, ignoring", job(0, reads_blocked));
    end("writes", job(0, writes));
    change(0, 0, 0, 0, TOSTOP, 0);
    pid = job(0, writes);
    end("writes with TOSTOP", pid);
    change(0, 0, 0, 0, 0, TOSTOP);
    kill(pid, SIGCONT);
    end("writes", pid);
    signal(SIGTTOU, SIG_DFL);
    pid = job(0, sets);
    end("sets", pid);
    kill(pid, SIGKILL);
    end("sets", pid);
    end("sets, ignoring", job(0, sets_blocked));
    end("opens", job(1, opens_tty));

    puts("keys");
    drain("out", master);
    pid = job(1, sleeps);
    TYPE("abc\x03");
    end("^C", pid);
    pid = job(1, sleeps);
    TYPE("\x1c");
    int status;
    waitpid(pid, &status, 0);
    printf("^\\: %d\n", WTERMSIG(status));
    pid = job(1, sleeps);
    TYPE("\x1a");
    end("^Z", pid);
    kill(pid, SIGKILL);
    end("killed", pid);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(slave, getpgrp());
    signal(SIGINT, caught);
    signal(SIGWINCH, caught);
    TYPE("lost\x03");
    TYPE("kept\n");
    read_once("line", slave, 100);
    change(0, 0, 0, 0, NOFLSH, 0);
    TYPE("kept\x03\n");
    read_once("line", slave, 100);
    show("TIOCSIG", ioctl(master, _IOW('T', 0x36, int), SIGINT));
    struct winsize size = {30, 90, 0, 0};
    show("TIOCSWINSZ", ioctl(slave, TIOCSWINSZ, &size));
    show("the same", ioctl(slave, TIOCSWINSZ, &size));
    change(0, 0, 0, 0, 0, ISIG);
    TYPE("\x03\n");
    read_once("line", slave, 100);

    puts("orphaned");
    fflush(stdout);
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        if (!fork()) {
            usleep(50000);
            reads();
            show("sets", tcsetattr(slave, TCSANOW, &(struct termios){0}));
            show("tcsetpgrp", tcsetpgrp(slave, getpgrp()));
            write(reports[1], "r", 1);
            _exit(0);
        }
        signal(SIGTTOU, SIG_DFL);
        _exit(0);
    }
    end("parent", pid);
    read(reports[0], name, 1);

    puts("hangup");
    signal(SIGHUP, caught);
    signal(SIGCONT, caught);
    close(master);
    usleep(50000);
    show("/dev/tty", open("/dev/tty", O_RDWR));
    show("read", read(slave, name, 1));
    _exit(0);
}

static void leader_ends(void)
{
    open_pair();
    signal(SIGHUP, caught);
    signal(SIGCONT, caught);
    int leader = fork();
    if (!leader) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        int pid = job(1, sleeps);
        (void)pid;
        _exit(0);
    }
    usleep(100000);
    end("leader", leader);
    char c;
    show("session", ioctl(master, TIOCGSID, &c));
    /* The same, given up by TIOCNOTTY. */
    leader = fork();
    if (!leader) {
        setsid();
        show("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
        show("TIOCNOTTY", ioctl(slave, TIOCNOTTY, 0));
        show("TIOCNOTTY", ioctl(slave, TIOCNOTTY, 0));
        show("/dev/tty", open("/dev/tty", O_RDWR));
        char name[32];
        int number;
        ioctl(master, TIOCGPTN, &number);
        snprintf(name, sizeof name, "/dev/pts/%d", number);
        close(open(name, O_WRONLY));
        show("opened for writing", open("/dev/tty", O_RDWR));
        close(open(name, O_RDWR | O_NOCTTY));
        show("opened with O_NOCTTY", open("/dev/tty", O_RDWR));
        close(open(name, O_RDWR));
        check("opened", open("/dev/tty", O_RDWR) >= 0);
        int pid = fork();
        if (!pid) {
            setsid();
            show("another's", ioctl(slave, TIOCSCTTY, 0));
            _exit(0);
        }
        end("another", pid);
        _exit(0);
    }
    end("leader", leader);
    leader = fork();
    if (!leader) {
        char c;
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        if (geteuid() == 0)
            show("vhangup", syscall(SYS_vhangup));
        show("read", geteuid() == 0 ? read(slave, &c, 1) : 0);
        _exit(0);
    }
    end("leader", leader);
}

int main(void)
{
    open_pair();
    if (pipe(reports))
        return 1;
    fflush(stdout);
    int pid = fork();
    if (!pid)
        session();
    close(master);
    close(slave);
    end("session", pid);
    leader_ends();
    return 0;
}
