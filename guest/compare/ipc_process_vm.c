/*
 * process_vm_readv(2) and process_vm_writev(2): a child's memory, scattered segments, what is moved before a bad page,
 * protection, copy-on-write, who may, errors; process_madvise(2) on oneself.
 */
#include "show.h"
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char buffer[3 * PAGE];
static int gate[2], back[2];

static long get(pid_t pid, void *local, size_t size, const void *remote, size_t remote_size)
{
    struct iovec here = {local, size}, there = {(void *)remote, remote_size};
    return syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0);
}

static long put(pid_t pid, const void *local, size_t size, void *remote, size_t remote_size)
{
    struct iovec here = {(void *)local, size}, there = {remote, remote_size};
    return syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0);
}

int main(void)
{
    char text[100] = "", byte;
    char *area = pages(4);
    char *twice = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must("pipe", pipe(gate));
    must("pipe", pipe(back));
    strcpy(area + PAGE - 6, "before the fork");
    munmap(area + 3 * PAGE, PAGE);
    pid_t pid = fork();
    if (pid == 0) {
        strcpy(area + PAGE - 6, "in the child");
        strcpy(twice, "shared");
        mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
        write(back[1], "", 1);
        read(gate[0], &byte, 1);
        show_bytes("child has", area + PAGE - 6, 14);
        show_bytes("in two pieces", area, 4);
        write(back[1], "", 1);
        read(gate[0], &byte, 1);
        _exit(0);
    }
    read(back[0], &byte, 1);

    puts("read");
    show("child", get(pid, text, 13, area + PAGE - 6, 13));
    show_bytes("text", text, 13);
    show_bytes("mine", area + PAGE - 6, 16);
    show("self", get(getpid(), text, 5, area + PAGE - 6, 5));
    show_bytes("text", text, 5);
    show("more room than there is to read", get(pid, text, 100, area + PAGE - 6, 2));
    show("less room", get(pid, text, 2, area + PAGE - 6, 100));
    struct iovec here[3] = {{text, 3}, {text + 50, 0}, {text + 20, 5}};
    struct iovec there[3] = {{area + PAGE - 6, 2}, {twice, 4}, {area + PAGE, 50}};
    show("scattered", syscall(SYS_process_vm_readv, pid, here, 3, there, 3, 0));
    show_bytes("first", text, 3);
    show_bytes("second", text + 20, 5);
    show("no room", syscall(SYS_process_vm_readv, pid, here, 0, there, 3, 0));
    show("nothing to read", syscall(SYS_process_vm_readv, pid, here, 3, there, 0, 0));
    show("up to PROT_NONE", get(pid, buffer, 3 * PAGE, area, 3 * PAGE));
    show("PROT_NONE", get(pid, buffer, PAGE, area + 2 * PAGE, PAGE));
    show("not mapped", get(pid, buffer, PAGE, area + 3 * PAGE, PAGE));
    show("kernel", get(pid, buffer, PAGE, (void *)0xffff800000000000, PAGE));
    show("bad local page after a good one", get(pid, area + 2 * PAGE, 2 * PAGE, area, 2 * PAGE));
    show("bad local", get(pid, area + 3 * PAGE, PAGE, area, PAGE));

    puts("write");
    show("child", put(pid, "by the parent", 14, area + PAGE - 6, 14));
    here[0] = (struct iovec){"ab", 2};
    here[1] = (struct iovec){"cd", 2};
    there[0] = (struct iovec){area, 1};
    there[1] = (struct iovec){area + 1, 3};
    show("two pieces", syscall(SYS_process_vm_writev, pid, here, 2, there, 2, 0));
    show("read-only", put(pid, "x", 1, (void *)"constant", 1));
    show("PROT_NONE", put(pid, "x", 1, area + 2 * PAGE, 1));
    write(gate[1], "", 1);
    read(back[0], &byte, 1);
    show_bytes("mine is as it was", area + PAGE - 6, 16);

    puts("errors");
    struct iovec minus = {text, -1};
    show("flags", syscall(SYS_process_vm_readv, pid, here, 1, there, 1, 1));
    show("1025 here", syscall(SYS_process_vm_readv, pid, here, 1025, there, 1, 0));
    show("1025 there", syscall(SYS_process_vm_readv, pid, here, 1, there, 1025, 0));
    show("bad vector here", syscall(SYS_process_vm_readv, pid, 8, 1, there, 1, 0));
    show("bad vector there", syscall(SYS_process_vm_readv, pid, here, 1, 8, 1, 0));
    show("negative here", syscall(SYS_process_vm_readv, pid, &minus, 1, there, 1, 0));
    show("negative there", syscall(SYS_process_vm_readv, pid, here, 1, &minus, 1, 0));
    show("no such process", get(0x3ffffff, text, 1, area, 1));
    show("no such process, nothing to move", get(0x3ffffff, text, 1, area, 0));
    pid_t other = fork();
    if (other == 0) {
        prctl(PR_SET_DUMPABLE, 0);
        drop_root();
        if (geteuid() != 0)
            prctl(PR_SET_DUMPABLE, 0);
        write(back[1], "", 1);
        read(gate[0], &byte, 1);
        _exit(0);
    }
    read(back[0], &byte, 1);
    if (fork() == 0) {
        drop_root();
        show("not dumpable", get(other, text, 1, area, 1));
        _exit(0);
    }
    waitpid(-1, NULL, 0);
    write(gate[1], "  ", 2);
    siginfo_t info;
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    show("zombie", get(pid, text, 1, area, 1));
    waitpid(pid, NULL, 0);
    show("gone", get(pid, text, 1, area, 1));

    puts("process_madvise");
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    struct iovec ranges[2] = {{area, PAGE}, {area + PAGE, PAGE}};
    show("MADV_COLD", syscall(SYS_process_madvise, self, ranges, 2, 20, 0));
    show("flags", syscall(SYS_process_madvise, self, ranges, 2, 20, 1));
    show("no pidfd", syscall(SYS_process_madvise, gate[0], ranges, 2, 20, 0));
    show("unknown", syscall(SYS_process_madvise, self, ranges, 2, 999, 0));
    ranges[1].iov_base = area + 3 * PAGE;
    show("the second is not mapped", syscall(SYS_process_madvise, self, ranges, 2, 20, 0));
    ranges[0].iov_base = area + 3 * PAGE;
    show("nothing is mapped", syscall(SYS_process_madvise, self, ranges, 2, 20, 0));
    return 0;
}
