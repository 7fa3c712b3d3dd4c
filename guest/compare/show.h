/*
 * show.h - what the compare programs share: every fact is one line on standard output, errors by name.
 *
 * A line must be the same on every Linux: no process ids, addresses, times, device numbers, host paths.
 * Output is line-buffered, so that what was printed before a fatal signal is kept.
 */
#ifndef SHOW_H
#define SHOW_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Macro, as the compare programs use it on array objects only. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGE = 4096 };

__attribute__((constructor)) static void line_buffered(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

static inline const char *errno_name(int error)
{
    static char other[32];
#define NAME(code) \
    case code:     \
        return #code
    switch (error) {
        NAME(EPERM); NAME(ENOENT); NAME(ESRCH); NAME(EINTR); NAME(EIO); NAME(ENXIO); NAME(E2BIG);
        NAME(ENOEXEC); NAME(EBADF); NAME(ECHILD); NAME(EAGAIN); NAME(ENOMEM); NAME(EACCES);
        NAME(EFAULT); NAME(ENOTBLK); NAME(EBUSY); NAME(EEXIST); NAME(EXDEV); NAME(ENODEV);
        NAME(ENOTDIR); NAME(EISDIR); NAME(EINVAL); NAME(ENFILE); NAME(EMFILE); NAME(ENOTTY);
        NAME(ETXTBSY); NAME(EFBIG); NAME(ENOSPC); NAME(ESPIPE); NAME(EROFS); NAME(EMLINK);
        NAME(EPIPE); NAME(EDOM); NAME(ERANGE); NAME(EDEADLK); NAME(ENAMETOOLONG); NAME(ENOLCK);
        NAME(ENOSYS); NAME(ENOTEMPTY); NAME(ELOOP); NAME(ENODATA); NAME(EOVERFLOW); NAME(EOPNOTSUPP);
        NAME(ETIMEDOUT); NAME(ENOTSOCK); NAME(EILSEQ);
    }
#undef NAME
    snprintf(other, sizeof other, "errno %d", error);
    return other;
}

/* WHAT and the value of a call, or the name of the error where it returned -1. */
static inline long show(const char *what, long result)
{
    if (result == -1)
        printf("%s: %s\n", what, errno_name(errno));
    else
        printf("%s: %ld\n", what, result);
    return result;
}

/* As show, for calls whose value says nothing (a new descriptor, an address). */
static inline long ok(const char *what, long result)
{
    if (result == -1)
        printf("%s: %s\n", what, errno_name(errno));
    else
        printf("%s: ok\n", what);
    return result;
}

/* WHAT and SIZE bytes, those that can't be printed as \xNN. */
static inline void show_bytes(const char *what, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    printf("%s: \"", what);
    for (size_t i = 0; i < size; i++)
        if (byte[i] >= ' ' && byte[i] <= '~' && byte[i] != '"' && byte[i] != '\\')
            putchar(byte[i]);
        else
            printf("\\x%02x", byte[i]);
    puts("\"");
}

/* Stop when what the program takes for granted does not hold. */
static inline long must(const char *what, long result)
{
    if (result == -1) {
        printf("%s: %s, can't go on\n", what, errno_name(errno));
        exit(99);
    }
    return result;
}

/* A new or emptied file with this text. */
static inline void put_file(const char *path, const char *text)
{
    int fd = must(path, open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
    must(path, write(fd, text, strlen(text)));
    close(fd);
}

/* WHAT and the first 200 bytes of a file. */
static inline void show_file(const char *what, const char *path)
{
    char text[200];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        show(what, fd);
        return;
    }
    ssize_t size = read(fd, text, sizeof text);
    if (size < 0)
        show(what, size);
    else
        show_bytes(what, text, size);
    close(fd);
}

/* WHAT, and whether it holds. */
static inline void check(const char *what, int holds)
{
    printf("%s: %s\n", what, holds ? "yes" : "no");
}

/* From root to a user without privileges who may still write here; nothing for who is not root. */
static inline void drop_root(void)
{
    if (geteuid() != 0)
        return;
    gid_t none = 65534;
    must("chmod .", chmod(".", 0777));
    must("setgroups", syscall(SYS_setgroups, 1, &none));
    must("setresgid", syscall(SYS_setresgid, none, none, none));
    must("setresuid", syscall(SYS_setresuid, 65534, 65534, 65534));
}

/* PAGES fresh pages, zero, that may be read and written. */
static inline char *pages(size_t count)
{
    void *at = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must("mmap", at == MAP_FAILED ? -1 : 0);
    return at;
}

#endif
