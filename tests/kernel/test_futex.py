"""Futexes between tasks: who is woken, who is moved, what the end of a task does."""

from __future__ import annotations

import itertools
from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from kernel_tasks import BUFFER, SIZE, Machine, errno_of, sleeps, wake_all

from emukernel.kernel.errno import EAGAIN, ENOSYS, ERESTART_RESTARTBLOCK, ERESTARTSYS, ETIMEDOUT
from emukernel.kernel.futex import exit_futex, exit_robust_list, sys_futex
from emukernel.kernel.futex_pi import exit_pi_state_list
from emukernel.kernel.task import Task
from emukernel.kernel.time.timekeeping import put_timespec
from emukernel.kernel.uaccess import copy_to_user, get_user_u32, put_user_u32

WORD, OTHER, TIMEOUT = BUFFER, BUFFER + 4, BUFFER + 64
WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET = 0, 1, 3, 4, 5, 9, 10
LOCK_PI = 6
PRIVATE, REALTIME = 128, 256
MS = 1_000_000


def wait(task: Task, word: int = WORD) -> None:
    assert sleeps(sys_futex, task, word, WAIT | PRIVATE, 0, 0, 0, 0)


def woken(tasks: list[Task]) -> list[int]:
    """The tasks whose call has come back, by their place in the list."""
    return [i for i, task in enumerate(tasks) if task.state == "R" and back(task)]


def back(task: Task) -> bool:
    return sys_futex(task, WORD, WAIT | PRIVATE, 0, 0, 0, 0) == 0


def test_waiters_are_woken_in_turn(machine: Machine, task: Task) -> None:
    threads = [machine.thread(task) for _ in range(3)]
    for thread in threads:
        wait(thread)
    assert sys_futex(task, WORD, WAKE | PRIVATE, 2, 0, 0, 0) == 2
    assert woken(threads) == [0, 1]
    assert sys_futex(task, WORD, WAKE | PRIVATE, 0, 0, 0, 0) == 1
    assert sys_futex(task, WORD, WAKE | PRIVATE, 9, 0, 0, 0) == 0
    assert machine.futex_queues == {}


def test_a_changed_word_is_not_waited_for(task: Task) -> None:
    put_user_u32(task, WORD, 1)
    assert errno_of(sys_futex, task, WORD, WAIT | PRIVATE, 0, 0, 0, 0) == EAGAIN


def test_a_woken_task_comes_back_whatever_the_word_is_by_then(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    wait(thread)
    put_user_u32(task, WORD, 1)
    sys_futex(task, WORD, WAKE | PRIVATE, 1, 0, 0, 0)
    assert back(thread)


def test_address_spaces_do_not_share_private_words(machine: Machine, task: Task) -> None:
    wait(task)
    other = machine.process()
    assert sys_futex(other, WORD, WAKE | PRIVATE, 1, 0, 0, 0) == 0
    assert sys_futex(other, WORD, WAKE, 1, 0, 0, 0) == 0
    assert sys_futex(task, WORD, WAKE, 1, 0, 0, 0) == 1


def test_bits_choose(machine: Machine, task: Task) -> None:
    threads = [machine.thread(task) for _ in range(3)]
    for thread, bits in zip(threads, (1, 2, 3), strict=True):
        assert sleeps(sys_futex, thread, WORD, WAIT_BITSET | PRIVATE, 0, 0, 0, bits)
    assert sys_futex(task, WORD, WAKE_BITSET | PRIVATE, 9, 0, 0, 2) == 2
    assert [thread.state for thread in threads] == ["S", "R", "R"]


def test_a_relative_timeout(task: Task) -> None:
    put_timespec(task, TIMEOUT, 5 * MS)
    clock = task.kernel.clock
    assert sleeps(sys_futex, task, WORD, WAIT | PRIVATE, 0, TIMEOUT, 0, 0)
    assert task.deadline == clock.monotonic() + 5 * MS
    clock.advance(5 * MS)
    wake_all(task)
    assert errno_of(sys_futex, task, WORD, WAIT | PRIVATE, 0, TIMEOUT, 0, 0) == ETIMEDOUT
    assert task.kernel.futex_queues == {}


def test_a_moment_of_the_real_clock(task: Task) -> None:
    clock = task.kernel.clock
    put_timespec(task, TIMEOUT, clock.realtime() + 3600 * 1000 * MS)
    args = (WORD, WAIT_BITSET | PRIVATE | REALTIME, 0, TIMEOUT, 0, 1)
    assert sleeps(sys_futex, task, *args)
    clock.set_realtime(clock.realtime() + 7200 * 1000 * MS)
    assert task.state == "R"
    assert errno_of(sys_futex, task, *args) == ETIMEDOUT


def test_a_signal_takes_the_waiter_out(task: Task) -> None:
    wait(task)
    wake_all(task)
    task.sigpending = True
    assert errno_of(sys_futex, task, WORD, WAIT | PRIVATE, 0, 0, 0, 0) == ERESTARTSYS
    assert task.kernel.futex_queues == {}


def test_a_timed_wait_goes_on_after_a_stop(task: Task) -> None:
    put_timespec(task, TIMEOUT, 5 * MS)
    end = task.kernel.clock.monotonic() + 5 * MS
    args = (WORD, WAIT | PRIVATE, 0, TIMEOUT, 0, 0)
    assert sleeps(sys_futex, task, *args)
    wake_all(task)
    task.kernel.clock.advance(MS)
    task.sigpending = True
    assert errno_of(sys_futex, task, *args) == ERESTART_RESTARTBLOCK
    task.sigpending, task.call = False, {}
    function, *rest = task.restart_block
    assert sleeps(function, task, *rest)
    assert task.deadline == end


def test_wake_and_signal_at_once_is_a_wake(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    wait(thread)
    sys_futex(task, WORD, WAKE | PRIVATE, 1, 0, 0, 0)
    thread.sigpending = True
    assert back(thread)


def test_requeue_moves_without_waking(machine: Machine, task: Task) -> None:
    threads = [machine.thread(task) for _ in range(4)]
    for thread in threads:
        wait(thread)
    assert sys_futex(task, WORD, REQUEUE | PRIVATE, 1, 2, OTHER, 0) == 3
    assert [thread.state for thread in threads] == ["R", "S", "S", "S"]
    assert sys_futex(task, OTHER, WAKE | PRIVATE, 9, 0, 0, 0) == 2
    assert sys_futex(task, WORD, WAKE | PRIVATE, 9, 0, 0, 0) == 1


def test_wake_op_wakes_the_second_if_the_condition_held(machine: Machine, task: Task) -> None:
    first, second = machine.thread(task), machine.thread(task)
    for old, total in ((3, 2), (4, 1)):
        wait(first)
        put_user_u32(task, OTHER, 0)
        wait(second, OTHER)
        put_user_u32(task, OTHER, old)
        # *OTHER |= 8; was it 3?
        encoded = 2 << 28 | 0 << 24 | 8 << 12 | 3
        assert sys_futex(task, WORD, WAKE_OP | PRIVATE, 9, 9, OTHER, encoded) == total
        assert get_user_u32(task, OTHER) == old | 8
        first.call, second.call = {}, {}


def test_operations_that_do_not_exist(task: Task) -> None:
    for op in (2, 14, 99):
        assert errno_of(sys_futex, task, WORD, op, 0, 0, OTHER, 0) == ENOSYS


def test_the_end_of_an_owner_hands_its_lock_on(machine: Machine, task: Task) -> None:
    first, second = machine.thread(task), machine.thread(task)
    assert sys_futex(task, WORD, LOCK_PI | PRIVATE, 0, 0, 0, 0) == 0
    for thread in (first, second):
        assert sleeps(sys_futex, thread, WORD, LOCK_PI | PRIVATE, 0, 0, 0, 0)
    exit_pi_state_list(task)
    assert get_user_u32(task, WORD) == first.pid | 0xC000_0000
    assert sys_futex(first, WORD, LOCK_PI | PRIVATE, 0, 0, 0, 0) == 0
    first.call = {}
    exit_futex(second)
    assert machine.futex_queues == {} == machine.futex_pi


def test_a_killed_waiter_is_gone(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    wait(thread)
    exit_futex(thread)
    assert machine.futex_queues == {}
    assert sys_futex(task, WORD, WAKE | PRIVATE, 1, 0, 0, 0) == 0


STEP = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 1)),
    st.tuples(st.just("wake"), st.integers(0, 1), st.integers(1, 4)),
    st.tuples(st.just("move"), st.integers(0, 3), st.integers(0, 3)),
)


@given(st.lists(STEP, max_size=40))
def test_queues_are_queues(steps: list[tuple[str, int] | tuple[str, int, int]]) -> None:
    machine = Machine()
    leader = machine.process()
    words = (WORD, OTHER)
    queues: tuple[deque[Task], deque[Task]] = (deque(), deque())
    for kind, *numbers in steps:
        if kind == "wait":
            thread = machine.thread(leader)
            wait(thread, words[numbers[0]])
            queues[numbers[0]].append(thread)
        elif kind == "wake":
            at, count = numbers
            expected = [queues[at].popleft() for _ in range(min(count, len(queues[at])))]
            asleep = [t for t in leader.thread_group if t.state == "S"]
            result = sys_futex(leader, words[at], WAKE | PRIVATE, count, 0, 0, 0)
            assert result == len(expected)
            assert [t for t in asleep if t.state == "R"] == sorted(expected, key=asleep.index)
        else:
            wake, move = numbers
            expected = [queues[0].popleft() for _ in range(min(wake, len(queues[0])))]
            moved = [queues[0].popleft() for _ in range(min(move, len(queues[0])))]
            queues[1].extend(moved)
            result = sys_futex(leader, WORD, REQUEUE | PRIVATE, wake, move, OTHER, 0)
            assert result == len(expected) + len(moved)
            assert all(t.state == "R" for t in expected)


# -- robust lists ----------------------------------------------------------------------------

HEAD, ENTRY = BUFFER + 0x1000, BUFFER + 0x2000
OFFSET = 0x20


def robust_list(task: Task, entries: list[int], pending: int = 0) -> None:
    words = [*entries, HEAD]
    data = b"".join(n.to_bytes(8, "little") for n in (words[0], OFFSET, pending))
    copy_to_user(task, HEAD, data)
    for entry, following in itertools.pairwise(words):
        if entry >= BUFFER:
            copy_to_user(task, entry, following.to_bytes(8, "little"))
    task.robust_list = (HEAD, 24)


def test_a_dead_owner_is_marked_and_its_waiter_woken(machine: Machine, task: Task) -> None:
    owner, waiter = machine.thread(task), machine.thread(task)
    first, second = ENTRY + OFFSET, ENTRY + 0x100 + OFFSET
    robust_list(owner, [ENTRY, ENTRY + 0x100])
    put_user_u32(task, first, owner.pid | 0x8000_0000)
    put_user_u32(task, second, task.pid)
    value = owner.pid | 0x8000_0000
    assert sleeps(sys_futex, waiter, first, WAIT, value, 0, 0, 0)
    exit_robust_list(owner)
    assert get_user_u32(task, first) == 0xC000_0000
    assert get_user_u32(task, second) == task.pid
    assert waiter.state == "R"


def test_a_pending_unlock_wakes(machine: Machine, task: Task) -> None:
    owner, waiter = machine.thread(task), machine.thread(task)
    robust_list(owner, [], pending=ENTRY)
    assert sleeps(sys_futex, waiter, ENTRY + OFFSET, WAIT, 0, 0, 0, 0)
    exit_robust_list(owner)
    assert waiter.state == "R"


def test_a_list_without_end_is_left(task: Task) -> None:
    robust_list(task, [ENTRY])
    copy_to_user(task, ENTRY, ENTRY.to_bytes(8, "little"))
    exit_robust_list(task)
    assert task.robust_list == (0, 0)


def test_where_a_list_breaks_off_the_lock_is_let_go_of(task: Task) -> None:
    last = BUFFER + SIZE - 4  # of its pointer only half can be read
    word = last - 0x20
    data = b"".join(n.to_bytes(8, "little", signed=True) for n in (last, -0x20, 0))
    copy_to_user(task, HEAD, data)
    task.robust_list = (HEAD, 24)
    put_user_u32(task, word, task.pid)
    exit_robust_list(task)
    assert get_user_u32(task, word) == 0x4000_0000


def test_bad_lists_are_left(task: Task) -> None:
    for head in (0x10, BUFFER + 1, (1 << 64) - 8):
        task.robust_list = (head, 24)
        exit_robust_list(task)
    robust_list(task, [0x10])
    exit_robust_list(task)
