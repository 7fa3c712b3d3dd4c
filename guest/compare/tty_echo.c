/* What the local modes do to the echo: ECHOE, ECHOK, ECHOKE, ECHOCTL, ECHOPRT, ECHONL and none. */
#include "tty.h"

static void round_trip(const char *what)
{
    puts(what);
    TYPE("ab\x01\t.\x7f\x7f\x7f" "c\n");
    read_once("line", slave, 100);
    TYPE("some words \x17.\x15new\n");
    read_once("line", slave, 100);
}

int main(void)
{
    open_pair();
    round_trip("all");
    change(0, 0, 0, 0, 0, ECHOE);
    round_trip("no ECHOE");
    change(0, 0, 0, 0, ECHOE, ECHOKE);
    round_trip("no ECHOKE");
    change(0, 0, 0, 0, 0, ECHOK);
    round_trip("no ECHOK");
    change(0, 0, 0, 0, ECHOK | ECHOKE, ECHOCTL);
    round_trip("no ECHOCTL");
    change(0, 0, 0, 0, ECHOCTL | ECHOPRT, 0);
    round_trip("ECHOPRT");
    change(0, 0, 0, 0, 0, ECHO | ECHOPRT);
    round_trip("no ECHO");
    change(0, 0, 0, 0, ECHONL, 0);
    round_trip("ECHONL alone");
    change(0, 0, 0, OPOST, ECHO, 0);
    round_trip("no OPOST");
    change(0, ICRNL, 0, 0, 0, ICANON);
    puts("not canonical");
    TYPE("a\x7f\x01\n\r\t\x04");
    read_once("all", slave, 100);
    change(0, 0, 0, 0, 0, ECHO);
    TYPE("a\n");
    read_once("all", slave, 100);
    puts("from one to the other");
    TYPE("half");
    change(0, 0, 0, 0, ICANON, 0);
    read_once("what was there", slave, 100);
    TYPE("no end");
    change(0, 0, 0, 0, 0, ICANON);
    read_once("part of a line", slave, 100);
    change(0, 0, 0, 0, ICANON | EXTPROC, 0);
    TYPE("a\x7f\n\x03");
    read_once("EXTPROC", slave, 100);
    return 0;
}
