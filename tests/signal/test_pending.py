"""Queues of pending signals: what is queued how often, and the order in which it is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signal_tasks import Kernel, taken

from emukernel.kernel.errno import EAGAIN, Errno
from emukernel.kernel.signal.numbers import (
    NSIG,
    SI_QUEUE,
    SI_TKILL,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGRTMIN,
    SIGSEGV,
    SIGSTOP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGUSR1,
    SIGWINCH,
    SYNCHRONOUS_MASK,
)
from emukernel.kernel.signal.pending import (
    RLIMIT_SIGPENDING,
    dequeue_signal,
    dequeue_synchronous_signal,
)
from emukernel.kernel.signal.send import send_signal
from emukernel.kernel.signal.siginfo import SigInfo, fault_info, value_info

ALL = (1 << 64) - 1
SPECIAL = {SIGKILL, SIGSTOP, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGURG, SIGWINCH}
ordinary = st.sampled_from([sig for sig in range(1, NSIG + 1) if sig not in SPECIAL])


@given(sent=st.lists(st.tuples(ordinary, st.booleans()), max_size=40))
def test_order(sent: list[tuple[int, bool]]) -> None:
    """Thread before process; synchronous before others; low before high; each standard one once."""
    task = Kernel().process()
    task.blocked = ALL
    for sig, group in sent:
        send_signal(task, SigInfo(sig, 0), group)
    expected: list[int] = []
    for group in (False, True):
        mine = [sig for sig, to_group in sent if to_group == group]
        kept = [s for i, s in enumerate(mine) if s >= SIGRTMIN or s not in mine[:i]]
        expected += sorted(kept, key=lambda s: (not SYNCHRONOUS_MASK >> (s - 1) & 1, s))
    task.blocked = 0
    assert taken(task) == expected
    assert not task.sigpending
    assert task.kernel.sigqueues == {}


@given(values=st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_real_time_signals_keep_their_values_in_order(values: list[int]) -> None:
    task = Kernel().process()
    task.blocked = ALL
    for value in values:
        send_signal(task, value_info(40, SI_QUEUE, 1, 2, value), True)
        send_signal(task, value_info(41, SI_QUEUE, 1, 2, ~value), True)
    task.blocked = 0
    got = [dequeue_signal(task, 0) for _ in values]
    assert [info.value for info in got if info] == values


def test_blocked_signals_stay() -> None:
    task = Kernel().process()
    task.blocked = 1 << (SIGUSR1 - 1)
    send_signal(task, SigInfo(SIGUSR1, 0), True)
    assert not task.sigpending
    assert taken(task) == []
    task.blocked = 0
    assert taken(task) == [SIGUSR1]


def test_a_fault_of_the_instruction_comes_before_one_that_was_sent() -> None:
    task = Kernel().process()
    task.blocked = ALL
    send_signal(task, SigInfo(5, 0), False)
    send_signal(task, fault_info(SIGSEGV, 1, 0x1234), False)
    task.blocked = 0
    info = dequeue_synchronous_signal(task)
    assert info is not None
    assert (info.signo, info.addr) == (SIGSEGV, 0x1234)
    assert dequeue_synchronous_signal(task) is None
    assert taken(task) == [5]


def test_the_limit_counts_for_a_user() -> None:
    kernel = Kernel()
    first, second, other = kernel.process(7), kernel.process(7), kernel.process(8)
    for task in (first, second, other):
        task.blocked = ALL
        task.rlimits[RLIMIT_SIGPENDING] = [3, 3]
    info = value_info(40, SI_QUEUE, 1, 2, 3)
    send_signal(first, info, True)
    send_signal(first, info, False)
    send_signal(second, info, True)
    for task in (first, second):
        with pytest.raises(Errno) as error:
            send_signal(task, info, True)
        assert error.value.errno == EAGAIN
    send_signal(other, info, True)
    # The kernel's own, and kill's, may exceed it; what tkill says is lost, but not the signal.
    send_signal(first, SigInfo(SIGUSR1, 0), True)
    send_signal(first, SigInfo(12, SI_TKILL, b"\1" * 32), True)
    # Beyond the limit kill's real-time signal is pending without an entry.
    send_signal(second, SigInfo(50, 0, b"\1" * 32), True)
    first.blocked = second.blocked = other.blocked = 0
    # The thread's own first.
    assert taken(first) == [40, SIGUSR1, 12, 40]
    lost = [dequeue_signal(second, 0), dequeue_signal(second, 0)]
    assert [(info.signo, info.code, info.pid) for info in lost if info] == [(40, -1, 1), (50, 0, 0)]
    assert taken(other) == [40]
    assert kernel.sigqueues == {}
