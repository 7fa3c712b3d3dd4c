/* statfs and fstatfs: the same file system by path and by descriptor; limits; errors. */
#include "show.h"
#include <sys/statfs.h>
#include <sys/statvfs.h>

int main(void)
{
    struct statfs by_path, by_fd;
    put_file("file", "x");
    must("symlink", symlink("absent", "dangling"));
    int fd = must("open", open("file", O_RDONLY));
    show("statfs", statfs("file", &by_path));
    show("fstatfs", fstatfs(fd, &by_fd));
    check("same type", by_path.f_type == by_fd.f_type);
    check("same as the directory", statfs(".", &by_fd) == 0 && by_fd.f_type == by_path.f_type);
    check("block size", by_path.f_bsize == PAGE);
    check("counts are ordered", by_path.f_bavail <= by_path.f_bfree && by_path.f_bfree <= by_path.f_blocks);
    check("files are ordered", by_path.f_ffree <= by_path.f_files);
    show("name length", by_path.f_namelen);
    show("O_PATH will do", fstatfs(open("file", O_PATH), &by_fd));
    must("statfs", statfs("/proc", &by_fd));
    printf("/proc is %lx\n", (unsigned long)by_fd.f_type);
    struct statvfs vfs;
    show("statvfs", statvfs("file", &vfs));
    check("f_frsize", vfs.f_frsize == (unsigned long)by_path.f_frsize);
    check("not read-only", !(vfs.f_flag & ST_RDONLY));
    show("missing", statfs("absent", &by_fd));
    show("dangling", statfs("dangling", &by_fd));
    show("below a file", statfs("file/x", &by_fd));
    show("empty", statfs("", &by_fd));
    show("null", statfs(NULL, &by_fd));
    show("bad buffer", syscall(SYS_statfs, "file", 8));
    show("bad descriptor", fstatfs(99, &by_fd));
    show("bad descriptor and buffer", syscall(SYS_fstatfs, 99, 8));
}
