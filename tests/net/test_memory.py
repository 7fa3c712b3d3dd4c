"""What queues hold is accounted, bounded, and given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run
from hypothesis import given
from hypothesis import strategies as st

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.net.scm import control_messages
from emukernel.kernel.net.sock import STREAM_PIECE_MAX, dgram_truesize, stream_truesize

HOARD = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Fills the queues of as many sockets as there can be, lets go of them, and does it again. */
int main(void)
{
    static char data[100000];
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    for (int round = 0; round < 3; round++) {
        int pairs = 0, refused = 0;
        static int fds[1000][2];
        while (pairs < 400 && !refused) {
            if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds[pairs]))
                return 1;
            while (send(fds[pairs][0], data, sizeof data, 0) > 0)
                ;
            refused = errno == ENOBUFS;
            pairs++;
        }
        printf("%s ", refused ? "refused" : "all");
        while (pairs--) {
            close(fds[pairs][0]);
            close(fds[pairs][1]);
        }
    }
    return 0;
}
"""


def test_full_queues_do_not_eat_the_host(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    outcome = emukernel(guest_source(HOARD), options=["--memory", "64M"])
    assert outcome.out.split() == ["refused"] * 3
    assert outcome.status == 0


@given(st.integers(0, STREAM_PIECE_MAX))
def test_a_piece_takes_more_than_its_bytes(size: int) -> None:
    assert size < stream_truesize(size) <= 2 * size + 4096 + 768


@given(st.integers(0, 210_000))
def test_a_datagram_takes_more_than_its_bytes(size: int) -> None:
    assert size < dgram_truesize(size)


@given(st.binary(max_size=200))
def test_any_control_data_is_parsed_or_refused(data: bytes) -> None:
    try:
        found = list(control_messages(data))
    except Errno as error:
        assert error.errno == EINVAL
    else:
        assert sum(16 + len(body) for _level, _kind, body in found) <= len(data)


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 300), st.binary(max_size=40)), max_size=5
    )
)
def test_control_messages_come_out_as_they_went_in(messages: list[tuple[int, int, bytes]]) -> None:
    data = b""
    for level, kind, body in messages:
        header = (16 + len(body)).to_bytes(8, "little")
        header += level.to_bytes(4, "little") + kind.to_bytes(4, "little")
        data += (header + body).ljust((16 + len(body) + 7) // 8 * 8, b"\0")
    assert list(control_messages(data)) == messages
