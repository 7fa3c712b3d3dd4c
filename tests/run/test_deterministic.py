"""--deterministic: a run is a function of its inputs and the seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

# Everything that differs from one run to the next on a real machine.
VARIES = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static uint64_t tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static uint64_t tscp(void)
{
    uint32_t low, high, aux;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
    return (uint64_t)high << 32 | low;
}

static void show_file(const char *name)
{
    char text[2048];
    FILE *file = fopen(name, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = 0;
    printf("%s: %s\n", name, text);
    if (file) fclose(file);
}

int main(void)
{
    static const int clocks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 11 };
    struct timespec now;
    struct timeval day;
    struct rusage usage;
    struct tms used;
    struct sysinfo info;
    struct stat st;
    unsigned char bytes[16];
    void *heap = malloc(10), *map = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        clock_gettime(clocks[i], &now);
        printf("clock %d: %ld.%09ld\n", clocks[i], now.tv_sec, now.tv_nsec);
    }
    gettimeofday(&day, 0);
    printf("day %ld.%06ld time %ld clock %ld\n", day.tv_sec, day.tv_usec, time(0), (long)clock());
    getrandom(bytes, sizeof bytes, 0);
    for (int i = 0; i < 16; i++) printf("%02x", bytes[i]);
    unsigned char *at_random = (unsigned char *)getauxval(AT_RANDOM);
    for (int i = 0; i < 16; i++) printf("%02x", at_random[i]);
    printf("\n%p %p %p %p\n", heap, map, (void *)&heap, (void *)sbrk(0));
    printf("%d %d %d %ld\n", getpid(), getppid(), getpgid(0), syscall(SYS_gettid));
    printf("%d\n", (int)(tscp() > tsc()));
    printf("%llx %llx\n", (unsigned long long)tsc(), (unsigned long long)tscp());
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %ld %ld %ld\n", (long)usage.ru_utime.tv_usec, (long)usage.ru_stime.tv_usec,
           usage.ru_minflt, usage.ru_maxrss);
    printf("%ld %ld\n", (long)times(&used), (long)used.tms_utime);
    sysinfo(&info);
    printf("%ld %lu %lu\n", info.uptime, info.freeram, info.bufferram);
    stat("/proc/self", &st);
    printf("%lu %lu %ld\n", (long)st.st_dev, (long)st.st_ino, (long)st.st_mtime);
    stat("/tmp", &st);
    printf("%lu %lu %ld %ld\n", (long)st.st_dev, (long)st.st_ino, (long)st.st_mtime,
           (long)st.st_ctim.tv_nsec);
    show_file("/proc/self/maps");
    show_file("/proc/self/stat");
    show_file("/proc/uptime");
    show_file("/proc/stat");
    show_file("/proc/loadavg");
    show_file("/proc/meminfo");
    show_file("/proc/sys/kernel/random/uuid");
    show_file("/proc/sys/kernel/random/boot_id");
    now.tv_sec = 0;
    now.tv_nsec = 20000000;
    nanosleep(&now, 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%ld.%09ld\n", now.tv_sec, now.tv_nsec);
    return 0;
}
"""


@pytest.fixture(scope="module", params=["musl", "glibc"])
def varies(request: pytest.FixtureRequest, guest_source: Callable[..., Path]) -> Path:
    return guest_source(VARIES, name="varies", libc=request.param)


def traced(emukernel: Run, program: Path, path: Path, *options: str) -> tuple[str, bytes, bytes]:
    """The guest's output, the trace as text and as JSON."""
    text, records = path.with_suffix(".text"), path.with_suffix(".json")
    options = (*options, "--deterministic", f"--trace={text}", "--trace-json", str(records))
    outcome = emukernel(program, options=options, env={})
    assert outcome.status == 0
    return outcome.out, text.read_bytes(), records.read_bytes()


def test_two_runs_are_the_same(emukernel: Run, varies: Path, tmp_path: Path) -> None:
    first = traced(emukernel, varies, tmp_path / "1")
    assert traced(emukernel, varies, tmp_path / "2") == first
    assert len(first[1].splitlines()) > 30


def test_the_seed_is_what_changes(emukernel: Run, varies: Path, tmp_path: Path) -> None:
    zero = traced(emukernel, varies, tmp_path / "0")
    seven = traced(emukernel, varies, tmp_path / "7", "--seed", "7")
    assert zero != seven
    assert traced(emukernel, varies, tmp_path / "7", "--seed", "7") == seven
    assert traced(emukernel, varies, tmp_path / "0", "--seed", "0") == zero


def test_without_it_runs_differ(emukernel: Run, varies: Path) -> None:
    assert emukernel(varies).out != emukernel(varies).out


RDRAND = r"""
#include <cpuid.h>
#include <stdio.h>
int main(void)
{
    unsigned a, b, c, d, e;
    __get_cpuid(1, &a, &b, &c, &d);
    __get_cpuid_count(7, 0, &a, &e, &a, &d);
    printf("%d %d\n", !!(c & 1u << 30), !!(e & 1u << 18));
    fflush(stdout);
    __asm__ volatile("rdrand %%eax" : : : "eax");
    return 0;
}
"""


def test_the_cpus_random_numbers_are_gone(
    emukernel: Run, guest_source: Callable[..., Path]
) -> None:
    program = guest_source(RDRAND, name="rdrand")
    outcome = emukernel(program, options=["--deterministic"])
    assert (outcome.status, outcome.out) == (132, "0 0\n")
    assert outcome.err.startswith("killed by SIGILL at 0x")
    assert emukernel(program).out.startswith("1 ")


def test_sleeping_takes_no_time(emukernel: Run, guest_source: Callable[..., Path]) -> None:
    program = guest_source("#include <unistd.h>\nint main(void) { return sleep(100000); }")
    assert emukernel(program, options=["--deterministic", "--timeout", "30"]).status == 0
