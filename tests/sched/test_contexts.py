"""What a task has in its registers is there again after others have run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import machines
import pytest

# Two processes hand a byte to and fro. Each has values of its own in all that a call must leave
# alone, the rounding modes of both FPUs included, and looks at them after each call that slept.
REGISTERS = r"""
#include <fenv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct state { uint64_t regs[9], xmm[4], rcx, r11, rip; long result; };

/* read(2) with a pattern in the registers that it must keep. */
__attribute__((noinline)) static void read_with(struct state *s, int fd, char *byte, uint64_t seed)
{
    uint64_t pattern[13];

    for (int i = 0; i < 13; i++)
        pattern[i] = seed * (2 * i + 0x9e3779b97f4a7c15);
    __asm__ volatile(
        "push %%rbp\n push %%rbx\n"
        "mov %[s], %%rax\n push %%rax\n"
        "mov %[p], %%r12\n"
        "movdqu 72(%%r12), %%xmm3\n movdqu 88(%%r12), %%xmm15\n"
        "mov 0(%%r12), %%rbx\n mov 8(%%r12), %%rbp\n mov 16(%%r12), %%r8\n"
        "mov 24(%%r12), %%r9\n mov 32(%%r12), %%r10\n mov 40(%%r12), %%r13\n"
        "mov 48(%%r12), %%r14\n mov 56(%%r12), %%r15\n mov 64(%%r12), %%r12\n"
        "xor %%eax, %%eax\n stc\n"
        "syscall\n"
        "1: xchg %%rax, (%%rsp)\n"
        "mov %%rbx, 0(%%rax)\n mov %%rbp, 8(%%rax)\n mov %%r8, 16(%%rax)\n"
        "mov %%r9, 24(%%rax)\n mov %%r10, 32(%%rax)\n mov %%r13, 40(%%rax)\n"
        "mov %%r14, 48(%%rax)\n mov %%r15, 56(%%rax)\n mov %%r12, 64(%%rax)\n"
        "movdqu %%xmm3, 72(%%rax)\n movdqu %%xmm15, 88(%%rax)\n"
        "mov %%rcx, 104(%%rax)\n mov %%r11, 112(%%rax)\n lea 1b(%%rip), %%rcx\n"
        "mov %%rcx, 120(%%rax)\n pop %%rcx\n mov %%rcx, 128(%%rax)\n pop %%rbx\n pop %%rbp\n"
        :
        : "D"((uint64_t)fd), "S"(byte), "d"((uint64_t)1), [s] "r"(s), [p] "r"(pattern)
        : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm3", "xmm15",
          "memory", "cc");
    if (memcmp(s->regs, pattern, sizeof pattern) != 0)
        s->result = -1;
}

static int play(int in, int out, uint64_t seed, int mode)
{
    volatile double one = 1.0, three = 3.0, sign = mode == FE_UPWARD ? 1.0 : -1.0;
    volatile long double lone = 1.0L, lthree = 3.0L;
    double expected;
    long double lexpected;
    struct state s;
    char byte = 'x';
    int bad = 0;

    fesetround(mode);
    expected = one / three;
    lexpected = lone / lthree;
    for (int i = 0; i < 200; i++) {
        if (seed == 1)
            bad += write(out, &byte, 1) != 1;
        memset(&s, 0, sizeof s);
        read_with(&s, in, &byte, seed + i);
        bad += s.result != 1 || s.rcx != s.rip || (s.r11 & 0x8d5) != 0x45;
        bad += one / three != expected || lone / lthree != lexpected || fegetround() != mode;
        bad += (expected * 3 - 1) * sign < 0;
        if (seed != 1)
            bad += write(out, &byte, 1) != 1;
    }
    return bad;
}

int main(void)
{
    int there[2], back[2], status, bad;

    if (pipe(there) != 0 || pipe(back) != 0)
        return 1;
    if (fork() == 0)
        _exit(play(there[0], back[1], 77, FE_DOWNWARD) != 0);
    bad = play(back[0], there[1], 1, FE_UPWARD);
    wait(&status);
    printf("%d %d\n", bad, status);
    return 0;
}
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_registers_survive_a_sleep(guest_source: Callable[..., Path], deterministic: bool) -> None:
    flags = ("-static", "-O1", "-frounding-math", "-mno-red-zone", "-lm")
    program = guest_source(REGISTERS, flags=flags)
    native = subprocess.run([program], capture_output=True, timeout=20, check=True)
    assert native.stdout == b"0 0\n"
    result = machines.run(program, deterministic=deterministic)
    assert (result.exit_status, result.stdout) == (0, native.stdout)
