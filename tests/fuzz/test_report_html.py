"""The HTML report: what is in it, that nothing gets out of its place, and its size."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from campaign_folders import DEMO, HOSTILE, POLICY, crash, loose, make_folder, run_command, settings

from emukernel.fuzz.campaign import Campaign, Settings
from emukernel.fuzz.corpus import QUEUE, Folder
from emukernel.fuzz.finding import Place
from emukernel.fuzz.report import write_html
from emukernel.fuzz.report.chart import nice_ticks, rates, thinned
from emukernel.fuzz.report.hexdump import hexdump
from emukernel.fuzz.report.html import page
from emukernel.fuzz.report.load import load
from emukernel.fuzz.report.markup import tag
from emukernel.fuzz.report.record import record
from emukernel.fuzz.syscalls import calls_target
from emukernel.policy import Policy

_VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """A page's elements, its text, and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))
        self.ids += [value or "" for key, value in attributes if key == "id"]
        if name not in _VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def assert_self_contained(text: str) -> None:
    """No scripts, no handlers, nothing from elsewhere, every link within the page."""
    parsed = Page(text)
    assert len(set(parsed.ids)) == len(parsed.ids)
    for name, attributes in parsed.tags:
        assert name not in ("script", "iframe", "object", "link", "img", "base", "form")
        assert not any(key.startswith("on") for key in attributes)
        assert not {"src", "srcset", "action"} & attributes.keys()
        if "href" in attributes:
            href = attributes["href"] or ""
            assert href.startswith("#")
            assert re.fullmatch(r"#line-\d+", href) or href[1:] in parsed.ids
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_a_real_campaigns_report(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "out", execs=2000)
    campaign = Campaign(chosen)
    campaign.run()
    record(campaign.folder, chosen.target, 5.0)
    report = load(campaign.folder)
    assert report.recorded
    assert report.inputs == report.total > 0
    calls = {(cell.name, cell.verdict) for cell in report.cells}
    assert {("sys_read", "allowed"), ("sys_write", "refused")} <= calls
    assert report.hits["sys_read"].allowed >= report.inputs
    # The demo's bug is found, and reads /etc/passwd by descriptor 3.
    assert [text for text, _true, _false in report.hits["sys_read"].predicates] == [
        "fd == 0", "fd == 3",
    ]
    assert all(true and false for _text, true, false in report.hits["sys_read"].predicates)
    assert "refused: no entry for sys_write" in "".join(report.traces.values())
    html = page(report)
    assert_self_contained(html)
    shown = Page(html).text
    assert "no entry for sys_write" in shown
    assert "# <script>alert(1)</script>" in shown
    assert "killed by SIGKILL" in shown
    assert f"emukernel replay --trace {tmp_path}/out/findings/denied-" in shown


def test_functions_and_refusals_are_those_of_the_demo(tmp_path: Path) -> None:
    policy = "sys_read: fd == 0\nsys_write: fd == 1\nsys_exit_group: 1\nsys_exit: 1\n"
    chosen = settings(tmp_path / "out", policy)
    folder = Folder(chosen.out)
    folder.create()
    folder.write_json("campaign.json", chosen.to_json())
    folder.add(QUEUE, b"!", "op:x")
    folder.add(QUEUE, b"abc", "op:x")
    record(folder, chosen.target, 5.0)
    cells = {(c.name, c.verdict): c for c in load(folder).cells}
    refused = cells["sys_open", "refused"]
    assert refused.function == "leak_passwords"
    assert (refused.count, refused.inputs) == (1, 1)
    assert cells["sys_read", "allowed"].inputs == 2


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    findings = [
        loose(title=HOSTILE, text=HOSTILE, place=Place(HOSTILE, 2, 1, 400)),
        crash(
            title=HOSTILE, text=HOSTILE, key=HOSTILE, rule=HOSTILE,
            input=HOSTILE.encode(),
            evidence={HOSTILE: [HOSTILE], "stack": [{"function": HOSTILE, "source": HOSTILE}]},
        ),
        crash(1, evidence={"stack": [1, None], "entry": HOSTILE, "replacement": 3}),
    ]
    out = tmp_path / "out <script>alert(2)<"
    folder = make_folder(out, findings)
    (out / QUEUE / "id:000009,op:<script>alert(3)<").write_bytes(b"")
    folder.write_json("traces.json", {findings[1].id: HOSTILE})
    folder.write_json(
        "matrix.json",
        {
            "inputs": 1,
            "total": 2,
            "cells": [[HOSTILE, "refused", HOSTILE, HOSTILE, 1, 1, [3]]],
            "hits": [[HOSTILE, 0, 0, []], ["sys_read", 1, 0, [[HOSTILE, 1, 0]]]],
        },
    )
    html = page(load(folder))
    assert_self_contained(html)
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert Page(html).text.count("<script>alert('x')</script>") > 8


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plot_data", "# a, b\n1, x\n2\n"),
        ("plot_data", "junk"),
        ("fuzzer_stats", "execs_done: many\nstart_time: 99999999999999999999\nrun_time: nan\n"),
        ("matrix.json", '{"inputs": 1, "cells": [[1]], "hits": []}'),
        ("matrix.json", "[" * 100_000),
        ("traces.json", "[]"),
        ("campaign.json", "{}"),
        ("campaign.json", "[1"),
        ("findings/crash-x.json", "{"),
    ],
)
def test_damaged_files_are_left_out(tmp_path: Path, name: str, text: str) -> None:
    folder = make_folder(tmp_path / "out", [crash()])
    (tmp_path / "out" / name).write_text(text)
    assert_self_contained(page(load(folder)))


def test_policy_lines_have_hits_and_advice(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out", [loose()])
    hits = [["sys_read", 1234, 2, [["fd == 0", 1234, 2], ["fd == 3", 0, 1236]]],
            ["sys_open", 0, 0, []], ["sys_exit_group", 9, 0, []]]
    folder.write_json("matrix.json", {"inputs": 9, "total": 9, "cells": [], "hits": hits})
    html = page(load(folder))
    rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    (read,) = [row for row in rows if 'id="line-2"' in row]
    assert "1.23k" in read
    assert "<mark>fd == 3</mark>" in read
    assert 'title="fd == 3: true 0 times, false 1,236 times"' in read
    remark = rows[rows.index(read) + 1]
    assert "sys_read: fd == 0" in remark
    (unused,) = [row for row in rows if 'id="line-3"' in row]
    assert 'class="never"' in unused
    assert "2 of 3 entries exercised. Never: sys_open." in html


def test_a_policy_keeps_its_comments_and_lines(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out", [])
    (tmp_path / "a <b>.policy").unlink()
    assert load(folder).policy_text == POLICY
    assert Settings.from_json(folder.read_json("campaign.json")).target.policy is not None


def test_tightness_and_the_smallest_policy_are_shown(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out", [])
    folder.write_json("loose.json", {"killed": 3, "mutants": 5, "policy": "sys_read: fd == 9\n"})
    html = page(load(folder))
    assert_self_contained(html)
    assert "the runs killed 3 of 5 mutants" in html
    assert "sys_read: fd == 9" in html


def test_a_large_campaign_is_quick_and_small(tmp_path: Path) -> None:
    trace = "read(0, \"xxxxxxxxxxxxxxx\", 256) = 3 [seccomp: allowed by sys_read]\n" * 200
    findings = [crash(number, input=b"x" * 4096) for number in range(400)]
    findings += [loose(number) for number in range(100)]
    folder = make_folder(tmp_path / "out", findings, items=2_000, rows=20_000)
    folder.write_json("traces.json", {finding.id: trace for finding in findings})
    cells = [
        [f"sys_{n % 300}", "allowed", f"function{n % 170}", "", n, 1, [1, 2, 3]]
        for n in range(5000)
    ]
    folder.write_json("matrix.json", {"inputs": 9, "total": 9, "cells": cells, "hits": []})
    began = time.process_time()
    write_html(folder, str(tmp_path / "report.html"))
    assert time.process_time() - began < 8
    assert 500_000 < (tmp_path / "report.html").stat().st_size < 5_000_000
    assert_self_contained((tmp_path / "report.html").read_text())


def test_charts_count_right() -> None:
    assert nice_ticks(0, 97)[-1] == 100
    assert nice_ticks(0, 0) == [0, 1]
    assert nice_ticks(0, 1e-3)[-1] == pytest.approx(1e-3)
    times = [float(at) for at in range(1000)]
    few, values = thinned(times, times)
    assert len(few) == 300
    assert (few[0], few[-1]) == (0, 999)
    assert set(rates(times, [5 * at for at in times])[1]) == {5.0}
    assert thinned([1, 1, 2], [3, 4, 5]) == ([1, 2], [4, 5])
    assert values == few


def test_hexdump_is_that_of_hexdump() -> None:
    lines = hexdump(bytes(range(16)) + b"AB").split("\n")
    assert lines == [
        "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|",
        f"00000010  41 42{' ' * 45}|AB|",
    ]
    assert hexdump(b"") == ""
    offsets = [line.partition(" ")[0] for line in hexdump(bytes(16 * 100) + b"x").split("\n")]
    assert offsets == ["00000000", "*", "00000640"]
    offsets = [line.partition(" ")[0] for line in hexdump(bytes(16 * 100)).split("\n")]
    assert offsets == ["00000000", "*", "00000630"]
    assert hexdump(bytes(range(64)), 32).split("\n")[2:] == ["... and 32 bytes more"]


def test_markup_escapes_attributes_and_children() -> None:
    made = tag("a", "<", tag("b", "x"), None, href='">', data_x="&")
    assert made == '<a href="&quot;&gt;" data-x="&amp;">&lt;<b>x</b></a>'


def test_the_command_writes_it_again(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out", [loose()], items=2)
    done = run_command("fuzz", "report", folder.path)
    assert (done.returncode, done.stderr) == (0, "")
    report = tmp_path / "out" / "report.html"
    assert done.stdout == f"{report}\n"
    assert "Calls of 2 inputs" in report.read_text()
    html, sarif, junit = tmp_path / "r.html", tmp_path / "r.sarif", tmp_path / "r.xml"
    done = run_command(
        "fuzz", "report", folder.path, "--html", html, "--sarif", sarif, "--junit", junit
    )
    assert done.returncode == 0
    assert html.read_text() == report.read_text()
    assert sarif.read_text().startswith("{")
    assert junit.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere"], "no campaign is there"),
        ([], "DIR"),
        (["OUT", "--record-time", "x"], "--record-time"),
        (["OUT", "--html", "/nowhere/x"], "/nowhere/x"),
    ],
)
def test_bad_usage_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    folder = make_folder(tmp_path / "out", [], items=0)
    words = [folder.path if word == "OUT" else word for word in arguments]
    done = run_command("fuzz", "report", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_campaign_writes_all_reports(tmp_path: Path) -> None:
    policy = tmp_path / "p.policy"
    policy.write_text("sys_read: fd == 0\nsys_write: fd == 1\nsys_exit_group: 1\n")
    sarif, junit = tmp_path / "r.sarif", tmp_path / "r.xml"
    done = run_command(
        "fuzz", "--filter", policy, "--execs", "300", "--out", tmp_path / "out",
        "--sarif", sarif, "--junit", junit, "--fail-on", "denied", DEMO,
    )
    assert done.returncode == 1
    assert "report: " in done.stderr
    assert_self_contained((tmp_path / "out" / "report.html").read_text())
    assert "denied/denied-no-entry" in sarif.read_text()
    assert "<failure" in junit.read_text()


def test_show_is_a_summary(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "out", [loose(), crash(title=HOSTILE, text=HOSTILE)])
    folder.write_json("loose.json", {"killed": 3, "mutants": 5, "policy": ""})
    hits = [["sys_read", 4, 0, []], ["sys_open", 0, 0, []]]
    folder.write_json("matrix.json", {"inputs": 9, "total": 9, "cells": [], "hits": hits})
    done = run_command("fuzz", "show", folder.path)
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "target:     demo\n",
        "time:       00:01:35, 1 job\n",
        "runs:       19,000, 200.00 a second\n",
        "3 in queue/",
        "1 of 2 entries exercised; never: sys_open\n",
        "the runs killed 3 of 5 mutants of the policy\n",
        "found:      1 crash, 1 loose\n",
        "loose: a.policy:2:22: sys_read: fd == 3 was never needed",
        "Input (512 bytes): ",
    ):
        assert text in done.stdout
    assert "\x1b" not in done.stdout


def test_made_up_calls_have_a_matrix_too(tmp_path: Path) -> None:
    policy = Policy.from_text("sys_read: fd != 3\nsys_open: 1\nsys_exit_group: 1\n")
    chosen = Settings(calls_target(policy), str(tmp_path / "out"), execs=100, syscalls=True)
    campaign = Campaign(chosen)
    campaign.run()
    record(campaign.folder, chosen.target, 5.0)
    report = load(campaign.folder)
    assert {cell.function for cell in report.cells} == {"made-up calls"}
    assert_self_contained(page(report))
