/* prctl(2): the name, dumpable, death signal, timer slack and the rest a simple program meets. */
#include "show.h"
#include <sys/prctl.h>

int main(int argc, char **argv)
{
    char name[17] = "................";
    (void)argc;
    show("get name", prctl(PR_GET_NAME, name, 0, 0, 0));
    const char *base = strrchr(argv[0], '/') + 1;
    check("that of the file, cut to 15", strncmp(name, base, 15) == 0);
    show("set name", prctl(PR_SET_NAME, "a name of more than 15 bytes", 0, 0, 0));
    show("get name", prctl(PR_GET_NAME, name, 0, 0, 0));
    show_bytes("name", name, 16);
    show("set short", prctl(PR_SET_NAME, "ab", 0, 0, 0));
    show("get name", prctl(PR_GET_NAME, name, 0, 0, 0));
    show_bytes("zero-filled", name, 16);
    show("set name, bad pointer", syscall(SYS_prctl, PR_SET_NAME, 8));
    show("get name, bad pointer", syscall(SYS_prctl, PR_GET_NAME, 8));

    show("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    show("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    show("not dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    show("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    show("dumpable 2", prctl(PR_SET_DUMPABLE, 2, 0, 0, 0));
    int signal_number = -1;
    show("death signal", prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
    show("death signal", prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0));
    show("is", signal_number);
    show("death signal, unknown", prctl(PR_SET_PDEATHSIG, 65, 0, 0, 0));
    show("death signal, bad pointer", syscall(SYS_prctl, PR_GET_PDEATHSIG, 8));
    show("timer slack", prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0));
    show("timer slack", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    show("timing", prctl(PR_GET_TIMING, 0, 0, 0, 0));
    show("timing, other", prctl(PR_SET_TIMING, 1, 0, 0, 0));
    show("unaligned access control", prctl(PR_GET_UNALIGN, &signal_number, 0, 0, 0));
    show("child subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    show("child subreaper", prctl(PR_GET_CHILD_SUBREAPER, &signal_number, 0, 0, 0));
    show("is", signal_number);
    show("TSC", prctl(PR_GET_TSC, &signal_number, 0, 0, 0));
    show("enabled", signal_number);
    show("TSC, unknown", prctl(PR_SET_TSC, 7, 0, 0, 0));
    show("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    show("unknown option", prctl(9999, 0, 0, 0, 0));
    show("negative option", prctl(-1, 0, 0, 0, 0));
}
