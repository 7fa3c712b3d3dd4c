"""Error numbers, names and messages, against the C library of the host."""

from __future__ import annotations

import errno as host
import os

import pytest

from emukernel.kernel import errno


def test_numbers_names_and_messages_are_linuxs() -> None:
    for number, name in host.errorcode.items():
        assert getattr(errno, name) == number
        assert getattr(errno, errno.name(number)) == number
        assert errno.strerror(number) == os.strerror(number)
    assert (errno.name(1), errno.name(11), errno.name(35)) == ("EPERM", "EAGAIN", "EDEADLK")


def test_numbers_that_do_not_reach_user_space() -> None:
    assert (errno.ERESTARTSYS, errno.ERESTARTNOINTR, errno.ERESTARTNOHAND) == (512, 513, 514)
    assert errno.name(516) == "ERESTART_RESTARTBLOCK"
    assert (errno.name(999), errno.strerror(999)) == ("999", "Unknown error 999")


def test_the_exception() -> None:
    with pytest.raises(errno.Errno, match=r"EINVAL \(Invalid argument\)") as failed:
        raise errno.Errno(errno.EINVAL)
    assert failed.value.errno == 22
