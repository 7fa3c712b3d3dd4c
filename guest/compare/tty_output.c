/* Output processing, flow control, and the limits of a pty's buffers. */
#include "tty.h"

static void out(const char *text)
{
    show("write", write(slave, text, strlen(text)));
    drain("  out", master);
}

int main(void)
{
    open_pair();
    out("a\nb\tc\r\n");
    change(0, 0, 0, ONLCR, 0, 0);
    out("a\nb\n");
    change(0, 0, OCRNL, 0, 0, 0);
    out("a\rb\r\n");
    change(0, 0, ONLCR, 0, 0, 0);
    out("a\rb\r\n");
    change(0, 0, ONOCR, OCRNL, 0, 0);
    out("\r\rab\r\rc\n");
    change(0, 0, ONLRET | OCRNL, ONOCR, 0, 0);
    out("x\ry\nz\r\n");
    change(0, 0, XTABS, ONLRET | OCRNL, 0, 0);
    out("\ta\tabcdefgh\tx\b\b\t.\n\t\n");
    change(0, 0, OLCUC, XTABS, 0, 0);
    out("Hello, \xe4 world\n");
    change(0, 0, 0, OPOST, 0, 0);
    out("a\n\tb\r");
    change(0, 0, OPOST, OLCUC, 0, 0);

    puts("flow");
    TYPE("\x13");
    fcntl(slave, F_SETFL, O_NONBLOCK | O_RDWR);
    struct pollfd ready = {slave, POLLOUT, 0};
    show("poll", poll(&ready, 1, 0));
    show("write", write(slave, "held", 4));
    TYPE("typed\n");
    TYPE("\x11");
    show("poll", poll(&ready, 1, 0));
    show("write", write(slave, "free", 4));
    drain("out", master);
    read_once("line", slave, 100);
    show("TCOOFF", tcflow(slave, TCOOFF));
    show("write", write(slave, "held", 4));
    change(0, 0, 0, 0, 0, 0);
    show("TCOON", tcflow(slave, TCOON));
    show("TCIOFF", tcflow(slave, TCIOFF));
    show("TCION", tcflow(slave, TCION));
    drain("out", master);
    show("TCXONC 9", ioctl(slave, TCXONC, 9));
    change(IXANY, 0, 0, 0, 0, 0);
    TYPE("\x13");
    show("write", write(slave, "held", 4));
    TYPE("a\n");
    show("write", write(slave, "free", 4));
    drain("out", master);
    read_once("line", slave, 100);
    TYPE("\x13");
    change(0, IXON, 0, 0, 0, 0);
    show("write", write(slave, "free", 4));
    drain("out", master);

    puts("flushing");
    TYPE("abc\ndef");
    show("TCIFLUSH", tcflush(slave, TCIFLUSH));
    read_once("line", slave, 100);
    TYPE("g\n");
    read_once("line", slave, 100);
    show("TCFLSH 3", ioctl(slave, TCFLSH, 3));
    show("TCOFLUSH", tcflush(slave, TCOFLUSH));
    show("drain", tcdrain(slave));
    show("break", tcsendbreak(slave, 0));
    int count = -1;
    show("TIOCOUTQ", ioctl(slave, TIOCOUTQ, &count));
    printf("%d\n", count);

    puts("bulk");
    fcntl(slave, F_SETFL, O_RDWR);
    static char text[100000], back[200000];
    for (int i = 0; i < (int)sizeof text; i++)
        text[i] = i % 71 == 70 ? '\n' : 'a' + i % 26;
    int pid = fork();
    if (!pid) {
        close(master);
        _exit(write(slave, text, sizeof text) != sizeof text);
    }
    long wanted = sizeof text + sizeof text / 71, size = 0, sum = 0;
    while (size < wanted) {
        long got = read(master, back + size, sizeof back - size);
        if (got <= 0)
            break;
        size += got;
        if (sum++ > 3000)
            break;
    }
    int status = -1;
    waitpid(pid, &status, 0);
    unsigned hash = 0;
    for (long i = 0; i < size; i++)
        hash = hash * 31 + (unsigned char)back[i];
    printf("%ld bytes, %x, %d\n", size, hash, status);
    return 0;
}
