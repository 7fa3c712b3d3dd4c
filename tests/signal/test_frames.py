"""Hostile frames: whatever a program writes into one, rt_sigreturn ends in a signal at worst."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

# Each round a handler spoils bytes of its frame and has the program go on at `landing`, which needs
# no register to get back into C. What goes wrong there ends in `fault`, on the alternate stack.
SPOILER = r"""
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

static sigjmp_buf back;
static uint64_t state;
static char alternate[1 << 16], other[1 << 16];
char *good_stack = other + sizeof other - 64;
static int counts[65], last;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

__asm__("landing: mov good_stack(%rip), %rsp\n cld\n call landed\n");
extern char landing[];

void landed(void)
{
    counts[0]++;
    siglongjmp(back, 1);
}

static void fault(int number)
{
    counts[number]++;
    siglongjmp(back, 1);
}

static void spoil(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
    uint64_t interesting[] = {0, 1, -1, 1ULL << 63, 1ULL << 47, (1ULL << 47) - 1,
                              0xffff800000000000, 0x1000};
    greg_t *regs = uc->uc_mcontext.gregs;
    (void)number;
    (void)info;
    regs[REG_RIP] = (greg_t)landing;
    if (last) {
        /* Nothing else: the handler of a fault would find no stack. */
        uc->uc_stack.ss_sp = (void *)interesting[next() % 8];
        uc->uc_stack.ss_size = next() % 2 ? interesting[next() % 8] : next();
        uc->uc_stack.ss_flags = next() % 2 ? next() : 1 << next() % 32;
        return;
    }
    for (int n = next() % 4; n >= 0; n--)
        switch (next() % 7) {
        case 0: regs[next() % 16] = next(); break;
        case 1: regs[REG_EFL] = next() & ~0x40000; break; /* not AC: C code is not aligned */
        case 2:
            regs[REG_CSGSFS] = next() % 2 ? next() : 0x2b000000000033 ^ 1ULL << next() % 64;
            break;
        case 3: fp[next() % 24] = next(); break;
        case 4: fp[464 + next() % 116] = next(); break;
        case 5: regs[REG_CR2] = next(); break;
        case 6:
            uc->uc_mcontext.fpregs =
                (void *)(next() % 2 ? interesting[next() % 8] : (uint64_t)fp + next() % 64);
            break;
        }
    uc->uc_flags = next();
    regs[REG_RIP] = next() % 64 ? (greg_t)landing : (greg_t)interesting[next() % 8];
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = fault, .sa_flags = SA_ONSTACK};
    int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    state = argc > 1 ? strtoull(argv[1], 0, 0) : 1;
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
        sigaction(faults[i], &action, NULL);
    action.sa_sigaction = spoil;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, NULL);
    for (volatile int round = 0; round < 3000; round++) {
        stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
        sigaltstack(&stack, NULL);
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
    }
    for (last = 1; last < 100; last++)
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
    __asm__ volatile("fninit");
    for (int i = 0; i < 65; i++)
        if (counts[i])
            printf("%d: %s\n", i, counts[i] > 100 ? "often" : "seldom");
}
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_spoilt_frames(
    guest_source: Callable[..., Path],
    emukernel: Callable[..., guest_run.Outcome],
    seed: int,
) -> None:
    program = guest_source(SPOILER, name="spoiler")
    outcome = emukernel(program, [str(seed)], options=["--timeout", "60"])
    assert outcome.status == 0, outcome.err
    assert {"0: often", "11: often"} <= set(outcome.out.splitlines())
