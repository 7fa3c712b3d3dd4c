"""The fuzzer's parts: mutators, dictionaries, grammars, minimizing, stacks, what is loose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from emukernel.ftrace.events import table
from emukernel.ftrace.filter import create
from emukernel.fuzz import dictionary
from emukernel.fuzz.compare import Comparer, solutions
from emukernel.fuzz.executor import DENIED, HANG, OK, Executor
from emukernel.fuzz.expression import cuts, tree_of
from emukernel.fuzz.grammar import GrammarMutator
from emukernel.fuzz.loose import Analysis
from emukernel.fuzz.minimize import minimize
from emukernel.fuzz.mutate import Mutator, load_generator, load_mutator
from emukernel.fuzz.target import Target
from emukernel.policy import Policy

Make = Callable[..., Executor]
Build = Callable[..., Path]
Call = tuple[int, int, int, int, int, int, int]


# -- inputs --------------------------------------------------------------------------------------


def test_mutations_are_bounded_varied_and_reproducible() -> None:
    one, other = (Mutator(Random(3), 64, [b"TOKEN"]) for _ in range(2))
    made = [one.havoc(b"some input", b"another") for _ in range(2000)]
    assert made == [other.havoc(b"some input", b"another") for _ in range(2000)]
    assert max(map(len, made)) <= 64
    assert len(set(made)) > 1500
    assert any(b"TOKEN" in data for data in made)
    assert any(one.havoc(b"") for _ in range(20))


def test_minimizing_keeps_what_matters() -> None:
    data = bytes(range(1, 200)) + b"<magic>" + bytes(50)
    small = minimize(data, lambda d: b"magic" in d and len(d) > 8, 2000)
    assert b"magic" in small
    assert len(small) == 9
    assert small.replace(b"magic", b"") == b"0000"


def test_dictionaries_of_afl_and_libfuzzer() -> None:
    text = '# comment\nkw1="abc"\n"\\x00\\xff\\"q\\\\"\n\nname@2 = "z"\n'
    assert dictionary.parse(text, "d") == [b"abc", b'\0\xff"q\\', b"z"]
    for bad in ("abc", 'x="\\q"', 'x="'):
        with pytest.raises(ValueError, match="d:2: "):
            dictionary.parse(f"#\n{bad}\n", "d")


def test_words_of_a_program_and_a_policy(guest: Build) -> None:
    words = dictionary.program_words(guest("fuzz/truncated").read_bytes())
    assert b"/etc/passwd" in words
    assert dictionary.program_words(b"\x7fELF broken") == []
    words = dictionary.policy_words(Policy.from_text("sys_read: fd != 3"))
    assert (0x1_0000_0003).to_bytes(8, "little") in words
    assert (4).to_bytes(4, "little") in words


def test_grammars_make_sentences_and_change_them() -> None:
    text = '# a list\nlist = "[" item? more* "]"\nmore = "," item\nitem = %30-39+ | list\n'
    made = GrammarMutator.from_text(text)
    random = Random(1)
    data = made.mutate(b"", random, 200)
    seen = set()
    for _ in range(300):
        data = made.mutate(data, random, 200)
        seen.add(data)
        assert data[:1] == b"["
        if len(data) < 200:
            assert data.count(b"[") == data.count(b"]")
            assert set(data) <= set(b"[],0123456789")
    assert len(seen) > 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rule"),
        ("a = b", "g:1: no rule b"),
        ("a = a", "g:1: a never comes to an end"),
        ('a = "x"\na = "y"', "g:2: a has a rule already"),
        ("a = %40-30", "g:1: the range %40-30 is empty"),
        ("a = ?", "g:1: what is"),
        ("nonsense", "g:1: not NAME = alternatives"),
    ],
)
def test_bad_grammars_say_where(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        GrammarMutator.from_text(text, "g")


def test_generators_of_the_users_own(tmp_path: Path) -> None:
    file = tmp_path / "generator.py"
    file.write_text(
        "class Generator:\n    def generate(self, random, max_len):\n"
        "        return b'x' * random.randrange(max_len)\n"
    )
    made = load_generator(str(file))
    assert {len(made.mutate(b"", Random(n), 4)) for n in range(50)} == {0, 1, 2, 3}
    file.write_text("class Generator: pass\n")
    with pytest.raises(ValueError, match=r"no class Generator with a method generate\(random"):
        load_generator(str(file))


def test_mutators_of_the_users_own(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text("class Mutator:\n    def mutate(self, data, random, max_len): return b'x'\n")
    assert load_mutator(str(good)).mutate(b"", Random(0), 4) == b"x"
    for text, message in (("", "no class Mutator"), ("1/0", "ZeroDivisionError")):
        good.write_text(text)
        with pytest.raises(ValueError, match=message):
            load_mutator(str(good))


def test_comparisons_are_seen_and_solved(guest: Build) -> None:
    comparer = Comparer(Target(str(guest("fuzz/magic")), ("magic",)))
    try:
        data = bytes(16)
        for status in (2, 3, 4):
            outcome, comparisons = comparer.run(data)
            assert outcome.status == status << 8
            tried = [(d, comparer.run(d)[0]) for d in solutions(data, comparisons, 64)]
            data = next(d for d, o in tried if o.status not in (status << 8, 1 << 8))
        assert comparer.run(data)[0].signal == 11
        assert comparer.path(b"x" * 16) == comparer.path(b"y" * 16) != comparer.path(data)
    finally:
        comparer.close()


# -- runs ----------------------------------------------------------------------------------------

SLOW = r"""
#include <unistd.h>
__attribute__((noinline)) void prepare(void) { for (volatile int i = 0; i < 3000; i++); }
int main(void)
{
    char b[8];
    prepare();
    getpid();
    return read(0, b, 8);
}
"""


@pytest.mark.parametrize("place", ["", "prepare", "syscall:getpid"])
def test_the_fork_point_can_be_chosen(
    guest_source: Build, executor: Make, place: str
) -> None:
    guest = executor(guest_source(SLOW, name="slow"), fork_at=place)
    names = [call[0] for call in guest.run(b"abc").calls]
    assert names == [0, 231] if not place else [39, 0, 231]
    assert guest.run(b"abcde").status == 5 << 8
    assert guest.differences() == []


def test_a_program_that_never_reads_starts_at_its_beginning(
    guest_source: Build, executor: Make
) -> None:
    source = "#include <unistd.h>\nint main(void) { return getpid() == 100; }"
    guest = executor(guest_source(source, name="unread"))
    assert guest.fork_point == "the start of the program"
    assert guest.run(b"x").status == 1 << 8


def test_a_run_that_spins_ends(guest_source: Build, executor: Make) -> None:
    source = "#include <unistd.h>\nint main(void) { char b; read(0, &b, 1); while (b == 'L'); }"
    guest = executor(guest_source(source, name="spins"), exec_timeout=0.2)
    assert guest.run(b"L").verdict == HANG
    assert guest.run(b"x").verdict == OK
    assert guest.differences() == []


def test_many_runs_neither_drift_nor_grow(guest: Build, executor: Make) -> None:
    import tracemalloc

    parser = executor(guest("bench/parser"))
    data = b"PK\1\2" + b"\1\2ab" * 5 + bytes(40)
    first = parser.run(data)
    for _ in range(200):
        parser.run(data)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for count in range(3000):
        parser.run(data[: count % 64])
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    last = parser.run(data)
    assert (last.status, last.calls) == (first.status, first.calls)
    assert parser.differences() == []
    assert grown < 1 << 16


def test_refused_calls_have_stack_and_source(guest_source: Build, executor: Make) -> None:
    source = r"""
    #include <unistd.h>
    __attribute__((noinline)) static int ask(void) { return getppid() + 1; }
    int main(void) { char b; read(0, &b, 1); return b == 'x' ? ask() : 0; }
    """
    program = guest_source(source, name="asks", flags=("-static", "-g"))
    policy = Policy.from_text("sys_read: 1\nsys_exit_group: 1\nsys_arch_prctl: 1\n"
                              "sys_set_tid_address: 1\nsys_ioctl: 1\nsys_writev: 1")
    guest = executor(program, policy=policy)
    assert guest.run(b"a").verdict == OK
    outcome = guest.run(b"x", explain=True)
    assert outcome.verdict == DENIED
    assert any(frame.startswith("main+") or "ask" in frame for frame in outcome.frames)
    assert any(line.startswith("asks.c:") for line in outcome.lines)
    assert outcome.refused.startswith("sys_getppid(")


# -- what is loose -------------------------------------------------------------------------------


def calls(*given: tuple[int, ...]) -> list[Call]:
    return [(*call, *(0,) * (7 - len(call))) for call in given]  # type: ignore[misc]


def analysis(text: str, *given: tuple[int, ...]) -> Analysis:
    return Analysis(Policy.from_text(text, file="p"), [calls(*given)])


def test_entries_that_nobody_needed() -> None:
    found = analysis("sys_read: 1\nsys_write: fd == 1", (1, 1)).findings()
    assert [(f.rule, f.title) for f in found] == [
        ("loose-unused", "sys_read is allowed, and no run called it")
    ]
    assert found[0].place is not None
    assert (found[0].place.line, found[0].evidence["replacement"]) == (1, "0")


def test_alternatives_bounds_and_exclusions_are_tightened() -> None:
    made = analysis("sys_write: fd == 1 || fd == 2 || fd == 9", (1, 1), (1, 2))
    (finding,) = made.findings()
    assert finding.evidence["replacement"] == "fd == 1 || fd == 2"
    assert finding.evidence["survivors"] == ["`fd == 9` cut"]
    assert finding.place is not None
    assert (finding.place.column, finding.place.length) == (34, 7)
    assert made.score == (4, 5)

    (finding,) = analysis("sys_read: fd <= 100", (0, 3), (0, 5)).findings()
    assert finding.evidence["replacement"] == "fd <= 5"
    (finding,) = analysis("sys_read: fd != 7", (0, 0)).findings()
    assert finding.evidence["replacement"] == "fd == 0"


def test_an_entry_that_allows_all_gets_what_was_seen() -> None:
    (finding,) = analysis("sys_ioctl: 1", (16, 1, 0x5413, 77), (16, 0, 0x5413, 78)).findings()
    assert finding.rule == "loose-entry"
    assert finding.evidence["replacement"] == "(fd == 0 || fd == 1) && cmd == 0x5413"


def test_a_tight_policy_has_nothing_loose() -> None:
    made = analysis("sys_read: fd == 0\nsys_exit_group: 1", (0, 0), (231, 3))
    assert made.findings() == []
    assert made.score == (2, 2)


def test_a_minimized_policy_passes_what_was_seen_and_no_more_than_before() -> None:
    text = "sys_write: fd == 1 || (fd >= 2 && count <= 4096)\nsys_read: fd != 3\nsys_open: 1\n"
    seen = calls((1, 1, 0, 10), (1, 2, 0, 20), (0, 0), (0, 5))
    old = Policy.from_text(text)
    new = Policy.from_text(Analysis(old, [seen]).minimized())
    assert [entry.name for entry in new.filters] == ["sys_read", "sys_write"]
    random = Random(5)
    tried = seen + [
        (random.choice((0, 1)), random.randrange(8), 0, random.choice((1, 20, 4096)), 0, 0, 0)
        for _ in range(500)
    ]
    for call in tried:
        entries = [policy.filters.get(call[0]) for policy in (old, new)]
        before, after = (e is not None and (not e.filter or e.filter.match(*call)) for e in entries)
        assert after <= before
        assert after or call not in seen


def test_mutants_are_smaller_and_trees_keep_their_meaning() -> None:
    event = table().by_entry("sys_write")
    assert event is not None
    text = "(fd == 1 || fd == 2) && (count < 10 || buf != 0)"
    tree = tree_of(create(event, text).expression)
    again = tree_of(create(event, tree.text()).expression)
    random = Random(2)
    for _ in range(300):
        call = (1, random.randrange(4), random.randrange(2), random.randrange(20), 0, 0, 0)
        assert tree.holds(call) == again.holds(call) == create(event, text).match(*call)
        for _what, _where, smaller in cuts(tree):
            assert smaller.holds(call) <= tree.holds(call)
