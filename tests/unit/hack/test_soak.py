"""hack/soak: what it writes down is what came out, and it says so when nothing ran."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hack.lib.soak import page
from hack.lib.soak.proofs import PROOFS, ROOT, Result, judged

GOOD = Result(8, 8, 90.0, "7", {"tasks": 10000, "seconds_on_one": 61.5})
BAD = Result(7, 8, 90.0, "7", {}, ("test_x: see log",))


def test_the_page_in_docs_has_every_proof() -> None:
    found = page.rows(page.PAGE.read_text(encoding="utf-8"))
    assert list(found) == [proof.name for proof in PROOFS]


def test_a_proof_runs_tests_that_have_two_sizes() -> None:
    for proof in PROOFS:
        for path in proof.tests:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert "sized(" in text or "every(" in text


def test_a_result_is_written_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\n{page.END}\nafter\n")
    page.record("kills", GOOD, "abc", "2026-01-01", path)
    page.record("fuzz", BAD, "def+", "2026-01-02", path)
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert (
        "| `kills` | `abc` | 2026-01-01 | 7 | 8/8 | 1.5 min | "
        "tasks 10,000, seconds on one 61.5 |\n"
    ) in text
    assert "| `fuzz` | `def+` | 2026-01-02 | 7 | 7/8 **FAILED** | 1.5 min |" in text
    assert f"| `many-tasks` | {page.NEVER}\n" in text


@pytest.mark.parametrize("bad", ["failure", "error", "skipped"])
def test_what_did_not_pass_is_named(bad: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    value = json.dumps({"seed": 3, "tasks": 5}).replace('"', "&quot;")
    report.write_text(
        '<testsuites><testsuite><testcase name="a"><properties>'
        f'<property name="figures" value="{value}"/></properties></testcase>'
        f'<testcase name="b"><{bad}/></testcase></testsuite></testsuites>'
    )
    passed, total, seed, figures, failures = judged(report, tmp_path / "log")
    assert (passed, total, seed, figures) == (1, 2, "3", {"tasks": 5})
    assert failures == [f"b: see {tmp_path / 'log'}"]


def test_nothing_at_all_is_no_success() -> None:
    assert not Result(0, 0, 1.0, "").good


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "no proof 'nonsense'; there are many-tasks"),
        (["--output", "json"], "name a proof"),
        (["fuzz", "--seconds", "0"], "must be above 0"),
    ],
)
def test_a_bad_option_is_refused_with_what_there_is(
    arguments: list[str], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hack.lib.soak", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr


def test_the_list_is_for_programs_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hack.lib.soak", "--list", "--output", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [each["name"] for each in json.loads(done.stdout)] == [
        p.name for p in PROOFS
    ]
