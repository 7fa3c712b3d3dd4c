/* execveat(2): by descriptor with AT_EMPTY_PATH, relative to a directory, not through a link. */
#include "show.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("new image: %s %s\n", argv[0], argv[1]);
        return atoi(argv[1]);
    }
    char *args[] = {"name", "12", NULL}, *env[] = {NULL};
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("/proc/self/exe", "dir/link"));
    int self = must("open", open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    int dir = must("open", open("dir", O_PATH | O_DIRECTORY));
    show("bad descriptor", syscall(SYS_execveat, 99, "link", args, env, 0));
    show("missing", syscall(SYS_execveat, dir, "absent", args, env, 0));
    show("link, NOFOLLOW", syscall(SYS_execveat, dir, "link", args, env, AT_SYMLINK_NOFOLLOW));
    show("empty path without the flag", syscall(SYS_execveat, self, "", args, env, 0));
    show("a directory", syscall(SYS_execveat, dir, "", args, env, AT_EMPTY_PATH));
    show("unknown flag", syscall(SYS_execveat, dir, "link", args, env, 0x40000000));
    show("null path", syscall(SYS_execveat, dir, NULL, args, env, 0));
    put_file("script", "#!/proc/self/exe\n");
    must("chmod", chmod("script", 0755));
    int script = must("open", open("script", O_RDONLY | O_CLOEXEC));
    show("a script by a descriptor that closes", syscall(SYS_execveat, script, "", args, env, AT_EMPTY_PATH));
    show("by descriptor", syscall(SYS_execveat, self, "", args, env, AT_EMPTY_PATH));
}
