/*
 * say.h - output for confined programs: each line is one write(2) to standard output and no other call.
 * (stdio asks for buffers and file types when it is first used, which a policy need not allow.)
 */
#ifndef SAY_H
#define SAY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    syscall(SYS_write, 1, line, (size_t)size < sizeof line ? size : (int)sizeof line - 1);
}

static inline const char *error_name(int error)
{
    switch (error) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case E2BIG: return "E2BIG";
    case EBADF: return "EBADF";
    case EACCES: return "EACCES";
    case EFAULT: return "EFAULT";
    case EINVAL: return "EINVAL";
    case ENOSYS: return "ENOSYS";
    default: return "another error";
    }
}

/* WHAT and the value of a call, or the name of its error; the value. */
static inline long say_result(const char *what, long result)
{
    if (result == -1)
        say("%s: %s\n", what, error_name(errno));
    else
        say("%s: %ld\n", what, result);
    return result;
}

#endif
