"""No packet leaves the machine, and none comes in: its loopback is not the host's."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import guest_run

CONNECT = r"""
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int kinds[] = { SOCK_STREAM, SOCK_DGRAM };
    for (int i = 1; i + 1 < argc; i += 2)
        for (int k = 0; k < 2; k++) {
            struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[i + 1])) };
            struct sockaddr_in6 b = { .sin6_family = AF_INET6, .sin6_port = a.sin_port };
            int six = inet_pton(AF_INET, argv[i], &a.sin_addr) != 1;
            if (six)
                inet_pton(AF_INET6, argv[i], &b.sin6_addr);
            int fd = socket(six ? AF_INET6 : AF_INET, kinds[k], 0);
            int result = six ? connect(fd, (void *)&b, sizeof b)
                             : connect(fd, (void *)&a, sizeof a);
            printf("%d ", result ? errno : 0);
            close(fd);
        }
    return 0;
}
"""
ENETUNREACH, ECONNREFUSED = 101, 111


def test_the_host_is_not_reachable(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        outcome = emukernel(guest_source(CONNECT), ["127.0.0.1", port])
    # A datagram socket may name whomever it likes.
    assert outcome.out.split() == [str(ECONNREFUSED), "0"]


def test_there_is_nothing_beyond_loopback(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    hosts = ["10.0.0.1", "192.0.2.1", "8.8.8.8", "128.0.0.1", "2001:db8::1", "::2", "fe80::1"]
    arguments = [word for host in hosts for word in (host, "80")]
    outcome = emukernel(guest_source(CONNECT), arguments)
    assert outcome.out.split() == [str(ENETUNREACH)] * 2 * len(hosts)


def test_a_server_inside_is_not_seen_outside(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    server = r"""
        #include <arpa/inet.h>
        #include <netinet/in.h>
        #include <sys/socket.h>
        int main(void)
        {
            struct sockaddr_in a = { .sin_family = AF_INET };
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            a.sin_port = htons(PORT);
            return bind(fd, (void *)&a, sizeof a) || listen(fd, 5);
        }
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # The host's use of the port is nothing to the machine.
        program = guest_source(server.replace("PORT", str(port)))
        assert emukernel(program).status == 0
