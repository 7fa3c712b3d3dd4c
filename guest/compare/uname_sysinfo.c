/* uname and sysinfo: fields that are filled and fit together; errors. */
#include "show.h"
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
    struct utsname name;
    char text[128];
    show("uname", uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    check("release starts with a number", name.release[0] >= '1' && name.release[0] <= '9');
    check("node name", name.nodename[0] != 0);
    check("version", name.version[0] == '#');
    check("gethostname agrees", gethostname(text, sizeof text) == 0 && strcmp(text, name.nodename) == 0);
    show("uname, bad pointer", syscall(SYS_uname, 8));
    FILE *file = fopen("/proc/version", "r");
    char word[3][64] = {"", "", ""};
    must("fscanf", file == NULL || fscanf(file, "%63s %63s %63s", word[0], word[1], word[2]) != 3 ? -1 : 0);
    printf("/proc/version: %s %s\n", word[0], word[1]);
    check("the same release", strcmp(word[2], name.release) == 0);
    file = fopen("/proc/sys/kernel/osrelease", "r");
    check("/proc/sys/kernel/osrelease", file != NULL && fscanf(file, "%63s", word[0]) == 1 &&
          strcmp(word[0], name.release) == 0);

    struct sysinfo info;
    show("sysinfo", sysinfo(&info));
    check("memory", info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit >= 1);
    check("processes", info.procs >= 1);
    show("sysinfo, bad pointer", syscall(SYS_sysinfo, 8));
    check("sysconf agrees", sysconf(_SC_PHYS_PAGES) == (long)(info.totalram * info.mem_unit / PAGE));
    check("at least one CPU", sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    show("page size", sysconf(_SC_PAGESIZE));
    show("clock ticks", sysconf(_SC_CLK_TCK));
    drop_root();
    show("sethostname", sethostname("other", 5));
    show("setdomainname", setdomainname("other", 5));
    show("sethostname, too long", sethostname(text, 65));
}
