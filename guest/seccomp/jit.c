/*
 * Use case: a compiler to memory. Before it runs the code it generated, it locks itself to memory and write: no
 * generated code, right or wrong, reaches a file, a process or the network.
 *
 * Compiles a sum in reverse Polish notation (numbers, + - *) to x86-64 code and runs it. The expression "!" compiles
 * to code that makes a system call of its own: fork (call 57), which is the end of it.
 */
#include "say.h"
#include "seccomp_filter.h"
#include <stdint.h>
#include <sys/mman.h>

/* PROT_READ|PROT_WRITE, then PROT_READ|PROT_EXEC; private anonymous memory alone. */
static const char policy[] =
    "sys_mmap: (prot == 3) && (flags == 0x22)\n"
    "sys_mprotect: (prot == 3) || (prot == 5)\n"
    "sys_munmap: 1\n"
    "sys_brk: 1\n"
    "sys_write: (fd == 1) && (count <= 4096)\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

enum { SIZE = 4096 };

static uint8_t *emit(uint8_t *at, const char *bytes, int count)
{
    memcpy(at, bytes, count);
    return at + count;
}

static int compile(uint8_t *code, const char *text)
{
    uint8_t *at = code;
    for (; *text; text++) {
        if (at - code > SIZE - 32)
            return -1;
        if (*text >= '0' && *text <= '9') {
            int32_t number = strtol(text, (char **)&text, 10);
            at = emit(at, "\x68", 1); /* push imm32 */
            at = emit(at, (char *)&number, 4);
            text--;
        } else if (*text == '+') {
            at = emit(at, "\x58\x48\x01\x04\x24", 5); /* pop rax; add [rsp], rax */
        } else if (*text == '-') {
            at = emit(at, "\x58\x48\x29\x04\x24", 5); /* pop rax; sub [rsp], rax */
        } else if (*text == '*') {
            at = emit(at, "\x58\x59\x48\x0f\xaf\xc1\x50", 7); /* pop rax; pop rcx; imul rax, rcx; push rax */
        } else if (*text == '!') {
            at = emit(at, "\xb8\x39\x00\x00\x00\x0f\x05\x50", 8); /* mov eax, 57; syscall; push rax */
        } else if (*text != ' ') {
            return -1;
        }
    }
    emit(at, "\x58\xc3", 2); /* pop rax; ret */
    return 0;
}

int main(int argc, char **argv)
{
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        uint8_t *code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (code == MAP_FAILED || compile(code, argv[i]) < 0 || mprotect(code, SIZE, PROT_READ | PROT_EXEC) < 0) {
            say("can't compile %s\n", argv[i]);
            return 3;
        }
        say("%s is %lld\n", argv[i], ((long long (*)(void))code)());
        munmap(code, SIZE);
    }
    return 0;
}
