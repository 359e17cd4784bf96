"""``kiro-swarm tasks``: a linter for task files, and their drawings."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cli.main import main
from kiro_swarm.tasks.file.codes import CODES
from kiro_swarm.tasks.file.sizes import MAX_BYTES

PLAN = """\
# Implementation Plan

- [x] 1. Group
  - [x] 1.1 First 🎉
    - _Requirements: 1.1, 2.3_
- [-] 2. Checkpoint
- [ ]* 3. Tests & <docs>
  - _Depends: 1_
- [~] 4. Later
"""
BROKEN = "- [ ] 1. A\n  - _Depends: 2_\n- [ ] 2. B\n  - _Depends: 1, 9_\n"


@dataclass(frozen=True)
class Answer:
    """What a command said, apart by stream, and how it ended."""

    exit_code: Any
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def run(*arguments: str) -> Answer:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(["tasks", *arguments])
    return Answer(end.value.code, out.getvalue(), err.getvalue())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a good and a broken spec."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", PLAN), ("broken", BROKEN)):
        folder = tmp_path / ".kiro" / "specs" / name
        folder.mkdir(parents=True)
        (folder / "tasks.md").write_text(text, encoding="utf-8")
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "node_modules" / "x" / "tasks.md").write_text("not ours")
    return tmp_path


GOOD = ".kiro/specs/good/tasks.md"
BAD = ".kiro/specs/broken/tasks.md"


def test_the_json_of_a_file_is_what_pipelines_were_promised(here: Path) -> None:
    done = run("check", GOOD, "--output", "json")
    assert done.exit_code == 0
    assert json.loads(done.output) == {
        "tasks": [
            task("1", "Group", 3, state="done", leaf=False),
            task("1.1", "First 🎉", 4, state="done", parent="1", needs=["1.1", "2.3"]),
            task("2", "Checkpoint", 6, state="running"),
            task("3", "Tests & <docs>", 7, optional=True, dependencies=["1.1"]),
            task("4", "Later", 9, state="deferred"),
        ],
        "diagnostics": [],
    }


def task(task_id: str, title: str, line: int, **more: Any) -> dict[str, Any]:
    return {
        "id": task_id,
        "title": title,
        "state": more.get("state", "open"),
        "optional": more.get("optional", False),
        "leaf": more.get("leaf", True),
        "parent": more.get("parent"),
        "dependencies": more.get("dependencies", []),
        "requirements": more.get("needs", []),
        "line": line,
    }


def test_errors_are_shown_with_their_place_and_end_with_1(here: Path) -> None:
    done = run("check", BAD)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{BAD}:1:4: error: dependency cycle: 1 (line 1) -> 2 (line 3) -> 1 [cycle]",
        f"{BAD}:4:5: error: task 2 depends on 9, which is not defined; the nearest is 1 "
        "[unknown-dependency]",
        f"{BAD}: 2 tasks: 2 open; 2 errors",
    ]
    remarks = json.loads(run("check", BAD, "-o", "json").output)["diagnostics"]
    assert remarks[1] == {
        "severity": "error",
        "code": "unknown-dependency",
        "line": 4,
        "column": 5,
        "message": "task 2 depends on 9, which is not defined; the nearest is 1",
    }


def test_warnings_alone_end_with_0(here: Path) -> None:
    (here / "w.md").write_text("- [ ] 1. A\n- [ ] 2. B\n  - depends on task 1\n")
    done = run("check", "w.md")
    assert done.exit_code == 0
    assert "w.md:3:5: warning: 'depends on task 1' in the text of" in done.output


def test_of_a_folder_every_task_file_below_it_is_checked(here: Path) -> None:
    done = run("check", ".", "-o", "json")
    assert done.exit_code == 1
    answer = json.loads(done.output)
    assert list(answer) == [BAD, GOOD]
    assert answer[GOOD] == json.loads(run("check", GOOD, "-o", "json").output)
    assert f"{GOOD}: 4 tasks: 1 done, 1 running, 1 deferred, 1 open; no problems" in (
        run("check", str(here)).output.replace(f"{here}{os.sep}", "")
    )


def test_a_folder_without_task_files_cannot_be_checked(tmp_path: Path) -> None:
    done = run("check", str(tmp_path))
    assert done.exit_code == 2
    assert done.stderr == (
        f"error: {tmp_path}: there is no tasks.md below this folder\n"
    )


@pytest.mark.parametrize("command", ["check", "graph"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory"),
        (b"- [ ] 1. A\n- [ ] caf\xe9", "line 2 is not UTF-8 (byte 0xE9)"),
        (b"x" * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
    ],
    ids=["missing", "not text", "too large"],
)
def test_what_cannot_be_read_ends_with_2_and_says_why(
    here: Path, command: str, content: Any, says: str
) -> None:
    if content is not None:
        (here / "x.md").write_bytes(content)
    done = run(command, "x.md")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: x.md: ")
    assert says in done.stderr


def test_one_unreadable_file_of_a_folder_does_not_hide_the_others(here: Path) -> None:
    (here / "tasks.md").write_bytes(b"\xff")
    done = run("check", ".", "-o", "json")
    assert done.exit_code == 2
    assert list(json.loads(done.stdout)) == [BAD, GOOD]
    assert "tasks.md: line 1 is not UTF-8" in done.stderr


def test_a_text_cannot_reach_the_terminal_of_who_checks_it(here: Path) -> None:
    (here / "evil.md").write_text(
        "- [ ] 1. A\n  - _Depends: \x1b]0;t\x07\u202e9 \x9b31m_\n", encoding="utf-8"
    )
    done = run("check", "evil.md")
    assert done.exit_code == 1
    assert all(line.isprintable() for line in done.output.splitlines())


def test_the_sarif_log_has_what_its_schema_requires(here: Path) -> None:
    done = run("check", str(here / ".kiro"), "-o", "sarif")
    assert done.exit_code == 1
    log = json.loads(done.output)
    assert (log["version"], log["$schema"][:8]) == ("2.1.0", "https://")
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert all(rule["shortDescription"]["text"] for rule in rules)
    assert [r["ruleId"] for r in only["results"]] == ["cycle", "unknown-dependency"]
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == "error"
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == BAD
        assert place["region"]["startLine"] in (1, 4)
        assert place["region"]["startColumn"] in (4, 5)


def test_the_graph_is_drawn_here_and_as_mermaid(here: Path) -> None:
    drawn = run("graph", GOOD)
    assert drawn.exit_code == 0
    assert "✔ 1.1" in drawn.output
    assert "⊘ 4" in drawn.output
    text = run("graph", GOOD, "-o", "mermaid").output
    assert text.startswith("flowchart TD\n")
    assert "Tests #38; #60;docs#62;" in text
    assert "  t0 --> t2\n" in text


def test_the_graph_as_svg_is_xml_with_all_tasks_and_nothing_of_the_text_as_marks(
    here: Path,
) -> None:
    done = run("graph", GOOD, "-o", "svg")
    assert done.exit_code == 0
    root = ElementTree.fromstring(done.output)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    boxes = root.findall("{http://www.w3.org/2000/svg}g")
    assert [box.attrib["data-task"] for box in boxes] == ["1.1", "2", "3", "4"]
    assert any("Tests & <docs>" in (text.text or "") for text in root.iter())
    assert not {"script", "a"} & {e.tag.rpartition("}")[2] for e in root.iter()}
    right = float(root.attrib["width"])
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        left = float(rect.attrib.get("x", 0))
        assert 0 <= left <= left + float(rect.attrib["width"]) <= right


def test_a_graph_with_errors_is_drawn_as_far_as_it_goes_and_says_so(here: Path) -> None:
    done = run("graph", BAD, "-o", "svg")
    assert done.exit_code == 1
    assert "dependency cycle" in done.stderr
    assert "2 tasks left out that wait in a circle" in done.stdout


def test_a_file_without_tasks_is_drawn_as_such(here: Path) -> None:
    (here / "empty.md").write_text("")
    for output in ("terminal", "mermaid", "svg"):
        done = run("graph", "empty.md", "-o", output)
        assert done.exit_code == 1
    assert "no tasks" in done.stdout


def test_a_wide_graph_is_bundled(here: Path) -> None:
    (here / "wide.md").write_text(
        "".join(f"- [ ] 1.{n} T\n  - _Depends: none_\n" for n in range(500))
    )
    done = run("graph", "wide.md", "-o", "svg")
    assert done.exit_code == 0
    assert "stand together as +N" in done.stdout
    assert float(ElementTree.fromstring(done.stdout).attrib["width"]) < 20_000
