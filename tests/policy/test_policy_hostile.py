"""Whatever stands in a policy, it is taken or refused with PolicyError, soon and shortly."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from emukernel.policy import Policy, PolicyError
from emukernel.policy.check import as_json, as_text
from emukernel.seccomp.abi.v1 import V1
from emukernel.seccomp.state import SeccompState

SEED = b"""\
# A policy to mutate.
sys_read: (fd == 0) || (fd == 3)
sys_write: fd == 1 || fd == 2   # out
sys_write: count <= 0x1000
sys_mmap: prot != 7 && flags == 0x22
sys_openat: dfd == 0xffffff9c && flags == 0
sys_newfstat: 1
sys_getpid: 0
sys_exit: 1
sys_exit_group: error_code < 256
on_next_syscall: 1
"""
PIECES = (
    b"", b"\n", b"\0", b"\xff", b"\xc3\xa9", b"\xa0", b"\r", b"#", b":", b"::", b"(", b")", b'"',
    b"&&", b"||", b"&", b"|", b"==", b"!=", b"=", b"!", b"<", b"~", b"1", b"-1", b"+", b"0x",
    b"18446744073709551616", b"99999999999999999999999", b"sys_", b"sys_stat: 1\n", b"on_next_",
    b"fd", b" " * 300, b"(" * 260, b"\t", b"\x1b[31m", b"%s%n", b"{}", b"sys_read: 1\n",
)  # fmt: skip


def judge(data: bytes) -> bool:
    """Is it a policy? Either way everything that is shown to people can be."""
    try:
        policy = Policy.from_text(data, file="p")
    except PolicyError as error:
        assert error.problems
        text = str(error)
        assert all(char.isprintable() or char == "\n" for char in text)
        assert len(text) < 21 * 1000
        return False
    state = SeccompState()
    V1().set_text(state, policy.to_text())
    assert [(e.nr, e.text) for e in state.filters] == [(e.nr, e.text) for e in policy.filters]
    assert state.enforcing is policy.on_next_syscall
    assert as_text(policy) and as_json(policy)["ok"]
    return True


def mutated(source: random.Random) -> bytes:
    data = bytearray(SEED)
    for _ in range(source.randrange(1, 6)):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((0, 0, 1, 2, 8, 40)))
        kind = source.randrange(4)
        if kind == 0:
            data[start:end] = source.choice(PIECES)
        elif kind == 1:
            data[start:end] = source.randbytes(end - start)
        elif kind == 2:
            other = source.randrange(len(data) + 1)
            data[start:end] = data[other : other + source.randrange(60)]
        else:
            del data[start:end]
    return bytes(data)


def test_the_seed_is_a_policy() -> None:
    assert judge(SEED)


def test_2000_mutated_policies() -> None:
    source = random.Random(2011)
    verdicts = [judge(mutated(source)) for _ in range(2000)]
    assert 100 < sum(verdicts) < 1900


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode())))
@settings(max_examples=300)
def test_any_bytes(data: bytes) -> None:
    judge(data)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=300)
def test_any_entry(name: str, expression: str) -> None:
    judge(f"{name}: {expression}".encode(errors="surrogatepass"))
    judge(f"sys_write: {expression}".encode(errors="surrogatepass"))
    try:
        policy = Policy.from_entries([(name, expression), ("sys_write", expression)])
    except PolicyError:
        return
    assert len(policy.entries) == 2


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@settings(max_examples=300)
def test_any_pieces(data: bytes) -> None:
    judge(b"sys_read: fd == 0\nsys_read: " + data + b"\nsys_exit: 1\n")
