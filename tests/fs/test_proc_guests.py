"""/proc as programs see it: numbers that must agree with each other, and with what was done."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import guest_run

Build = Callable[..., Path]
Runner = Callable[..., guest_run.Outcome]

CAT = """
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static void cat(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY);
    ssize_t size;
    write(1, "== ", 3), write(1, path, strlen(path)), write(1, "\\n", 1);
    while ((size = read(fd, text, sizeof text)) > 0)
        write(1, text, size);
    close(fd);
}
"""


def parts(outcome: guest_run.Outcome) -> dict[str, str]:
    """The files that the guest showed, by path."""
    assert outcome.status == 0, outcome.err
    texts = re.split(r"^== (.*)\n", outcome.out, flags=re.M)[1:]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def kilobytes(text: str, name: str) -> int:
    found = re.findall(rf"^{name}: +(\d+) kB$", text.replace("\t", " "), re.M)
    assert found, name
    return sum(map(int, found))


def test_memory_adds_up(guest_source: Build, emukernel: Runner) -> None:
    program = guest_source(
        CAT
        + """
int main(void)
{
    char *own = mmap(0, 40 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *common = mmap(0, 24 << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(own, 1, 40 << 12);
    memset(common, 1, 24 << 12);
    munmap(mmap(0, 1 << 24, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 24);
    cat("/proc/self/status");
    cat("/proc/self/smaps");
    cat("/proc/self/smaps_rollup");
    cat("/proc/self/statm");
    cat("/proc/meminfo");
    return 0;
}"""
    )
    shown = parts(emukernel(program))
    status, smaps = shown["/proc/self/status"], shown["/proc/self/smaps"]
    rollup, meminfo = shown["/proc/self/smaps_rollup"], shown["/proc/meminfo"]
    assert kilobytes(smaps, "Size") == kilobytes(status, "VmSize")
    # The buffer of this program's own reads comes in between.
    assert abs(kilobytes(smaps, "Rss") - kilobytes(status, "VmRSS")) <= 64
    assert kilobytes(status, "VmRSS") == sum(
        kilobytes(status, name) for name in ("RssAnon", "RssFile", "RssShmem")
    )
    assert kilobytes(status, "RssShmem") == 24 * 4
    assert kilobytes(status, "VmPeak") >= kilobytes(status, "VmSize") + (1 << 14)
    assert kilobytes(rollup, "Rss") >= kilobytes(smaps, "Rss")
    assert kilobytes(rollup, "Pss_Shmem") == 24 * 4
    assert kilobytes(meminfo, "Shmem") >= 24 * 4
    assert kilobytes(meminfo, "AnonPages") >= kilobytes(status, "RssAnon")
    total, free = kilobytes(meminfo, "MemTotal"), kilobytes(meminfo, "MemFree")
    assert 0 < total - free < 4096
    assert shown["/proc/self/statm"].split()[0] == str(kilobytes(status, "VmSize") // 4)


def test_processes_are_counted(guest_source: Build, emukernel: Runner) -> None:
    program = guest_source(
        CAT
        + """
#include <sys/wait.h>
int main(void)
{
    for (int i = 0; i < 5; i++) {
        if (!fork())
            _exit(0);
        wait(0);
    }
    cat("/proc/stat");
    cat("/proc/loadavg");
    return 0;
}"""
    )
    shown = parts(emukernel(program))
    assert "\nprocesses 6\n" in shown["/proc/stat"]
    assert "\nprocs_running 1\n" in shown["/proc/stat"]
    assert shown["/proc/loadavg"].split()[3:] == ["1/1", "105"]


def test_the_oom_killer_heeds_the_adjustment(guest_source: Build, emukernel: Runner) -> None:
    # The parent takes most, but the child has asked to be chosen.
    program = guest_source(
        """
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void take(long size)
{
    memset(mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, size);
}
int main(void)
{
    int pid, status, ready[2];
    char byte;
    pipe(ready);
    if (!(pid = fork())) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY);
        write(fd, "900", 3);
        take(8 << 20);
        write(ready[1], "", 1);
        pause();
    }
    read(ready[0], &byte, 1);
    for (int i = 0; i < 10; i++)
        take(1 << 22);
    take(9 << 20);
    waitpid(pid, &status, 0);
    printf("the child was killed: %d\\n", WIFSIGNALED(status) && WTERMSIG(status) == 9);
    return 0;
}"""
    )
    outcome = emukernel(program, options=["--memory", "56M", "--dmesg"])
    assert outcome.out == "the child was killed: 1\n", outcome.err
    assert "oom_score_adj:900" in outcome.err


def test_sockets_are_listed(guest_source: Build, emukernel: Runner) -> None:
    program = guest_source(
        CAT
        + """
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void)
{
    struct sockaddr_in in = {AF_INET, htons(80), {htonl(0x7f000001)}};
    struct sockaddr_un un = {AF_UNIX, "/tmp/name"};
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    bind(server, (void *)&in, sizeof in);
    listen(server, 5);
    connect(client, (void *)&in, sizeof in);
    int own = socket(AF_UNIX, SOCK_STREAM, 0), dgram = socket(AF_INET6, SOCK_DGRAM, 0);
    bind(own, (void *)&un, sizeof un);
    listen(own, 1);
    struct sockaddr_in6 in6 = {AF_INET6, htons(53)};
    bind(dgram, (void *)&in6, sizeof in6);
    cat("/proc/net/tcp");
    cat("/proc/net/unix");
    cat("/proc/net/udp6");
    cat("/proc/net/dev");
    return 0;
}"""
    )
    shown = parts(emukernel(program))
    head, *rows = shown["/proc/net/tcp"].splitlines()
    assert head.startswith("  sl  local_address rem_address   st tx_queue rx_queue")
    assert all(len(line) == 149 for line in [head, *rows])
    assert rows[0].split()[1:4] == ["0100007F:0050", "00000000:0000", "0A"]
    assert any(row.split()[2:4] == ["0100007F:0050", "01"] for row in rows)
    assert re.search(r"00010000 0001 01 +\d+ /tmp/name$", shown["/proc/net/unix"], re.M)
    (row,) = shown["/proc/net/udp6"].splitlines()[1:]
    assert row.split()[1] == "0" * 32 + ":0035"
    assert shown["/proc/net/dev"].splitlines()[2].split()[0] == "lo:"
