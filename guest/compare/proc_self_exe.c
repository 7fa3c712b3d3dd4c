/* /proc/self: exe, cmdline, environ, comm, cwd, root are about this very process. */
// args: one "two words" "" last
// env: NAME=value OTHER=
#include "show.h"
#include <limits.h>

int main(int argc, char **argv)
{
    char path[PATH_MAX], text[512];
    struct stat one, two;
    (void)argc;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size < 0 ? 0 : size] = 0;
    check("exe is absolute", path[0] == '/');
    check("its base is that of argv[0]", strcmp(strrchr(path, '/'), strrchr(argv[0], '/')) == 0);
    check("stat follows to the file", stat("/proc/self/exe", &one) == 0 && S_ISREG(one.st_mode));
    check("the path leads to it", stat(path, &two) == 0 && one.st_ino == two.st_ino);
    int fd = open("/proc/self/exe", O_RDONLY);
    ok("opens", fd);
    size = read(fd, text, 4);
    show_bytes("starts", text, size);
    show("cut short", readlink("/proc/self/exe", text, 1));

    fd = must("cmdline", open("/proc/self/cmdline", O_RDONLY));
    size = read(fd, text, sizeof text);
    size_t name = strlen(text) + 1;
    check("cmdline starts with argv[0]", strcmp(text, argv[0]) == 0);
    show_bytes("then", text + name, size - name);
    show("at the end", read(fd, text, sizeof text));
    show_file("environ", "/proc/self/environ");
    fd = must("comm", open("/proc/self/comm", O_RDWR));
    show_file("comm", "/proc/self/comm");
    show("write comm", write(fd, "another name that is too long", 29));
    show_file("comm", "/proc/self/comm");
    must("chdir", chdir("/proc"));
    size = readlink("/proc/self/cwd", text, sizeof text);
    show_bytes("cwd", text, size);
    size = readlink("/proc/self/root", text, sizeof text);
    show_bytes("root", text, size);
    lstat("/proc/self", &one);
    check("self is a link", S_ISLNK(one.st_mode));
    size = readlink("/proc/self", text, sizeof text - 1);
    text[size] = 0;
    check("to the process id", atoi(text) == getpid());
    snprintf(path, sizeof path, "/proc/%d/comm", getpid());
    show_file("comm by number", path);
    show("unknown entry", open("/proc/self/no-such-entry", O_RDONLY));
    show("unknown process", open("/proc/4194304/comm", O_RDONLY));
    show("create in /proc", open("/proc/self/new", O_RDWR | O_CREAT, 0600));
    stat("/proc/self", &one);
    check("a directory", S_ISDIR(one.st_mode));
}
